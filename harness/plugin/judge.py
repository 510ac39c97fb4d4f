"""How a phase of a scenario ended: the one place where that is decided. It is pure.

A starved machine is late, so what it measured may be wrong, whichever way it went. That concerns
times alone: a wait that ran out, and a time that was compared with its window (``cluster.within``,
``cluster.on_time``). Any other assertion counts as it is.

Under a control, or where a bug of keepalived is declared, a scenario must fail, and at a statement
that is named. What a starved machine measured shows neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from packaging.specifiers import SpecifierSet
from packaging.version import Version

if TYPE_CHECKING:
    import pytest

WHAT_FAILED: Final = "what failed"
"""The title of a report's section that keeps the failure of what counts as none."""

_WHAT_TO_DO: Final = (
    "run it again on a less busy machine, or in virtual time, which nothing can"
    " starve (make kernel)"
)


class Outcome(StrEnum):
    """What a scenario, or a phase of it, came to. Each is written so in scenario.json."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    INCONCLUSIVE = "inconclusive"
    BUG_SHOWN = "bug-shown"
    CAUGHT = "caught"
    MISSED = "missed"


OWN: Final = frozenset((Outcome.INCONCLUSIVE, Outcome.BUG_SHOWN, Outcome.CAUGHT))
"""Those that are unknown to pytest: a report has a property of that name."""


def outcome_of(report: pytest.TestReport) -> Outcome:
    """What a phase came to, from its report, also in the controller of workers."""
    for name, _ in report.user_properties:
        if name in OWN:
            return Outcome(name)
    if report.failed and report.when != "call":
        return Outcome.ERROR
    return Outcome(report.outcome)


@dataclass(frozen=True)
class Bug:
    """A bug of keepalived that is declared.

    ``reference`` is the commit that mends it, or its issue; ``present`` says in which versions it
    is, ``caught`` by their labels at which statements the scenario fails there.
    """

    reference: str
    what: str
    present: SpecifierSet
    caught: tuple[str, ...]

    @property
    def declared(self) -> str:
        """What is declared, in words."""
        versions = str(self.present) or "all versions"
        return f"{self.reference} ({self.what}) is declared for {versions}"


@dataclass(frozen=True)
class Planted:
    """A control that is planted: its name, and the labels of the statements at one of which the
    scenario must fail under it.
    """

    name: str
    caught: tuple[str, ...]


def either(labels: Iterable[str]) -> str:
    """Labels in a sentence: ``'takes over' or 'in its window'``."""
    return " or ".join(repr(label) for label in labels)


@dataclass(frozen=True)
class Facts:
    """What is known of a phase (``setup``, ``call``, ``teardown``) when it has ended.

    ``ended`` is what pytest says of it: ``passed``, ``failed`` or ``skipped``.

    ``stall`` is for how many seconds the machine was starved at most, of which ``slack`` does no
    harm. ``compared``: a time was compared with its window. ``late``: that, or a wait that ran out,
    is what failed. ``kept_from_running``: the cluster did not come about, because of the stall.

    ``failed_at`` is the label of the statement that failed, if it is one of those that the control
    or the bug names. ``version`` is the keepalived that the directors run, and ``speaker`` what
    speaks VRRP there.
    """

    phase: str
    ended: str
    stall: float = 0.0
    slack: float = 0.0
    compared: bool = False
    late: bool = False
    kept_from_running: bool = False
    control: Planted | None = None
    bug: Bug | None = None
    version: Version | None = None
    speaker: str = "keepalived"
    failed_at: str | None = None


@dataclass(frozen=True)
class Verdict:
    """``why`` is the message of what is no plain failure or pass, ``note`` is added to a
    failure.
    """

    outcome: Outcome
    why: str = ""
    note: str = ""


def judge(facts: Facts) -> Verdict:
    """What a phase came to."""
    if facts.ended == "skipped":
        return Verdict(Outcome.SKIPPED)
    if _measured_too_late(facts):
        return Verdict(Outcome.INCONCLUSIVE, _starved(facts.stall))
    if facts.control is not None:
        return _under_control(facts, facts.control)
    if facts.bug is not None and facts.phase == "call":
        return _with_bug(facts, facts.bug)
    return Verdict(_plain(facts), note=_counts_all_the_same(facts))


def _measured_too_late(facts: Facts) -> bool:
    """Whether it would have come out otherwise on a machine that is not starved, for all we
    know.
    """
    if facts.ended == "failed":
        return facts.kept_from_running or (facts.stall > 0 and facts.late)
    return facts.phase == "call" and facts.compared and facts.stall > facts.slack


def _under_control(facts: Facts, control: Planted) -> Verdict:
    if facts.phase != "call":
        return Verdict(_plain(facts))
    if facts.ended == "failed" and facts.failed_at is not None:
        return Verdict(Outcome.CAUGHT)
    if facts.ended == "passed":
        return Verdict(
            Outcome.MISSED,
            f"it passes in spite of: {control.name}. A check that cannot fail is no check.",
        )
    return Verdict(_plain(facts), note=_counts_all_the_same(facts))


def _with_bug(facts: Facts, bug: Bug) -> Verdict:
    present = facts.version is not None and facts.version in bug.present
    if facts.ended == "passed":
        if not present:
            return Verdict(Outcome.PASSED)
        missing = f"{bug.declared}, and is missing in {_whose(facts)}"
        return Verdict(Outcome.FAILED, f"{missing}: correct present= or the scenario")
    if not present:
        note = f"{bug.declared}, and seems to be in {_whose(facts)} too"
        return Verdict(Outcome.FAILED, note=note)
    if facts.failed_at is None:
        note = f"{bug.declared}, but what failed is not {either(bug.caught)}"
        return Verdict(Outcome.FAILED, note=note)
    shown = f"bug shown in {_whose(facts)}: {bug.what} ({bug.reference})"
    return Verdict(Outcome.BUG_SHOWN, shown)


def _whose(facts: Facts) -> str:
    """What has the bug: a version of keepalived, or what speaks VRRP in its place."""
    return (
        str(facts.version) if facts.speaker == "keepalived" else f"{facts.speaker.upper()}'s vrrpd"
    )


def _plain(facts: Facts) -> Outcome:
    if facts.ended == "passed":
        return Outcome.PASSED
    return Outcome.FAILED if facts.phase == "call" else Outcome.ERROR


def _counts_all_the_same(facts: Facts) -> str:
    if facts.ended != "failed" or facts.phase != "call" or not facts.stall:
        return ""
    return (
        f"The machine was starved for up to {facts.stall:.2f} s. What failed is not judged by time,"
        " so it counts all the same."
    )


def _starved(stall: float) -> str:
    return (
        f"inconclusive: the machine was starved for up to {stall:.2f} s while times were measured,"
        f" so they say little about the cluster: {_WHAT_TO_DO}"
    )
