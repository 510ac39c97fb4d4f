"""When a health checker removes a real server, and when it brings it back."""

from __future__ import annotations

from enum import Enum

from harness.clock import Window
from harness.errors import HarnessError
from harness.topology.checks import (
    Check,
    FileCheck,
    HttpGet,
    MiscCheck,
    Pace,
    PingCheck,
    SmtpCheck,
    TcpCheck,
    UdpCheck,
)
from harness.topology.services import VirtualService

# The soonest that a machine which stopped answering ARP ends a connect() before its timeout: three
# probes to the known address, one second apart, then as many broadcasts (net/core/neighbour.c:
# ucast_solicit, mcast_solicit, retrans_time).
UNREACHABLE_AFTER = 6.0

BOOTSTRAP_DELAY = 1.0
"""How long after its start keepalived begins to check, in seconds (``check_api.h``)."""

DELAYED_ACK = 0.05
"""How long a machine may take to acknowledge the end of a connection that nobody reads from, in
seconds (TCP_DELACK_MIN and a tick, ``net/tcp.h``): so long does ``close`` keep keepalived from all
else (SO_LINGER, ``layer4.c``).
"""


def late(seconds: float, tick: float | None = None) -> float:
    """How late the kernel's timer wheel may be with a timer of so many ``seconds``, in seconds.

    The longer the timer, the coarser the wheel: its steps are 1 tick for less than 63 ticks, and 8
    times as many for 8 times as long (``kernel/time/timer.c``, ``calc_wheel_index``). Where the
    ``tick`` of the kernel is not known, it is an eighth at the most.
    """
    if tick is None:
        return seconds / 8
    step = 1
    while round(seconds / tick) >= 63 * step:
        step *= 8
    return step * tick


def lingers(tick: float | None = None) -> Window:
    """How long ``close`` keeps keepalived from all else if nothing is acknowledged, in seconds:
    what ``layer4.c`` sets, and what the kernel is :func:`late` by (``net/ipv4/tcp.c``,
    ``tcp_close``).
    """
    return Window(5.0, 5.0 + late(5.0, tick))


LINGER = lingers()
"""The same on a kernel of which nothing is known."""

_CONNECTING = Window(1.0, 1.0)
"""When an unanswered SYN is sent again first (TCP_TIMEOUT_INIT, ``net/tcp.h``); and a question
about a hardware address (``retrans_time``).
"""

_ASKING = Window(0.2, 0.25)
"""When what is not acknowledged in a connection is sent again first: after TCP_RTO_MIN and a short
round trip (``net/ipv4/tcp_input.c``, ``tcp_set_rto``).
"""


class Symptom(Enum):
    """What a checker meets at a real server that is ill."""

    REFUSED = "it refuses or resets the connection, or answers wrongly: an attempt takes no time"
    SILENT = "it never answers: an attempt takes connect_timeout"
    HUNG = (
        "it takes the question and answers once it goes on: an attempt takes connect_timeout,"
        " and one that is under way at its recovery succeeds"
    )
    HALF_OPEN = (
        "it accepts a connection and acknowledges nothing in it: an attempt"
        " takes connect_timeout, its end LINGER"
    )
    BLACK_HOLE = (
        "nothing comes back, not even ARP: an attempt takes connect_timeout,"
        " or less once ARP has failed"
    )


def removal(
    service: VirtualService,
    symptom: Symptom = Symptom.REFUSED,
    *,
    one_url: bool = False,
    tick: float | None = None,
) -> Window:
    """From a real server's failure to its removal by the checker of ``service``.

    The next check is up to ``delay_loop`` away. Then all of ``retry`` + 1 attempts must fail,
    ``delay_before_retry`` apart (keepalived ``check_tcp.c``, ``tcp_epilog``; the others are alike).
    A checker with several URLs takes them in turn, so a single URL that fails (``one_url``) is
    checked only after up to ``delay_loop`` times their number (``check_http.c``, ``epilog``). With
    the ``tick`` of the kernel (:func:`late`) it is known better how long half-open connections
    linger.

    Raises HarnessError if nothing checks ``service``, or if its checker does not notice the
    symptom.
    """
    check, pace = _checked(service)
    if isinstance(check, FileCheck):
        return Window(0.0, 0.0)
    _require_notice(check, symptom)
    attempt = 0.0 if symptom is Symptom.REFUSED else pace.timeout
    soonest = _attempts(check, pace, attempt)
    turns = len(check.urls) if one_url and isinstance(check, HttpGet) else 1
    latest = turns * pace.delay_loop + soonest + _well(check, pace)
    if symptom is Symptom.BLACK_HOLE:
        return Window(_soonest_in_black_hole(pace), latest)
    closing = _closing(check, symptom, tick)
    return Window(soonest + pace.retry * closing.earliest, latest + pace.retry * closing.latest)


