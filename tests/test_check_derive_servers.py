"""Real servers, stand-ins and scripts of the cluster that configurations need: what they serve,
where they are a director as well, and what is left out.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.check import standins, ways
from harness.check.deriving import derive
from harness.check.facts import Reading
from harness.errors import HarnessError
from harness.topology.checks import HttpGet, NetworkCheck, OtherCheck, SmtpCheck, TcpCheck, UdpCheck
from harness.topology.services import Destination, VirtualService
from harness.topology.tracking import VrrpScript
from tests.derived import FIRST, GROUP, PAIR, SERVICE, TRACKING, assumed


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


def test_a_program_that_is_not_there_is_assumed_to_succeed() -> None:
    layout = derive({"lb1": replace(TRACKING, programs=("/opt/probe",))})

    assert assumed(layout)["script./opt/probe"] == "exit 0"


@pytest.mark.parametrize(("programs", "runs"), [((), 1), (("/usr/bin/nc",), 0)])
def test_a_stand_in_for_a_missing_program_looks_for_nothing(
    programs: tuple[str, ...], runs: int
) -> None:
    script = VrrpScript(name="api", script="/usr/bin/nc -z 127.0.0.1 6443", interval=2)
    one = replace(PAIR, services=(), scripts=(script,), programs=programs)

    layout = derive({"lb1": one, "lb2": one})

    assert [len(each.local.get("api", ())) for each in layout.directors] == [runs, runs]
    assert ("local.6443" in assumed(layout)) is bool(runs)


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
