"""When keepalived is due to act: pure arithmetic, each answer a Window in seconds from cause to effect.

The rules are those of RFC 3768 (VRRP version 2) and RFC 5798 / RFC 9568 (version 3), and of keepalived's
sources where the RFCs leave it to the implementation; they were read in 2.2.7 and 2.3.3. Work is taken to
cost no time, so a caller adds what its machine needs (``Window.with_slack``). Unless a function says
otherwise, every tracked script succeeds.
"""

from __future__ import annotations

from harness.clock import Window
from harness.errors import HarnessError
from harness.topology.services import HttpGet, VirtualService
from harness.topology.vrrp import OWNER_PRIORITY, VrrpInstance, VrrpScript

DOWN_TIMER_ADVERTS = 3
GARP_REPEAT = 5

# The soonest that a machine which stopped answering ARP ends a connect() before its timeout: three probes
# to the known address, one second apart, then as many broadcasts (net/core/neighbour.c: ucast_solicit,
# mcast_solicit, retrans_time).
UNREACHABLE_AFTER = 6.0


def skew(instance: VrrpInstance, master_advert_int: float | None = None) -> float:
    """Skew_Time in seconds: (256 - priority) / 256, in version 3 times the master's advertisement interval.

    RFC 3768 section 6.1, RFC 5798 and RFC 9568 section 6.1; keepalived ``vrrp.h``, VRRP_TIMER_SKEW. Without
    ``master_advert_int`` the master's interval is the instance's own.
    """
    share = (256 - instance.effective_priority()) / 256
    return share if instance.version == 2 else share * _master_interval(instance, master_advert_int)


def master_down_interval(instance: VrrpInstance, master_advert_int: float | None = None) -> float:
    """Master_Down_Interval in seconds: three advertisement intervals and the skew.

    RFC 3768 section 6.1; RFC 5798 section 6.1 and RFC 9568 (there Active_Down_Interval), where the interval
    is the one that the master advertises; keepalived ``vrrp.h``, VRRP_MS_DOWN_TIMER.
    """
    interval = _master_interval(instance, master_advert_int)
    return DOWN_TIMER_ADVERTS * interval + skew(instance, master_advert_int)


def takeover(backup: VrrpInstance, *, announced: bool, master_advert_int: float | None = None) -> Window:
    """From the loss of the master to the takeover by ``backup``.

    A master that resigns says so (priority 0) and costs the skew; of one that vanishes the last
    advertisement is up to an interval old, and the Master_Down_Interval counts from that. RFC 3768 and RFC
    5798 section 6.4.2; keepalived ``vrrp.c``, ``vrrp_state_backup``.
    """
    if announced:
        return _exactly(skew(backup, master_advert_int))
    return _since_last_advert(backup, master_advert_int)


def cold_start(*candidates: VrrpInstance) -> Window:
    """From the start of all ``candidates`` at once to the first master: the shortest Master_Down_Interval.

    RFC 3768 and RFC 5798 section 6.4.1: only the address owner need not wait. keepalived
    ``vrrp_scheduler.c``, ``vrrp_init_state``: ``state MASTER`` shortens nothing.
    """
    return _exactly(min(_own_wait(candidate) for candidate in candidates))


def failback(returning: VrrpInstance, master_advert_int: float | None = None) -> Window:
    """From the start of ``returning``, which has a higher priority than the master, to its takeover.

    It discards every advertisement, so its first Master_Down_Interval runs out (RFC 3768 and RFC 5798
    section 6.4.2, Preempt_Mode); with ``preempt_delay`` see :func:`preemption`. Raises HarnessError if
    ``returning`` never preempts.
    """
    if returning.preempt_delay:
        return preemption(returning, master_advert_int)
    _require_preemption(returning)
    return _exactly(_own_wait(returning))


def preemption(preempting: VrrpInstance, master_advert_int: float | None = None) -> Window:
    """From the moment the running backup ``preempting`` outranks the master to its takeover.

    The last advertisement that it accepted is up to an interval old; it discards the later ones, and its
    Master_Down_Interval runs on from that last one. A change of its own priority moves the timer's end by
    the change of the skew (keepalived ``vrrp_track.c``, ``vrrp_set_effective_priority``), as if the new one
    had counted all along. With ``preempt_delay``, which counts from the first lower advertisement, it
    accepts those until the delay is over (``vrrp.c``, ``vrrp_state_backup``). Raises HarnessError if it
    never preempts.
    """
    _require_preemption(preempting)
    if not preempting.preempt_delay:
        return _since_last_advert(preempting, master_advert_int)
    interval = _master_interval(preempting, master_advert_int)
    delay = preempting.preempt_delay
    wait = master_down_interval(preempting, master_advert_int)
    return Window(wait + max(delay - interval, 0.0), wait + delay + interval)


def reunion(higher: VrrpInstance, lower: VrrpInstance) -> Window:
    """From the moment two masters hear each other again to the resignation of ``lower``.

    Whichever advertises first, ``higher`` then answers at once (RFC 3768 and RFC 5798 section 6.4.3;
    keepalived ``vrrp.c``, ``vrrp_state_master_rx``).
    """
    return Window(0.0, min(higher.advert_int, lower.advert_int))


def script_failure(script: VrrpScript, run_time: float = 0.0) -> Window:
    """From the moment ``script`` would fail to its failing in keepalived's eyes: ``fall`` runs in a row.

    Runs start every ``interval`` however long they take, here ``run_time`` (keepalived ``vrrp_scheduler.c``,
    ``vrrp_script_thread`` and ``vrrp_script_child_thread``).
    """
    return _runs(script, script.fall, run_time)


