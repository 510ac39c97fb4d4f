"""The LANs and directors of the cluster that configurations need: what they say is kept, what they
do not say is assumed and can be corrected.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network

import pytest

from harness.check import judged
from harness.check.deriving import derive
from harness.check.facts import Reading
from harness.check.layout import Segment
from harness.errors import HarnessError
from harness.topology.checks import TcpCheck
from harness.topology.services import Destination
from harness.topology.vrrp import Vip
from tests.derived import FIRST, GROUP, PAIR, SERVICE, TRACKING, assumed

PEER = replace(
    GROUP,
    instances=(
        replace(GROUP.instances[0], source="192.168.200.3", unicast_peers=("192.168.200.2",)),
    ),
)
SIX = Reading(
    (FIRST, replace(FIRST, name="six").with_vips([Vip("fd00::80", 128, FIRST.interface)]))
)
ALONE = Reading((), services=(SERVICE,))


def test_what_is_said_is_kept() -> None:
    layout = derive({"lb1": GROUP, "lb2": PEER})

    assert {name: str(segment.subnet) for name, segment in layout.segments.items()} == {
        "eth0": "192.168.200.0/24",
        "eth1": "192.168.100.0/24",
    }
    assert [director.addresses["eth0"] for director in layout.directors] == [
        "192.168.200.2",
        "192.168.200.3",
    ]
    assert [(server.address, server.segment) for server in layout.servers] == [
        ("192.168.200.21", "eth0"),
        ("192.168.200.22", "eth0"),
        ("192.168.200.23", "eth0"),
        ("192.168.200.50", "eth0"),
    ]
    assert layout.static_vips == {}


def test_no_address_is_given_twice() -> None:
    layout = derive({"lb1": TRACKING, "lb2": TRACKING})

    own = [address for director in layout.directors for address in director.addresses.values()]
    others = [server.address for server in layout.servers]
    vips = [vip.address for one in TRACKING.instances for vip in one.held]
    everything = [*own, *others, *vips, *layout.client.values(), *layout.static_vips]
    assert len(everything) == len(set(everything))


def with_peers(*peers: str) -> Reading:
    return replace(GROUP, instances=(replace(FIRST, source=None, unicast_peers=peers),))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("192.168.200.8",), ("192.168.200.7",)),
        (("192.168.200.8", "192.168.200.9"), ("192.168.200.7", "192.168.200.9")),
        (("192.168.200.7", "192.168.200.8"), ("192.168.200.7", "192.168.200.8")),
    ],
    ids=["each names the other", "and a third", "one list for both"],
)
def test_directors_are_where_the_others_send_to(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    """They speak from there, without saying so: from another address nobody hears them."""
    layout = derive({"lb1": with_peers(*one), "lb2": with_peers(*other)})

    addresses = [director.addresses[FIRST.interface] for director in layout.directors]
    assert addresses == ["192.168.200.7", "192.168.200.8"]
    assert "lb1.eth0" in assumed(layout)


def test_directors_are_where_the_others_send_to_by_ipv6() -> None:
    def six(peer: str) -> Reading:
        own = replace(FIRST, name="six", source=None, unicast_peers=(peer,))
        return Reading((own.with_vips([Vip("fd00::80", 128, FIRST.interface)]),))

    layout = derive({"lb1": six("fd00::8"), "lb2": six("fd00::7")})

    found = [director.addresses6[FIRST.interface] for director in layout.directors]
    assert found == ["fd00::7", "fd00::8"]


def test_a_director_that_says_where_it_is_takes_no_other_ones_address() -> None:
    """One list serves all three, of whom the first says who of them it is."""

    def six(source: str | None) -> Reading:
        peers = ("fd00::7", "fd00::8", "fd00::9")
        own = replace(FIRST, name="six", source=source, unicast_peers=peers)
        return Reading((own.with_vips([Vip("fd00::80", 128, FIRST.interface)]),))

    layout = derive({"lb1": six("fd00::7"), "lb2": six(None), "lb3": six(None)})

    found = [director.addresses6[FIRST.interface] for director in layout.directors]
    assert found == ["fd00::7", "fd00::8", "fd00::9"]


def test_an_assumption_is_corrected() -> None:
    layout = derive(
        {"lb1": TRACKING, "lb2": TRACKING}, {"eth1": "10.9.0.0/16", "lb1.eth1": "10.9.1.1"}
    )

    assert str(layout.segments["eth1"].subnet) == "10.9.0.0/16"
    assert layout.directors[0].addresses["eth1"] == "10.9.1.1"
    assert not {"eth1", "lb1.eth1"} & assumed(layout).keys()
    assert "lb2.eth1" in assumed(layout)


def test_a_vip_that_no_instance_holds_is_every_directors() -> None:
    layout = derive({"lb1": replace(TRACKING, instances=())})

    assert layout.static_vips["192.168.200.100"] == "eth0"
    assert assumed(layout)["vip.192.168.200.100"] == "eth0"


def test_an_interface_that_another_director_calls_otherwise_is_on_the_same_wire() -> None:
    def on(interface: str) -> Reading:
        one = GROUP.instances[0]
        there = replace(
            one, interface=interface, source=None, unicast_peers=(), track_interfaces=()
        )
        return Reading(
            (there.with_vips([replace(vip, device=interface) for vip in one.advertised]),)
        )

    one, apart, mistaken = (
        derive({"lb1": on("eth0"), "lb2": on("ens3")}),
        derive({"lb1": on("eth0"), "lb2": on("ens3")}, {"lb2.ens3.lan": "ens3"}),
        derive(
            {
                "lb1": replace(
                    on("eth0"),
                    instances=(*on("eth0").instances, replace(on("ens3").instances[0], vrid=9)),
                ),
                "lb2": on("ens3"),
            }
        ),
    )

    assert list(one.segments) == ["eth0"]
    assert one.directors[1].called == {"eth0": "ens3"}
    assert one.directors[1].instances[0].interface == "ens3"
    assert {"lb2.ens3", "lb2.ens3.lan"} <= assumed(one).keys()
    assert list(apart.segments) == ["eth0", "ens3"]
    assert list(mistaken.segments) == ["eth0", "ens3"]


def test_a_lan_has_an_ipv6_subnet_where_a_vip_is_of_one() -> None:
    one = GROUP.instances[0]
    six = replace(one, name="six").with_vips([Vip("2001:db8::80", 128, one.interface)])

    layout = derive({"lb1": Reading((one, six))})

    assert str(layout.segments[one.interface].subnet6) == "2001:db8::/64"
    assert layout.directors[0].addresses6 == {one.interface: "2001:db8::fa"}
    assert [judged.is_judged(each) for each in layout.directors[0].instances] == [True, True]
    assert (f"{one.interface}.6", "2001:db8::/64") in [
        (each.key, each.value) for each in layout.assumptions
    ]


def test_a_small_ipv6_subnet_has_an_address_for_each_and_then_no_more() -> None:
    segment = Segment("eth0", IPv4Network("10.0.0.0/24"), subnet6=IPv6Network("fd00::/125"))

    given = [segment.free6(0xFA) for _ in range(7)]

    assert given[0] == "fd00::3"
    assert sorted(map(str, given)) == [f"fd00::{host}" for host in range(1, 8)]
    with pytest.raises(
        HarnessError, match=r"fd00::/125 has no address left; --set eth0.6=A LARGER SUBNET"
    ):
        segment.free6(1)


def test_checkers_that_are_bound_say_what_address_the_director_has() -> None:
    checker = TcpCheck(port=80, bind="192.168.200.7")
    server = Destination("192.168.200.81", 80, method="DR", checks=(checker,))
    one = replace(GROUP.instances[0], source=None)
    service = replace(SERVICE, vip=one.vips[0], real_servers=(server,))

    layout = derive(
        {"lb1": Reading((one,), services=(service,)), "lb2": Reading((one,), services=(service,))}
    )

    first, second = (director.addresses[one.interface] for director in layout.directors)
    assert first == "192.168.200.7"
    assert second != first


@pytest.mark.parametrize("prefix", [24, 32])
def test_vips_of_two_networks_on_one_interface(prefix: int) -> None:
    far = [Vip("10.9.0.1", 16, "eth0"), *(Vip(f"203.0.113.{n}", 24, "eth0") for n in range(1, 5))]
    vips = [Vip("192.0.2.80", prefix, "eth0")]
    one = replace(PAIR, instances=(PAIR.instances[0].with_vips(vips, far),))

    layout = derive({"lb1": one, "lb2": one})

    assert str(layout.segments["eth0"].subnet) == "192.0.2.0/24"
    assert layout.outside == {vip.address: "eth0" for vip in far}
    assert assumed(layout)["eth0.routed"] == "10.9.0.1, 203.0.113.1, 203.0.113.2 and 2 more"


@pytest.mark.parametrize(
    ("readings", "settings", "message"),
    [
        ({"lb1": GROUP, "lb2": GROUP}, {}, "lb1 and lb2 both have .* 192.168.200.2"),
        (
            {"lb1": GROUP, "lb2": TRACKING},
            {"eth7": "10.0.0.0/8"},
            "eth7: nothing here asks for it; .* eth0",
        ),
        ({"lb1": TRACKING}, {"eth1": "tomorrow"}, "--set eth1=tomorrow: no IPv4 subnet"),
        (
            {"lb1": TRACKING},
            {"eth1": "192.168.0.0/16"},
            "eth1: 192.168.0.0/16 overlaps 192.168.200.0/24 of eth0",
        ),
        (
            {"lb1": TRACKING},
            {"lb1.eth0": "10.0.0.1"},
            r"--set lb1.eth0=10.0.0.1: it is not in 192.168.200.0/24",
        ),
        ({"lb1": TRACKING}, {"mark.7": "443"}, "--set mark.7=443: write it as ADDRESS:PORT"),
        (
            {"lb1": SIX},
            {"eth0.6": "fd00::/127"},
            "--set eth0.6=fd00::/127: no subnet of a LAN: .* from 8 to 126",
        ),
        (
            {"lb1": SIX},
            {"eth0.6": "::/0"},
            "--set eth0.6=::/0: no subnet of a LAN: .* from 8 to 126",
        ),
        ({"lb1": SIX}, {"eth0.6": "tomorrow"}, "--set eth0.6=tomorrow: no IPv6 subnet"),
        ({"lb1": SIX}, {"lb1.eth0.6": "10.0.0.1"}, "--set lb1.eth0.6=10.0.0.1: no IPv6 address"),
        (
            {"lb1": SIX},
            {"lb1.eth0.6": "fd99::1"},
            "--set lb1.eth0.6=fd99::1: it is not in fd00::/64",
        ),
        (
            {"lb1": ALONE},
            {"vip.192.0.2.80": "eth7"},
            "--set vip.192.0.2.80=eth7: no such interface; there are eth0",
        ),
        (
            {"lb1": TRACKING, "lb2": Reading()},
            {},
            "share no VRID, no VIP and no virtual server.* lb2: nothing",
        ),
    ],
)
def test_what_fits_nowhere_is_named(
    readings: dict[str, Reading], settings: dict[str, str], message: str
) -> None:
    with pytest.raises(HarnessError, match=message):
        derive(readings, settings)
