"""Rounds of three faults that nobody judges: what a sequence of a search costs at the least."""

from benchmarks.stopwatch import tell
from harness.cluster import Cluster
from harness.faults import StopHttpd, StopKeepalived, Unplug
from harness.scenario import topology
from topologies.director_pair import DirectorPair

pytestmark = topology(DirectorPair)

ROUNDS = 60
SECONDS = 13.0
"""Of virtual time, each round, at the least."""
EACH = 2.0
"""Seconds that a fault lasts, beside those of the others."""


def test_rounds(cluster: Cluster) -> None:
    """A web server, then the link and the keepalived of the master go and come back."""
    master = cluster.directors[0]
    cluster.settle()
    tell("round", number=0)
    for number in range(1, ROUNDS + 1):
        began = cluster.timeline.now()
        for fault in (StopHttpd(cluster.real_servers[0]), Unplug(master), StopKeepalived(master)):
            cluster.inject(fault, at_once=True)
            cluster.timeline.let_pass(EACH)
            cluster.heal(fault)
        cluster.settle()
        if (left := began + SECONDS - cluster.timeline.now()) > 0:
            cluster.timeline.let_pass(left)
        tell("round", number=number)
