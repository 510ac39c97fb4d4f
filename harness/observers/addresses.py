"""Who has which address, which routes and rules keepalived sets, and which links are up: the
kernel's own netlink events, from one socket a machine.
"""

from __future__ import annotations

import socket
import struct
from typing import Any

from harness.events import AddressChanged, Link, Renamed, RouteChanged, RuleChanged
from harness.lab.machine import Machine
from harness.lab.netlink import (
    RTM_DELADDR,
    RTM_DELROUTE,
    RTM_DELRULE,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWROUTE,
    RTM_NEWRULE,
    fibmsg,
    ifaddrmsg,
    ifinfmsg,
    rtmsg,
)
from harness.timeline import Timeline

_ADDRESSES = 0x1 | 0x10 | 0x100  # RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR
_ROUTES = 0x40 | 0x80 | 0x400 | 0x40000  # RTMGRP_IPV4_ROUTE and _RULE, the same of IPv6
_PROTOCOL = 5
"""Where ``struct rtmsg`` says who has set a route: after its family, lengths, TOS and table."""
_BY_KEEPALIVED = 18
"""RTPROT_KEEPALIVED (<linux/rtnetlink.h>)."""
_HEADER = struct.Struct("=IHHII")
_IFF_LOWER_UP = 0x10000
_SO_RCVBUFFORCE = 33  # <asm-generic/socket.h>; Python's socket has no name for it
_ROOM = 1 << 24
"""Bytes of events that may wait to be read: a machine of 63 wires gets them faster than they are
recorded.
"""


class AddressObserver:
    """Records ``address``, ``link``, ``route`` and ``rule`` events of one machine, from before its
    links exist. Of routes it tells those that keepalived sets: the kernel sets some for each
    address.
    """

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
            self.socket.bind((0, _ADDRESSES | _ROUTES))

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

        elif kind in (RTM_NEWROUTE, RTM_DELROUTE):
            if data[_HEADER.size + _PROTOCOL] == _BY_KEEPALIVED:
                self._timeline.record(self._route(kind, _decoded(rtmsg, data)))
        elif kind in (RTM_NEWRULE, RTM_DELRULE):
            self._timeline.record(self._rule(kind, _decoded(fibmsg, data)))

    def _route(self, kind: int, message: Any) -> RouteChanged:
        index = message.get_attr("RTA_OIF")
        destination = message.get_attr("RTA_DST")
        length = message["dst_len"]
        return RouteChanged(
            self._timeline.now(),
            self._machine.name,
            action="added" if kind == RTM_NEWROUTE else "removed",
            destination="default" if destination is None else f"{destination}/{length}",
            gateway=message.get_attr("RTA_GATEWAY"),
            interface=None if index is None else self._names.get(index, str(index)),
            table=message.get_attr("RTA_TABLE") or message["table"],
            metric=message.get_attr("RTA_PRIORITY") or 0,
        )

    def _rule(self, kind: int, message: Any) -> RuleChanged:
        source = message.get_attr("FRA_SRC")
        length = message["src_len"]
        return RuleChanged(
            self._timeline.now(),
            self._machine.name,
            action="added" if kind == RTM_NEWRULE else "removed",
            preference=message.get_attr("FRA_PRIORITY") or 0,
            source="all" if source is None else f"{source}/{length}",
            table=message.get_attr("FRA_TABLE") or message["table"],
        )

    def close(self) -> None:
        """Stop observing."""
        self.socket.close()


def _decoded(message_class: Any, data: bytes) -> Any:
    message = message_class(data)
    message.decode()
    return message
