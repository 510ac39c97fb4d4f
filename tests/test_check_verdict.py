"""The verdict: worst last, each break with its reason and evidence, what does not apply told once for each reason."""

from __future__ import annotations

from harness.check.verdict import BREAKS, DOES_NOT_APPLY, NOT_EMULATED, WORKS, Finding, report

FINDINGS = [
    Finding(BREAKS, "The VIP moves.", "192.0.2.80: 7.0 s, due 3.6 s", "artifacts/run/test_moves"),
    Finding(DOES_NOT_APPLY, "A page is answered.", "no service"),
    Finding(WORKS, "keepalived runs."),
    Finding(DOES_NOT_APPLY, "A server is spared.", "no service"),
]


def test_the_worst_comes_last_with_its_reason_and_evidence() -> None:
    assert list(report(FINDINGS)) == [
        "works           keepalived runs.",
        "does not apply  no service:",
        "                - A page is answered.",
        "                - A server is spared.",
        "BREAKS          The VIP moves.",
        "                because: 192.0.2.80: 7.0 s, due 3.6 s",
        "                evidence: artifacts/run/test_moves",
        "in short: 1 works, 2 does not apply, 1 BREAKS",
    ]


def test_without_breaks_what_does_not_apply_is_told_too() -> None:
    assert list(report(FINDINGS[1:3])) == [
        "works           keepalived runs.",
        "does not apply  no service:",
        "                - A page is answered.",
        "in short: 1 works, 1 does not apply",
    ]


def test_what_is_not_emulated_is_told_and_counted() -> None:
    assert list(report([FINDINGS[2], Finding(NOT_EMULATED, "service a: IPv6")])) == [
        "works           keepalived runs.",
        "not emulated    service a: IPv6",
        "in short: 1 works, 1 not emulated",
    ]
