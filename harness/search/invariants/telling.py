"""keepalived tells whoever wants to know, truly and in order; and a reload that changes nothing
changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from harness.clock import Instant
from harness.events import (
    AddressChanged,
    DaemonChanged,
    DestinationChanged,
    Event,
    Notification,
    ServiceChanged,
    StateChanged,
)
from harness.search.invariants.registry import invariant
from harness.search.invariants.rest import reelection, regained
from harness.search.model.effects import ALL, Aspect, effect
from harness.search.model.health import settled
from harness.search.model.processes import another, in_state, reads, renumbered, respawned
from harness.search.model.spans import Span, both
from harness.search.observed import Act, Observed, Violation
from harness.topology import SyncGroup
from harness.topology.notification import REPORT
from harness.topology.vrrp import VrrpInstance

TOLD = "notifications tell the truth, in order"
RELOADS = "a reload that changes nothing changes nothing"

_INSTANCE: Final = re.compile(r'^INSTANCE "(?P<name>[^"]+)" (?P<state>MASTER|BACKUP|FAULT)\b')


@invariant(TOLD)
def notifications_are_true(observed: Observed) -> list[Violation]:
    """What the notification FIFO, and the scripts of an instance, hear are its states, each once
    and in their order.

    keepalived.conf(5), ``notify_fifo`` and ``notify_master`` and its like; ``vrrp_notify.c``. Its
    log has the same states.
    """
    found: list[Violation] = []
    for name, director in observed.setting.directors.items():
        broken = [
            act
            for act in observed.acts
            if act.node == name and effect(act) & (Aspect.PROCESS | Aspect.CONFIG)
        ]
        if any(act.kind in ("PowerOff", "KillKeepalived", "CrashVrrp") for act in broken):
            continue
        edits = [str(act.parameters.get("edit")) for act in broken if act.kind == "Reconfigure"]
        told = director.told and not any("notify_fifo" in edit for edit in edits)
        for instance in director.instances:
            said = _said(observed, name, instance.name)
            if _resigns_at_once(observed, said):
                continue
            # Of an instance that a reload takes out FAULT is told (``vrrp_data.c``,
            # ``clear_diff_vrrp``).
            grouped = any(instance.name in group.members for group in director.sync_groups)
            anew = _made_anew(observed, name, instance, bool(broken))
            silent = anew or grouped
            said = _without_fault(said) if silent else said
            if told:
                heard = _told(observed, name, instance.name)
                heard = _without_fault(heard) if silent else heard
                # One that it makes anew says nothing of that, nor of what it waits for then.
                heard = _changes(observed, name, instance.name, heard) if anew else heard
                found += compared(observed, TOLD, f"{instance.name} on {name}", said, heard)
            if not edits:
                found += _scripts(observed, name, instance, said, silent)
        if told and not broken:
            for group in director.sync_groups:
                found += _of_group(observed, name, group)
    return found


def _made_anew(observed: Observed, director: str, instance: VrrpInstance, broken: bool) -> bool:
    """Whether an edit may have made an instance anew: it takes it out, or makes another of it. Or,
    as after a start (``broken``), it may have to wait again for its scripts, files and interface.
    """
    other = another(observed, director, instance.name) or renumbered(observed, director)
    waits = instance.track_scripts or instance.track_files or instance.vmac
    return bool(other or (broken and waits))


def _of_group(observed: Observed, director: str, group: SyncGroup) -> list[Violation]:
    """Whoever listens is told that a sync group is master as soon as all of its members are
    (``vrrp_notify.c``, ``send_group_notifies``). Where they were nothing else before, as after
    a start of address owners, that is said.
    """
    slack = observed.slack
    reigns = [Span(observed.began, observed.ended)]
    for member in group.members:
        states = in_state(observed, director, member)
        reigns = both(reigns, [span for span, state in states if state == "MASTER"])
    words = f'GROUP "{group.name}" MASTER'
    heard = [
        event.at
        for event in observed.of(Notification, node=director, channel="fifo")
        if event.text.startswith(words)
    ]
    found: list[Violation] = []
    for reign in reigns:
        begins = observed.began < reign.since < observed.ended - slack
        if begins and not any(abs(at - reign.since) <= slack for at in heard):
            first = _never_else(observed, director, group, reign.since)
            are = "are master from their start on" if first else "are master"
            text = f"all instances of {group.name} on {director} {are}, and nobody is told"
            found.append(Violation(TOLD, reign.since, text))
    return found


def _never_else(observed: Observed, director: str, group: SyncGroup, until: float) -> bool:
    """Whether the log has no other state of any member of a group than that it is master: so it is
    of address owners that start (``vrrp_scheduler.c``, ``vrrp_init_state``).
    """
    said = [
        *observed.held(StateChanged, node=director),
        *observed.of(StateChanged, node=director),
    ]
    ours = [event for event in said if event.instance in group.members and event.at <= until]
    return all(event.state == "MASTER" for event in ours)


def _scripts(
    observed: Observed,
    director: str,
    instance: VrrpInstance,
    said: list[tuple[str, Event]],
    silent: bool,
) -> list[Violation]:
    """The scripts that report by themselves: each is to be run at every entry of its state, of
    which the log has no FAULT if that is ``silent``.
    """
    found: list[Violation] = []
    commands = {
        "MASTER": instance.notify.master,
        "BACKUP": instance.notify.backup,
        "FAULT": instance.notify.fault,
    }
    others = observed.setting.directors[director].instances
    if silent:
        del commands["FAULT"]
    for state, command in commands.items():
        if command is None or not command.startswith(f"{REPORT} ") or len(others) > 1:
            continue
        words = command.removeprefix(f"{REPORT} ")
        entered = [each for each in said if each[0] == state]
        heard = [
            (state, event)
            for event in observed.of(Notification, node=director, channel="script")
            if event.text == words
        ]
        found += compared(observed, TOLD, f"{instance.name} on {director}", entered, list(heard))
    return found


def _said(observed: Observed, director: str, instance: str) -> list[tuple[str, Event]]:
    """The states in the log."""
    entered = observed.of(StateChanged, node=director, instance=instance)
    return _changes(observed, director, instance, [(event.state, event) for event in entered])


def _changes(
    observed: Observed, director: str, instance: str, states: list[tuple[str, Event]]
) -> list[tuple[str, Event]]:
    """What is logged or told without what is logged or told again, which is no change, unless
    keepalived was started anew.
    """
    before = observed.held(StateChanged, node=director, instance=instance)
    last: str | None = before[-1].state if before else None
    starts = [
        event.at for event in observed.of(DaemonChanged, node=director, name="keepalived")
        if event.action == "started"
    ]  # fmt: skip
    since = observed.began
    found: list[tuple[str, Event]] = []
    for state, event in states:
        anew = any(since <= start <= event.at for start in starts)
        if anew or state != last or state == "BACKUP":
            found.append((state, event))
        last, since = state, event.at
    return found


def _told(observed: Observed, director: str, instance: str) -> list[tuple[str, Event]]:
    found: list[tuple[str, Event]] = []
    for event in observed.of(Notification, node=director, channel="fifo"):
        told = _INSTANCE.match(event.text)
        if told is not None and told["name"] == instance:
            found.append((told["state"], event))
    return found


def _resigns_at_once(observed: Observed, said: list[tuple[str, Event]]) -> bool:
    """Whether it was master for no longer than the clock may be off. While it sets the VIPs it may
    read already what ends that, and tells afterwards of the state that it has come to
    (``vrrp.c``, ``vrrp_state_become_master``, ``kernel_netlink_poll``).
    """
    return any(
        state == "MASTER" and later.at - event.at <= observed.slack
        for (state, event), (_, later) in pairwise(said)
    )


def _without_fault(states: list[tuple[str, Event]]) -> list[tuple[str, Event]]:
    """A member of a sync group that is taken along into FAULT state tells of it, and does not log
    it (``vrrp_sync.c``, ``vrrp_sync_fault``).
    """
    return [each for each in states if each[0] != "FAULT"]


def compared(
    observed: Observed,
    name: str,
    what: str,
    said: list[tuple[str, Event]],
    told: list[tuple[str, Event]],
) -> list[Violation]:
    """The first difference between what was ``said`` and what was ``told``, as a violation of the
    invariant ``name``.
    """
    late = observed.ended - observed.slack  # what is only being told
    for number in range(max(len(said), len(told))):
        expected = said[number] if number < len(said) else None
        heard = told[number] if number < len(told) else None
        if expected and heard and expected[0] == heard[0]:
            continue
        event = (expected or heard or ("", None))[1]
        if event is None or event.at > late:
            return []
        words = f"{what} becomes {expected[0] if expected else 'nothing else'}"
        text = f"{words}, and {heard[0] if heard else 'nothing'} is told"
        return [
            Violation(name, event.at, text, tuple(each[1] for each in (expected, heard) if each))
        ]
    return []


@invariant(RELOADS)
def reloads_change_nothing(observed: Observed) -> list[Violation]:
    """Where nothing in the configuration has changed, a reload moves no VIP and touches no table;
    an edit of virtual servers alone moves no VIP, one of VRRP instances alone touches no table, and
    one of what an instance tracks, while all of that is well, does neither.

    keepalived(8), SIGHUP; ``vrrp_data.c`` and ``ipvswrapper.c``, ``clear_diff_services``, compare
    old and new. It is judged where nothing else was done for as long before and after as elections
    and checks may take.
    """
    found: list[Violation] = []
    waits = {AddressChanged: _election(observed), **dict.fromkeys(_TABLE, _checks(observed))}
    anew = [(instant, instant) for instant in respawned(observed)]
    reloads = reads(observed)
    for act in observed.acts:
        others = [
            (each.at, observed.over(each))
            for each in observed.acts
            if each is not act and effect(each) & ALL
        ]
        instants = {each for each in (act.at, act.healed_at) if each is not None}
        for kind in _untouched(observed, act):
            wait = waits[kind]
            for instant in instants:
                span = Span(instant, min(instant + wait, observed.ended))
                near = [
                    Span(at - wait, _prolonged(over, reloads, wait) + wait).meets(span)
                    for at, over in (*others, *anew)
                ]
                if not any(near):
                    found += _changed(observed, act, kind, span)
    return sorted(found, key=lambda violation: violation.at)


def _prolonged(over: Instant, reloads: list[Instant], wait: float) -> Instant:
    """Until when what was over at an instant may keep a director waiting: each reload meanwhile has
    it wait anew (``vrrp_scheduler.c``, ``vrrp_dispatcher_init``).
    """
    for instant in reloads:
        if over <= instant <= over + wait:
            over = instant
    return over


def _changed(observed: Observed, act: Act, kind: type[Event], span: Span) -> Iterator[Violation]:
    edit = act.parameters.get("edit")
    told = f"{act.node} reloads what it has" if edit is None else f"{act.node} reads: {edit}"
    for event in observed.of(kind, node=act.node):
        if span.has(event.at):
            text = f"{told}, and then: {event.kind} {_words(event)}"
            yield Violation(RELOADS, event.at, text, (event,))


_TABLE: Final = (ServiceChanged, DestinationChanged)


def _untouched(observed: Observed, act: Act) -> tuple[type[Event], ...]:
    """What a reload has no reason to change, by what was edited."""
    if act.kind == "Reload":
        return (AddressChanged, *_TABLE)
    director = observed.setting.directors.get(act.node or "")
    edit = str(act.parameters.get("edit", ""))
    if act.kind != "Reconfigure" or director is None or act.parameters.get("restart"):
        return ()
    if "virtual_server" in edit or "real_server" in edit:
        return (AddressChanged,)
    if "vrrp_instance" not in edit:
        return ()
    tracks = edit.startswith(("no track_script ", "no track_file "))
    scripts = [each.weight for one in director.instances for each in one.track_scripts]
    files = [each.value for one in director.instances for each in one.track_files]
    heavier = any(weight > 0 for weight in scripts) or any(files)
    return (AddressChanged, *_TABLE) if tracks and not heavier else _TABLE


def _words(event: Event) -> str:
    return " ".join(str(value) for value in event.details.values())


def _election(observed: Observed) -> float:
    """The longest that an election may still be under way, in seconds, after a script that decides
    it could succeed again.
    """
    waits = [1.0]
    for director in observed.setting.directors.values():
        for instance in director.instances:
            waits.append(reelection(instance) + director.startup_delay + regained(instance))
    return max(waits) + observed.slack


def _checks(observed: Observed) -> float:
    """The longest that checks may take to see what was done, in seconds; a quorum is told of
    elections too.
    """
    waits = [_election(observed)]
    for director in observed.setting.directors.values():
        waits += [settled(observed, table.service) for table in director.tables]
    return max(waits) + observed.slack