def script_recovery(script: VrrpScript, run_time: float = 0.0) -> Window:
    """As :func:`script_failure`, from the moment ``script`` would succeed again: ``rise`` runs in a row."""
    return _runs(script, script.rise, run_time)


def switch(master: VrrpInstance, backup: VrrpInstance, script: VrrpScript, run_time: float = 0.0) -> Window:
    """From the moment ``script`` would fail on ``master`` to the takeover by ``backup``.

    A weighted failure shows in the master's next advertisement, the first that ``backup`` discards; one
    without weight is FAULT state, in which the master resigns (keepalived ``vrrp.c``,
    ``vrrp_state_leave_master``). Raises HarnessError if the VIP stays where it is.
    """
    detected = script_failure(script, run_time)
    left = master.effective_priority({script})
    if left == 0:
        return detected + takeover(backup, announced=True, master_advert_int=master.advert_int)
    if left >= backup.effective_priority():
        raise HarnessError(
            f"script {script.name} leaves {master.name} at priority {left}, not below the backup's"
            f" {backup.effective_priority()}: the VIP does not move; give it a weight beyond the gap"
        )
    return detected + preemption(backup, master.advert_int)


def switch_back(returning: VrrpInstance, master: VrrpInstance, script: VrrpScript, run_time: float = 0.0) -> Window:
    """From the moment ``script`` would succeed again on ``returning`` to its takeover from ``master``.

    Its restored priority outranks the master's advertisements (:func:`preemption`); from FAULT state it
    starts afresh (keepalived ``vrrp_scheduler.c``, ``try_up_instance``; :func:`failback`). Raises
    HarnessError if the VIP stays where it is.
    """
    if returning.effective_priority() <= master.effective_priority():
        raise HarnessError(
            f"{returning.name} at priority {returning.effective_priority()} does not outrank the master's"
            f" {master.effective_priority()}: the VIP does not move back"
        )
    resigned = returning.effective_priority({script}) == 0
    rule = failback if resigned else preemption
    return script_recovery(script, run_time) + rule(returning, master.advert_int)


def removal(service: VirtualService, *, black_hole: bool = False) -> Window:
    """From a real server's failure to its removal by the checker of ``service``.

    The next check is up to ``delay_loop`` away, and all of ``retry`` + 1 attempts must fail,
    ``delay_before_retry`` apart. An attempt on a refused connection or a wrong status takes no time, in a
    black hole ``connect_timeout``, unless the machine's ARP entry fails first. keepalived ``check_http.c``,
    ``epilog``. Raises HarnessError if nothing checks ``service``.
    """
    check, delay_loop = _checked(service)
    retries = check.retry * check.delay_before_retry
    if not black_hole:
        return Window(retries, delay_loop + retries)
    latest = delay_loop + (check.retry + 1) * check.connect_timeout + retries
    return Window(_soonest_in_black_hole(check), latest)


def recovery(service: VirtualService, *, black_hole: bool = False) -> Window:
    """From the recovery of a removed real server to its return by the checker of ``service``.

    A removed one is checked every max(``delay_loop``, ``delay_before_retry``), after an attempt in flight
    has ended. The first success only clears the failed URL; the check that follows ``delay_loop`` later
    brings the server back (keepalived ``check_http.c``, ``epilog``, since 2.0.17, unless
    ``fast_recovery``). Raises HarnessError if nothing checks ``service``.
    """
    check, delay_loop = _checked(service)
    in_flight = check.connect_timeout if black_hole else 0.0
    return Window(delay_loop, in_flight + max(delay_loop, check.delay_before_retry) + delay_loop)


def garp_schedule(instance: VrrpInstance) -> tuple[float, ...]:
    """When gratuitous ARPs for each VIP are due, in seconds after the takeover, ascending.

    Five at once and five more after ``garp_master_delay``, unless that is 0 (keepalived ``vrrp.c``,
    ``vrrp_state_master_tx``; ``vrrp_scheduler.c``, ``vrrp_gratuitous_arp_thread``).
    """
    rounds = (0, instance.garp_master_delay) if instance.garp_master_delay else (0,)
    return tuple(float(due) for due in rounds for _ in range(GARP_REPEAT))


def _exactly(seconds: float) -> Window:
    return Window(seconds, seconds)


def _master_interval(instance: VrrpInstance, master_advert_int: float | None) -> float:
    # Version 2 drops advertisements of another interval than its own.
    if instance.version == 2 or master_advert_int is None:
        return instance.advert_int
    return master_advert_int


def _since_last_advert(backup: VrrpInstance, master_advert_int: float | None) -> Window:
    wait = master_down_interval(backup, master_advert_int)
    return Window(wait - _master_interval(backup, master_advert_int), wait)


def _own_wait(starting: VrrpInstance) -> float:
    return 0.0 if starting.priority == OWNER_PRIORITY else master_down_interval(starting)


def _require_preemption(instance: VrrpInstance) -> None:
    if instance.nopreempt:
        raise HarnessError(f"{instance.name} has nopreempt: it never takes over from a master that is alive")


def _runs(script: VrrpScript, count: int, run_time: float) -> Window:
    return Window((count - 1) * script.interval, count * script.interval + run_time)


def _checked(service: VirtualService) -> tuple[HttpGet, float]:
    if service.check is None:
        raise HarnessError(f"virtual service {service.vip}:{service.port} has no check: no real server is removed")
    own = service.check.delay_loop
    return service.check, service.delay_loop if own is None else own


def _soonest_in_black_hole(check: HttpGet) -> float:
    elapsed = 0.0
    for attempt in range(check.retry + 1):
        if attempt:
            elapsed += check.delay_before_retry
        elapsed = min(elapsed + check.connect_timeout, max(elapsed, UNREACHABLE_AFTER))
    return elapsed
