"""The kinds of deeds: on which nodes of a topology each is possible, what it takes for itself, and
how it is done.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness import faults
from harness.daemons.dnsmasq import DNSMASQ
from harness.daemons.mail import MAIL
from harness.errors import HarnessError
from harness.faults import Fault
from harness.lab.plan import Plan
from harness.nodes import DirectorNode, RealServerNode
from harness.search import deeds, offers
from harness.search.edits import Edit, edits_of
from harness.search.sequence import Deed, Holds
from harness.topology import Client, Director, RealServer

if TYPE_CHECKING:
    from harness.cluster import Cluster


@dataclass(frozen=True)
class Kind:
    """One kind of deed. ``takes`` and ``needs`` name what :class:`Holds` has, ``{node}`` and
    parameters filled in.

    One that is ``remembered`` leaves something in the memory of keepalived's parent that nothing
    shows, for up to :data:`harness.search.model.processes.RESPAWN`: within that, keepalived is
    restarted before the same is done to it again.
    """

    roles: tuple[type, ...]
    make: Callable[..., Fault[Any]]
    takes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ("power {node}",)
    lasting: bool = True
    remembered: bool = False
    possible: offers.Offer = offers.anywhere


_EVERY = (Director, RealServer)


def _simple(fault: Callable[[Any], Fault[Any]]) -> Callable[..., Fault[Any]]:
    return lambda cluster, node: fault(node)


def _cut(cluster: Cluster, node: Any, other: str, both: bool) -> Fault[Any]:
    return faults.Cut(node, cluster.nodes[other], both=both)


def _weigh(
    cluster: Cluster, node: DirectorNode, service: str, server: str, weight: int
) -> Fault[Any]:
    wanted = deeds.service_named(cluster.directors, service)
    machine = cluster.nodes[server]
    assert isinstance(machine, RealServerNode)
    return deeds.Weigh(node, wanted, machine, weight)


def _ask(cluster: Cluster, node: Any, service: str, rate: float) -> Fault[Any]:
    return deeds.Ask(node, cluster, deeds.service_named(cluster.directors, service), rate)


def _crash(fault: type[deeds.CrashVrrp]) -> Callable[..., Fault[Any]]:
    return lambda cluster, node, times: fault(node, cluster, times)


def _write(cluster: Cluster, node: DirectorNode, file: str, value: int) -> Fault[Any]:
    for each in offers.files_of(node.plan):
        if each.name == file:
            return faults.WriteNumber(node, each, value)
    raise HarnessError(f"{node.name} tracks no file {file}")


def _page(fault: Callable[[Any, str], Fault[Any]]) -> Callable[..., Fault[Any]]:
    return lambda cluster, node, path: fault(node, "/index.html" if path == "/" else path)


def _reconfigure(restart: bool) -> Callable[..., Fault[Any]]:
    def make(cluster: Cluster, node: DirectorNode, edit: str) -> Fault[Any]:
        for each in edits_of(node.config_text().decode(errors="replace")):
            if each.name == edit:
                return faults.Reconfigure(node, each.old, each.new, restart=restart)
        raise HarnessError(f"{node.name}: nothing in its keepalived.conf can be edited by {edit!r}")

    return make


_KEEPALIVED = ("power {node}", "keepalived {node}")
_RUNNING = (*_KEEPALIVED, "running {node}")

KINDS: Mapping[str, Kind] = {
    # Simple deeds first: where several show the same failure, the first one of them is shown.
    "Reload": Kind((Director,), _simple(deeds.Reload), needs=_KEEPALIVED, lasting=False),
    "Dump": Kind(
        (Director,),
        lambda cluster, node, number: deeds.Dump(node, number),
        needs=_KEEPALIVED,
        lasting=False,
        possible=lambda plan, host: (
            {"number": int(each)} for each in (signal.SIGUSR1, signal.SIGUSR2)
        ),
    ),
    "Restart": Kind((Director,), _simple(deeds.Restart), needs=_RUNNING, lasting=False),
    "StopHttpd": Kind((RealServer,), _simple(faults.StopHttpd), ("httpd {node}",)),
    "StopDnsmasq": Kind(
        (RealServer,),
        _simple(faults.StopDnsmasq),
        ("dnsmasq {node}",),
        possible=offers.running(DNSMASQ),
    ),
    "StopMail": Kind(
        (RealServer,), _simple(faults.StopMail), ("mail {node}",), possible=offers.running(MAIL)
    ),
    "StopKeepalived": Kind((Director,), _simple(faults.StopKeepalived), ("keepalived {node}",)),
    "KillKeepalived": Kind(
        (Director,),
        lambda cluster, node: deeds.KillKeepalived(node, cluster),
        ("keepalived {node}",),
    ),
    "HangKeepalived": Kind(
        (Director,), _simple(faults.HangKeepalived), ("running {node}",), _KEEPALIVED
    ),
    "PowerOff": Kind(_EVERY, _simple(faults.PowerOff), ("power {node}",), ()),
    "Unplug": Kind(
        _EVERY,
        lambda cluster, node, interface=None: faults.Unplug(node, interface),
        ("wire {node}",),
        possible=offers.cables,
    ),
    "BlackHole": Kind(_EVERY, _simple(faults.BlackHole), ("port {node}",)),
    "Maintenance": Kind(
        (Director,), _simple(faults.Maintenance), ("maintenance {node}",), possible=offers.switches
    ),
    "FailCheck": Kind(
        (Director,), _simple(faults.FailCheck), ("check {node}",), possible=offers.scripts
    ),
    "HangCheck": Kind(
        (Director,), _simple(faults.HangCheck), ("check {node}",), possible=offers.scripts
    ),
    "WriteNumber": Kind((Director,), _write, ("file {node} {file}",), possible=offers.files),
    "StopProgram": Kind(
        _EVERY,
        lambda cluster, node, program: faults.StopProgram(node, program),
        # Whatever starts one daemon of a machine starts all that have ended.
        ("program {node} {program}", "running {node}", "httpd {node}"),
        _KEEPALIVED,
        possible=offers.programs,
    ),
    "Reconfigure": Kind(
        (Director,), _reconfigure(False), ("config {node}",), _KEEPALIVED, possible=offers.texts
    ),
    "Ask": Kind((Client,), _ask, ("asks {node}",), possible=offers.services),
    "Mute": Kind(_EVERY, _simple(faults.Mute), ("leaves {node}",)),
    "Deaf": Kind(_EVERY, _simple(faults.Deaf), ("arrives {node}",)),
    "DropAdvertisements": Kind(
        (Director,),
        _simple(faults.DropAdvertisements),
        ("arrives {node}",),
        possible=offers.instances,
    ),
    "Cut": Kind(
        (Director,),
        _cut,
        ("cut {node} {other}", "cut {other} {node}"),
        ("power {node}", "power {other}", "iface {node}", "iface {other}"),
        possible=offers.peers,
    ),
    "HangHttpd": Kind((RealServer,), _simple(faults.HangHttpd), ("httpd {node}",)),
    "HangDnsmasq": Kind(
        (RealServer,),
        _simple(faults.HangDnsmasq),
        ("dnsmasq {node}",),
        possible=offers.running(DNSMASQ),
    ),
    "HangMail": Kind(
        (RealServer,), _simple(faults.HangMail), ("mail {node}",), possible=offers.running(MAIL)
    ),
    "HalfOpen": Kind((RealServer,), _simple(faults.HalfOpen), ("firewall {node}",)),
    "ResetRequests": Kind((RealServer,), _simple(faults.ResetRequests), ("firewall {node}",)),
    "DropUdp": Kind(
        (RealServer,),
        _simple(faults.DropUdp),
        ("firewall {node}",),
        possible=offers.running(DNSMASQ),
    ),
    "IgnoreEcho": Kind(
        (RealServer,), _simple(faults.IgnoreEcho), ("echo {node}",), possible=offers.pinged
    ),
    "DropTcp": Kind((RealServer,), _simple(faults.DropTcp), ("firewall {node}",)),
    "RemovePage": Kind(
        (RealServer,), _page(faults.RemovePage), ("page {node} {path}",), possible=offers.pages
    ),
    "ChangePage": Kind(
        (RealServer,), _page(faults.ChangePage), ("page {node} {path}",), possible=offers.read_pages
    ),
    "SlowPage": Kind(
        (RealServer,), _page(faults.SlowPage), ("page {node} {path}",), possible=offers.slow_pages
    ),
    "SetDown": Kind(_EVERY, _simple(deeds.SetDown), ("iface {node}",)),
    "LoseAddress": Kind((Director,), _simple(faults.LoseAddress), ("iface {node}",)),
    "DeleteVip": Kind(
        (Director,),
        lambda cluster, node, vip: deeds.DeleteVip(node, vip),
        lasting=False,
        needs=("power {node}", "iface {node}"),
        possible=offers.vips,
    ),
    "Weigh": Kind(
        (Director,), _weigh, ("weight {node} {service} {server}",), possible=offers.weights
    ),
    # keepalived starts a child that has died again, and each time after a longer delay
    # (core/main.c).
    "CrashVrrp": Kind(
        (Director,),
        _crash(deeds.CrashVrrp),
        needs=_RUNNING,
        lasting=False,
        remembered=True,
        possible=lambda plan, host: offers.times(plan, host, bool(offers.instances_of(host))),
    ),
    "CrashCheckers": Kind(
        (Director,),
        _crash(deeds.CrashCheckers),
        needs=_RUNNING,
        lasting=False,
        remembered=True,
        possible=lambda plan, host: offers.times(plan, host, bool(offers.services_of(host))),
    ),
}


def possible(plan: Plan, texts: Mapping[str, str], without: Iterable[str] = ()) -> tuple[Deed, ...]:
    """All that can be done on a topology, simple things first. ``texts`` has each director's
    keepalived.conf.

    ``without`` names kinds that are left out. HarnessError if there is no director.
    """
    ensure_director(plan, "this topology")
    left_out = frozenset(ensure_known(without))
    found = []
    for name, kind in KINDS.items():
        for host in plan.hosts:
            if name in left_out or not isinstance(host.role, kind.roles):
                continue
            every: Iterable[dict[str, Any]] = kind.possible(plan, host)
            if name == "Reconfigure":
                every = ({"edit": edit.name} for edit in edits_of(texts.get(host.name, "")))
            found += [Deed(name, host.name, tuple(sorted(each.items()))) for each in every]
    return tuple(found)


def ensure_director(plan: Plan, name: str) -> None:
    """HarnessError if there is nothing to search in a topology."""
    if not any(
        isinstance(host.role, Director) and host.role.by == "keepalived" for host in plan.hosts
    ):
        raise HarnessError(
            f"{name} has no director that runs keepalived, so there is nothing to search: give"
            f" it a Director"
        )


def ensure_known(without: Iterable[str]) -> list[str]:
    """The kinds that are left out. HarnessError if there is no such kind."""
    names = list(without)
    if unknown := [name for name in names if name not in KINDS]:
        raise HarnessError(
            f"--without {unknown[0]}: there is no such deed; there are {', '.join(KINDS)}"
        )
    return names


def holds(deed: Deed) -> Holds:
    """What a deed takes for itself, and what it needs."""
    kind = KINDS[deed.name]
    words = {"node": deed.node, **dict(deed.parameters)}

    def filled(templates: Iterable[str]) -> frozenset[str]:
        return frozenset(template.format(**words) for template in templates)

    return Holds(filled(kind.takes), filled(kind.needs))


def fault_of(cluster: Cluster, deed: Deed) -> Fault[Any]:
    """The deed, ready to be done. HarnessError if it names what is not there."""
    if deed.name not in KINDS:
        raise HarnessError(f"{deed.name} is no deed; there are {', '.join(KINDS)}")
    return KINDS[deed.name].make(cluster, cluster.nodes[deed.node], **dict(deed.parameters))


__all__ = ["KINDS", "Edit", "Kind", "fault_of", "holds", "possible"]
