"""From a topology to a plan: what is given is kept, and the rest is filled in."""

from __future__ import annotations

import pytest
from mininet.topo import Topo

from harness.errors import HarnessError
from harness.lab.plan import make_topo, plan
from tests.sketches import planned, wire
from topologies.director_pair import DirectorPair


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


def test_an_interface_that_is_not_there_is_named() -> None:
    host = plan(make_topo(DirectorPair)).hosts[0]
    with pytest.raises(HarnessError, match="director1: no interface eth7; it has eth0"):
        host.interface("eth7")
