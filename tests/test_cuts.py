"""Cuts as netlink messages, and what cannot be cut."""

from __future__ import annotations

import socket
from typing import Any

import pyroute2.ipvs  # noqa: F401 - all of pyroute2, without which its tcmsg cannot be imported
import pytest
from pyroute2.netlink.rtnl.tcmsg import tcmsg

from harness.errors import HarnessError
from harness.lab.cuts import Cut, cut, mend
from harness.lab.netlink import Batch

EGRESS = 0xFFFFFFF3


def decoded(batch: Batch) -> list[Any]:
    found = []
    for data, _, _ in batch._messages:
        message = tcmsg(data)
        message.decode()
        found.append(message)
    return found


@pytest.mark.parametrize(
    ("what", "filters"),
    [
        (Cut(), [3]),
        (Cut("ARP"), [0x0806]),
        (Cut("VRRP"), [0x0800, 0x86DD]),
        (Cut("TCP", 80), [0x0800, 0x0800, 0x86DD, 0x86DD]),
    ],
)
def test_a_cut_is_filters_on_the_receivers_wire(what: Cut, filters: list[int]) -> None:
    batch = Batch()
    cut(batch, 1000, "web1-eth0", "director1-eth0", what, number=2)
    queue, *found = decoded(batch)
    assert queue.get_attr("TCA_KIND") == "clsact"
    assert [socket.ntohs(message["info"] & 0xFFFF) for message in found] == filters
    assert {(message["index"], message["parent"]) for message in found} == {(1000, EGRESS)}
    assert all(b"\x08\x00director1-eth0\x00" in bytes(message.data) for message in found)


def test_what_is_mended_is_what_was_cut() -> None:
    made, mended = Batch(), Batch()
    cut(made, 1000, "web1-eth0", "director1-eth0", Cut("TCP", 80), number=5)
    mend(mended, 1000, "web1-eth0", Cut("TCP", 80), number=5)
    _, *filters = decoded(made)
    assert [message["info"] for message in decoded(mended)] == [
        message["info"] for message in filters
    ]
    other = Batch()
    cut(other, 1000, "web1-eth0", "director2-eth0", Cut("TCP", 80), number=6)
    _, *others = decoded(other)
    assert not {message["info"] for message in filters} & {message["info"] for message in others}


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"protocol": "tcp"}, "protocol takes ICMP, IPIP, TCP, UDP, VRRP, ARP or None, not 'tcp'"),
        ({"port": 80}, 'a port is one of TCP or UDP: add protocol="TCP"'),
        ({"protocol": "VRRP", "port": 80}, "a port is one of TCP or UDP"),
        ({"protocol": "UDP", "port": 70000}, "port is a number from 1 to 65535, not 70000"),
    ],
)
def test_what_cannot_be_cut_is_refused(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(HarnessError, match=complaint):
        Cut(**wrong)
