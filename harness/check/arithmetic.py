"""What cannot work by the arithmetic of priorities: weights too small, weights beside nopreempt
(pure).

An instance's priority is its own, plus the positive weights of what it tracks while that is well,
less the negative ones while that fails (keepalived, ``vrrp_track.c``). A backup takes over from a
master of lower priority, not from one of the same, and not if it has nopreempt
(``vrrp_state_backup`` in ``vrrp.c``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from harness.check import local
from harness.check.comparing import partners
from harness.check.facts import Reading
from harness.check.files import Configuration
from harness.check.finding import Finding
from harness.check.places import where
from harness.topology.tracking import Tracked
from harness.topology.vrrp import VrrpInstance

OWNER = 255


def weights(
    readings: Mapping[str, Reading], configurations: Sequence[Configuration]
) -> list[Finding]:
    """Every weight of a master that does not move the VIP when what it stands for fails."""
    texts = {configuration.director: configuration for configuration in configurations}
    found: list[Finding] = []
    ending = {name: _ending(reading, texts[name]) for name, reading in readings.items()}
    for claims in _routers(readings):
        found += _of_router(claims, texts, ending)
    return list(dict.fromkeys(found))


def bfd(
    readings: Mapping[str, Reading], configurations: Sequence[Configuration]
) -> Iterator[Finding]:
    """Directors that cannot take over since they track each other by BFD."""
    for configuration in configurations:
        name, own = configuration.director, readings[configuration.director]
        others: set[str | None] = set()
        for other, reading in readings.items():
            if other != name:
                others.update(reading.bfd_sources)
                others.update(one.source for one in reading.instances)
        for instance in own.instances:
            for tracked in instance.track_bfds:
                if tracked.weight == 0 and others.intersection(own.bfd_neighbours):
                    text = (
                        f"{name} is in FAULT state as soon as the other director is lost,"
                        f" which it tracks by {tracked.name}"
                    )
                    place = where(
                        configuration, tracked.name, block=f"vrrp_instance {instance.name}"
                    )
                    yield Finding("bfd-of-the-peer", text, place)


def _ending(reading: Reading, configuration: Configuration) -> set[str]:
    """The scripts that end keepalived when they fail, whatever their weight is."""
    return {
        script.name
        for script in reading.scripts
        if local.ends_keepalived(script, configuration.files)
    }


def _routers(readings: Mapping[str, Reading]) -> Iterator[list[tuple[str, VrrpInstance]]]:
    """The claims of several directors to one virtual router, as the first of them has it."""
    first, *others = readings
    for instance in readings[first].instances:
        claims = [(first, instance)]
        for other in others:
            for mine, also in partners(readings[first].instances, readings[other].instances):
                if mine is instance:
                    claims.append((other, also))
        if len(claims) > 1:
            yield claims


def _priority(instance: VrrpInstance, failing: Tracked | None = None) -> int:
    """The priority while all that is tracked is well, but for one thing
    (``vrrp_set_effective_priority`` in ``vrrp_track.c``).
    """
    if instance.priority == OWNER:
        return OWNER
    tracked = (*instance.track_scripts, *instance.track_interfaces)
    added = sum(each.contribution(failing=each is failing) for each in tracked if each.weight)
    return max(1, min(instance.priority + added, OWNER - 1))


def _of_router(
    claims: list[tuple[str, VrrpInstance]],
    texts: Mapping[str, Configuration],
    ending: Mapping[str, Collection[str]],
) -> Iterator[Finding]:
    director, master = max(claims, key=lambda claim: _priority(claim[1]))
    rivals = [claim for claim in claims if claim[0] != director]
    rival, best = max(rivals, key=lambda claim: _priority(claim[1]))
    highest, next_to_it = _priority(master), _priority(best)
    if master.priority == OWNER or highest == next_to_it:
        return  # the address decides, which is not known here
    for tracked in (*master.track_scripts, *master.track_interfaces):
        name = tracked.name
        if tracked.weight == 0 or tracked.reverse or name in ending.get(director, ()):
            continue
        fallen = _priority(master, failing=tracked)
        place = where(texts[director], "weight", block=f"vrrp_script {name}") or where(
            texts[director], name
        )
        if fallen >= next_to_it:
            beside = (
                f"still above {next_to_it} of {rival}"
                if fallen > next_to_it
                else f"no lower than {next_to_it} of {rival}"
            )
            text = (
                f"when {name} fails on {director}, its priority falls from {highest} to"
                f" {fallen}, which is {beside}, so the VIP does not move"
            )
            cure = f"{_enough(tracked, master, best)} Without a weight a failure is FAULT."
            yield Finding("weight-below-gap", text, place, cure)
        elif best.nopreempt:
            text = (
                f"when {name} fails on {director}, its priority falls to {fallen}, below"
                f" {next_to_it} of {rival}, and"
                f" {rival} has nopreempt, so it does not take over"
            )
            nopreempt = where(texts[rival], "nopreempt", block=f"vrrp_instance {best.name}")
            yield Finding("nopreempt-with-weight", text, nopreempt or place)


def _enough(tracked: Tracked, master: VrrpInstance, best: VrrpInstance) -> str:
    """Which weight would move the VIP.

    A positive one does so by what it adds to the backup, which has to track the same for that.
    """
    beside = [
        each
        for each in (*best.track_scripts, *best.track_interfaces)
        if each.name == tracked.name and each.weight > 0
    ]
    if tracked.weight > 0 and beside:
        gap = _priority(master, failing=tracked) - _priority(best, failing=beside[0])
        return f"A weight of {gap + 1} would move it: the gap is {gap}."
    gap = _priority(master, failing=tracked if tracked.weight > 0 else None) - _priority(best)
    return f"A weight of -{gap + 1} would move it: the gap is {gap}."
