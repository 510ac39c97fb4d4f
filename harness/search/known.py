"""Defects that are known: how each shows in a search, so that it is counted and hides no other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.search.observed import Violation


@dataclass(frozen=True)
class Known:
    """``reference`` is the regression file that has it, or its issue; ``text`` a regular expression
    over what a violation of ``invariant`` says.
    """

    reference: str
    invariant: str
    text: str

    def fits(self, violation: Violation) -> bool:
        """Whether a violation is this defect."""
        return (
            violation.invariant == self.invariant
            and re.search(self.text, violation.text) is not None
        )


KNOWN: tuple[Known, ...] = (
    # It closes a check's connection to a machine that acknowledges nothing, and does nothing else
    # for so long: harness/keepalived/timers/checking.py, LINGER.
    Known(
        "close with SO_LINGER",
        "nothing alarming is logged",
        r"timer expired [0-5]\.\d+ seconds ago",
    ),
)


def known(violation: Violation, defects: Sequence[Known] = KNOWN) -> str | None:
    """The reference of the known defect that a violation is; None if it is none."""
    return next((each.reference for each in defects if each.fits(violation)), None)
