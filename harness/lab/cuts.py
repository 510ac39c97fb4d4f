"""Cuts between two machines: the switch drops what came in by one machine's wire and is to leave by
another's.

A ``clsact`` queueing discipline on the wire of the receiver holds the filters (kernel,
``net/sched/sch_ingress.c``). They compare the wire by which a frame came in (``TCA_U32_INDEV``), so
they drop whatever hardware address it is sent from, and leave alone what everybody else sends. All
else that impairs a wire goes on beside them.
"""

from __future__ import annotations

import errno
import socket
import struct
from dataclasses import dataclass
from typing import Any

from harness.errors import HarnessError
from harness.lab.impairment import RTM_DELTFILTER, RTM_NEWQDISC, RTM_NEWTFILTER, U32_TERMINAL, tcmsg
from harness.lab.netlink import NLM_F_CREATE, NLM_F_EXCL, Batch

_CLSACT, _CLSACT_HANDLE, _EGRESS = 0xFFFFFFF1, 0xFFFF0000, 0xFFFFFFF3
_SELECTOR, _ACTIONS, _INPUT_DEVICE = 5, 7, 8  # include/uapi/linux/pkt_cls.h, TCA_U32_...
_ACTION_KIND, _ACTION_OPTIONS, _GACT_PARAMETERS, _DROP = 1, 2, 2, 2
_NESTED = 0x8000
_EVERYTHING, _IPV4, _ARP, _IPV6 = 0x0003, 0x0800, 0x0806, 0x86DD

PROTOCOLS = {"ICMP": (1, 58), "IPIP": (4, 41), "TCP": (6, 6), "UDP": (17, 17), "VRRP": (112, 112)}
"""The numbers of protocols in IPv4 and in IPv6."""
WITH_PORTS = ("TCP", "UDP")


@dataclass(frozen=True)
class Cut:
    """What is lost of all that one machine sends to another: all of it, a ``protocol`` (of
    :data:`PROTOCOLS`, or ``ARP``), or what goes to or comes from a ``port`` of one.
    """

    protocol: str | None = None
    port: int | None = None

    def __post_init__(self) -> None:
        known = [*PROTOCOLS, "ARP"]
        if self.protocol is not None and self.protocol not in known:
            raise HarnessError(
                f"Cut: protocol takes {', '.join(known)} or None, not {self.protocol!r}"
            )
        if self.port is not None and self.protocol not in WITH_PORTS:
            raise HarnessError(
                f'Cut: a port is one of {" or ".join(WITH_PORTS)}: add protocol="TCP"'
            )
        if self.port is not None and not 0 < self.port < 65536:
            raise HarnessError(f"Cut: port is a number from 1 to 65535, not {self.port}")

    @property
    def matches(self) -> list[tuple[int, list[tuple[int, int, int]]]]:
        """For each filter the ethertype, and the words to compare: mask, value, offset behind the
        Ethernet header.

        The ports of IPv4 are looked for behind a header without options, as all that clusters send
        has.
        """
        if self.protocol is None:
            return [(_EVERYTHING, [(0, 0, 0)])]
        if self.protocol == "ARP":
            return [(_ARP, [(0, 0, 0)])]
        four, six = PROTOCOLS[self.protocol]
        found = []
        for ethertype, protocol, behind in (
            (_IPV4, (0x00FF0000, four << 16, 8), 20),
            (_IPV6, (0x0000FF00, six << 8, 4), 40),
        ):
            if self.port is None:
                found.append((ethertype, [protocol]))
                continue
            for mask, value in ((0xFFFF0000, self.port << 16), (0x0000FFFF, self.port)):
                found.append((ethertype, [protocol, (mask, value, behind)]))
        return found


def cut(batch: Batch, index: int, wire: str, sender: str, what: Cut, number: int) -> None:
    """Have the wire with an index lose what came in by the wire ``sender``; ``number`` tells this
    cut from others.
    """
    message = _message(index, _CLSACT, _CLSACT_HANDLE, "clsact")
    batch.add(
        RTM_NEWQDISC,
        NLM_F_CREATE | NLM_F_EXCL,
        message,
        f"cut {wire} (module sch_ingress)",
        errno.EEXIST,
    )
    for priority, (ethertype, words) in _numbered(what, number):
        options = _attribute(_SELECTOR, _selector(words)) + _attribute(
            _INPUT_DEVICE, sender.encode() + b"\0"
        )
        message = _message(
            index, _EGRESS, 0, "u32", options + _attribute(_ACTIONS | _NESTED, _drop())
        )
        message["info"] = priority << 16 | socket.htons(ethertype)
        what_is_done = f"cut {wire} off from {sender} (modules cls_u32 and act_gact)"
        batch.add(RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, message, what_is_done)


def mend(batch: Batch, index: int, wire: str, what: Cut, number: int) -> None:
    """Take away what :func:`cut` with the same number put there, if the wire is still there."""
    for priority, (ethertype, _) in _numbered(what, number):
        message = tcmsg()
        message["index"], message["parent"] = index, _EGRESS
        message["info"] = priority << 16 | socket.htons(ethertype)
        gone = (
            errno.ENODEV,
            errno.ENOENT,
            errno.EINVAL,
        )  # the last where there is no clsact any more
        batch.add(RTM_DELTFILTER, 0, message, f"mend {wire}", *gone)


def _numbered(what: Cut, number: int) -> list[tuple[int, tuple[int, list[tuple[int, int, int]]]]]:
    """Filters of different ethertypes need priorities of their own, and by those they are found
    again.
    """
    return list(enumerate(what.matches, start=1 + 8 * number))


def _selector(words: list[tuple[int, int, int]]) -> bytes:
    """``struct tc_u32_sel`` with its keys."""
    head = struct.pack("=BBBxHHhhI", U32_TERMINAL, 0, len(words), 0, 0, 0, 0, 0)
    keys = [
        struct.pack("!II", mask, value) + struct.pack("=ii", offset, 0)
        for mask, value, offset in words
    ]
    return head + b"".join(keys)


def _drop() -> bytes:
    """The first and only action of a filter: ``gact`` with the verdict to drop (``struct
    tc_gact``).
    """
    parameters = _attribute(_GACT_PARAMETERS, struct.pack("=IIiii", 0, 0, _DROP, 0, 0))
    action = _attribute(_ACTION_KIND, b"gact\0") + _attribute(_ACTION_OPTIONS | _NESTED, parameters)
    return _attribute(1 | _NESTED, action)


def _attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + bytes(-length % 4)


def _message(index: int, parent: int, handle: int, kind: str, options: bytes = b"") -> Any:
    message = tcmsg()
    message["index"], message["parent"], message["handle"] = index, parent, handle
    message["attrs"] = [("TCA_KIND", kind), *([("TCA_OPTIONS", options)] if options else [])]
    return message
