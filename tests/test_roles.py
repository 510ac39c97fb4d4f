"""Roles under stock Mininet, which calls them as it calls any class of hosts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NewType

import mininet.node
import pytest
from mininet.net import Mininet
from mininet.topo import Topo

from harness.daemons import ipvsadm, ldirectord
from harness.errors import HarnessError
from harness.lab.plan import plan
from harness.nodes import NODES, DirectorNode, node_of
from harness.topology import (
    Client,
    Director,
    DirectorAndRealServer,
    HttpGet,
    LocalService,
    MailServer,
    PhantomRouter,
    RealServer,
    Router,
    SyncGroup,
    TcpCheck,
    UdpCheck,
    VirtualService,
    VrrpInstance,
)  # fmt: skip
from harness.topology.machines import Role
from harness.topology.roles import KINDS, kind_of, role_of
from harness.topology.services import Destination
from topologies.director_pair import VIP, DirectorPair


class Host:
    """Stands for Mininet's, which starts a shell as root."""

    def __init__(self, name: str, **options: Any) -> None:
        self.name, self.options = name, options


@pytest.mark.parametrize("role", [Director, RealServer, Client])
def test_stock_mininet_gets_an_ordinary_host(role: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """``Mininet.addHost`` passes the name first and an address always, the options of the
    topology beside them.
    """
    monkeypatch.setattr(mininet.node, "Host", Host)
    net = Mininet.__new__(Mininet)
    net.__dict__.update(
        nextIP=1,
        ipBaseNum=10 << 24,
        prefixLen=8,
        autoSetMacs=False,
        autoPinCpus=False,
        hosts=[],
        nameToNode={},
    )
    for name, options in DirectorPair().g.nodes(data=True):
        if options.get("cls") is role:
            host = net.addHost(name, **options)
            assert isinstance(host, Host)
            assert host.name == name
            assert set(host.options) == {"ip"}
            assert host.options["ip"].startswith("172.16.10.")


def test_stock_mininet_loads_the_topology(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Mininet, "inited", True
    )  # else it wants root, though it is to build nothing
    topo = DirectorPair()
    assert Mininet(topo=topo, build=False).topo is topo


def test_a_role_is_itself_for_the_harness() -> None:
    web = VirtualService(VIP)
    vrrp = VrrpInstance(vrid=51, vip=VIP)
    assert role_of("a", {"cls": Director, "vrrp": vrrp, "services": [web]}) == Director(
        vrrp=vrrp, services=[web]
    )
    assert role_of("a", {"cls": RealServer, "serves": [web]}) == RealServer(serves=[web])


def test_instances_are_a_tuple_of_any_length() -> None:
    one, other = VrrpInstance(vrid=51, vip=VIP), VrrpInstance(vrid=52, vip=VIP, name="VI_2")
    assert Director(vrrp=one).instances == (one,)
    assert Director(vrrp=(one, other)).instances == (one, other)
    assert Director().instances == ()


@pytest.mark.parametrize("cls", [None, "Director", dict])
def test_a_machine_without_a_role_is_refused(cls: object) -> None:
    with pytest.raises(HarnessError, match="web1: say what it is for"):
        role_of("web1", {"cls": cls})


class EdgeDirector(Director):
    """A role of the user's own."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_role_of_the_users_own_plays_what_it_is_derived_from(kind: type[Role]) -> None:
    own = type("Own", (type("Between", (kind,), {}),), {})
    assert kind_of(own) is kind_of(kind) is kind
    assert kind in NODES


def test_a_derived_director_is_a_director() -> None:
    topo = Topo()
    lan = topo.addSwitch("lan", subnet="172.16.10.0/24")
    topo.addLink(lan, topo.addHost("lb1", cls=EdgeDirector, ip="172.16.10.11/24"))
    made = plan(topo)
    node = node_of(made.hosts[0], made)
    assert isinstance(node, DirectorNode)
    assert [daemon.name for daemon in node.daemons] == ["keepalived"]
    with pytest.raises(HarnessError, match="lb1 is planned, and no cluster with it is there"):
        node.said("anything")


@pytest.mark.parametrize(
    ("bases", "told"),
    [
        (
            (Director, RealServer),
            "lb1: Both is both Director and RealServer: derive it from DirectorAndRealServer",
        ),
        (
            (RealServer, Client),
            "lb1: Both is both RealServer and Client: derive it from RealServer alone:"
            " node.fetch(...) sends requests from any machine",
        ),
        (
            (Director, Router),
            "lb1: Both is both Director and Router: derive it from Director alone: with"
            " sysctl={'net.ipv4.ip_forward': 1} it passes packets on",
        ),
        (
            (MailServer, PhantomRouter),
            "lb1: Both is both MailServer and PhantomRouter: make two machines of it",
        ),
        ((Role,), "lb1: Both is derived from none of the roles Client, Director, "),
    ],
)
def test_a_role_derived_from_two_that_contradict_each_other_is_refused(
    bases: tuple[type, ...], told: str
) -> None:
    with pytest.raises(HarnessError) as refused:
        role_of("lb1", {"cls": type("Both", bases, {})})
    assert str(refused.value).startswith(told)


def test_an_unknown_option_is_named_beside_those_there_are() -> None:
    with pytest.raises(
        HarnessError, match=r"web1: a RealServer has no option vips; it takes .*serves, .*page"
    ):
        role_of("web1", {"cls": RealServer, "vips": [VIP]})


@pytest.mark.parametrize(
    ("role", "options", "message"),
    [
        (
            Director,
            {"sysctl": {"kernel.panic": 1}},
            "Director: sysctl must name settings such as net.ipv4.ip_forward",
        ),
        (Director, {"sysctl": {"net.ipv4/../../kernel": 1}}, "Director: sysctl must name settings"),
        (
            Client,
            {"sysctl": {"net.ipv4.ip_forward": 1 << 40}},
            "Client: sysctl net.ipv4.ip_forward must be a number",
        ),
        (Client, {"sources": ("here",)}, "Client: sources must be an address"),
        (RealServer, {"workers": 0}, "RealServer: workers must be"),
    ],
)
def test_a_wrong_option_is_named(role: type, options: dict[str, Any], message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        role_of("web1", {"cls": role, **options})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"config": {"director2": "lb2.conf"}}, "config must be of type Path | str | None, not {"),
        ({"config": b"lb1.conf"}, "config must be of type Path | str | None, not b'lb1.conf'"),
        ({"vrrp": 51}, "vrrp must be of type VrrpInstance | tuple[VrrpInstance, ...], not 51"),
        ({"services": VirtualService(VIP)}, "services must be of type tuple[VirtualService, ...]"),
        ({"firewall": "-P INPUT DROP"}, "firewall must be of type tuple[str, ...], not '-P INPUT"),
        ({"lvs_timeouts": (1, 2)}, "lvs_timeouts must be of type tuple[int, int, int] | None"),
        ({"pauses": {"script": "1"}}, "pauses must be of type Mapping[str, float], not {"),
        ({"notify_fifo": "/tmp/fifo"}, "notify_fifo must be of type bool, not '/tmp/fifo'"),
    ],
)
def test_an_option_of_another_type_is_named(options: dict[str, Any], told: str) -> None:
    with pytest.raises(HarnessError, match=re.escape(f"Director: {told}")):
        Director(**options)


def test_a_list_will_do_for_a_tuple_and_a_whole_number_for_any() -> None:
    Director(firewall=["-P FORWARD DROP"], pauses={"script": 1})  # type: ignore[arg-type]


def test_a_role_that_declares_what_is_not_there_when_it_runs_is_taken() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Own(Client):
        near: Nothing = None  # type: ignore[name-defined]  # noqa: F821

    assert Own(near=3).near == 3


Ident = NewType("Ident", str)


def test_a_role_of_ones_own_may_declare_whatever_python_knows() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Own(Client):
        ident: Ident
        groups: frozenset[str]
        numbers: dict  # type: ignore[type-arg]

    Own(ident=Ident("a"), groups=frozenset({"b"}), numbers={"c": 1})

    with pytest.raises(HarnessError, match="Own: groups must be of type "):
        Own(ident=Ident("a"), groups="b", numbers={})  # type: ignore[arg-type]


def test_both_at_once_is_director_and_real_server() -> None:
    web = VirtualService(VIP)
    both = role_of("a", {"cls": DirectorAndRealServer, "services": [web], "serves": [web]})
    assert isinstance(both, Director)
    assert isinstance(both, RealServer)


def test_roles_that_contradict_each_other_are_refused() -> None:
    web, other = VirtualService(VIP), VirtualService(VIP, port=8080)
    with pytest.raises(
        HarnessError,
        match=r"it serves TCP 172\.16\.10\.50:8080, which is not one of its own services",
    ):
        DirectorAndRealServer(services=[web], serves=[other])
    proxy = LocalService(port=8080)
    with pytest.raises(HarnessError, match="its httpd serves as a real server's"):
        DirectorAndRealServer(services=[web], serves=[web], local={"chk": (proxy,)})


PLAIN = VrrpInstance(vrid=51, vip=VIP)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (
            lambda: Director(vrrp=PLAIN, holds=(VIP,)),
            "it holds 172.16.10.50 whatever VRRP says, and a VRRP instance has it as its VIP",
        ),
        (
            lambda: RealServer(serves=[VirtualService(VIP)], sorry_for=[VirtualService(VIP)]),
            "it serves TCP 172.16.10.50:80 and is its sorry server",
        ),
        (
            lambda: Director(vrrp=(PLAIN, VrrpInstance(vrid=51, vip=VIP, name="VI_2"))),
            "VRID 51 on eth0 is defined twice on one director",
        ),
        (
            lambda: Director(vrrp=(PLAIN, VrrpInstance(vrid=52, vip=VIP))),
            "VRRP instance VI_1 is defined twice on one director",
        ),
        (
            lambda: Director(services=[VirtualService(VIP), VirtualService(VIP, scheduler="lc")]),
            "virtual service TCP 172.16.10.50:80 is defined twice on one director",
        ),
        (
            lambda: Director(vrrp=PLAIN, sync_groups=(SyncGroup(name="G", members=("A", "B")),)),
            "sync group G: its member A is no VRRP instance of this director; it has VI_1",
        ),
    ],
)
def test_parts_that_contradict_each_other_are_refused(
    make: Callable[[], Role], complaint: str
) -> None:
    """Before anything starts: when the topology says so, with its file and line."""
    with pytest.raises(HarnessError, match=re.escape(complaint)):
        make()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            {"by": "hand"},
            "Director: by must be one of keepalived, frr, ldirectord, ipvsadm, program, not 'hand'",
        ),
        (
            {"by": "ipvsadm", "vrrp": VrrpInstance(vrid=51, vip=VIP)},
            "vrrp= is keepalived's, and its table is made by",
        ),
        (
            {"by": "ldirectord", "config": "a.conf"},
            "config= is keepalived's, and its table is made by ldirectord",
        ),
        (
            {"by": "ipvsadm", "sync_daemon": True},
            "sync_daemon= is keepalived's, and its table is made by ipvsadm",
        ),
        (
            {"by": "program", "notify_fifo": True},
            "notify_fifo= is keepalived's, and its table is made by a program",
        ),
        (
            {"by": "program", "services": [VirtualService(VIP)]},
            'by="program" says that one of its programs makes its table, and it has none',
        ),
        (
            {"by": "ipvsadm", "services": [VirtualService(VIP, check=TcpCheck())]},
            "ipvsadm checks nothing",
        ),
    ],
)
def test_what_makes_the_table_takes_no_more_than_it_can(
    options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(HarnessError, match=complaint):
        Director(**options)


def test_ldirectord_is_told_what_it_can_check() -> None:
    web = VirtualService(VIP, method="TUN", check=HttpGet(path="/health", connect_timeout=3))
    text = ldirectord.render([(web, [Destination("172.16.10.21", 80, 2)])])
    assert "checktimeout=3\n" in text
    assert "virtual=172.16.10.50:80\n\treal=172.16.10.21:80 ipip 2\n" in text
    assert '\trequest="/health"\n' in text
    with pytest.raises(
        HarnessError, match="ldirectord has HttpGet, TcpCheck and PingCheck here, not UdpCheck"
    ):
        ldirectord.render([(VirtualService(VIP, check=UdpCheck()), [])])


def test_a_table_is_made_by_the_words_of_ipvsadm() -> None:
    web = VirtualService(VIP, method="NAT", scheduler="wrr", persistence_timeout=60)
    assert ipvsadm.table(web, {web.name: [Destination("172.16.10.21", 8080, 3)]}) == [
        ["-A", "-t", "172.16.10.50:80", "-s", "wrr", "-p", "60"],
        ["-a", "-t", "172.16.10.50:80", "-r", "172.16.10.21:8080", "-m", "-w", "3"],
    ]
    flagged = VirtualService(VIP, scheduler="mh", flags=("mh-port",))
    assert ipvsadm.scheduler(flagged) == ["-s", "mh", "-b", "mh-port"]
    with pytest.raises(HarnessError, match="ldirectord has nothing like flags= and ops="):
        ldirectord.render([(flagged, [])])
