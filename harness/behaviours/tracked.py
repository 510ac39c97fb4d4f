"""What directors track beside each other: how each of it can be made to fail, and what the
priorities then say.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from harness.behaviours.routers import Router, group_of
from harness.clock import Window
from harness.faults import FailProgram, Fault, MakeFile, StopLocal, Unplug, WriteNumber
from harness.keepalived import timers
from harness.nodes import DirectorNode, Node
from harness.topology import LocalService, TrackedFile, TrackedInterface, VrrpInstance, VrrpScript
from harness.topology.tracking import FAULT, Tracked


@dataclass(frozen=True)
class Cause:
    """One thing that may fail on any director: a local service, a script's program or the file that
    it looks for, or an interface.
    """

    what: LocalService | str
    kind: str

    def fault(self, director: DirectorNode) -> Fault[Node]:
        """The fault that does it to a director."""
        if isinstance(self.what, LocalService):
            return StopLocal(director, self.what)
        if self.kind == "program":
            return FailProgram(director, self.what)
        if self.kind == "switch":
            return MakeFile(director, self.what)
        if self.kind == "file":
            file = next(
                each
                for own in director.role.instances
                for each in own.track_files
                if each.path == self.what
            )
            return WriteNumber(director, file, bad(file))
        return Unplug(director, self.what)

    def __str__(self) -> str:
        if isinstance(self.what, LocalService):
            return (
                f"{self.what.name} ends"
                if self.what.port is None
                else f"nothing answers at port {self.what.port}"
            )
        happens = {
            "program": "fails",
            "switch": "is there",
            "interface": "loses its carrier",
            "file": "says so",
        }
        return f"{self.what} {happens[self.kind]}"

    def applies(self, director: DirectorNode) -> bool:
        """Whether a director has what fails: one that does not track a script may be without what
        that looks for.
        """
        if isinstance(self.what, LocalService):
            return self.what in director.role.local_services
        if self.kind == "file":
            return any(self.values(own) for own in director.role.instances)
        known = {"program": director.role.programs, "switch": director.role.switches}.get(self.kind)
        return known is None or self.what in known.values()

    def values(self, instance: VrrpInstance) -> dict[TrackedFile, int]:
        """The number that a tracked file has then, if the cause is one that the instance tracks."""
        return {
            each: bad(each)
            for each in instance.track_files
            if self.kind == "file" and each.path == self.what
        }

    def hits_device(self, instance: VrrpInstance) -> bool:
        """Whether an interface fails on which the instance has a VIP beside its own interface.

        keepalived tracks those as well, without a weight (``vrrp.c``, TRACK_ADDR).
        """
        devices = {instance.device_of(vip.address) for vip in instance.held}
        return self.kind == "interface" and self.what in devices - {instance.interface}

    def hits(self, director: DirectorNode, instance: VrrpInstance) -> set[Tracked]:
        """What of that which an instance tracks fails by it."""
        return {each for each in instance.tracked if self._hits(director, each)}

    def _hits(self, director: DirectorNode, tracked: Tracked) -> bool:
        if isinstance(tracked, TrackedInterface):
            return self.kind == "interface" and tracked.name == self.what
        if not isinstance(tracked, VrrpScript):
            return False
        services = director.role.local.get(tracked.name, ())
        if isinstance(self.what, LocalService):
            together = (
                [each for each in services if each.port is not None]
                if self.what.port is not None
                else []
            )
            return self.what in services or bool(together)  # one server answers at all ports
        known = {"program": director.role.programs, "switch": director.role.switches}.get(
            self.kind, {}
        )
        return known.get(tracked.name) == self.what


def bad(file: TrackedFile) -> int:
    """A number that speaks against a director: one that counts against it, or else one that is
    FAULT state.
    """
    if not file.weight:
        return 0 if file.reverse else 1
    return 1 if (file.weight < 0) != file.reverse else FAULT


def causes(directors: Collection[DirectorNode]) -> list[Cause]:
    """Everything that is tracked and can be made to fail, each once."""
    found: dict[Cause, None] = {}
    for director in directors:
        wired = {instance.interface for instance in director.role.instances}
        for instance in director.role.instances:
            for tracked in instance.tracked:
                if isinstance(tracked, TrackedInterface) and tracked.name not in wired:
                    found[Cause(tracked.name, "interface")] = None
                elif isinstance(tracked, VrrpScript):
                    found.update(dict.fromkeys(_of_script(director, tracked)))
            found.update((Cause(file.path, "file"), None) for file in instance.track_files)
    return list(found)


def _of_script(director: DirectorNode, script: VrrpScript) -> Iterator[Cause]:
    services = director.role.local.get(script.name, ())
    for service in services[:1]:  # the first will do: it is the script that is to fail
        yield Cause(service, "local")
    program = director.role.programs.get(script.name)
    switch = director.role.switches.get(script.name)
    if not services and switch is not None:
        yield Cause(switch, "switch")
    elif not services and program is not None:
        yield Cause(program, "program")


@dataclass(frozen=True)
class Claims:
    """The claims to one virtual router while ``cause`` strikes some of its directors."""

    router: Router
    cause: Cause
    struck: frozenset[str]

    def left(self, director: DirectorNode) -> int:
        """The priority that a director is left with; 0 is FAULT state, also where that is another's
        of its group.
        """
        claim = self.router.claim_of(director)
        if director.name not in self.struck:
            return claim.effective_priority()
        if self.cause.hits_device(claim) or self._ends(director):
            return 0
        together = [claim, *group_of(director, claim)]
        left = [
            each.effective_priority(self.cause.hits(director, each), self.cause.values(each))
            for each in together
        ]
        return 0 if min(left) == 0 else left[0]

    def heirs(self, owner: DirectorNode) -> list[DirectorNode]:
        """Who may hold the VIP then, the higher address first; of equals it is one
        (:meth:`Router.heirs_of`). Nobody is an empty list.
        """
        highest = max(self.left(one) for one, _ in self.router.claims)
        if highest == 0:
            return []
        own_left = self.left(owner)
        if own_left >= highest:
            return [owner]
        able = [(one, claim) for one, claim in self.router.claims if self.left(one) == highest]
        if own_left:
            able = [(one, claim) for one, claim in able if not claim.nopreempt]
        able.sort(
            key=lambda each: each[0].plan.interface(each[1].interface).address.ip, reverse=True
        )
        return [one for one, _ in able] or [owner]

    def _ends(self, director: DirectorNode) -> bool:
        """Whether a script that fails by the cause ends the director's keepalived."""
        return any(each.name in director.role.ending for each in self._hit(director))

    def _hit(self, director: DirectorNode) -> list[Tracked]:
        """What of that which a director tracks fails by the cause."""
        return [each for own in director.role.instances for each in self.cause.hits(director, own)]

    def moves(self, owner: DirectorNode, heir: DirectorNode) -> Window:
        """When ``heir`` is due to take over from ``owner`` since the cause struck."""
        claim, left = self.router.claim_of(heir), self.left(owner)
        master = self.router.claim_of(owner)
        due = timers.priority_failover(
            master.with_priority(master.effective_priority()),
            claim.with_priority(self.left(heir)),
            left,
        )
        return self.noticed(owner) + due

    def noticed(self, director: DirectorNode) -> Window:
        """When a director notices the cause, the first and the last of what fails by it."""
        dues = [
            _failure(director, each) for each in self._hit(director) if isinstance(each, VrrpScript)
        ]
        dues = dues or [Window(0.0, 0.0)]
        at_once = self._ends(director) or any(
            self.cause.hits_device(own) for own in director.role.instances
        )
        earliest = (
            0.0 if at_once else min(due.earliest for due in dues)
        )  # the first run that fails ends keepalived
        return Window(earliest, max(due.latest for due in dues))

    def over(self) -> float:
        """How many seconds after its beginning, or its end, everything that comes of the cause has
        come about.
        """
        noticed = [0.0]
        for director, _ in self.router.claims:
            for script in self._hit(director):
                if isinstance(script, VrrpScript):
                    noticed += [
                        _failure(director, script).latest,
                        _recovery(director, script).latest,
                    ]
        waits = [
            timers.master_down_interval(claim.with_priority(1)) + claim.preempt_delay
            for _, claim in self.router.claims
        ]
        return max(noticed) + 2 * max(waits)


def _failure(director: DirectorNode, script: VrrpScript) -> Window:
    """When a script fails in keepalived's eyes: while it sleeps, runs that are due are left out."""
    return Window(
        timers.script_failure(script).earliest,
        timers.script_failure(_paused(director, script)).latest,
    )


def _recovery(director: DirectorNode, script: VrrpScript) -> Window:
    return Window(
        timers.script_recovery(script).earliest,
        timers.script_recovery(_paused(director, script)).latest,
    )


def _paused(director: DirectorNode, script: VrrpScript) -> VrrpScript:
    """The script as it would be if it ran seldom enough for all its sleep."""
    longest = min(
        director.role.pauses.get(script.name, 0.0), float(script.timeout or script.interval)
    )
    return replace(script, interval=script.interval + math.ceil(longest))
