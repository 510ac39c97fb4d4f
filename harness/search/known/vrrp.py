"""Known defects of elections: instances, addresses, routes, and what they track."""

from __future__ import annotations

from typing import Final

from harness.search.invariants.addresses import HELD
from harness.search.invariants.advertising import ACTS, PACE, TRUE
from harness.search.invariants.daemons import ONCE
from harness.search.invariants.editing import EDITED
from harness.search.invariants.election import TAKES, WAITS
from harness.search.invariants.reloading import AGAIN, JOINS
from harness.search.invariants.rest import RESTORED
from harness.search.invariants.routing import ROUTED
from harness.search.invariants.states import FAULTY
from harness.search.judging import AS_BEFORE, AT_REST
from harness.search.known.defect import (
    CRASHES,
    DIES,
    EDITS,
    FORGOTTEN,
    KILLS,
    MADE,
    READS,
    READS_ANEW,
    SCRIPTS,
    SIGNALS,
    STARTS,
    STUCK,
    Known,
    shown,
)

_SOURCE6: Final = r"\sunicast_src_ip [^\s:]*:"
_BEGINNINGS: Final = STARTS | MADE
"""After what keepalived starts anew."""
_HELD_TWICE: Final = (
    (RESTORED, r" was held by (\S+), and is held by \1 and "),
    (AT_REST, r" is held by \S+ and \S+, and should be by "),
)
"""How it shows that a master hangs which another one cannot hear."""
_CLAIMS: Final = SCRIPTS | {"WriteNumber", "StopProgram", "Unplug"}
"""What changes a priority."""


