"""Netlink messages as the kernel reads them: encoded here, decoded by the whole of pyroute2."""

from __future__ import annotations

import errno
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg

from harness.errors import HarnessError
from harness.lab import netlink
from harness.lab.netlink import Batch

CREATE = netlink.NLM_F_REQUEST | netlink.NLM_F_ACK | netlink.NLM_F_CREATE | netlink.NLM_F_EXCL
CHANGE = netlink.NLM_F_REQUEST | netlink.NLM_F_ACK


def encoded(fill: Callable[[Batch], None], message_class: Any) -> Any:
    batch = Batch()
    fill(batch)
    ((data, _, _),) = batch._messages
    message = message_class(data)
    message.decode()
    return message


def header(message: Any) -> tuple[int, int, int]:
    return (
        message["header"]["type"],
        message["header"]["flags"],
        message["header"]["sequence_number"],
    )


def test_bridge() -> None:
    message = encoded(lambda batch: batch.bridge("lan", "02:ff:00:00:00:00"), ifinfmsg)
    assert header(message) == (netlink.RTM_NEWLINK, CREATE, 1)
    assert (message.get_attr("IFLA_IFNAME"), message.get_attr("IFLA_ADDRESS")) == (
        "lan",
        "02:ff:00:00:00:00",
    )
    assert (message["flags"], message["change"]) == (1, 1)
    assert message.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") == "bridge"
    data = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA")
    assert (data.get_attr("IFLA_BR_STP_STATE"), data.get_attr("IFLA_BR_FORWARD_DELAY")) == (0, 0)


def test_wire_has_both_ends_in_one_message() -> None:
    message = encoded(
        lambda batch: batch.wire(1000, "web1-eth0", 2, 17, "eth0", "02:00:00:00:01:00"), ifinfmsg
    )
    assert header(message)[:2] == (netlink.RTM_NEWLINK, CREATE)
    assert (message["index"], message.get_attr("IFLA_MASTER")) == (1000, 2)
    assert message.get_attr("IFLA_IFNAME") == "web1-eth0"
    assert message.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") == "veth"
    peer = message.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA", "VETH_INFO_PEER")
    assert [peer.get_attr(name) for name in ("IFLA_IFNAME", "IFLA_ADDRESS", "IFLA_NET_NS_FD")] == [
        "eth0",
        "02:00:00:00:01:00",
        17,
    ]


@pytest.mark.parametrize("up", [True, False])
def test_link_up_and_down_change_that_flag_alone(up: bool) -> None:
    message = encoded(lambda batch: batch.set_link(7, up, "eth0"), ifinfmsg)
    assert header(message)[:2] == (netlink.RTM_NEWLINK, CHANGE)
    assert (message["index"], message["flags"], message["change"]) == (7, int(up), 1)


@pytest.mark.parametrize(("forwarding", "state"), [(True, 3), (False, 0)])
def test_port_state_is_the_bridge_s_to_set(forwarding: bool, state: int) -> None:
    message = encoded(lambda batch: batch.set_port_state(1000, forwarding, "web1-eth0"), ifinfmsg)
    assert header(message)[:2] == (netlink.RTM_SETLINK, CHANGE)
    assert (message["family"], message["index"]) == (socket.AF_BRIDGE, 1000)
    # The kernel takes the state for a number, not for a block of attributes, only from a nested
    # attribute.
    assert struct.pack("=HHHHBBBB", 12, 12 | 0x8000, 5, 1, state, 0, 0, 0)[2:] in bytes(
        message.data
    )


@pytest.mark.parametrize(
    ("address", "family", "prefix"),
    [("172.16.10.11", socket.AF_INET, 24), ("2001:db8::1", socket.AF_INET6, 64)],
)
@pytest.mark.parametrize(
    ("add", "kind", "flags"),
    [(True, netlink.RTM_NEWADDR, CREATE), (False, netlink.RTM_DELADDR, CHANGE)],
)
def test_address(add: bool, kind: int, flags: int, address: str, family: int, prefix: int) -> None:
    message = encoded(lambda batch: batch.address(7, address, prefix, add), ifaddrmsg)
    assert header(message)[:2] == (kind, flags)
    assert (message["index"], message["family"], message["prefixlen"]) == (7, family, prefix)
    assert message.get_attr("IFA_LOCAL") == message.get_attr("IFA_ADDRESS") == address


@pytest.mark.parametrize(
    ("gateway", "family"), [("172.16.10.1", socket.AF_INET), ("fd00:10::1", socket.AF_INET6)]
)
def test_default_route(gateway: str, family: int) -> None:
    message = encoded(lambda batch: batch.default_route(gateway), rtmsg)
    assert header(message)[:2] == (netlink.RTM_NEWROUTE, CREATE)
    assert (message["family"], message.get_attr("RTA_GATEWAY")) == (family, gateway)
    assert (message["dst_len"], message["table"], message["type"], message["scope"]) == (
        0,
        254,
        1,
        0,
    )


def test_requests_are_numbered_in_order() -> None:
    batch = Batch()
    for index in range(5):
        batch.delete_link(index, "wire")
    assert [struct.unpack_from("=IHHI", data)[3] for data, _, _ in batch._messages] == [
        1,
        2,
        3,
        4,
        5,
    ]


class Kernel:
    """A netlink socket whose answers are given: one error code for each request."""

    def __init__(self, codes: list[int]) -> None:
        self._codes = codes

    def recv(self, size: int) -> bytes:
        answers = b"".join(
            struct.pack("=IHHIIi16x", 36, netlink.NLMSG_ERROR, 0, number, 0, -code)
            for number, code in enumerate(self._codes, start=1)
        )
        return answers


def answered(*codes: int) -> None:
    batch = Batch()
    batch.bridge("lan", "02:ff:00:00:00:00")
    batch.delete_link(7, "wire")
    batch._await_answers(Kernel(list(codes)), 2, "LANs")  # type: ignore[arg-type]


def test_what_the_kernel_refuses_is_named_with_its_reason() -> None:
    with pytest.raises(
        HarnessError,
        match=r"^LANs: the kernel refused to make bridge lan: .*; it lacks this kind of",
    ):
        answered(errno.EOPNOTSUPP, 0)
    with pytest.raises(HarnessError, match=f"remove wire: {os.strerror(errno.EBUSY)}$"):
        answered(0, errno.EBUSY)


def test_a_link_that_is_gone_already_is_no_error_of_removing_it() -> None:
    answered(0, errno.ENODEV)


def test_encoders_leave_the_package_whole() -> None:
    """Only its message classes are imported, and whoever wants all of pyroute2 later gets it."""
    program = (
        "import sys; import harness.lab.netlink;"
        "assert 'pyroute2.iproute' not in sys.modules and 'pyroute2' not in sys.modules;"
        "import pyroute2; assert pyroute2.IPVS"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
