"""Reload: SIGHUP takes a new configuration in without taking the VIP away."""

import pytest

from harness import measures
from harness.clock import Window
from harness.cluster import Cluster
from harness.events import AddressChanged, Advertisement
from harness.faults import Reconfigure, StopKeepalived
from harness.keepalived import timers
from harness.scenario import topology
from topologies.director_group import SECOND_VIP, VIP, DirectorGroup

pytestmark = [pytest.mark.ownership, topology(DirectorGroup)]

OTHER_VRID = {"director2": ("virtual_router_id 51", "virtual_router_id 52")}


def restart_instead(cluster: Cluster) -> None:
    """Have both directors do what an impatient operator does: restart keepalived for every
    change.
    """
    for director in cluster.directors:
        restart = StopKeepalived(director)

        def reread(*edits: tuple[str, str], restart: StopKeepalived = restart) -> None:
            cluster.inject(restart)
            cluster.heal(restart)

        director.reread = reread  # type: ignore[method-assign]


@pytest.mark.control("a restart instead", sabotage=restart_instead, caught="VIP stays")
def test_ownership_survives_a_reload_of_the_master(cluster: Cluster) -> None:
    """The master stays master and keeps the VIP; its next advertisement is early, not late
    (``vrrp_init_sands``).
    """
    master = cluster.settle().master
    before = cluster.timeline.now()
    cluster.timeline.let_pass(1.5 * master.vrrp.advert_int)

    began = master.reload()
    cluster.timeline.let_pass(timers.master_down_interval(master.vrrp))
    gaps = measures.advert_gaps(cluster.timeline, master.name, master.vrrp.vrid, since=before)

    assert not cluster.timeline.events(AddressChanged, since=began, address=VIP)  # label: VIP stays
    assert max(gaps) in cluster.within(Window(0, master.vrrp.advert_int))


@pytest.mark.control("it has another VRID", config=OTHER_VRID, caught="backup is silent")
def test_ownership_is_not_claimed_by_a_reloaded_backup(cluster: Cluster) -> None:
    """A reloaded backup waits anew, and hears the master before it has waited long enough."""
    backup = cluster.settle().backup

    began = backup.reload()
    cluster.timeline.let_pass(timers.master_down_interval(backup.vrrp) + cluster.slack)
    said = cluster.timeline.events(Advertisement, node=backup.name, since=began, sent=True)

    assert not said  # label: backup is silent
    assert not cluster.timeline.events(AddressChanged, since=began, address=VIP)


@pytest.mark.control("a restart instead", sabotage=restart_instead, caught="added at once")
def test_ownership_of_a_vip_that_a_reload_adds_begins_at_once(cluster: Cluster) -> None:
    """The new VIP is there without a new election, the old one untouched; and it goes as it
    came.
    """
    master, backup = cluster.settle()
    entry = f"{VIP}/32 dev eth0"

    with cluster.suffering(Reconfigure(backup, entry, f"{entry}\n{SECOND_VIP}/32 dev eth0")):
        with cluster.suffering(
            Reconfigure(master, entry, f"{entry}\n{SECOND_VIP}/32 dev eth0")
        ) as struck:
            added = cluster.timeline.wait_for(
                AddressChanged,
                node=master.name,
                since=struck,
                until=struck + cluster.slack,
                address=SECOND_VIP,
            )  # label: added at once
        removed = cluster.timeline.wait_for(
            AddressChanged,
            node=master.name,
            since=added.at,
            until=cluster.healed() + cluster.slack,
            address=SECOND_VIP,
            action="removed",
        )

    assert added.action == "added"
    assert removed
    assert not cluster.timeline.events(AddressChanged, since=struck, address=VIP)


@pytest.mark.control(
    "not low enough", config={"director2": ("priority 90", "priority 70")}, caught="takes over"
)
def test_ownership_moves_when_a_reload_lowers_the_masters_priority(cluster: Cluster) -> None:
    """100 becomes 80: its next advertisements are outranked by the backup's 90, which discards
    them.
    """
    master, backup = cluster.settle()
    due = timers.preemption(backup.vrrp)

    with cluster.suffering(Reconfigure(master, "priority 100", "priority 80")) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over

    assert took.within(due)
    assert cluster.timeline.events(
        Advertisement, node=master.name, since=struck, sent=True, priority=80
    )
