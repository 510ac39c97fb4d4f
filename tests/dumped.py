"""What keepalived 2.2.7 dumped of two configurations, and what is read of it."""

from __future__ import annotations

from pathlib import Path

from harness.check import dump
from harness.check.facts import Reading

DUMPS = Path(__file__).parent / "dumps"


def reading(name: str) -> Reading:
    """What is read of the dump of this name."""
    text = (DUMPS / f"{name}.txt").read_text()
    return dump.parse(text, text)
