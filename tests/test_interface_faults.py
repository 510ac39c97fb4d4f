"""Faults of interfaces that a machine does not have, and what they are called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.errors import HarnessError
from harness.faults import ChangeMtu, Cut, DeleteInterface, DropTcp, Fault, Firewall
from harness.faults.fault import Surroundings
from harness.images.image import Image
from harness.lab.machine import Machine
from harness.lab.plan import make_topo, plan
from harness.nodes import Node, node_of
from topologies.devices import Devices
from topologies.director_pair import DirectorPair


def node(name: str, kind: str | None = None) -> Node:
    whole = plan(make_topo((lambda: Devices(kind=kind)) if kind else DirectorPair))
    host = next(host for host in whole.hosts if host.name == name)
    return node_of(host, whole)


def test_the_interface_with_the_machines_address_is_meant() -> None:
    assert DeleteInterface(node("director1")).name == "DeleteInterface eth0"
    assert DeleteInterface(node("director1", "vlan on bond")).name == "DeleteInterface bond0.10"


def test_an_interface_that_is_not_there_is_named() -> None:
    with pytest.raises(HarnessError, match="director1 has no interface eth7; it has eth0"):
        ChangeMtu(node("director1"), "eth7")


def test_a_cut_is_told_with_its_way_and_what_is_lost() -> None:
    one, other = node("director1"), node("web1")
    assert Cut(one, other).name == "Cut from web1"
    assert (
        Cut(one, other, both=False, protocol="TCP", port=80).name == "Cut one way to web1 (TCP 80)"
    )
    with pytest.raises(HarnessError, match="director1 cannot be cut off from itself"):
        Cut(one, one)


def test_a_rule_of_a_firewall_is_appended() -> None:
    assert (
        Firewall(node("client"), "-t raw -A PREROUTING -j DROP").name
        == "Firewall -t raw -A PREROUTING -j DROP"
    )
    with pytest.raises(HarnessError, match="a rule is appended to a chain"):
        Firewall(node("client"), "-I INPUT -j DROP")


@pytest.mark.parametrize("fault", [lambda web: Firewall(web, "-A INPUT -j DROP"), DropTcp])
def test_a_firewall_s_program_is_asked_of_the_machine_s_own_image(
    fault: Callable[[Any], Fault[Node]], tmp_path: Path
) -> None:
    web, around, ran = node("web1"), cast("Surroundings", None), list[object]()
    web.plan = replace(web.plan, image=Image("own", str(tmp_path)))
    web.machine = cast("Machine", SimpleNamespace(run=ran.append))
    with pytest.raises(HarnessError, match="the image own has no program iptables-legacy"):
        fault(web).inject(around)
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/iptables-legacy").touch()
    fault(web).inject(around)
    assert len(ran) == 1
