"""What an operator may edit in a keepalived.conf before a reload: found in its text, and named
(pure).

Blocks and lines that may be missing are taken out, and others put in; numbers and words that may be
others are changed; VIPs move (:mod:`harness.search.moves`). Each edit is of text that stands once
in the file, as :class:`harness.faults.Reconfigure` wants it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.search import blocks
from harness.search.moves import moves

_OTHERS = {
    "weight": ("0", "3"),
    "priority": ("95",),
    "quorum": ("2",),
    "delay_loop": ("3",),
    "garp_master_delay": ("2",),
    "virtual_router_id": ("61",),
    "advert_int": ("2",),
    "interval": ("2",),
    "fall": ("3",),
    "rise": ("3",),
    "retry": ("0",),
    "lb_algo": ("rr", "wlc"),
}
"""What else may follow a word."""
_OPTIONAL = (
    "sorry_server",
    "quorum ",
    "quorum_up",
    "quorum_down",
    "hysteresis",
    "inhibit_on_failure",
    "persistence_timeout",
    "nopreempt",
    "preempt_delay",
    "alpha",
    "notify_",
    "smtp_alert",
    "use_vmac",
    "garp_",
    "lvs_sync_daemon",
    "vrrp_startup_delay",
)
_ADDED = {
    "vrrp_instance": (
        "nopreempt",
        "preempt_delay 2",
        "garp_master_refresh 1",
        "use_vmac",
        "vmac_xmit_base",
    ),
    "virtual_server": ("alpha", "persistence_timeout 3", "sorry_server_inhibit"),
    "real_server": ("inhibit_on_failure",),
}
"""Lines that may come into a block that has none that begins with the same word."""
_BLOCKS = ("real_server", "virtual_server", "vrrp_sync_group")
_WITHIN = (
    "track_script",
    "track_file",
    "track_interface",
    "track_process",
    "unicast_peer",
    "virtual_ipaddress_excluded",
    "virtual_routes",
    "virtual_rules",
    "HTTP_GET",
    "SSL_GET",
    "TCP_CHECK",
    "SMTP_CHECK",
    "DNS_CHECK",
    "UDP_CHECK",
    "PING_CHECK",
    "MISC_CHECK",
    "FILE_CHECK",
)
"""Blocks that may be missing where they stand in another one."""
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
    lines = text.splitlines(keepends=True)
    found: dict[str, Edit] = {}
    for name, changed in (
        *_without_blocks(lines),
        *_changed_lines(lines),
        *_with_lines(lines),
        *moves(lines),
    ):
        if changed == lines:  # what changes places is the same
            continue
        edit = _edit(text, lines, name, changed)
        if edit is not None and name not in found:
            found[name] = edit
    return tuple(found.values())


Changed = tuple[str, list[str]]
"""What an edit is called, and the lines that are there after it."""


def _without_blocks(lines: list[str]) -> Iterator[Changed]:
    """A block less: from its first line to the one that closes it."""
    for number, line in enumerate(lines):
        words = line.split()
        if not words or words[-1] != "{":
            continue
        inner = words[0] in _WITHIN and len(words) == 2
        spared = words[0] == "vrrp_instance" and _instances(lines) > 1
        if inner or spared or words[0] in _BLOCKS:
            end = blocks.end(lines, number)
            name = f"no {' '.join(words[:-1])}{_within(lines, number)}"
            yield name, lines[:number] + lines[end + 1 :]


def _instances(lines: Sequence[str]) -> int:
    return sum(line.startswith("vrrp_instance ") for line in lines)


def _changed_lines(lines: list[str]) -> Iterator[Changed]:
    """A line less, or with another number or word."""
    for number, line in enumerate(lines):
        stripped, where = line.strip(), _within(lines, number)
        without = lines[:number] + lines[number + 1 :]
        if stripped.startswith(_OPTIONAL) and "{" not in line:
            yield f"no {stripped}{where}", without
        for pattern in (_ADDRESS, _ENTRY):
            if (found := pattern.match(line)) and _count(lines, number, pattern) > 1:
                yield f"no {found[1]}{where}", without
        words = stripped.split()
        if len(words) == 2:
            for other in _others(*words):
                changed = line.replace(f"{words[0]} {words[1]}", f"{words[0]} {other}")
                yield (
                    f"{words[0]} {other}{where}",
                    [*lines[:number], changed, *lines[number + 1 :]],
                )


def _others(word: str, value: str) -> list[str]:
    """What may follow a word instead; version 2 of VRRP may become 3."""
    if (word, value) == ("version", "2"):
        return ["3"]
    return [other for other in _OTHERS.get(word, ()) if other != value]


def _with_lines(lines: list[str]) -> Iterator[Changed]:
    """A line more, at the end of a block."""
    for number, line in enumerate(lines):
        words = line.split()
        if not words or words[-1] != "{" or words[0] not in _ADDED:
            continue
        end = blocks.end(lines, number)
        there = {each.split()[0] for each in lines[number + 1 : end] if each.split()}
        indent = line[: len(line) - len(line.lstrip())] + "    "
        for added in _ADDED[words[0]]:
            if added.split()[0] not in there and not _contradicts(added, lines[number:end]):
                where = _within(lines, number).replace(" in ", ", ", 1)
                name = f"{added} in {' '.join(words[:-1])}{where}"
                yield name, [*lines[:end], f"{indent}{added}\n", *lines[end:]]


def _contradicts(added: str, block: Sequence[str]) -> bool:
    """Whether keepalived would not take a line beside what a block has already, or the line would
    change nothing.

    With ``unicast_peer`` keepalived sets ``vmac_xmit_base`` itself (``vrrp_parser.c``, from 2.2
    on).
    """
    words = {each.strip() for each in block}
    if added == "vmac_xmit_base":
        vmac = any(each.split()[:1] == ["use_vmac"] for each in words)
        return not vmac or "unicast_peer {" in words
    if added == "sorry_server_inhibit":
        return not any(each.startswith("sorry_server ") for each in words)
    return added.startswith(("nopreempt", "preempt_delay")) and bool(
        words & {"state MASTER", "nopreempt", "priority 255"}
    )


def _edit(text: str, lines: list[str], name: str, changed: list[str]) -> Edit | None:
    """What makes the one of the other: the lines that differ, with as many of those before them,
    and then after them, as make them stand once.
    """
    first = 0
    while first < min(len(lines), len(changed)) and lines[first] == changed[first]:
        first += 1
    last = 0
    while last < min(len(lines), len(changed)) - first and lines[-1 - last] == changed[-1 - last]:
        last += 1
    end = len(lines) - last
    while text.count("".join(lines[first:end])) != 1:
        if first > 0:
            first -= 1
        elif end < len(lines):
            end += 1
        else:
            return None
    return Edit(
        name, "".join(lines[first:end]), "".join(changed[first : end + len(changed) - len(lines)])
    )


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
