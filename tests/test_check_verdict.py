"""The verdict: findings first with what follows from them, then what breaks, what works, notes,
what was not tried.
"""

from __future__ import annotations

from harness.check.finding import Finding
from harness.check.verdict import (
    BREAKS,
    DOES_NOT_APPLY,
    NOT_EMULATED,
    WORKS,
    Outcome,
    is_wrong,
    report,
)

OUTCOMES = [
    Outcome(
        BREAKS,
        "The VIP moves.",
        "192.0.2.80: 7.0 s, due 3.6 s",
        "artifacts/run/test_moves",
        "test_election",
    ),
    Outcome(DOES_NOT_APPLY, "A page is answered.", "no service"),
    Outcome(WORKS, "keepalived runs."),
    Outcome(DOES_NOT_APPLY, "A server is spared.", "no service"),
]
DIFFER = Finding(
    "vips-differ", "VRID 60 has the VIP 192.0.2.88 on lb2 only: lb1 lacks it", "lb2.conf:12"
)
NOTE = Finding("keepalived-ignored", "keepalived does not know nat_mask", "a:1, a:2, a:3, a:4")


def test_what_breaks_comes_first_with_its_reason_and_evidence() -> None:
    assert list(report(OUTCOMES)) == [
        "BREAKS          The VIP moves.",
        "                because: 192.0.2.80: 7.0 s, due 3.6 s",
        "                evidence: artifacts/run/test_moves",
        "works           keepalived runs.",
        "does not apply  no service:",
        "                - A page is answered.",
        "                - A server is spared.",
        "in short: 1 BREAKS, 1 works, 2 does not apply",
    ]


def test_what_breaks_because_of_a_finding_stands_below_it() -> None:
    assert list(report(OUTCOMES[:3], [DIFFER])) == [
        "finding         vips-differ: VRID 60 has the VIP 192.0.2.88 on lb2 only: lb1 lacks it"
        " (lb2.conf:12)",
        "                cure: Give the instance the same virtual_ipaddress on all directors.",
        "                so this does not work: The VIP moves"
        " (seen: 192.0.2.80: 7.0 s, due 3.6 s; evidence: artifacts/run/test_moves)",
        "works           keepalived runs.",
        "does not apply  no service:",
        "                - A page is answered.",
        "in short: 1 finding, 1 BREAKS, 1 works, 1 does not apply",
    ]


def test_a_note_comes_after_what_works_with_two_of_its_places() -> None:
    assert list(report(OUTCOMES[2:3], [NOTE])) == [
        "works           keepalived runs.",
        "note            keepalived-ignored: keepalived does not know nat_mask (a:1, a:2, 2 more)",
        "                cure: Remove the word, or write the one that is used today.",
        "in short: 1 note, 1 works",
    ]


def test_a_silenced_finding_is_told_with_its_reason_and_counts_for_nothing() -> None:
    silent = {"vips-differ": "being moved this week"}
    assert list(report(OUTCOMES[2:3], [DIFFER], silent)) == [
        "works           keepalived runs.",
        "silenced        vips-differ: being moved this week",
        "in short: 1 works",
    ]
    assert is_wrong([DIFFER, NOTE], {})
    assert not is_wrong([DIFFER, NOTE], silent)
    assert not is_wrong([NOTE], {})


def test_what_is_not_emulated_is_told_and_counted() -> None:
    assert list(report([OUTCOMES[2], Outcome(NOT_EMULATED, "service a: IPv6")])) == [
        "works           keepalived runs.",
        "not emulated    service a: IPv6",
        "in short: 1 works, 1 not emulated",
    ]
