"""Devices and routes of a topology: where the addresses are, what makes a device, and what is
refused by name.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from mininet.topo import Topo

from harness.errors import HarnessError
from harness.lab import devices
from harness.lab.plan import HostPlan, make_topo, plan
from harness.topology import (
    Bond,
    Bridge,
    Client,
    Director,
    Dummy,
    Macvlan,
    MailServer,
    Router,
    Vlan,
    Vrf,
    VrrpInstance,
    Vxlan,
)  # fmt: skip
from topologies.devices import KINDS, Devices


def machine(wires: int = 1, **options: Any) -> HostPlan:
    """A client with these options."""

    class Sketch(Topo):
        def build(self) -> None:
            self.addSwitch("lan", subnet="172.16.10.0/24")
            self.addHost("a", cls=Client, ip="172.16.10.11/24", **options)
            for _ in range(wires):
                self.addLink("lan", "a")

    return plan(make_topo(Sketch)).hosts[0]


def test_a_bond_takes_over_the_address_of_its_first_wire() -> None:
    host = machine(2, links=(Bond("bond0"),))
    assert host.main_device == "bond0"
    assert [each.held_by for each in host.interfaces] == ["bond0", None]
    assert host.interfaces[1].addresses == ()
    made = devices.commands(host, host.role.links[0])
    assert ["ip", "address", "add", "172.16.10.11/24", "dev", "bond0"] in made
    assert made.index(["ip", "link", "set", "eth0", "down"]) < made.index(
        ["ip", "link", "set", "eth0", "master", "bond0"]
    )


def test_a_vlan_on_a_bond_takes_over_what_the_bond_did() -> None:
    host = machine(2, links=(Bond("bond0"), Vlan("bond0.10", below="bond0", id=10)))
    bond, vlan = host.role.links
    assert host.main_device == "bond0.10"
    assert devices.addresses(host, bond) == []
    assert devices.addresses(host, vlan) == ["172.16.10.11/24"]


def test_a_vlan_with_addresses_leaves_the_wire_its_own() -> None:
    host = machine(links=(Vlan("eth0.10", below="eth0", id=10, addresses=("172.16.20.11/24",)),))
    assert host.main_device == "eth0"
    assert devices.addresses(host, host.role.links[0]) == ["172.16.20.11/24"]


def test_hardware_addresses_are_the_same_in_every_run_and_all_different() -> None:
    host = machine(
        links=(Dummy("dummy0"), Macvlan("mv0", addresses=("172.16.20.1/24",)), Bridge("br0"))
    )
    assert [devices.mac(host, device) for device in host.role.links] == [
        "06:00:00:00:01:00",
        "06:00:00:00:01:01",
        host.interface().mac,
    ]
    assert devices.main_mac(host) == host.interface().mac
    assert len(devices.macs(host)) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_planned(kind: str) -> None:
    first, *_ = plan(make_topo(lambda: Devices(kind=kind))).hosts
    assert all(devices.commands(first, device) for device in first.role.links)


WRONG: dict[str, Callable[[], object]] = {
    "a: Vlan v is made of eth7, and what comes before it is eth0": lambda: machine(
        links=(Vlan("v", below="eth7"),)
    ),
    "a: Vlan v is made of b, and what comes before it is eth0": lambda: machine(
        links=(Vlan("v", below="b"), Dummy("b"))
    ),
    "a: eth0 is part of b already, so it cannot be of c": lambda: machine(
        links=(Bridge("b"), Bridge("c", below=("eth0",)))
    ),
    "a: two interfaces with one name: eth0": lambda: machine(links=(Dummy("eth0"),)),
    "a: Vlan v takes over no address from d": lambda: machine(
        links=(Dummy("d"), Vlan("v", below="d"))
    ),
    "a: it is known by the address of its first wire, eth0, which is to have none": lambda: machine(
        2, links=(Bond("bond0", below=("eth1", "eth0")),)
    ),
    "Vlan v: id must be a number from 1 to 4094": lambda: Vlan("v", id=5000),
    "Bond b: mode must be one of active-backup, 802.3ad": lambda: Bond("b", mode="rr"),
    "Macvlan m: mode must be one of bridge": lambda: Macvlan("m", mode="l2"),
    "Vrf v: table must be a number": lambda: Vrf("v", table=0),
    "Vxlan v: group must be an address": lambda: Vxlan("v", group="everybody"),
    "Dummy d: '10.0.0.1' is no address such as 172.16.20.11/24: it has no prefix length": lambda: (
        Dummy("d", addresses=("10.0.0.1",))
    ),
    "Dummy: 'lo' is no name": lambda: Dummy("lo"),
    "a device of a and a both have the address 172.16.10.11": lambda: machine(
        links=(Dummy("d", addresses=("172.16.10.11/32",)),)
    ),
    "Client: routes: '10.0.0.0' goes": lambda: machine(routes={"10.0.0.0": "172.16.10.1"}),
    "a: no network of its own has 172.16.11.1, the gateway to 10.0.0.0/8": lambda: machine(
        routes={"10.0.0.0/8": "via 172.16.11.1"}
    ),
    "a: the route to 10.0.0.0/8 goes by eth1, and it has eth0": lambda: machine(
        routes={"10.0.0.0/8": "dev eth1"}
    ),
    "Client: routes: 10.0.0.0/8 cannot go by 'fd00::1'": lambda: machine(
        routes={"10.0.0.0/8": "via fd00::1"}
    ),
    "Client: routes: '10.0.0.1/8' is no network": lambda: machine(
        routes={"10.0.0.1/8": "dev eth0"}
    ),
}


@pytest.mark.parametrize("complaint", WRONG)
def test_what_cannot_be_is_refused_by_name(complaint: str) -> None:
    with pytest.raises(HarnessError) as raised:
        WRONG[complaint]()
    assert complaint.replace("'10.0.0.0' goes", "10.0.0.0 goes") in str(raised.value)


def routed(
    route: str | None, forwards: bool = True, gateway: str | None = "via 10.1.0.1"
) -> Callable[[], Topo]:
    """A client behind a router, and a director whose VIP is in no LAN's subnet."""

    class Sketch(Topo):
        def build(self) -> None:
            for lan, subnet in (("outer", "10.1.0.0/24"), ("inner", "10.2.0.0/24")):
                self.addSwitch(lan, subnet=subnet)
            routes = {"192.0.2.80/32": route} if route else {}
            own = {} if forwards else {"cls": MailServer}
            self.addHost("router", **{"cls": Router, **own}, routes=routes)
            self.addHost(
                "client",
                cls=Client,
                ip="10.1.0.9/24",
                **({"defaultRoute": gateway} if gateway else {}),
            )
            self.addHost(
                "d", cls=Director, ip="10.2.0.2/24", vrrp=VrrpInstance(vrid=1, vip="192.0.2.80")
            )
            self.addLink("outer", "router", params2={"ip": "10.1.0.1/24"})
            self.addLink("inner", "router", params2={"ip": "10.2.0.1/24"})
            self.addLink("outer", "client")
            self.addLink("inner", "d")

    return Sketch


