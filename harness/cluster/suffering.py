"""What is done to a cluster: faults injected and healed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from harness.clock import Instant
from harness.cluster.life import Life
from harness.cluster.striking import Striking
from harness.events import FaultChanged
from harness.faults.fault import Fault, Surroundings
from harness.lab.lab import Lab
from harness.nodes import Node
from harness.timeline import EVER, Timeline
from harness.topology import VirtualService


class Suffering:
    """Injects faults, each at its moment, and knows which of them last.

    ``before_healing`` is told what went wrong inside :meth:`of` while its fault still lasts.
    """

    def __init__(
        self, lab: Lab, life: Life, striking: Striking, timeline: Timeline, slack: float
    ) -> None:
        self._around = Surroundings(lab, life.power_on, life.power_off, life.start)
        self._striking, self._timeline, self._slack = striking, timeline, slack
        self.lasting: list[Fault[Node]] = []
        self._healed_until = EVER
        self.before_healing: Callable[[Exception], None] | None = None

    def inject(
        self, fault: Fault[Node], at_once: bool, noticed_by: VirtualService | None = None
    ) -> Instant:
        """See :meth:`harness.cluster.Cluster.inject`. ``noticed_by`` is the virtual service whose
        checks are to notice it, where that is known.
        """
        fault.check()
        if not at_once and not self.lasting:
            self._striking.wait_moment(fault, noticed_by)
        struck = self._timeline.record(
            FaultChanged(self._timeline.now(), fault.node.name, name=fault.name, action="injected")
        ).at
        self.lasting.append(fault)
        fault.inject(self._around)
        return struck

    def heal(self, fault: Fault[Node]) -> Instant:
        """See :meth:`harness.cluster.Cluster.heal`."""
        healed = self._timeline.record(
            FaultChanged(self._timeline.now(), fault.node.name, name=fault.name, action="healed")
        ).at
        fault.heal(self._around)
        self._healed_until = self._timeline.now()
        self.lasting = [other for other in self.lasting if other != fault]
        return healed

    def healed(self) -> Instant:
        """When the last fault was healed."""
        return self._timeline.events(FaultChanged, action="healed")[-1].at

    @contextlib.contextmanager
    def of(
        self,
        fault: Fault[Node],
        at_once: bool = False,
        heal_at_once: bool | None = None,
        noticed_by: VirtualService | None = None,
    ) -> Iterator[Instant]:
        """See :meth:`harness.cluster.Cluster.suffering`, and :meth:`inject`."""
        struck = self.inject(fault, at_once, noticed_by)
        try:
            yield struck
            if not (at_once if heal_at_once is None else heal_at_once):
                self._wait_healing(fault)
        except Exception as problem:
            if self.before_healing is not None:
                self.before_healing(problem)
            raise
        finally:
            self.heal(fault)

    def _wait_healing(self, fault: Fault[Node]) -> None:
        """Wait until the moment at which a fault is to be healed. Faults that are healed one right
        after the other share the moment of the first.
        """
        if self._timeline.now() - self._healed_until > self._slack:
            self._striking.wait_healing(fault)
