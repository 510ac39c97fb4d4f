"""Known defects of checks and of the tables that they lead to."""

from __future__ import annotations

from typing import Final

from harness.search.invariants.balance import TABLES
from harness.search.invariants.checking import CHECKED
from harness.search.invariants.daemons import LATE
from harness.search.invariants.editing import EDITED
from harness.search.invariants.rest import RESTORED
from harness.search.invariants.telling import RELOADS
from harness.search.judging import AS_BEFORE, AT_REST
from harness.search.known.defect import DIES, EDITS, READS, STARTS, Known, shown

_ROUTELESS: Final = frozenset({"LoseAddress", "SetDown"})
"""After what the network is unreachable."""
_WAITED_FOR: Final = (
    (TABLES, r" still has .*, whose checks have failed| lacks its sorry server "),
    (CHECKED, r" has not checked "),
)
"""How it shows that a checker waits too long for an answer."""
_WITHOUT_WEIGHT: Final = (
    (TABLES, r" lacks .* with weight [1-9]\d*, which is well"),
    (RESTORED, r" had .* with weight [1-9]\d*, and has with weight 0"),
    (AT_REST, r"^(?!at first).*'s table of .* has \{.*'(\S+)': 0[,}].* instead of .*'\1': [1-9]"),
)
"""How it shows that a real server which is well again is left without its weight."""
_SORRY_STAYS: Final = (
    (TABLES, r" still has its sorry server .*, and there is a quorum"),
    (RESTORED, r" had .* not, and has with weight [1-9]"),
    (AT_REST, r"^(?!at first).*'s table of .* has \{.*'(\S+)': [1-9].* instead of (?!.*'\1')"),
)
"""How it shows that a sorry server serves on beside real servers."""


