"""What a diagnosis of a cluster looks at: its topology, timeline, packets and kernels."""

from __future__ import annotations

from harness.clock import Instant
from harness.cluster import seen
from harness.cluster.nodes import Nodes
from harness.diagnosis import Diagnosis, Seen, Setup, defective, diagnose
from harness.lab.plan import Plan
from harness.nodes import DirectorNode
from harness.nodes.context import Context


def diagnoses(
    nodes: Nodes, context: Context, since: Instant, until: Instant | None
) -> list[Diagnosis]:
    """See :meth:`harness.cluster.Cluster.diagnoses`."""
    told = context.timeline if until is None else context.timeline.before(until)
    frames = [
        frame for frame in context.recorder.frames(since) if until is None or frame.at < until
    ]
    more = Seen(
        tuple(seen.hops(frames, nodes)),
        {name: seen.kernel(node) for name, node in nodes.items()},
    )
    setup = _setup(nodes, context.plan)
    return [*diagnose(told, setup, since, more), *defective(context.timeline, setup, since)]


def _setup(nodes: Nodes, plan: Plan) -> Setup:
    served = {server.name: server.role.serves for server in nodes.real_servers}
    claimed = {director.name: _claimed_by(director) for director in nodes.directors}
    return Setup(
        directors={director.name: director.role.instances for director in nodes.directors},
        servers={
            name: tuple(
                service.vip for service in serves if service.vip not in claimed.get(name, ())
            )
            for name, serves in served.items()
        },
        gateways={host.name: host.default_routes[0] for host in plan.hosts if host.default_routes},
        nat=frozenset(
            name for name, serves in served.items() if any(each.method == "NAT" for each in serves)
        ),
        standing=frozenset(
            each.name
            for each in nodes.directors
            if each.role.instances and each.speaker.holding == "carrier"
        ),
        unanswered=frozenset(
            (director.name, endpoint)
            for director in nodes.directors
            for endpoint in director.role.unanswered
        ),
    )


def _claimed_by(director: DirectorNode) -> set[str]:
    """The VIPs that it rightly answers ARP for, also where it is a real server as well."""
    return {vip for each in director.role.instances for vip in (*each.vips, *each.excluded_vips)}
