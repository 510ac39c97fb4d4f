"""What a plan consists of: the network with its machines, and each machine with its interfaces."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface

from harness.errors import HarnessError
from harness.images.image import HOST, Image
from harness.topology import Role


@dataclass(frozen=True)
class InterfacePlan:
    """One wired interface: ``name`` in its machine, ``wire`` the name of the wire's other end, on
    the LAN's switch.

    ``own_address`` is None for a wire without addresses, such as a bond's second one; ``address6``
    also on a LAN without an IPv6 subnet. ``held_by`` is the device that holds its addresses in its
    stead, such as a bond.
    """

    name: str
    own_address: IPv4Interface | None
    mac: str
    lan: str
    wire: str
    address6: IPv6Interface | None = None
    held_by: str | None = None

    @property
    def address(self) -> IPv4Interface:
        """Its IPv4 address. HarnessError if it has none."""
        if self.own_address is None:
            raise HarnessError(f"{self.wire}: this wire has no address; take one that has")
        return self.own_address

    def address_of(self, family: int) -> str:
        """Its address in IP version 4 or 6, without the prefix length. HarnessError if it has
        none.
        """
        address = self.own_address if family == 4 else self.address6
        if address is None:
            raise HarnessError(
                f"{self.wire}: no IPv{family} address; give the LAN {self.lan} one:"
                " addSwitch(..., subnet6=...)"
            )
        return address.ip.compressed

    @property
    def addresses(self) -> tuple[IPv4Interface | IPv6Interface, ...]:
        """Its address, or both, or none."""
        return tuple(
            address for address in (self.own_address, self.address6) if address is not None
        )


@dataclass(frozen=True)
class HostPlan:
    """One machine: its role and interfaces; ``default_routes`` are its gateways' addresses, if it
    has any.

    ``image`` is its root file system.
    """

    name: str
    role: Role
    interfaces: tuple[InterfacePlan, ...]
    default_routes: tuple[str, ...] = ()
    image: Image = HOST

    @property
    def main_device(self) -> str:
        """The interface that has the machine's own address."""
        first = self.interface()
        return first.name if first.held_by is None else first.held_by

    @property
    def devices(self) -> list[str]:
        """The names of all its interfaces, wired or made of others."""
        return [
            *(interface.name for interface in self.interfaces),
            *(device.name for device in self.role.links),
        ]

    def interface(self, name: str | None = None) -> InterfacePlan:
        """An interface by name, the first by default."""
        for interface in self.interfaces:
            if name in (None, interface.name):
                return interface
        raise HarnessError(
            f"{self.name}: no interface {name}; it has {', '.join(i.name for i in self.interfaces)}"
        )


@dataclass(frozen=True)
class Plan:
    """The whole network: ``lans`` by name with their IPv4 subnets, ``hosts`` in the order of the
    topology.
    """

    lans: dict[str, IPv4Network]
    hosts: tuple[HostPlan, ...]

    def of_role(self, role: type[Role]) -> list[HostPlan]:
        """The hosts of one role."""
        return [host for host in self.hosts if isinstance(host.role, role)]

    @functools.cached_property
    def etc_hosts(self) -> str:
        """The text of ``/etc/hosts``, the same on every machine."""
        lines = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost"]
        lines += [
            f"{host.interface().address.ip}\t{host.name}" for host in self.hosts if host.interfaces
        ]
        return "\n".join(lines) + "\n"
