"""A topology made from the directors' own configurations: ``configured("lb1.conf", "lb2.conf")``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mininet.topo import Topo

from harness.check import derive, drawing, model, reading, standins
from harness.check.derive import SCRIPT
from harness.check.facts import Reading
from harness.check.files import Configuration, load_all
from harness.check.layout import Layout
from harness.errors import HarnessError
from harness.lab.plan import HostPlan, Plan, with_images
from harness.lab.supervisor import Supervisor
from harness.topology import Client, Director, RealServer, VirtualService

if TYPE_CHECKING:
    from harness.images.selection import Selection

Topology = Callable[[], Topo]


class Configured:
    """What ``pytest.mark.topology.with_args`` takes instead of a ``Topo``: it is one as soon as keepalived has read.

    ``arguments`` are ``FILE`` or ``DIRECTOR=FILE``, ``settings`` correct what had to be assumed. Once :meth:`read`
    has been called, ``understood`` is the drawing of what was understood, ``left_out`` what is not emulated, by name.
    """

    def __init__(self, *arguments: str, settings: Mapping[str, str] | None = None) -> None:
        self.__name__ = " ".join(arguments)
        self._settings = dict(settings or {})
        self._configurations = _with_scripts(load_all(list(arguments)), self._settings)
        self.understood = ""
        self.left_out: tuple[str, ...] = ()
        self._topology: Topology | None = None

    def read(self, supervisor: Supervisor, selection: Selection | None = None) -> Topology:
        """Have keepalived read the configurations, in machines of their own; the topology that they need.

        ``selection`` says which images the directors have, and so which keepalived reads.
        """
        if self._topology is not None:
            return self._topology
        readings: dict[str, Reading] = {}
        complaints: dict[str, tuple[str, ...]] = {}
        hosts = tuple(HostPlan(configuration.director, Director(), ()) for configuration in self._configurations)
        plan = Plan({}, hosts) if selection is None else with_images(Plan({}, hosts), selection)
        for configuration, host in zip(self._configurations, plan.hosts, strict=True):
            readings[configuration.director], said = reading.read(configuration, host, supervisor)
            missing = tuple(f"include {pattern}: there is no such file" for pattern in configuration.missing)
            complaints[configuration.director] = (*said, *missing)
        layout = derive.derive(readings, self._settings)
        layout = replace(
            layout, left_out=(*layout.left_out, *standins.left_out(layout)), changed=tuple(standins.changed(layout))
        )
        self.left_out = layout.left_out
        self.understood = drawing.draw(layout, complaints)
        self._topology = partial(_Derived, layout=layout, configurations=self._configurations)
        return self._topology


def _with_scripts(configurations: list[Configuration], settings: dict[str, str]) -> list[Configuration]:
    """The scripts that the user maps, among the files of all directors; they are taken out of ``settings``."""
    named = {path for configuration in configurations for path in configuration.programs}
    mapped: dict[str, tuple[bytes, int]] = {}
    for key in [key for key in settings if key.startswith(SCRIPT)]:
        path, file = key.removeprefix(SCRIPT), Path(settings.pop(key))
        if path not in named:
            told = ", ".join(sorted(named)) or "none"
            raise HarnessError(f"--set {key}: no configuration names this script; those that are named: {told}")
        try:
            mapped[path] = file.read_bytes(), 0o755
        except OSError as problem:
            raise HarnessError(f"--set {key}={file}: cannot read {file}: {problem.strerror}") from None
    return [replace(each, files={**each.files, **mapped}) for each in configurations]


def configured(*arguments: str, **settings: str) -> Configured:
    """A topology from real configuration files, unchanged; ``settings`` as for ``lvs-harness check --set``.

    Raises HarnessError for a file that cannot be used.
    """
    return Configured(*arguments, settings=settings)


class _Derived(Topo):
    """The machines of a derived cluster."""

    def build(self, layout: Layout, configurations: list[Configuration]) -> None:
        services = _services(layout)
        missing = {path: (standins.SUCCEEDS, 0o755) for each in layout.directors for path in each.reading.programs}
        digests = standins.digests({director.name: director.reading for director in layout.directors})
        for name, segment in layout.segments.items():
            self.addSwitch(f"lan-{name}"[:15], subnet=str(segment.subnet))
        forwarding = any(service.method == "NAT" for service in services.values())
        for director, configuration in zip(layout.directors, configurations, strict=True):
            instances = [each for each in director.instances if model.is_judged(each)]
            self.addHost(
                director.name,
                cls=Director,
                vrrp=tuple(model.instance(each, director.reading.scripts) for each in instances),
                sync_groups=model.sync_groups(instances),
                services=[services[each.name] for each in director.reading.services if each.name in services],
                files={**missing, **standins.with_digests(configuration.files, digests)},
                holds=tuple(layout.static_vips) if director is layout.directors[0] else (),
                sysctl={"net.ipv4.ip_forward": 1} if forwarding else {},
            )
            self._wire(director.name, director.addresses, director.called)
        for server in layout.servers:
            serves = [
                replace(services[each.name], check=model.checks(own))  # each real server has checkers of its own
                for each, own in server.serves
                if each.name in services
            ]
            self.addHost(
                server.name,
                cls=RealServer,
                serves=serves,
                sorry_for=[services[each.name] for each in server.sorry_for if each.name in services],
                defaultRoute=f"via {server.gateway}",
                **standins.options(server),
            )
            self._wire(server.name, {server.segment: server.address})
        self.addHost("client", cls=Client)
        self._wire("client", layout.client)

    def _wire(self, host: str, addresses: Mapping[str, str], called: Mapping[str, str] | None = None) -> None:
        for wire, address in addresses.items():
            interface = (called or {}).get(wire, wire)
            self.addLink(f"lan-{wire}"[:15], host, intfName2=interface, params2={"ip": address})


def _services(layout: Layout) -> dict[str, VirtualService]:
    """The services by name, but for those that are not emulated."""
    found: dict[str, VirtualService] = {}
    for director in layout.directors:
        for fact in director.reading.services:
            if fact.name not in found and standins.why_not(fact) is None:
                found[fact.name] = model.service(fact, [server.address for server in layout.servers])
    return found
