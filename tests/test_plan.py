"""From a topology to a plan: what is filled in, and what is refused, by name and with a way out."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest
from mininet.topo import Topo

from harness.errors import HarnessError
from harness.lab.plan import Plan, make_topo, plan
from harness.topology import (
    Client,
    Director,
    MailServer,
    RealServer,
    VirtualService,
    VrrpInstance,
)
from topologies.director_pair import VIP, DirectorPair

WEB = VirtualService(VIP)


def planned(build: Callable[[Topo], None], seed: int = 0) -> Plan:
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


def test_addresses_given_are_kept_and_the_others_filled_in() -> None:
    def build(topo: Topo) -> None:
        wire(topo, "a")
        wire(topo, "b", ip="172.16.10.12")
        wire(topo, "c", ip="172.16.10.13/24")
        wire(topo, "d")

    hosts = planned(build).hosts
    assert [str(host.interface().address) for host in hosts] == [
        "172.16.10.11/24",
        "172.16.10.12/24",
        "172.16.10.13/24",
        "172.16.10.14/24",
    ]


def test_lans_without_a_subnet_get_the_free_ones_in_turn() -> None:
    def build(topo: Topo) -> None:
        topo.addSwitch("one", subnet="172.16.10.0/23")
        for lan in ("one", "two", "three"):
            wire(topo, "a", lan)

    assert [str(subnet) for subnet in planned(build).lans.values()] == [
        "172.16.10.0/23",
        "172.16.12.0/24",
        "172.16.13.0/24",
    ]


def test_interfaces_come_in_the_order_in_which_their_links_were_added() -> None:
    def build(topo: Topo) -> None:
        wire(topo, "a", "one")
        wire(topo, "z", "two", link={"params2": {"ip": "172.16.11.9", "mac": "02:00:00:00:00:09"}})
        wire(topo, "z", "one", link={"intfName2": "inside"})

    first, second = planned(build).hosts[1].interfaces
    assert (first.name, first.lan, str(first.address), first.mac) == (
        "eth0",
        "two",
        "172.16.11.9/24",
        "02:00:00:00:00:09",
    )
    assert (second.name, second.lan) == ("inside", "one")


def test_every_mac_is_its_own_and_the_seed_s() -> None:
    def build(topo: Topo) -> None:
        for number in range(300):
            wire(topo, f"h{number}", "lan" if number < 150 else "other")
            wire(topo, f"h{number}", "third")
        topo.setNodeInfo("third", {"isSwitch": True, "subnet": "10.0.0.0/16"})

    macs = [
        [i.mac for host in planned(build, seed).hosts for i in host.interfaces]
        for seed in (0, 7, 7, 300)
    ]
    assert len(set(macs[0] + macs[1] + macs[3])) == 3 * 600
    assert macs[1] == macs[2]


def test_names_of_wires_fit_and_differ() -> None:
    def build(topo: Topo) -> None:
        for name in ("a-very-long-hostname-1", "a-very-long-hostname-2", "short"):
            wire(topo, name)

    wires = [host.interface().wire for host in planned(build).hosts]
    assert len(set(wires)) == 3
    assert all(len(name) <= 15 for name in wires)


def test_etc_hosts_names_every_machine_at_its_first_address() -> None:
    lines = plan(make_topo(DirectorPair)).etc_hosts.splitlines()
    assert lines[0] == "127.0.0.1\tlocalhost"
    assert lines[2:] == [
        "172.16.10.11\tdirector1",
        "172.16.10.12\tdirector2",
        "172.16.10.21\tweb1",
        "172.16.10.22\tweb2",
        "172.16.10.100\tclient",
    ]


def test_default_route_is_mininet_s() -> None:
    hosts = planned(lambda topo: wire(topo, "a", defaultRoute="via 172.16.10.1")).hosts
    assert hosts[0].default_routes == ("172.16.10.1",)


def test_an_ipv6_address_has_the_ipv4_host_number_in_the_same_digits() -> None:
    def build(topo: Topo) -> None:
        topo.addSwitch("lan", subnet="172.16.10.0/24", subnet6="fd00:10::/64")
        topo.addSwitch("old", subnet="172.16.11.0/24")
        wire(
            topo,
            "a",
            ip="172.16.10.21",
            defaultRoute="via 172.16.10.1",
            defaultRoute6="via fd00:10::1",
        )
        wire(topo, "a", "old")

    (host,) = planned(build).hosts
    assert [[str(address) for address in interface.addresses] for interface in host.interfaces] == [
        ["172.16.10.21/24", "fd00:10::21/64"],
        ["172.16.11.11/24"],
    ]
    assert host.default_routes == ("172.16.10.1", "fd00:10::1")


@pytest.mark.parametrize(
    ("switch", "options", "problem"),
    [
        ({"subnet6": "172.16.0.0/16"}, {}, "lan: subnet 172.16.0.0/16 is none"),
        (
            {"subnet6": "fd00:10::/124"},
            {"ip": "172.16.10.21"},
            "a: lan .* has no address for host number 21",
        ),
        (
            {"subnet6": "fd00:10::/64"},
            {"defaultRoute6": "via fd00:11::1"},
            "a: defaultRoute6='via fd00:11::1'",
        ),
    ],
)
def test_ipv6_that_cannot_be_is_refused(
    switch: dict[str, Any], options: dict[str, Any], problem: str
) -> None:
    def build(topo: Topo) -> None:
        topo.addSwitch("lan", subnet="172.16.10.0/24", **switch)
        wire(topo, "a", **options)

    with pytest.raises(HarnessError, match=problem):
        planned(build)


def test_an_interface_that_is_not_there_is_named() -> None:
    host = plan(make_topo(DirectorPair)).hosts[0]
    with pytest.raises(HarnessError, match="director1: no interface eth7; it has eth0"):
        host.interface("eth7")


# -- what is refused -------------------------------------------------------------------------------


def twice(topo: Topo) -> None:
    wire(topo, "a")
    topo.addHost("a", cls=Client)


def one_address(topo: Topo) -> None:
    wire(topo, "a", ip="172.16.10.20")
    wire(topo, "b", ip="172.16.10.20/24")


def one_mac(topo: Topo) -> None:
    wire(topo, "a", mac="02:00:00:00:00:0a")
    wire(topo, "b", mac="02:00:00:00:00:0A")


def overlapping_subnets(topo: Topo) -> None:
    wire(topo, "a", "one")
    topo.setNodeInfo("one", {"isSwitch": True, "subnet": "10.0.0.0/8"})
    topo.addSwitch("two", subnet="10.1.0.0/16")
    wire(topo, "a", "two")


def no_subnet(topo: Topo) -> None:
    topo.addSwitch("lan", subnet="172.16.10.1/24")
    wire(topo, "a")


def full_subnet(topo: Topo) -> None:
    topo.addSwitch("lan", subnet="172.16.10.0/28")
    for number in range(5):
        wire(topo, f"h{number}")


def director(topo: Topo, **vrrp: Any) -> None:
    wire(topo, "director1", cls=Director, vrrp=VrrpInstance(**{"vrid": 51, "vip": VIP, **vrrp}))


def taken_vip(topo: Topo) -> None:
    wire(topo, "a", ip=VIP)
    director(topo)


def taken_source(topo: Topo) -> None:
    wire(topo, "a", ip="172.16.10.20")
    wire(topo, "b", sources=("172.16.10.20",))


def two_mail_servers(topo: Topo) -> None:
    for name in ("a", "b"):
        wire(topo, name, cls=MailServer)


def client_apart(topo: Topo, **options: Any) -> None:
    director(topo)
    wire(topo, "client", "outer", **options)


def nobody_s_service(topo: Topo) -> None:
    wire(
        topo,
        "director1",
        cls=Director,
        vrrp=VrrpInstance(vrid=51, vip=VIP),
        services=[VirtualService("10.9.9.9")],
    )


def two_hosts_linked(topo: Topo) -> None:
    wire(topo, "a")
    wire(topo, "b")
    topo.addLink("a", "b")


def two_interfaces_with_one_name(topo: Topo) -> None:
    wire(topo, "a", "one")
    wire(topo, "a", "two", link={"intfName2": "eth0"})


def small_subnet(topo: Topo) -> None:
    topo.addSwitch("lan", subnet="10.1.2.0/30")
    for name in "abc":
        wire(topo, name)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (twice, "two nodes with one name: a; rename one"),
        (one_address, "b and a both have the address 172.16.10.20; give one another"),
        (one_mac, "b and a both have the hardware address 02:00:00:00:00:0a; give one another"),
        (
            overlapping_subnets,
            "two: its subnet 10.1.0.0/16 overlaps 10.0.0.0/8 of one; give them subnets apart",
        ),
        (no_subnet, "lan: subnet 172.16.10.1/24 is none: 172.16.10.1/24 has host bits set"),
        (
            small_subnet,
            "lan: 3 machines are wired to it, and its subnet 10.1.2.0/30 has addresses for 2;"
            " give it a"
            ' larger one: addSwitch("lan", subnet="10.1.2.0/29")',
        ),
        (full_subnet, "h4: lan (172.16.10.0/28) has no address left; give it a larger subnet"),
        (taken_vip, "director1: its VIP 172.16.10.50 is the address of a; take a free one"),
        (
            lambda topo: director(topo, vip="10.9.9.9"),
            "director1: its VIP 10.9.9.9 is in no LAN's subnet: 172.16.10",
        ),
        (
            lambda topo: director(topo, excluded_vips=("10.9.9.9",)),
            "director1: its VIP 10.9.9.9 is in no LAN's subnet: 172.16.10",
        ),
        (nobody_s_service, "director1: its VIP 10.9.9.9 is in no LAN's subnet: 172.16.10"),
        (
            client_apart,
            "no client gets to a VIP, and no route leads to 172.16.10.50: client has no route to"
            ' it; give the client defaultRoute="via ..." or wire it to the LAN',
        ),
        (
            lambda topo: client_apart(topo, defaultRoute="via 172.16.11.1"),
            "no route leads to 172.16.10.50: client sends it to 172.16.11.1, which is nobody's",
        ),
        (taken_source, "b and a both have the address 172.16.10.20; give one another"),
        (two_mail_servers, "a and b are both mail servers, and directors send all their mail to"),
        (
            lambda topo: director(topo, interface="eth1"),
            "director1: VRRP instance VI_1 is on eth1, and the machine",
        ),
        (
            lambda topo: director(topo, vrid=0),
            "VrrpInstance VI_1: vrid must be a number from 1 to 255, not 0",
        ),
        (
            lambda topo: wire(topo, "web1", cls=RealServer, serves=[VirtualService("10.9.9.9")]),
            "web1: its VIP 10.9.9.9 is in no LAN's subnet",
        ),
        (
            lambda topo: wire(topo, "a", ip="172.16.11.5"),
            "a: 172.16.11.5/24 is not in the subnet 172.16.10.0/24 of",
        ),
        (
            lambda topo: wire(topo, "a", ip="172.16.10.5/16"),
            "a: 172.16.10.5/16 is not in the subnet 172.16.10.0/24",
        ),
        (
            lambda topo: wire(topo, "a", ip="172.16.10.255"),
            "a: 172.16.10.255 is the network's or the broadcast",
        ),
        (lambda topo: wire(topo, "a", ip="anywhere"), "a: anywhere is no address"),
        (
            lambda topo: wire(topo, "a", mac="01:00:5e:00:00:01"),
            "a: '01:00:5e:00:00:01' is no hardware address of one",
        ),
        (
            lambda topo: wire(topo, "a", defaultRoute="via 10.0.0.1"),
            "a: defaultRoute='via 10.0.0.1': give",
        ),
        (
            lambda topo: wire(topo, "a", cls=None),
            'a: say what it is for: addHost("a", cls=Director | RealServer |',
        ),
        (
            lambda topo: wire(topo, "a", cls=Topo),
            'a: say what it is for: addHost("a", cls=Director | RealServer |',
        ),
        (
            lambda topo: wire(topo, "a", colour="red"),
            "a: a Client has no option colour; it takes ip, mac, defaultRoute",
        ),
        (
            lambda topo: wire(topo, "a b"),
            "'a b' is no name for a machine: use letters, digits and hyphens",
        ),
        (
            lambda topo: wire(topo, "a", "a-very-long-switch"),
            "a-very-long-switch: the name of a switch has at most",
        ),
        (
            lambda topo: wire(topo, "a", link={"bw": 10}),
            "link lan - a: unknown options bw; a link takes port1",
        ),
        (
            lambda topo: wire(topo, "a", link={"params2": {"up": 1}}),
            "link lan - a: unknown options up; a link takes",
        ),
        (
            lambda topo: wire(topo, "a", link={"intfName2": "lo"}),
            "a: 'lo' is no name for an interface",
        ),
        (two_interfaces_with_one_name, "a: two interfaces with one name: eth0; rename one"),
        (
            lambda topo: topo.addLink(topo.addSwitch("lan"), "a"),
            "a link goes to a, which is no node: addHost or",
        ),
        (
            lambda topo: topo.addHost("a", cls=Client),
            'a: it is wired to nothing; addLink("a", a switch)',
        ),
        (
            lambda topo: topo.addSwitch("lan"),
            "lan: nothing is wired to this switch; add a link or leave it out",
        ),
        (two_hosts_linked, "link a - b: one end has to be a host, the other a switch"),
    ],
)
def test_a_topology_that_cannot_be_is_refused(build: Callable[[Topo], None], message: str) -> None:
    with pytest.raises(HarnessError, match=re.escape(message)):
        planned(build)


def test_what_a_topology_raises_is_told_with_its_file_and_line() -> None:
    def build(topo: Topo) -> None:
        raise ValueError("three directors?")

    line = inspect.getsourcelines(build)[1] + 1
    wanted = f"{__file__}:{line}: topology Sketch raised ValueError: three directors?"
    with pytest.raises(HarnessError, match=f"^{re.escape(wanted)}$"):
        planned(build)


def test_a_parameter_that_a_topology_has_not_is_told_with_those_it_has() -> None:
    class Mine(Topo):
        def build(self, scheduler: str = "rr", real_servers: int = 2) -> None:
            pass

    message = (
        "topology Mine: .*unexpected keyword argument 'sheduler'.*; its parameters are:"
        " scheduler, real_servers$"
    )
    mistyped = functools.partial(Mine, sheduler="wlc")
    mistyped.__name__ = "Mine"  # type: ignore[attr-defined]
    with pytest.raises(HarnessError, match=message):
        make_topo(mistyped)


def test_a_bad_field_is_told_with_the_line_of_the_topology() -> None:
    def build(topo: Topo) -> None:
        topo.addHost("director1", cls=Director, services=[VirtualService(VIP, scheduler="fair")])

    line = inspect.getsourcelines(build)[1] + 1
    with pytest.raises(
        HarnessError,
        match=re.escape(f"{__file__}:{line}: VirtualService {VIP}:80: scheduler must be"),
    ):
        planned(build)


def test_mininet_is_left_as_it_was() -> None:
    before = Topo.addNode, Topo.addLink
    with pytest.raises(HarnessError):
        planned(twice)
    assert (Topo.addNode, Topo.addLink) == before


def test_what_is_no_topology_is_refused() -> None:
    with pytest.raises(
        HarnessError, match="dict is no topology: give a Mininet Topo, such as DirectorPair"
    ):
        make_topo(dict)