def recovery(
    service: VirtualService,
    symptom: Symptom = Symptom.REFUSED,
    *,
    unanswered: bool = False,
    tick: float | None = None,
) -> Window:
    """From the recovery of a removed real server to its return by the checker of ``service``.

    The checker goes on every ``delay_loop``, after an attempt that is under way has ended, and the
    first good check brings the server back. What a ``HUNG`` server was asked waits in its queue,
    so an attempt that is under way succeeds as soon as the server goes on. TCP sends again what a
    server has not heard, so an attempt that is under way may be heard before it has ended
    (:func:`_unheard`). A script's ``delay_loop`` counts from its last start on (``check_misc.c``,
    ``misc_check_child_thread``).
    ``check_tcp.c`` and ``check_smtp.c`` continue their retries meanwhile. HTTP_GET and SSL_GET only
    clear the failed URL by that: all URLs are then checked again, ``delay_loop`` apart, before the
    server comes back (``check_http.c``, ``epilog``, since 2.0.17, unless ``fast_recovery``).
    UDP_CHECK without ``require_reply`` takes any answer for a good one; if the real server leaves
    what it sends ``unanswered``, it waits for an error for ``connect_timeout`` before it brings the
    server back (``layer4.c``, ``udp_socket_state``).

    Raises HarnessError if nothing checks ``service``, or if its checker does not notice the
    symptom.
    """
    check, pace = _checked(service)
    if isinstance(check, FileCheck):
        return Window(0.0, 0.0)
    _require_notice(check, symptom)
    whole = _attempt(check, pace, symptom, tick)
    in_flight, again = whole, _again(check, pace, whole)
    if symptom is Symptom.HALF_OPEN:
        in_flight = _unheard(whole, _ASKING, tick)
    elif symptom is Symptom.BLACK_HOLE and isinstance(check, HttpGet | TcpCheck | SmtpCheck):
        in_flight = _unheard(whole, _CONNECTING, tick)
    if isinstance(check, HttpGet) and not check.fast_recovery:
        afresh = len(check.urls) * pace.delay_loop
        return Window(afresh, in_flight + again + afresh)
    # A question that is under way, which a refused one never is, may end well at any moment.
    soonest = _well(check, pace) if unanswered and symptom is Symptom.REFUSED else 0.0
    return Window(soonest, in_flight + again + _well(check, pace))


def looks(service: VirtualService, symptom: Symptom) -> float:
    """How many seconds there are at the most between two looks of the checker of ``service`` at a
    server that it has removed, and that is still ill.

    Raises HarnessError as :func:`recovery` does.
    """
    check, pace = _checked(service)
    if isinstance(check, FileCheck):
        return 0.0
    _require_notice(check, symptom)
    attempt = _attempt(check, pace, symptom)
    return attempt + _again(check, pace, attempt) + _well(check, pace)


def first_check(service: VirtualService) -> Window:
    """From the start of checking to the end of the first check of a real server that is well.

    Checks begin at random within ``warmup``, and not before one second has passed (``check_api.c``,
    ``register_checkers_thread``). Several URLs are checked in turn. Raises HarnessError if nothing
    checks ``service``.
    """
    check, pace = _checked(service)
    turns = len(check.urls) - 1 if isinstance(check, HttpGet) and not check.fast_recovery else 0
    begun = Window(BOOTSTRAP_DELAY, BOOTSTRAP_DELAY + pace.warmup)
    return begun + Window(turns * pace.delay_loop, turns * pace.delay_loop + _well(check, pace))


