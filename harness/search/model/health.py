"""Which real servers are well, in the eyes of a director's checkers: certainly, or perhaps (pure).

A deed says what a checker meets (:class:`harness.keepalived.timers.Symptom`), and the timers say
from when on it must have noticed. Between those instants either is right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from harness import faults
from harness.clock import Instant, Window
from harness.daemons import mail
from harness.daemons.httpd import TRICKLE, TRICKLE_PAUSE
from harness.errors import HarnessError
from harness.events import DaemonChanged, Log
from harness.keepalived import timers
from harness.keepalived.timers import Symptom
from harness.keepalived.timers.checking import BOOTSTRAP_DELAY, LINGER
from harness.search.model.effects import EFFECTS, Aspect, effect
from harness.search.model.processes import CHECKERS, runs
from harness.search.model.spans import Span, any_meets, joined, without
from harness.search.observed import UNTOLD, Act, Observed, once
from harness.search.setting import Table
from harness.topology.checks import (
    HTTP_OK,
    Check,
    DnsCheck,
    FileCheck,
    HttpGet,
    MiscCheck,
    PingCheck,
    SmtpCheck,
    TcpCheck,
    UdpCheck,
    Url,
)
from harness.topology.services import VirtualService

PATH = Aspect.WIRE | Aspect.EAR | Aspect.SERVER
SLOW = frozenset(
    {
        "Impaired",
        "DropArp",
        "ChangeMtu",
        "LoseAddress",
        "ForgetVip",
        "Unprotected",
        "HalfProtected",
        "StopProgram",
        "HangProgram",
        "DeleteInterface",
        "RenameInterface",
        "SetDown",
    }
)
"""Deeds of which a checker may notice anything or nothing."""


@dataclass(frozen=True)
class Health:
    """When a real server is certainly well to a director's checkers, and when it is certainly
    ill.
    """

    well: list[Span]
    ill: list[Span]


def health(observed: Observed, director: str, table: Table, address: str) -> Health:
    """What a director must think of the real server at ``address`` in one of its tables."""
    whole = Span(observed.began, observed.ended)
    service, slack = table.service, observed.slack
    kept = lingering(observed, service)
    acts = [
        act
        for act in observed.acts
        if _touches(observed, act, director, address, service) and not _unnoticed(service, act)
    ]
    ill: list[Span] = []
    doubtful: list[Span] = []
    begun_anew = breaks(observed, director)
    afresh = [instant for instant, anew in begun_anew if anew]
    for act in acts:
        until = observed.over(act)
        gone, back = _windows(service, act)
        first = not any(other.at < act.at for other in acts)
        # The first check after a start decides alone, without retries (keepalived ``check_http.c``,
        # ``epilog``).
        first &= not any(
            begun <= act.at <= begun + starting(service)
            for begun in [*_begun_before(observed, director), *afresh]
        )
        first &= act.at > _tried_until(observed, director, table, address)
        soonest = _soonest(service, act) - slack if first else 0.0
        doubtful.append(Span(act.at + max(soonest, 0.0), until + back + kept + slack))
        if gone is not None:
            ill.append(Span(act.at + gone + kept + slack, until))
    for instant, anew in begun_anew:
        if anew and not service.alpha and all(act.at > instant for act in acts):
            continue  # of a server that was always well they think so from the beginning
        after = Span(instant, instant + starting(service) + max(_gone(service), 0.0) + kept + slack)
        doubtful.append(after)
        ill = without(ill, [after])
    overlapping = _overlaps(observed, acts)
    ill = [span for span in ill if not any_meets(overlapping, span)]
    return Health(without([whole], joined(doubtful)), [span for span in ill if span.length > 0])


def _begun_before(observed: Observed, director: str) -> list[Instant]:
    """When a director's checkers last began before the sequence did: their first checks may still
    be to come, and after a reload no table shows that.
    """
    return [event.at for event in observed.held(Log, node=director)]


def _tried_until(observed: Observed, director: str, table: Table, address: str) -> Instant:
    """Until when a check that failed before the sequence began may be tried again, of which no
    table shows anything. A failure meanwhile is not the first one.
    """
    until = [
        (act.at if act.healed_at is None else act.healed_at) + max(_gone(table.service), 0.0)
        for act in observed.earlier
        if _touches(observed, act, director, address, table.service)
    ]
    return max(until, default=-inf)


def _touches(
    observed: Observed, act: Act, director: str, address: str, service: VirtualService
) -> bool:
    """Whether a deed may change what a director's checker meets at a real server."""
    scripted = any(isinstance(check, MiscCheck | FileCheck) for check in service.checks)
    if scripted and act.node == director and effect(act) & Aspect.CLAIM:
        return True
    if act.kind not in EFFECTS or act.kind == "Cut":
        return True
    server = observed.setting.server_at(address)
    if act.node == server and server is not None:
        return bool(effect(act) & PATH)
    return act.node == director and bool(effect(act) & (Aspect.WIRE | Aspect.EAR | Aspect.ADDRESS))


