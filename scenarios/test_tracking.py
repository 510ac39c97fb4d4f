"""Tracking: what a director watches raises, lowers or ends its claim to the VIP, and so moves
it, in time.
"""

from dataclasses import replace
from typing import Any

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged, Advertisement, Log
from harness.faults import FailCheck, HangCheck, Unplug, WriteNumber
from harness.keepalived import timers
from harness.scenario import fresh_topology, topology
from harness.topology import TrackedFile, TrackedProcess, VrrpScript
from harness.topology.tracking import CHECK
from topologies.director_group import DirectorGroup
from topologies.router_pair import RouterPair

pytestmark = pytest.mark.tracking

WEIGHTS = {"unweighted": 0, "negative weight": -20, "positive weight": 20}
UNTRACKED = {"director1": ("    track_script {\n        check\n    }\n", "")}


def check(**how: Any) -> pytest.MarkDecorator:
    """On which topology: two directors that track the health script."""
    script = VrrpScript(name="check", script=CHECK, **how)
    return topology(DirectorGroup, track_scripts=(script,))


SCRIPTS = pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=check(weight=weight)) for kind, weight in WEIGHTS.items()]
)


@SCRIPTS
@pytest.mark.control("it is not tracked", config=UNTRACKED, caught=("takes over", "settles"))
def test_tracking_a_script_that_fails_moves_the_vip(cluster: Cluster, kind: str) -> None:
    """Without weight a failure is FAULT state, and the master resigns; a weight changes what it
    advertises.
    """
    master, backup = cluster.settle()  # label: settles
    (script,) = master.vrrp.track_scripts
    due = timers.switch(master.vrrp, backup.vrrp, script)

    with cluster.suffering(FailCheck(master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over

    assert took.within(due)


@SCRIPTS
@pytest.mark.control("it is not tracked", config=UNTRACKED, caught=("takes over", "settles"))
def test_tracking_a_script_that_recovers_brings_the_vip_back(cluster: Cluster, kind: str) -> None:
    """With its own priority again the director preempts: at its next word if it was a backup,
    afresh after FAULT.
    """
    master, backup = cluster.settle()  # label: settles
    (script,) = master.vrrp.track_scripts
    due = timers.switch_back(master.vrrp, backup.vrrp, script)

    with cluster.suffering(FailCheck(master)) as struck:
        backup.takes(
            cluster.vip, since=struck, until=timers.switch(master.vrrp, backup.vrrp, script).latest
        )  # label: takes over
    healed = cluster.healed()
    took = master.takes(cluster.vip, since=healed, until=due.latest)

    assert took.within(due)


@check(fall=3, rise=2, interval=2)
@pytest.mark.control(
    "one failure is enough", config={"director1": ("fall 3", "fall 1")}, caught="in its window"
)
def test_tracking_needs_as_many_failures_as_fall_says(cluster: Cluster) -> None:
    """``fall`` runs in a row must fail, ``interval`` apart (keepalived
    ``vrrp_script_child_thread``).
    """
    master, backup = cluster.settle()
    (script,) = master.vrrp.track_scripts
    due = timers.switch(master.vrrp, backup.vrrp, script)

    with cluster.suffering(FailCheck(master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)

    assert took.within(due)  # label: in its window


@check(fall=3, rise=2, interval=2)
@pytest.mark.control(
    "one failure is enough", config={"director1": ("fall 3", "fall 1")}, caught="VIP stays"
)
def test_tracking_forgives_fewer_failures_than_fall_says(cluster: Cluster) -> None:
    """A success in between starts the count anew."""
    master = cluster.settle().master
    (script,) = master.vrrp.track_scripts
    began = cluster.timeline.now()

    for _ in range(2):
        with cluster.suffering(FailCheck(master), heal_at_once=True):
            cluster.timeline.let_pass((script.fall - 1) * script.interval - cluster.slack)
        cluster.timeline.let_pass(script.interval + cluster.slack)

    failed = cluster.timeline.events(Log, node=master.name, since=began)
    assert any("now returning 1" in event.line for event in failed), "the script never failed"
    assert not cluster.timeline.events(
        AddressChanged, since=began, address=cluster.vip
    )  # label: VIP stays


@check(fall=3, rise=2, interval=2)
@pytest.mark.control(
    "one success is enough", config={"director1": ("rise 2", "rise 1")}, caught="in its window"
)
def test_tracking_needs_as_many_successes_as_rise_says(cluster: Cluster) -> None:
    """``rise`` runs in a row must succeed before the director claims the VIP again."""
    master, backup = cluster.settle()
    (script,) = master.vrrp.track_scripts
    due = timers.switch_back(master.vrrp, backup.vrrp, script)

    with cluster.suffering(FailCheck(master)) as struck:
        backup.takes(
            cluster.vip, since=struck, until=timers.switch(master.vrrp, backup.vrrp, script).latest
        )
    healed = cluster.healed()
    took = master.takes(cluster.vip, since=healed, until=due.latest)

    assert took.within(due)  # label: in its window


@check(interval=3, timeout=1)
@pytest.mark.control(
    "a longer timeout", config={"director1": ("timeout 1", "timeout 9")}, caught="takes over"
)
def test_tracking_a_script_that_hangs_moves_the_vip(cluster: Cluster) -> None:
    """A run that outlasts ``timeout`` is ended and counts as a failure."""
    master, backup = cluster.settle()
    (script,) = master.vrrp.track_scripts
    due = timers.script_hang(script) + timers.priority_failover(master.vrrp, backup.vrrp, left=0)

    with cluster.suffering(HangCheck(master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over

    assert took.within(due)


OTHER_INTERFACE = {"director1": ("eth1 weight", "lo weight")}
INTERFACES = pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=topology(RouterPair, inner_instance=False, track_inner=weight))
        for kind, weight in WEIGHTS.items()
    ],
)


@INTERFACES
@pytest.mark.control("it tracks another", config=OTHER_INTERFACE, caught="takes over")
def test_tracking_an_interface_moves_the_vip_at_once(cluster: Cluster, kind: str) -> None:
    """The kernel tells of a lost carrier, so nothing is waited for but the election (keepalived
    ``vrrp_if.c``).
    """
    master, backup = cluster.settle()
    (inner,) = master.vrrp.track_interfaces
    due = timers.priority_failover(
        master.vrrp, backup.vrrp, left=master.vrrp.effective_priority({inner})
    )

    with cluster.suffering(Unplug(master, "eth1")) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over

    assert took.within(due)


@INTERFACES
@pytest.mark.control("it tracks another", config=OTHER_INTERFACE, caught="takes over")
def test_tracking_an_interface_that_returns_brings_the_vip_back(
    cluster: Cluster, kind: str
) -> None:
    """With the carrier the claim is back, and is asserted like any other."""
    master, backup = cluster.settle()
    (inner,) = master.vrrp.track_interfaces
    left = master.vrrp.effective_priority({inner})
    due = timers.priority_failback(master.vrrp, backup.vrrp, left)

    with cluster.suffering(Unplug(master, "eth1")) as struck:
        backup.announces(
            cluster.vip,
            since=struck,
            until=timers.priority_failover(master.vrrp, backup.vrrp, left).latest,
        )  # label: takes over
    healed = cluster.healed()
    took = master.takes(cluster.vip, since=healed, until=due.latest)

    assert took.within(due)


FILES = pytest.mark.parametrize(
    "value",
    [
        pytest.param(
            value,
            marks=topology(
                DirectorGroup,
                track_files=(TrackedFile(name="claims", path="/run/claims", weight=weight),),
            ),
            id=f"{value} of weight {weight}",
        )
        for weight, value in ((1, -20), (1, -254), (0, 1))
    ],
)
UNREAD = {"director1": ("    track_file {\n        claims\n    }\n", "")}


@FILES
@pytest.mark.control("it is not tracked", config=UNREAD, caught="takes over")
def test_tracking_a_file_moves_the_vip_at_once(cluster: Cluster, value: int) -> None:
    """Its number is added to the priority; -254, or anything but 0 without a weight, is FAULT
    (``track_file.c``).
    """
    master, backup = cluster.settle()
    (file,) = master.vrrp.track_files
    left = master.vrrp.effective_priority(values={file: value})
    due = timers.priority_failover(master.vrrp, backup.vrrp, left)

    with cluster.suffering(WriteNumber(master, file, value)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over
    healed = cluster.healed()
    returned = timers.priority_failback(master.vrrp, backup.vrrp, left)
    took_back = master.takes(cluster.vip, since=healed, until=returned.latest)

    assert took.within(due)
    assert took_back.within(returned)


@pytest.mark.control(
    "it is not tracked", config={"director2": UNREAD["director1"]}, caught="takes over"
)
@topology(DirectorGroup, track_files=(TrackedFile(name="claims", path="/run/claims"),))
def test_tracking_a_file_may_raise_the_backups_claim(cluster: Cluster) -> None:
    """90 + 20 > 100: the backup outranks the master from then on, and preempts. Its timer ends as
    if its priority had been 110 all along.
    """
    backup = cluster.settle().backup
    (file,) = backup.vrrp.track_files
    due = timers.preemption(replace(backup.vrrp, priority=110))

    with cluster.suffering(WriteNumber(backup, file, 20)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over

    assert took.within(due)
    assert cluster.timeline.events(
        Advertisement, node=backup.name, since=struck, sent=True, priority=110
    )


@pytest.mark.control("no sync group", topology={"grouped": False}, caught="VIP stays")
@pytest.mark.diagnosis("weight ignored in a sync group")
@topology(RouterPair, track_scripts=(VrrpScript(name="check", script=CHECK, weight=-20),))
def test_tracking_with_a_weight_counts_for_nothing_in_a_sync_group(cluster: Cluster) -> None:
    """Members of a group cannot have priorities of their own, so keepalived drops the weighted
    script, and says so once (``vrrp_complete_instance``).
    """
    master, backup = cluster.settle()
    (script,) = master.vrrp.track_scripts

    with cluster.suffering(FailCheck(master)) as struck:
        cluster.let_pass(timers.switch(master.vrrp, backup.vrrp, script))
    said = [event.line for event in cluster.timeline.events(Log, node=master.name)]

    assert not cluster.timeline.events(
        AddressChanged, since=struck, address=cluster.vip
    )  # label: VIP stays
    assert any(
        "ignoring tracked script check with weights due to SYNC group" in line for line in said
    )


@pytest.mark.known_defect(
    "keepalived #1469",
    "process events are told in the first network namespace alone, and without them none is"
    " counted",
)
@pytest.mark.control("it is not tracked", topology={"track_processes": ()}, caught="refused")
@fresh_topology(
    DirectorGroup, track_processes=(TrackedProcess(name="itself", process="keepalived"),)
)
def test_tracking_a_process_is_fault_where_the_kernel_tells_of_none(cluster: Cluster) -> None:
    """In a container, which a director here is, keepalived cannot hear of processes, so it counts
    none (``cn_proc.c``).

    It does not even see itself run: an unweighted ``track_process`` keeps such a director from ever
    being master.
    """
    director = cluster.directors[0]

    cluster.timeline.let_pass(timers.master_down_interval(director.vrrp) + cluster.slack)
    said = [event.line for event in cluster.timeline.events(Log, node=director.name)]

    assert any("process event listen - errno 111" in line for line in said), (
        "not refused"
    )  # label: refused
    assert any("(tracked process itself quorum not achieved)" in line for line in said), (
        "not in FAULT"
    )
    assert not director.idle
    assert not cluster.owners()
