"""Known defects of elections: instances, their groups, addresses, routes, and what they track."""

from __future__ import annotations

from typing import Final

from harness.search.invariants.addresses import HELD
from harness.search.invariants.advertising import ACTS, PACE, TRUE
from harness.search.invariants.daemons import ONCE
from harness.search.invariants.editing import EDITED
from harness.search.invariants.election import FAULTY, TAKES, TOGETHER, WAITS
from harness.search.invariants.reloading import AGAIN, JOINS
from harness.search.invariants.rest import RESTORED
from harness.search.invariants.routing import ROUTED
from harness.search.invariants.telling import TOLD
from harness.search.judging import AS_BEFORE, AT_REST
from harness.search.known.defect import (
    CRASHES,
    DIES,
    EDITS,
    KILLS,
    MADE,
    READS,
    READS_ANEW,
    RELOAD,
    STARTS,
    STUCK,
    Known,
    shown,
)

_FORGOTTEN: Final = frozenset({"SetDown"})
"""After what the kernel has forgotten a machine's IPv6 addresses."""
_SOURCE6: Final = r"\sunicast_src_ip [^\s:]*:"
_SIGNALS: Final = READS | {"Dump"}
"""What makes keepalived do something without an end of its own."""
_BEGINNINGS: Final = STARTS | MADE
"""After what keepalived starts anew."""
_UNHEEDED: Final = (
    (FAULTY, r" is (BACKUP|MASTER) of .*, and what it tracks has failed"),
    (TRUE, r" with priority 255, and should with 0$"),
)
"""How it shows that keepalived does not heed what an instance tracks."""
_HELD_TWICE: Final = (
    (RESTORED, r" was held by (\S+), and is held by \1 and "),
    (AT_REST, r" is held by \S+ and \S+, and should be by "),
)
"""How it shows that a master hangs which another one cannot hear."""
_TOGETHER: Final = r"vrrp_sync_group \S+ \{\s+group \{\s+\S+\s+[^\s}]"
"""A sync group of two or more."""
_OWNERS: Final = r"(?s)vrrp_sync_group.*state MASTER[^{}]*priority 255"
"""A sync group and an address owner, be that in it or not."""
_SCRIPTS: Final = frozenset({"Maintenance", "FailCheck", "HangCheck"})
_CLAIMS: Final = _SCRIPTS | {"WriteNumber", "StopProgram", "Unplug"}
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
        # A reload tells of every group that is a backup or in fault, as a start does.
        "scenarios/regressions/test_group_told_after_a_reload.py",
        (RELOAD,),
        (AGAIN, r" reloads what it has, and tells of \S+ again: (BACKUP|FAULT)$"),
        config="vrrp_sync_group",
        present="<2.2",
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
        # instance, the reload that brings that back makes it a backup which still holds them.
        "scenarios/regressions/test_vip_found_by_a_reload.py",
        (EDITS, KILLS),
        (HELD, r" is BACKUP of .*, and holds "),
        (RESTORED, r" was held by \S+, and is held by \S+ and "),
        (AT_REST, r" is held by \S+ and \S+, and should be by "),
        present="<2.3.2",
        edit=r"^no vrrp_instance ",
    ),
    *shown(
        # A group of one member is dropped, and tells nobody.
        "scenarios/regressions/test_sync_group_of_one.py",
        (),
        (TOLD, r"^all instances of .* are master(?: from their start on)?, and nobody is told"),
        config=r"group \{\s+\S+\s+\}",
        present="<2.2.3",
    ),
    *shown(
        # Its member is in no group then, and the weight of what it tracks counts.
        "scenarios/regressions/test_sync_group_of_one.py",
        (frozenset({"WriteNumber"}),),
        (FAULTY, r" is (BACKUP|MASTER) of .*, and what it tracks has failed"),
        config=r"(?s)track_file \S+ \{[^}]*weight 1\s.*group \{\s+\S+\s+\}",
        present="<2.2.3",
    ),
    *shown(
        # So does the weight of an interface.
        "scenarios/regressions/test_sync_group_of_one.py",
        (frozenset({"Unplug"}),),
        (FAULTY, r" is (BACKUP|MASTER) of .*, and what it tracks has failed"),
        config=r"(?s)group \{\s+\S+\s+\}.*track_interface \{[^}]*weight -?[1-9]",
        present="<2.2.3",
    ),
    *shown(
        # A member of a sync group, like an owner, does not heed its script without a weight.
        "scenarios/regressions/test_sync_group_script.py",
        (_SCRIPTS | {"StopProgram"},),
        *_UNHEEDED,
        config=rf"(?s)vrrp_script \S+ \{{[^}}]*weight 0\s.*({_TOGETHER}|priority 255)",
        present=">=2.1,<2.2",
    ),
    *shown(
        # Nor its file, which has none where the configuration gives it the default one.
        "scenarios/regressions/test_sync_group_script.py",
        (frozenset({"WriteNumber"}),),
        *_UNHEEDED,
        config=rf"(?s)track_file \S+ \{{[^}}]*weight [01]\s.*({_TOGETHER}|priority 255)",
        present=">=2.1,<2.2.2",
    ),
    *shown(
        # The weight of its interface counts, though it says that it ignores it.
        "scenarios/regressions/test_sync_group_interface_weight.py",
        (frozenset({"Unplug"}),),
        (FAULTY, r" is (BACKUP|MASTER) of .*, and what it tracks has failed"),
        config=r"(?s)\A(?=.*vrrp_sync_group)(?!.*sync_group_tracking_weight)"
        r".*vrrp_instance.*track_interface \{[^}]*weight -?[1-9]",
    ),
    *shown(
        # A deleted VIP makes a group a backup, and its state is set without a word; a reload then
        # takes it for master all the while.
        "scenarios/regressions/test_group_of_a_deleted_vip.py",
        (frozenset({"DeleteVip"}), _SIGNALS),
        (TOLD, r"^all instances of .* are master, and nobody is told"),
        config=r"vrrp_sync_group",
    ),
    *shown(
        # A reload sets a group of address owners to master while they are backups, and nothing is
        # told when they become master.
        "scenarios/regressions/test_group_of_owners.py",
        (RELOAD,),
        (TOLD, r"^all instances of .* are master, and nobody is told"),
        config=_OWNERS,
    ),
    *shown(
        # So does their start: where a new cluster does not settle, and after a restart.
        "scenarios/regressions/test_group_of_owners.py",
        (),
        (TOLD, r"^all instances of .* are master from their start on, and nobody is told"),
        config=_OWNERS,
    ),
    *shown(
        # A group that a reload has set to master takes no member along, whose timer may be longer.
        "scenarios/regressions/test_group_of_owners.py",
        (READS,),
        (TOGETHER, r" is master of .* and not of .*, which is in "),
        config=_OWNERS,
    ),
    *shown(
        "scenarios/regressions/test_reload_before_restart.py",
        (CRASHES, _SIGNALS),
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
        (_SCRIPTS,),
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
        (READS, _FORGOTTEN),
        DIES,
        config=_SOURCE6,
        present="<2.3.3",
        within=1.0,
    ),
    *shown(
        # An instance is in fault for ever that has read its configuration without that address, and
        # has no socket.
        "scenarios/regressions/test_missing_source_address.py",
        (READS_ANEW, _FORGOTTEN),
        *STUCK,
        (RESTORED, r" was held by .*, and is held by "),
        (AS_BEFORE, r" /proc/net/raw6: '0070' became nothing$"),
        config=_SOURCE6,
        present="<2.3.3",
    ),
)