def _symptoms(act: Act) -> tuple[Symptom, ...]:
    """What a checker may meet while a deed lasts."""
    fault = getattr(faults, act.kind, None)
    if fault is None or act.kind in SLOW:
        return tuple(Symptom)
    return (Symptom.BLACK_HOLE,) if fault.cuts else (fault.symptom,)


def _unnoticed(service: VirtualService, act: Act) -> bool:
    """Whether no checker of a service can notice a deed, which leaves its servers where they
    are.
    """
    if act.kind in _PAGES and UNTOLD not in act.parameters:
        return not _asked_for(service, act)
    if act.kind not in ("HangHttpd", "HangDnsmasq", "HangMail", "DropUdp"):
        return False
    return not any(
        _notices(replace(service, check=each), symptom)
        for each in service.checks
        for symptom in _symptoms(act)
    )


def _asked_for(service: VirtualService, act: Act) -> list[Url]:
    """The URLs of a service's checkers whose answer is another one while a page is."""
    return [
        url
        for check in service.checks
        for url in check.urls
        if url.path == act.parameters["path"]
        and (act.kind != "ChangePage" or url.digest is not None)
    ]


def _asks_for_that_alone(service: VirtualService, act: Act) -> bool:
    """Whether what is wrong with a page is wrong with all that a service's checkers ask for."""
    if UNTOLD in act.parameters:
        return False
    urls = [url for check in service.checks for url in check.urls]
    return urls == _asked_for(service, act) and urls[0].statuses == (str(HTTP_OK),)


def _notices(service: VirtualService, symptom: Symptom) -> bool:
    try:
        timers.removal(service, symptom)
    except HarnessError:
        return False
    except ValueError:  # a script, which may look at anything
        return True
    return True


def _windows(service: VirtualService, act: Act) -> tuple[float | None, float]:
    """After how many seconds a server that suffers so must be gone, if that is known, and after how
    many more since it is well must it be back: what had begun to fail may still be removed first.
    """
    symptoms = _symptoms(act)
    gone = max(_latest(timers.removal, service, each) for each in symptoms)
    back = max(_latest(timers.recovery, service, each) for each in symptoms)
    noticing = () if _is_of_another_daemon(service, act) else _NOTICED.get(act.kind, ())
    notices = len(service.checks) == 1 and isinstance(service.checks[0], noticing)
    notices = notices and not _takes_silence_for_well(service.checks[0])
    if act.kind in _PAGES:
        notices = notices and _asks_for_that_alone(service, act)
    certain = notices and len(symptoms) == 1 and gone > 0
    return gone if certain else None, gone + back + BOOTING


def _takes_silence_for_well(check: Check) -> bool:
    """Whether a checker waits for an error alone: a black hole makes one only once the kernel asks
    for the neighbour's address again, which it may do after minutes (``layer4.c``,
    ``udp_socket_state``; ``net/core/neighbour.c``, ``neigh_timer_handler``).
    """
    return isinstance(check, UdpCheck) and not check.require_reply


def _is_of_another_daemon(service: VirtualService, act: Act) -> bool:
    """Whether a mail server answers for a service, whatever httpd does."""
    return act.kind == "StopHttpd" and mail.PORT in service.ports


def _soonest(service: VirtualService, act: Act) -> float:
    """After how many seconds at the earliest a server that suffers so is gone, if that is known."""
    symptoms = _symptoms(act)
    if len(service.checks) != 1 or len(symptoms) > 1 or act.kind not in _NOTICED:
        return 0.0
    # What lingers at its end may be acknowledged as soon as the deed is taken back.
    quickest = Symptom.SILENT if symptoms[0] is Symptom.HALF_OPEN else symptoms[0]
    if act.kind == "PowerOff":  # a machine that boots refuses what is tried again
        quickest = Symptom.REFUSED
    try:
        return timers.removal(service, quickest).earliest
    except (HarnessError, ValueError):
        return 0.0


def _latest(
    window: Callable[[VirtualService, Symptom], Window], service: VirtualService, symptom: Symptom
) -> float:
    """The end of a window of :mod:`harness.keepalived.timers`; 0 if there is none: the checker does
    not notice.
    """
    if len(service.checks) != 1:
        return sum(
            _latest(window, replace(service, check=each), symptom) for each in service.checks
        )
    try:
        return window(service, symptom).latest + _trickling(service)
    except HarnessError:
        return 0.0
    except ValueError:  # a script meets no such symptom, but may take as long as it is given
        pace = service.checks[0].pace(service.delay_loop)
        return pace.delay_loop + (pace.retry + 1) * (pace.timeout + pace.delay_before_retry)