DEFECTS: tuple[Known, ...] = (
    *shown(
        # While a reload computes priorities, every instance is a backup.
        "scenarios/regressions/test_priority_told_after_a_reload.py",
        (READS,),
        (AGAIN, r" tells of a priority of .* as BACKUP, which it is not"),
        config="notify_priority_changes",
        present="<2.4",
    ),
    *shown(
        # What a reload adds to a master is not announced a second time.
        "scenarios/regressions/test_second_announcement_after_a_reload.py",
        (EDITS,),
        (JOINS, r" times instead of \d+ again "),
        present="<2.3.3",
    ),
    *shown(
        # What is heard during vrrp_startup_delay puts the takeover off.
        "scenarios/regressions/test_startup_delay.py",
        (_BEGINNINGS,),
        (TAKES, r" outranks it for .*, and is not master"),
        (RESTORED, r" there changes address |was held by .*, and is held by "),
        (AT_REST, r" is held by .*, and should be by "),
        config="vrrp_startup_delay",
        present=">=2.2,<2.2.8",
    ),
    *shown(
        # A reload ends vrrp_startup_delay.
        "scenarios/regressions/test_startup_delay.py",
        (_BEGINNINGS, READS),
        (WAITS, r" after its start, and was to wait for "),
        config="vrrp_startup_delay",
        present="<2.2",
    ),
    *shown(
        # An owner that has not been started by then is no master at once.
        "scenarios/regressions/test_startup_delay.py",
        (_BEGINNINGS, READS),
        (TAKES, r" outranks it for 0\.\d+ s, and is not master$"),
        config=r"(?s)vrrp_startup_delay.*state MASTER[^{}]*priority 255",
        present="<2.2",
    ),
    *shown(
        # An owner whose script succeeds does not wait for it.
        "scenarios/regressions/test_startup_delay.py",
        (),
        (WAITS, r" and was to wait for vrrp_startup_delay"),
        config=r"(?s)vrrp_startup_delay.*priority 255.*track_",
        present="<2.4",
    ),
    *shown(
        # Whatever a master discards puts its own advertisement off.
        "scenarios/regressions/test_pace_of_a_master_that_discards.py",
        (),
        (PACE, r", while it had others to discard"),
    ),
    *shown(
        # A backup whose timer was the next one of its socket, and is put off by a new priority.
        "scenarios/regressions/test_timer_of_another_instance.py",
        (_CLAIMS,),
        (PACE, r", and then not for more than \S+ s, while another's priority may have changed$"),
        config=r"(?s)vrrp_instance.*vrrp_instance",
    ),
    *shown(
        # Whoever resigns as it has just started the sync daemon waits for IPVS's answer for ever.
        "scenarios/regressions/test_sync_daemon_stopped_at_once.py",
        (),
        (ACTS, r" for 0\.\d+ s, hears that .*, and neither yields nor advertises$"),
        (AT_REST, r" advertised last \S+ s ago, and nobody since$"),
        config="lvs_sync_daemon",
    ),
    *shown(
        # So does whoever has started it anew as two instances exchange their numbers: of a VIP that
        # moves the kernel then says that it is gone, and its instance resigns.
        "scenarios/regressions/test_sync_daemon_stopped_at_once.py",
        (EDITS,),
        *_HELD_TWICE,
        config=r"(?s)lvs_sync_daemon.*vrrp_instance.*vrrp_instance",
        edit=r"each other's number$",
    ),
    *shown(
        # And an address owner as it starts, for it stops the backup's daemon first.
        "scenarios/regressions/test_sync_daemon_stopped_at_once.py",
        (KILLS | MADE,),
        *_HELD_TWICE,
        config=r"(?s)lvs_sync_daemon.*priority 255",
    ),
    *shown(
        # A master that is killed leaves its sync daemon, which goes on sending when it is a backup.
        "scenarios/regressions/test_sync_daemon_left_over.py",
        (KILLS,),
        (AS_BEFORE, r" /proc/net/udp: nothing became 'sends'$"),
        config="lvs_sync_daemon",
    ),
    *shown(
        # A VIP that moves to an instance that comes earlier in the file is added, and then removed.
        "scenarios/regressions/test_vip_moved_between_instances.py",
        (EDITS,),
        (EDITED, r", and is master, and does not hold "),
        (HELD, r" is MASTER of .*, and does not hold "),
        (AT_REST, r" is held by nobody, and should be"),
        (ROUTED, r" is MASTER of .*, and lacks the "),
        (JOINS, r" from a reload on, and announces it "),
        (AS_BEFORE, r" /proc/net/(fib_trie|route|if_inet6): .* became nothing"),
        (RESTORED, r" was held by .*, and is held by nobody"),
        edit=r"each other's|the last VIP of|the VIPs of",
        config=r"(?s)vrrp_instance.*vrrp_instance",
    ),
    *shown(
        # An instance that resigns as a reload gives it another's number leaves its route there.
        "scenarios/regressions/test_route_of_a_resigned_instance.py",
        (EDITS,),
        (ROUTED, r" is BACKUP of .*, and has the route "),
        edit=r"each other's number$",
        config=r"(?s)(?=.*virtual_routes)vrrp_instance.*vrrp_instance",
        present=">=2.3.2",
    ),
    *shown(
        # The IPv4 route of a master of IPv6 addresses goes with the IPv4 address, and stays away.
        "scenarios/regressions/test_route_lost_with_an_address.py",
        (frozenset({"LoseAddress"}),),
        (AS_BEFORE, r" /proc/net/fib_trie: '10\.9\.0\.0 /24 universe UNICAST' became nothing"),
        config=r"virtual_ipaddress \{\s+\S*:[^}]*\}(?:(?!vrrp_instance)(?s:.))*virtual_routes",
    ),
    *shown(
        # A master that is killed and comes back as a backup leaves its route, and does not remove
        # it either when it is stopped later. A route whose source is the VIP goes with the VIP.
        "scenarios/regressions/test_route_left_over.py",
        (KILLS,),
        (AS_BEFORE, r" /proc/net/fib_trie: nothing became '10\.9\.0\.0 /24 universe UNICAST'"),
        (ROUTED, r" ended in an orderly way, and left the route to "),
        config="virtual_routes",
        present="<2.3.2",
    ),
    *shown(
        # A VRRP process that is killed leaves its VIPs. If the next one reads a file without their
        # instance, or with another number for its VMAC, the reload that brings that back makes it
        # a backup which still holds them.
        "scenarios/regressions/test_vip_found_by_a_reload.py",
        (EDITS, KILLS),
        (HELD, r" is BACKUP of .*, and holds "),
        (RESTORED, r" was held by \S+, and is held by \S+ and "),
        (AT_REST, r" is held by \S+ and \S+, and should be by "),
        present="<2.3.2",
        edit=r"^(no vrrp_instance|virtual_router_id \d+ in vrrp_instance) ",
    ),
    *shown(
        "scenarios/regressions/test_reload_before_restart.py",
        (CRASHES, SIGNALS),
        (ONCE, r" starts a second "),
    ),
    *shown(
        # A backup whose priority changes between a resignation and its takeover.
        "scenarios/regressions/test_priority_after_a_resignation.py",
        (_CLAIMS,),
        (TAKES, r", while its priority may have changed"),
    ),
    *shown(
        # A script that hangs is run once more each interval, and two ends are two failures.
        "scenarios/regressions/test_script_run_twice.py",
        (frozenset({"HangCheck"}),),
        (FAULTY, r" is FAULT of .*, and all that it tracks is well$"),
        (TRUE, r" advertises .* with priority \d+, and should"),
        config=r"(?s)vrrp_script [^}]*fall [2-9]",
        present="<2.3.3",
    ),
    *shown(
        # A script that is never run: its instance claims what it would if the script were well,
        # which is wrong only where something was done to the script.
        "scenarios/regressions/test_script_below_a_link.py",
        (SCRIPTS,),
        (FAULTY, r", and what it tracks has failed"),
        (TRUE, r" advertises .* with priority \d+, and should"),
        (TAKES, r""),
        config=r'script "/bin/',
        present=">2.2.7",
    ),
    *shown(
        # The same where a weight counts while the script is well: whatever is done.
        "scenarios/regressions/test_script_below_a_link.py",
        (),
        (TRUE, r" advertises .* with priority \d+, and should"),
        (TAKES, r""),
        config=r'script "/bin/[^}]*weight [1-9]',
        present=">2.2.7",
    ),
    *shown(
        # The VRRP process dies of a reload if its master's source address is gone; with the link it
        # goes while the reload goes on, for earlier the instance is in fault.
        "scenarios/regressions/test_missing_source_address.py",
        (READS, FORGOTTEN),
        DIES,
        config=_SOURCE6,
        present="<2.3.3",
        within=1.0,
    ),
    *shown(
        # An instance is in fault for ever that has read its configuration without that address, and
        # has no socket.
        "scenarios/regressions/test_missing_source_address.py",
        (READS_ANEW, FORGOTTEN),
        *STUCK,
        (RESTORED, r" was held by .*, and is held by "),
        (AS_BEFORE, r" /proc/net/raw6: '0070' became nothing$"),
        config=_SOURCE6,
        present="<2.3.3",
    ),
)
