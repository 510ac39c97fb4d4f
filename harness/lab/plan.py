"""From a Mininet ``Topo`` to a checked plan of machines and wires: pure, so mistakes are found before all else."""

from __future__ import annotations

import ipaddress
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

import mininet
from mininet.topo import Topo

import harness
from harness.errors import HarnessError
from harness.topology import Director, RealServer, Role
from harness.topology.machines import role_of

Topology = Callable[..., Topo]
"""A ``Topo`` subclass, or anything else that makes one from keyword parameters."""

Edits = Mapping[str, tuple[str, str]]
"""Director -> (text that stands once in its generated keepalived.conf, what to write instead)."""

FIRST_SUBNET = IPv4Network("172.16.10.0/24")
FIRST_AUTOMATIC_HOST = 11
_STOCK_OPTIONS = ("ip", "mac", "defaultRoute", "inNamespace", "isSwitch")
_LINK_OPTIONS = ("node1", "node2", "port1", "port2", "intfName1", "intfName2", "params1", "params2")
_HOSTNAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII)  # RFC 1123 section 2.1, one label
_INTERFACE_NAME = re.compile(r"[\w.-]{1,15}", re.ASCII)  # linux/if.h: IFNAMSIZ is 16, with the final zero
_MAC = re.compile(r"[0-9a-f][02468ace](:[0-9a-f]{2}){5}", re.IGNORECASE)  # of one station, so an even first byte


@dataclass(frozen=True)
class InterfacePlan:
    """One wired interface: ``name`` in its machine, ``wire`` the name of the wire's other end, on the LAN's switch."""

    name: str
    address: IPv4Interface
    mac: str
    lan: str
    wire: str


@dataclass(frozen=True)
class HostPlan:
    """One machine: its role and interfaces; ``default_route`` is the gateway's address, if it has one."""

    name: str
    role: Role
    interfaces: tuple[InterfacePlan, ...]
    default_route: str | None = None

    def interface(self, name: str | None = None) -> InterfacePlan:
        """An interface by name, the first by default."""
        for interface in self.interfaces:
            if name in (None, interface.name):
                return interface
        raise HarnessError(f"{self.name}: no interface {name}; it has {', '.join(i.name for i in self.interfaces)}")


@dataclass(frozen=True)
class Plan:
    """The whole network: ``lans`` by name with their subnets, ``hosts`` in the order of the topology."""

    lans: dict[str, IPv4Network]
    hosts: tuple[HostPlan, ...]

    def of_role(self, role: type[Role]) -> list[HostPlan]:
        """The hosts of one role."""
        return [host for host in self.hosts if isinstance(host.role, role)]

    @property
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
        raise HarnessError(f"{_where(problem)}: {problem}") from None
    except Exception as problem:
        raise HarnessError(
            f"{_where(problem)}: topology {name} raised {type(problem).__name__}: {problem}"
        ) from problem
    if not isinstance(topo, Topo):
        raise HarnessError(f"{name} is no topology: give a Mininet Topo, such as DirectorPair, not {topo!r}")
    return topo


def _where(problem: Exception) -> str:
    """File and line where it was raised, in the innermost frame that is not the harness's or Mininet's own."""
    libraries = (*harness.__path__, *mininet.__path__)
    frames = [
        frame
        for frame in traceback.extract_tb(problem.__traceback__)
        if not frame.filename.startswith((*(f"{library}/" for library in libraries), "<"))
    ]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "topology"


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
    lans = _lans(topo)
    ends = _ends(topo)
    hosts: list[HostPlan] = []
    taken: dict[str, str] = {}
    macs: dict[str, str] = {}
    for number, name in enumerate(topo.hosts(sort=False), start=1):
        _check_hostname(name)
        options = dict(topo.nodeInfo(name))
        stock = {key: options.pop(key, None) for key in _STOCK_OPTIONS}
        role = role_of(name, options)
        interfaces = []
        for position, end in enumerate(ends.get(name, [])):
            own = stock if position == 0 else {}
            address = _address(name, end.lan, lans[end.lan], end.options.get("ip") or own.get("ip"), taken)
            taken[str(address.ip)] = name
            automatic = f"02:{seed >> 8 & 255:02x}:{seed & 255:02x}:{number >> 8:02x}:{number & 255:02x}:{position:02x}"
            mac = _mac(name, end.options.get("mac") or own.get("mac") or automatic, macs)
            wire = f"{name}-eth{position}" if len(name) <= 10 else f"wire{number}-eth{position}"
            interfaces.append(InterfacePlan(_interface_name(name, end), address, mac, end.lan, wire))
        hosts.append(HostPlan(name, role, tuple(interfaces), _gateway(name, stock["defaultRoute"], interfaces)))
        _check_wired(hosts[-1])
    whole = Plan(lans, tuple(hosts))
    _check_vips(whole, taken)
    return whole


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