DEFECTS: tuple[Known, ...] = (
    *shown(
        # Each read of an answer has the whole of connect_timeout.
        "scenarios/regressions/test_slow_http_answer.py",
        (frozenset({"SlowPage"}),),
        *_WAITED_FOR,
        config="HTTP_GET",
    ),
    *shown(
        # An answer by TLS that comes as its time is up is waited for without end.
        "scenarios/regressions/test_tls_answer_past_its_time.py",
        (frozenset({"SlowPage"}),),
        *_WAITED_FOR,
        config="SSL_GET",
    ),
    *shown(
        # A group's virtual server stays that is taken out, where all is flushed at the end.
        "scenarios/regressions/test_flushed_group_removed.py",
        (EDITS,),
        (EDITED, r"^\S+ has read: no \w+_server .*, and still has "),
        config=r"(?s)lvs_flush_on_stop\s.*virtual_server group ",
        present=">=2.2",
        edit=r"^no (virtual_server|real_server) ",
    ),
    *shown(
        # An entry taken out of a virtual server group stays, without real servers.
        "scenarios/regressions/test_group_entry_removed.py",
        (EDITS,),
        (
            EDITED,
            r"^\S+ has read: no [0-9a-fA-F.:]+ \d+ in virtual_server_group .*, and still has ",
        ),
        config="virtual_server_group",
        present="<=2.2.7",
    ),
    *shown(
        # If a sorry server served then, that is what is left, and serves on once the entry is back.
        "scenarios/regressions/test_group_entry_removed.py",
        (EDITS,),
        *_SORRY_STAYS,
        config=r"(?s)virtual_server_group.*sorry_server",
        present="<=2.2.7",
        edit=r"^no [0-9a-fA-F.:]+ \d+ in virtual_server_group ",
    ),
    *shown(
        # A group's real server stays that is taken out while it is inhibited, and has weight 0 once
        # it is back. That it has failed before is not looked at.
        "scenarios/regressions/test_inhibited_server_removed.py",
        (EDITS,),
        (
            EDITED,
            r"^\S+ has read: no real_server (\S+) \d+ in .*, and \S+ .* still has \[?\1\]?:\d+$",
        ),
        *_WITHOUT_WEIGHT,
        config=r"(?s)(?=.*inhibit_on_failure).*virtual_server group ",
        edit=r"^no real_server \S+ \d+ in virtual_server group ",
    ),
    *shown(
        # And so it does where the inhibition is taken out.
        "scenarios/regressions/test_inhibited_server_removed.py",
        (EDITS,),
        *_WITHOUT_WEIGHT,
        config="virtual_server group ",
        present="<2.3",
        edit=r"^inhibit_on_failure in real_server .*, virtual_server group ",
    ),
    *shown(
        # A reload takes the weight off that a script left alone; the quorum goes with it.
        "scenarios/regressions/test_dynamic_weight_after_a_reload.py",
        (READS,),
        (TABLES, r" lacks .*, which is well| still has its sorry server "),
        (EDITED, r" lacks .* with weight \d+"),
        (RELOADS, r" and then: destination "),
        (RESTORED, r" had .* with weight \d+, and has |there changes destination "),
        (AT_REST, r"'s table of .* has "),
        config="misc_dynamic",
        present=">=2.2",
    ),
    *shown(
        # With the quorum's loss comes the sorry server.
        "scenarios/regressions/test_dynamic_weight_after_a_reload.py",
        (READS,),
        (RESTORED, r" had .* not, and has with weight \d+"),
        config=r"(?s)(?=.*sorry_server).*misc_dynamic",
        present=">=2.2",
    ),
    *shown(
        "scenarios/regressions/test_weight_zero.py",
        (),
        (TABLES, r" lacks .* with weight 0, which is well"),
        (EDITED, r" lacks .* with weight 0"),
        (AT_REST, r"'s table of .* instead of \{.*: 0[,}]"),
        present="<2.2",
    ),
    *shown(
        # A check without a route closes descriptor 0, and after a reload that leads to IPVS. That
        # the reload comes after the loss is not looked at.
        "scenarios/regressions/test_check_without_a_route.py",
        (_ROUTELESS, READS),
        (AT_REST, r"^(?!at first).*'s table of .* has .* instead of "),
        (AS_BEFORE, r" /proc/net/netlink: '16 00000000' became nothing"),
        config="DNS_CHECK|SMTP_CHECK",
        present="<2.2.3",
    ),
    *shown(
        # What a checker that starts anew finds in the table keeps its weight.
        "scenarios/regressions/test_weight_after_a_kill.py",
        (STARTS, EDITS),
        (TABLES, r" with weight \d+, which is well"),
        (AT_REST, r"'s table of .* has .* instead of "),
    ),
    *shown(
        # And takes for well, with its weight, what it was told to leave there with weight 0.
        "scenarios/regressions/test_weight_after_a_kill.py",
        (STARTS,),
        (TABLES, r" lacks .* with weight \d+, which is well"),
        (RESTORED, r" had .* with weight \d+, and has with weight 0"),
        (AT_REST, r"'s table of .* has .*: 0.* instead of "),
        config="inhibit_on_failure",
    ),
    *shown(
        # With alpha it takes nobody out whom it finds there, and who fails its first check.
        "scenarios/regressions/test_alpha_after_a_kill.py",
        (STARTS,),
        (TABLES, r" still has .*, whose checks have failed$"),
        (EDITED, r" has .*, whose checks have failed$"),
        config=r"(?m)^\s*alpha$",
    ),
    *shown(
        # The checker dies of an entry that a reload adds to a group.
        "scenarios/regressions/test_group_entry_added.py",
        (EDITS,),
        DIES,
        config="virtual_server_group",
        present=">2.2.7",
        edit=r" in virtual_server_group ",
    ),
    *shown(
        # The checker dies of the removal of a sorry server that serves.
        "scenarios/regressions/test_sorry_server_removed.py",
        (EDITS,),
        DIES,
        config="sorry_server",
        present="==2.3.3",
        edit=r"^no (sorry_server|virtual_server) ",
    ),
    *shown(
        # Who is well does not serve once the sorry server is out of the configuration.
        "scenarios/regressions/test_sorry_server_removed.py",
        (EDITS,),
        (EDITED, r" lacks .* with weight \d+"),
        config="sorry_server",
        present="<2.3",
        edit=r"^no sorry_server ",
    ),
    *shown(
        # A sorry server stays when its inhibition is taken back.
        "scenarios/regressions/test_sorry_server_inhibited.py",
        (EDITS,),
        (TABLES, r" still has its sorry server .*, and there is a quorum"),
        (RESTORED, r" had .* not, and has with weight 0"),
        (AT_REST, r"'s table of .* has .*: 0.* instead of "),
        config="sorry_server",
        present="<2.3",
        edit=r"^sorry_server_inhibit ",
    ),
    *shown(
        # A reload that takes out a check that has failed, or alpha before the first check, computes
        # the quorum in the middle.
        "scenarios/regressions/test_check_removed.py",
        (EDITS,),
        *_SORRY_STAYS,
        (TABLES, r" lacks .* with weight \d+, which is well"),
        (RESTORED, r" had .* with weight \d+, and has (not|with weight 0)"),
        config="sorry_server",
        edit=r"^no ([A-Z_]+ in real_server|alpha in virtual_server) ",
    ),
    *shown(
        # A checker that starts anew takes the sorry server for absent.
        "scenarios/regressions/test_sorry_server_after_a_kill.py",
        (STARTS,),
        (TABLES, r" still has its sorry server .*, and there is a quorum"),
        (RESTORED, r" had .* not, and has with weight [1-9]"),
        (AT_REST, r"'s table of .* has \{'[^']+': \d+, (.+)\} instead of \{\1\}"),
        config="sorry_server",
    ),
    *shown(
        "scenarios/regressions/test_tcp_check_retries.py",
        (),
        (CHECKED, r", though it is out of the table"),
        config="TCP_CHECK",
        present="<2.3.3",
    ),
    *shown(
        # While a real server acknowledges nothing, the end of a check keeps the checker from all
        # else. A connection may be left over from a sequence before, so it takes no deed.
        "scenarios/test_health_silence.py",
        (),
        (LATE, r"timer expired [0-5]\."),
        present="<2.3.2",
    ),
)
