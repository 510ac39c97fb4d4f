"""Who has which address, and which links are up: the kernel's own netlink events, from one socket a
machine.
"""

from __future__ import annotations

import socket
import struct
from typing import Any

from harness.events import AddressChanged, Link, Renamed
from harness.lab.machine import Machine
from harness.lab.netlink import RTM_DELADDR, RTM_NEWADDR, RTM_NEWLINK, ifaddrmsg, ifinfmsg
from harness.timeline import Timeline

_GROUPS = 0x1 | 0x10 | 0x100  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
_HEADER = struct.Struct("=IHHII")
_IFF_LOWER_UP = 0x10000
_SO_RCVBUFFORCE = 33  # <asm-generic/socket.h>; Python's socket has no name for it
_ROOM = 1 << 24
"""Bytes of events that may wait to be read: a machine of 63 wires gets them faster than they are
recorded.
"""


class AddressObserver:
    """Records ``address`` and ``link`` events of one machine, from before its links exist."""

    def __init__(self, machine: Machine, timeline: Timeline) -> None:
        self._machine = machine
        self._timeline = timeline
        self._names: dict[int, str] = {1: "lo"}
        with machine.inside():
            self.socket = socket.socket(
                socket.AF_NETLINK,
                socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK,
                socket.NETLINK_ROUTE,
            )
            self.socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _ROOM)
            self.socket.bind((0, _GROUPS))

    def read(self) -> None:
        """Record every event that has arrived."""
        while True:
            try:
                data = self.socket.recv(1 << 16)
            except BlockingIOError:
                return
            while data:
                length, kind, _, _, _ = _HEADER.unpack_from(data)
                self._record(kind, data[:length])
                data = data[(length + 3) & ~3 :]

    def _record(self, kind: int, data: bytes) -> None:
        node = self._machine.name
        if kind == RTM_NEWLINK:
            now, link = self._timeline.now(), _decoded(ifinfmsg, data)
            name = link.get_attr("IFLA_IFNAME")
            before = self._names.get(link["index"], name)
            self._names[link["index"]] = name
            if name != before:
                self._timeline.record(Renamed(now, node, interface=name, before=before))
            self._timeline.record(
                Link(now, node, interface=name, up=bool(link["flags"] & _IFF_LOWER_UP))
            )
        elif kind in (RTM_NEWADDR, RTM_DELADDR):
            message = _decoded(ifaddrmsg, data)
            self._timeline.record(
                AddressChanged(
                    self._timeline.now(),
                    node,
                    action="added" if kind == RTM_NEWADDR else "removed",
                    address=message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS"),
                    prefix=message["prefixlen"],
                    interface=self._names.get(message["index"], str(message["index"])),
                )
            )

    def close(self) -> None:
        """Stop observing."""
        self.socket.close()


def _decoded(message_class: Any, data: bytes) -> Any:
    message = message_class(data)
    message.decode()
    return message
