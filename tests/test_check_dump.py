"""What keepalived dumps of its configuration is read back whole; the dumps are those of
keepalived 2.2.7.
"""

from __future__ import annotations

import pytest

from harness.behaviours.tracked import bad
from harness.check import dump, standins
from harness.check.facts import Reading
from harness.topology.checks import DnsCheck, HttpGet, MiscCheck, TcpCheck, Url
from harness.topology.tracking import VrrpScript
from harness.topology.vrrp import Vip
from tests.dumped import DUMPS, reading


def test_instances() -> None:
    outside, inside = reading("sync_group").instances

    assert (outside.name, outside.interface, outside.vrid, outside.version) == (
        "outside",
        "eth0",
        51,
        3,
    )
    assert (outside.priority, outside.advert_int, outside.nopreempt) == (150, 0.5, False)
    assert (outside.source, outside.unicast_peers) == ("192.168.200.2", ("192.168.200.3",))
    assert list(map(str, outside.advertised)) == [
        "192.168.200.100/24 dev eth0",
        "192.168.200.101/24 dev eth0",
    ]
    assert (inside.advert_int, inside.nopreempt, inside.garp_master_delay) == (1, True, 2)
    assert reading("sync_group").group_of(inside) == "G1"
    assert inside.source is None, (
        "what the interface happens to have is not what the configuration says"
    )


def test_after_how_many_intervals_a_master_is_lost() -> None:
    text = (DUMPS / "sync_group.txt").read_text()
    later = text.replace("Down timer adverts = 3", "Down timer adverts = 5", 1)

    assert [each.down_timer_adverts for each in dump.parse(later, "").instances] == [5, 3]


def test_the_startup_delay() -> None:
    text = "------< Global definitions >------\n vrrp_startup_delay = 2.5\n"

    assert dump.parse(text, "").startup_delay == 2.5
    assert reading("sync_group").startup_delay == 0


def test_what_an_instance_tracks() -> None:
    (instance,) = reading("tracking").instances
    (script,) = reading("tracking").scripts

    assert instance.track_scripts == (script,)
    assert [(each.name, each.weight) for each in instance.track_interfaces] == [("eth1", -30)]
    assert instance.excluded_vips == ("192.168.200.111",)
    runs = "/usr/bin/test '!' -e /etc/keepalived/down"
    assert script == VrrpScript(
        name="chk_web", script=runs, interval=2, timeout=3, weight=-20, rise=3, fall=2
    )


def test_services_and_their_real_servers() -> None:
    (service,) = reading("sync_group").services

    assert (service.endpoints, service.protocol, service.scheduler, service.method) == (
        (("192.168.200.100", 80),),
        "TCP",
        "wlc",
        "DR",
    )
    assert (service.delay_loop, service.quorum, service.hysteresis, service.inhibit_on_failure) == (
        6,
        2,
        1,
        True,
    )
    assert service.sorry_server is not None
    assert service.sorry_server.endpoint == "192.168.200.50:80"
    assert [(server.address, server.weight) for server in service.real_servers] == [
        ("192.168.200.21", 3),
        ("192.168.200.22", 1),
        ("192.168.200.23", 1),
    ]


def test_checkers() -> None:
    (service,) = reading("sync_group").services
    (http,), (misc,), (tcp, dns) = (server.checks for server in service.real_servers)

    assert isinstance(http, HttpGet)
    assert (http.connect_timeout, http.retry, http.delay_before_retry) == (2, 2, 3)
    assert http.urls == (Url("/healthz", ("204",), None, "www.example.org"),)
    assert http.expected == 204
    assert isinstance(misc, MiscCheck)
    assert misc.command == "'/usr/bin/true'"
    assert isinstance(tcp, TcpCheck)
    assert (tcp.port, tcp.connect_timeout) == (8080, 1)
    assert isinstance(dns, DnsCheck)
    assert (dns.name, dns.delay_before_retry) == ("www.example.org", 6)


def test_groups_and_marks() -> None:
    group, mark = reading("tracking").services

    assert group.called == "group VG"
    assert group.endpoints[:3] == (
        ("192.168.200.100", 80),
        ("192.168.200.100", 443),
        ("192.168.200.120", 80),
    )
    assert len(group.endpoints) == 8
    assert (group.method, group.persistence_timeout) == ("TUN", 50)
    assert [checker.keyword for checker in group.real_servers[0].checks] == ["SMTP_CHECK"]
    assert (mark.fwmark, mark.endpoints, mark.method) == (7, (), "NAT")


@pytest.mark.parametrize(
    "title", ["Virtual IP (2):", "Virtual IP :"], ids=["2.2 and newer", "2.1.5"]
)
@pytest.mark.parametrize("device", ["vrrp.1@eth0", "vrrp.1"], ids=["2.2 and newer", "2.1.5"])
def test_with_use_vmac_the_vips_of_the_interface_are_on_the_virtual_one(
    title: str, device: str
) -> None:
    text = f"""\
------< VRRP Topology >------
 VRRP Instance = VI_0
   Interface = vrrp.1, vmac on eth0
   Virtual Router ID = 1
   Advert interval = 1 sec
   Advert interval = 1 sec
   {title}
     10.1.0.254 dev {device} scope global
     10.1.0.253 dev eth1 scope global
"""

    (one,) = dump.parse(text, "").instances

    assert (one.interface, one.vmac) == ("eth0", "vrrp.1")
    assert one.advertised == (Vip("10.1.0.254", 32, "eth0"), Vip("10.1.0.253", 32, "eth1"))
    assert [one.device_of(vip) for vip in one.vips] == ["vrrp.1", "eth1"]


