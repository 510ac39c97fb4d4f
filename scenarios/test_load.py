"""Load: a thousand requests a second, each recorded, show an outage to the millisecond; in real
time 200, to 5 ms.
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
    master, backup = cluster.master, cluster.backup
    takeover = timers.takeover(backup.vrrp, announced=True)
    rate = 1000 if choice.virtual() else 200  # an embedded kernel carries no more in real time
    began = cluster.timeline.now()

    with cluster.load(rate=rate) as load:
        cluster.wait_answers(load, 100, since=began)
        with cluster.suffering(StopKeepalived(master)) as struck:
            took = cluster.wait_master(
                backup, since=struck, until=takeover.latest
            )  # label: takes over
            cluster.wait_answers(load, 100, since=struck + took)
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
