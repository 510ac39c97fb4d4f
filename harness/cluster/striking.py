"""When faults strike and are healed: at a moment of the protocol that the seed draws
(:mod:`harness.cluster.moments`).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from harness.clock import Instant
from harness.cluster import moments
from harness.cluster.moments import Moments
from harness.cluster.nodes import Nodes
from harness.errors import HarnessError
from harness.events import Advertisement, DaemonChanged, StateChanged
from harness.faults.fault import Fault
from harness.faults.tracking import FailCheck, HangCheck
from harness.keepalived import timers
from harness.keepalived.timers import checking
from harness.nodes import DirectorNode, Node, RealServerNode
from harness.timeline import Timeline
from harness.topology import HttpGet, VirtualService, VrrpInstance, VrrpScript
from harness.topology.tracking import CHECK, PAUSE

_PART = 0.9
"""Which part of the time that a health script has it may let pass before it looks."""


@dataclass(frozen=True)
class _Due:
    """A check of a real server: in how many seconds the next one begins, and which virtual
    service's it is.
    """

    after: float
    service: VirtualService

    @property
    def loop(self) -> float:
        """How many seconds are between two."""
        return self.service.delay_loop

    @property
    def connects(self) -> bool:
        """Whether it leaves a connection open."""
        return any(check.connects for check in self.service.checks)


class Striking:
    """Waits for the moments of one cluster."""

    def __init__(self, moments: Moments, nodes: Nodes, timeline: Timeline, slack: float) -> None:
        """``slack``: how early or late this machine may see things, in seconds."""
        self._moments, self._nodes, self._timeline = moments, nodes, timeline
        self._slack = slack
        self._paused: set[DirectorNode] = set()

    def begin(self) -> None:
        """A scenario begins: the health scripts of all directors answer at once."""
        for director in self._paused:
            if director.machine.powered:
                with contextlib.suppress(FileNotFoundError):  # one that booted has forgotten it
                    director.machine.remove(PAUSE)
        self._paused.clear()

    def wait_moment(self, fault: Fault[Node], service: VirtualService | None = None) -> None:
        """Wait until the moment at which a fault is to strike.

        What befalls a director is spread over the interval of the advertisements on its LAN, and
        comes when their sender has been master for :data:`harness.cluster.moments.REIGN` at the
        least. What befalls a real server is spread over the time between two checks of it, by
        ``service`` where that is what will notice; what cuts it off begins while no connection of a
        check is open, because the end of an open one takes keepalived up to
        :data:`harness.keepalived.timers.checking.LINGER`, which nobody could tell beforehand.
        """
        moment = self._moments.draw()
        if isinstance(fault.node, DirectorNode):
            pace = self._pace_script(fault, moment) if isinstance(fault, FailCheck) else 0.0
            self._wait_within_reign(fault.node, moment, self._timeline.now() + pace)
        elif isinstance(fault.node, RealServerNode):
            self.wait_between_checks(fault.node, moment, fault.cuts, service)

    def _pace_script(self, fault: FailCheck, moment: float) -> float:
        """Have a director's health script look a second moment after it was started; returns after
        how many seconds it does so. The fault is to strike at the first ``moment``.

        keepalived starts its scripts at whole intervals since its own start, and mostly advertises
        at a fixed distance from that, so that a weight would always wait equally long for the
        advertisement that tells it. A script that looks later is like one that is started later.
        For seed 0 it looks at once, and so does one that is to hang: it is ended so long after its
        start.
        """
        director, weighing = fault.node, _weighing(fault.node)
        if not weighing:
            return 0.0
        part = (self._moments.draw() - moments.FIXED) % 1.0
        if isinstance(fault, HangCheck):
            part = 0.0
        if not part and director not in self._paused:
            return 0.0
        pause = part * _longest_pause(weighing)
        if part and self._moments.in_step:
            pause = self._pause_in_step(director, moment, part)
        self._paused.add(director)
        director.machine.write(PAUSE, f"{pause:.3f}\n")
        return max(script.interval for _, script in weighing)

    def _pause_in_step(
        self, director: DirectorNode, moment: float, choice: float, healed: bool = False
    ) -> float:
        """See :func:`harness.cluster.moments.pause_in_step`; 0.0 as long as nobody advertises.

        The fault strikes at ``moment`` of a turn, or is ``healed`` so many turns from now on;
        ``choice`` decides between the pauses that are possible. A script has no more than a part of
        its interval for its pause, so a longer one falls out of step, and of several instances
        the first one counts.
        """
        weighing = _weighing(director)
        instance, script = weighing[0]
        sent = self._timeline.events(Advertisement, sent=True, vrid=instance.vrid)
        changed = self._timeline.events(DaemonChanged, node=director.name, name="keepalived")
        began = [event for event in changed if event.action != "ended"]
        if not sent or not began:
            return 0.0
        last = sent[-1].at
        struck = (self._timeline.now() if healed else last) + moment * _turn(instance)
        pause = moments.pause_in_step(
            began[-1].at, script.interval, last, instance.advert_int, struck, choice
        )
        return min(pause, _longest_pause(weighing))

    def wait_healing(self, fault: Fault[Node]) -> None:
        """Wait until the moment at which a fault is to be healed.

        That is up to one round of what tells that its node is well: of a director's advertisements
        or runs of scripts, or of the checks of a real server.
        """
        moment, period = self._moments.draw(), 0.0
        if isinstance(fault.node, DirectorNode):
            period = max((_turn(instance) for instance in fault.node.role.instances), default=0.0)
            if type(fault) is FailCheck and fault.node in self._paused:
                self._pace_healing(fault.node, moment)
        elif isinstance(fault.node, RealServerNode):
            period = max(self._rounds(fault.symptom), default=0.0)
        if period:
            self._timeline.let_pass(moment * period)

    def _pace_healing(self, director: DirectorNode, moment: float) -> None:
        """Have a health script that pauses do so in step with the advertisements of who is master
        now, once all is healed at ``moment``.
        """
        if self._moments.in_step and director.machine.powered:
            pause = self._pause_in_step(director, moment, self._moments.draw(), healed=True)
            director.machine.write(PAUSE, f"{pause:.3f}\n")

    def _rounds(self, symptom: timers.Symptom) -> Iterator[float]:
        """How many seconds there are between two looks at a real server that is ill, for each check
        that notices: so much earlier or later may it be found well. One that hangs is looked at for
        as long as one that is silent.
        """
        if symptom is timers.Symptom.HUNG:
            symptom = timers.Symptom.SILENT
        for director in self._nodes.directors:
            for service in director.role.services:
                for check in service.checks:
                    with contextlib.suppress(HarnessError):  # of those that do not notice
                        yield checking.looks(replace(service, check=check), symptom)

    def _wait_within_reign(self, director: DirectorNode, moment: float, earliest: Instant) -> None:
        for instance in director.role.instances:
            sent = self._timeline.events(Advertisement, sent=True, vrid=instance.vrid)
            if not sent or not sent[-1].priority:
                continue
            sender = sent[-1].node
            entered = self._timeline.events(
                StateChanged, node=sender, instance=instance.name, state="MASTER"
            )
            earliest = max([earliest, *(event.at + moments.REIGN for event in entered[-1:])])
            earliest = moments.instant(sent[-1].at, _turn(instance), moment, earliest)
            break
        if (left := earliest - self._timeline.now()) > 0:
            self._timeline.let_pass(left)

    def wait_between_checks(
        self,
        server: RealServerNode,
        moment: float,
        cuts: bool,
        service: VirtualService | None = None,
    ) -> None:
        """See :meth:`harness.cluster.Cluster.wait_between_checks`. Where nothing is cut, the checks
        of ``service`` alone count, unless that is None.
        """
        now = self._timeline.now()  # looking takes its time, too
        due = self._due(server, now)
        connecting = [each for each in due if each.connects]
        due = [each for each in due if service is None or each.service == service] or due
        if cuts and connecting:
            at = now + moments.within(self._pauses(connecting), moment)
        elif due:
            longest = max(_turns(each.service) * each.loop for each in due)
            at = moments.instant(
                now + due[0].after - due[0].loop, longest, moment, self._timeline.now()
            )
        else:
            return
        self._timeline.let_pass(max(0.0, at - self._timeline.now()))

    def _due(self, server: RealServerNode, now: Instant) -> list[_Due]:
        found = []
        for director in self._nodes.directors:
            for service in director.role.services:
                loop = service.delay_loop
                if made := director.checked(server, service, since=now - 3 * loop):
                    found.append(_Due((made[-1] - now) % loop, service))
        return sorted(found, key=lambda each: each.after)

    def _pauses(self, due: Sequence[_Due]) -> list[tuple[float, float]]:
        """When no check is open, from the first one that is ``due`` on for the longest
        ``delay_loop``.

        A server that is well has acknowledged its end after
        :data:`harness.keepalived.timers.checking.DELAYED_ACK`.
        """
        first = min(each.after for each in due)
        last = first + max(each.loop for each in due)
        begins = sorted(
            at
            for each in due
            for turn in range(math.ceil((last - first) / each.loop))
            if (at := each.after + turn * each.loop) < last
        )
        return [
            (begin + checking.DELAYED_ACK + self._slack, following - self._slack)
            for begin, following in pairwise([*begins, last])
        ]


def _weighing(director: DirectorNode) -> list[tuple[VrrpInstance, VrrpScript]]:
    """Which instances of a director track the health script by a weight, and how."""
    return [
        (instance, script)
        for instance in director.role.instances
        for script in instance.track_scripts
        if script.weight and script.script == CHECK
    ]


def _longest_pause(weighing: Sequence[tuple[VrrpInstance, VrrpScript]]) -> float:
    """How many seconds a health script may let pass before it looks."""
    return _PART * min(
        min(script.interval, script.timeout or script.interval) for _, script in weighing
    )


def _turn(instance: VrrpInstance) -> float:
    """The longest time between two advertisements of an instance, or two runs of a script that it
    tracks.
    """
    return max([instance.advert_int, *(script.interval for script in instance.track_scripts)])


def _turns(service: VirtualService) -> int:
    """How many checks it takes until each URL of a real server has been asked for."""
    return max(len(check.urls) if isinstance(check, HttpGet) else 1 for check in service.checks)
