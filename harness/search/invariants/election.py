"""Who may be master, and when somebody has to be."""

from __future__ import annotations

from collections.abc import Iterator

from harness.clock import Instant
from harness.events import Advertisement, DaemonChanged
from harness.search.invariants.registry import invariant
from harness.search.model.effects import RELOADING, Aspect, disturbances
from harness.search.model.processes import undelayed
from harness.search.model.router import RESOLVING, Router, routers
from harness.search.model.spans import Span, any_meets, without
from harness.search.observed import Observed, Violation
from harness.topology.vrrp import OWNER_PRIORITY, VrrpInstance

YIELDS = "masters that hear each other yield"
WAITS = "nobody takes over too soon after its start"
TAKES = "a silent master is replaced in time"


@invariant(YIELDS)
def masters_yield(observed: Observed) -> list[Violation]:
    """Whoever hears a better claim advertises no more until Master_Down_Interval after the last of
    it.

    RFC 5798 section 6.4.2 and 6.4.3 (a master that hears a higher priority becomes backup at once);
    keepalived ``vrrp.c``, ``vrrp_state_master_rx`` and ``vrrp_state_backup``. After a resignation
    it is Skew_Time, also after one with other VIPs, which may be heeded (RFC 9568 section 7.1).
    Unicast advertisements that the kernel kept because it did not know the peer's hardware address
    may come onto the wire after the director has yielded; they do not count.
    """
    found: list[Violation] = []
    for router in routers(observed):
        for advert in router.sent:
            if not advert.priority or not router.claims.known(Span(observed.began, advert.at)):
                continue
            if not _kept_by_the_kernel(router, advert):
                found += _not_yielded(router, advert)
    return found


def _kept_by_the_kernel(router: Router, advert: Advertisement) -> bool:
    """Whether a director may have sent an advertisement while it was still master, and the kernel
    later, when it knew where the peer is.
    """
    if router.reign_before(advert.at) or router.reachable(Span(advert.at, advert.at)):
        return False
    waited = Span(advert.at - router.instance.advert_int - RESOLVING, advert.at)
    return any(state == "MASTER" and span.meets(waited) for span, state in router.states)


def _not_yielded(router: Router, advert: Advertisement) -> Iterator[Violation]:
    """What it heard that should have kept it from saying this."""
    slack = router.observed.slack
    run = next((run for run in router.runs if run.span.has(advert.at)), None)
    if run is None or advert.at <= run.span.since + slack:
        return  # what it says as it wakes up, it was to say before
    resigned = max(
        (event.at for event in router.sent if not event.priority and event.at < advert.at),
        default=None,
    )
    certain = {id(each) for each in router.surely_heard}
    doubtful = [
        each for each in router.perhaps_heard if not each.priority and id(each) not in certain
    ]
    for heard in reversed(router.surely_heard):
        if heard.at > advert.at - slack:
            if heard.priority == 0 and heard.at < advert.at:
                return  # Skew_Time of a high priority is less than what the clock may be off
            continue
        if run.afresh and heard.at < run.span.since:
            return
        # What comes while it is hung it hears when it wakes up.
        awake = any(each.span.has(heard.at) for each in router.runs)
        woke = [each.span.since for each in router.runs if each.span.since >= heard.at]
        since = heard.at if awake else min(woke, default=run.span.since)
        if resigned is not None and resigned > since - slack:
            return
        if heard.priority == 0:
            due = since + router.least_skew(advert.priority, heard.interval)
            what = f"resigned {advert.at - since:.3f} s before"
        elif _outranks_all(router, heard, advert, since):
            due = since + router.down_interval(advert.priority, heard.interval)
            what = f"claimed {heard.priority} {advert.at - since:.3f} s before"
        elif advert.at - since > 4 * 256 * max(1.0, heard.interval):
            return
        else:
            continue
        skewed = [
            each.at + router.least_skew(advert.priority, each.interval)
            for each in doubtful
            if heard.at < each.at < advert.at
        ]
        if advert.at < min([due, *skewed]) - slack:
            text = (
                f"{router.director} advertises {router.instance.name}, and heard that"
                f" {heard.source} {what}"
            )
            yield Violation(YIELDS, advert.at, text, (heard, advert))
        return


