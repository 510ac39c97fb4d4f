"""Which priorities an instance may claim, by what is done to the things that it tracks (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product

from harness.clock import Instant, Window
from harness.daemons import keepalived
from harness.keepalived import timers
from harness.search.model.effects import Aspect, disturbances, effect
from harness.search.model.processes import linked, reads, runs
from harness.search.model.spans import Span, any_meets, cut, joined, without
from harness.search.observed import Act, Observed
from harness.topology.tracking import CHECK, Tracked, TrackedFile, TrackedInterface, VrrpScript
from harness.topology.vrrp import OWNER_PRIORITY, VrrpInstance

_SWITCHES: Mapping[str, str] = {
    "Maintenance": keepalived.DOWN,
    "FailCheck": CHECK,
    "HangCheck": CHECK,
    "ExitCheck": CHECK,
}
"""By which file a deed makes which script fail."""
_CERTAIN = ("Maintenance", "FailCheck", "HangCheck", "StopProgram")
"""The deeds after which a script that looks for what they change fails each time it is run."""


def _looked_for(act: Act) -> str | None:
    """What stands in the scripts that a deed makes fail; None where that is not known."""
    if act.kind == "StopProgram" and "program" in act.parameters:
        return f"pgrep -x {act.parameters['program']}"
    return _SWITCHES.get(act.kind)


def _is_write(act: Act) -> bool:
    """Whether it is known what a deed writes into which tracked file."""
    return act.kind == "WriteNumber" and "file" in act.parameters


@dataclass(frozen=True)
class Number:
    """What a tracked file may hold: ``value`` in a span, and nothing else in ``certain``, a part
    of it.
    """

    value: int
    possible: Span
    certain: Span


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
        own = observed.setting.directors[director]
        self._grouped = any(instance.name in group.members for group in own.sync_groups)
        together = self._grouped and "sync_group_tracking_weight" not in own.config
        if together or instance.priority == OWNER_PRIORITY:
            instance = _unweighted(instance, together)
        self._observed, self._director, self._instance = observed, director, instance
        self._ailing = {each: self._of(each) for each in instance.tracked}
        self._numbers = {each: self._written(each) for each in instance.track_files}
        self._doubtful = disturbances(observed, Aspect.CONFIG, director, after=observed.slack)

    def possible(self, span: Span) -> set[int]:
        """Every priority that it may claim at some instant of a span; 0 is FAULT state."""
        tracked, files = list(self._ailing), list(self._numbers)
        held = list(product(*(self._values(file, span) for file in files)))
        found = set()
        for failing in product(*(self._ailing[each].options(span) for each in tracked)):
            ill = {each for each, fails in zip(tracked, failing, strict=True) if fails}
            for values in held:
                numbers = dict(zip(files, values, strict=True))
                found.add(self._instance.effective_priority(ill, numbers))
        if files and self.disturbed(span):
            found |= set(range(255))
        return found

    def _values(self, file: TrackedFile, span: Span) -> set[int]:
        """What a tracked file may hold at some instant of a span."""
        written = [each for each in self._numbers[file] if each.possible.meets(span)]
        found = {each.value for each in written}
        if not any(each.certain.covers(span) for each in written):
            found.add(file.value)
        return found

    @property
    def changes(self) -> list[Span]:
        """When something that it tracks fails, or a file holds another number: certainly or
        perhaps.
        """
        found = [
            each for ailing in self._ailing.values() for each in (*ailing.certain, *ailing.possible)
        ]
        for numbers in self._numbers.values():
            for number in numbers:
                found += [number.certain, number.possible]
        return found

    def parts(self, span: Span, others: Iterable[Claims] = ()) -> list[Span]:
        """A span, cut where something that it or one of ``others`` tracks changes."""
        changes = [each for claims in (self, *others) for each in claims.changes]
        inside = self._observed.slack / 10  # so that no part touches its neighbours
        return [Span(each.since + inside, each.until - inside) for each in cut(span, changes)]

    def known(self, span: Span) -> bool:
        """Whether its configuration and all that it tracks are what the topology says, all through
        a span.
        """
        return (
            not any_meets(self._doubtful, span) and not self._grouped and not self.disturbed(span)
        )

    def disturbed(self, span: Span) -> bool:
        """Whether something was done that may change what it tracks, other than by its scripts,
        its interfaces and its files.

        What scripts of the user's own look for is not known at all.
        """
        if (
            self._observed.setting.directors[self._director].own_text
            and self._instance.track_scripts
        ):
            return True
        others = [
            act for act in self._observed.acts
            if effect(act) & (Aspect.CLAIM | Aspect.CONFIG)
            and _looked_for(act) is None and not _is_write(act)
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

    def _written(self, file: TrackedFile) -> list[Number]:
        """What is written into a file, and when keepalived knows: at once, if it acts
        (``track_file.c``, ``process_inotify``), else as soon as it does.
        """
        slack = self._observed.slack
        acting = [run.span for run in runs(self._observed, self._director)]
        found = []
        for act in self._observed.acts:
            if act.node != self._director or not _is_write(act):
                continue
            if act.parameters["file"] != file.name:
                continue
            until = self._observed.over(act)
            noticed, forgotten = self._heeded(act.at, acting), self._heeded(until, acting)
            found.append(
                Number(
                    int(act.parameters["value"]),
                    Span(act.at - slack, forgotten + slack),
                    Span(noticed + slack, max(noticed + slack, until - slack)),
                )
            )
        return found

    def _heeded(self, instant: Instant, acting: list[Span]) -> Instant:
        """When its process acts first, from an instant on."""
        later = [span.since for span in acting if span.until > instant]
        return max(instant, later[0]) if later else self._observed.ended

    def _script(self, script: VrrpScript) -> Ailing:
        slack = self._observed.slack
        certain, possible = [], []
        back = timers.script_recovery(script)
        longest = float(script.timeout or script.interval)
        breaks = [run.span.since for run in runs(self._observed, self._director)[1:]]
        reloads = reads(self._observed, self._director)
        counted = self._observed.began
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
            known = act.kind in _CERTAIN
            # A reload runs a script at once, and goes on counting its results (``vrrp.c``,
            # ``clear_diff_script``); so does a deed after which no run has succeeded yet. None is
            # begun while another hangs (``vrrp_scheduler.c``, ``vrrp_script_thread``).
            sooner = (
                not known
                or act.at <= counted
                or any(act.at <= each <= act.at + due.latest for each in reloads)
            )
            counted = max(counted, over)
            possible.append(Span(act.at + (0.0 if sooner else due.earliest) - slack, over))
            # What is well again before its last run fails never was a failure.
            latest = _begun(act, due, reloads) + due.latest
            noticed = latest <= until
            if known and noticed and not any(act.at <= each <= over for each in breaks):
                sooner = any(until <= each <= until + back.latest for each in reloads)
                well = until + (0.0 if sooner else back.earliest)
                certain.append(Span(latest + slack, well - slack))
        for begun in breaks:  # nothing is known of a script before its first run
            possible.append(
                Span(begun - slack, begun + script.rise * script.interval + longest + slack)
            )
        return Ailing([each for each in certain if each.length > 0], joined(possible))


def _begun(act: Act, due: Window, reloads: list[Instant]) -> Instant:
    """From when on a deed makes a script fail within what is ``due``: each reload meanwhile ends a
    run that hangs, does not count it, and begins another (``notify.c``, ``script_killall`` and
    ``child_killed_reload``; ``vrrp_scheduler.c``, ``vrrp_init_script``).
    """
    begun = act.at
    for reload in reloads if act.kind == "HangCheck" else ():
        if begun <= reload <= begun + due.latest:
            begun = reload
    return begun


def _unweighted(instance: VrrpInstance, together: bool) -> VrrpInstance:
    """The same where weights do not count: in a sync group that moves ``together``, and of an
    address owner (``vrrp.c``, ``vrrp_complete_instance``, "In case of VRRP SYNC").

    What has a weight is not tracked at all, but for a file with the default weight of 1, which
    then has none, and in a sync group an interface, also an owner's. A process keeps its weight.
    """
    interfaces = [each for each in instance.track_interfaces if together or not each.weight]
    files = [each for each in instance.track_files if each.weight in (0, 1)]
    return replace(
        instance,
        track_scripts=tuple(each for each in instance.track_scripts if not each.weight),
        track_files=tuple(replace(each, weight=0) for each in files),
        track_interfaces=tuple(replace(each, weight=0) for each in interfaces),
        track_bfds=tuple(each for each in instance.track_bfds if not each.weight),
    )


def _concerns(act: Act, script: VrrpScript) -> bool:
    if _is_write(act):
        return False
    looked_for = _looked_for(act)
    if looked_for is None:
        return bool(effect(act) & Aspect.CLAIM)
    return looked_for in script.script
