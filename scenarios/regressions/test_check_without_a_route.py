"""A check that has no route takes nothing else with it."""

import pytest

from harness.cluster import Cluster
from harness.events import DestinationChanged
from harness.faults import LoseAddress
from harness.scenario import fresh_topology
from topologies.health_checks import DNS, HealthChecks

SERVERS = ("172.16.10.21:53", "172.16.10.22:53")
CHECKED = 3.0
"""Seconds in which every check has been done again."""


@pytest.mark.regression(
    "found by search",
    "a check without a route closes the checker's connection to IPVS, and no server comes back",
    present="<2.2.3",
    caught="back",
)
@fresh_topology(HealthChecks, services=(DNS,))
def test_servers_come_back_after_a_check_without_a_route(cluster: Cluster) -> None:
    """A check begins with a timer, which has no descriptor, only a 0 in its place. Where connect(2)
    says at once that the network is unreachable, ``check_dns.c``, ``dns_final``, takes the timer
    for another kind, and closes descriptor 0; so does ``check_smtp.c``, ``smtp_final``. A reload
    opens the socket to IPVS anew, which gets the number 0 then, and the next such check closes it.
    What is sent to it fails (``libipvs.c``, ``ipvs_nl_send_message``), and nobody says so: the log
    tells of servers that are added, and the table stays as it was. keepalived 5310553c mends it.
    """
    (director,) = cluster.directors
    with cluster.suffering(LoseAddress(director)):
        for server in SERVERS:
            director.does(DestinationChanged, action="removed", address=server)
        director.reload()
        cluster.timeline.let_pass(CHECKED)
    cluster.timeline.let_pass(CHECKED)

    for server in SERVERS:
        changes = cluster.timeline.events(DestinationChanged, node=director.name, address=server)
        assert [each.action for each in changes][-1] == "added"  # label: back
