"""Rounds of three faults that nobody judges: what a sequence of a search costs at the least."""

from benchmarks.stopwatch import tell
from harness.cluster import Cluster
from harness.faults import StopHttpd, StopKeepalived, Unplug
from harness.scenario import topology
from topologies.director_pair import DirectorPair

pytestmark = topology(DirectorPair)

ROUNDS = 60
SECONDS = 13.0
"""Of virtual time, each round."""
EACH = 3.5
"""Seconds that a fault lasts, beside those of the others."""


def test_rounds(cluster: Cluster) -> None:
    """A web server, then the link and the keepalived of the master go and come back."""
    master = cluster.directors[0]
    cluster.settle()
    tell("round", number=0)
    for number in range(1, ROUNDS + 1):
        began = cluster.timeline.now()
        for fault in (StopHttpd(cluster.real_servers[0]), Unplug(master), StopKeepalived(master)):
            cluster.inject(fault)
            cluster.timeline.let_pass(EACH)
            cluster.heal(fault)
        cluster.timeline.let_pass(began + SECONDS - cluster.timeline.now())
        cluster.settle()
        tell("round", number=number)
