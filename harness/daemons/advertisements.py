"""VRRP advertisements as any speaker could send them, right ones and others: built with scapy,
layer by layer.

Importing scapy costs a guest more than a second, so only who builds a packet imports it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

from harness.errors import HarnessError
from harness.topology.vrrp import VrrpInstance

PROTOCOL = 112
GROUPS = {4: ("224.0.0.18", "01:00:5e:00:00:12"), 6: ("ff02::12", "33:33:00:00:00:12")}
"""The multicast group of each family and its hardware address: RFC 3768 section 5.2.2, RFC 9568
section 5.1.2.2.
"""
VIRTUAL_MAC = {4: "00:00:5e:00:01", 6: "00:00:5e:00:02"}
"""The virtual router's hardware address without the VRID: RFC 3768 section 7.3, RFC 9568 section
7.3.
"""
CHECKSUMS = ("right", "wrong", "message only", "with pseudo-header", "zero")
_CHECKSUM_AT = 6
PASSWORD = 1
"""The authentication type of a simple text password: RFC 2338 section 5.3.6."""


@dataclass(frozen=True, kw_only=True)
class Advertisement:
    """One advertisement, field by field; :meth:`of` gives the right one, and ``replace`` what is to
    be wrong in it.

    ``interval`` is the field's own number: seconds in version 2, hundredths in version 3. ``form``
    is the version that the fields are laid out as, ``version`` the one that the packet claims. None
    stands for what follows from the rest: ``count`` from the addresses, ``mac`` from the VRID.
    ``length`` cuts the VRRP message to so many bytes and ``padding`` follows it, both before the
    checksum is computed. ``authentication`` is the data of version 2. ``checksum`` is one of
    :data:`CHECKSUMS`: ``right`` is what RFC 3768 and RFC 5798 say; RFC 9568 section 5.2.8 has
    ``message only`` for version 3 over IPv4.
    """

    family: int
    form: int
    vrid: int
    priority: int
    addresses: tuple[str, ...]
    interval: int
    source: str
    version: int
    type: int = 1
    count: int | None = None
    ttl: int = 255
    destination: str | None = None
    destination_mac: str | None = None
    mac: str | None = None
    reserved: int = 0
    auth_type: int = 0
    authentication: bytes = bytes(8)
    checksum: str = "right"
    length: int | None = None
    padding: bytes = b""
    protocol: int = PROTOCOL
    vlan: int | None = None

    @classmethod
    def of(cls, instance: VrrpInstance, source: str) -> Advertisement:
        """The advertisement that a router with this VRRP instance and address sends."""
        password = instance.auth_pass if instance.version == 2 else None
        alone = instance.version == 3 and instance.family == 4 and not instance.pseudo_header
        return cls(
            family=ip_address(source).version,
            form=instance.version,
            version=instance.version,
            vrid=instance.vrid,
            priority=instance.priority,
            addresses=instance.vips,
            interval=round(instance.advert_int * (1 if instance.version == 2 else 100)),
            source=source,
            auth_type=0 if password is None else PASSWORD,
            authentication=(password or "").encode().ljust(8, b"\0"),
            checksum="message only" if alone else "right",
        )

    def replace(self, **fields: Any) -> Advertisement:
        """The same with other values in these fields. Raises HarnessError if there is no such
        field.
        """
        try:
            return replace(self, **fields)
        except TypeError as problem:
            raise HarnessError(f"an advertisement: {problem}") from None

    def packet(self) -> Any:
        """The scapy packet, an Ethernet frame. Raises HarnessError if scapy cannot build it."""
        from scapy.layers.inet import IP
        from scapy.layers.inet6 import IPv6
        from scapy.layers.l2 import Dot1Q, Ether
        from scapy.packet import Raw

        group, group_mac = GROUPS[self.family]
        vrid = self.vrid & 255
        frame = Ether(
            src=self.mac or f"{VIRTUAL_MAC[self.family]}:{vrid:02x}",
            dst=self.destination_mac or group_mac,
        )
        if self.vlan is not None:
            frame /= Dot1Q(vlan=self.vlan)
        destination = self.destination or group
        around: Any
        if self.family == 4:
            around = IP(
                src=self.source, dst=destination, ttl=self.ttl, proto=self.protocol, tos=0xC0, id=0
            )
        else:
            around = IPv6(src=self.source, dst=destination, hlim=self.ttl, nh=self.protocol)
        try:
            return frame / around / Raw(self._message(around))
        except (
            Exception
        ) as problem:  # scapy raises what its fields raise: struct.error, OSError, TypeError, ...
            raise HarnessError(
                f"scapy cannot build {self}: {type(problem).__name__}: {problem}"
            ) from None

    def _message(self, around: Any) -> bytes:
        from scapy.layers.inet import in4_chksum
        from scapy.layers.inet6 import in6_chksum
        from scapy.layers.vrrp import VRRP, VRRPv3
        from scapy.utils import checksum

        fields: dict[str, Any] = {
            "version": self.version,
            "type": self.type,
            "vrid": self.vrid,
            "priority": self.priority,
            "ipcount": self.count,
            "adv": self.interval,
            "chksum": 0,
            "addrlist": list(self.addresses),
        }
        if self.form == 2:
            first, second = (
                int.from_bytes(self.authentication[at : at + 4], "big") for at in (0, 4)
            )
            layer = bytes(VRRP(**fields, authtype=self.auth_type, auth1=first, auth2=second))
            layer += self.authentication[8:]
        else:
            layer = bytes(around / VRRPv3(**fields, res=self.reserved))[len(around) :]
        message = (layer if self.length is None else layer[: self.length]) + self.padding
        if len(message) < _CHECKSUM_AT + 2:
            return message
        summed = message[: len(message) - len(self.padding)]
        over_header: Callable[[int, Any, bytes], int] = (
            in4_chksum if self.family == 4 else in6_chksum
        )
        alone, over = int(checksum(summed)), over_header(PROTOCOL, around, summed)
        right = alone if self.form == 2 else over
        value = {
            "right": right,
            "wrong": right ^ 0x1234,
            "message only": alone,
            "with pseudo-header": over,
            "zero": 0,
        }
        if self.checksum not in value:
            raise ValueError(f"checksum is one of {', '.join(CHECKSUMS)}, not {self.checksum!r}")
        return (
            message[:_CHECKSUM_AT]
            + value[self.checksum].to_bytes(2, "big")
            + message[_CHECKSUM_AT + 2 :]
        )
