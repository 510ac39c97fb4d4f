"""Which priorities an instance may claim, by what is done to the things that it tracks (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product

from harness.daemons import keepalived
from harness.keepalived import timers
from harness.search.model.effects import Aspect, disturbances, effect
from harness.search.model.processes import linked, runs
from harness.search.model.spans import Span, any_meets, joined, without
from harness.search.observed import Act, Observed
from harness.topology.tracking import CHECK, Tracked, TrackedInterface, VrrpScript
from harness.topology.vrrp import VrrpInstance

_SWITCHES = {
    "Maintenance": keepalived.DOWN,
    "FailCheck": CHECK,
    "HangCheck": CHECK,
    "ExitCheck": CHECK,
}
"""By which file a deed makes which script fail."""


@dataclass(frozen=True)
class Ailing:
    """When one tracked thing certainly fails, and when it may."""

    certain: list[Span]
    possible: list[Span]

    def options(self, span: Span) -> tuple[bool, ...]:
        """Whether it fails, in a span: yes, no, or either."""
        if not any_meets(self.possible, span):
            return (False,)
        if any(each.covers(span) for each in self.certain):
            return (True,)
        return (False, True)


class Claims:
    """The priorities of one director's instance, over a whole sequence."""

    def __init__(self, observed: Observed, director: str, instance: VrrpInstance) -> None:
        self._observed, self._director, self._instance = observed, director, instance
        self._ailing = {each: self._of(each) for each in instance.tracked}
        self._doubtful = disturbances(observed, Aspect.CONFIG, director, after=observed.slack)
        own = observed.setting.directors[director]
        self._grouped = any(instance.name in group.members for group in own.sync_groups)

    def possible(self, span: Span) -> set[int]:
        """Every priority that it may claim at some instant of a span; 0 is FAULT state."""
        tracked = list(self._ailing)
        found = set()
        for failing in product(*(self._ailing[each].options(span) for each in tracked)):
            ill = {each for each, fails in zip(tracked, failing, strict=True) if fails}
            found.add(self._instance.effective_priority(ill))
        if self._instance.track_files and self.disturbed(span):
            found |= set(range(255))
        return found

    def parts(self, span: Span) -> list[Span]:
        """A span, cut where something that it tracks begins or ends to fail, certainly or
        perhaps.
        """
        edges = {
            edge
            for ailing in self._ailing.values()
            for each in (*ailing.certain, *ailing.possible)
            for edge in (each.since, each.until)
            if span.since < edge < span.until
        }
        cuts = [span.since, *sorted(edges), span.until]
        inside = self._observed.slack / 10  # so that no part touches its neighbours
        return [Span(one + inside, other - inside) for one, other in pairwise(cuts)]

    def known(self, span: Span) -> bool:
        """Whether its configuration and all that it tracks are what the topology says, all through
        a span.
        """
        return (
            not any_meets(self._doubtful, span) and not self._grouped and not self.disturbed(span)
        )

    def disturbed(self, span: Span) -> bool:
        """Whether something was done that may change what it tracks, other than by its scripts and
        interfaces.

        What scripts of the user's own look for is not known at all.
        """
        if (
            self._observed.setting.directors[self._director].own_text
            and self._instance.track_scripts
        ):
            return True
        others = [
            act for act in self._observed.acts
            if effect(act) & (Aspect.CLAIM | Aspect.CONFIG) and act.kind not in _SWITCHES
        ]  # fmt: skip
        return any(act.at <= span.until and act.node == self._director for act in others)

    def _of(self, tracked: Tracked) -> Ailing:
        if isinstance(tracked, TrackedInterface):
            up = linked(self._observed, self._director, tracked.name)
            down = without([Span(self._observed.began, self._observed.ended)], up)
            slack = self._observed.slack
            return Ailing(
                [
                    Span(each.since + slack, each.until - slack)
                    for each in down
                    if each.length > 2 * slack
                ],
                [Span(each.since - slack, each.until + slack) for each in down],
            )
        if isinstance(tracked, VrrpScript):
            return self._script(tracked)
        return Ailing([], [])

    def _script(self, script: VrrpScript) -> Ailing:
        slack = self._observed.slack
        certain, possible = [], []
        back = timers.script_recovery(script)
        longest = float(script.timeout or script.interval)
        breaks = [run.span.since for run in runs(self._observed, self._director)[1:]]
        for act in self._observed.acts:
            if act.node != self._director or not _concerns(act, script):
                continue
            until = self._observed.over(act)
            due = (
                timers.script_hang(script)
                if act.kind == "HangCheck"
                else timers.script_failure(script)
            )
            over = until + back.latest + longest + slack
            known = act.kind in ("Maintenance", "FailCheck", "HangCheck")
            possible.append(Span(act.at + (due.earliest if known else 0.0) - slack, over))
            if known and not any(act.at <= each <= over for each in breaks):
                certain.append(Span(act.at + due.latest + slack, until + back.earliest - slack))
        for begun in breaks:  # nothing is known of a script before its first run
            possible.append(
                Span(begun - slack, begun + script.rise * script.interval + longest + slack)
            )
        return Ailing([each for each in certain if each.length > 0], joined(possible))


def _concerns(act: Act, script: VrrpScript) -> bool:
    switch = _SWITCHES.get(act.kind)
    if switch is None:
        return bool(effect(act) & Aspect.CLAIM)
    return switch in script.script
