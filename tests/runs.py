"""Folders of runs, as the harness leaves them, and events that are in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.events import Event, Value, make
from harness.report import artifacts

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
    make("state", 1, "director1", instance="VI_1", state="MASTER"),
    make("address", 1, "director1", action="added", address=VIP, prefix=32, interface="eth0"),
    make("state", 1, "director2", instance="VI_1", state="BACKUP"),
    make("destination", 1, "director1", action="added", **POOLED),
]
RECEIVED = [
    make("arp", 14.6, node, sent=False, gratuitous=True, sender=VIP)
    for node in ("director1", "web1")
]
EVENTS = [
    make("advertisement", 10.5, "director1", sent=True, vrid=51, priority=100),
    make("request", 10.6, "client", status=200, server="web1", latency=0.001, error=None),
    make("fault", 11, "director1", name="PowerOff", action="injected"),
    make("power", 11.001, "director1", action="off"),
    make("request", 11.1, "client", status=0, server=None, latency=1, error="timed out"),
    make("state", 14.6, "director2", instance="VI_1", state="MASTER"),
    make("address", 14.6, "director2", action="added", address=VIP, prefix=32, interface="eth0"),
    make("arp", 14.6, "director2", sent=True, gratuitous=True, sender=VIP),
    *RECEIVED,
    make("fault", 15, "director1", name="PowerOff", action="healed"),
    make(
        "judged",
        15.1,
        "director2",
        what=f"takes {VIP}",
        since=11,
        earliest=13.6,
        latest=14.7,
        measured=14.6,
        met=True,
    ),
]


def described(**more: Any) -> dict[str, Any]:
    before = [event.as_dict() for event in BEFORE]
    return {
        "format": 1,
        "test": MARKUP,
        "nodes": NODES,
        "began": 10.0,
        "ended": 16.0,
        "before": before,
        **more,
    }


def make_run(folder: Path, events: list[Event] = EVENTS, **more: Any) -> Path:
    scenario = folder / "test_it"
    scenario.mkdir(parents=True)
    artifacts.write_json(
        folder / artifacts.RUN, {"format": 1, "kernel": "<b>7</b>", "seed": 0, "status": 1}
    )
    artifacts.write_json(
        scenario / artifacts.ABOUT, described(outcome="failed", message="<i>no</i>", **more)
    )
    (scenario / artifacts.TIMELINE).write_text("".join(event.as_json() + "\n" for event in events))
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run of one test."""
    return make_run(tmp_path / "run")


def requests(failed: range, until: int = 12) -> list[Event]:
    """Ten requests a second, of which some are refused."""
    return [
        make(
            "request",
            n / 10,
            "client",
            status=0 if n in failed else 200,
            server=None if n in failed else f"w{n % 2}",
            error="refused" if n in failed else None,
            latency=n / 1000,
        )
        for n in range(until)
    ]
