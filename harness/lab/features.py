"""What this kernel may lack, found by asking it rather than by its version or its configuration."""

from __future__ import annotations

import platform
import socket
import struct
from functools import cache

from harness.errors import HarnessError

_NETLINK_NETFILTER = 12  # <linux/netlink.h>
_NLM_F_REQUEST, _NLM_F_ACK, _NLMSG_ERROR = 0x1, 0x4, 2
# <linux/netfilter/nf_tables.h> and <linux/netfilter/nfnetlink.h>
_BATCH_BEGIN, _NFTABLES, _NEWTABLE, _TABLE_NAME = 0x10, 10, 10 << 8, 1
_HEADER = struct.Struct("=LHHLL")
_NETFILTER_HEADER = struct.Struct(">BBH")
_ATTRIBUTE = struct.Struct("=HH")
_ERROR = struct.Struct("=i")


def _has_nf_tables(family: int) -> bool:
    """Whether nf_tables knows IPv4 or IPv6.

    A batch that makes a table and does not end is undone, and what the kernel thinks of the table
    is told all the same (``nfnetlink_rcv_batch``).
    """
    name = b"probe\0"
    table = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(name), _TABLE_NAME) + name.ljust(8, b"\0")
    # The kernel is to acknowledge the table alone: newer ones (6.12) acknowledge the beginning of a
    # batch, too.
    begin = _message(
        _BATCH_BEGIN, _NLM_F_REQUEST, _NETFILTER_HEADER.pack(socket.AF_UNSPEC, 0, _NFTABLES)
    )
    make = _message(
        _NEWTABLE, _NLM_F_REQUEST | _NLM_F_ACK, _NETFILTER_HEADER.pack(family, 0, 0) + table
    )
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as kernel:
            kernel.bind((0, 0))
            kernel.send(begin + make)
            answer = kernel.recv(8192)
    except OSError:
        return False
    kind: int = _HEADER.unpack_from(answer)[1]
    problem: int = _ERROR.unpack_from(answer, _HEADER.size)[0]
    return kind == _NLMSG_ERROR and problem == 0


def _message(kind: int, flags: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, 0, 0) + body


_PROBES = {
    "CONFIG_NF_TABLES_IPV4": lambda: _has_nf_tables(socket.AF_INET),
    "CONFIG_NF_TABLES_IPV6": lambda: _has_nf_tables(socket.AF_INET6),
}


@cache
def lacks(option: str) -> str | None:
    """What is missing, in words, if this kernel was built without an option; None if it has it.

    Only root can ask. Raises HarnessError for an option that there is no probe for.

    >>> lacks("CONFIG_NF_TABLES_IPV4")
    'kernel 6.1.176 lacks CONFIG_NF_TABLES_IPV4'
    """
    if option not in _PROBES:
        raise HarnessError(f"kernel={option!r}: what can be asked for is {', '.join(_PROBES)}")
    return None if _PROBES[option]() else f"kernel {platform.release()} lacks {option}"
