"""What an operator may edit in a keepalived.conf before a reload: found in its text, and named
(pure).

Blocks and lines that may be missing are taken out, and numbers that may be others are changed. Each
edit is of text that stands once in the file, as :class:`harness.faults.Reconfigure` wants it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NUMBERS = {
    "weight": ("0", "3"),
    "priority": ("95",),
    "quorum": ("2",),
    "delay_loop": ("3",),
    "garp_master_delay": ("2",),
}
_OPTIONAL = (
    "sorry_server",
    "quorum ",
    "hysteresis",
    "inhibit_on_failure",
    "persistence_timeout",
    "nopreempt",
    "preempt_delay",
    "alpha",
    "track_interface",
    "notify_",
    "smtp_alert",
)
_BLOCKS = ("real_server", "virtual_server", "track_script")
_ADDRESS = re.compile(r"^\s+([0-9a-fA-F.:]+)/(32|128)\b.*$")
_ENTRY = re.compile(r"^\s+([0-9a-fA-F.:]+ \d+|fwmark \d+)\s*$")
"""A line of a virtual_server_group."""


@dataclass(frozen=True)
class Edit:
    """``old``, which stands once, becomes ``new``; ``name`` says it in words."""

    name: str
    old: str
    new: str


def edits_of(text: str) -> tuple[Edit, ...]:
    """All edits of a configuration, in the order of its lines, each by a name of its own."""
    found: dict[str, Edit] = {}
    for edit in (*_without_blocks(text), *_changed_lines(text)):
        if text.count(edit.old) == 1 and edit.name not in found:
            found[edit.name] = edit
    return tuple(found.values())


def _without_blocks(text: str) -> Iterator[Edit]:
    """A block less: from its first line to the one that closes it."""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        words = line.split()
        if not words or words[0] not in _BLOCKS or "{" not in line:
            continue
        depth, end = 0, number
        for end in range(number, len(lines)):
            depth += lines[end].count("{") - lines[end].count("}")
            if depth == 0:
                break
        old = "".join(lines[number : end + 1])
        yield Edit(
            f"no {' '.join(words).rstrip('{ ')}{_within(lines, number)}",
            _unique(text, lines, number, old),
            "",
        )


def _changed_lines(text: str) -> Iterator[Edit]:
    """A line less, or with another number."""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        stripped, where = line.strip(), _within(lines, number)
        if stripped.startswith(_OPTIONAL) and "{" not in line:
            yield _edit(text, lines, number, f"no {stripped}{where}", "")
        if (found := _ADDRESS.match(line)) and _count(lines, number, _ADDRESS) > 1:
            yield _edit(text, lines, number, f"no {found[1]}{where}", "")
        if (found := _ENTRY.match(line)) and _count(lines, number, _ENTRY) > 1:
            yield _edit(text, lines, number, f"no {found[1]}{where}", "")
        words = stripped.split()
        if len(words) == 2 and words[0] in _NUMBERS and words[1].isdigit():
            for other in _NUMBERS[words[0]]:
                if other != words[1]:
                    changed = line.replace(words[1], other)
                    yield _edit(text, lines, number, f"{words[0]} {other}{where}", changed)


def _edit(text: str, lines: list[str], number: int, name: str, new: str) -> Edit:
    """An edit of one line, with as many of those before it as make it stand once."""
    first = number
    while first > 0 and text.count("".join(lines[first : number + 1])) > 1:
        first -= 1
    before = "".join(lines[first:number])
    return Edit(name, before + lines[number], before + new)


def _unique(text: str, lines: list[str], number: int, old: str) -> str:
    return old


def _within(lines: list[str], number: int) -> str:
    """In which blocks a line stands, innermost first: `` in real_server 10.0.0.1 80, virtual_server
    ...``.
    """
    depth, names = 0, []
    for line in reversed(lines[:number]):
        depth += line.count("}") - line.count("{")
        if depth < 0:
            names.append(" ".join(line.split()).rstrip("{ "))
            depth = 0
    return f" in {', '.join(names)}" if names else ""


def _count(lines: list[str], number: int, pattern: re.Pattern[str]) -> int:
    """How many lines like this one stand together."""
    first = last = number
    while first > 0 and pattern.match(lines[first - 1]):
        first -= 1
    while last + 1 < len(lines) and pattern.match(lines[last + 1]):
        last += 1
    return last - first + 1
