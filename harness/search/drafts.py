"""Drafts: what is drawn for the next sequence, made from nothing or from one that the corpus has
(pure).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from harness.search.corpus import Corpus
from harness.search.sequence import Step

Steps = tuple[Step, ...]

Change = Literal["longer", "shorter", "another deed", "another time", "joined"]
CHANGES: Final[tuple[Change, ...]] = (
    "longer",
    "shorter",
    "another deed",
    "another time",
    "joined",
)
"""How a sequence of the corpus is made into another."""


@dataclass(frozen=True)
class Draft:
    """A ``new`` sequence, or a ``change`` to the ``first`` of the corpus: to its step ``at``.

    ``first`` and ``second`` choose among as many sequences as there are by then, ``at`` and
    ``other_at`` among their steps. ``step`` is what comes in, if something does.
    """

    new: Steps
    change: Change | None
    first: int
    second: int
    step: Step
    at: int
    other_at: int
    most: int

    def steps(self, corpus: Corpus) -> Steps:
        """The sequence that it is, given what the corpus has by now."""
        if self.change is None or not corpus.kept:
            return self.new
        first = corpus.kept[self.first % len(corpus.kept)].steps
        return self._changed(self.change, first, corpus)[: self.most]

    def _changed(self, change: Change, first: Steps, corpus: Corpus) -> Steps:
        if change == "longer":  # something else happens, before, between or after
            at = self.at % (len(first) + 1)
            return (*first[:at], self.step, *first[at:])
        at = self.at % len(first)
        before, old, after = first[:at], first[at], first[at + 1 :]
        if change == "shorter":  # something does not happen; one thing always does
            return (*before, *after) or first
        if change == "another deed":
            return (*before, replace(self.step, after=old.after), *after)
        if change == "another time":
            lasts = self.step.lasts if old.lasts else 0.0
            return (*before, replace(old, after=self.step.after, lasts=lasts), *after)
        second = corpus.kept[self.second % len(corpus.kept)].steps
        return (*before, old, *second[self.other_at % len(second) :])
