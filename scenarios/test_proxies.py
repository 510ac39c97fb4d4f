"""Proxies behind VRRP, and programs of the user's own as daemons: what ends them, and what
moves the VIP.
"""

import pytest

from harness import measures
from harness.cluster import Cluster
from harness.faults import HangKeepalived, HangProgram, PowerOff, StopProgram
from harness.keepalived import timers
from harness.scenario import topology
from topologies.proxies import PROXIES, Proxies

pytestmark = pytest.mark.failover

EACH = [
    pytest.param(
        name,
        marks=[
            topology(Proxies, proxy=name),
            pytest.mark.needs(f"{name} behind VRRP", program=name),
        ],
    )
    for name in PROXIES
]


@pytest.mark.parametrize("proxy", EACH)
@pytest.mark.control("the backup hangs", fault=HangKeepalived, node="proxy2", caught="takes over")
def test_failover_of_proxies(cluster: Cluster, proxy: str) -> None:
    """A proxy is behind the VIP like IPVS is: the new owner of the VIP serves at once, for its
    proxy runs all along.
    """
    master, backup = cluster.settle()
    before = cluster.client.fetch(4)
    due = timers.takeover(backup.vrrp, announced=False)

    with cluster.suffering(PowerOff(master)) as struck:
        took = backup.announces(cluster.vip, since=struck, until=due.latest)  # label: takes over
        after = cluster.client.fetch(4)

    assert took.within(due)
    assert [request.status for request in (*before, *after)] == [200] * 8
    assert (
        set(measures.distribution(before)) == set(measures.distribution(after)) == {"web1", "web2"}
    )


@pytest.mark.parametrize("proxy", EACH)
@pytest.mark.control("nobody looks at the proxy", topology={"tracked": False}, caught="takes over")
def test_failover_when_the_proxy_ends(cluster: Cluster, proxy: str) -> None:
    """The script that looks for the process fails within its interval, and the master resigns."""
    master, backup = cluster.settle()
    (script,) = master.vrrp.track_scripts
    due = timers.switch(master.vrrp, backup.vrrp, script)

    with cluster.suffering(StopProgram(master, proxy)) as struck:
        took = backup.announces(cluster.vip, since=struck, until=due.latest)  # label: takes over
        answers = cluster.client.fetch(2)
    back = timers.switch_back(master.vrrp, backup.vrrp, script)
    master.takes(cluster.vip, since=cluster.healed(), until=back.latest)

    assert took.within(due)
    assert [request.status for request in answers] == [200, 200]


@pytest.mark.parametrize("proxy", EACH)
@pytest.mark.control(
    "the proxy ends",
    fault=lambda node: StopProgram(node, node.daemons[-1].name),
    node="proxy1",
    caught="settles",
)
def test_failover_does_not_happen_when_the_proxy_hangs(cluster: Cluster, proxy: str) -> None:
    """A process that hangs is a process: whoever looks for processes keeps a VIP behind which
    nobody answers.
    """
    master = cluster.settle().master  # label: settles

    with cluster.suffering(HangProgram(master, proxy)):
        cluster.timeline.let_pass(timers.master_down_interval(cluster.settle().backup.vrrp))
        (request,) = cluster.client.fetch(1)
        assert cluster.owners() == [master.name]

    assert (request.status, request.error) == (0, "timed out")
