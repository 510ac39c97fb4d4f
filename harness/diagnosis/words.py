"""What keepalived itself complains of, in the words of 2.2.7."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from harness.clock import Instant
from harness.diagnosis.found import Diagnosis, Setup
from harness.events import DaemonChanged, FaultChanged, Log
from harness.timeline import EVER, Timeline
from harness.topology.services import endpoint

UNRUN: Final = "script not executable"
"""What keepalived leaves out and says so once, as if nobody had named it."""

_WORDS: Final = (
    (
        "authentication mismatch",
        re.compile(
            r"invalid passwd|authentication type mismatch|expected (no )?authentication", re.I
        ),
        "give all directors of a VRID the same auth_type and auth_pass",
    ),
    (
        "vrrp_strict drops what is sent to the VIP",
        re.compile(r"setting firewall drop rule"),
        "leave vrrp_strict out",
    ),
    (
        "advert_int mismatch",
        re.compile(r"advertisement interval mismatch"),
        "give all directors of a VRID the same advert_int",
    ),
    (
        "VRRP version mismatch",
        re.compile(r"wrong version\. Received"),
        "give all directors of a VRID the same vrrp_version",
    ),
    (
        "script below a symbolic link",
        re.compile(r"Wrong file type found in script path '/s?bin/"),
        "name it by its real path, below /usr: keepalived newer than 2.2.7 leaves out a script"
        " below a symbolic link, and /bin is one",
    ),
    (
        UNRUN,
        re.compile(
            r"script .*(is not executable|cannot be accessed)|Couldn't find executable|wrong"
            r" file type found in script",
            re.I,
        ),
        "correct its path, or let script_user execute it",
    ),
    (
        "script that cannot be run",
        re.compile(r"(VRRP_Script|Misc check for).* failed.*\(exited with status 12[67]\)"),
        "run it by hand as script_user: 126 means that it may not be executed, 127 that"
        " something in it is missing",
    ),
    (
        "keepalived dies",
        re.compile(r"exited due to (?!signal 24\b)|child process\(\d+\) died: Respawning", re.I),
        "read the lines of its log before this one, and report the version that does it",
    ),
    (
        "script owned by another user",
        re.compile(r"unsafe permissions", re.I),
        "let root own the script and every folder above it, and nobody else write there",
    ),
    (
        "weight ignored in a sync group",
        re.compile(r"ignoring .*tracked .*due to SYNC group"),
        "write sync_group_tracking_weight into the vrrp_sync_group, or leave the weight out, so"
        " that a failure is FAULT",
    ),
    (
        "VRRP on a loopback interface",
        re.compile(r"cannot use a loopback interface"),
        "name the interface of the LAN that the directors share",
    ),
)


def said(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """What keepalived itself complains of in its log."""
    return _complaints(timeline, since)


def _complaints(timeline: Timeline, since: Instant) -> Iterator[Diagnosis]:
    words: dict[tuple[str, str], str] = defaultdict(str)
    cures = {name: cure for name, _, cure in _WORDS}
    for event in timeline.events(Log, since=since, daemon="keepalived"):
        for name, pattern, _ in _WORDS:
            if pattern.search(event.line) and (event.node, name) not in words:
                words[event.node, name] = event.said
    for (node, name), line in words.items():
        yield Diagnosis(name, (node,), line, cures[name])


def unrun_script(timeline: Timeline) -> Diagnosis | None:
    """A script that a keepalived has left out; None if all run.

    Only what it said before anything was broken, and before it was given another configuration,
    counts.
    """
    changes = [
        *timeline.events(FaultChanged, action="injected"),
        *timeline.events(DaemonChanged, action="reloaded"),
    ]
    until = min((each.at for each in changes), default=None)
    told = timeline if until is None else timeline.before(until)
    return next((each for each in _complaints(told, EVER) if each.name == UNRUN), None)


NAMES: Final = (
    *(name for name, _, _ in _WORDS),
    "tracked script fails at rest",
    "health check fails at rest",
)
"""What it finds."""

_RESULT = re.compile(r"VRRP_Script\((?P<name>[^)]*)\) (failed|succeeded)")


def script_fails_at_rest(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """A tracked script has failed and not succeeded since, where nothing is broken."""
    last: dict[tuple[str, str], Log] = {}
    for event in timeline.events(Log, since=since, daemon="keepalived"):
        if found := _RESULT.search(event.line):
            last[event.node, found["name"]] = event
    for (node, name), event in last.items():
        broken = timeline.events(FaultChanged, until=event.at, action="injected")
        if ") failed" in event.said and not broken:
            yield Diagnosis(
                "tracked script fails at rest", (node,), event.said,
                f"run the script of {name} by hand as script_user, and look at its status",
            )  # fmt: skip


_CHECKED = re.compile(
    r"(?P<how>Removing|Disabling|Adding|Enabling) service \[?(?P<server>[^ \]]+)\]?"
    r":\w+:(?P<port>\d+) (from|to) VS"
)


def check_fails_at_rest(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """A health checker has removed a real server that is there, and not added it since, where
    nothing is broken.
    """
    last: dict[tuple[str, str, str], tuple[str, Log]] = {}
    for event in timeline.events(Log, since=since, daemon="keepalived"):
        if found := _CHECKED.search(event.line):
            last[event.node, found["server"], found["port"]] = found["how"], event
    for (node, server, port), (how, event) in last.items():
        if (node, endpoint(server, int(port))) in setup.unanswered:
            continue
        broken = timeline.events(FaultChanged, until=event.at, action="injected")
        if how in ("Removing", "Disabling") and not broken:
            yield Diagnosis(
                "health check fails at rest", (node,), event.said,
                f"ask {server} port {port} from {node} for what the check asks, and compare with"
                " what it expects",
            )  # fmt: skip
