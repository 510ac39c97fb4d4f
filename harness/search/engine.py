"""The search: sequences drawn, performed and judged; failures repeated, made small, and told apart.

A failure counts only if it repeats on a new cluster. One that does not is a defect of the harness,
or of the state that clusters are handed on in, and is told as that, with the sequences before it
that it takes.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from harness.events import Event
from harness.search.comparing import differences
from harness.search.corpus import Corpus
from harness.search.coverage import State, states
from harness.search.drafts import Draft
from harness.search.drawing import MOST_STEPS, drafts, draw_no_constants
from harness.search.judging import Signature, judged
from harness.search.kinds import holds
from harness.search.observed import Violation
from harness.search.sequence import Deed, in_a_row, performed
from harness.search.shrinking import DELAYS, delayed, smallest, taken
from harness.search.site import Ground, Site, Steps
from harness.topology import Director

if TYPE_CHECKING:
    from harness.lab.plan import Plan

TOLD_EVERY = 25
"""Sequences from one line of progress to the next."""

DRAWN = 20
"""So many times as many are drawn at the most. Hypothesis makes most of what it draws from what it
has drawn before, and often the same sequence comes of it, which is tried once.
"""

UNSETTLED = 3
"""After so many clusters that never came to rest after their start a topology is given up: there is
nothing that a deed could still show.
"""

MOST_DUE = 8
"""So many sequences may wait until no keepalived has to be restarted for them."""


class _Enough(Exception):
    """As many sequences as were asked for have been tried."""


@dataclass(frozen=True)
class Failure:
    """A signature, the smallest sequence that has it, and what it says of that. ``drawn`` is the
    one first found, and ``events`` what was seen then. ``earlier`` are sequences that a cluster has
    to live through for one that does not repeat on a new one.
    """

    signature: Signature
    steps: Steps
    violation: Violation
    drawn: Steps
    repeats: bool = True
    events: tuple[Event, ...] = field(default=(), repr=False)
    earlier: tuple[Steps, ...] = ()


@dataclass
class Tally:
    """What was done: sequences, seconds of virtual time, new clusters; how often each known defect
    was met, and each failure again that was found before; which states were seen.
    """

    sequences: int = 0
    shrinking: int = 0
    seconds: float = 0.0
    clusters: int = 0
    known: Counter[str] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    states: set[State] = field(default_factory=set)


class Search:
    """Searches one topology. ``known`` says of what a sequence led to which known defect it is, or
    None.
    """

    def __init__(
        self,
        grounds: Sequence[Ground],
        plan: Plan,
        possible: Sequence[Deed],
        *,
        known: Callable[[Violation, Steps], str | None] = lambda violation, steps: None,
        told: Callable[[str], None] = lambda line: None,
        most: int = MOST_STEPS,
        kept: Callable[[Failure], None] = lambda failure: None,
        names: tuple[str, str] = ("one", "the other"),
        wall: Callable[[], float] = lambda: 0.0,
        seconds: float = float("inf"),
        shrinks: bool = True,
        corpus: Corpus | None = None,
    ) -> None:
        """``told`` hears how far it is, ``kept`` each failure at once; no sequence is begun later
        than after ``seconds`` by the clock ``wall``. With two ``grounds`` it is compared what comes
        of each sequence on them, and ``names`` are what they are called. Unless it ``shrinks``, it
        ends with the first sequence that fails. ``corpus`` has what other sequences are made from,
        and is given what leads to new states.
        """
        self._sites = [Site(ground) for ground in grounds]
        self._known, self._told, self._kept, self._wall = known, told, kept, wall
        self._names, self._shrinks = names, shrinks
        self._returns = returns(plan)
        self._until = wall() + seconds
        self.corpus = Corpus() if corpus is None else corpus.possible(possible)
        self._strategy = drafts(possible, plan, most)
        self.tally = Tally()
        self.failures: list[Failure] = []
        self._seen: set[Signature] = set()
        self._events: tuple[Event, ...] = ()
        self._last: set[State] = set()
        self._examples, self._began = 0, 0.0
        self._unsettled = 0
        self._tried: set[Steps] = set()
        self._due: list[Steps] = []
        """Sequences that are drawn, and wait."""

    # -- one sequence ------------------------------------------------------------------------------

    def live(self, steps: Steps, fresh: bool = False) -> list[Violation]:
        """Perform a sequence, on a new cluster if ``fresh``, and say what is wrong: all of it,
        known or not.

        On two grounds, what is wrong is where they differ.
        """
        lives = [site.live(steps, fresh) for site in self._sites]
        lived, left = lives[0]
        self._unsettled += lived.unsettled
        self._events = lived.observed.events
        self._last = states(lived.observed)
        self.tally.states |= self._last
        self.tally.clusters = sum(site.clusters for site in self._sites)
        self.tally.seconds = sum(site.seconds for site in self._sites)
        if len(lives) == 2:
            return differences(lived, lives[1][0], self._names)
        return judged(lived, left if self._returns else None)

    # -- many --------------------------------------------------------------------------------------

    def run(self, examples: int, seed: str) -> None:
        """Try so many sequences. What is found is in ``failures``, also if this is interrupted."""
        import hypothesis

        self._examples, self._began = examples, self._wall()
        draw_no_constants()
        settings = hypothesis.settings(
            max_examples=DRAWN * examples,
            database=None,
            deadline=None,
            print_blob=False,
            verbosity=hypothesis.Verbosity.quiet,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=(hypothesis.Phase.generate,),
        )
        with contextlib.suppress(_Enough):
            hypothesis.seed(seed)(settings(hypothesis.given(self._strategy)(self._one)))()
        while self._due and not self._over():
            self._try(self._ready() or self._due[0])

    def _one(self, draft: Draft) -> None:
        """One sequence that Hypothesis has drawn. All that is found is taken down; what is raised
        ends the search.
        """
        if self.tally.sequences + len(self._due) >= self._examples or self._over():
            raise _Enough
        steps = performed(draft.steps(self.corpus), holds)
        if steps in self._tried:
            return
        self._tried.add(steps)
        self._due.append(steps)
        while (ready := self._ready()) is not None and not self._over():
            self._try(ready)

    def _over(self) -> bool:
        """Whether no more sequences are to be tried, however many were asked for."""
        return (
            self._wall() > self._until
            or (bool(self.failures) and not self._shrinks)
            or self._unsettled >= UNSETTLED
        )

    def _ready(self) -> Steps | None:
        """Which of the sequences that wait is to be tried now: the first for which no keepalived
        has to be restarted, which takes as long as a sequence; None if all had better wait.
        """
        for steps in self._due:
            if not any(site.remembers(steps) for site in self._sites):
                return steps
        return self._due[0] if len(self._due) > MOST_DUE else None

    def _try(self, steps: Steps) -> None:
        self._due.remove(steps)
        self.tally.sequences += 1
        self.tally.kinds.update(each.deed.name for each in steps)
        found = self.live(steps)
        self.corpus.add(steps, self._last)
        events = self._events
        before = max((tuple(site.lived[:-1]) for site in self._sites), key=len, default=())
        for violation in self._unknown(found, steps):
            self._take_down(violation, steps, events, before)
        if self.tally.sequences % TOLD_EVERY == 0:
            self._told(self._progress())

    def _progress(self) -> str:
        """How far it is, how fast by the clock on the wall, and how much is left."""
        done, passed = self.tally.sequences, self._wall() - self._began
        line = (
            f"{done} of {self._examples} sequences, {len(self.tally.states)} states,"
            f" {len(self.failures)} found"
        )
        if passed <= 0:
            return line
        left = min((self._examples - done) * passed / done, self._until - self._wall())
        return f"{line}; {60 * done / passed:.0f} a minute, {left / 60:.0f} min left"

    def _unknown(self, violations: Sequence[Violation], steps: Steps) -> list[Violation]:
        """Those that are neither known nor found already, one for each signature."""
        new: dict[Signature, Violation] = {}
        for violation in violations:
            if (defect := self._known(violation, steps)) is not None:
                self.tally.known[defect] += 1
            elif (signature := Signature.of(violation)) in self._seen:
                self.tally.again[str(signature)] += 1
            else:
                new.setdefault(signature, violation)
        return list(new.values())

    def _take_down(
        self,
        violation: Violation,
        steps: Steps,
        events: tuple[Event, ...],
        before: tuple[Steps, ...],
    ) -> None:
        """Repeat a failure on new clusters, with ever smaller sequences as long as they have it.
        ``events`` were seen as it came first, on a cluster that had lived through ``before``. A
        known defect may take a deed of those.
        """
        signature = Signature.of(violation)
        self._seen.add(signature)
        if not self._shrinks:
            self.failures.append(Failure(signature, steps, violation, steps, events=events))
            return
        last = violation

        def fails(candidate: Steps, after: tuple[Steps, ...] = ()) -> bool:
            nonlocal last
            if after and self._wall() > self._until:
                return False
            self.tally.shrinking += 1 + len(after)
            for number, earlier in enumerate(after):
                self.live(earlier, fresh=number == 0)
            for each in self.live(candidate, fresh=not after):
                if Signature.of(each) == signature:
                    last = each
                    return True
            return False

        try:
            repeated = next(
                (each for each in map(partial(delayed, steps), DELAYS) if fails(each)), None
            )
            small = steps if repeated is None else smallest(repeated, fails)
            needed = () if repeated else taken(before, partial(fails, steps))
        except KeyboardInterrupt:
            self.failures.append(Failure(signature, steps, violation, steps, False, events))
            self._told(f"interrupted while it was made smaller: {violation}: {[*map(str, steps)]}")
            raise
        if needed and (defect := self._known(last, in_a_row(*needed, steps))) is not None:
            self._seen.discard(signature)
            self.tally.known[defect] += 1
            return
        repeats = repeated is not None
        self.failures.append(Failure(signature, small, last, steps, repeats, events, needed))
        self._kept(self.failures[-1])
        self._told(f"{'found' if repeats else 'does not repeat'}: {signature}")


def returns(plan: Plan) -> bool:
    """Whether each VIP comes back to where it was: not without preemption, in a group, or among
    equals.
    """
    claims: dict[int, list[int]] = {}
    for host in plan.of_role(Director):
        assert isinstance(host.role, Director)
        if host.role.sync_groups or any(each.nopreempt for each in host.role.instances):
            return False
        for each in host.role.instances:
            claims.setdefault(each.vrid, []).append(each.priority)
    return all(len(set(priorities)) == len(priorities) for priorities in claims.values())
