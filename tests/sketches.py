"""Topologies of a few lines, and the plans that are made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mininet.topo import Topo

from harness.lab.plan import Plan, make_topo, plan
from harness.topology import Client


def planned(build: Callable[[Topo], None], seed: int = 0) -> Plan:
    """The plan of a topology that this function builds."""

    class Sketch(Topo):
        def build(self) -> None:
            build(self)

    return plan(make_topo(Sketch), seed)


def wire(
    topo: Topo, name: str, lan: str = "lan", /, link: dict[str, Any] | None = None, **options: Any
) -> None:
    """A client on a LAN; both are made as needed."""
    for node, add in ((lan, topo.addSwitch), (name, topo.addHost)):
        if node not in topo.nodes():
            add(node, **({"cls": Client, **options} if node == name else {}))
    topo.addLink(lan, name, **(link or {}))
