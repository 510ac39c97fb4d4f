"""From a Mininet ``Topo`` to a checked plan of machines and wires: pure, so mistakes are found before all else."""

from __future__ import annotations

import functools
import inspect
import re
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface
from typing import TYPE_CHECKING, Any

import mininet
from mininet.topo import Topo

import harness
from harness.errors import HarnessError
from harness.images.image import HOST, Image
from harness.lab import addressing
from harness.topology import Director, RealServer, Role
from harness.topology.machines import role_of

if TYPE_CHECKING:
    from harness.images.selection import Selection

Topology = Callable[..., Topo]
"""A ``Topo`` subclass, or anything else that makes one from keyword parameters."""

Edits = Mapping[str, tuple[str, str]]
"""Director -> (text that stands once in its generated keepalived.conf, what to write instead)."""

_OWN_OPTIONS = ("ip", "mac", "defaultRoute", "defaultRoute6", "inNamespace", "isSwitch")
_LINK_OPTIONS = ("node1", "node2", "port1", "port2", "intfName1", "intfName2", "params1", "params2")
_HOSTNAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)  # RFC 1123 section 2.1, one label
_INTERFACE_NAME = re.compile(r"[\w.-]{1,15}", re.ASCII)  # linux/if.h: IFNAMSIZ is 16, with the final zero


@dataclass(frozen=True)
class InterfacePlan:
    """One wired interface: ``name`` in its machine, ``wire`` the name of the wire's other end, on the LAN's switch.

    ``address6`` is None on a LAN without an IPv6 subnet.
    """

    name: str
    address: IPv4Interface
    mac: str
    lan: str
    wire: str
    address6: IPv6Interface | None = None

    def address_of(self, family: int) -> str:
        """Its address in IP version 4 or 6, without the prefix length. HarnessError if it has none."""
        address = self.address if family == 4 else self.address6
        if address is None:
            raise HarnessError(
                f"{self.wire}: no IPv6 address; give the LAN {self.lan} one: addSwitch(..., subnet6=...)"
            )
        return address.ip.compressed

    @property
    def addresses(self) -> tuple[IPv4Interface | IPv6Interface, ...]:
        """Its address, or both."""
        return (self.address,) if self.address6 is None else (self.address, self.address6)


@dataclass(frozen=True)
class HostPlan:
    """One machine: its role and interfaces; ``default_routes`` are its gateways' addresses, if it has any.

    ``image`` is its root file system.
    """

    name: str
    role: Role
    interfaces: tuple[InterfacePlan, ...]
    default_routes: tuple[str, ...] = ()
    image: Image = HOST

    def interface(self, name: str | None = None) -> InterfacePlan:
        """An interface by name, the first by default."""
        for interface in self.interfaces:
            if name in (None, interface.name):
                return interface
        raise HarnessError(f"{self.name}: no interface {name}; it has {', '.join(i.name for i in self.interfaces)}")


@dataclass(frozen=True)
class Plan:
    """The whole network: ``lans`` by name with their IPv4 subnets, ``hosts`` in the order of the topology."""

    lans: dict[str, IPv4Network]
    hosts: tuple[HostPlan, ...]

    def of_role(self, role: type[Role]) -> list[HostPlan]:
        """The hosts of one role."""
        return [host for host in self.hosts if isinstance(host.role, role)]

    @functools.cached_property
    def etc_hosts(self) -> str:
        """The text of ``/etc/hosts``, the same on every machine."""
        lines = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost"]
        lines += [f"{host.interface().address.ip}\t{host.name}" for host in self.hosts if host.interfaces]
        return "\n".join(lines) + "\n"


def make_topo(factory: Callable[[], Topo]) -> Topo:
    """Call a topology; what it raises becomes a HarnessError that names file and line.

    Two nodes with one name are refused here, for Mininet's ``addNode`` silently keeps the last one.
    """
    name = getattr(factory, "__name__", "topology")
    try:
        with _checked_names():
            topo = factory()
    except HarnessError as problem:
        raise HarnessError(f"{_where(problem)}{problem}") from None
    except (Exception, SystemExit) as problem:
        where = _where(problem)
        if not where and isinstance(problem, TypeError):  # build() was called wrongly, and has not begun
            raise HarnessError(f"topology {name}: {problem}{_its_parameters(factory)}") from None
        raise HarnessError(f"{where}topology {name} raised {type(problem).__name__}: {problem}") from problem
    if not isinstance(topo, Topo):
        raise HarnessError(f"{name} is no topology: give a Mininet Topo, such as DirectorPair, not {topo!r}")
    return topo


