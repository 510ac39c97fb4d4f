"""What is said of a known defect, so that a search knows it where it meets it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Final

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from harness.search.drafts import Steps
from harness.search.invariants.daemons import LIVE
from harness.search.invariants.states import FAULTY
from harness.search.judging import AT_REST
from harness.search.observed import Violation

CRASHES: Final = frozenset({"CrashVrrp", "CrashCheckers"})
STARTS: Final = CRASHES | {"KillKeepalived"}
RELOAD: Final = frozenset({"Reload"})
EDITS: Final = frozenset({"Reconfigure"})
READS: Final = RELOAD | EDITS
"""After what keepalived has read its configuration again."""
SIGNALS: Final = READS | {"Dump"}
"""What makes keepalived do something without an end of its own."""
SCRIPTS: Final = frozenset({"Maintenance", "FailCheck", "HangCheck"})
"""By what a tracked script fails."""
FORGOTTEN: Final = frozenset({"SetDown"})
"""After what the kernel has forgotten a machine's IPv6 addresses."""
LINK_WEIGHT: Final = r"track_interface \{[^}]*weight -?[1-9]"
"""An instance that tracks an interface by weight."""
KILLS: Final = frozenset({"CrashVrrp", "KillKeepalived"})
"""By what the VRRP process dies."""
MADE: Final = frozenset({"Restart", "PowerOff", "StopKeepalived"})
"""After what keepalived makes its VMACs."""
READS_ANEW: Final = READS | KILLS | {"Restart", "StopKeepalived"}
"""After what it has read it while the machine has gone on, be that in a new process."""
DIES: Final = (LIVE, r"^a child of keepalived .* exited due to segmentation fault")
"""How it shows that one of its processes dies of itself."""
STUCK: Final = (
    (FAULTY, r" is FAULT of .*, and all that it tracks is well$"),
    (AT_REST, r"^(?!at first).* is held by .*, and should be by "),
)
"""How it shows that an instance stays in fault."""


@dataclass(frozen=True)
class Known:
    """``reference`` is the regression file that has it, or its issue; ``text`` a regular expression
    over what a violation of ``invariant`` says. It takes a deed of each kind in ``deeds`` to meet
    it, all of them to one node; one of several where they are in one set; and each begins or ends
    within ``within`` seconds of the others' beginning or end. Of edits those count in whose name
    ``edit``, a regular expression, is found. It takes what ``config``, another one, finds in a
    keepalived.conf, and a version in which it is ``present``.
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
        if not self.deeds and not self.edit:
            return True
        done: dict[str, list[tuple[float, str]]] = {}
        now = 0.0
        for each in steps:
            now += each.after
            edit = str(dict(each.deed.parameters).get("edit", ""))
            if each.deed.name in EDITS and not re.search(self.edit, edit):
                continue
            times = done.setdefault(each.deed.node, [])
            times += [(now, each.deed.name), (now + each.lasts, each.deed.name)]
        return any(self._met(times) for times in done.values())

    def _met(self, done: list[tuple[float, str]]) -> bool:
        """Whether what was done to one node, and when, has a deed of each kind close together."""
        deeds = self.deeds or (EDITS,)
        kinds = [[at for at, name in done if name in names] for names in deeds]
        return any(max(times) - min(times) <= self.within for times in product(*kinds))


def shown(
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
