"""All invariants together: they are silent where all is well, none is without a mistake of which
it speaks, and their page is up to date.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.search import invariants
from harness.search.invariants import INVARIANTS, judge
from harness.search.invariants.__main__ import page
from harness.search.invariants.telling import TOLD
from harness.search.observed import Observed, Violation
from tests.mistakes_of_directors import MISTAKES as OF_DIRECTORS
from tests.mistakes_of_servers import MISTAKES as OF_SERVERS
from tests.mistakes_of_sharing import MISTAKES as OF_SHARING
from tests.stories import (
    TAKEN,
    edited,
    group_started,
    group_told,
    inhibited,
    maintenance,
    names,
    out_of_the_table,
    patient,
    quorum_told,
    removed_server,
    scripted,
    sorry,
    told,
)
from tests.story import DOWN, Story, failover, quiet

WELL: list[Callable[[], Story]] = [
    lambda: (
        quiet()
        .act("CrashVrrp", "director2", 5.0, 5.0)
        .log("director2", 5.0, "Starting VRRP child process, pid=8")
        .log("director2", 6.0, "VRRP child process(8) died: Respawning")
        .log("director2", 6.0, "Starting VRRP child process, pid=9")
    ),
    quiet,
    failover,
    removed_server,
    maintenance,
    lambda: patient(12.5, TAKEN + 3 + DOWN["director1"]),
    lambda: out_of_the_table(9, 11, 13, 15, 17, 19),
    lambda: inhibited(0),
    lambda: sorry(7.0, 23.0),
    lambda: quiet().act("PowerOff", "web1", 5.0, 6.0).request(8.0, None, status=0),
    lambda: told("BACKUP", "MASTER"),
    lambda: group_told("MASTER"),
    lambda: scripted("MASTER"),
    lambda: quorum_told("down", "up"),
    lambda: (
        edited("no real_server 172.16.10.21")
        .pool("director1", 5.0, "removed")
        .pool("director1", 18.0, "added")
    ),
    lambda: quiet().act("Reload", "director1", 5.0, 5.0).log("director1", 5.0, "Reloading"),
]
MISTAKES = [*OF_DIRECTORS, *OF_SERVERS, *OF_SHARING]


@pytest.mark.parametrize("story", WELL)
def test_no_invariant_complains_where_all_is_well(story: Callable[[], Story]) -> None:
    assert judge(story().observed()) == []


@pytest.mark.parametrize(
    ("invariant", "story"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_the_invariant_speaks_of_the_mistake(invariant: str, story: Callable[[], Story]) -> None:
    assert invariant in names(story())


def test_a_group_that_was_never_backup_is_told_apart_from_one_that_was() -> None:
    """Known defects hide one of them only."""

    def of_groups(story: Story) -> list[str]:
        return [each.text for each in judge(story.observed()) if each.invariant == TOLD]

    assert of_groups(group_started("MASTER")) == []
    assert [" from their start on, " in each for each in of_groups(group_started())] == [True]
    assert [" from their start on, " in each for each in of_groups(group_told())] == [False]


def test_every_invariant_has_a_mistake_and_a_source() -> None:
    assert {row[1] for row in MISTAKES} == set(INVARIANTS)
    for name, function in INVARIANTS.items():
        assert function.__doc__, name
        assert any(
            word in function.__doc__ for word in ("RFC", "keepalived", "Kernel", "timers")
        ), name


def test_the_page_of_invariants_is_up_to_date() -> None:
    written = (Path(__file__).parent.parent / "docs/invariants.md").read_text("utf-8")
    assert page() == written, "out of date: make docs"


def test_an_invariant_that_raises_is_unknown_and_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(observed: Observed) -> list[Violation]:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setitem(INVARIANTS, "broken", broken)
    (violation,) = judge(quiet().observed())
    assert (violation.invariant, violation.kind) == ("broken", invariants.UNKNOWN)
    assert "ZeroDivisionError" in violation.text