def _where(problem: BaseException) -> str:
    """File and line where it was raised, in the innermost frame that is not the harness's or Mininet's own, if any."""
    libraries = (*harness.__path__, *mininet.__path__)
    frames = [
        frame
        for frame in traceback.extract_tb(problem.__traceback__)
        if not frame.filename.startswith((*(f"{library}/" for library in libraries), "<"))
    ]
    return f"{frames[-1].filename}:{frames[-1].lineno}: " if frames else ""


def _its_parameters(factory: Callable[[], Topo]) -> str:
    build = getattr(factory.func if isinstance(factory, functools.partial) else factory, "build", None)
    known = list(inspect.signature(build).parameters)[1:] if build else []
    return f"; its parameters are: {', '.join(known)}" if known else ""


@contextmanager
def _checked_names() -> Iterator[None]:
    """Have ``Topo`` refuse what it would take silently, or with a bare KeyError, while file and line are known."""
    add_node, add_link = Topo.addNode, Topo.addLink

    def checked_node(self: Topo, name: str, **options: Any) -> Any:
        if name in self.g.nodes():
            raise HarnessError(f"two nodes with one name: {name}; rename one")
        return add_node(self, name, **options)

    def checked_link(self: Topo, node1: str, node2: str, *ports: Any, **options: Any) -> Any:
        for node in (node1, node2):
            if node not in self.g.nodes():
                raise HarnessError(f"a link goes to {node}, which is no node: addHost or addSwitch it first")
        return add_link(self, node1, node2, *ports, **options)

    Topo.addNode, Topo.addLink = checked_node, checked_link
    try:
        yield
    finally:
        Topo.addNode, Topo.addLink = add_node, add_link


def plan(topo: Topo, seed: int = 0) -> Plan:
    """Check a topology and give every interface its name, address and MAC. Raises HarnessError naming the node."""
    lans, lans6 = addressing.subnets(topo), addressing.subnets6(topo)
    ends = _ends(topo)
    wired = Counter(end.lan for each in ends.values() for end in each)
    for lan, subnet in lans.items():
        addressing.check_room(lan, subnet, wired[lan])
    hosts: list[HostPlan] = []
    taken: dict[str, str] = {}
    macs: dict[str, str] = {}
    for number, name in enumerate(topo.hosts(sort=False), start=1):
        _check_hostname(name)
        options = dict(topo.nodeInfo(name))
        stock = {key: options.pop(key, None) for key in _OWN_OPTIONS}
        role = role_of(name, options)
        interfaces = []
        for position, end in enumerate(ends.get(name, [])):
            own = stock if position == 0 else {}
            address = addressing.address(name, end.lan, lans[end.lan], end.options.get("ip") or own.get("ip"), taken)
            automatic = f"02:{seed >> 8 & 255:02x}:{seed & 255:02x}:{number >> 8:02x}:{number & 255:02x}:{position:02x}"
            mac = addressing.mac(name, end.options.get("mac") or own.get("mac") or automatic, macs)
            wire = f"{name}-eth{position}" if len(name) <= 10 else f"wire{number}-eth{position}"
            subnet6 = lans6.get(end.lan)
            given6 = end.options.get("ip6")
            address6 = None if subnet6 is None else addressing.address6(name, end.lan, subnet6, address, given6, taken)
            interfaces.append(InterfacePlan(_interface_name(name, end), address, mac, end.lan, wire, address6))
        hosts.append(HostPlan(name, role, tuple(interfaces), _gateways(name, stock, interfaces)))
        _check_wired(hosts[-1])
    whole = Plan(lans, tuple(hosts))
    for host in whole.hosts:
        for vip in _vips(host.role):
            addressing.check_vip(host.name, vip, [*lans.items(), *lans6.items()], taken)
    return whole


def _gateways(name: str, given: Mapping[str, str | None], interfaces: list[InterfacePlan]) -> tuple[str, ...]:
    networks = [address.network for interface in interfaces for address in interface.addresses]
    found = (addressing.gateway(name, option, given[option], networks) for option in ("defaultRoute", "defaultRoute6"))
    return tuple(gateway for gateway in found if gateway is not None)


