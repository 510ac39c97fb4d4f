"""Defects that are known: how each shows in a search, so that it is counted and hides no other."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from harness.search.drafts import Steps
from harness.search.invariants.addresses import HELD
from harness.search.invariants.advertising import PACE, TRUE
from harness.search.invariants.balance import TABLES
from harness.search.invariants.checking import CHECKED
from harness.search.invariants.daemons import LATE, LIVE, ONCE
from harness.search.invariants.editing import EDITED
from harness.search.invariants.election import FAULTY, TAKES, WAITS
from harness.search.invariants.reloading import AGAIN, JOINS
from harness.search.invariants.rest import RESTORED
from harness.search.invariants.routing import ROUTED
from harness.search.invariants.telling import RELOADS, TOLD
from harness.search.judging import AS_BEFORE, AT_REST
from harness.search.observed import Violation


@dataclass(frozen=True)
class Known:
    """``reference`` is the regression file that has it, or its issue; ``text`` a regular expression
    over what a violation of ``invariant`` says. It takes a deed of each kind in ``deeds`` to meet
    it, all of them to one node; one of several where they are in one set; and none of them is done
    or taken back more than ``within`` seconds from the others. It takes what ``config``, a regular
    expression, finds in a keepalived.conf, and a version in which it is ``present``.
    """

    reference: str
    invariant: str
    text: str
    deeds: tuple[frozenset[str], ...] = ()
    config: str = ""
    present: str = ""
    edit: str = ""
    within: float = math.inf

    def possible(self, texts: Iterable[str], versions: Iterable[Version]) -> bool:
        """Whether directors with these configurations and versions of keepalived can have it."""
        configured = any(re.search(self.config, text) for text in texts)
        return configured and any(each in SpecifierSet(self.present) for each in versions)

    def fits(self, violation: Violation, steps: Steps) -> bool:
        """Whether what a sequence has led to is this defect."""
        if violation.invariant != self.invariant or not re.search(self.text, violation.text):
            return False
        if self.edit and not any(re.search(self.edit, each) for each in _edits(steps)):
            return False
        if not self.deeds:
            return True
        done: dict[str, list[tuple[float, str]]] = {}
        now = 0.0
        for each in steps:
            now += each.after
            times = done.setdefault(each.deed.node, [])
            times += [(now, each.deed.name), (now + each.lasts, each.deed.name)]
        return any(self._met(times) for times in done.values())

    def _met(self, done: list[tuple[float, str]]) -> bool:
        """Whether what was done to one node, and when, has a deed of each kind close together."""
        kinds = [[at for at, name in done if name in names] for names in self.deeds]
        return any(max(times) - min(times) <= self.within for times in product(*kinds))


def _edits(steps: Steps) -> list[str]:
    """What the edits of a sequence are called."""
    return [str(value) for each in steps for name, value in each.deed.parameters if name == "edit"]


_CRASHES: Final = frozenset({"CrashVrrp", "CrashCheckers"})
_RELOADS: Final = frozenset({"Reload", "Reconfigure", "Dump"})
_STARTS: Final = _CRASHES | {"KillKeepalived"}
_KILLS: Final = frozenset({"CrashVrrp", "KillKeepalived"})
"""By what the VRRP process dies."""
_BEGINNINGS: Final = _STARTS | {"Restart", "PowerOff", "StopKeepalived"}
"""After what keepalived starts anew."""
_MADE: Final = frozenset({"Restart", "PowerOff", "StopKeepalived"})
"""After what keepalived makes its VMACs."""
_LINKLESS: Final = frozenset({"Unplug", "SetDown"})
"""After what an interface is down."""
_ROUTELESS: Final = frozenset({"LoseAddress", "SetDown"})
"""After what the network is unreachable."""
_WAITED_FOR: Final = (
    (TABLES, r" still has .*, whose checks have failed| lacks its sorry server "),
    (CHECKED, r" has not checked "),
)
"""How it shows that a checker waits too long for an answer."""
_UNHEEDED: Final = (
    (FAULTY, r" is (BACKUP|MASTER) of .*, and what it tracks has failed"),
    (TRUE, r" with priority 255, and should with 0$"),
)
"""How it shows that keepalived does not heed what an instance tracks."""
_STUCK: Final = (
    (FAULTY, r" is FAULT of .*, and all that it tracks is well$"),
    (AT_REST, r"^(?!at first).* is held by .*, and should be by "),
)
"""How it shows that an instance stays in fault."""
_TOGETHER: Final = r"vrrp_sync_group \S+ \{\s+group \{\s+\S+\s+[^\s}]"
"""A sync group of two or more."""
_OWNERS: Final = r"(?s)vrrp_sync_group.*state MASTER[^{}]*priority 255"
"""A sync group and an address owner, be that in it or not."""
_SCRIPTS: Final = frozenset({"Maintenance", "FailCheck", "HangCheck"})
_CLAIMS: Final = _SCRIPTS | {"WriteNumber", "StopProgram", "Unplug"}
"""What changes a priority."""


def _shown(
    reference: str,
    kinds: tuple[frozenset[str], ...],
    *shows: tuple[str, str],
    config: str = "",
    present: str = "",
    edit: str = "",
    within: float = math.inf,
) -> list[Known]:
    """A defect that shows in several ways, each an invariant and what is said of it."""
    return [
        Known(reference, invariant, text, kinds, config, present, edit, within)
        for invariant, text in shows
    ]


KNOWN: tuple[Known, ...] = (
    *_shown(
        # While a reload computes priorities, every instance is a backup.
        "scenarios/regressions/test_priority_told_after_a_reload.py",
        (frozenset({"Reload", "Reconfigure"}),),
        (AGAIN, r" tells of a priority of .* as BACKUP, which it is not"),
        config="notify_priority_changes",
        present="<2.4",
    ),
    *_shown(
        # A reload tells of every group that is a backup or in fault, as a start does.
        "scenarios/regressions/test_group_told_after_a_reload.py",
        (frozenset({"Reload"}),),
        (AGAIN, r" reloads what it has, and tells of \S+ again: (BACKUP|FAULT)$"),
        config="vrrp_sync_group",
        present="<2.2",
    ),
    *_shown(
        # What a reload adds to a master is not announced a second time.
        "scenarios/regressions/test_second_announcement_after_a_reload.py",
        (frozenset({"Reconfigure"}),),
        (JOINS, r" times instead of \d+ again "),
        present="<2.3.3",
    ),
    *_shown(
        # Each read of an answer has the whole of connect_timeout.
        "scenarios/regressions/test_slow_http_answer.py",
        (frozenset({"SlowPage"}),),
        *_WAITED_FOR,
        config="HTTP_GET",
    ),
    *_shown(
        # An answer by TLS that comes as its time is up is waited for without end.
        "scenarios/regressions/test_tls_answer_past_its_time.py",
        (frozenset({"SlowPage"}),),
        *_WAITED_FOR,
        config="SSL_GET",
    ),
    *_shown(
        # What is heard during vrrp_startup_delay puts the takeover off.
        "scenarios/regressions/test_startup_delay.py",
        (_BEGINNINGS,),
        (TAKES, r" outranks it for .*, and is not master"),
        (RESTORED, r" there changes address |was held by .*, and is held by "),
        (AT_REST, r" is held by .*, and should be by "),
        config="vrrp_startup_delay",
        present=">=2.2,<2.2.8",
    ),
    *_shown(
        # A reload ends vrrp_startup_delay.
        "scenarios/regressions/test_startup_delay.py",
        (_BEGINNINGS, frozenset({"Reload", "Reconfigure"})),
        (WAITS, r" after its start, and was to wait for "),
        config="vrrp_startup_delay",
        present="<2.2",
    ),
    *_shown(
        # An owner that has not been started by then is no master at once.
        "scenarios/regressions/test_startup_delay.py",
        (_BEGINNINGS, frozenset({"Reload", "Reconfigure"})),
        (TAKES, r" outranks it for 0\.\d+ s, and is not master$"),
        config=r"(?s)vrrp_startup_delay.*state MASTER[^{}]*priority 255",
        present="<2.2",
    ),
    *_shown(
        # An owner whose script succeeds does not wait for it.
        "scenarios/regressions/test_startup_delay.py",
        (),
        (WAITS, r" and was to wait for vrrp_startup_delay"),
        config=r"(?s)vrrp_startup_delay.*priority 255.*track_",
        present="<2.4",
    ),
    *_shown(
        # Whatever a master discards puts its own advertisement off.
        "scenarios/regressions/test_pace_of_a_master_that_discards.py",
        (),
        (PACE, r", while it had others to discard"),
    ),
    *_shown(
        # A VIP that moves to an instance that comes earlier in the file is added, and then removed.
        "scenarios/regressions/test_vip_moved_between_instances.py",
        (frozenset({"Reconfigure"}),),
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
    *_shown(
        # An instance that resigns as a reload gives it another's number leaves its route there.
        "scenarios/regressions/test_route_of_a_resigned_instance.py",
        (frozenset({"Reconfigure"}),),
        (ROUTED, r" is BACKUP of .*, and has the route "),
        edit=r"each other's number$",
        config=r"(?s)(?=.*virtual_routes)vrrp_instance.*vrrp_instance",
        present=">=2.3.2",
    ),
    *_shown(
        # The IPv4 route of a master of IPv6 addresses goes with the IPv4 address, and stays away.
        "scenarios/regressions/test_route_lost_with_an_address.py",
        (frozenset({"LoseAddress"}),),
        (AS_BEFORE, r" /proc/net/fib_trie: '10\.9\.0\.0 /24 universe UNICAST' became nothing"),
        config=r"virtual_ipaddress \{\s+\S*:[^}]*\}(?:(?!vrrp_instance)(?s:.))*virtual_routes",
    ),
    *_shown(
        # A master that was killed and comes back as a backup leaves its route there; the one from
        # the VIP goes with that.
        "scenarios/regressions/test_route_left_over.py",
        (_KILLS,),
        (AS_BEFORE, r" /proc/net/fib_trie: nothing became '10\.9\.0\.0 /24 universe UNICAST'"),
        config="virtual_routes",
        present="<2.3.2",
    ),
    *_shown(
        # An entry taken out of a virtual server group stays, without real servers.
        "scenarios/regressions/test_group_entry_removed.py",
        (frozenset({"Reconfigure"}),),
        (
            EDITED,
            r"^\S+ has read: no [0-9a-fA-F.:]+ \d+ in virtual_server_group .*, and still has ",
        ),
        config="virtual_server_group",
        present="<=2.2.7",
    ),
    *_shown(
        # A reload takes the weight off that a script left alone; the quorum goes with it.
        "scenarios/regressions/test_dynamic_weight_after_a_reload.py",
        (frozenset({"Reload", "Reconfigure"}),),
        (TABLES, r" lacks .*, which is well| still has its sorry server "),
        (EDITED, r" lacks .* with weight \d+"),
        (RELOADS, r" and then: destination "),
        (RESTORED, r" had .* with weight \d+, and has |there changes destination "),
        (AT_REST, r"'s table of .* has "),
        config="misc_dynamic",
        present=">=2.2",
    ),
    *_shown(
        # With the quorum's loss comes the sorry server.
        "scenarios/regressions/test_dynamic_weight_after_a_reload.py",
        (frozenset({"Reload", "Reconfigure"}),),
        (RESTORED, r" had .* not, and has with weight \d+"),
        config=r"(?s)(?=.*sorry_server).*misc_dynamic",
        present=">=2.2",
    ),
    *_shown(
        "scenarios/regressions/test_weight_zero.py",
        (),
        (TABLES, r" lacks .* with weight 0, which is well"),
        (EDITED, r" lacks .* with weight 0"),
        (AT_REST, r"'s table of .* instead of \{.*: 0[,}]"),
        present="<2.2",
    ),
    *_shown(
        # A group of one member is dropped, and tells nobody.
        "scenarios/regressions/test_sync_group_of_one.py",
        (),
        (TOLD, r"^all instances of .* are master(?: from their start on)?, and nobody is told"),
        config=r"group \{\s+\S+\s+\}",
        present="<2.2.3",
    ),
    *_shown(
        # Its member is in no group then, and the weight of what it tracks counts.
        "scenarios/regressions/test_sync_group_of_one.py",
        (frozenset({"WriteNumber"}),),
        (FAULTY, r" is (BACKUP|MASTER) of .*, and what it tracks has failed"),
        config=r"(?s)track_file \S+ \{[^}]*weight 1\s.*group \{\s+\S+\s+\}",
        present="<2.2.3",
    ),
    *_shown(
        # A member of a sync group, like an owner, does not heed its script without a weight.
        "scenarios/regressions/test_sync_group_script.py",
        (_SCRIPTS | {"StopProgram"},),
        *_UNHEEDED,
        config=rf"(?s)vrrp_script \S+ \{{[^}}]*weight 0\s.*({_TOGETHER}|priority 255)",
        present=">=2.1,<2.2",
    ),
    *_shown(
        # Nor its file, which has none where the configuration gives it the default one.
        "scenarios/regressions/test_sync_group_script.py",
        (frozenset({"WriteNumber"}),),
        *_UNHEEDED,
        config=rf"(?s)track_file \S+ \{{[^}}]*weight [01]\s.*({_TOGETHER}|priority 255)",
        present=">=2.1,<2.2.2",
    ),
    *_shown(
        # A deleted VIP makes a group a backup, and its state is set without a word; a reload then
        # takes it for master all the while.
        "scenarios/regressions/test_group_of_a_deleted_vip.py",
        (frozenset({"DeleteVip"}), _RELOADS),
        (TOLD, r"^all instances of .* are master, and nobody is told"),
        config=r"vrrp_sync_group",
    ),
    *_shown(
        # A reload sets a group of address owners to master while they are backups, and nothing is
        # told when they become master.
        "scenarios/regressions/test_group_of_owners.py",
        (frozenset({"Reload"}),),
        (TOLD, r"^all instances of .* are master, and nobody is told"),
        config=_OWNERS,
    ),
    *_shown(
        # So does their start: where a new cluster does not settle, and after a restart.
        "scenarios/regressions/test_group_of_owners.py",
        (),
        (TOLD, r"^all instances of .* are master from their start on, and nobody is told"),
        config=_OWNERS,
    ),
    *_shown(
        "scenarios/regressions/test_reload_before_restart.py",
        (_CRASHES, _RELOADS),
        (ONCE, r" starts a second "),
    ),
    *_shown(
        # A check without a route closes descriptor 0, and after a reload that leads to IPVS. That
        # the reload comes after the loss is not looked at.
        "scenarios/regressions/test_check_without_a_route.py",
        (_ROUTELESS, frozenset({"Reload", "Reconfigure"})),
        (AT_REST, r"^(?!at first).*'s table of .* has .* instead of "),
        (AS_BEFORE, r" /proc/net/netlink: '16 00000000' became nothing"),
        config="DNS_CHECK|SMTP_CHECK",
        present="<2.2.3",
    ),
    *_shown(
        # What a checker that starts anew finds in the table keeps its weight.
        "scenarios/regressions/test_weight_after_a_kill.py",
        (_STARTS, frozenset({"Reconfigure"})),
        (TABLES, r" with weight \d+, which is well"),
        (AT_REST, r"'s table of .* has .* instead of "),
    ),
    *_shown(
        # And takes for well, with its weight, what it was told to leave there with weight 0.
        "scenarios/regressions/test_weight_after_a_kill.py",
        (_STARTS,),
        (TABLES, r" lacks .* with weight \d+, which is well"),
        (RESTORED, r" had .* with weight \d+, and has with weight 0"),
        (AT_REST, r"'s table of .* has .*: 0.* instead of "),
        config="inhibit_on_failure",
    ),
    *_shown(
        # The checker dies of an entry that a reload adds to a group.
        "scenarios/regressions/test_group_entry_added.py",
        (frozenset({"Reconfigure"}),),
        (LIVE, r"^a child of keepalived .* exited due to segmentation fault"),
        config="virtual_server_group",
        present=">2.2.7",
        edit=r" in virtual_server_group ",
    ),
    *_shown(
        # The checker dies of the removal of a sorry server that serves.
        "scenarios/regressions/test_sorry_server_removed.py",
        (frozenset({"Reconfigure"}),),
        (LIVE, r"^a child of keepalived .* exited due to segmentation fault"),
        config="sorry_server",
        present="==2.3.3",
        edit=r"^no (sorry_server|virtual_server) ",
    ),
    *_shown(
        # Who is well does not serve once the sorry server is out of the configuration.
        "scenarios/regressions/test_sorry_server_removed.py",
        (frozenset({"Reconfigure"}),),
        (EDITED, r" lacks .* with weight \d+"),
        config="sorry_server",
        present="<2.3",
        edit=r"^no sorry_server ",
    ),
    *_shown(
        # A sorry server stays when its inhibition is taken back.
        "scenarios/regressions/test_sorry_server_inhibited.py",
        (frozenset({"Reconfigure"}),),
        (TABLES, r" still has its sorry server .*, and there is a quorum"),
        (RESTORED, r" had .* not, and has with weight 0"),
        (AT_REST, r"'s table of .* has .*: 0.* instead of "),
        config="sorry_server",
        present="<2.3",
        edit=r"^sorry_server_inhibit ",
    ),
    *_shown(
        # A reload that takes out a check that has failed computes the quorum in the middle.
        "scenarios/regressions/test_check_removed.py",
        (frozenset({"Reconfigure"}),),
        (TABLES, r" still has its sorry server .*, and there is a quorum"),
        (TABLES, r" lacks .* with weight \d+, which is well"),
        (RESTORED, r" had .* not, and has with weight [1-9]"),
        (RESTORED, r" had .* with weight \d+, and has (not|with weight 0)"),
        (AT_REST, r"^(?!at first).*'s table of .* has \{.*'(\S+)': [1-9].* instead of (?!.*'\1')"),
        config="sorry_server",
        edit=r"^no [A-Z_]+ in real_server ",
    ),
    *_shown(
        # A VIP that names the parent of its VMAC stays on the parent.
        "scenarios/regressions/test_vmac_address.py",
        (),
        (HELD, r" is MASTER of .*, and does not hold "),
        (AT_REST, r"^at first .* is held by nobody, and should be"),
        config="use_vmac",
        present="<2.2",
    ),
    *_shown(
        # A sync group stays in fault whose link was lost while a VMAC was made. That the loss comes
        # as keepalived starts is not looked at.
        "scenarios/regressions/test_link_lost_at_the_start.py",
        (_MADE, _LINKLESS),
        *_STUCK,
        config=r"(?s)vrrp_sync_group.*use_vmac",
    ),
    *_shown(
        # So does an instance, whose own faults are not cleared either.
        "scenarios/regressions/test_link_lost_at_the_start.py",
        (_MADE, _LINKLESS),
        *_STUCK,
        config="use_vmac",
        present="<2.2",
    ),
    *_shown(
        # Whoever is killed as it has just created its VMAC finds that down, and is in fault for
        # ever. A restart takes more than a second, and what is to be done meanwhile comes after it.
        "scenarios/regressions/test_vmac_found_down.py",
        (_KILLS, _MADE),
        *_STUCK,
        (RESTORED, r" was held by .*, and is held by (?!nobody)"),
        config="use_vmac",
        within=2.0,
    ),
    *_shown(
        # The VRRP process dies of a route from a VIP that goes with the VMAC.
        "scenarios/regressions/test_vmac_removed.py",
        (frozenset({"Reconfigure"}),),
        (LIVE, r"^a child of keepalived .* exited due to segmentation fault"),
        config=r"(?s)use_vmac.*unicast_peer.* src ",
        present=">=2.2",
        edit=r"^no use_vmac ",
    ),
    *_shown(
        # A checker that starts anew takes the sorry server for absent.
        "scenarios/regressions/test_sorry_server_after_a_kill.py",
        (_STARTS,),
        (TABLES, r" still has its sorry server .*, and there is a quorum"),
        (AT_REST, r"'s table of .* has \{'[^']+': \d+, (.+)\} instead of \{\1\}"),
        config="sorry_server",
    ),
    *_shown(
        # A backup whose priority changes between a resignation and its takeover.
        "scenarios/regressions/test_priority_after_a_resignation.py",
        (_CLAIMS,),
        (TAKES, r", while its priority may have changed"),
    ),
    *_shown(
        "scenarios/regressions/test_tcp_check_retries.py",
        (),
        (CHECKED, r", though it is out of the table"),
        config="TCP_CHECK",
        present="<2.3.3",
    ),
    *_shown(
        # While a real server acknowledges nothing, the end of a check keeps the checker from all
        # else. A connection may be left over from a sequence before, so it takes no deed.
        "scenarios/test_health_silence.py",
        (),
        (LATE, r"timer expired [0-5]\."),
        present="<2.3.2",
    ),
    *_shown(
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
    *_shown(
        # The same where a weight counts while the script is well: whatever is done.
        "scenarios/regressions/test_script_below_a_link.py",
        (),
        (TRUE, r" advertises .* with priority \d+, and should"),
        (TAKES, r""),
        config=r'script "/bin/[^}]*weight [1-9]',
        present=">2.2.7",
    ),
)


def known_to(texts: Collection[str], versions: Collection[Version]) -> list[Known]:
    """The known defects that directors with these configurations and versions of keepalived can
    have.
    """
    return [each for each in KNOWN if each.possible(texts, versions)]


def known(violation: Violation, steps: Steps, defects: Sequence[Known] = KNOWN) -> str | None:
    """The reference of the known defect that a violation is; None if it is none."""
    return next((each.reference for each in defects if each.fits(violation, steps)), None)
