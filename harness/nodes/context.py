"""What the nodes of one cluster share: how it was planned, and what is recorded of it."""

from __future__ import annotations

from typing import Any

from harness.clock import Instant
from harness.due import Expectations, Took
from harness.errors import HarnessError
from harness.events import Event, Value
from harness.lab.plan import Plan
from harness.observers.recorder import Recorder
from harness.observers.requests import Target
from harness.timeline import Timeline
from harness.topology import Director, VirtualService

STARTING = 10.0
"""Seconds after which a daemon that has said neither that it serves nor that it cannot is given up.
"""

STARTING_EACH = 0.25
"""And this much longer for each machine of the cluster, for they share one computer's processors.
"""


class Context:
    """A node is given it when it is made, so that it can say what it did and wait for what it is
    due to do.
    """

    def __init__(self, plan: Plan, timeline: Timeline, recorder: Recorder, slack: float) -> None:
        """``slack`` (seconds) is what this machine's clock and scheduler may be off."""
        self.plan, self.timeline, self.recorder, self.slack = plan, timeline, recorder, slack
        self.expectations = Expectations(timeline)

    @property
    def starting(self) -> float:
        """How many seconds a daemon may take until it serves."""
        return STARTING + STARTING_EACH * len(self.plan.hosts)

    def let_slack_pass(self) -> None:
        """Let so much time pass that what has happened is on the timeline."""
        self.timeline.let_pass(self.slack)

    def wait_for(
        self,
        node: str,
        what: str,
        kind: type[Event],
        since: Instant,
        until: float,
        **details: Value,
    ) -> Took:
        """Wait for what a node is due to do, ``until`` seconds after ``since`` at the latest;
        ``what`` says it in words.
        """
        return self.expectations.wait_for(what, kind, node, since, until, self.slack, **details)

    # -- what the cluster serves -----------------------------------------------------------------

    @property
    def vip(self) -> str:
        """The (first) VIP of the first director: of an instance, or else of a service, or one that
        it holds itself.
        """
        directors = self.plan.of_role(Director)
        if not directors:
            raise HarnessError(
                "this topology has no director, so it has no VIP; add one:"
                " addHost(..., cls=Director)"
            )
        first = self._roles[0]
        claimed = [
            vip for instance in first.instances for vip in (*instance.vips, *instance.excluded_vips)
        ]
        known = [*claimed, *(service.vip for service in first.services), *first.holds]
        if not known:
            raise HarnessError(
                f"{directors[0].name} claims no VIP, balances no service and holds no"
                f" address of its own"
            )
        return known[0]

    @property
    def vips(self) -> list[str]:
        """All VIPs that directors claim, in the order of the topology."""
        claimed = [vip for role in self._roles for each in role.instances for vip in each.vips]
        return list(dict.fromkeys(claimed))

    @property
    def service(self) -> VirtualService:
        """The (first) virtual service of the first director."""
        return self._roles[0].services[0]

    @property
    def _roles(self) -> list[Director]:
        hosts = self.plan.of_role(Director)
        return [host.role for host in hosts if isinstance(host.role, Director)]

    def target(self, service: VirtualService | None, **how: Any) -> Target:
        """Where requests to a service go; see :meth:`harness.nodes.Node.target`."""
        wanted = service or (self.service if self._roles[0].services else VirtualService(self.vip))
        return Target(
            **{"address": wanted.vip, "port": wanted.port, "protocol": wanted.protocol, **how}
        )
