"""Arithmetic of services: how soon and how late a checker takes a real server out and back in,
when there is a quorum, and how long persistence lasts.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.clock import Window
from harness.errors import HarnessError
from harness.keepalived import timers
from harness.keepalived.timers import checking
from harness.topology.checks import (
    Check,
    DnsCheck,
    FileCheck,
    HttpGet,
    MiscCheck,
    PingCheck,
    SmtpCheck,
    SslGet,
    TcpCheck,
    UdpCheck,
    Url,
)
from harness.topology.services import VirtualService
from harness.topology.tracking import TrackedFile

VIP = "172.16.10.50"
WEB = VirtualService(
    VIP, delay_loop=2.0, check=HttpGet(connect_timeout=2.0, retry=1, delay_before_retry=1.0)
)


def test_removal_of_a_server_that_refuses() -> None:
    assert timers.removal(WEB) == Window(1.0, 3.0)


def test_removal_of_a_server_in_a_black_hole_waits_for_every_attempt() -> None:
    assert timers.removal(WEB, timers.Symptom.BLACK_HOLE) == Window(5.0, 7.0)


def test_arp_failure_may_shorten_attempts_in_a_black_hole() -> None:
    patient = replace(WEB, check=HttpGet(connect_timeout=5.0, retry=2, delay_before_retry=3.0))
    # first attempt 0 to 5 s, second from 8 s on, third from 11 s on, with nothing left to wait for
    assert timers.removal(patient, timers.Symptom.BLACK_HOLE) == Window(11.0, 23.0)


def test_recovery_takes_two_successful_checks() -> None:
    assert timers.recovery(WEB) == Window(2.0, 4.0)


def test_a_syn_is_sent_again_to_a_server_that_nothing_reached() -> None:
    """An attempt of 2 s is heard 1 s after its begin, if the timer is not late by an eighth."""
    assert timers.recovery(WEB, timers.Symptom.BLACK_HOLE) == Window(2.0, 5.125)
    assert timers.recovery(WEB, timers.Symptom.BLACK_HOLE, tick=0.01) == Window(2.0, 5.08)
    patient = replace(WEB, check=TcpCheck(connect_timeout=5))
    # sent at 0, 1 and 3 s: the longest silence is the one from 1 s on
    assert timers.recovery(patient, timers.Symptom.BLACK_HOLE) == Window(0.0, 4.25)
    blind = replace(WEB, check=PingCheck(connect_timeout=5))
    assert timers.recovery(blind, timers.Symptom.BLACK_HOLE) == Window(0.0, 7.0)


def test_a_request_is_sent_again_while_its_connection_lingers() -> None:
    """In 1 s and 5 s, and what the timer is late by: at 0.2, 0.6, 1.4 and 3 s, so the last silence
    is the longest.
    """
    brief = replace(WEB, check=HttpGet(connect_timeout=1, delay_before_retry=1))
    found = timers.recovery(brief, timers.Symptom.HALF_OPEN)
    assert found.latest == pytest.approx(2 + 2 + 6.625 - 3.0)
    known = timers.recovery(brief, timers.Symptom.HALF_OPEN, tick=0.01)
    assert known.latest == pytest.approx(2 + 2 + 6.08 - 3.0)


@pytest.mark.parametrize(
    ("tick", "late"), [(0.01, 0.08), (0.004, 0.256), (1 / 300, 64 / 300), (0.001, 0.512)]
)
def test_a_kernel_s_timer_is_late_by_a_step_of_its_wheel(tick: float, late: float) -> None:
    assert checking.lingers(tick).latest - 5.0 == pytest.approx(late)
    assert checking.late(0.03, 0.01) == pytest.approx(0.01)
    assert late <= checking.late(5.0)


@pytest.mark.parametrize("symptom", timers.Symptom)
def test_looks_at_an_ill_server_are_an_attempt_and_a_pause_apart(symptom: timers.Symptom) -> None:
    attempt = {
        timers.Symptom.REFUSED: 0.0,
        timers.Symptom.HUNG: 0.05,
        timers.Symptom.SILENT: 2.05,
        timers.Symptom.HALF_OPEN: 2 + 5.625,
        timers.Symptom.BLACK_HOLE: 2.0,
    }[symptom]
    assert checking.looks(WEB, symptom) == pytest.approx(attempt + 2.0)


def test_checks_own_delay_loop_goes_before_the_services() -> None:
    quick = replace(WEB, check=HttpGet(delay_loop=0.5, retry=0, delay_before_retry=2.0))
    assert timers.removal(quick) == Window(0.0, 0.5)
    assert timers.recovery(quick) == Window(0.5, 2.5)


# Checkers at keepalived's own pace, in a service with a delay_loop of 2 s: how soon and how late a
# real server leaves.
@pytest.mark.parametrize(
    ("check", "symptom", "window"),
    [
        (HttpGet(), timers.Symptom.REFUSED, Window(3, 5)),
        (HttpGet(), timers.Symptom.SILENT, Window(13, 15.05)),
        (HttpGet(), timers.Symptom.HALF_OPEN, Window(18, 20.625)),
        (HttpGet(more=(Url("/more"),)), timers.Symptom.REFUSED, Window(3, 5)),
        (SslGet(retry=0), timers.Symptom.SILENT, Window(5, 7)),
        (TcpCheck(), timers.Symptom.REFUSED, Window(1, 3)),
        (TcpCheck(connect_timeout=1), timers.Symptom.BLACK_HOLE, Window(3, 5)),
        (SmtpCheck(connect_timeout=1), timers.Symptom.SILENT, Window(3, 5.05)),
        (DnsCheck(), timers.Symptom.REFUSED, Window(6, 8)),
        (DnsCheck(connect_timeout=1, retry=1), timers.Symptom.SILENT, Window(4, 6)),
        (DnsCheck(connect_timeout=1, retry=1), timers.Symptom.HUNG, Window(4, 6)),
        (UdpCheck(connect_timeout=1), timers.Symptom.REFUSED, Window(1, 4)),
        (UdpCheck(connect_timeout=1, require_reply=True), timers.Symptom.SILENT, Window(3, 5)),
        (PingCheck(connect_timeout=1), timers.Symptom.SILENT, Window(3, 5)),
        (MiscCheck("/bin/true"), timers.Symptom.REFUSED, Window(0, 2)),
        (MiscCheck("/bin/true"), timers.Symptom.SILENT, Window(2, 4)),
        (MiscCheck("/bin/true", timeout=1, retry=2), timers.Symptom.SILENT, Window(3, 5)),
        (
            FileCheck(TrackedFile(name="weight", path="/weight")),
            timers.Symptom.REFUSED,
            Window(0, 0),
        ),
    ],
)
def test_removal_by_each_checker(check: Check, symptom: timers.Symptom, window: Window) -> None:
    assert timers.removal(replace(WEB, check=check), symptom) == window


def test_removal_for_one_of_several_urls_waits_for_its_turn() -> None:
    several = replace(WEB, check=HttpGet(more=(Url("/more"), Url("/most"))))
    assert timers.removal(several, one_url=True) == Window(3, 9)
    assert timers.recovery(several) == Window(6, 9)


@pytest.mark.parametrize(
    ("check", "symptom", "window"),
    [
        (HttpGet(fast_recovery=True), timers.Symptom.REFUSED, Window(0, 3)),
        (TcpCheck(delay_before_retry=3), timers.Symptom.REFUSED, Window(0, 3)),
        (SmtpCheck(delay_before_retry=3, retry=0), timers.Symptom.REFUSED, Window(0, 2)),
        (DnsCheck(delay_before_retry=3), timers.Symptom.REFUSED, Window(0, 2)),
        (PingCheck(connect_timeout=1), timers.Symptom.SILENT, Window(0, 3)),
        (DnsCheck(connect_timeout=1), timers.Symptom.SILENT, Window(0, 3)),
        (MiscCheck("/bin/true"), timers.Symptom.REFUSED, Window(0, 2)),
        (MiscCheck("/bin/true", timeout=1), timers.Symptom.SILENT, Window(0, 2)),
        (MiscCheck("/bin/true", timeout=3), timers.Symptom.SILENT, Window(0, 3)),
        (DnsCheck(connect_timeout=1), timers.Symptom.HUNG, Window(0, 2)),
        (SmtpCheck(connect_timeout=1, retry=0), timers.Symptom.HUNG, Window(0, 2.05)),
        (HttpGet(delay_before_retry=1), timers.Symptom.HUNG, Window(2, 4.05)),
        (UdpCheck(connect_timeout=1), timers.Symptom.REFUSED, Window(0, 3)),
        (
            FileCheck(TrackedFile(name="weight", path="/weight")),
            timers.Symptom.REFUSED,
            Window(0, 0),
        ),
    ],
)
def test_recovery_by_each_checker(check: Check, symptom: timers.Symptom, window: Window) -> None:
    assert timers.recovery(replace(WEB, check=check), symptom) == window


@pytest.mark.parametrize(
    ("check", "symptom", "window"),
    [
        (UdpCheck(connect_timeout=1), timers.Symptom.REFUSED, Window(1, 3)),
        (UdpCheck(connect_timeout=1), timers.Symptom.BLACK_HOLE, Window(0, 4)),
        (
            UdpCheck(connect_timeout=1, require_reply=True),
            timers.Symptom.REFUSED,
            Window(0, 2),
        ),
    ],
)
def test_recovery_of_a_server_that_never_answers_takes_a_connect_timeout(
    check: Check, symptom: timers.Symptom, window: Window
) -> None:
    assert timers.recovery(replace(WEB, check=check), symptom, unanswered=True) == window


@pytest.mark.parametrize(
    ("check", "symptom"),
    [
        (TcpCheck(), timers.Symptom.SILENT),
        (TcpCheck(), timers.Symptom.HUNG),
        (UdpCheck(), timers.Symptom.SILENT),
        (PingCheck(), timers.Symptom.REFUSED),
    ],
)
def test_what_a_checker_does_not_notice_has_no_removal(
    check: Check, symptom: timers.Symptom
) -> None:
    for rule in (timers.removal, timers.recovery):
        with pytest.raises(HarnessError, match="does not notice"):
            rule(replace(WEB, check=check), symptom)


def test_first_check_comes_after_a_second_and_the_warmup() -> None:
    assert timers.first_check(replace(WEB, check=TcpCheck())) == Window(1, 3)
    assert timers.first_check(replace(WEB, check=TcpCheck(warmup=0))) == Window(1, 1)
    assert timers.first_check(
        replace(WEB, check=HttpGet(warmup=0.5, more=(Url("/more"),)))
    ) == Window(3, 3.5)


@pytest.mark.parametrize(
    ("live", "had", "has"),
    [
        (4, False, False),
        (5, False, True),
        (1, True, True),
        (0, True, False),
        (3, False, False),
        (2, True, True),
    ],
)
def test_quorum_is_lost_below_its_hysteresis_and_gained_above_it(
    live: int, had: bool, has: bool
) -> None:
    assert replace(WEB, quorum=3, hysteresis=2).has_quorum(live, had) is has


def test_several_checks_have_no_removal_of_their_own() -> None:
    with pytest.raises(HarnessError, match="has several checks"):
        timers.removal(replace(WEB, check=(TcpCheck(), PingCheck())))


def test_service_without_check_has_no_removal() -> None:
    for rule in (timers.removal, timers.recovery):
        with pytest.raises(HarnessError, match="has no check"):
            rule(VirtualService(VIP))


def test_persistence_is_the_services_own_and_a_timer_may_be_late_by_an_eighth() -> None:
    assert timers.persistence(VirtualService(VIP, persistence_timeout=80)) == Window(80, 90)
    with pytest.raises(HarnessError, match="has no persistence_timeout"):
        timers.persistence(VirtualService(VIP))
