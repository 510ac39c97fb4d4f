"""Who becomes master, when, and what it announces, by RFC 3768, RFC 5798 and RFC 9568."""

from __future__ import annotations

import math

from harness.clock import Window
from harness.errors import HarnessError
from harness.keepalived import version
from harness.topology.vrrp import OWNER_PRIORITY, VrrpInstance


def skew(instance: VrrpInstance, master_advert_int: float | None = None) -> float:
    """Skew_Time in seconds: (256 - priority) / 256.

    In version 3 that is multiplied by the master's advertisement interval, which is the instance's
    own without ``master_advert_int``. RFC 3768 section 6.1, RFC 5798 and RFC 9568 section 6.1;
    keepalived ``vrrp.h``, VRRP_TIMER_SKEW.
    """
    share = (256 - instance.effective_priority()) / 256
    return share if instance.version == 2 else share * _master_interval(instance, master_advert_int)


def master_down_interval(instance: VrrpInstance, master_advert_int: float | None = None) -> float:
    """Master_Down_Interval in seconds: three advertisement intervals (``down_timer_adverts``) and
    the skew.

    RFC 3768 section 6.1; RFC 5798 section 6.1 and RFC 9568 (there Active_Down_Interval), where the
    interval is the one that the master advertises; keepalived ``vrrp.h``, VRRP_MS_DOWN_TIMER.
    Before 2.2 a keepalived that was master itself and gives way keeps its own interval until the
    next advertisement that it hears as a backup (commit 630f8133; the conformance scenarios have it
    as a regression).
    """
    interval = _master_interval(instance, master_advert_int)
    return instance.down_timer_adverts * interval + skew(instance, master_advert_int)


def takeover(
    backup: VrrpInstance, *, announced: bool, master_advert_int: float | None = None
) -> Window:
    """From the loss of the master to the takeover by ``backup``.

    A master that resigns announces that with priority 0 (``announced``), and then the backup waits
    for its skew. The last advertisement of a master that vanishes is up to one interval old, and
    from then the Master_Down_Interval counts. RFC 3768 and RFC 5798 section 6.4.2; keepalived
    ``vrrp.c``, ``vrrp_state_backup``.
    """
    if announced:
        return Window.exactly(skew(backup, master_advert_int))
    return _since_last_advert(backup, master_advert_int)


def cold_start(*candidates: VrrpInstance) -> Window:
    """From the start of all ``candidates`` at the same time to the first master.

    That is the shortest of their Master_Down_Intervals. Only the address owner need not wait (RFC
    3768 and RFC 5798 section 6.4.1). To be that, an instance needs both priority 255 and ``state
    MASTER`` (keepalived ``vrrp_scheduler.c``, ``vrrp_init_state``).
    """
    return Window.exactly(min(_own_wait(candidate) for candidate in candidates))


def failback(returning: VrrpInstance, master_advert_int: float | None = None) -> Window:
    """From the start of ``returning``, whose priority is above the master's, to its takeover.

    It discards every advertisement of the master, so its first Master_Down_Interval runs out (RFC
    3768 and RFC 5798 section 6.4.2, Preempt_Mode). With ``preempt_delay`` see :func:`preemption`.
    Raises HarnessError if ``returning`` never preempts.
    """
    if returning.preempt_delay:
        return preemption(returning, master_advert_int)
    _require_preemption(returning)
    return Window.exactly(_own_wait(returning))


def preemption(preempting: VrrpInstance, master_advert_int: float | None = None) -> Window:
    """From the moment at which a running backup outranks the master to its takeover.

    The last advertisement that the backup accepted is up to one interval old. It discards the later
    ones, so its Master_Down_Interval counts from that one. If its own priority has changed, the end
    of the timer moves by the change of the skew, as if the new priority had counted all along
    (keepalived ``vrrp_track.c``, ``vrrp_set_effective_priority``). With ``preempt_delay``, which
    counts from the first lower advertisement, the backup accepts advertisements until the delay is
    over (``vrrp.c``, ``vrrp_state_backup``). Raises HarnessError if it never preempts.
    """
    _require_preemption(preempting)
    if not preempting.preempt_delay:
        return _since_last_advert(preempting, master_advert_int)
    interval = _master_interval(preempting, master_advert_int)
    delay = preempting.preempt_delay
    wait = master_down_interval(preempting, master_advert_int)
    return Window(wait + max(delay - interval, 0.0), wait + delay + interval)


