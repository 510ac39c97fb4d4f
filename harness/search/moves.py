"""VIPs that come, and that move from one VRRP instance of a keepalived.conf to another (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from harness.search import blocks

_VIP: Final = re.compile(r"^(\s+)([0-9a-fA-F.:]+)/(32|128)\b(.*)$")
NUMBERED: Final = " have each other's number"
GONE: Final = ", which is gone"
FURTHER: Final = 130
"""By how much a VIP that comes is higher than the first one."""


@dataclass(frozen=True)
class _Instance:
    """A block: which lines it has, which of them are its VIPs, and which has its number."""

    name: str
    first: int
    end: int
    vips: tuple[int, ...]
    vrid: int


def moves(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Edits that give an instance another's VIPs or number, or one VIP more; each by its name, with
    the lines that are there after it.
    """
    instances = list(_instances(lines))
    for own in instances:
        yield from _one_more(lines, own)
    for number, one in enumerate(instances):
        for other in instances[number + 1 :]:
            yield from _between(lines, one, other)


def _instances(lines: list[str]) -> Iterator[_Instance]:
    """The blocks of instances that have VIPs."""
    for first, line in enumerate(lines):
        words = line.split()
        if words[:1] != ["vrrp_instance"]:
            continue
        end, vips, vrid = blocks.end(lines, first), [], 0
        for number in range(first, end):
            if lines[number].split()[:1] == ["virtual_router_id"]:
                vrid = number
            if lines[number].split() == ["virtual_ipaddress", "{"]:
                within = range(number, blocks.end(lines, number))
                vips += [each for each in within if _VIP.match(lines[each])]
        if vips:
            yield _Instance(words[1], first, end, tuple(vips), vrid)


def _one_more(lines: list[str], own: _Instance) -> Iterator[tuple[str, list[str]]]:
    found = _VIP.match(lines[own.vips[0]])
    assert found is not None
    more = str(ip_address(found[2]) + FURTHER)
    if more not in "".join(lines):
        line = f"{found[1]}{more}/{found[3]}{found[4]}\n"
        last = own.vips[-1] + 1
        yield f"{more} more in vrrp_instance {own.name}", [*lines[:last], line, *lines[last:]]


def _between(lines: list[str], one: _Instance, other: _Instance) -> Iterator[tuple[str, list[str]]]:
    """Their numbers or their first VIPs change places; the second one is gone and the first has its
    VIPs, too; each has one of the other's that can spare it.
    """
    mine, theirs = one.vips[0], other.vips[0]
    numbered = list(lines)
    numbered[one.vrid], numbered[other.vrid] = lines[other.vrid], lines[one.vrid]
    yield f"{one.name} and {other.name}{NUMBERED}", numbered
    if (":" in lines[mine]) != (":" in lines[theirs]):
        return
    swapped = list(lines)
    swapped[mine], swapped[theirs] = lines[theirs], lines[mine]
    yield f"{one.name} and {other.name} have each other's first VIP", swapped
    last = one.vips[-1] + 1
    taken = [lines[number] for number in other.vips]
    rest = [*lines[last : other.first], *lines[other.end + 1 :]]
    gone = [*lines[:last], *taken, *rest]
    yield f"{one.name} has the VIPs of {other.name}{GONE}", gone
    if len(one.vips) > 1:
        moved = one.vips[-1]
        changed = [*lines[: theirs + 1], lines[moved], *lines[theirs + 1 :]]
        del changed[moved]
        yield f"{other.name} has the last VIP of {one.name}", changed
    if len(other.vips) > 1:
        moved = other.vips[-1]
        changed = [*lines[:moved], *lines[moved + 1 :]]
        yield (
            f"{one.name} has the last VIP of {other.name}",
            [*changed[: mine + 1], lines[moved], *changed[mine + 1 :]],
        )