def _trickling(service: VirtualService) -> float:
    """How much longer the answers take that a check of a trickling page gets, be they that page or
    another: each comes in two parts at the most.
    """
    (check,) = service.checks
    if not isinstance(check, HttpGet):
        return 0.0
    slow = [each for each in check.urls if each.path.startswith(f"/{TRICKLE}/")]
    return len(slow) * (check.pace(service.delay_loop).retry + 1) * TRICKLE_PAUSE


def _gone(service: VirtualService) -> float:
    return max(_latest(timers.removal, service, each) for each in Symptom)


_PAGES: Final = ("RemovePage", "ChangePage", "SlowPage")
_ANY = (HttpGet, TcpCheck, SmtpCheck, DnsCheck, UdpCheck, PingCheck)
_NOTICED: Final[dict[str, tuple[type[Check], ...]]] = {
    "StopHttpd": (HttpGet, TcpCheck),
    **dict.fromkeys(("HangHttpd", "ResetRequests", "HalfOpen", *_PAGES), (HttpGet,)),
    **dict.fromkeys(("StopDnsmasq", "HangDnsmasq"), (DnsCheck,)),
    **dict.fromkeys(("StopMail", "HangMail"), (SmtpCheck,)),
    "DropTcp": (HttpGet, TcpCheck, SmtpCheck),
    "IgnoreEcho": (PingCheck,),
    "BlackHole": _ANY,
    "PowerOff": _ANY,
}
"""Which checkers certainly notice a deed, whatever else they were told to ask for."""

BOOTING = 1.0
"""Seconds for which a machine that boots, or a daemon that starts, may still refuse a check."""


def lingering(observed: Observed, service: VirtualService) -> float:
    """For how long the ends of checks may keep a checker from all others, in seconds, if a deed
    makes them linger.

    keepalived ``layer4.c``: SO_LINGER; one process makes all checks, so one server's silence delays
    what it does about others (:data:`harness.keepalived.timers.checking.LINGER`).
    """
    retries = max((check.pace(service.delay_loop).retry for check in service.checks), default=0)
    for act in observed.acts:
        if effect(act) & PATH and (len(_symptoms(act)) > 1 or _symptoms(act)[0] in _LINGERING):
            return (retries + 1) * LINGER.latest
    return 0.0


_LINGERING = (Symptom.HALF_OPEN, Symptom.BLACK_HOLE)


def starting(service: VirtualService) -> float:
    """From a start of the checkers to the end of their first checks of what is well, in seconds."""
    found = [BOOTSTRAP_DELAY]
    for check in service.checks:
        pace = check.pace(service.delay_loop)
        turns = len(getattr(check, "urls", ())) or 1
        found.append(BOOTSTRAP_DELAY + pace.warmup + turns * pace.delay_loop)
    return max(found)


@once
def breaks(observed: Observed, director: str) -> list[tuple[Instant, bool]]:
    """When a director's checkers began ``afresh``, or ended, or else went on after they were
    hung.
    """
    own = runs(observed, director, CHECKERS)
    resumed = [run.span.since for run in own if run.span.since > observed.began and not run.afresh]
    begun = [event.at for event in observed.held(DaemonChanged, node=director, name="keepalived")]
    begun += [run.span.since for run in own if run.span.since > observed.began and run.afresh]
    ended = [run.span.until for run in own if run.span.until < observed.ended]
    crashed = [
        act.at
        for act in observed.acts
        if act.node == director and act.kind in ("CrashCheckers", "Reload")
    ]
    changed = [
        instant for act in observed.acts if act.node == director and act.kind == "Reconfigure"
        for instant in (act.at, act.healed_at) if instant is not None
    ]  # fmt: skip
    fresh = [(instant, True) for instant in (*begun, *ended, *crashed, *changed)]
    return sorted([*fresh, *((instant, False) for instant in resumed)])


def _overlaps(observed: Observed, acts: list[Act]) -> list[Span]:
    """When two deeds to one server overlapped: what a checker met then depends on both."""
    spans = [Span(act.at, observed.over(act)) for act in acts]
    found = []
    for number, span in enumerate(spans):
        for other in spans[number + 1 :]:
            if span.meets(other):
                found.append(Span(min(span.since, other.since), max(span.until, other.until)))
    return joined(found)


def settled(observed: Observed, service: VirtualService) -> float:
    """For how many seconds after the last healing a table may not be whole yet, by what was
    done.
    """
    wait = BOOTING
    for act in observed.acts:
        if (
            effect(act) & (PATH | Aspect.PROCESS | Aspect.CONFIG | Aspect.TABLE)
            or act.kind not in EFFECTS
        ):
            wait = max(wait, _windows(service, act)[1])
    return starting(service) + wait + lingering(observed, service)
