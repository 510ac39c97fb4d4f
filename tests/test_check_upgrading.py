"""What an upgrade changes: verdicts set beside each other. Pure."""

from __future__ import annotations

from harness.check.upgrading import columns, report, worse


def verdict(outcome: str, *findings: str) -> dict[str, object]:
    return {
        "findings": [{"level": level, "name": level, "text": "text"} for level in findings],
        "outcomes": [
            {"about": "The VIP moves.", "verdict": outcome},
            {"about": "It stays up.", "verdict": "works"},
        ],
    }


def test_what_differs_comes_first_with_what_each_says() -> None:
    verdicts = {"bookworm": verdict("works"), "trixie": verdict("BREAKS", "finding")}
    assert list(report(verdicts)) == [
        "finding finding: text",
        "    bookworm  -",
        "    trixie    finding",
        "The VIP moves.",
        "    bookworm  works",
        "    trixie    BREAKS",
        "2 differ, 1 are the same with bookworm, trixie",
    ]
    assert worse(verdicts) == ["finding finding: text", "The VIP moves."]


def test_what_becomes_better_or_is_only_noted_is_not_worse() -> None:
    assert worse({"old": verdict("BREAKS", "finding"), "new": verdict("works", "note")}) == []


def test_two_directors_are_upgraded_one_after_the_other_in_both_orders() -> None:
    assert columns("bookworm", "trixie", ["lb1", "lb2"]) == {
        "bookworm": ["director=bookworm"],
        "trixie": ["director=trixie"],
        "bookworm+trixie": ["lb1=bookworm", "lb2=trixie"],
        "trixie+bookworm": ["lb1=trixie", "lb2=bookworm"],
    }
    assert list(columns("bookworm", "trixie", ["lb1"])) == ["bookworm", "trixie"]
