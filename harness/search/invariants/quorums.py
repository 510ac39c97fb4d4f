"""What the scripts of a virtual server hear of its quorum."""

from __future__ import annotations

import re
from typing import Final

from harness.events import Event, Log, Notification
from harness.search.invariants.registry import invariant
from harness.search.invariants.telling import compared
from harness.search.observed import Observed, Violation
from harness.topology import VirtualService
from harness.topology.notification import REPORT

QUORUM = "the scripts of a quorum are run as the log says"

_SAID: Final = re.compile(r": (Gained quorum|Lost quorum|Starting with quorum down) ")
_ENDS: Final = frozenset({"PowerOff", "KillKeepalived", "CrashCheckers"})
"""What may take a script with it, or the checkers before they run one."""


@invariant(QUORUM)
def quorums_are_told(observed: Observed) -> list[Violation]:
    """``quorum_up`` and ``quorum_down`` are run once each time the log says that the quorum is
    gained or lost, in the same order.

    keepalived.conf(5), ``quorum_up``; ``ipwrapper.c``, ``update_quorum_state``. When an edit takes
    real servers out, keepalived may run ``quorum_down`` and log nothing (``update_vs_notifies``),
    so edits of virtual servers are not judged.
    """
    found: list[Violation] = []
    for name, director in observed.setting.directors.items():
        services = {table.service for table in director.tables}
        if len(services) != 1 or _broken(observed, name):
            continue
        (service,) = services
        words = _words(service)
        said = [each for each in _said(observed, name) if each[0] in words.values()]
        heard: list[tuple[str, Event]] = [
            (words[event.text], event)
            for event in observed.of(Notification, node=name, channel="script")
            if event.text in words
        ]
        found += compared(observed, QUORUM, f"the quorum of {service.name} on {name}", said, heard)
    return found


def _broken(observed: Observed, director: str) -> bool:
    """Whether something was done to a director after which its scripts may tell something else."""
    for act in observed.acts:
        edit = str(act.parameters.get("edit", ""))
        edited = "virtual_server" in edit or "real_server" in edit
        if act.node == director and (edited or act.kind in _ENDS):
            return True
    return False


def _words(service: VirtualService) -> dict[str, str]:
    """What the scripts report, and which state that means."""
    found = {}
    for state, command in (("up", service.quorum_up), ("down", service.quorum_down)):
        if command is not None and command.startswith(f"{REPORT} "):
            found[command.removeprefix(f"{REPORT} ")] = state
    return found


def _said(observed: Observed, director: str) -> list[tuple[str, Event]]:
    """What the log says of the quorum of the only virtual server."""
    found: list[tuple[str, Event]] = []
    for log in observed.of(Log, node=director, daemon="keepalived"):
        if (told := _SAID.search(log.line)) is not None:
            found.append(("up" if told[1] == "Gained quorum" else "down", log))
    return found
