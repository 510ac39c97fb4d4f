"""The corpus: sequences each of which led to states that none before it had, for others to be made
from (pure).

A sequence that led somewhere new is a better beginning for the next one than nothing is: what is
rare lies behind what is rare. A run keeps its own, and ``--corpus FILE`` hands them on to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.search.coverage import State
from harness.search.sequence import Deed, Step, from_json, to_json

MOST = 2_000
"""How many sequences a corpus holds at the most."""

MOST_STEPS = 100
"""And how many steps one of them may have."""


@dataclass(frozen=True)
class Kept:
    """A sequence, and the states that it was the first to lead to."""

    steps: tuple[Step, ...]
    states: frozenset[State]


@dataclass
class Corpus:
    """Sequences in the order in which they were found."""

    kept: list[Kept] = field(default_factory=list)
    states: set[State] = field(default_factory=set)

    def add(self, steps: Sequence[Step], seen: Iterable[State]) -> bool:
        """Keep a sequence if it led to a state that no other here did; returns whether it did."""
        new = frozenset(seen) - self.states
        self.states |= new
        if not new or not steps or len(self.kept) >= MOST:
            return False
        self.kept.append(Kept(tuple(steps), new))
        return True

    def merge(self, other: Corpus) -> None:
        """Keep of another corpus what leads to states that are not here yet."""
        for each in other.kept:
            self.add(each.steps, each.states)
        self.states |= other.states

    def possible(self, deeds: Iterable[Deed]) -> Corpus:
        """The part of it that consists of these deeds alone: another topology may have fewer."""
        there = set(deeds)
        part = Corpus(states=set(self.states))
        part.kept = [each for each in self.kept if all(step.deed in there for step in each.steps)]
        return part

    def to_json(self) -> dict[str, Any]:
        """Plain lists, for a file; sorted, so that the same corpus is the same bytes."""
        kept = [
            {"steps": to_json(each.steps), "states": sorted(map(list, each.states))}
            for each in self.kept
        ]
        return {"sequences": kept, "states": sorted(map(list, self.states))}


def from_file(value: Any, told: Callable[[str], None]) -> Corpus:
    """What :meth:`Corpus.to_json` made, and somebody may have changed since.

    What is no sequence is left out, and ``told`` hears how much that was. ValueError if it is no
    corpus at all.
    """
    if not isinstance(value, dict) or not isinstance(value.get("sequences"), list):
        raise ValueError("it is no corpus: an object with a list of 'sequences' is expected")
    corpus = Corpus()
    wrong = 0
    for each in value["sequences"]:
        try:
            corpus.add(_steps(each["steps"]), _states(each["states"]))
        except (KeyError, TypeError, ValueError):
            wrong += 1
    try:
        corpus.states |= _states(value.get("states", []))
    except TypeError:
        wrong += 1
    if wrong:
        told(f"{wrong} of the corpus's entries are no sequences, and are left out")
    return corpus


def _steps(lines: Any) -> tuple[Step, ...]:
    if len(lines) > MOST_STEPS:
        raise ValueError("too many steps")
    steps = from_json(lines)
    for each in steps:
        if not (0 <= each.after <= 1e4 and 0 <= each.lasts <= 1e4):
            raise ValueError("no time that can be waited for")
        hash(each)  # so that its parameters are numbers and words
    return steps


def _states(lines: Any) -> set[State]:
    found = set()
    for line in lines:
        if not isinstance(line, list) or not all(isinstance(word, str) for word in line):
            raise TypeError("no state")
        found.add(tuple(line))
    return found
