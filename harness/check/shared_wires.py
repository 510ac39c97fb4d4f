"""Which interfaces of different directors lead to one wire, though each director calls its own
otherwise (pure).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from harness.check.facts import Reading
from harness.topology.vrrp import VrrpInstance

Setting = Callable[[str, str, str], str]
"""Key, likely value and why it is likely -> the value, be it the user's."""


_VIRTUAL = re.compile(r"lo|tunl\d+|ip6tnl\d+|gre\d+|sit\d+|dummy\w*")


def is_virtual(device: str) -> bool:
    """Whether a device leads to no wire: the loopback, a tunnel, a dummy."""
    return _VIRTUAL.fullmatch(device) is not None


def unified(
    readings: Mapping[str, Reading], setting: Setting
) -> tuple[dict[str, Reading], dict[str, dict[str, str]]]:
    """The readings with the first director's name for each wire, and by director: wire -> its own
    interface, where that is called otherwise.

    A virtual router is on one wire: where a director has a VRID on an interface that nobody before
    it has, it is taken for that on which the others have it. On one that they have as well it may
    be a mistake, and is left alone.
    """
    wire_of: dict[int, str] = {}
    wires: set[str] = set()
    renamed: dict[str, Reading] = {}
    own: dict[str, dict[str, str]] = {}
    for name, reading in readings.items():
        mine = _interfaces(reading)
        to: dict[str, str] = {}
        for one in reading.instances:
            wire = wire_of.setdefault(one.vrid, to.get(one.interface, one.interface))
            if one.interface not in wires | to.keys() and wire not in mine:
                why = f"VRID {one.vrid} is on {wire} elsewhere"
                if (lan := setting(f"{name}.{one.interface}.lan", wire, why)) != one.interface:
                    to[one.interface] = lan
        wires |= {to.get(interface, interface) for interface in mine}
        renamed[name] = _renamed(reading, to)
        own[name] = {wire: interface for interface, wire in to.items()}
    return renamed, own


def _interfaces(reading: Reading) -> set[str]:
    named = set()
    for one in reading.instances:
        named.add(one.interface)
        named.update(tracked.name for tracked in one.track_interfaces)
        named.update(vip.device for vip in one.held)
    return named


def _renamed(reading: Reading, to: Mapping[str, str]) -> Reading:
    def instance(one: VrrpInstance) -> VrrpInstance:
        return replace(
            one,
            interface=to.get(one.interface, one.interface),
            elsewhere=tuple((vip, to.get(device, device)) for vip, device in one.elsewhere),
            track_interfaces=tuple(
                replace(each, name=to.get(each.name, each.name)) for each in one.track_interfaces
            ),
        )

    missed = tuple(to.get(name, name) for name in reading.interfaces)
    return replace(reading, instances=tuple(map(instance, reading.instances)), interfaces=missed)
