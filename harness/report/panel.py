"""What the page shows of one scenario, as plain values: its template and its script draw them. Pure
but for reading.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from harness import received
from harness.clock import Instant, duration, milliseconds
from harness.events import Expected, Judged, Missed
from harness.report import broadcasts, captures, ladder, picture, table
from harness.report.artifacts import CAPTURE, Scenario
from harness.report.ladder import Rung
from harness.report.picture import Picture
from harness.report.words import words

GOOD: Final = ("passed", "skipped")
LOOKS_LIKE: Final = "looks like: "

_HEIGHT, _ROW, _PLOTS = 125, 26, 2 * 44
"""Of a picture, about, in pixels: what is around its rows, a row, and what the rows of a plot have
more; so nothing moves when it is drawn.
"""

_MOST_RUNGS: Final = 4000
_PREVIEWED: Final = (".log", ".conf", ".txt", ".stats")
_MOST_PREVIEWED: Final = 24_000
"""Bytes of a file that are shown in the page: its last ones."""


@dataclass(frozen=True)
class Bullet:
    """A measured time against its window; what lies on its axis is in percent of that."""

    node: str
    what: str
    due: str
    measured: str
    met: bool
    opens: float
    closes: float
    at: float | None

    @property
    def verdict(self) -> str:
        """In words."""
        if self.at is None:
            return "not at all"
        return "on time" if self.met else "not on time"


def bullets(scenario: Scenario) -> list[Bullet]:
    """What was due and what came of it, in the order in which it was judged."""
    return [_bullet(event) for event in scenario.events if isinstance(event, Judged | Missed)]


def _bullet(event: Judged | Missed) -> Bullet:
    closes = event.latest - event.since
    opens = event.earliest - event.since if isinstance(event, Judged) else 0.0
    measured = event.measured - event.since if isinstance(event, Judged) else None
    whole = max(closes, measured or 0.0, 1e-9) * 1.12

    def percent(at: float) -> float:
        return round(100 * max(0.0, at) / whole, 2)

    return Bullet(
        node=event.node,
        what=event.what,
        due=f"{milliseconds(opens)} to {duration(closes)}",
        measured="never" if measured is None else duration(measured),
        met=isinstance(event, Judged) and event.met,
        opens=percent(opens),
        closes=percent(closes),
        at=None if measured is None else percent(measured),
    )


def margin(scenario: Scenario) -> float | None:
    """How near to an edge of its window the nearest measured time came, in percent of the window;
    negative beyond it.

    None where nothing was judged.
    """
    found = []
    for event in scenario.events:
        if isinstance(event, Missed):
            found.append(-100.0)
        elif isinstance(event, Judged):
            room = min(event.measured - event.earliest, event.latest - event.measured)
            found.append(100 * room / max(event.latest - event.earliest, 1e-9))
    return round(min(found), 2) if found else None


def panel(scenario: Scenario, base: Path, whole: bool = True) -> dict[str, Any]:
    """Everything of a scenario; ``base`` is the folder in which the page will lie, for its links.

    ``whole``: of one that did not pass also what takes room, its packets and its logs.
    """
    about = scenario.about
    amiss = scenario.outcome not in GOOD
    message = str(about.get("message") or "")
    told = broadcasts.told(scenario.events)
    events = [each for each in told if not isinstance(each.event, Expected)]
    drawn = picture.draw(scenario)
    return {
        "outcome": scenario.outcome,
        "reason": scenario.reason if scenario.outcome != "passed" else "",
        "causes": _causes(message),
        "says": about.get("says") or "",
        "rules": about.get("rules", {}),
        "message": message,
        "problems": scenario.problems,
        "seconds": seconds(about.get("seconds")),
        "lasted": about.get("seconds") or 0,
        "margin": margin(scenario),
        "marks": about.get("marks", []),
        "topology": _topology(about),
        "recorded": _recorded(about),
        "bullets": bullets(scenario),
        "files": _files(scenario, base),
        "table": table.render(scenario.events, about.get("nodes", ())) if amiss else "",
        "description": f"{len(events)} events on"
        f" {len({each.event.node for each in events})} machines",
        "height": _HEIGHT + _ROW * len(drawn.rows) + _PLOTS * len(drawn.plots),
        "data": pack(
            json.dumps(
                _data(scenario, drawn, events, amiss and whole), separators=(",", ":")
            ).encode()
        ),
    }


def pack(data: bytes) -> str:
    """For the page's script, which unpacks it with the browser's own DecompressionStream."""
    return base64.b64encode(gzip.compress(data, mtime=0)).decode()


def _data(
    scenario: Scenario, drawn: Picture, events: Sequence[broadcasts.Told], whole: bool
) -> dict[str, Any]:
    """What the page's script draws: pictures, packets, events and files."""
    zero = picture.zero(scenario)
    nodes = [str(node["name"]) for node in scenario.about.get("nodes", ())]
    capture = _capture(scenario) if whole else b""
    rungs = ladder.of_capture(captures.journeys(capture)) if capture else ladder.of_events(events)
    return {
        **drawn.as_json(),
        "nodes": nodes,
        "events": [
            [
                _ms(each.event.at, zero),
                each.event.node,
                each.event.kind,
                words(each.event),
                _listed(each.heard, nodes),
            ]
            for each in events
        ],
        "rungs": [rung.as_json(zero) for rung in _most_telling(rungs, zero)],
        "captured": bool(capture),
        "epoch": captures.origin(capture) / 1e9 + zero,
        "files": _previews(scenario) if whole else {},
    }


