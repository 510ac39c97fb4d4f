"""When keepalived is due to act: arithmetic, so these examples need no cluster."""

from __future__ import annotations

from harness.clock import Window
from harness.keepalived import timers
from harness.topology import HttpGet, TrackedBfd, VirtualService, VrrpInstance, VrrpScript
from tests.inside.api.shown import shows

SCRIPT = VrrpScript(name="check", script="/usr/bin/true", interval=2, fall=3, rise=2, weight=-20)
MASTER = VrrpInstance(vrid=51, vip="172.16.10.50", priority=100, track_scripts=(SCRIPT,))
BACKUP = VrrpInstance(vrid=51, vip="172.16.10.50", priority=90)
WEB = VirtualService("172.16.10.50", check=HttpGet(warmup=0), persistence_timeout=60)


@shows(timers.skew, timers.master_down_interval)
def test_the_skew() -> None:
    assert timers.skew(BACKUP) == (256 - 90) / 256
    assert timers.master_down_interval(BACKUP) == 3 + timers.skew(BACKUP)


@shows("Window.exactly")
def test_a_window_of_one_instant() -> None:
    due = timers.takeover(BACKUP, announced=True)
    assert due == Window.exactly(timers.skew(BACKUP))


@shows(timers.failback, timers.preemption)
def test_the_return_of_the_master() -> None:
    assert timers.failback(MASTER) == Window.exactly(timers.master_down_interval(MASTER))
    assert timers.preemption(MASTER).latest == timers.master_down_interval(MASTER)


@shows(timers.after_split_brain)
def test_the_end_of_a_split_brain() -> None:
    assert timers.after_split_brain(MASTER, BACKUP) == Window(0.0, 1.0)


@shows(timers.tolerated_delay)
def test_how_late_advertisements_may_be() -> None:
    assert timers.tolerated_delay(BACKUP) == 2 + timers.skew(BACKUP)


@shows(timers.garp_schedule)
def test_gratuitous_arp() -> None:
    due = timers.garp_schedule(MASTER)  # five at once, five after garp_master_delay
    assert due == (0.0,) * 5 + (5.0,) * 5


@shows(timers.recovery)
def test_a_real_server_that_comes_back() -> None:
    due = timers.recovery(WEB)
    assert due.latest >= WEB.delay_loop


@shows(timers.persistence)
def test_how_long_a_client_stays() -> None:
    assert timers.persistence(WEB).earliest == 60


@shows(timers.synchronisation)
def test_when_the_backup_knows_a_connection() -> None:
    assert timers.synchronisation().latest < 3.1


@shows(timers.script_failure, timers.script_recovery, timers.script_hang)
def test_a_script() -> None:
    assert timers.script_failure(SCRIPT) == Window(4, 6)  # three runs, two seconds apart
    assert timers.script_recovery(SCRIPT) == Window(2, 4)
    assert timers.script_hang(SCRIPT) == Window(10, 12)  # every second run is skipped


@shows(timers.bfd_failure)
def test_a_router_that_falls_silent() -> None:
    uplink = TrackedBfd(name="uplink", neighbour="10.0.1.1", min_rx=0.3)
    router = TrackedBfd(name="director", neighbour="10.0.1.11", multiplier=4)
    assert timers.bfd_failure(uplink, router).latest == 4 * 0.3


@shows(timers.priority_failover, timers.priority_failback)
def test_a_priority_that_falls_and_rises() -> None:
    assert timers.priority_failover(MASTER, BACKUP, left=80) == timers.preemption(BACKUP)
    assert timers.priority_failback(MASTER, BACKUP, left=80) == timers.preemption(MASTER)


@shows(timers.switch, timers.switch_back)
def test_a_script_that_moves_the_vip() -> None:
    there = timers.switch(MASTER, BACKUP, SCRIPT)
    assert there == timers.script_failure(SCRIPT) + timers.preemption(BACKUP)
    back = timers.switch_back(MASTER, BACKUP, SCRIPT)
    assert back == timers.script_recovery(SCRIPT) + timers.preemption(MASTER)
