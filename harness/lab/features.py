"""What this kernel may lack, found by asking it rather than by its version or its configuration."""

from __future__ import annotations

import platform
import socket
import struct
import subprocess
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

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


DEVICES = {
    "CONFIG_BONDING": "type bond mode active-backup",
    "CONFIG_BRIDGE": "type bridge",
    "CONFIG_DUMMY": "type dummy",
    "CONFIG_IPVLAN": "link wire type ipvlan mode l2",
    "CONFIG_MACVLAN": "link wire type macvlan",
    "CONFIG_NET_TEAM": "type team",
    "CONFIG_NET_VRF": "type vrf table 77",
    "CONFIG_VLAN_8021Q": "link wire type vlan id 10",
    "CONFIG_VXLAN": "type vxlan id 77 dstport 4789 local 127.0.0.1",
    "CONFIG_WIREGUARD": "type wireguard",
}
"""Interfaces, by the option that a kernel has them by: what ip(8) makes one of."""

RULES = {
    "CONFIG_NETFILTER_XT_MATCH_MAC": "-A INPUT -m mac --mac-source 02:00:00:00:00:01 -j ACCEPT",
    "CONFIG_NETFILTER_XT_TARGET_TCPMSS": "-t mangle -A FORWARD -p tcp --syn -j TCPMSS"
    " --clamp-mss-to-pmtu",
    "CONFIG_NETFILTER_XT_MATCH_TCPMSS": "-A INPUT -p tcp --syn -m tcpmss --mss 1:500 -j DROP",
    "CONFIG_NETFILTER_XT_TARGET_LOG": "-A INPUT -j LOG --log-prefix seen",
    "CONFIG_NETFILTER_XT_MATCH_RECENT": "-A INPUT -m recent --name clients --set",
    "CONFIG_NETFILTER_XT_TARGET_CT": "-t raw -A PREROUTING -j CT --notrack",
    "CONFIG_NETFILTER_XT_MATCH_IPVS": "-A INPUT -m ipvs --vaddr 192.0.2.80 -j ACCEPT",
    "CONFIG_NETFILTER_XT_TARGET_CONNMARK": "-t mangle -A PREROUTING -j CONNMARK --restore-mark",
    "CONFIG_NETFILTER_XT_MATCH_CONNMARK": "-A INPUT -m connmark --mark 1 -j ACCEPT",
}
"""Matches and targets of firewalls, by the option that a kernel has them by: a rule with one."""

CONTROLLERS = {"CONFIG_MEMCG": "memory", "CONFIG_CGROUP_SCHED": "cpu"}
"""What cgroups can limit."""

LOGS_OF_MACHINES = "net.netfilter.nf_log_all_netns=1"
"""With it the kernel's log has what a machine's firewall logs; by default only the host's own."""


def _succeeds(*command: str) -> bool:
    """Whether a command does in a network of its own, which ends with it."""
    words = ["unshare", "--net", "sh", "-c", " ".join(command)]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def _has_device(words: str) -> bool:
    return _succeeds("ip link add wire type veth peer name peer && ip link add name probe", words)


def _has_rule(words: str) -> bool:
    return _succeeds("iptables-legacy", words)


def _has_controller(name: str) -> bool:
    there = Path("/sys/fs/cgroup/cgroup.controllers")
    return there.exists() and name in there.read_text().split()


def _logs_machines() -> bool:
    setting = Path("/proc/sys/net/netfilter/nf_log_all_netns")
    return setting.exists() and setting.read_text().strip() == "1"


_PROBES: dict[str, Callable[[], bool]] = {
    "CONFIG_NF_TABLES_IPV4": partial(_has_nf_tables, socket.AF_INET),
    "CONFIG_NF_TABLES_IPV6": partial(_has_nf_tables, socket.AF_INET6),
    **{option: partial(_has_device, words) for option, words in DEVICES.items()},
    **{option: partial(_has_rule, words) for option, words in RULES.items()},
    **{option: partial(_has_controller, name) for option, name in CONTROLLERS.items()},
    LOGS_OF_MACHINES: _logs_machines,
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
