"""What a frame of the capture is, in words, for its comment: judged by a few bytes, since every
frame is.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import NamedTuple

from harness.lab.plan import Plan
from harness.topology import Client, Director, RealServer

_ARP, _IPV4, _IPV6 = b"\x08\x06", b"\x08\x00", b"\x86\xdd"
_TCP, _UDP, _IPIP, _VRRP = 6, 17, 4, 112
_PORTS = (_TCP, _UDP)
_EXCHANGED = frozenset(bytes([protocol]) for protocol in _PORTS)


class _Packet(NamedTuple):
    """The addresses as they stand in the header, the protocol, and what follows the header."""

    source: bytes
    destination: bytes
    protocol: int
    payload: bytes


class Commenter:
    """Knows the cluster's addresses, and so which exchange a frame belongs to."""

    def __init__(self, plan: Plan) -> None:
        self._roles = {}
        vips: list[str] = []
        for host in plan.hosts:
            for interface in host.interfaces:
                for address in interface.addresses:
                    self._roles[address.ip.packed] = host.role
            if isinstance(host.role, Director):
                vips += [service.vip for service in host.role.services]
                for instance in host.role.instances:
                    vips += instance.vips
        self._vips = {ipaddress.ip_address(vip.partition("/")[0]).packed for vip in vips}

    def comment(self, data: bytes) -> str | None:
        """What an Ethernet frame is; None if that is nothing of note."""
        kind = data[12:14]
        if ends := endpoints(data):
            return self.exchange(ends[:4], ends[4:])
        if kind == _ARP:
            return _arp(data[14:])
        if kind == _IPV4 and len(data) >= 34:
            return self._packet(_ipv4(data[14:]))
        if kind == _IPV6 and len(data) >= 54:
            return self._packet(_Packet(data[22:38], data[38:54], data[20], data[54:]))
        return None

    def _packet(self, packet: _Packet) -> str | None:
        if packet.protocol == _VRRP and len(packet.payload) >= 4:
            return _advertisement(packet.payload)
        if packet.protocol == _IPIP and len(packet.payload) >= 20:
            inner = self._packet(_ipv4(packet.payload))
            return f"{inner}, tunnelled" if inner else None
        if packet.protocol not in _PORTS:
            return None
        return self.exchange(packet.source, packet.destination)

    def exchange(self, sender: bytes, receiver: bytes) -> str | None:
        """Which exchange a packet belongs to, by its addresses."""
        source, destination = self._roles.get(sender), self._roles.get(receiver)
        if isinstance(source, Director) and isinstance(destination, RealServer):
            return "health check"
        if isinstance(source, RealServer) and isinstance(destination, Director):
            return "health check, answer"
        serves = (sender in self._vips, receiver in self._vips)
        if serves[0] and serves[1]:
            return "from the VIP to the VIP"
        if isinstance(source, Client) and (serves[1] or isinstance(destination, RealServer)):
            return "client request"
        if isinstance(destination, Client) and (serves[0] or isinstance(source, RealServer)):
            return "client request, answer"
        return None


def endpoints(data: bytes) -> bytes:
    """The two addresses of a frame that carries TCP or UDP over IPv4, one behind the other;
    nothing of any other frame.
    """
    if data[12:14] == _IPV4 and data[23:24] in _EXCHANGED:
        return data[26:34]
    return b""


def _ipv4(data: bytes) -> _Packet:
    return _Packet(data[12:16], data[16:20], data[9], data[(data[0] & 15) * 4 :])


def _arp(data: bytes) -> str | None:
    operation, sender, target = data[7:8], data[14:18], data[24:28]
    if len(target) < 4:
        return None
    names = socket.inet_ntoa(sender), socket.inet_ntoa(target)
    if sender == target:
        return f"gratuitous ARP: {names[0]} is at {data[8:14].hex(':')}"
    if operation == b"\1":
        return f"ARP: who has {names[1]}?"
    return f"ARP: {names[0]} is at {data[8:14].hex(':')}"


def _advertisement(message: bytes) -> str:
    """RFC 5798 section 5.1 and RFC 3768 section 5.1 agree in these bytes."""
    said = f"advertisement: VRID {message[1]}, priority {message[2]}"
    return f"{said} (resigns)" if message[2] == 0 else said
