"""The cluster that configurations need: what they say is kept, what they do not say is assumed
and can be corrected.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network

import pytest

from harness.check import judged, standins, ways
from harness.check.deriving import derive
from harness.check.facts import Reading
from harness.check.layout import Layout, Segment
from harness.errors import HarnessError
from harness.topology.checks import HttpGet, NetworkCheck, OtherCheck, SmtpCheck, TcpCheck, UdpCheck
from harness.topology.services import Destination, VirtualService
from harness.topology.tracking import VrrpScript
from harness.topology.vrrp import Vip
from tests.test_check_dump import reading

TRACKING = reading("tracking")
GROUP = reading("sync_group")
PEER = replace(
    GROUP,
    instances=(
        replace(GROUP.instances[0], source="192.168.200.3", unicast_peers=("192.168.200.2",)),
    ),
)

FIRST = GROUP.instances[0]
SIX = Reading(
    (FIRST, replace(FIRST, name="six").with_vips([Vip("fd00::80", 128, FIRST.interface)]))
)
SERVICE = VirtualService("192.0.2.80", delay_loop=3.0)
ALONE = Reading((), services=(SERVICE,))


def assumed(layout: Layout) -> dict[str, str]:
    return {assumption.key: assumption.value for assumption in layout.assumptions}


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


def test_with_nat_the_way_back_is_assumed_and_corrected() -> None:
    natted = replace(
        TRACKING, services=tuple(replace(each, method="NAT") for each in TRACKING.services)
    )

    likely, told = (
        derive({"lb1": natted}),
        derive({"lb1": natted}, {"web1.gateway": "192.168.200.9"}),
    )

    held = {vip.address for one in natted.instances for vip in one.held}
    assert assumed(likely)["web1.gateway"] == likely.servers[0].gateway
    assert likely.servers[0].gateway in held
    assert told.servers[0].gateway == "192.168.200.9"
    assert "web1.gateway" not in assumed(told)


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


def test_what_bears_a_firewall_mark_is_assumed_and_corrected() -> None:
    likely, told = (
        derive({"lb1": TRACKING}),
        derive({"lb1": TRACKING}, {"mark.7": "192.168.200.99:443"}),
    )

    vips = [vip for one in TRACKING.instances for vip in one.vips]
    address, port = likely.directors[0].reading.services[1].endpoints[0]
    assert address in vips
    assert assumed(likely)["mark.7"] == f"{address}:{port}"
    assert told.directors[0].reading.services[1].endpoints == (("192.168.200.99", 443),)
    assert told.static_vips["192.168.200.99"] == "eth0"


def test_what_of_a_group_cannot_be_is_left_out_by_name() -> None:
    group = TRACKING.services[0]
    server = group.real_servers[0].address
    mixed = replace(group, group=(*group.group, (server, 80)), marks=(1, 2))

    layout = derive({"lb1": replace(TRACKING, services=(mixed,))})

    assert layout.directors[0].reading.services[0].endpoints == group.endpoints
    assert layout.left_out == (
        f"service group VG: {server}:80, its real server's own: checks of that are balanced",
        "service group VG: firewall marks beside addresses: 1, 2",
    )


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


def test_a_program_that_is_not_there_is_assumed_to_succeed() -> None:
    layout = derive({"lb1": replace(TRACKING, programs=("/opt/probe",))})

    assert assumed(layout)["script./opt/probe"] == "exit 0"


def test_a_director_that_is_its_only_real_server_has_that_address() -> None:
    def own(address: str) -> Reading:
        service = replace(SERVICE, vip="192.168.200.100", port=3306)
        return replace(
            GROUP,
            instances=GROUP.instances[:1],
            services=(replace(service, real_servers=(server(address),)),),
        )

    def server(address: str) -> Destination:
        return Destination(address, 3306, method="DR")

    first = replace(
        own("192.168.200.11"), instances=(replace(FIRST, source=None, unicast_peers=()),)
    )
    second = replace(own("192.168.200.12"), instances=first.instances)

    layout = derive({"lb1": first, "lb2": second})

    assert [director.addresses["eth0"] for director in layout.directors] == [
        "192.168.200.11",
        "192.168.200.12",
    ]
    assert layout.servers == ()
    assert ways.amiss(layout) == ()


def left_out(*services: VirtualService) -> list[str]:
    reading = Reading((replace(FIRST, source=None, unicast_peers=()),), services=services)
    return list(standins.left_out(derive({"lb1": reading, "lb2": reading})))


def udp(port: int, protocol: str = "UDP") -> VirtualService:
    server = Destination("192.168.200.21", port, method="DR")
    return replace(
        SERVICE, vip="192.168.200.100", port=port, protocol=protocol, real_servers=(server,)
    )


def test_what_stand_ins_cannot_serve_together_is_left_out_by_name() -> None:
    assert left_out(udp(53)) == []
    assert left_out(udp(53), udp(53, protocol="TCP")) == [
        "service 192.168.200.100:53: stand-ins answer DNS at port 53, by TCP as well"
    ]
    assert left_out(udp(1812), udp(1813)) == [
        "service 192.168.200.100:1813 UDP: stand-ins answer UDP at one port, which is 1812"
    ]
    assert left_out(udp(443), udp(443, protocol="TCP")) == [
        "service 192.168.200.100:443 UDP: stand-ins answer HTTP at port 443"
    ]


PAIR = Reading(
    (
        replace(FIRST, source=None, unicast_peers=(), interface="eth0").with_vips(
            [Vip("192.0.2.80", 24, "eth0")]
        ),
    ),
    services=(
        replace(
            SERVICE,
            real_servers=tuple(Destination(f"192.0.2.{n}", 80, method="DR") for n in (81, 82)),
        ),
    ),
)


def test_directors_that_are_real_servers_are_one_machine_each() -> None:
    layout = derive({"lb1": PAIR, "lb2": PAIR}, {"lb1": "web1", "lb2": "192.0.2.82"})

    assert [director.rip for director in layout.directors] == ["192.0.2.81", "192.0.2.82"]
    assert [len(director.serves) for director in layout.directors] == [1, 1]
    assert layout.servers == ()
    assert not {"lb1.eth0", "lb2.eth0"} & assumed(layout).keys()
    assert not standins.why_not_all(layout)
    assert [each.name for each in ways.amiss(layout)] == ["director and real server in one"]


def test_a_director_that_is_one_real_server_leaves_the_others_their_names() -> None:
    layout = derive({"lb1": PAIR, "lb2": PAIR}, {"lb1": "web1"})

    assert [(server.name, server.rip) for server in layout.servers] == [("web2", "192.0.2.82")]
    assert (
        ways.amiss(layout) == ()
    )  # nothing comes back from a machine that is the only one of both kinds


def test_that_a_director_may_be_a_real_server_is_told() -> None:
    whys = [
        each.why
        for each in derive({"lb1": PAIR, "lb2": PAIR}).assumptions
        if each.key == "lb2.eth0"
    ]
    assert whys == ["a free address; or lb2=web2, if it is that real server as well"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"lb1": "web3"},
            r"--set lb1=web3: there is no such real server: web1 \(192.0.2.81\), web2",
        ),
        ({"lb1": "web1", "lb2": "192.0.2.81"}, "another director is that machine already"),
        ({"lb3": "web1"}, "--set lb3: nothing here asks for it"),
    ],
)
def test_a_director_that_is_no_such_real_server_is_told(
    settings: dict[str, str], told: str
) -> None:
    with pytest.raises(HarnessError, match=told):
        derive({"lb1": PAIR, "lb2": PAIR}, settings)


@pytest.mark.parametrize(("programs", "runs"), [((), 1), (("/usr/bin/nc",), 0)])
def test_a_stand_in_for_a_missing_program_looks_for_nothing(
    programs: tuple[str, ...], runs: int
) -> None:
    script = VrrpScript(name="api", script="/usr/bin/nc -z 127.0.0.1 6443", interval=2)
    one = replace(PAIR, services=(), scripts=(script,), programs=programs)

    layout = derive({"lb1": one, "lb2": one})

    assert [len(each.local.get("api", ())) for each in layout.directors] == [runs, runs]
    assert ("local.6443" in assumed(layout)) is bool(runs)


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
    ("checker", "emulated"),
    [
        (TcpCheck(address="192.0.2.90", port=25), True),
        (SmtpCheck(address="10.9.0.1", port=25), True),
        (HttpGet(address="192.0.2.82", port=25), True),  # another real server
        (UdpCheck(address="192.0.2.90", port=25), False),
        (TcpCheck(address="192.0.2.80", port=25), False),  # the VIP
        (TcpCheck(address="127.0.0.1", port=25), False),
        (OtherCheck(kind="BFD_CHECK", address="192.0.2.90"), False),
    ],
)
def test_a_check_of_another_machine_has_one_to_ask(checker: NetworkCheck, emulated: bool) -> None:
    first, second = PAIR.services[0].real_servers
    offered = replace(PAIR.services[0], real_servers=(replace(first, checks=(checker,)), second))
    one = replace(PAIR, services=(offered,))

    layout = derive({"lb1": one, "lb2": one})

    asked = [server for server in layout.servers if server.asked]
    assert [server.rip for server in asked] == [checker.address] * emulated
    assert (standins.why_not_all(layout) == {}) is emulated
    assert (
        offered.real_servers[0].own_checks == ()
    )  # the fault of another is none of the real server's
    for server in asked:
        assert standins.options(server)["mails"] == (25,) * isinstance(checker, SmtpCheck)