def _vips(role: Role) -> list[str]:
    if isinstance(role, Director):
        return [vip for instance in role.instances for vip in instance.vips]
    return [vip for service in role.serves for vip, _ in service.endpoints] if isinstance(role, RealServer) else []


def with_edits(whole: Plan, edits: Edits) -> Plan:
    """The plan with edits to the directors' configurations. HarnessError if one is of no director."""
    directors = [host.name for host in whole.of_role(Director)]
    if unknown := edits.keys() - set(directors):
        raise HarnessError(f"no director {', '.join(sorted(unknown))} to edit; the topology has {', '.join(directors)}")
    hosts = [
        replace(host, role=replace(host.role, edits=(*host.role.edits, edits[host.name])))
        if isinstance(host.role, Director) and host.name in edits
        else host
        for host in whole.hosts
    ]
    return replace(whole, hosts=tuple(hosts))


def with_images(whole: Plan, selection: Selection) -> Plan:
    """The plan with the images that are asked for. HarnessError if one of them has not been made."""
    numbers = Counter[type[Role]]()
    hosts = []
    for host in whole.hosts:
        kind = type(host.role)
        image = selection.image_of(host.name, kind.__name__.lower(), numbers[kind])
        hosts.append(replace(host, image=image))
        numbers[kind] += 1
    return replace(whole, hosts=tuple(hosts))


def _check_hostname(name: str) -> None:
    if not isinstance(name, str) or not _HOSTNAME.fullmatch(name):
        raise HarnessError(f"{name!r} is no name for a machine: use letters, digits and hyphens, at most 63")


def _check_wired(host: HostPlan) -> None:
    """Every machine is on a LAN, and its VRRP instances are on its interfaces."""
    if not host.interfaces:
        raise HarnessError(f'{host.name}: it is wired to nothing; addLink("{host.name}", a switch)')
    names = [interface.name for interface in host.interfaces]
    for name in names:
        if names.count(name) > 1:
            raise HarnessError(f"{host.name}: two interfaces with one name: {name}; rename one")
    for instance in host.role.instances if isinstance(host.role, Director) else ():
        if instance.interface not in names:
            raise HarnessError(
                f"{host.name}: VRRP instance {instance.name} is on {instance.interface},"
                f" and the machine has {', '.join(names)}"
            )


@dataclass(frozen=True)
class _End:
    """A host's end of a link: on which LAN, as which of the host's ports, with the options of ``params1`` or 2."""

    lan: str
    port: int
    name: str | None
    options: dict[str, Any]


def _ends(topo: Topo) -> dict[str, list[_End]]:
    """For each host the LANs it is wired to, in the order of its ports, which Mininet counts as links are added."""
    ends: dict[str, list[_End]] = {}
    for first, second, info in topo.links(withInfo=True):
        if topo.isSwitch(first) == topo.isSwitch(second):
            raise HarnessError(f"link {first} - {second}: one end has to be a host, the other a switch")
        side, host, lan = ("2", second, first) if topo.isSwitch(first) else ("1", first, second)
        options = dict(info.get(f"params{side}") or {})
        if unknown := [*(set(info) - set(_LINK_OPTIONS)), *(set(options) - {"ip", "ip6", "mac"})]:
            raise HarnessError(
                f"link {first} - {second}: unknown options {', '.join(sorted(unknown))}; a link takes port1, intfName1,"
                " params1=dict(ip=..., ip6=..., mac=...) and the same with 2"
            )
        ends.setdefault(host, []).append(_End(lan, info[f"port{side}"], info.get(f"intfName{side}"), options))
    for lan in topo.switches():
        if not any(lan == end.lan for wired in ends.values() for end in wired):
            raise HarnessError(f"{lan}: nothing is wired to this switch; add a link or leave it out")
    return {host: sorted(wired, key=lambda end: end.port) for host, wired in ends.items()}


def _interface_name(host: str, end: _End) -> str:
    name = end.name or f"eth{end.port}"
    if not _INTERFACE_NAME.fullmatch(name) or name == "lo":
        raise HarnessError(f"{host}: {name!r} is no name for an interface: use at most 15 letters, digits and . _ -")
    return name