def _listed(heard: Sequence[str], nodes: Sequence[str]) -> str:
    """In the order of the topology."""
    return ", ".join(
        sorted(heard, key=lambda name: nodes.index(name) if name in nodes else len(nodes))
    )


def _ms(at: Instant, zero: Instant) -> float:
    return round((at - zero) * 1000, 3)


def _capture(scenario: Scenario) -> bytes:
    try:
        return received.read(scenario.folder.parent, f"{scenario.folder.name}/{CAPTURE}")
    except OSError:  # it was not kept
        return b""


def _most_telling(rungs: Sequence[Rung], zero: Instant) -> Sequence[Rung]:
    """Of very many packets those nearest to the fault."""
    if len(rungs) <= _MOST_RUNGS:
        return rungs
    nearest = sorted(rungs, key=lambda rung: abs(rung.at - zero))[:_MOST_RUNGS]
    return sorted(nearest, key=lambda rung: rung.at)


def _previews(scenario: Scenario) -> dict[str, str]:
    """The ends of its texts, by their paths below its folder."""
    found = {}
    for path in scenario.files:
        name = str(path.relative_to(scenario.folder))
        if name.endswith(_PREVIEWED):
            try:
                content = received.read(scenario.folder.parent, f"{scenario.folder.name}/{name}")
            except OSError:
                continue
            found[name] = content[-_MOST_PREVIEWED:].decode(errors="replace")
    return found


def _causes(message: str) -> list[tuple[str, list[str]]]:
    """What it looks like, each with the lines below it, which show that."""
    found: list[tuple[str, list[str]]] = []
    for line in message.splitlines():
        said = line.removeprefix("E   ")
        if said.startswith(LOOKS_LIKE):
            found.append((said.removeprefix(LOOKS_LIKE), []))
        elif found and said.startswith("    "):
            found[-1][1].append(said.strip())
        elif found:
            break
    return found


def _files(scenario: Scenario, base: Path) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Machine -> its files: the name that is shown, the path below the scenario's folder, and the
    link.
    """
    machines: dict[str, list[tuple[str, str, str]]] = {}
    for path in scenario.files:
        name = str(path.relative_to(scenario.folder))
        machine, _, below = name.rpartition("/")
        machines.setdefault(machine or "all machines", []).append((below, name, _link(path, base)))
    return sorted(machines.items(), key=lambda each: each[0] != "all machines")


def _link(path: Path, base: Path) -> str:
    return quote(os.fsencode(os.path.relpath(path, base)))  # a name may be no text


def _topology(about: dict[str, Any]) -> str:
    parameters = about.get("parameters")
    named = (
        ", ".join(f"{name}={value}" for name, value in parameters.items())
        if isinstance(parameters, dict)
        else ""
    )
    return f"{about.get('topology') or 'unknown topology'}({named})"


def _recorded(about: dict[str, Any]) -> str:
    if "frames" not in about:
        return ""
    return f"{about['frames']} frames captured, {about.get('dropped', 0)} dropped by the kernel"


def seconds(value: Any) -> str:
    """A time in words; empty if there is none."""
    return f"{value:.3f} s" if isinstance(value, int | float) else ""
