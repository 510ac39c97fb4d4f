"""Daemons live, and say nothing that they should not."""

from __future__ import annotations

import re
from typing import Final

from harness.daemons import keepalived
from harness.events import DaemonChanged, Event, Log
from harness.search.invariants.registry import invariant
from harness.search.model.effects import heeded
from harness.search.model.processes import ends
from harness.search.observed import UNTOLD, Act, Observed, Violation

LIVE = "daemons live"
LATE = "daemons keep up"
ONCE = "a child of keepalived runs once"

_STARTED: Final = re.compile(
    r"Starting (?P<child>VRRP|Healthcheck) child process, pid=(?P<pid>\d+)"
)
_DIED: Final = re.compile(r"(?P<child>VRRP|Healthcheck) child process\((?P<pid>\d+)\) died")

ENDS: Final = frozenset(
    {
        "PowerOff",
        "StopKeepalived",
        "KillKeepalived",
        "Restart",
        "StopProgram",
        "StopHttpd",
        "StopDnsmasq",
        "StopMail",
        "StopLocal",
    }
)
"""The deeds by which a daemon of their node ends."""

CRASHES: Final = {"CrashVrrp": "vrrp", "CrashCheckers": "healthcheck"}
"""The deeds by which a child of keepalived dies, which its parent then says."""

_FAULTED: Final = "segmentation fault"
"""Of what a child dies by itself, whatever ends its keepalived at about that time."""

LASTING: Final = 2.0
"""Seconds after such a deed, or its healing, in which its consequences may be told of: an orderly
end takes one.
"""

WORDS: Final = re.compile(
    r"Assertion|assertion failed|double free|corrupt|segfault|Segmentation|stack smashing"
    r"|AddressSanitizer|"
    r"runtime error|BUG|Unable to allocate|Cannot allocate memory|[Oo]ut of memory|Too many open"
    r" files|"
    r"permanent error|Bus error|invalid pointer|thread_add_\w+ .*(error|fail)",
)
"""What no daemon has reason to say, whatever befalls its machine."""


@invariant(LIVE)
def daemons_live(observed: Observed) -> list[Violation]:
    """No daemon ends unless a deed ends it, and no child of keepalived dies.

    keepalived(8): the parent restarts a child that dies, and says so (``core/main.c``, "exited due
    to"), so a crash is told by its words as well as by the daemon's end.
    """
    found = []
    for event in observed.of(DaemonChanged, action="ended"):
        if not _explained(observed, event, ENDS):
            text = (
                f"{event.name} on {event.node} ended with {event.status}, and nothing was"
                f" done to it"
            )
            found.append(Violation(LIVE, event.at, text, (event,)))
    for log in observed.of(Log, daemon="keepalived"):
        kinds = frozenset() if _FAULTED in log.line else frozenset(CRASHES) | ENDS
        if keepalived.CRASHED.search(log.line) and not _explained(observed, log, kinds):
            text = f"a child of keepalived on {log.node} died: {without_time(log.line)}"
            found.append(Violation(LIVE, log.at, text, (log,)))
    return found


@invariant(ONCE)
def children_run_once(observed: Observed) -> list[Violation]:
    """keepalived starts no child while another one of its kind runs.

    keepalived ``core/main.c``, ``start_vrrp_child`` and ``start_check_child``: the parent says whom
    it starts, and who has died.
    """
    found: list[Violation] = []
    running: dict[tuple[str, str], str] = {}
    for event in observed.events:
        if ends(event):
            for key in [key for key in running if key[0] == event.node]:
                del running[key]
        if not isinstance(event, Log):
            continue
        if started := _STARTED.search(event.line):
            key = event.node, started["child"]
            if key in running:
                text = f"keepalived on {event.node} starts a second {started['child']} child"
                found.append(Violation(ONCE, event.at, text, (event,)))
            running[key] = started["pid"]
        if died := _DIED.search(event.line):
            key = event.node, died["child"]
            if running.get(key) == died["pid"]:
                del running[key]
    return found


@invariant(LATE)
def daemons_keep_up(observed: Observed) -> list[Violation]:
    """keepalived never comes to a timer late, unless it was hung: in virtual time that is a process
    that spun or slept.

    keepalived ``lib/scheduler.c``, ``thread_set_timer``: "A thread timer expired ... seconds ago".
    """
    hung = frozenset({"HangKeepalived", "PowerOff"})
    return [
        Violation(
            LATE,
            log.at,
            f"keepalived on {log.node} is late: {without_time(log.line)}",
            (log,),
        )
        for log in observed.of(Log, daemon="keepalived")
        if "timer expired" in log.line and not _explained(observed, log, hung)
    ]


@invariant("nothing alarming is logged")
def nothing_alarming(observed: Observed) -> list[Violation]:
    """No daemon says what only a defect makes it say: a failed assertion, corrupted memory,
    descriptors used up.

    keepalived ``lib/assert_debug.h``, ``lib/memory.c``; glibc's ``malloc`` for what it finds
    corrupted.
    """
    return [
        Violation(
            "nothing alarming is logged",
            log.at,
            f"{log.daemon} on {log.node}: {without_time(log.line)}",
            (log,),
        )
        for log in observed.of(Log)
        if WORDS.search(log.line)
    ]


def without_time(line: str) -> str:
    """A line of a log without the time at its beginning."""
    return re.sub(r"^\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}: ", "", line)


def _explained(observed: Observed, event: Event, kinds: frozenset[str]) -> bool:
    """Whether a deed to the same node, while it lasts or shortly after it, accounts for an event. A
    parent that hangs as its child dies says so later.
    """
    for act in observed.acts:
        if act.node != event.node or not (act.kind in kinds or _restarts(act)):
            continue
        until = (act.at if act.healed_at is None else heeded(observed, act)) + LASTING
        if act.at <= event.at <= until:
            return True
    return False


def _restarts(act: Act) -> bool:
    """Whether a deed may have restarted a daemon: where its parameters are not known, it may."""
    return act.kind == "Reconfigure" and bool(
        act.parameters.get("restart", UNTOLD in act.parameters)
    )
