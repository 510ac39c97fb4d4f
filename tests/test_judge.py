"""The one judge: what is known of a scenario that has ended, and what that comes to, row by row."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from harness.plugin.judge import Bug, Facts, Outcome, Planted, judge

CONTROL = Planted("weight 0", ("taken in",))
BUG = Bug("abc", "it is old", SpecifierSet("<2.3"), ("taken in", "answers"))
OLD, NEW = Version("2.2.7"), Version("2.3.4")
SLACK = 0.15

TABLE = [
    # phase, ended, what else is known -> what it came to
    ("call", "passed", {}, Outcome.PASSED),
    ("call", "failed", {}, Outcome.FAILED),
    ("call", "skipped", {}, Outcome.SKIPPED),
    ("setup", "failed", {}, Outcome.ERROR),
    ("teardown", "failed", {}, Outcome.ERROR),
    # a starved machine
    ("call", "passed", {"stall": 0.3, "compared": True}, Outcome.INCONCLUSIVE),
    ("call", "passed", {"stall": 0.3}, Outcome.PASSED),
    ("call", "passed", {"stall": 0.1, "compared": True}, Outcome.PASSED),
    ("call", "failed", {"stall": 0.1, "late": True}, Outcome.INCONCLUSIVE),
    ("call", "failed", {"late": True}, Outcome.FAILED),
    ("call", "failed", {"stall": 9.0, "compared": True}, Outcome.FAILED),
    ("setup", "failed", {"stall": 0.7, "kept_from_running": True}, Outcome.INCONCLUSIVE),
    ("setup", "passed", {"stall": 0.7, "compared": True}, Outcome.PASSED),
    ("call", "skipped", {"stall": 9.0, "compared": True}, Outcome.SKIPPED),
    # a control
    ("call", "failed", {"control": CONTROL, "failed_at": "taken in"}, Outcome.CAUGHT),
    ("setup", "failed", {"control": CONTROL, "failed_at": "taken in"}, Outcome.ERROR),
    ("call", "failed", {"control": CONTROL}, Outcome.FAILED),
    ("setup", "failed", {"control": CONTROL}, Outcome.ERROR),
    ("call", "passed", {"control": CONTROL}, Outcome.MISSED),
    ("setup", "passed", {"control": CONTROL}, Outcome.PASSED),
    ("teardown", "passed", {"control": CONTROL}, Outcome.PASSED),
    ("call", "skipped", {"control": CONTROL}, Outcome.SKIPPED),
    (
        "call",
        "failed",
        {"control": CONTROL, "failed_at": "taken in", "stall": 0.1, "late": True},
        Outcome.INCONCLUSIVE,
    ),
    ("call", "passed", {"control": CONTROL, "stall": 0.3, "compared": True}, Outcome.INCONCLUSIVE),
    # a bug that is declared
    ("call", "failed", {"bug": BUG, "version": OLD, "failed_at": "taken in"}, Outcome.BUG_SHOWN),
    ("call", "failed", {"bug": BUG, "version": OLD}, Outcome.FAILED),
    ("call", "passed", {"bug": BUG, "version": OLD}, Outcome.FAILED),
    ("call", "passed", {"bug": BUG, "version": NEW}, Outcome.PASSED),
    ("call", "failed", {"bug": BUG, "version": NEW, "failed_at": "taken in"}, Outcome.FAILED),
    ("setup", "failed", {"bug": BUG, "version": OLD, "failed_at": "taken in"}, Outcome.ERROR),
    ("call", "skipped", {"bug": BUG, "version": OLD}, Outcome.SKIPPED),
    (
        "call",
        "failed",
        {"bug": BUG, "version": OLD, "failed_at": "taken in", "stall": 0.1, "late": True},
        Outcome.INCONCLUSIVE,
    ),
    (
        "call",
        "passed",
        {"bug": BUG, "version": OLD, "stall": 0.3, "compared": True},
        Outcome.INCONCLUSIVE,
    ),
]


@pytest.mark.parametrize(("phase", "ended", "known", "outcome"), TABLE)
def test_what_a_phase_comes_to(
    phase: str, ended: str, known: dict[str, object], outcome: Outcome
) -> None:
    facts = Facts(phase, ended, slack=SLACK, **known)  # type: ignore[arg-type]
    assert judge(facts).outcome is outcome


def test_what_is_said_of_it() -> None:
    starved = judge(Facts("call", "failed", stall=0.3, late=True))
    assert starved.why.startswith("inconclusive: the machine was starved for up to 0.30 s")
    assert judge(Facts("call", "failed", stall=0.4)).note.startswith(
        "The machine was starved for up to 0.40 s."
    )
    assert "in spite of: weight 0" in judge(Facts("call", "passed", control=CONTROL)).why
    missing = judge(Facts("call", "passed", bug=BUG, version=OLD))
    assert missing.why.startswith("abc (it is old) is declared for <2.3, and is missing in 2.2.7")
    assert judge(Facts("call", "failed", bug=BUG, version=NEW)).note.endswith(
        "and seems to be in 2.3.4 too"
    )
    assert judge(Facts("call", "failed", bug=BUG, version=OLD)).note.endswith(
        "but what failed is not 'taken in' or 'answers'"
    )
    shown = judge(Facts("call", "failed", bug=BUG, version=OLD, failed_at="taken in"))
    assert shown.why == "bug shown in 2.2.7: it is old (abc)"
    frr = Facts("call", "failed", bug=BUG, version=OLD, failed_at="taken in", speaker="frr")
    assert judge(frr).why == "bug shown in FRR's vrrpd: it is old (abc)"