@pytest.mark.parametrize("text", ["", "Starting Keepalived v2.2.7\n", "\0\xff binary\n ------<"])
def test_what_is_no_dump_gives_nothing(text: str) -> None:
    assert dump.parse(text, text) == Reading()


def test_tracked_files_and_bfd() -> None:
    text = """\
------< VRRP Topology >------
 VRRP Instance = V
   Interface = eth0
   Virtual Router ID = 1
   Advert interval = 1 sec
   Virtual IP (1):
     192.0.2.80 dev eth0
   Tracked files :
     maint, weight -50
   Tracked BFDs :
     peer, weight 20
------< VRRP Track files >------
 Track file = maint
   File = /etc/keepalived/maint
   Status = 0
   Weight = -50
"""
    found = dump.parse(text, "")
    (made,) = found.instances

    assert [(each.name, each.value) for each in made.track_files] == [("maint", 0)]
    assert [(each.path, each.weight) for each in made.track_files] == [
        ("/etc/keepalived/maint", -50)
    ]
    assert made.effective_priority() == 120
    assert made.effective_priority(values={made.track_files[0]: bad(made.track_files[0])}) == 70


def test_what_is_tracked_in_reverse() -> None:
    text = """\
------< VRRP Topology >------
 VRRP Instance = V
   Interface = eth0
   Virtual Router ID = 1
   Tracked scripts :
     chk weight 10 reverse
   Tracked interfaces (1) :
     eth1 weight 0 reverse
   Tracked files :
     maint, weight 2 reverse
   Tracked BFDs :
     peer: weight 20 reverse
------< VRRP Scripts >------
 VRRP Script = chk
   Command = '/bin/true'
------< VRRP Track files >------
 Track file = maint
   File = /etc/keepalived/maint
"""
    (made,) = dump.parse(text, "").instances

    (file,) = made.track_files
    assert [(each.name, each.weight, each.reverse) for each in made.tracked] == [
        ("chk", 10, True),
        ("eth1", 0, True),
        ("peer", 20, True),
    ]
    assert (file.name, file.weight, file.reverse) == ("maint", 2, True)


def test_the_method_that_all_real_servers_have_is_the_services() -> None:
    text = """------< Virtual server >------
 VS VIP = 10.0.0.53, VPORT = 80
   default forwarding method = DR
   sorry server = [10.0.0.30]:tcp:80
     forwarding method = DR
     Inhibit on failure is ON
   ------< Real server >------
   RIP = 10.0.0.11, RPORT = 80, WEIGHT = 1
   forwarding method = TUN, type = IPIP
   ------< Real server >------
   RIP = 10.0.0.12, RPORT = 80, WEIGHT = 1
   forwarding method = {second}
"""
    (same,) = dump.parse("", text.replace("{second}", "TUN, type = IPIP")).services
    (mixed,) = dump.parse("", text.replace("{second}", "DR")).services

    assert (same.method, same.sorry_inhibit) == ("TUN", True)
    assert standins.why_not(same) is None
    assert mixed.method == "DR"
    assert standins.why_not(mixed) == (
        "its real servers are forwarded to in different ways: DR, TUN"
    )


def test_a_service_of_each_protocol_at_one_port_has_checkers_of_its_own() -> None:
    text = """\
------< Virtual server >------
 VS VIP = 10.0.0.53, VPORT = 53
   protocol = UDP
   Real server
   RIP = 10.0.0.11, RPORT = 53, WEIGHT = 1
 VS VIP = 10.0.0.53, VPORT = 53
   protocol = TCP
   Real server
   RIP = 10.0.0.11, RPORT = 53, WEIGHT = 1
------< Health checkers >------
 [10.0.0.53]:udp:53 -> [10.0.0.11]:udp:53
   Keepalive method = DNS_CHECK
 [10.0.0.53]:tcp:53 -> [10.0.0.11]:tcp:53
   Keepalive method = TCP_CHECK
"""
    udp, tcp = dump.parse("", text).services

    assert (udp.called, tcp.called) == ("10.0.0.53:53 UDP", "10.0.0.53:53")
    assert [checker.keyword for checker in udp.real_servers[0].checks] == ["DNS_CHECK"]
    assert [checker.keyword for checker in tcp.real_servers[0].checks] == ["TCP_CHECK"]


@pytest.mark.parametrize(
    ("said", "accepts"),
    [("   Accept = disabled\n", False), ("   Accept = enabled\n", True), ("", True)],
)
def test_names_may_have_spaces_and_a_master_may_accept_nothing(said: str, accepts: bool) -> None:
    text = f"""\
------< VRRP Topology >------
 VRRP Instance = VI (1)
   Interface = eth0
{said}   Tracked interfaces (2) :
     check of [red]haproxy[/red] 100% weight -20
     plain, weight 2
"""
    (found,) = dump.parse(text, "").instances

    assert (found.name, found.accepts) == ("VI (1)", accepts)
    known = [(each.name, each.weight) for each in found.track_interfaces]
    assert known == [("check of [red]haproxy[/red] 100%", -20), ("plain", 2)]
