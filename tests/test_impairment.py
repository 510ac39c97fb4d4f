"""Impaired wires as netlink messages: encoded here, decoded by pyroute2."""

from __future__ import annotations

import socket
from typing import Any

import pyroute2.ipvs  # noqa: F401 - all of pyroute2, without which its tcmsg cannot be imported
import pytest
from pyroute2.netlink.rtnl.tcmsg import tcmsg

from harness.errors import HarnessError
from harness.lab.impairment import KINDS, Impairment, impair, mend
from harness.lab.netlink import Batch

ROOT = 0xFFFFFFFF


def messages(impairment: Impairment | None) -> list[Any]:
    batch = Batch()
    if impairment is None:
        mend(batch, 1000, "web1-eth0")
    else:
        impair(batch, 1000, impairment, "web1-eth0")
    decoded = []
    for data, _, _ in batch._messages:
        message = tcmsg(data)
        message.decode()
        decoded.append(message)
    return decoded


def test_everything_is_impaired_at_the_root() -> None:
    (message,) = messages(Impairment(loss=0.5, delay=0.25))
    assert (message["index"], message["parent"], message.get_attr("TCA_KIND")) == (
        1000,
        ROOT,
        "netem",
    )
    options = message.get_attr("TCA_OPTIONS")
    assert options["loss"] == 0x80000000
    assert options["limit"] > 1000


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_is_led_to_a_band_of_its_own(kind: str) -> None:
    prio, netem, *filters = messages(Impairment(loss=1, only=kind))
    assert (prio["parent"], prio.get_attr("TCA_KIND")) == (ROOT, "prio")
    assert netem["parent"] >> 16 == prio["handle"] >> 16
    for message, (ethertype, *_) in zip(filters, KINDS[kind], strict=True):
        assert (message["parent"], message.get_attr("TCA_KIND")) == (prio["handle"], "u32")
        assert message["info"] & 0xFFFF == socket.htons(ethertype)
        assert message.get_attr("TCA_OPTIONS").get_attr("TCA_U32_CLASSID") == netem["parent"]


def test_mending_takes_away_what_is_at_the_root() -> None:
    (message,) = messages(None)
    assert (message["index"], message["parent"], message["handle"]) == (1000, ROOT, 0)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"loss": 30}, "loss is a share"),
        ({"jitter": 1.0}, "jitter 1.0 s"),
        ({"only": "vrrp"}, "only takes advertisements, ARP"),
    ],
)
def test_impossible_impairments_are_refused(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(HarnessError, match=complaint):
        Impairment(**wrong)