def _lans(topo: Topo) -> dict[str, IPv4Network]:
    lans: dict[str, IPv4Network] = {}
    free = (IPv4Network((int(FIRST_SUBNET.network_address) + (n << 8), 24)) for n in range(1 << 12))
    for name in topo.switches(sort=False):
        if len(name) > 15:
            raise HarnessError(f"{name}: the name of a switch has at most 15 characters; shorten it")
        given = topo.nodeInfo(name).get("subnet")
        try:
            subnet = (
                IPv4Network(given) if given else next(n for n in free if not any(n.overlaps(o) for o in lans.values()))
            )
        except ValueError as problem:
            raise HarnessError(f"{name}: subnet {given} is none: {problem}") from None
        for other, taken in lans.items():
            if subnet.overlaps(taken):
                raise HarnessError(f"{name}: its subnet {subnet} overlaps {taken} of {other}; give them subnets apart")
        lans[name] = subnet
    return lans


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
        if unknown := [*(set(info) - set(_LINK_OPTIONS)), *(set(options) - {"ip", "mac"})]:
            raise HarnessError(
                f"link {first} - {second}: unknown options {', '.join(sorted(unknown))}; a link takes port1, intfName1,"
                " params1=dict(ip=..., mac=...) and the same with 2"
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


def _mac(name: str, given: str, taken: dict[str, str]) -> str:
    mac = str(given).lower()
    if not _MAC.fullmatch(mac):
        raise HarnessError(f"{name}: {given!r} is no hardware address of one machine, such as 02:00:00:00:00:01")
    if (other := taken.setdefault(mac, name)) != name:
        raise HarnessError(f"{name} and {other} both have the hardware address {mac}; give one another")
    return mac


def _gateway(name: str, given: str | None, interfaces: list[InterfacePlan]) -> str | None:
    """The address in Mininet's ``defaultRoute="via 172.16.10.1"``; it has to be in the subnet of an interface."""
    if not given:
        return None
    gateway = str(given).removeprefix("via ").strip()
    try:
        reachable = any(IPv4Address(gateway) in interface.address.network for interface in interfaces)
    except ValueError:
        reachable = False
    if not reachable:
        raise HarnessError(f'{name}: defaultRoute={given!r}: give "via" an address in a subnet of this machine')
    return gateway


def _address(name: str, lan: str, subnet: IPv4Network, given: str | None, taken: dict[str, str]) -> IPv4Interface:
    if not given:
        candidates = (subnet.network_address + n for n in range(FIRST_AUTOMATIC_HOST, subnet.num_addresses - 1))
        free = next((address for address in candidates if str(address) not in taken), None)
        if free is None:
            raise HarnessError(f"{name}: {lan} ({subnet}) has no address left; give it a larger subnet")
        return IPv4Interface((free, subnet.prefixlen))
    try:
        address = IPv4Interface(given if "/" in str(given) else f"{given}/{subnet.prefixlen}")
    except ValueError as problem:
        raise HarnessError(f"{name}: {given} is no address: {problem}") from None
    if address.ip not in subnet or address.network.prefixlen != subnet.prefixlen:
        raise HarnessError(f"{name}: {address} is not in the subnet {subnet} of {lan}; give it an address of that")
    if address.ip in (subnet.network_address, subnet.broadcast_address):
        raise HarnessError(f"{name}: {address.ip} is the network's or the broadcast address of {subnet}, no machine's")
    if (other := taken.get(str(address.ip))) is not None:
        raise HarnessError(f"{name} and {other} both have the address {address.ip}; give one another")
    return address


def _check_vips(whole: Plan, taken: dict[str, str]) -> None:
    for host in whole.hosts:
        vips: list[str] = []
        if isinstance(host.role, Director):
            vips = [vip for instance in host.role.instances for vip in instance.vips]
        elif isinstance(host.role, RealServer):
            vips = [service.vip for service in host.role.serves]
        for vip in vips:
            address = ipaddress.ip_interface(vip).ip
            if (other := taken.get(str(address))) is not None:
                raise HarnessError(f"{host.name}: its VIP {address} is the address of {other}; take a free one")
            if address.version == 4 and not any(address in subnet for subnet in whole.lans.values()):
                known = ", ".join(f"{subnet} ({name})" for name, subnet in whole.lans.items())
                raise HarnessError(f"{host.name}: its VIP {address} is in no LAN's subnet: {known}")
