"""MISC_CHECK and FILE_CHECK: scripts and files on the director decide, for all real servers of
a service at once.
"""

import pytest

from harness.cluster import Cluster
from harness.faults import ExitCheck, FailCheck, HangCheck, WriteNumber
from harness.keepalived import timers
from harness.scenario import topology
from scenarios.controls import IMPATIENT, RARELY
from topologies.health_checks import DRAIN, DYNAMIC, FILE, LOCAL, MISC, SHARE, WEIGHED, HealthChecks

pytestmark = [
    pytest.mark.health,
    topology(HealthChecks, services=LOCAL),
    pytest.mark.needs("FILE_CHECK", keepalived="2.1.0"),
]


@RARELY
@IMPATIENT
@pytest.mark.parametrize(
    ("failure", "symptom"),
    [
        pytest.param(FailCheck, timers.Symptom.REFUSED, id="fails"),
        pytest.param(HangCheck, timers.Symptom.SILENT, id="hangs"),
    ],
)
def test_health_script_that_does_not_succeed_removes_and_returns(
    cluster: Cluster, failure: type[FailCheck], symptom: timers.Symptom
) -> None:
    """A script that outlives ``misc_timeout`` has failed; a retry counts from the last start
    (``check_misc.c``).
    """
    director = cluster.settle().master
    removed, returned = timers.removal(MISC, symptom), timers.recovery(MISC, symptom)

    with cluster.suffering(failure(director)) as struck:
        left = [
            director.removes(server, service=MISC, since=struck, until=removed.latest)
            for server in cluster.real_servers
        ]  # label: noticed
    back = [
        director.adds(server, service=MISC, since=cluster.healed(), until=returned.latest)
        for server in cluster.real_servers
    ]

    assert all(seconds.within(removed) for seconds in left)  # label: removed in time
    assert all(seconds.within(returned) for seconds in back)


@RARELY
@pytest.mark.control("misc_dynamic forgotten", topology={"dynamic": False}, caught="noticed")
def test_health_dynamic_script_gives_the_weight(cluster: Cluster) -> None:
    """With ``misc_dynamic`` an exit status from 2 on is success, and the weight that much less
    2 (``check_misc.c``).
    """
    director, server = cluster.settle().master, cluster.real_servers[0]
    due = timers.removal(DYNAMIC)

    with cluster.suffering(ExitCheck(director, status=12)) as struck:
        took = director.weighs(
            server, 10, service=DYNAMIC, since=struck, until=due.latest
        )  # label: noticed
    restored = timers.recovery(DYNAMIC)
    back = director.weighs(
        server, 1, service=DYNAMIC, since=cluster.healed(), until=restored.latest
    )

    assert took.within(due)
    assert back.within(restored)


@pytest.mark.control(
    "the file is another",
    config={"director1": ("file /run/drain", "file /run/drains")},
    caught="noticed",
)
def test_health_file_of_weight_0_removes_at_once(cluster: Cluster) -> None:
    """Anything but 0 in a file of weight 0 is a failure, told by inotify (keepalived
    ``check_file.c``).
    """
    director, server = cluster.settle().master, cluster.real_servers[0]
    due = timers.removal(FILE)

    with cluster.suffering(WriteNumber(director, DRAIN, 1)) as struck:
        left = director.removes(
            server, service=FILE, since=struck, until=due.latest
        )  # label: noticed
    back = director.adds(
        server, service=FILE, since=cluster.healed(), until=timers.recovery(FILE).latest
    )

    assert left.within(due)
    assert back.within(due)


@pytest.mark.control(
    "the file is another",
    config={"director1": ("file /run/share", "file /run/shares")},
    caught="weight",
)
def test_health_number_in_a_file_is_added_to_the_weight(cluster: Cluster) -> None:
    """The number times the file's weight is added to the real server's (keepalived
    ``check_file.c``).
    """
    director, server = cluster.settle().master, cluster.real_servers[0]
    due = timers.removal(WEIGHED)

    with cluster.suffering(WriteNumber(director, SHARE, 5)) as struck:
        took = director.weighs(
            server, 6, service=WEIGHED, since=struck, until=due.latest
        )  # label: weight
    back = director.weighs(server, 1, service=WEIGHED, since=cluster.healed(), until=due.latest)

    assert took.within(due)
    assert back.within(due)