def _outranks_all(
    router: Router, heard: Advertisement, advert: Advertisement, since: Instant
) -> bool:
    """Whether what it heard outranks every priority that it may have had from then on."""
    patient = router.instance.nopreempt and router.instance.priority != OWNER_PRIORITY
    if patient and not router.reign_before(heard.at):
        # It takes over from nobody who is alive. An owner does (RFC 9568 section 6.1).
        return True
    own = router.claims.possible(Span(since, advert.at)) | {advert.priority}
    return all(router.outranks(heard, priority, advert.source) for priority in own)


@invariant(WAITS)
def nobody_hurries(observed: Observed) -> list[Violation]:
    """An instance that has just been started waits for Master_Down_Interval, unless it owns the
    addresses.

    RFC 5798 section 6.4.1; keepalived ``vrrp_scheduler.c``, ``vrrp_init_state``. With
    ``preempt_delay`` it waits for that since it first heard a master, or for Master_Down_Interval
    since it last heard one (``vrrp.c``, ``vrrp_state_backup``). With ``vrrp_startup_delay`` nobody
    at all is master before that is over. After a resignation, also one with other VIPs, it waits
    for Skew_Time.
    """
    found: list[Violation] = []
    for router in routers(observed):
        found += _before_the_delay(router)
        for run in router.runs:
            first = next(
                (each for each in router.sent if each.priority and run.span.has(each.at)), None
            )
            if not run.afresh or first is None or _owns(router.instance):
                continue
            # A unicast advertisement may come onto the wire later than it is said.
            reigns = [each.since for each, state in router.states if state == "MASTER"]
            began = min([first.at, *(each for each in reigns if run.span.has(each))])
            span = Span(run.span.since, began)
            # Before 2.2.8 it heeds what it hears before ``vrrp_startup_delay`` is over.
            delay = observed.setting.directors[router.director].startup_delay
            hearing = Span(run.span.since - delay, began)
            others = [each for each in router.perhaps_heard if hearing.has(each.at)]
            resigned = any(not each.priority for each in others)
            intervals = [each.interval for each in router.heard if span.has(each.at)]
            wait = min(
                router.down_interval(first.priority, interval) for interval in (None, *intervals)
            )
            wait = router.skew(first.priority) if resigned else wait
            if router.instance.preempt_delay and not resigned:
                wait = max(wait, _held_back(router, hearing, wait) - delay)
            if router.claims.known(span) and began < run.span.since + wait - observed.slack:
                text = (
                    f"{router.director} is master of {router.instance.name} {span.length:.3f} s"
                    f" after its start, and"
                    f" was to wait for {wait:.3f} s"
                )
                found.append(Violation(WAITS, first.at, text, (first,)))
    return found


def _held_back(router: Router, span: Span, down_interval: float) -> float:
    """For how long ``preempt_delay`` keeps it from being master, in seconds since the beginning of
    ``span``, in which it hears.

    The delay begins with the first that it hears of a lower master, and a better one begins none;
    here the first of any priority counts, which demands too little rather than too much. Whatever
    it hears until the delay is over starts Master_Down_Interval again (``vrrp.c``,
    ``vrrp_state_backup``); when that has passed in silence it is master, whatever is left of the
    delay (``vrrp_scheduler.c``, ``vrrp_dispatcher_read_timeout``).
    """
    heard = [each.at for each in router.heard if span.has(each.at)]
    if not heard:
        return 0.0
    first = min(each.at for each in router.perhaps_heard if span.has(each.at))
    over = min(first + router.instance.preempt_delay, heard[-1] + down_interval)
    return over - span.since


def _before_the_delay(router: Router) -> Iterator[Violation]:
    """What it claims while its process is to wait (``vrrp_startup_delay``). A reload that reads of
    no delay ends it, too (``vrrp_daemon.c``, ``start_vrrp``).
    """
    observed = router.observed
    delay = observed.setting.directors[router.director].startup_delay
    at_once = undelayed(observed, router.director)
    starts = observed.of(DaemonChanged, node=router.director, name="keepalived", action="started")
    for start in starts if delay else ():
        waits = Span(start.at + observed.slack, start.at + delay - observed.slack)
        for advert in router.sent if not any_meets(at_once, waits) else ():
            if advert.priority and waits.has(advert.at):
                text = f"{router.director} is master of {router.instance.name}"
                text += f" {advert.at - start.at:.3f} s after its start, and was to wait for"
                text += f" vrrp_startup_delay, which is {delay:g} s"
                yield Violation(WAITS, advert.at, text, (advert,))
                break


