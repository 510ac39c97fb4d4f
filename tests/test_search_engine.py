"""How a search goes on: what it draws and tries, what waits, and what it leaves of a failure."""

from __future__ import annotations

from typing import Any, cast

from harness.events import Log
from harness.lab.plan import Plan
from harness.search.engine import MOST_DUE, Search
from harness.search.kinds import possible
from harness.search.observed import Violation
from harness.search.sequence import APART, step
from harness.search.setting import setting_of_plan
from harness.search.site import Site, Steps
from harness.spec import ClusterSpec
from tests.story import SLACK
from topologies.director_pair import DirectorPair


class Drawn(Search):
    """Performs nothing, and keeps what it was to perform."""

    def __init__(self, plan: Plan, **options: Any) -> None:
        directors = setting_of_plan(plan, SLACK).directors
        texts = {name: director.config for name, director in directors.items()}
        super().__init__([], plan, possible(plan, texts), **options)
        self.performed: list[Steps] = []

    def live(self, steps: Steps, fresh: bool = False) -> list[Violation]:
        self.performed.append(steps)
        return []


class Remembering(Drawn):
    """Fails by a reload on a cluster that has lived through a crash."""

    def live(self, steps: Steps, fresh: bool = False) -> list[Violation]:
        if fresh:
            self.performed.clear()
        super().live(steps)
        names = [each.deed.name for lived in self.performed for each in lived]
        return [BROKEN] if names[-1] == "Reload" and "CrashVrrp" in names else []


BROKEN = Violation("as before", 1.0, "something is left")


def test_what_comes_only_after_others_is_left_with_them_and_with_what_was_seen() -> None:
    search = Remembering(ClusterSpec(DirectorPair).plan())
    reload, crash, restart = (
        (step(0, name, "director1"),) for name in ("Reload", "CrashVrrp", "Restart")
    )
    seen = (Log(1.0, "director1", daemon="keepalived", line="x"),)

    search._take_down(BROKEN, reload, seen, (restart, crash, restart))

    (failure,) = search.failures
    assert not failure.repeats
    assert failure.earlier == (crash,)
    assert failure.steps == reload
    assert failure.events == seen


def test_a_known_defect_may_take_a_deed_of_a_sequence_before() -> None:
    def crashes_before(violation: Violation, steps: Steps) -> str | None:
        done = [(each.after, each.deed.name) for each in steps]
        return "#1" if done == [(0, "CrashVrrp"), (APART, "Reload")] else None

    search = Remembering(ClusterSpec(DirectorPair).plan(), known=crashes_before)
    reload, crash = ((step(0, name, "director1"),) for name in ("Reload", "CrashVrrp"))

    search._take_down(BROKEN, reload, (), (crash, reload))
    search._take_down(BROKEN, reload, (), (reload, crash))

    assert not search.failures
    assert search.tally.known == {"#1": 2}


def test_as_many_sequences_are_tried_as_were_asked_for_and_none_twice() -> None:
    plan = ClusterSpec(DirectorPair).plan()
    one, again, other = Drawn(plan), Drawn(plan), Drawn(plan)

    one.run(50, "2")
    again.run(50, "2")
    other.run(50, "3")

    assert len(one.performed) == len(set(one.performed)) == one.tally.sequences == 50
    assert one.performed == again.performed != other.performed


class Busy:
    """A site whose keepalived remembers a deed until three sequences have been lived through since
    it was done.
    """

    lived: tuple[Steps, ...] = ()

    def __init__(self, search: Drawn) -> None:
        self._search = search

    def remembers(self, steps: Steps) -> bool:
        lately = {each.deed for lived in self._search.performed[-3:] for each in lived}
        return any(each.deed in lately for each in steps)


def test_what_keepalived_remembers_is_not_done_to_it_before_others_unless_many_wait() -> None:
    search = Drawn(ClusterSpec(DirectorPair).plan())
    search._sites = [cast("Site", Busy(search))]
    crash, reload, cut = ((step(0, name, "director1"),) for name in ("CrashVrrp", "Reload", "Mute"))

    search._due = [crash, (step(1, "CrashVrrp", "director1"),), reload, cut]
    tried = []
    while (ready := search._ready()) is not None:
        tried.append(ready)
        search._try(ready)
    assert tried == [crash, reload, cut]
    assert len(search._due) == 1

    search._due = [(step(1 + number, "CrashVrrp", "director1"),) for number in range(MOST_DUE + 1)]
    assert search._ready() == search._due[0]
