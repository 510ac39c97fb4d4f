"""From a Mininet ``Topo`` to a checked plan of machines and wires: pure, so mistakes are found before all else."""

from __future__ import annotations

import ipaddress
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network
from typing import Any

from mininet.topo import Topo

from harness.errors import HarnessError
from harness.topology import Director, RealServer, Role
from harness.topology.machines import role_of

FIRST_SUBNET = IPv4Network("172.16.10.0/24")
FIRST_AUTOMATIC_HOST = 11
_STOCK_OPTIONS = ("ip", "mac", "defaultRoute", "inNamespace", "isSwitch")


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

    Two nodes with one name are refused here, for Mininet's ``addNode`` silently keeps the last.
    """
    name = getattr(factory, "__name__", "topology")
    try:
        with _no_name_twice():
            return factory()
    except HarnessError as problem:
        raise HarnessError(f"{_where(problem)}: {problem}") from None
    except Exception as problem:
        raise HarnessError(
            f"{_where(problem)}: topology {name} raised {type(problem).__name__}: {problem}"
        ) from problem


def _where(problem: Exception) -> str:
    """File and line where it was raised, in the innermost frame that is not the harness's or Mininet's own."""
    frames = [
        frame
        for frame in traceback.extract_tb(problem.__traceback__)
        if "/harness/" not in frame.filename and "/mininet/" not in frame.filename and frame.filename != "<string>"
    ]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "topology"


@contextmanager
def _no_name_twice() -> Iterator[None]:
    original = Topo.addNode

    def add_node(self: Topo, name: str, **options: Any) -> Any:
        if name in self.g.nodes():
            raise HarnessError(f"two nodes with one name: {name}; rename one")
        return original(self, name, **options)

    Topo.addNode = add_node
    try:
        yield
    finally:
        Topo.addNode = original


def plan(topo: Topo, seed: int = 0) -> Plan:
    """Check a topology and give every interface its name, address and MAC. Raises HarnessError naming the node."""
    lans = _lans(topo)
    ends = _ends(topo)
    hosts: list[HostPlan] = []
    taken: dict[str, str] = {}
    for number, name in enumerate(topo.hosts(sort=False), start=1):
        options = dict(topo.nodeInfo(name))
        stock = {key: options.pop(key, None) for key in _STOCK_OPTIONS}
        role = role_of(name, options)
        interfaces = []
        for position, (lan, given) in enumerate(ends.get(name, [])):
            given = {
                "ip": stock["ip"] if position == 0 else None,
                "mac": stock["mac"] if position == 0 else None,
            } | given
            address = _address(name, lan, lans[lan], given["ip"], taken)
            taken[str(address.ip)] = name
            mac = (
                given["mac"]
                or f"02:{seed >> 8 & 255:02x}:{seed & 255:02x}:{number >> 8:02x}:{number & 255:02x}:{position:02x}"
            )
            wire = f"{name}-eth{position}" if len(name) <= 10 else f"wire{number}-eth{position}"
            interfaces.append(InterfacePlan(given.get("intf") or f"eth{position}", address, mac, lan, wire))
        route = stock["defaultRoute"]
        hosts.append(HostPlan(name, role, tuple(interfaces), route.removeprefix("via ").strip() if route else None))
    whole = Plan(lans, tuple(hosts))
    _check_vips(whole, taken)
    return whole


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


def _ends(topo: Topo) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """For each host the LANs it is wired to, in the order of the links, with that end's options."""
    ends: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for first, second, info in topo.links(withInfo=True, sort=False):
        options = {first: info.get("params1") or {}, second: info.get("params2") or {}}
        for host, lan in ((first, second), (second, first)):
            for node in (host, lan):
                if node not in topo.g.nodes():
                    raise HarnessError(f"a link goes to {node}, which is no node: addHost or addSwitch it first")
            if topo.isSwitch(lan) and not topo.isSwitch(host):
                ends.setdefault(host, []).append((lan, dict(options[host])))
        if topo.isSwitch(first) == topo.isSwitch(second):
            raise HarnessError(f"link {first} - {second}: one end has to be a host, the other a switch")
    for lan in topo.switches():
        if not any(lan == wired for wires in ends.values() for wired, _ in wires):
            raise HarnessError(f"{lan}: nothing is wired to this switch; add a link or leave it out")
    return ends


def _address(name: str, lan: str, subnet: IPv4Network, given: str | None, taken: dict[str, str]) -> IPv4Interface:
    if not given:
        candidates = (subnet.network_address + n for n in range(FIRST_AUTOMATIC_HOST, subnet.num_addresses - 1))
        free = next((address for address in candidates if str(address) not in taken), None)
        if free is None:
            raise HarnessError(f"{name}: {lan} ({subnet}) has no address left; give it a larger subnet")
        return IPv4Interface((free, subnet.prefixlen))
    try:
        address = IPv4Interface(given if "/" in given else f"{given}/{subnet.prefixlen}")
    except ValueError as problem:
        raise HarnessError(f"{name}: {given} is no address: {problem}") from None
    if address.ip not in subnet or address.network.prefixlen != subnet.prefixlen:
        raise HarnessError(f"{name}: {address} is not in the subnet {subnet} of {lan}")
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
