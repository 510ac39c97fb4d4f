"""A topology that cannot be is refused, by name, with its line and with a way out."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest
from mininet.topo import Topo

from harness.errors import HarnessError
from harness.lab.plan import make_topo
from harness.topology import Client, Director, MailServer, RealServer, VirtualService, VrrpInstance
from tests.sketches import planned, wire
from topologies.director_pair import VIP


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