def _checked(service: VirtualService) -> tuple[Check, Pace]:
    if not service.checks:
        raise HarnessError(
            f"virtual service {service.vip}:{service.port} has no check: no real server is removed"
        )
    if len(service.checks) > 1:
        raise HarnessError(
            f"virtual service {service.vip}:{service.port} has several checks: ask for"
            " one at a time"
        )
    (check,) = service.checks
    return check, check.pace(service.delay_loop)


def _require_notice(check: Check, symptom: Symptom) -> None:
    blind = symptom in (Symptom.SILENT, Symptom.HUNG, Symptom.HALF_OPEN) and (
        isinstance(check, TcpCheck) or (isinstance(check, UdpCheck) and not check.require_reply)
    )
    if blind or (isinstance(check, PingCheck) and symptom is Symptom.REFUSED):
        raise HarnessError(
            f"{type(check).__name__} does not notice a real server of which holds: {symptom.value}"
        )


def _attempts(check: Check, pace: Pace, attempt: float) -> float:
    """How many seconds all attempts at a server that fails take.

    A script is tried again from its last start on (``check_misc.c``).
    """
    between = (
        max(pace.delay_before_retry - attempt, 0.0)
        if isinstance(check, MiscCheck)
        else pace.delay_before_retry
    )
    return (pace.retry + 1) * attempt + pace.retry * between


def _again(check: Check, pace: Pace, attempt: float) -> float:
    """How many seconds after the end of an attempt at a removed server the next one begins, at the
    latest.
    """
    if isinstance(check, MiscCheck):
        return max(pace.delay_loop - attempt, 0.0)
    if isinstance(check, HttpGet) or (isinstance(check, TcpCheck | SmtpCheck) and pace.retry):
        return max(pace.delay_loop, pace.delay_before_retry)
    return pace.delay_loop


def _attempt(check: Check, pace: Pace, symptom: Symptom, tick: float | None = None) -> float:
    """How many seconds an attempt takes at the most, from its begin to its end; of a server that is
    ``HUNG``, once it goes on.
    """
    waiting = 0.0 if symptom in (Symptom.REFUSED, Symptom.HUNG) else pace.timeout
    return waiting + _closing(check, symptom, tick).latest


def _unheard(whole: float, first: Window, tick: float | None) -> float:
    """The longest time from a moment of an attempt, which takes ``whole`` seconds, to its end or to
    the next time that it sends what nobody has heard, whichever comes sooner.

    That is sent again after ``first``, and each time after twice as long as the time before
    (``net/ipv4/tcp_timer.c``, ``tcp_retransmit_timer``), which may be :func:`late`.
    """
    longest, sent, factor = 0.0, 0.0, 1
    while sent < whole:
        pause = first.latest * factor
        longest = max(longest, min(pause + late(pause, tick), whole - sent))
        sent += first.earliest * factor
        factor *= 2
    return longest


def _closing(check: Check, symptom: Symptom, tick: float | None = None) -> Window:
    """How long the end of a failed attempt takes."""
    if symptom is Symptom.HALF_OPEN:
        return lingers(tick)
    return Window(
        0.0,
        DELAYED_ACK
        if symptom in (Symptom.SILENT, Symptom.HUNG) and isinstance(check, HttpGet | SmtpCheck)
        else 0.0,
    )


def _well(check: Check, pace: Pace) -> float:
    """The longest time that a good check may take.

    UDP_CHECK without a reply waits for an error for as long as it may.
    """
    return pace.timeout if isinstance(check, UdpCheck) and not check.require_reply else 0.0


def _soonest_in_black_hole(pace: Pace) -> float:
    elapsed = 0.0
    for attempt in range(pace.retry + 1):
        if attempt:
            elapsed += pace.delay_before_retry
        elapsed = min(elapsed + pace.timeout, max(elapsed, UNREACHABLE_AFTER))
    return elapsed
