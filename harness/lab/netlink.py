"""Many link, address and route requests in few messages to the kernel, encoded by pyroute2's
message classes.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import socket
import struct
import sys
import types
from typing import Any

from harness.errors import HarnessError


def _message_classes() -> tuple[Any, ...]:
    """pyroute2's encoders without its package ``__init__``, which imports all of it: 0.3 s instead
    of 1.8 in a guest.

    The name ``pyroute2`` is given back, so that whoever imports it later gets the whole package.
    """
    spec = importlib.util.find_spec("pyroute2")
    if spec is None:
        raise HarnessError("the Python package pyroute2 is missing; run `make setup`")
    loaded = sys.modules.get("pyroute2")
    if loaded is None:
        bare = types.ModuleType("pyroute2")
        bare.__path__ = list(spec.submodule_search_locations or [])
        sys.modules["pyroute2"] = bare
    try:
        from pyroute2.netlink import nla, nlmsg
        from pyroute2.netlink.rtnl.fibmsg import fibmsg
        from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
        from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
        from pyroute2.netlink.rtnl.rtmsg import rtmsg
    finally:
        if loaded is None:
            del sys.modules["pyroute2"]
    return ifinfmsg, ifaddrmsg, rtmsg, fibmsg, nlmsg, nla


ifinfmsg, ifaddrmsg, rtmsg, fibmsg, nlmsg, nla = _message_classes()

# include/uapi/linux/rtnetlink.h and netlink.h
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK, RTM_NEWADDR, RTM_DELADDR, RTM_NEWROUTE = (
    16,
    17,
    18,
    19,
    20,
    21,
    24,
)
RTM_DELROUTE, RTM_NEWRULE, RTM_DELRULE = 25, 32, 33
_AF_BRIDGE = 7
_BR_STATE_DISABLED, _BR_STATE_FORWARDING = 0, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP, NLM_F_CREATE, NLM_F_EXCL = 0x1, 0x4, 0x300, 0x400, 0x200
NLMSG_ERROR = 2
NLA_F_NESTED = 0x8000
_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")  # struct ifinfomsg
_ATTRIBUTE = struct.Struct("=HH")
_RTMGRP_LINK, _IFLA_OPERSTATE, _IF_OPER_UP = 1, 16, 6
_ALL_LINKS = _HEADER.pack(
    _HEADER.size + _LINK.size, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 1, 0
) + bytes(_LINK.size)
# requests sent before their acknowledgements are read: they must fit the socket's receive buffer
_CHUNK = 128


class Batch:
    """Requests to one network namespace, in order; :meth:`send` carries them out."""

    def __init__(self) -> None:
        self._messages: list[tuple[bytes, str, tuple[int, ...]]] = []

    def add(self, kind: int, flags: int, message: Any, what: str, *harmless: int) -> None:
        """Append a request; ``what`` completes "the kernel refused to ...", ``harmless`` are errors
        that are none.
        """
        message["header"]["type"] = kind
        message["header"]["flags"] = NLM_F_REQUEST | NLM_F_ACK | flags
        message["header"]["sequence_number"] = len(self._messages) + 1
        message.encode()
        self._messages.append((bytes(message.data), what, harmless))

    def bridge(self, name: str, mac: str) -> None:
        """Make a bridge and set it up; it forwards at once, without spanning tree."""
        message = ifinfmsg()
        message["flags"] = message["change"] = 1  # IFF_UP
        settings = [
            ("IFLA_BR_FORWARD_DELAY", 0),
            ("IFLA_BR_STP_STATE", 0),
            ("IFLA_BR_MCAST_SNOOPING", 0),
        ]
        info = [("IFLA_INFO_KIND", "bridge"), ("IFLA_INFO_DATA", {"attrs": settings})]
        message["attrs"] = [
            ("IFLA_IFNAME", name),
            ("IFLA_ADDRESS", mac),
            ("IFLA_LINKINFO", {"attrs": info}),
        ]
        self.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, message, f"make bridge {name}")

    def wire(
        self, index: int, name: str, bridge: int, machine: int, interface: str, mac: str
    ) -> None:
        """Make a veth pair: ``name`` (with that index) on a bridge here, ``interface`` in the
        namespace ``machine``.
        """
        peer = ifinfmsg()
        peer["attrs"] = [
            ("IFLA_IFNAME", interface),
            ("IFLA_ADDRESS", mac),
            ("IFLA_NET_NS_FD", machine),
        ]
        message = ifinfmsg()
        message["index"] = index
        message["flags"] = message["change"] = 1
        message["attrs"] = [
            ("IFLA_IFNAME", name),
            ("IFLA_MASTER", bridge),
            (
                "IFLA_LINKINFO",
                {
                    "attrs": [
                        ("IFLA_INFO_KIND", "veth"),
                        (
                            "IFLA_INFO_DATA",
                            {"attrs": [("VETH_INFO_PEER", {"attrs": peer["attrs"]})]},
                        ),
                    ]
                },
            ),
        ]
        self.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, message, f"make wire {name}")

    def set_link(self, index: int, up: bool, what: str) -> None:
        """Set a link up or down."""
        message = ifinfmsg()
        message["index"] = index
        message["flags"], message["change"] = int(up), 1
        self.add(RTM_NEWLINK, 0, message, f"set {what} {'up' if up else 'down'}")

    def set_port_state(self, index: int, forwarding: bool, what: str) -> None:
        """Let a bridge's port that is up forward, or drop everything either way.

        ``net/bridge/br_netlink.c``, br_setlink; of the states that do not forward, ``disabled``
        alone is kept by a bridge without spanning tree (br_port_state_selection).
        """
        message = ifinfmsg()
        message["family"] = _AF_BRIDGE
        message["index"] = index
        gone = (errno.ENETDOWN, errno.ENODEV)
        state = _BR_STATE_FORWARDING if forwarding else _BR_STATE_DISABLED
        message["attrs"] = [
            ("IFLA_PROTINFO", {"attrs": [("IFLA_BRPORT_STATE", state)]}, NLA_F_NESTED)
        ]
        self.add(
            RTM_SETLINK,
            0,
            message,
            f"{'open' if forwarding else 'block'} the port of {what}",
            *gone,
        )

    def delete_link(self, index: int, what: str) -> None:
        """Remove a link, if it is still there, and with one end of a wire the other."""
        message = ifinfmsg()
        message["index"] = index
        self.add(RTM_DELLINK, 0, message, f"remove {what}", errno.ENODEV)

    def address(self, index: int, address: str, prefix: int, add: bool = True) -> None:
        """Add or remove an address of a link."""
        message = ifaddrmsg()
        message["index"], message["prefixlen"] = index, prefix
        message["family"] = socket.AF_INET6 if ":" in address else socket.AF_INET
        message["attrs"] = [("IFA_LOCAL", address), ("IFA_ADDRESS", address)]
        kind, flags = (RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL) if add else (RTM_DELADDR, 0)
        self.add(kind, flags, message, f"{'add' if add else 'remove'} address {address}")

    def default_route(self, gateway: str) -> None:
        """Route everything else through ``gateway``."""
        message = rtmsg()
        message["family"] = socket.AF_INET6 if ":" in gateway else socket.AF_INET
        message["table"], message["type"] = 254, 1  # main table, unicast
        message["proto"], message["scope"] = 4, 0
        message["attrs"] = [("RTA_GATEWAY", gateway)]
        self.add(
            RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, message, f"add default route by {gateway}"
        )

    def send(self, where: str) -> None:
        """Carry it all out in the calling thread's namespace. HarnessError says what the kernel
        refused, and why.
        """
        with socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
        ) as kernel:
            kernel.bind((0, 0))
            for start in range(0, len(self._messages), _CHUNK):
                chunk = self._messages[start : start + _CHUNK]
                kernel.send(b"".join(message for message, _, _ in chunk))
                self._await_answers(kernel, len(chunk), where)

    def _await_answers(self, kernel: socket.socket, missing: int, where: str) -> None:
        while missing:
            data = kernel.recv(1 << 16)
            while data:
                length, kind, _, sequence, _ = _HEADER.unpack_from(data)
                (code,) = struct.unpack_from("=i", data, _HEADER.size)
                _, what, harmless = self._messages[sequence - 1]
                if kind == NLMSG_ERROR and -code not in (0, *harmless):
                    raise HarnessError(f"{where}: the kernel refused to {what}: {_explain(-code)}")
                missing -= 1
                data = data[(length + 3) & ~3 :]


def wait_running(links: set[int]) -> None:
    """Wait until these links of the calling thread's namespace carry frames, which is later than
    their being set up.

    That takes the kernel's link watch, which attends to 100 a second (``net/core/link_watch.c``);
    until then what a link is given to send is dropped, and a bridge's port forwards nothing.
    """
    with socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
    ) as kernel:
        kernel.bind((0, _RTMGRP_LINK))
        kernel.send(_ALL_LINKS)
        while links:
            try:
                data = kernel.recv(1 << 16)
            except OSError as problem:
                if problem.errno != errno.ENOBUFS:
                    raise
                return wait_running(links)  # events were lost: ask again
            while data:
                length, kind = _HEADER.unpack_from(data)[:2]
                if kind == RTM_NEWLINK and _is_up(data[:length]):
                    links.discard(_LINK.unpack_from(data, _HEADER.size)[2])
                data = data[(length + 3) & ~3 :]


def _is_up(message: bytes) -> bool:
    """Whether that is a link's operational state, which the link watch sets (RFC 2863); before it
    is unknown.
    """
    at = _HEADER.size + _LINK.size
    while at < len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, at)
        if kind == _IFLA_OPERSTATE:
            return message[at + _ATTRIBUTE.size] == _IF_OPER_UP
        at += (length + 3) & ~3
    return False


def _explain(code: int) -> str:
    hint = {
        errno.EOPNOTSUPP: "; it lacks this kind of link (modules veth and bridge)",
        errno.EEXIST: "; there is one already",
    }
    return os.strerror(code) + hint.get(code, "")