def test_a_vip_may_be_in_no_lan_where_a_route_leads_to_it() -> None:
    assert plan(make_topo(routed("via 10.2.0.2"))).hosts


@pytest.mark.parametrize(
    ("topo", "stuck"),
    [
        (routed(None), "router has no route to it"),
        (routed("via 10.2.0.7"), "router sends it to 10.2.0.7, which is nobody's address"),
        (
            routed("via 10.1.0.9"),
            "client, to which it is sent, has not got it and passes nothing on",
        ),
        (
            routed("via 10.2.0.2", forwards=False),
            "router, to which it is sent, has not got it and passes nothing on",
        ),
        (routed("via 10.2.0.2", gateway=None), "client has no route to it"),
    ],
)
def test_a_vip_that_no_route_leads_to_is_refused(topo: Callable[[], Topo], stuck: str) -> None:
    with pytest.raises(
        HarnessError,
        match=f"its VIP 192.0.2.80 is in no LAN's subnet: .*no route leads to it: {stuck}",
    ):
        plan(make_topo(topo))


class Refusing:
    """A machine whose kernel makes no devices."""

    name = "a"

    def __init__(self, said: str) -> None:
        self.plan = machine(2, links=(Bond("bond0"),))
        self.said = said

    def run(self, argv: list[str], check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(argv, 2, stdout=self.said)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (
            "Error: Unknown device type.\n",
            r"a: this kernel lacks bond devices \(CONFIG_BONDING\), so there is no bond0",
        ),
        (
            "RTNETLINK answers: File exists\n",
            "a: cannot make Bond bond0: RTNETLINK answers: File exists",
        ),
    ],
)
def test_a_device_that_the_kernel_lacks_is_named(said: str, complaint: str) -> None:
    refusing: Any = Refusing(said)
    with pytest.raises(HarnessError, match=complaint):
        devices.make(refusing)
