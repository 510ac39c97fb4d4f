"""What keepalived dumps of its configuration is read back whole; the dumps are those of keepalived 2.2.7."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.behaviours.tracked import bad
from harness.check import dump, model
from harness.check.facts import Reading, Script, TrackFile, Url, Vip

DUMPS = Path(__file__).parent / "dumps"


def reading(name: str) -> Reading:
    text = (DUMPS / f"{name}.txt").read_text()
    return dump.parse(text, text)


def test_instances() -> None:
    outside, inside = reading("sync_group").instances

    assert (outside.name, outside.interface, outside.vrid, outside.version) == ("outside", "eth0", 51, 3)
    assert (outside.priority, outside.advert_int, outside.preempt) == (150, 0.5, True)
    assert (outside.source, outside.peers) == ("192.168.200.2", ("192.168.200.3",))
    assert list(map(str, outside.vips)) == ["192.168.200.100/24 dev eth0", "192.168.200.101/24 dev eth0"]
    assert (inside.advert_int, inside.preempt, inside.garp_delay, inside.sync_group) == (1, False, 2, "G1")
    assert inside.source is None, "what the interface happens to have is not what the configuration says"


def test_what_an_instance_tracks() -> None:
    (instance,) = reading("tracking").instances
    (script,) = reading("tracking").scripts

    assert instance.scripts == (("chk_web", -20),)
    assert instance.interfaces == (("eth1", -30),)
    assert [vip.address for vip in instance.excluded_vips] == ["192.168.200.111"]
    assert script == Script(
        "chk_web", "/usr/bin/test '!' -e /etc/keepalived/down", interval=2, timeout=3, weight=-20, rise=3, fall=2
    )


def test_services_and_their_real_servers() -> None:
    (service,) = reading("sync_group").services

    assert (service.listeners, service.protocol, service.scheduler, service.method) == (
        (("192.168.200.100", 80),), "TCP", "wlc", "DR",
    )  # fmt: skip
    assert (service.delay_loop, service.quorum, service.hysteresis, service.inhibit) == (6, 2, 1, True)
    assert service.sorry_server == ("192.168.200.50", 80)
    assert [(server.address, server.weight) for server in service.real_servers] == [
        ("192.168.200.21", 3), ("192.168.200.22", 1), ("192.168.200.23", 1),
    ]  # fmt: skip


def test_checkers() -> None:
    (service,) = reading("sync_group").services
    (http,), (misc,), (tcp, dns) = (server.checkers for server in service.real_servers)

    assert (http.kind, http.timeout, http.retries, http.delay_before_retry) == ("HTTP_GET", 2, 2, 3)
    assert http.urls == (Url("/healthz", ("204",), None, "www.example.org"),)
    assert (misc.kind, misc.details["script"]) == ("MISC_CHECK", "'/usr/bin/true'")
    assert (tcp.kind, tcp.port, tcp.timeout) == ("TCP_CHECK", 8080, 1)
    assert (dns.kind, dns.details["Name"], dns.delay_before_retry) == ("DNS_CHECK", "www.example.org", 6)


def test_groups_and_marks() -> None:
    group, mark = reading("tracking").services

    assert group.name == "group VG"
    assert group.listeners[:3] == (("192.168.200.100", 80), ("192.168.200.100", 443), ("192.168.200.120", 80))
    assert len(group.listeners) == 8
    assert (group.method, group.persistence) == ("TUN", 50)
    assert [checker.kind for checker in group.real_servers[0].checkers] == ["SMTP_CHECK"]
    assert (mark.mark, mark.listeners, mark.method) == (7, (), "NAT")


@pytest.mark.parametrize("title", ["Virtual IP (2):", "Virtual IP :"], ids=["2.2 and newer", "2.1.5"])
@pytest.mark.parametrize("device", ["vrrp.1@eth0", "vrrp.1"], ids=["2.2 and newer", "2.1.5"])
def test_with_use_vmac_the_vips_of_the_interface_are_on_the_virtual_one(title: str, device: str) -> None:
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
    assert one.vips == (Vip("10.1.0.254", 32, "eth0"), Vip("10.1.0.253", 32, "eth1"))
    assert model.instance(one, Reading()).elsewhere == (("10.1.0.254", "vrrp.1"), ("10.1.0.253", "eth1"))


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
    made = model.instance(found.instances[0], found)

    assert found.files == (TrackFile("maint", "/etc/keepalived/maint", 0),)
    assert [(each.path, each.weight) for each in made.track_files] == [("/etc/keepalived/maint", -50)]
    assert made.effective_priority() == 120
    assert made.effective_priority(values={made.track_files[0]: bad(made.track_files[0])}) == 70


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

    assert (udp.name, tcp.name) == ("10.0.0.53:53 UDP", "10.0.0.53:53")
    assert [checker.kind for checker in udp.real_servers[0].checkers] == ["DNS_CHECK"]
    assert [checker.kind for checker in tcp.real_servers[0].checkers] == ["TCP_CHECK"]


@pytest.mark.parametrize(
    ("said", "accepts"), [("   Accept = disabled\n", False), ("   Accept = enabled\n", True), ("", True)]
)
def test_names_may_have_spaces_and_a_master_may_accept_nothing(said: str, accepts: bool) -> None:
    text = f"""\
------< VRRP Topology >------
 VRRP Instance = VI (1)
   Interface = eth0
{said}   Tracked scripts (2) :
     check of [red]haproxy[/red] 100% weight -20
     plain, weight 2
"""
    (found,) = dump.parse(text, "").instances

    assert (found.name, found.accepts) == ("VI (1)", accepts)
    assert found.scripts == (("check of [red]haproxy[/red] 100%", -20), ("plain", 2))