def _owns(instance: VrrpInstance) -> bool:
    return instance.priority == OWNER_PRIORITY and instance.state == "MASTER"


@invariant(TAKES)
def silence_ends(observed: Observed) -> list[Violation]:
    """A backup that hears no better claim for Master_Down_Interval becomes master; after a
    resignation, for Skew_Time.

    RFC 5798 section 6.4.2 (Master_Down_Timer); keepalived ``vrrp_scheduler.c``,
    ``vrrp_dispatcher_read_timeout``. It counts from the last advertisement that it accepted, from
    its start, or from the end of a reload, which may lose what comes meanwhile.
    """
    found: list[Violation] = []
    for router in routers(observed):
        hindered = disturbances(
            observed, Aspect.CONFIG | Aspect.ADDRESS, router.director, after=observed.slack
        )
        for span in without(router.able, hindered):
            found += _too_quiet(router, span)
    return found


def _too_quiet(router: Router, able: Span) -> Iterator[Violation]:
    observed, instance = router.observed, router.instance
    if any(
        instance.name in group.members
        for group in observed.setting.directors[router.director].sync_groups
    ):
        return
    patient = instance.nopreempt or instance.preempt_delay
    marks = [able.since, *router.reloads, *(span.since for span, _ in router.states)]
    marks += [
        each.at for each in router.heard if patient or not each.priority or _accepted(router, each)
    ]
    certain = {each.at for each in router.heard}
    marks += [each.at for each in router.perhaps_heard if each.at not in certain]
    marks = sorted(mark for mark in marks if able.has(mark))
    longest = max([instance.advert_int, *(each.interval for each in router.heard)])
    for mark, end in zip(marks, [*marks[1:], able.until], strict=True):
        span = Span(mark, end)
        possible = router.claims.possible(span)
        if 0 in possible or router.claims.disturbed(span) or not _is_backup(router, mark):
            continue
        resigned = any(each.at == mark and not each.priority for each in router.surely_heard)
        wait = router.down_interval(min(possible), longest) + instance.preempt_delay
        wait = router.skew(min(possible), longest) if resigned else wait
        if _owns(instance) and _is_first_word(router, mark):
            wait = observed.slack  # whoever owns the addresses is master at once
        late = RELOADING if router.reloading(mark) else 0.0
        if end > mark + wait + late + observed.slack:
            text = (
                f"{router.director} has heard nothing of {instance.name} that outranks it for"
                f" {wait:.3f} s,"
                f" and is not master"
            )
            waiting = Span(mark, mark + wait)
            discards = any(
                waiting.has(each.at) and not _accepted(router, each) for each in router.heard
            )
            whole = router.down_interval(min(possible), longest)
            lengthened = end <= mark + wait + whole + late + observed.slack
            changed = len(router.claims.possible(waiting)) > 1
            if (resigned or discards) and lengthened and changed:
                text += ", while its priority may have changed"
            yield Violation(
                TAKES, mark + wait, text, tuple(each for each in router.heard if each.at == mark)
            )


def _is_first_word(router: Router, mark: Instant) -> bool:
    """Whether its process has just been started at an instant, or said its first state then; while
    it waits for ``vrrp_startup_delay`` it may say one already.
    """
    delay = router.observed.setting.directors[router.director].startup_delay
    for run in router.runs:
        started = run.span.since - delay
        before = [span.since for span, _ in router.states if started < span.since < mark]
        if run.afresh and run.span.has(mark) and not before:
            return True
    return False


def _accepted(router: Router, heard: Advertisement) -> bool:
    """Whether a backup may have taken an advertisement for its master's."""
    slack = router.observed.slack
    return heard.priority >= min(router.claims.possible(Span(heard.at - slack, heard.at + slack)))


def _is_backup(router: Router, mark: Instant) -> bool:
    """Whether keepalived's last word at an instant was that it is a backup."""
    slack = router.observed.slack
    return any(
        span.since <= mark + slack < span.until and state == "BACKUP"
        for span, state in router.states
    )