def after_split_brain(
    higher: VrrpInstance, lower: VrrpInstance, *, overdue: bool = False
) -> Window:
    """From the moment at which two masters hear each other again to the resignation of ``lower``.

    Whichever of them advertises first, ``higher`` then answers at once (RFC 3768 and RFC 5798
    section 6.4.3; keepalived ``vrrp.c``, ``vrrp_state_master_rx``). A ``higher`` that had stood
    still for longer than its interval has its advertisement ``overdue``, and sends it as soon as it
    runs (``lib/scheduler.c``, ``thread_fetch_next_queue``).
    """
    if overdue:
        return Window.exactly(0.0)
    return Window(0.0, min(higher.advert_int, lower.advert_int))


def tolerated_delay(backup: VrrpInstance, master_advert_int: float | None = None) -> float:
    """By how many seconds all advertisements may suddenly be late before ``backup`` takes over.

    The first late one comes so much later than one interval after the last punctual one, and the
    Master_Down_Interval must not run out before it. Delays that differ from one advertisement to
    the next add up in the same way.
    """
    return master_down_interval(backup, master_advert_int) - _master_interval(
        backup, master_advert_int
    )


REFRESH_AFTER_SECOND_ROUND = version.parse("2.3")
"""Since when ``garp_master_refresh`` counts from the second round on: 2.2.7 counts from the
takeover (measured).
"""


def garp_schedule(
    instance: VrrpInstance, lasting: float | None = None, keepalived: version.Version | None = None
) -> tuple[float, ...]:
    """When gratuitous ARPs for each VIP are due, in seconds after the takeover, ascending.

    ``garp_master_repeat`` at once and as many after ``garp_master_delay``, unless that is 0. With
    ``garp_master_refresh`` others accompany the first advertisement after each such interval, here
    those of a reign of ``lasting`` seconds (None: as long as the delay); since 2.3 they count from
    the second round on (``keepalived``, None: before that). keepalived ``vrrp.c``,
    ``vrrp_state_master_tx``; ``vrrp_scheduler.c``, ``vrrp_gratuitous_arp_thread``.
    """
    delay, refresh = instance.garp_master_delay, instance.garp_master_refresh
    end = delay if lasting is None else lasting
    rounds = [(0.0, instance.garp_master_repeat)]
    if delay:
        rounds.append((float(delay), instance.garp_master_repeat))
    if refresh:
        step = math.ceil(refresh / instance.advert_int) * instance.advert_int
        first = delay if keepalived is not None and keepalived >= REFRESH_AFTER_SECOND_ROUND else 0
        rounds += [
            (first + step * count, instance.garp_master_refresh_repeat)
            for count in range(1, int(end / step) + 1)
        ]
    return tuple(sorted(due for due, repeat in rounds if due <= end for _ in range(repeat)))


def _master_interval(instance: VrrpInstance, master_advert_int: float | None) -> float:
    # Version 2 drops advertisements of another interval than its own.
    if instance.version == 2 or master_advert_int is None:
        return instance.advert_int
    return master_advert_int


def _since_last_advert(backup: VrrpInstance, master_advert_int: float | None) -> Window:
    wait = master_down_interval(backup, master_advert_int)
    return Window(wait - _master_interval(backup, master_advert_int), wait)


def _own_wait(starting: VrrpInstance) -> float:
    owner = starting.priority == OWNER_PRIORITY and starting.state == "MASTER"
    return 0.0 if owner else master_down_interval(starting)


def _require_preemption(instance: VrrpInstance) -> None:
    if instance.nopreempt:
        raise HarnessError(
            f"{instance.name} has nopreempt: it never takes over from a master that is alive"
        )
