"""Load: a thousand requests a second, each recorded, show an outage to the millisecond; in real
time 200, to 5 ms. And thousands of connections at once, of which only the totals are known.
"""

from math import inf

import pytest

from harness import measures
from harness.clock import Window
from harness.cluster import Cluster
from harness.events import AddressChanged
from harness.faults import StopKeepalived
from harness.keepalived import timers
from harness.kernels import choice
from harness.scenario import topology
from topologies.crowds import Crowds
from topologies.director_pair import DirectorPair

pytestmark = [pytest.mark.failover, topology(DirectorPair)]


@pytest.mark.control(
    "the backup does not take over for an hour",
    config={"director2": ("advert_int 1", "advert_int 250")},
    caught="takes over",
)
def test_failover_outage_is_known_to_the_time_between_two_requests(cluster: Cluster) -> None:
    """The client misses what it sends from the moment at which the old master gives the VIP up
    until the new one has announced it, and what was under way then: what the timeline says of the
    VIP, and what the requests say of the service, are one and the same.
    """
    master, backup = cluster.settle()
    takeover = timers.takeover(backup.vrrp, announced=True)
    rate = 1000 if choice.virtual() else 200  # an embedded kernel carries no more in real time
    began = cluster.timeline.now()

    with cluster.client.load(rate=rate) as load:
        load.wait_answers(100, since=began)
        with cluster.suffering(StopKeepalived(master)) as struck:
            took = backup.takes(
                cluster.vip, since=struck, until=takeover.latest
            )  # label: takes over
            load.wait_answers(100, since=struck + took)
        lost = cluster.timeline.events(
            AddressChanged, node=master.name, since=struck, action="removed", address=cluster.vip
        )

    sent = measures.requests(cluster.timeline, since=began)
    out = struck + took - lost[0].at
    under_way = max(
        request.latency for request in sent if request.at < struck and request.status == 200
    )
    due = Window(out, out + under_way + 2 * load.resolution)
    assert measures.outage(cluster.timeline, since=began) in cluster.within(due)
    lasted = sent[-1].at - sent[0].at
    assert len(sent) / rate in cluster.within(Window(lasted, inf)), "requests are missing"
    assert not cluster.recorder.dropped


CROWD = 2500
"""Connections at once, which the client opens in the first seconds."""
PATIENCE = 60
"""Seconds for an answer: an embedded kernel carries some 600 a second, and all of them wait."""


@topology(Crowds)
@pytest.mark.needs("thousands of connections at once", clock="real", program="nginx")
@pytest.mark.needs("a generator of load", program="wrk")
@pytest.mark.control("too little room", topology={"room": 500}, caught="at_once")
def test_forwarding_of_thousands_of_connections_at_once(cluster: Cluster) -> None:
    """IPVS keeps an entry for each connection and no process, so that what limits a cluster is
    its real servers; rr gives each of them half.
    """
    master = cluster.settle().master
    totals = cluster.client.saturate(seconds=8, connections=CROWD, patience=PATIENCE)
    counted = master.counted(cluster.service)
    known = [server.active + server.inactive for server in counted]

    assert measures.at_once(cluster.timeline) == CROWD  # label: at_once
    assert totals.requests > CROWD
    assert (totals.refused, totals.broken, totals.timed_out) == (0, 0, 0)
    assert sum(known) >= CROWD
    assert abs(known[0] - known[1]) <= 2
