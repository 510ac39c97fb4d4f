"""Ways: what cannot work by the addresses alone is told by name, and only that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.check.deriving import derive
from harness.check.facts import Reading
from harness.check.ways import Amiss, amiss
from harness.topology.checks import TcpCheck
from harness.topology.services import Destination, VirtualService
from harness.topology.tracking import TrackedInterface
from harness.topology.vrrp import SyncGroup, Vip, VrrpInstance

VIP = "192.0.2.80"
INSTANCE = VrrpInstance(name="V", vrid=60, vip=VIP, priority=120)


def service(method: str, *addresses: str) -> VirtualService:
    servers = tuple(Destination(address, 80, method=method) for address in addresses)
    return VirtualService(VIP, method=method, real_servers=servers)


def found(instance: VrrpInstance, offered: VirtualService, **settings: str) -> tuple[Amiss, ...]:
    reading = Reading((instance,), services=(offered,))
    source = "192.0.2.82" if instance.source else None
    other = Reading((replace(instance, source=source),), services=(offered,))
    return amiss(derive({"lb1": reading, "lb2": other}, settings))


def inner(*vips: Vip) -> VrrpInstance:
    return INSTANCE.with_vips([*INSTANCE.advertised, *vips])


NEAR = service("DR", "192.0.2.81", "192.0.2.82")
FAR = service("NAT", "10.9.0.81", "10.9.0.82")
AMISS = {
    "NAT on one LAN": (INSTANCE, service("NAT", "192.0.2.81")),
    "no floating inner address for NAT": (INSTANCE, FAR),
    "real server outside the LAN": (INSTANCE, service("DR", "192.0.2.81", "192.0.3.82")),
    "director and real server in one": (replace(INSTANCE, source="192.0.2.81"), NEAR),
    "VIP on a device that announces nothing": (INSTANCE.with_vips([Vip(VIP, 32, "tunl0")]), NEAR),
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
def test_nothing_is_amiss_where_all_is_well(
    instance: VrrpInstance, offered: VirtualService
) -> None:
    assert found(instance, offered) == ()


@pytest.mark.parametrize(
    "offered",
    [
        service("DR", "192.0.2.81", "192.0.2.83"),
        service("NAT", "192.0.2.81", "192.0.2.82"),
        replace(NEAR, fwmark=1, vip=""),
    ],
    ids=["one is a real server alone", "NAT", "by a mark"],
)
def test_directors_that_are_real_servers_need_not_loop(offered: VirtualService) -> None:
    told = [each.name for each in found(replace(INSTANCE, source="192.0.2.81"), offered)]
    assert "director and real server in one" not in told


@pytest.mark.parametrize(("prefix", "told"), [(64, 1), (128, 0)])
def test_an_ipv6_vip_with_the_prefix_of_the_lan_is_told(prefix: int, told: int) -> None:
    vip = "2001:db8:1::80"
    servers = (Destination("2001:db8:1::81", 80, method="DR", checks=(TcpCheck(),)),)
    offered = replace(NEAR, vip=vip, real_servers=servers)

    held = replace(INSTANCE, version=3).with_vips([Vip(vip, prefix, "eth0")])

    assert [each.name for each in found(held, offered)] == [
        "IPv6 VIP that the director speaks from"
    ] * told


@pytest.mark.parametrize(("vip", "told"), [(Vip(VIP, 24, "lo"), 1), (Vip(VIP, 32, "lo"), 0)])
def test_a_vip_on_the_loopback_device_with_the_prefix_of_the_lan_is_told(
    vip: Vip, told: int
) -> None:
    names = [each.name for each in found(INSTANCE.with_vips([vip]), NEAR)]

    assert names.count("VIP that makes its subnet local") == told


def test_clients_behind_a_router_are_answered_through_the_director() -> None:
    assert found(*AMISS["NAT on one LAN"], client="router") == ()


OUTER = INSTANCE
INNER = VrrpInstance(
    name="GW", interface="eth1", vrid=61, vip="10.9.0.1", vip_prefix=24, priority=120
)


def tracking(instance: VrrpInstance, interface: str) -> VrrpInstance:
    return replace(instance, track_interfaces=(TrackedInterface(name=interface),))


def groups(*groups: tuple[str, ...]) -> tuple[SyncGroup, ...]:
    return tuple(SyncGroup(name="".join(members), members=members) for members in groups)


@pytest.mark.parametrize(
    ("outer", "gateway", "groups", "told"),
    [
        (OUTER, INNER, (), True),
        (tracking(OUTER, "eth1"), INNER, (), True),
        (tracking(OUTER, "eth1"), tracking(INNER, "eth0"), (), False),
        (OUTER, INNER, groups(("V", "GW")), False),
        (OUTER, INNER, groups(("V",), ("GW",)), True),
        (OUTER, replace(INNER, interface="eth0", elsewhere=(("10.9.0.1", "eth1"),)), (), False),
    ],
    ids=[
        "alone",
        "one tracks the other",
        "each tracks the other",
        "one group",
        "two groups",
        "one interface",
    ],
)
def test_nat_needs_its_vip_and_its_gateway_on_one_director(
    outer: VrrpInstance, gateway: VrrpInstance, groups: tuple[SyncGroup, ...], told: bool
) -> None:
    reading = Reading((outer, gateway), services=(FAR,), sync_groups=groups)
    found = amiss(derive({"lb1": reading, "lb2": reading}, {}))
    assert [each.name for each in found] == ["NAT legs that fail over apart"] * told
