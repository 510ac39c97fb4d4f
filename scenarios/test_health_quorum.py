"""The quorum: how much of a pool must be alive, and the sorry server that takes its place if
less is.
"""

import pytest

from harness.cluster import Cluster
from harness.keepalived import timers
from harness.scenario import topology
from topologies.quorum_pool import COMMANDS, HYSTERESIS, LAST, QUORUM, WEIGHTS, QuorumPool

pytestmark = [pytest.mark.health, topology(QuorumPool)]

NO_SORRY_SERVER = pytest.mark.control(
    "no sorry server", topology={"sorry_server": False}, caught="quorum lost"
)
SMALL = pytest.mark.control("a quorum of 1", topology={"quorum": 1}, caught="quorum lost")


@NO_SORRY_SERVER
def test_health_sorry_server_answers_when_the_last_real_server_is_gone(cluster: Cluster) -> None:
    """Without any live real server there is no quorum, whatever it is (keepalived
    ``ipwrapper.c``).
    """
    with cluster.failing(LAST, "web1", "web2", "web3"):
        assert cluster.directors[0].pool(LAST) == {"sorry": 1}  # label: quorum lost
        assert {request.server for request in cluster.client.fetch(3, LAST)} == {"sorry"}
    cluster.settle()
    assert {request.server for request in cluster.client.fetch(3, LAST)} == {"web1", "web2", "web3"}


@SMALL
@NO_SORRY_SERVER
def test_health_sorry_server_replaces_those_that_are_too_few(cluster: Cluster) -> None:
    """The one that is left is alive, and leaves all the same: it is below the quorum
    (``update_quorum_state``).
    """
    with cluster.failing(QUORUM, "web1"):
        assert cluster.directors[0].pool(QUORUM) == {"web2": 1, "web3": 1}
        with cluster.failing(QUORUM, "web2"):
            assert cluster.directors[0].pool(QUORUM) == {"sorry": 1}  # label: quorum lost
            assert {request.server for request in cluster.client.fetch(2, QUORUM)} == {"sorry"}


@SMALL
def test_health_quorum_is_regained_when_one_returns(cluster: Cluster) -> None:
    """The sorry server leaves as soon as the quorum is reached again (keepalived
    ``update_quorum_state``).
    """
    director, server = cluster.settle().master, cluster.real_servers[-1]
    due = timers.recovery(QUORUM)

    with cluster.failing(QUORUM, "web1"):
        with cluster.failing(QUORUM, "web2"):
            assert "sorry" in director.pool(QUORUM)  # label: quorum lost
        took = director.removes(server, service=QUORUM, since=cluster.healed(), until=due.latest)
        cluster.timeline.let_pass(cluster.slack)  # the real servers come back behind it, one by one
        assert director.pool(QUORUM) == {"web2": 1, "web3": 1}

    assert took.within(due)


@pytest.mark.control("no hysteresis", topology={"quorum": 2}, caught="quorum kept")
def test_health_hysteresis_keeps_a_quorum_that_is_barely_missed(cluster: Cluster) -> None:
    """Lost below ``quorum`` - ``hysteresis``: of a quorum of 2, give or take 1, one is enough
    to keep it.
    """
    with cluster.failing(HYSTERESIS, "web1"), cluster.failing(HYSTERESIS, "web2"):
        assert HYSTERESIS.has_quorum(1, had=True)
        assert cluster.directors[0].pool(HYSTERESIS) == {"web3": 1}  # label: quorum kept


@SMALL
def test_health_hysteresis_wants_more_to_regain_a_quorum(cluster: Cluster) -> None:
    """Gained at ``quorum`` + ``hysteresis``: two of three that are back are not enough
    (``update_quorum_state``).
    """
    director = cluster.settle().master

    with cluster.failing(HYSTERESIS, "web1"):
        with cluster.failing(HYSTERESIS, "web2", "web3"):
            pass
        cluster.let_pass(timers.recovery(HYSTERESIS))
        assert not HYSTERESIS.has_quorum(2, had=False)
        assert director.pool(HYSTERESIS) == {"sorry": 1}  # label: quorum lost
    cluster.settle()
    assert director.pool(HYSTERESIS) == {"web1": 1, "web2": 1, "web3": 1}


@SMALL
def test_health_quorum_counts_weights(cluster: Cluster) -> None:
    """A quorum is of weight, not of real servers: two that weigh 1 are less than 3
    (``weigh_live_realservers``).
    """
    with cluster.failing(WEIGHTS, "web1"):
        assert cluster.directors[0].pool(WEIGHTS) == {"sorry": 1}  # label: quorum lost
    with cluster.failing(WEIGHTS, "web2", "web3"):
        assert cluster.directors[0].pool(WEIGHTS) == {"web1": 3}


@SMALL
def test_health_quorum_commands_are_run_and_the_rest_stays(cluster: Cluster) -> None:
    """Without a sorry server a lost quorum is only told: ``quorum_down``, then ``quorum_up``
    (``do_vs_notifies``).
    """
    director, struck = cluster.settle().master, cluster.timeline.now()

    with cluster.failing(COMMANDS, "web1"):
        assert director.pool(COMMANDS) == {"web2": 1, "web3": 1}
        assert director.notifications("script", since=struck) == ["down"]  # label: quorum lost
    cluster.settle()
    assert director.notifications("script", since=struck) == ["down", "up"]
