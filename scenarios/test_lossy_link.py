"""Lossy and slow links: a backup takes over when its Master_Down_Interval has run out, and at
no other time.
"""

from itertools import pairwise

import pytest

from harness import measures
from harness.clock import Window
from harness.cluster import Cluster
from harness.events import Advertisement
from harness.faults import HangKeepalived, Impaired
from harness.keepalived import timers
from harness.lab.impairment import Impairment
from harness.scenario import topology
from topologies.director_group import DirectorGroup

pytestmark = [pytest.mark.failover, topology(DirectorGroup)]

HASTY = pytest.mark.control(
    "the backup waits for one advertisement only",
    config={"director2": ("priority 90", "priority 90\ndown_timer_adverts 1")},
    caught="takeovers",
)
MARGIN = 0.25
"""Seconds below and above what a backup tolerates; more than any machine's slack."""


@HASTY
@topology(DirectorGroup, version=3, advert_int=0.1)
@pytest.mark.parametrize("loss", [0.1, 0.2, 0.3, 0.4, 0.5])
def test_failover_under_loss_needs_three_lost_in_a_row(cluster: Cluster, loss: float) -> None:
    """One advertisement that arrives starts the wait anew (RFC 5798 section 6.4.2): only three lost
    in a row end in a takeover, exactly a Master_Down_Interval after the last that arrived.
    """
    master, backup = cluster.settle()
    wait = timers.master_down_interval(backup.vrrp)

    with cluster.suffering(
        Impaired(backup, Impairment(loss=loss, only="advertisements"))
    ) as struck:
        cluster.timeline.let_pass(100 * backup.vrrp.advert_int)
        until = cluster.timeline.now()
    sent = cluster.timeline.events(
        Advertisement, node=master.name, since=struck, until=until, sent=True
    )
    heard = measures.heard(
        cluster.timeline, backup.name, backup.vrrp.vrid, struck - wait, until, backup.vrrp.priority
    )
    due = measures.silences(heard, wait, until)
    took_over = measures.takeovers(cluster.timeline, backup.name, cluster.vip, struck, until)

    assert len(heard) < len(sent)
    assert cluster.on_time(took_over, due)  # label: takeovers


@HASTY
def test_failover_does_not_happen_while_advertisements_are_a_little_late(cluster: Cluster) -> None:
    """A sudden delay of all advertisements is one longer gap, here just shorter than the
    Master_Down_Interval.
    """
    backup = cluster.settle().backup
    late = Impairment(delay=timers.tolerated_delay(backup.vrrp) - MARGIN, only="advertisements")
    cluster.timeline.let_pass(backup.vrrp.advert_int)

    with cluster.suffering(Impaired(backup, late)) as struck:
        cluster.timeline.let_pass(late.delay + timers.master_down_interval(backup.vrrp))
        until = cluster.timeline.now()
    heard = measures.heard(
        cluster.timeline, backup.name, backup.vrrp.vrid, struck - backup.vrrp.advert_int, until
    )
    took_over = measures.takeovers(cluster.timeline, backup.name, cluster.vip, struck, until)
    longest = max(after.at - before.at for before, after in pairwise(heard))

    assert took_over == []  # label: takeovers
    assert longest in cluster.within(Window.exactly(backup.vrrp.advert_int + late.delay))


@pytest.mark.control(
    "the backup hangs", fault=HangKeepalived, node="director2", caught="takes over"
)
def test_failover_happens_once_when_advertisements_are_too_late(cluster: Cluster) -> None:
    """A delay just longer lets the wait run out; the late advertisement then ends the reign at
    once, and as all that follow are equally late there is no other.
    """
    backup = cluster.settle().backup
    late = Impairment(delay=timers.tolerated_delay(backup.vrrp) + MARGIN, only="advertisements")
    due = timers.takeover(backup.vrrp, announced=False)
    cluster.timeline.let_pass(
        backup.vrrp.advert_int
    )  # the last advertisement before is a punctual one

    with cluster.suffering(Impaired(backup, late)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over
        reigned = backup.resigns(cluster.vip, since=struck + took, until=MARGIN)
        cluster.timeline.let_pass(timers.master_down_interval(backup.vrrp))
        until = cluster.timeline.now()

    assert took.within(due)
    assert reigned.within(Window.exactly(MARGIN))
    assert len(measures.takeovers(cluster.timeline, backup.name, cluster.vip, struck, until)) == 1


@HASTY
def test_failover_does_not_happen_under_jitter_that_the_wait_covers(cluster: Cluster) -> None:
    """Advertisements that are late by anything between nothing and nearly what is tolerated,
    out of order even.
    """
    backup = cluster.settle().backup
    half = (timers.tolerated_delay(backup.vrrp) - MARGIN) / 2

    with cluster.suffering(
        Impaired(backup, Impairment(delay=half, jitter=half, only="advertisements"))
    ) as struck:
        cluster.timeline.let_pass(30 * backup.vrrp.advert_int)
        until = cluster.timeline.now()
    heard = measures.heard(cluster.timeline, backup.name, backup.vrrp.vrid, struck, until)
    took_over = measures.takeovers(cluster.timeline, backup.name, cluster.vip, struck, until)

    assert took_over == []  # label: takeovers
    assert (
        max(later.at - earlier.at for earlier, later in pairwise(heard))
        > 1.5 * backup.vrrp.advert_int
    )
