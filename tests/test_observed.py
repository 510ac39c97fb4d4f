"""What invariants read of a sequence."""

from __future__ import annotations

from dataclasses import replace

from harness.events import Power
from harness.search.observed import Observed, once
from tests.story import Story


def test_what_several_invariants_ask_is_worked_out_once_for_each_sequence() -> None:
    asked: list[tuple[float, str]] = []

    @once
    def twice(observed: Observed, name: str) -> list[str]:
        asked.append((observed.ended, name))
        return [name, name]

    observed = Story(5.0).observed()
    twice(observed, "a").remove("a")
    assert [twice(observed, each) for each in ("a", "b")] == [["a", "a"], ["b", "b"]]
    assert asked == [(5.0, "a"), (5.0, "b")]
    twice(replace(observed, ended=6.0), "a")
    assert asked[2:] == [(6.0, "a")]


def test_who_asks_for_events_may_change_the_list() -> None:
    observed = Story(5.0).observed()
    for asked in (observed.of, observed.held):
        before = len(asked(Power))
        asked(Power).append(Power(1.0, "web1", action="off"))
        assert len(asked(Power)) == before
