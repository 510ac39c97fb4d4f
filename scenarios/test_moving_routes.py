"""What moves along with a VIP beside the address: the master's routes and rules, and the network of
the VIP.
"""

import pytest

from harness.cluster import Cluster
from harness.faults import PowerOff
from harness.keepalived import timers
from harness.nodes import DirectorNode, Node
from harness.scenario import topology
from topologies.moving_routes import FAR, NEAR, TABLE, VIP, MovingRoutes

pytestmark = [pytest.mark.ownership, topology(MovingRoutes)]


def reaches(node: Node, source: str) -> bool:
    """Whether the VIP answers a request that a machine sends from an address of its own: nobody
    serves there, so it is refused.
    """
    (request,) = node.fetch(1, source=source)
    return request.error == "Connection refused"


def ways(director: DirectorNode) -> list[str]:
    """A director's rules for the table, and the routes in it: ``ip`` fails where there is no such
    table.
    """
    shown = [
        director.machine.run(["ip", what, "show", "table", str(TABLE)], check=False)
        for what in ("rule", "route")
    ]
    return [each.stdout.strip() for each in shown if not each.returncode and each.stdout.strip()]


@pytest.mark.control("no virtual routes", topology={"routes": False}, caught="reaches")
def test_ownership_brings_the_routes_along(cluster: Cluster) -> None:
    """Only the master has the rule and the route that lead what it sends from the VIP to a client
    behind a router; whoever takes the VIP over makes them, and a client far away notices no more
    than one nearby (keepalived.conf(5), ``virtual_routes`` and ``virtual_rules``).
    """
    master, backup = cluster.settle()
    far = cluster.nodes["far-client"]
    cluster.settle(notified=True)
    due = timers.takeover(backup.vrrp, announced=False)
    before, idle = ways(master), ways(backup)
    reached = reaches(far, FAR)
    assert reached  # label: reaches

    with cluster.suffering(PowerOff(master)) as struck:
        backup.announces(cluster.vip, since=struck, until=due.latest)
        after = ways(backup)
        assert reaches(far, FAR)

    rule, route = before
    assert f"from {VIP} lookup {TABLE}" in rule
    assert route.startswith("10.9.0.0/24 via 172.16.10.1 dev eth0")
    assert after == before
    assert idle == []


@pytest.mark.control("held as /32", topology={"vip_prefix": None}, caught="reaches")
def test_ownership_brings_the_network_of_the_vip_along(cluster: Cluster) -> None:
    """A VIP in a network of its own is held with the prefix of that network: so the master has a
    route to the machines in it, and the backup, which has no address there, needs none.
    """
    master = cluster.settle().master
    cluster.settle(notified=True)

    assert reaches(cluster.nodes["near"], NEAR)  # label: reaches

    held = master.machine.run(["ip", "-o", "-4", "address", "show", "to", VIP]).stdout
    assert f"{VIP}/24" in held
    assert "192.0.2.0/24" not in cluster.backup.machine.run(["ip", "route"]).stdout
