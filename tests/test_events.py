"""Kinds of events: what the file says of one is read back as the same, and the documentation
has them all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness import events
from harness.events import Advertisement, DaemonChanged, Event, table

PAGE = Path(__file__).resolve().parent.parent / "docs" / "artifacts.md"
ADVERTISEMENT = Advertisement(
    1.0, "director1", sent=True, vrid=51, priority=100, addresses="172.16.10.50", length=20
)


@pytest.mark.parametrize(
    "event",
    [ADVERTISEMENT, DaemonChanged(1.0000000001, "a", name="httpd", action="ended", status=-9)],
)
def test_what_is_written_is_read_back(event: Event) -> None:
    assert events.from_dict(json.loads(event.as_json())) == event


def test_what_does_not_apply_is_left_out() -> None:
    started = DaemonChanged(1, "a", name="httpd", action="started")
    assert started.as_dict() == {
        "at": 1,
        "node": "a",
        "kind": "daemon",
        "name": "httpd",
        "action": "started",
    }


@pytest.mark.parametrize(
    "damage",
    [
        {"at": "1"},
        {"at": True},
        {"node": ["a"]},
        {"kind": "pover"},
        {"kind": {}},
        {"action": "up"},
        {"more": 1},
    ],
)
def test_damaged_line_is_refused(damage: dict[str, Any]) -> None:
    with pytest.raises((events.UnknownName, TypeError)):
        events.from_dict({"at": 1.0, "node": "a", "kind": "power", "action": "on", **damage})


def test_documentation_has_every_kind() -> None:
    text = PAGE.read_text()
    assert table.with_table(text) == text, "out of date: make docs"


@pytest.mark.parametrize(
    ("lie", "flaw"),
    [
        ({}, None),
        ({"priority": 0}, None),
        ({"ttl": 1}, "TTL 1 instead of 255"),
        ({"ttl": 1, "destination": "172.16.10.12"}, None),
        ({"type": 2}, "type 2 instead of 1"),
        ({"version": 4}, "version 4"),
        ({"length": 24}, "24 bytes instead of 20"),
        ({"count": 2}, "20 bytes instead of 24"),
        ({"version": 3}, "20 bytes instead of 12"),
        ({"checksum": False}, "wrong checksum"),
    ],
)
def test_flaw_is_what_every_receiver_finds(lie: dict[str, Any], flaw: str | None) -> None:
    said = {name: value for name, value in ADVERTISEMENT.as_dict().items() if name != "kind"} | lie
    assert Advertisement(**said).flaw == flaw
