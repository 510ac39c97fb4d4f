"""When a director's keepalived acts, and when its links are up (pure)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from harness.clock import Instant
from harness.events import (
    AddressChanged,
    DaemonChanged,
    Event,
    FaultChanged,
    Link,
    Log,
    Power,
    StateChanged,
)
from harness.search.model.effects import (
    ALL,
    EFFECTS,
    RELOADING,
    Aspect,
    disturbances,
    hangs,
    heeded,
)
from harness.search.model.spans import Span, joined, without
from harness.search.moves import GONE, NUMBERED
from harness.search.observed import Observed, once

RESPAWN = 60.0
"""Seconds after which a child that has died is started again at the latest (``core/main.c``, "to
limit respawn rate").
"""
VRRP = "VRRP"
CHECKERS = "Healthcheck"
STOPPING = ": Stopping"
RELOADED = "Reloading"
_KILLS: Final = {VRRP: "CrashVrrp", CHECKERS: "CrashCheckers"}
_DELAYED: Final = re.compile(r"Restart of .* process delayed (\d+) seconds")


@dataclass(frozen=True)
class Run:
    """A time in which keepalived's VRRP process acts without a break; ``afresh``: it was started at
    its beginning.
    """

    span: Span
    afresh: bool


@once
def runs(observed: Observed, director: str, child: str = VRRP) -> list[Run]:
    """When a process of a director's keepalived acted: it ran, and was not stopped by a signal.

    ``child`` is its word for the process. That of VRRP acts from ``vrrp_startup_delay`` after its
    start on (``vrrp_daemon.c``, ``start_vrrp``). One that has died is started again, after a while
    if that happens often (``core/main.c``, "Restart of ... process delayed").
    """
    setting = observed.setting.directors.get(director)
    delay = setting.startup_delay if setting is not None and child == VRRP else 0.0
    started = _acts_from(observed, director, delay)
    afresh = started is not None and started > observed.began
    found: list[Run] = []
    hung = [*hangs(observed, director), *_deaths(observed, director, child)]
    for event in observed.events:
        if event.node != director:
            continue
        respawns = _starts(event, child)
        over = ends(event) or _dies(event, child)
        if started is not None and (over or respawns):
            found += _parts(Span(started, event.at), afresh, hung)
            started = None
        if _begins(event) or respawns:
            started, afresh = event.at + delay, True
    if started is not None:
        found += _parts(Span(started, observed.ended), afresh, hung)
    return found


def _deaths(observed: Observed, director: str, child: str) -> list[Span]:
    """From when a deed killed a process until another one is started. Its parent may say so later,
    as long as it reads a configuration.
    """
    starts = begun(observed, director, child)
    return [
        Span(act.at, next((start for start in starts if start >= act.at), observed.ended))
        for act in observed.acts
        if act.kind == _KILLS[child] and act.node == director
    ]


@once
def reads(observed: Observed, director: str | None = None) -> list[Instant]:
    """When a director, or any, was told to read its configuration again, in order."""
    acts = [act for act in observed.acts if director in (None, act.node)]
    told = [act for act in acts if act.kind in ("Reload", "Reconfigure")]
    return sorted(instant for act in told for instant in (act.at, observed.over(act)))


@once
def begun(observed: Observed, director: str, child: str = VRRP) -> list[Instant]:
    """When a process of a director's keepalived was started, for the first time or again."""
    said = observed.of(Log, node=director, daemon="keepalived")
    return [event.at for event in said if _starts(event, child)]


def respawned(observed: Observed) -> list[Instant]:
    """When a child of some keepalived was started again after it had died."""
    found = []
    for child in (VRRP, CHECKERS):
        for director in observed.setting.directors:
            dead = False
            for event in observed.of(Log, node=director, daemon="keepalived"):
                dead = dead or _dies(event, child)
                if dead and _starts(event, child):
                    found.append(event.at)
                    dead = False
    return found


def unreplaced(events: Iterable[Event]) -> set[tuple[str, str]]:
    """The children of keepalived, by director and its word for them, that died and have not been
    started again.
    """
    found: set[tuple[str, str]] = set()
    for event in events:
        for child in (VRRP, CHECKERS):
            if _dies(event, child):
                found.add((event.node, child))
            if _starts(event, child) or ends(event):
                found.discard((event.node, child))
    return found


def pending(events: Iterable[Event], now: Instant) -> bool:
    """Whether a keepalived is still to start a child that died (``scheduler.c``,
    ``calc_restart_delay``). A reload that starts the child meanwhile does not end the delay, and
    the end of keepalived does.
    """
    due: dict[str, Instant] = {}
    for event in events:
        if _gone(event):
            due.pop(event.node, None)
        told = _DELAYED.search(event.line) if isinstance(event, Log) else None
        if told is not None:
            due[event.node] = event.at + int(told[1])
    return any(instant > now for instant in due.values())


def delayed_until(events: Iterable[Event], delays: Mapping[str, float]) -> Instant | None:
    """When the last process of VRRP that these events start begins to act, by the directors'
    ``vrrp_startup_delay``; None if none waits. Before 2.2 it opens its sockets only then
    (``vrrp_daemon.c``, ``start_vrrp``).
    """
    return max(
        (
            event.at + delays[event.node]
            for event in events
            if delays.get(event.node) and _acts_anew(event)
        ),
        default=None,
    )


def counted_until(events: Iterable[Event], waits: Mapping[str, float]) -> Instant | None:
    """When directors have run their scripts often enough after these events, each for as long as
    ``waits`` says: after a start, and after a deed that had one fail. None if nothing is waited
    for. Until then a backup has a lower priority, which nothing shows.
    """
    return max(
        (
            event.at + waits[event.node]
            for event in events
            if waits.get(event.node) and (_acts_anew(event) or _is_well(event))
        ),
        default=None,
    )


def _is_well(event: Event) -> bool:
    """Whether what a director tracks is as it was, from this event on."""
    return (
        isinstance(event, FaultChanged)
        and event.action == "healed"
        and bool(EFFECTS.get(event.name.split()[0], ALL) & Aspect.CLAIM)
    )


def _acts_anew(event: Event) -> bool:
    """Whether a process of VRRP is started."""
    return _begins(event) or _starts(event, VRRP)


def _begins(event: Event) -> bool:
    return isinstance(event, DaemonChanged) and (event.name, event.action) == (
        "keepalived",
        "started",
    )


def _says(event: Event, words: str) -> bool:
    return isinstance(event, Log) and event.daemon == "keepalived" and words in event.line


def _starts(event: Event, child: str) -> bool:
    return _says(event, f"Starting {child} child process")


def _dies(event: Event, child: str) -> bool:
    return _says(event, f"{child} child process(") and _says(event, "died")


def ends(event: Event) -> bool:
    """Whether keepalived acts no more from an event on: an orderly end begins a second before the
    process is gone.
    """
    return _gone(event) or (
        isinstance(event, Log) and event.daemon == "keepalived" and event.line.endswith(STOPPING)
    )


def _gone(event: Event) -> bool:
    if isinstance(event, DaemonChanged):
        return (event.name, event.action) == ("keepalived", "ended")
    return isinstance(event, Power) and event.action == "off"


def _acts_from(observed: Observed, director: str, delay: float) -> Instant | None:
    """From when on a process acts that ran when the sequence began; None if none did."""
    last = observed.held(DaemonChanged, node=director, name="keepalived")
    if not last or last[-1].action == "ended":
        return None
    return max(observed.began, last[-1].at + delay)


def _parts(span: Span, afresh: bool, hung: list[Span]) -> list[Run]:
    """A run without the times in which it was hung: only the first part begins afresh. There is
    none of what ended before it was to act.
    """
    if span.since > span.until:
        return []
    return [Run(part, afresh and part.since == span.since) for part in without([span], hung)]


@once
def linked(observed: Observed, director: str, interface: str) -> list[Span]:
    """When an interface was up and had a carrier."""
    before = observed.held(Link, node=director, interface=interface)
    up = before[-1].up if before else True
    since: Instant = observed.began
    found = []
    for event in observed.of(Link, node=director, interface=interface):
        if up and not event.up:
            found.append(Span(since, event.at))
        if not up and event.up:
            since = event.at
        up = event.up
    if up:
        found.append(Span(since, observed.ended))
    return joined(found)


def holding(observed: Observed, director: str, address: str, device: str) -> list[Span]:
    """When a device of a director held an address."""

    def is_of_it(event: Event) -> bool:
        return isinstance(event, AddressChanged) and (event.address, event.interface) == (
            address,
            device,
        )

    return having(observed, director, is_of_it)


def having(observed: Observed, director: str, is_of_it: Callable[[Event], bool]) -> list[Span]:
    """When a director had something that it loses with its power. ``is_of_it`` knows the events
    that say so: their ``action`` is ``added`` or ``removed``.
    """
    held = any(event.node == director and is_of_it(event) for event in observed.before)
    since: Instant | None = observed.began if held else None
    found: list[Span] = []
    for event in observed.events:
        if event.node != director:
            continue
        off = isinstance(event, Power) and event.action == "off"
        if not off and not is_of_it(event):
            continue
        if event.matches(action="added"):
            since = event.at if since is None else since
        elif since is not None:
            found.append(Span(since, event.at))
            since = None
    if since is not None:
        found.append(Span(since, observed.ended))
    return found


@once
def in_state(observed: Observed, director: str, instance: str) -> list[tuple[Span, str]]:
    """What keepalived said of the state of an instance, each with the time for which that was its
    last word.

    Where its process ended, or its machine, there is no state. Nor is there from a reload on that
    may have taken it out, made another of it, or given it another's number: an instance goes on in
    the state of the one that had its number, and that is not told, since it does not change
    (``vrrp.c``, ``vrrp_exist`` and ``vrrp_complete_init``).
    """
    anew = made_anew(observed, director, instance)
    before = observed.held(StateChanged, node=director, instance=instance)
    state: str | None = before[-1].state if before else None
    since: Instant = observed.began
    ending = False
    found: list[tuple[Span, str]] = []
    for event in observed.events:
        if event.node != director:
            continue
        ending = ends(event) or (ending and not _begins(event))
        if (
            ends(event)
            or _dies(event, VRRP)
            or (isinstance(event, StateChanged) and event.instance == instance)
            or (_reloads(event) and any(span.has(event.at) for span in anew))
        ):
            if state is not None:
                found.append((Span(since, event.at), state))
            # A child that has not heard yet that all is to end may still become master.
            state = event.state if isinstance(event, StateChanged) and not ending else None
            since = event.at
    if state is not None:
        found.append((Span(since, observed.ended), state))
    return found


def made_anew(observed: Observed, director: str, instance: str) -> list[Span]:
    """While a reload may make another of an instance, or give it another's number."""
    return [*renumbered(observed, director), *another(observed, director, instance)]


def renumbered(observed: Observed, director: str) -> list[Span]:
    """While two instances of a director have each other's number, until that is read."""
    return _edits(observed, director, lambda edit: edit.endswith(NUMBERED))


def undelayed(observed: Observed, director: str) -> list[Span]:
    """While a director's configuration has no ``vrrp_startup_delay``, until that is read."""
    return _edits(observed, director, lambda edit: edit.startswith("no vrrp_startup_delay"))


def another(observed: Observed, director: str, instance: str) -> list[Span]:
    """While a director's configuration has no instance of that name, or one that keepalived takes
    for another (``vrrp.c``, ``vrrp_exist``), until that is read.
    """
    without = (f"no vrrp_instance {instance}", f" has the VIPs of {instance}{GONE}")
    within = f" in vrrp_instance {instance}"

    def makes_another(edit: str) -> bool:
        tells_apart = _TELLS_APART.match(edit) is not None
        return edit.endswith(without) or (tells_apart and edit.endswith(within))

    return _edits(observed, director, makes_another)


_TELLS_APART: Final = re.compile(
    r"(no )?(virtual_router_id|interface|unicast_peer|unicast_src_ip|use_vmac|mcast_dst_ip)\b"
)
"""Edits of an instance after which it is another one."""


def _edits(observed: Observed, director: str, is_of_it: Callable[[str], bool]) -> list[Span]:
    return [
        Span(act.at, heeded(observed, act) + RELOADING)
        for act in observed.acts
        if act.node == director and is_of_it(str(act.parameters.get("edit", "")))
    ]


def _reloads(event: Event) -> bool:
    return isinstance(event, Log) and event.line.endswith(RELOADED)


def calm(observed: Observed, aspects: Aspect, node: str, span: Span, after: float = 0.0) -> bool:
    """Whether no deed disturbed these aspects of a node in a span, nor in the ``after`` seconds
    before it.
    """
    return not any(each.meets(span) for each in disturbances(observed, aspects, node, after))
