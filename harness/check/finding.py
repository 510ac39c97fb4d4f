"""Findings: what is wrong with configurations, found from what keepalived has read, before anything
is tried.

Whoever finds something yields ``Finding("vips-differ", "what", "lb1.conf:12")``; what that means
and how it is cured says the :class:`harness.check.kinds.Kind` of that name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.check.kinds import FINDING, KINDS, Kind
from harness.errors import HarnessError


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: the ``name`` of its kind, a sentence, and ``where``
    (``lb1.conf:12``, or empty).

    ``cure`` replaces that of the kind where something more exact can be said.
    """

    name: str
    text: str
    where: str = ""
    cure: str = ""

    def __post_init__(self) -> None:
        if self.name not in KINDS:
            raise ValueError(f"no kind of finding is called {self.name}")

    @property
    def kind(self) -> Kind:
        """What all findings of its name have in common."""
        return KINDS[self.name]

    @property
    def remedy(self) -> str:
        """How to cure it."""
        return self.cure or self.kind.cure


def in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each once, findings before notes."""
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: finding.kind.level != FINDING))


def silenced(table: Any, origin: str) -> dict[str, str]:
    """The table ``[silence]`` of ``lvs-harness.toml``: by name of a finding the reason why it is
    not one.

    HarnessError for a name that no kind has, and for one without a reason.
    """
    if not isinstance(table, dict):
        raise HarnessError(f'{origin}: [silence] is a table: priority-same = "the reason"')
    for name, reason in table.items():
        if name not in KINDS:
            raise HarnessError(
                f"{origin}: [silence] {name}: there is no such finding; there are"
                f" {', '.join(KINDS)}"
            )
        if not isinstance(reason, str) or not reason.strip():
            raise HarnessError(f'{origin}: [silence] {name}: say why: {name} = "the reason"')
    return dict(table)
