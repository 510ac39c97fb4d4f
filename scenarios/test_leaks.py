"""The same again and again, which keepalived must not take more memory for each time."""

import pytest

from harness.cluster import Cluster
from harness.scenario import fresh_topology
from harness.search import growth, step
from harness.search.performing import perform
from topologies.searched import Searched

REPEATS = 24
"""How often it is repeated at the least; ``--examples N`` repeats it so many times."""

STEPS = (
    step(0.5, "Reload", "director1"),
    step(1.0, "Dump", "director1", number=10),
    step(1.0, "FailCheck", "director1", lasts=4.0),
    step(0.5, "StopHttpd", "web1", lasts=6.0),
    step(0.5, "Unplug", "web2", lasts=6.0),
)
GROWING = (
    "cp /bin/dash /run/keepalived; /run/keepalived -c 'while :; do x=$x$(seq 999); sleep 3; done'"
)


def plant_growing(cluster: Cluster) -> None:
    """Start something by keepalived's name that remembers ever more."""
    cluster.directors[0].machine.popen("/bin/sh", "-c", GROWING)


@pytest.mark.control("a keepalived that grows", sabotage=plant_growing, caught="leaks nothing")
@fresh_topology(Searched, script_weight=-20, instances=2, notify_fifo=True, sorry=True)
def test_whatever_happens_again_and_again_takes_no_memory(
    cluster: Cluster, pytestconfig: pytest.Config
) -> None:
    """What keepalived allocates it frees (``lib/memory.c`` counts it in its own test builds), so
    its anonymous memory comes to an end of growing.
    """
    director = cluster.directors[0]
    samples = [growth.memory(director.machine)]

    for _ in range(max(REPEATS, pytestconfig.getoption("examples"))):
        lived = perform(cluster, STEPS)
        assert lived.amiss is None
        samples.append(growth.memory(director.machine))

    assert growth.leak(samples) is None  # label: leaks nothing
