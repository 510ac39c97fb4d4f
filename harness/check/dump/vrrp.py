"""VRRP scripts, tracked files, instances and sync groups in what keepalived dumps
(``vrrp_data.c``).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from harness.check.dump.lines import Line
from harness.topology.tracking import TrackedBfd, TrackedFile, TrackedInterface, VrrpScript
from harness.topology.vrrp import SyncGroup, Vip, VrrpInstance


def script(line: Line) -> VrrpScript:
    return VrrpScript(
        name=line.text.partition(" = ")[2],
        script=shlex.join(shlex.split(line.get("Command") or "")),
        interval=line.number("Interval"),
        timeout=line.number("Timeout") or None,
        weight=int(line.number("Weight")),
        rise=int(line.number("Rise", default=1)),
        fall=int(line.number("Fall", default=1)),
    )


def track_file(line: Line) -> TrackedFile:
    """One file with the number that is in it at rest; each instance has a weight of its own."""
    name, path = line.text.partition(" = ")[2], line.get("File") or ""
    return TrackedFile(name=name, path=path, value=int(line.number("Status")))


def instance(
    line: Line, scripts: Mapping[str, VrrpScript], files: Mapping[str, TrackedFile]
) -> VrrpInstance:
    interface, vmac = _interface(line.get("Interface") or "")

    def addresses(*titles: str) -> tuple[Vip, ...]:
        return tuple(_vip(entry.text, interface, vmac) for entry in line.lists(*titles))

    vips = addresses("Virtual IP (", "Virtual IP :")
    excluded = addresses("Virtual IP Excluded")
    preempt = line.get("Preempt") != "disabled"
    return VrrpInstance(
        name=line.text.partition(" = ")[2],
        interface=interface,
        version=int(line.number("VRRP Version", default=2)),
        vrid=int(line.number("Virtual Router ID")),
        priority=int(line.number("Priority", "Base priority", default=100)),
        advert_int=_interval(line),
        down_timer_adverts=int(line.number("Down timer adverts", default=3)),
        auth_pass=None,
        authentication=line.get("Authentication type") or "none",
        nopreempt=not preempt,
        preempt_delay=line.number("Preempt delay") if preempt else 0.0,
        garp_master_delay=int(line.number("Gratuitous ARP delay", default=5)),
        source=_source(line.get("Using src_ip")),
        unicast_peers=tuple(entry.text.split()[0] for entry in line.lists("Unicast Peer")),
        vip=(),
        track_scripts=tuple(
            replace(scripts[name], weight=weight, reverse=reverse)
            for name, weight, reverse in map(_tracked, line.lists("Tracked scripts"))
            if name in scripts
        ),
        track_interfaces=tuple(
            TrackedInterface(name=name, weight=weight, reverse=reverse)
            for name, weight, reverse in map(_tracked, line.lists("Tracked interfaces"))
        ),
        track_files=tuple(
            replace(files[name], weight=weight, reverse=reverse)
            for name, weight, reverse in map(_tracked, line.lists("Tracked files"))
            if name in files
        ),
        track_bfds=tuple(
            TrackedBfd(name=name, weight=weight, reverse=reverse)
            for name, weight, reverse in map(_tracked, line.lists("Tracked BFDs"))
        ),
        vmac=vmac,
        accepts=line.get("Accept") != "disabled",
    ).with_vips(vips, excluded)


def sync_groups(instances: Iterable[Line]) -> Iterator[SyncGroup]:
    """The sync groups that instances say they are in."""
    groups: dict[str, list[str]] = {}
    for line in instances:
        if name := line.get("Sync group"):
            groups.setdefault(name, []).append(line.text.partition(" = ")[2])
    return (SyncGroup(name=name, members=tuple(own)) for name, own in groups.items())


def _interface(text: str) -> tuple[str, str | None]:
    """``eth0``, or ``vrrp.51, vmac on eth0`` with ``use_vmac``: the wired interface, and that
    one.
    """
    found = re.match(r"(\S+), vmac on ([^,\s]+)", text)
    return (found[2], found[1]) if found else (text.partition(",")[0], None)


def _source(text: str | None) -> str | None:
    """``192.168.200.2 (from configuration)``; without that remark it is just what the interface
    happened to have.
    """
    return text.split()[0] if text and "configuration" in text else None


def _interval(line: Line) -> float:
    text = line.get("Advert interval") or "1 sec"
    return line.number("Advert interval") / (1000 if "milli" in text else 1)


def _vip(text: str, interface: str, vmac: str | None) -> Vip:
    """``192.168.200.18/25 dev eth0 scope global``, ``dev vrrp.51@eth0``."""
    words = text.split()
    address, slash, prefix = words[0].partition("/")
    whole = 128 if ":" in address else 32
    device = words[words.index("dev") + 1].partition("@")[0] if "dev" in words else interface
    return Vip(address, int(prefix) if slash else whole, interface if device == vmac else device)


def _tracked(line: Line) -> tuple[str, int, bool]:
    """Name, weight and whether that is reversed in ``eth1 weight -30``, ``f, weight 1 reverse``,
    ``b: weight 2``. There may be spaces in the name.
    """
    found = re.match(
        r"(?P<name>.+?)[,:]? weight (?P<weight>-?\d+)(?P<reverse> reverse)?", line.text
    )
    if found is None:
        return line.text.split()[0].rstrip(","), 0, False
    return found["name"], int(found["weight"]), found["reverse"] is not None
