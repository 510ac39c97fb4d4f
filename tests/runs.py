"""Folders of runs, as the harness leaves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.report import artifacts
from harness.timeline import Event, Value

VIP, WEB1 = "172.16.10.50", "172.16.10.21"
MARKUP = "test_x.py::test_it[<script>alert(1)</script> & \"quotes\" 'and' </details>]"
NODES = [
    {"name": "director1", "role": "Director", "addresses": {"eth0": ["172.16.10.11/24"]}},
    {"name": "director2", "role": "Director", "addresses": {"eth0": ["172.16.10.12/24"]}},
    {"name": "web1", "role": "RealServer", "addresses": {"eth0": [f"{WEB1}/24"]}},
    {"name": "client", "role": "Client", "addresses": {"eth0": ["172.16.10.100/24"]}},
]
POOLED: dict[str, Value] = {"service": f"TCP {VIP}:80", "address": f"{WEB1}:80", "weight": 1}
BEFORE = [
    Event(1, "director1", "state", {"instance": "VI_1", "state": "MASTER"}),
    Event(1, "director1", "address", {"action": "added", "address": VIP, "interface": "eth0"}),
    Event(1, "director2", "state", {"instance": "VI_1", "state": "BACKUP"}),
    Event(1, "director1", "destination", {"action": "added", **POOLED}),
]
EVENTS = [
    Event(10.5, "director1", "advertisement", {"sent": True, "vrid": 51, "priority": 100}),
    Event(10.6, "client", "request", {"status": 200, "server": "web1", "latency": 0.001, "error": None}),
    Event(11, "director1", "fault", {"name": "PowerOff", "action": "injected"}),
    Event(11.001, "director1", "power", {"action": "off"}),
    Event(11.1, "client", "request", {"status": 0, "server": None, "latency": 1, "error": "timed out"}),
    Event(14.6, "director2", "state", {"instance": "VI_1", "state": "MASTER"}),
    Event(14.6, "director2", "address", {"action": "added", "address": VIP, "interface": "eth0"}),
    Event(14.6, "director2", "arp", {"sent": True, "gratuitous": True, "sender": VIP}),
    Event(15, "director1", "fault", {"name": "PowerOff", "action": "healed"}),
    Event(15.1, "director2", "judged", {
        "what": f"takes {VIP}", "since": 11, "earliest": 13.6, "latest": 14.7, "measured": 14.6, "met": True,
    }),
]  # fmt: skip


def described(**more: Any) -> dict[str, Any]:
    before = [event.as_dict() for event in BEFORE]
    return {"format": 1, "test": MARKUP, "nodes": NODES, "began": 10.0, "ended": 16.0, "before": before, **more}


def make_run(folder: Path, events: list[Event] = EVENTS, **more: Any) -> Path:
    scenario = folder / "test_it"
    scenario.mkdir(parents=True)
    artifacts.write_json(folder / artifacts.RUN, {"format": 1, "kernel": "<b>7</b>", "seed": 0, "status": 1})
    artifacts.write_json(scenario / artifacts.ABOUT, described(outcome="failed", message="<i>no</i>", **more))
    (scenario / artifacts.TIMELINE).write_text("".join(event.as_json() + "\n" for event in events))
    return folder
