"""Protocol arithmetic of VRRP and of what it tracks: the figures that keepalived was measured to
keep, and the ends of each window.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.clock import Window
from harness.errors import HarnessError
from harness.keepalived import timers
from harness.keepalived.version import Version
from harness.topology.tracking import TrackedBfd, VrrpScript, maintenance_switch
from harness.topology.vrrp import VrrpInstance

VIP = "172.16.10.50"
SWITCH = maintenance_switch()
MASTER = VrrpInstance(vrid=51, vip=VIP, priority=100, track_scripts=(SWITCH,))
BACKUP = VrrpInstance(vrid=51, vip=VIP, priority=90, track_scripts=(SWITCH,))


def about(earliest: float, latest: float) -> object:
    return pytest.approx((earliest, latest), abs=0.0005)


def ends(window: Window) -> tuple[float, float]:
    return (window.earliest, window.latest)


@pytest.mark.parametrize(
    ("priority", "advert_int", "version", "interval"),
    [
        (100, 1, 2, 3.609),
        (90, 1, 2, 3.648),
        (100, 2, 2, 6.609),  # version 2: the skew does not grow with the interval
        (100, 1, 3, 3.609),
        (100, 2, 3, 7.219),
        (90, 0.25, 3, 0.912),
        (255, 1, 2, 3.004),
    ],
)
def test_master_down_interval(
    priority: int, advert_int: float, version: int, interval: float
) -> None:
    instance = replace(MASTER, priority=priority, advert_int=advert_int, version=version)
    assert timers.master_down_interval(instance) == pytest.approx(interval, abs=0.0005)


def test_master_down_interval_of_more_intervals_than_three() -> None:
    """keepalived.conf(5), ``down_timer_adverts``."""
    assert timers.master_down_interval(replace(MASTER, down_timer_adverts=5)) == pytest.approx(
        5.609, abs=0.0005
    )
    later = replace(BACKUP, down_timer_adverts=5)
    assert ends(timers.takeover(later, announced=False)) == about(4.648, 5.648)


def test_version_3_follows_the_interval_that_the_master_advertises() -> None:
    assert timers.master_down_interval(replace(BACKUP, version=3), 0.5) == pytest.approx(
        1.824, abs=0.0005
    )
    assert timers.master_down_interval(BACKUP, 0.5) == pytest.approx(3.648, abs=0.0005)


def test_silent_loss_counts_from_the_last_advertisement() -> None:
    assert ends(timers.takeover(BACKUP, announced=False)) == about(2.648, 3.648)


def test_announced_loss_costs_the_skew() -> None:
    assert ends(timers.takeover(BACKUP, announced=True)) == about(0.648, 0.648)


def test_tolerated_delay_is_the_wait_after_the_first_advertisement_that_is_missed() -> None:
    assert timers.tolerated_delay(BACKUP) == pytest.approx(2.648, abs=0.0005)
    assert timers.tolerated_delay(replace(BACKUP, version=3, advert_int=0.1)) == pytest.approx(
        0.265, abs=0.0005
    )


def test_cold_start_is_won_by_the_shortest_wait() -> None:
    assert ends(timers.cold_start(BACKUP, replace(MASTER, state="MASTER"))) == about(3.609, 3.609)


def test_address_owner_does_not_wait() -> None:
    owner = replace(MASTER, priority=255, state="MASTER")
    assert timers.cold_start(BACKUP, owner) == Window(0.0, 0.0)
    assert timers.cold_start(BACKUP, replace(owner, state="BACKUP")).latest == pytest.approx(
        3 + 1 / 256
    )
    assert timers.cold_start(BACKUP, replace(owner, priority=254)).latest == pytest.approx(
        3 + 2 / 256
    )


def test_failback_is_the_returning_ones_own_wait() -> None:
    assert ends(timers.failback(MASTER)) == about(3.609, 3.609)


def test_preempt_delay_counts_from_the_first_lower_advertisement() -> None:
    assert ends(timers.failback(replace(MASTER, preempt_delay=5.0))) == about(7.609, 9.609)
    assert ends(timers.preemption(replace(MASTER, preempt_delay=0.5))) == about(3.609, 5.109)


def test_nopreempt_never_preempts() -> None:
    for rule in (timers.failback, timers.preemption):
        with pytest.raises(HarnessError, match="nopreempt"):
            rule(replace(MASTER, nopreempt=True))


def test_reunited_masters_settle_within_an_advertisement() -> None:
    assert timers.after_split_brain(MASTER, replace(BACKUP, advert_int=2.0)) == Window(0.0, 1.0)


def test_weighted_failure_is_detected_then_the_backup_waits() -> None:
    assert ends(timers.switch(MASTER, BACKUP, SWITCH)) == about(2.648, 4.648)
    assert ends(timers.switch_back(MASTER, BACKUP, SWITCH, run_time=0.1)) == about(2.609, 4.709)


def test_unweighted_failure_resigns_and_recovers_afresh() -> None:
    fatal = replace(SWITCH, weight=0)
    master = replace(MASTER, track_scripts=(fatal,))
    assert ends(timers.switch(master, BACKUP, fatal)) == about(0.648, 1.648)
    assert ends(timers.switch_back(master, BACKUP, fatal)) == about(3.609, 4.609)


@pytest.mark.parametrize("priority", [80, 70])
def test_switch_that_leaves_the_backup_no_higher_moves_nothing(priority: int) -> None:
    with pytest.raises(HarnessError, match="does not move"):
        timers.switch(MASTER, replace(BACKUP, priority=priority), SWITCH)


@pytest.mark.parametrize("priority", [90, 89])
def test_switch_back_to_a_director_that_is_no_higher_moves_nothing(priority: int) -> None:
    with pytest.raises(HarnessError, match="does not move back"):
        timers.switch_back(replace(MASTER, priority=priority), BACKUP, SWITCH)


def test_fall_and_rise_are_runs_in_a_row() -> None:
    script = VrrpScript(name="slow", script="/bin/true", interval=2, fall=3, rise=2)
    assert timers.script_failure(script, run_time=0.5) == Window(4, 6.5)
    assert timers.script_recovery(script) == Window(2, 4)


def test_gratuitous_arps_come_in_two_rounds() -> None:
    assert timers.garp_schedule(MASTER) == (0.0,) * 5 + (5.0,) * 5
    assert timers.garp_schedule(replace(MASTER, garp_master_delay=0)) == (0.0,) * 5
    assert timers.garp_schedule(replace(MASTER, garp_master_delay=2, garp_master_repeat=1)) == (
        0.0,
        2.0,
    )


def test_gratuitous_arp_is_refreshed_with_the_next_advertisement() -> None:
    refreshed = replace(MASTER, garp_master_delay=0, garp_master_repeat=1, garp_master_refresh=3)
    assert timers.garp_schedule(refreshed, 7) == (0.0, 3.0, 6.0)
    slower = replace(refreshed, advert_int=2, garp_master_refresh_repeat=2)
    assert timers.garp_schedule(slower, 9) == (0.0, 4.0, 4.0, 8.0, 8.0)
    assert timers.garp_schedule(refreshed, 7, Version("2.2.7")) == (0.0, 3.0, 6.0)


def test_gratuitous_arp_is_refreshed_from_the_second_round_on_since_2_3() -> None:
    refreshed = replace(MASTER, garp_master_delay=5, garp_master_repeat=1, garp_master_refresh=3)
    assert timers.garp_schedule(refreshed, 11, Version("2.3.3")) == (0.0, 5.0, 8.0, 11.0)
    assert timers.garp_schedule(refreshed, 11, Version("2.2.7")) == (0.0, 3.0, 5.0, 6.0, 9.0)


@pytest.mark.parametrize(
    ("weight", "failing", "idle"),
    [(-20, 80, 100), (30, 100, 130), (0, 0, 100), (-120, 1, 100), (200, 100, 254)],
)
def test_effective_priority(weight: int, failing: int, idle: int) -> None:
    script = replace(SWITCH, weight=weight)
    instance = replace(MASTER, track_scripts=(script,))
    assert instance.effective_priority() == idle
    assert instance.effective_priority({script}) == failing


def test_address_owners_priority_stays() -> None:
    assert replace(MASTER, priority=255).effective_priority({SWITCH}) == 255


def test_connections_are_told_within_flush_time_and_check_period() -> None:
    assert ends(timers.synchronisation()) == about(0, 3.02)


def test_a_silent_neighbour_is_known_after_its_multiplier_of_the_agreed_interval() -> None:
    own = TrackedBfd(name="own", neighbour="10.0.1.1", min_rx=0.3, multiplier=9)
    neighbour = TrackedBfd(name="router", neighbour="10.0.1.11", min_tx=0.1, multiplier=4)
    assert ends(timers.bfd_failure(own, neighbour)) == about(0.9, 1.2)
    assert ends(timers.bfd_failure(replace(own, min_rx=0.05), neighbour)) == about(0.3, 0.4)


def test_a_script_that_hangs_fails_a_timeout_after_each_start() -> None:
    script = VrrpScript(name="chk", script="/bin/true", interval=3, timeout=1, fall=2)
    assert ends(timers.script_hang(script)) == about(4.0, 7.0)
    assert ends(timers.script_hang(replace(script, timeout=None, fall=1))) == about(3.0, 6.0)
    assert ends(timers.script_hang(replace(script, timeout=None))) == about(9.0, 12.0)
    assert ends(timers.script_hang(replace(script, timeout=7))) == about(16.0, 19.0)


def test_a_master_is_displaced_by_what_it_advertises_or_by_its_resignation() -> None:
    assert timers.priority_failover(MASTER, BACKUP, left=0) == timers.takeover(
        BACKUP, announced=True
    )
    assert timers.priority_failover(MASTER, BACKUP, left=80) == timers.preemption(BACKUP)
    with pytest.raises(HarnessError, match="left at priority 90, not below the backup's 90"):
        timers.priority_failover(MASTER, BACKUP, left=90)


def test_one_is_reinstated_from_fault_afresh_and_from_backup_by_preemption() -> None:
    assert timers.priority_failback(MASTER, BACKUP, left=0) == timers.failback(MASTER)
    assert timers.priority_failback(MASTER, BACKUP, left=80) == timers.preemption(MASTER)
    with pytest.raises(HarnessError, match="does not outrank"):
        timers.priority_failback(BACKUP, MASTER, left=0)
