"""What differs between directors of one cluster and should not, and what their priorities come to (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations

from harness.check.facts import Instance, Reading, Script, Service
from harness.check.files import HOME, Configuration
from harness.check.findings import Finding, Place

LOWEST, HIGHEST = 1, 254
"""The priorities that tracking leads to."""


def compare(readings: Mapping[str, Reading], configurations: Mapping[str, Configuration]) -> Iterator[Finding]:
    """Every finding of this module; both mappings are by director."""
    for one, other in combinations(readings, 2):
        yield from _routers(one, other, readings, configurations)
        yield from _services(one, other, readings, configurations)
    yield from _weights(readings, configurations)


def place(configuration: Configuration, *words: str) -> Place:
    """Where the words stand, each at or below the line of the one before it; the file alone if one is not found."""
    text = configuration.files[f"{HOME}/keepalived.conf"][0].decode(errors="replace")
    lines, at = text.splitlines(), 0
    for word in words:
        pattern = re.compile(rf"(?<![\w.:]){re.escape(word)}(?![\w.:])")
        found = next((number for number in range(at, len(lines)) if pattern.search(lines[number])), None)
        if found is None:
            return Place(str(configuration.origin))
        at = found
    return Place(str(configuration.origin), at + 1)


def _routers(
    one: str, other: str, readings: Mapping[str, Reading], files: Mapping[str, Configuration]
) -> Iterator[Finding]:
    for mine in readings[one].instances:
        for theirs in readings[other].instances:
            if mine.vrid == theirs.vrid and _family(mine) == _family(theirs):
                first, second = _vips(mine), _vips(theirs)
                where = place(files[other], *_lost(theirs, second - first))
                shared = first & second or mine.name == theirs.name or _share_services(readings[one], readings[other])
                if first != second:
                    text = f"VRID {mine.vrid}: {one} has {_listed(first)}, {other} has {_listed(second)}"
                    yield Finding("vip-differs" if shared else "foreign-cluster", where, text)


def _lost(of: Instance, extra: set[str]) -> tuple[str, ...]:
    return (of.name, *sorted(extra)[:1])


def _family(one: Instance) -> int:
    return 6 if any(":" in vip.address for vip in one.vips) else 4


def _vips(one: Instance) -> set[str]:
    return {vip.address for vip in one.vips}


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _share_services(one: Reading, other: Reading) -> bool:
    return bool({each.name for each in one.services} & {each.name for each in other.services})


def _services(
    one: str, other: str, readings: Mapping[str, Reading], files: Mapping[str, Configuration]
) -> Iterator[Finding]:
    mine, theirs = ({_key(each): each for each in readings[name].services} for name in (one, other))
    for key in (mine.keys() | theirs.keys()) - (mine.keys() & theirs.keys()):
        has, lacks = (one, other) if key in mine else (other, one)
        service = (mine if key in mine else theirs)[key]
        text = f"service {service.name} is only on {has}, {lacks} has no such virtual_server"
        yield Finding("service-missing", place(files[has], "virtual_server", *_words(service)), text)
    for key in mine.keys() & theirs.keys():
        here, there = mine[key], theirs[key]
        where = ("virtual_server", *_words(there))
        if here.method != there.method:
            text = f"service {here.name}: lb_kind is {here.method} on {one} and {there.method} on {other}"
            yield Finding("lb-kind-differs", place(files[other], *where, "lb_kind"), text)
        if here.scheduler != there.scheduler:
            text = f"service {here.name}: lb_algo is {here.scheduler} on {one} and {there.scheduler} on {other}"
            yield Finding("scheduler-differs", place(files[other], *where, "lb_algo"), text)
        first, second = ({server.endpoint for server in each.real_servers} for each in (here, there))
        for missing, name, has in ((first - second, other, one), (second - first, one, other)):
            for endpoint in sorted(missing):
                text = f"service {here.name}: {endpoint} is a real server on {has} and not on {name}"
                yield Finding("real-server-missing", place(files[has], endpoint[1:].partition("]")[0]), text)


def _key(service: Service) -> tuple[str, str]:
    return service.name, service.protocol


def _words(service: Service) -> tuple[str, ...]:
    if service.mark is not None:
        return ("fwmark", str(service.mark))
    return tuple(filter(None, [next((address for address, _ in service.listeners), "")]))


def _weights(readings: Mapping[str, Reading], files: Mapping[str, Configuration]) -> Iterator[Finding]:
    claims: dict[int, list[tuple[str, Instance]]] = {}
    for name, reading in readings.items():
        for instance in reading.instances:
            claims.setdefault(instance.vrid, []).append((name, instance))
    for rivals in claims.values():
        if len(rivals) > 1:
            ranked = sorted(rivals, key=lambda claim: _well(claim[1]), reverse=True)
            yield from _gap(ranked[0], ranked[1], readings, files)


def _well(one: Instance) -> int:
    """The priority while all that it tracks is well."""
    added = sum(weight for _, weight in (*one.scripts, *one.interfaces) if weight > 0)
    return min(max(one.priority + added, LOWEST), HIGHEST)


def _gap(
    best: tuple[str, Instance], next_: tuple[str, Instance], readings: Mapping[str, Reading],
    files: Mapping[str, Configuration],
) -> Iterator[Finding]:  # fmt: skip
    (name, master), (other, backup) = best, next_
    scripts: dict[str, Script] = {script.name: script for script in readings[name].scripts}
    weighted = [(script, weight) for script, weight in master.scripts if weight and script in scripts]
    if not weighted:
        return
    lost, rival = sum(abs(weight) for _, weight in weighted), _well(backup)
    left = max(_well(master) - lost, LOWEST)
    script, weight = weighted[0]
    where = place(files[name], f"vrrp_script {script}", "weight")
    if left >= rival:
        gap = _well(master) - rival
        cure = f"make the weight larger than the difference of the priorities: -{gap + 1} or lower"
        text = f"{script} has weight {weight}, and {name} keeps {master.name} when it fails:"
        text += f" priority {left} is not below {rival} of {other}"
        yield Finding("weight-smaller-than-gap", where, text, cure)
    elif not backup.preempt:
        text = f"{master.name}: {script} has weight {weight}, but {other} has nopreempt and so does not take over from"
        text += f" {name} when it fails, though {rival} is above {left}"
        yield Finding("nopreempt-with-weight", place(files[other], backup.name, "nopreempt"), text)
