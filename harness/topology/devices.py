"""Interfaces that are made of others, or of nothing: VLANs, bonds, bridges, macvlans, ipvlans,
dummies, VRFs and vxlans.

A role takes them as ``links``, in the order in which they are made, each after those that it is
made of: ``links=(Bond("bond0", below=("eth0", "eth1")), Vlan("bond0.10", below="bond0", id=10))``.

One without ``addresses`` of its own takes over those of the wired interface that it is made of, as
an administrator moves an address to a new bond. The machine's own address is then there, and that
is what others reach it at. A bond and a bridge always do, from the first of their wires; the others
have none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_interface
from typing import ClassVar

from harness.errors import HarnessError
from harness.topology import fields

_NAME = re.compile(r"[\w.-]{1,15}", re.ASCII)
BOND_MODES = ("active-backup", "802.3ad")
MACVLAN_MODES = ("bridge", "private", "vepa", "passthru")
IPVLAN_MODES = ("l2", "l3", "l3s")


@dataclass(frozen=True)
class Device:
    """An interface named ``name`` with ``addresses`` such as ``172.16.20.11/24``, and an ``mtu`` in
    bytes (None: the kernel's own choice).

    ``takes_over`` says whether it gets the addresses of what it is made of when it has none;
    ``kernel_option`` is what a kernel without such devices was built without.
    """

    name: str
    takes_over: ClassVar[bool] = True
    kernel_option: ClassVar[str]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name) or self.name == "lo":
            raise HarnessError(
                f"{type(self).__name__}: {self.name!r} is no name for an interface: at"
                " most 15 characters"
            )
        for address in self.own_addresses:
            try:
                if "/" not in address:
                    raise ValueError("it has no prefix length")
                ip_interface(address)
            except ValueError as problem:
                raise HarnessError(
                    f"{self.owner}: {address!r} is no address such as 172.16.20.11/24: {problem}"
                ) from None

    @property
    def owner(self) -> str:
        """What error messages call it."""
        return f"{type(self).__name__} {self.name}"

    @property
    def own_addresses(self) -> tuple[str, ...]:
        """Those that the topology gives it."""
        addresses: tuple[str, ...] = getattr(self, "addresses", ())
        return addresses

    @property
    def parts(self) -> tuple[str, ...]:
        """The interfaces that it is made of."""
        below: str | tuple[str, ...] = getattr(self, "below", ())
        return (below,) if isinstance(below, str) else tuple(below)


@dataclass(frozen=True)
class Vlan(Device):
    """What is tagged with ``id`` on the interface ``below`` (IEEE 802.1Q)."""

    kernel_option: ClassVar[str] = "CONFIG_VLAN_8021Q"
    below: str = "eth0"
    id: int = 10
    addresses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.whole(self.owner, "id", self.id, 1, 4094)


@dataclass(frozen=True)
class Bond(Device):
    """Several wired interfaces as one. The kernel looks for a lost carrier every tenth of a second.

    ``active-backup`` uses one at a time. The switches here do not speak LACP, so with ``802.3ad``
    the bond is what it is at a switch where the bundle was forgotten: it finds no partner, and uses
    one wire as well.
    """

    kernel_option: ClassVar[str] = "CONFIG_BONDING"
    below: tuple[str, ...] = ("eth0", "eth1")
    mode: str = "active-backup"
    addresses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.one_of(self.owner, "mode", self.mode, BOND_MODES)
        fields.number(self.owner, "number of interfaces below", len(self.parts), 1, 16)


@dataclass(frozen=True)
class Bridge(Device):
    """A switch inside the machine, with the interfaces ``below`` as its ports; it forwards at
    once.
    """

    kernel_option: ClassVar[str] = "CONFIG_BRIDGE"
    below: tuple[str, ...] = ("eth0",)
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Macvlan(Device):
    """A hardware address of its own on the interface ``below``, which the machine cannot speak to
    by that.
    """

    kernel_option: ClassVar[str] = "CONFIG_MACVLAN"
    below: str = "eth0"
    mode: str = "bridge"
    addresses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.one_of(self.owner, "mode", self.mode, MACVLAN_MODES)


@dataclass(frozen=True)
class Ipvlan(Device):
    """An interface with addresses of its own and the hardware address of the interface ``below``,
    as containers have them. Only in mode ``l2`` does it hear multicast and answer ARP.
    """

    kernel_option: ClassVar[str] = "CONFIG_IPVLAN"
    below: str = "eth0"
    mode: str = "l2"
    addresses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.one_of(self.owner, "mode", self.mode, IPVLAN_MODES)


@dataclass(frozen=True)
class Dummy(Device):
    """An interface that leads nowhere: a place for addresses that routes lead to."""

    takes_over: ClassVar[bool] = False
    kernel_option: ClassVar[str] = "CONFIG_DUMMY"
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Vrf(Device):
    """A routing table of its own for the interfaces ``below``, which keep their addresses."""

    takes_over: ClassVar[bool] = False
    kernel_option: ClassVar[str] = "CONFIG_NET_VRF"
    below: tuple[str, ...] = ("eth0",)
    table: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.whole(self.owner, "table", self.table, 1, 2**32 - 1)


@dataclass(frozen=True)
class Vxlan(Device):
    """A LAN carried in UDP over the one of the interface ``below``, by all machines with the same
    ``id`` and multicast ``group`` (RFC 7348). Its addresses are its own.
    """

    takes_over: ClassVar[bool] = False
    kernel_option: ClassVar[str] = "CONFIG_VXLAN"
    below: str = "eth0"
    id: int = 10
    group: str = "239.1.1.1"
    addresses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.whole(self.owner, "id", self.id, 1, 2**24 - 1)
        fields.address(self.owner, "group", self.group)
