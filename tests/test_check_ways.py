"""Ways: what cannot work by the addresses alone is told by name, and only that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.check.derive import derive
from harness.check.facts import Checker, Instance, Reading, RealServer, Service, Vip
from harness.check.ways import Amiss, amiss

VIP = "192.0.2.80"
INSTANCE = Instance(
    "V", "eth0", 2, 60, 120, 1.0, True, 0.0, 5, None, (), (Vip(VIP, 32, "eth0"),), (), None, (), (), "none"
)


def service(method: str, *addresses: str) -> Service:
    servers = tuple(RealServer(address, 80, 1, method) for address in addresses)
    return Service(f"{VIP}:80", ((VIP, 80),), None, "TCP", "rr", method, 3.0, None, 1, 0, False, None, None, servers)


def found(instance: Instance, offered: Service, **settings: str) -> tuple[Amiss, ...]:
    reading = Reading((instance,), services=(offered,))
    source = "192.0.2.82" if instance.source else None
    other = Reading((replace(instance, source=source),), services=(offered,))
    return amiss(derive({"lb1": reading, "lb2": other}, settings))


def inner(*vips: Vip) -> Instance:
    return replace(INSTANCE, vips=(*INSTANCE.vips, *vips))


NEAR = service("DR", "192.0.2.81", "192.0.2.82")
FAR = service("NAT", "10.9.0.81", "10.9.0.82")
AMISS = {
    "NAT on one LAN": (INSTANCE, service("NAT", "192.0.2.81")),
    "no floating inner address for NAT": (INSTANCE, FAR),
    "real server outside the LAN": (INSTANCE, service("DR", "192.0.2.81", "192.0.3.82")),
    "director and real server in one": (replace(INSTANCE, source="192.0.2.81"), NEAR),
    "VIP on a device that announces nothing": (replace(INSTANCE, vips=(Vip(VIP, 32, "tunl0"),)), NEAR),
}


@pytest.mark.parametrize("name", AMISS)
def test_what_is_amiss_is_told_once_and_alone(name: str) -> None:
    assert [each.name for each in found(*AMISS[name])] == [name]


@pytest.mark.parametrize(
    ("instance", "offered"),
    [
        (INSTANCE, NEAR),
        (inner(Vip("10.9.0.1", 24, "eth1")), FAR),
        (INSTANCE, service("TUN", "192.0.2.81", "198.51.100.82")),
        (INSTANCE, service("DR", "10.9.0.81", "10.9.0.82")),
    ],
    ids=["DR", "NAT with an inner VIP", "TUN", "DR by another LAN of the directors"],
)
def test_nothing_is_amiss_where_all_is_well(instance: Instance, offered: Service) -> None:
    assert found(instance, offered) == ()


@pytest.mark.parametrize(
    "offered",
    [
        service("DR", "192.0.2.81", "192.0.2.83"),
        service("NAT", "192.0.2.81", "192.0.2.82"),
        replace(NEAR, mark=1, name="FWM 1", listeners=()),
    ],
    ids=["one is a real server alone", "NAT", "by a mark"],
)
def test_directors_that_are_real_servers_need_not_loop(offered: Service) -> None:
    told = [each.name for each in found(replace(INSTANCE, source="192.0.2.81"), offered)]
    assert "director and real server in one" not in told


@pytest.mark.parametrize(("prefix", "told"), [(64, 1), (128, 0)])
def test_an_ipv6_vip_with_the_prefix_of_the_lan_is_told(prefix: int, told: int) -> None:
    vip = "2001:db8:1::80"
    checker = Checker("TCP_CHECK", None, 80, 2.0, 3.0, 3.0, 1, 1.0)
    servers = (RealServer("2001:db8:1::81", 80, 1, "DR", (checker,)),)
    offered = replace(NEAR, name=f"{vip}:80", listeners=((vip, 80),), real_servers=servers)

    held = replace(INSTANCE, version=3, vips=(Vip(vip, prefix, "eth0"),))

    assert [each.name for each in found(held, offered)] == ["IPv6 VIP that the director speaks from"] * told


def test_clients_behind_a_router_are_answered_through_the_director() -> None:
    assert found(*AMISS["NAT on one LAN"], client="router") == ()


OUTER = INSTANCE
INNER = replace(INSTANCE, name="GW", interface="eth1", vrid=61, vips=(Vip("10.9.0.1", 24, "eth1"),))


@pytest.mark.parametrize(
    ("outer", "gateway", "told"),
    [
        (OUTER, INNER, True),
        (replace(OUTER, interfaces=(("eth1", 0),)), INNER, True),
        (replace(OUTER, interfaces=(("eth1", 0),)), replace(INNER, interfaces=(("eth0", 0),)), False),
        (replace(OUTER, sync_group="G"), replace(INNER, sync_group="G"), False),
        (replace(OUTER, sync_group="G"), replace(INNER, sync_group="H"), True),
        (OUTER, replace(INNER, interface="eth0", vips=(Vip("10.9.0.1", 24, "eth1"),)), False),
    ],
    ids=["alone", "one tracks the other", "each tracks the other", "one group", "two groups", "one interface"],
)
def test_nat_needs_its_vip_and_its_gateway_on_one_director(outer: Instance, gateway: Instance, told: bool) -> None:
    reading = Reading((outer, gateway), services=(FAR,))
    found = amiss(derive({"lb1": reading, "lb2": reading}, {}))
    assert [each.name for each in found] == ["NAT legs that fail over apart"] * told
