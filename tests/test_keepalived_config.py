"""The text of a keepalived.conf: its order, its content, and that no string of a user's leaves
its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.daemons import ipvsadm, ldirectord
from harness.errors import HarnessError
from harness.frr import config as vrrpd
from harness.keepalived.config import GlobalDefs, render
from harness.topology import Director, PhantomRouter, RealServer
from harness.topology.checks import (
    Check,
    DnsCheck,
    FileCheck,
    HttpGet,
    MiscCheck,
    OtherCheck,
    PingCheck,
    SmtpCheck,
    SslGet,
    TcpCheck,
    UdpCheck,
    Url,
)
from harness.topology.services import Destination, VirtualService
from harness.topology.tracking import TrackedBfd, TrackedFile, VrrpScript, maintenance_switch
from harness.topology.vrrp import VrrpInstance

VIP = "172.16.10.50"
DEFS = GlobalDefs(router_id="director1")
BFD = TrackedBfd(name="uplink", neighbour="10.0.1.1")
INSTANCE = VrrpInstance(vrid=51, vip=VIP, track_scripts=(maintenance_switch(),))
WEB = VirtualService(VIP, check=HttpGet("/health", status=204, connect_timeout=1.5, retry=2))
SERVERS = (Destination("172.16.10.21", 80), Destination("172.16.10.22", 8080, weight=3))


def write(part: object) -> str:
    """The keepalived.conf that has a part in it, in its place."""
    match part:
        case GlobalDefs():
            return render(part, [], [])
        case VrrpInstance():
            return render(DEFS, [part], [])
        case TrackedBfd():
            return render(DEFS, [replace(INSTANCE, track_bfds=(part,))], [])
        case VrrpScript():
            return render(DEFS, [replace(INSTANCE, track_scripts=(part,))], [])
        case VirtualService():
            return render(DEFS, [], [(part, SERVERS)])
        case Check():
            return render(DEFS, [], [(replace(WEB, check=part), SERVERS)])
        case Destination():
            return render(DEFS, [], [(WEB, [part])])
    raise TypeError(f"{part!r} has no place")


def statement(text: str, *path: str) -> str:
    """What stands in the block at ``path``, heads from the outside in, white space folded to
    blanks.
    """
    for head in path:
        opening = re.search(rf"(?m)^( *){re.escape(head)} {{$", text)
        assert opening, f"no block {head} in\n{text}"
        text = text[opening.end() :]
        closing = re.search(rf"(?m)^{opening[1]}}}$", text)
        assert closing, f"{head} is not closed"
        text = text[: closing.start()]
    return " ".join(text.split())


def test_blocks_come_in_the_experiments_order() -> None:
    text = render(DEFS, [INSTANCE], [(WEB, SERVERS)])
    heads = re.findall(r"(?m)^(\S.*) {$", text)
    assert heads == [
        "global_defs",
        "vrrp_script maintenance",
        "vrrp_instance VI_1",
        f"virtual_server {VIP} 80",
    ]


def test_global_definitions_name_the_recipients_but_send_nothing() -> None:
    defs = replace(DEFS, notification_email=("ops@example.org", "on-call@example.org"))
    text = statement(render(defs, [], []), "global_defs")
    assert "notification_email { ops@example.org on-call@example.org }" in text
    assert "router_id director1" in text
    assert "smtp_alert off" in text
    assert "script_user root enable_script_security" in text


def test_timeouts_of_connections() -> None:
    text = statement(render(replace(DEFS, lvs_timeouts=(900, 2, 300)), [], []), "global_defs")
    assert text.endswith("lvs_timeouts tcp 900 tcpfin 2 udp 300")
    text = statement(render(replace(DEFS, startup_delay=4), [], []), "global_defs")
    assert text.endswith("vrrp_startup_delay 4")
    with pytest.raises(HarnessError, match="lvs_timeouts must be"):
        write(replace(DEFS, lvs_timeouts=(900, 0, 300)))


def test_maintenance_switch() -> None:
    text = statement(render(DEFS, [INSTANCE], []), "vrrp_script maintenance")
    assert text == (
        'script "/usr/bin/test ! -e /etc/keepalived/down" interval 1 weight -20 fall 1 rise 1'
    )


def test_instance() -> None:
    text = statement(render(DEFS, [INSTANCE], []), "vrrp_instance VI_1")
    assert text == (
        "state BACKUP interface eth0 virtual_router_id 51 priority 100 advert_int 1 version 2"
        " authentication { auth_type PASS auth_pass lvs-dr }"
        " virtual_ipaddress { 172.16.10.50/32 dev eth0 } track_script { maintenance }"
    )


def test_version_3_has_no_authentication_and_hundredths() -> None:
    instance = replace(INSTANCE, version=3, advert_int=0.25, preempt_delay=2.5, garp_master_delay=3)
    text = statement(render(DEFS, [instance], []), "vrrp_instance VI_1")
    assert (
        "advert_int 0.25 version 3 preempt_delay 2.5 garp_master_delay 3 virtual_ipaddress" in text
    )


def test_every_vip_of_an_instance_is_a_host_address() -> None:
    instance = replace(INSTANCE, vip=(VIP, "172.16.10.51"), interface="eth1", nopreempt=True)
    text = statement(render(DEFS, [instance], []), "vrrp_instance VI_1")
    assert "nopreempt" in text
    assert "virtual_ipaddress { 172.16.10.50/32 dev eth1 172.16.10.51/32 dev eth1 }" in text


def test_virtual_service() -> None:
    service = replace(WEB, scheduler="wrr", delay_loop=0.5, persistence_timeout=50)
    text = render(DEFS, [], [(service, SERVERS)])
    block = statement(text, f"virtual_server {VIP} 80")
    assert block.startswith(
        "delay_loop 0.5 lb_algo wrr lb_kind DR persistence_timeout 50 protocol TCP real_server"
    )
    assert statement(text, f"virtual_server {VIP} 80", "real_server 172.16.10.22 8080") == (
        "weight 3 HTTP_GET { url { path /health status_code 204 } connect_timeout 1.5 retry 2 }"
    )


def test_check_of_another_port_at_its_own_pace() -> None:
    service = replace(WEB, check=HttpGet(port=8081, delay_loop=10, warmup=0))
    text = statement(render(DEFS, [], [(service, SERVERS)]), f"virtual_server {VIP} 80")
    assert "url { path / status_code 200 } connect_port 8081 warmup 0 delay_loop 10 }" in text


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (
            HttpGet(
                digest="0" * 32,
                virtualhost="www.lvs.test",
                more=(Url("/more", 204),),
                fast_recovery=True,
            ),
            f"HTTP_GET"
            f" {{ url {{ path / virtualhost www.lvs.test status_code 200 digest {'0' * 32} }}"
            " url { path /more status_code 204 } fast_recovery }",
        ),
        (SslGet(sni=True), "SSL_GET { url { path / status_code 200 } enable_sni }"),
        (TcpCheck(connect_timeout=0.5), "TCP_CHECK { connect_timeout 0.5 }"),
        (SmtpCheck(helo="director"), "SMTP_CHECK { helo_name director }"),
        (DnsCheck("lvs.test", "A"), "DNS_CHECK { type A name lvs.test }"),
        (
            UdpCheck(payload="00 FF", require_reply=True, reply="00 XX"),
            "UDP_CHECK { payload 00 FF require_reply 00 XX }",
        ),
        (UdpCheck(require_reply=True), "UDP_CHECK { require_reply }"),
        (PingCheck(retry=0), "PING_CHECK { retry 0 }"),
        (
            MiscCheck("/bin/test -e /x", timeout=2, dynamic=True),
            'MISC_CHECK { misc_path "/bin/test -e /x" misc_timeout 2 misc_dynamic }',
        ),
        (FileCheck(TrackedFile(name="drain", path="/drain")), "FILE_CHECK { track_file drain }"),
    ],
)
def test_each_checker(check: Check, text: str) -> None:
    rendered = render(DEFS, [], [(replace(WEB, check=check), SERVERS)])
    assert (
        statement(rendered, f"virtual_server {VIP} 80", "real_server 172.16.10.21 80")
        == f"weight 1 {text}"
    )


def test_file_of_a_check_is_defined() -> None:
    check = FileCheck(TrackedFile(name="drain", path="/drain", weight=0))
    text = statement(render(DEFS, [], [(replace(WEB, check=check), SERVERS)]), "track_file drain")
    assert text == "file /drain weight 0 init_file 0"


def test_several_checks_quorum_and_sorry_server() -> None:
    service = replace(
        WEB,
        check=(TcpCheck(), PingCheck()),
        alpha=True,
        inhibit_on_failure=True,
        quorum=3,
        hysteresis=1,
        quorum_up="/bin/up",
        quorum_down="/bin/down",
    )
    sorry = Destination("172.16.10.30", 80, sorry=True)
    text = render(DEFS, [], [(service, [*SERVERS, sorry])])
    body = statement(text, f"virtual_server {VIP} 80")
    quorum = 'quorum 3 hysteresis 1 quorum_up "/bin/up" quorum_down "/bin/down"'
    assert f"protocol TCP alpha {quorum} real_server" in body
    assert body.endswith("sorry_server 172.16.10.30 80")
    kept = render(DEFS, [], [(replace(service, sorry_inhibit=True), [*SERVERS, sorry])])
    assert statement(kept, f"virtual_server {VIP} 80").endswith(" 80 sorry_server_inhibit")
    assert statement(text, f"virtual_server {VIP} 80", "real_server 172.16.10.21 80") == (
        "weight 1 inhibit_on_failure TCP_CHECK { } PING_CHECK { }"
    )


def test_service_by_firewall_mark_leaves_the_port_to_the_client() -> None:
    service = VirtualService(VIP, fwmark=7, group=((VIP, 443),), weight=(1, 0))
    text = render(DEFS, [], [(service, [Destination("172.16.10.21", 0)])])
    assert statement(text, "virtual_server fwmark 7", "real_server 172.16.10.21") == "weight 1"


def test_group_is_defined_before_the_service_that_is_for_it() -> None:
    service = VirtualService(VIP, group=(("172.16.10.51", 8080),))
    text = render(DEFS, [], [(service, SERVERS)])
    name = "172.16.10.50-80-TCP"
    assert statement(text, f"virtual_server_group {name}") == "172.16.10.50 80 172.16.10.51 8080"
    assert text.index(f"virtual_server_group {name}") < text.index(
        f"virtual_server group {name} {{"
    )


def test_what_a_scheduler_is_told_beside_its_name() -> None:
    flagged = VirtualService(VIP, scheduler="sh", flags=("sh-port", "sh-fallback"))
    assert "lb_algo sh sh-port sh-fallback lb_kind DR" in render(DEFS, [], [(flagged, [])]).replace(
        "\n    ", " "
    )
    single = VirtualService(VIP, 53, protocol="UDP", ops=True)
    assert "lb_algo rr ops lb_kind DR" in render(DEFS, [], [(single, [])]).replace("\n    ", " ")


def test_persistence_of_a_network_of_clients() -> None:
    service = VirtualService(VIP, persistence_timeout=60, persistence_granularity="255.255.255.0")
    text = statement(render(DEFS, [], [(service, SERVERS)]), f"virtual_server {VIP} 80")
    assert "persistence_timeout 60 persistence_granularity 255.255.255.0 protocol TCP" in text


@pytest.mark.parametrize(
    ("service", "names"),
    [
        (VirtualService(VIP), ("TCP 172.16.10.50:80",)),
        (VirtualService("fd00:10::50", port=53, protocol="UDP"), ("UDP [fd00:10::50]:53",)),
        (VirtualService(VIP, group=((VIP, 443),)), ("TCP 172.16.10.50:80", "TCP 172.16.10.50:443")),
        (VirtualService(VIP, group=((VIP, 443),), fwmark=3), ("FWM 3",)),
    ],
)
def test_names_in_the_table(service: VirtualService, names: tuple[str, ...]) -> None:
    assert service.names == names


@pytest.mark.parametrize(
    ("service", "ports"),
    [
        (VirtualService(VIP, port=80), [80]),
        (VirtualService(VIP, port=80, group=((VIP, 8080),)), [80, 8080]),
        (VirtualService(VIP, port=80, method="NAT", real_port=8000), [8000]),
        (VirtualService(VIP, port=80, fwmark=1, group=((VIP, 8080),)), [0]),
    ],
)
def test_every_table_has_its_port_of_the_real_servers(
    service: VirtualService, ports: list[int]
) -> None:
    assert [service.real_port_in(name) for name in service.names] == ports


def test_each_real_server_has_its_weight() -> None:
    assert [VirtualService(VIP, weight=(3, 0)).weight_of(number) for number in (0, 1)] == [3, 0]
    with pytest.raises(HarnessError, match=r"172\.16\.10\.50:80: 2 weights for more real servers"):
        VirtualService(VIP, weight=(3, 0)).weight_of(2)


def test_unchecked_service() -> None:
    text = render(DEFS, [], [(VirtualService(VIP), SERVERS)])
    assert statement(text, f"virtual_server {VIP} 80", "real_server 172.16.10.21 80") == "weight 1"


def test_script_of_two_instances_is_defined_once() -> None:
    script = VrrpScript(name="both", script="/bin/true", interval=3, timeout=2)
    one = replace(INSTANCE, track_scripts=(script,))
    other = replace(one, name="VI_2", vrid=52, vip="172.16.10.52")
    text = render(DEFS, [one, other], [])
    assert text.count("vrrp_script both {") == 1
    assert "interval 3 timeout 2" in statement(text, "vrrp_script both")


@pytest.mark.parametrize(
    ("twin", "message"),
    [
        ({"vrid": 52}, "VRRP instance VI_1"),
        ({"name": "VI_2"}, "VRID 51 on eth0"),
        (
            {"name": "VI_2", "vrid": 52, "track_scripts": (maintenance_switch(weight=-5),)},
            "script maintenance",
        ),
    ],
)
def test_twins_are_refused(twin: dict[str, Any], message: str) -> None:
    with pytest.raises(HarnessError, match=f"{message} is defined twice"):
        render(DEFS, [INSTANCE, replace(INSTANCE, **twin)], [])


def test_virtual_service_twins_are_refused() -> None:
    with pytest.raises(HarnessError, match=f"virtual service TCP {VIP}:80 is defined twice"):
        render(DEFS, [], [(WEB, SERVERS), (replace(WEB, scheduler="lc"), SERVERS)])


@pytest.mark.parametrize(
    "breakout",
    ["a b", "a\nb", "a\n", "a{", "a}", 'a"b', "a'", "a!", "a#b", "$a", "@a", "~a", "", "é"],
)
@pytest.mark.parametrize(
    "make",
    [
        lambda text: replace(DEFS, router_id=text),
        lambda text: replace(DEFS, notification_email=("root@localhost", text)),
        lambda text: replace(DEFS, notification_email_from=text),
        lambda text: replace(DEFS, smtp_server=text),
        lambda text: replace(INSTANCE, name=text),
        lambda text: replace(INSTANCE, interface=text),
        lambda text: replace(INSTANCE, auth_pass=text),
        lambda text: replace(INSTANCE, vip=text),
        lambda text: replace(INSTANCE, state=text),
        lambda text: replace(maintenance_switch(), name=text),
        lambda text: replace(WEB, vip=text),
        lambda text: replace(WEB, scheduler=text),
        lambda text: HttpGet(text),
        lambda text: HttpGet(digest=text),
        lambda text: HttpGet(virtualhost=text),
        lambda text: SmtpCheck(helo=text),
        lambda text: DnsCheck(text),
        lambda text: DnsCheck(type=text),
        lambda text: UdpCheck(payload=text),
        lambda text: UdpCheck(require_reply=True, reply=text),
        lambda text: MiscCheck(text),
        lambda text: replace(WEB, quorum_up=text),
        lambda text: Destination(text, 80),
    ],
)
def test_no_string_can_leave_its_place(make: Callable[[str], object], breakout: str) -> None:
    with pytest.raises(HarnessError):
        write(make(breakout))


@pytest.mark.parametrize(
    "script",
    [
        "test -e /x",
        "/bin/sh -c 'exit 1'",
        '/bin/echo "',
        "/bin/true\n}",
        "/bin/true {",
        "/bin/a && b|c",
        "/bin/a  b",
    ],
)
def test_script_is_a_program_with_plain_arguments(script: str) -> None:
    with pytest.raises(HarnessError, match="VrrpScript chk: script"):
        write(VrrpScript(name="chk", script=script))


@pytest.mark.parametrize(
    ("valid", "change", "message"),
    [
        (INSTANCE, {"vrid": 0}, "VI_1: vrid must be a number from 1 to 255, not 0"),
        (INSTANCE, {"vrid": 256}, "VI_1: vrid"),
        (INSTANCE, {"priority": 256}, "VI_1: priority must be a number from 1 to 255"),
        (INSTANCE, {"priority": 99.5}, "VI_1: priority must be a whole number"),
        (INSTANCE, {"priority": "100"}, "VI_1: priority must be a number"),
        (INSTANCE, {"down_timer_adverts": 0}, "down_timer_adverts must be a number from 1"),
        (INSTANCE, {"advert_int": 0.5}, r"advert_int \(version 2\)"),
        (INSTANCE, {"advert_int": 0, "version": 3}, r"advert_int \(version 3\)"),
        (INSTANCE, {"advert_int": 0.015, "version": 3}, "advert_int in hundredths"),
        (INSTANCE, {"version": 4}, "version must be one of 2, 3"),
        (INSTANCE, {"auth_pass": "ninechars"}, "length of auth_pass"),
        (INSTANCE, {"vip": ()}, "number of VIPs"),
        (INSTANCE, {"vip": "172.16.10.50/32"}, "vip must be an address such as"),
        (INSTANCE, {"nopreempt": True, "state": "MASTER"}, "state with nopreempt"),
        (INSTANCE, {"nopreempt": True, "preempt_delay": 1.0}, "preempt_delay with nopreempt"),
        (INSTANCE, {"garp_master_delay": -1}, "garp_master_delay"),
        (maintenance_switch(), {"weight": -254}, "weight must be a number from -253 to 253"),
        (maintenance_switch(), {"interval": 0.5}, "interval must be a number from 1"),
        (maintenance_switch(), {"fall": 0}, "fall must be"),
        (maintenance_switch(), {"rise": 0}, "rise must be"),
        (maintenance_switch(), {"timeout": 0}, "timeout must be"),
        (
            WEB,
            {"scheduler": "roundrobin"},
            "scheduler must be one of rr, wrr, lc, .* not 'roundrobin'",
        ),
        (WEB, {"flags": ("sh-port",)}, "the scheduler rr has no flags"),
        (
            WEB,
            {"scheduler": "mh", "flags": ("sh-port",)},
            "flags must be one of mh-port, mh-fallback, not",
        ),
        (WEB, {"ops": True}, "with ops: protocol must be one of UDP, not 'TCP'"),
        (WEB, {"method": "dr"}, "method must be one of DR, NAT, TUN"),
        (WEB, {"protocol": "ICMP"}, "protocol must be one of TCP, UDP, SCTP"),
        (WEB, {"port": 0}, "port must be"),
        (WEB, {"delay_loop": 0}, "delay_loop must be"),
        (WEB, {"weight": -1}, "weight must be"),
        (WEB, {"weight": (1, -1)}, "weight must be"),
        (WEB, {"real_port": 8080}, "with a real_port of its own: method must be one of NAT"),
        (WEB, {"group": ((VIP, 0),)}, "a port of the group must be"),
        (WEB, {"group": (("web", 80),)}, "an address of the group must be"),
        (WEB, {"fwmark": 0}, "fwmark must be"),
        (
            WEB,
            {"persistence_granularity": "255.255.255.0"},
            "means nothing without a persistence_timeout",
        ),
        (
            WEB,
            {"persistence_timeout": 9, "persistence_granularity": "24"},
            "persistence_granularity must be a netmask such as 255.255.255.0, not '24'",
        ),
        (WEB, {"persistence_timeout": 0}, "persistence_timeout must be"),
        (WEB, {"quorum": 0}, "quorum must be"),
        (WEB, {"quorum": 2, "hysteresis": 2}, "hysteresis must be"),
        (UdpCheck(), {"reply": "00"}, "reply without require_reply"),
        (
            FileCheck(TrackedFile(name="drain", path="/drain")),
            {"retry": 1},
            "FileCheck: it has neither",
        ),
        (HttpGet(), {"status": 99}, "HttpGet: status must be"),
        (
            HttpGet(),
            {"status": ("200-x",)},
            "HttpGet: each status must be a number or a range such as 200-299",
        ),
        (HttpGet(), {"status": ()}, "HttpGet: number of statuses"),
        (TcpCheck(), {"address": "elsewhere"}, "TcpCheck: address must be an address"),
        (TcpCheck(), {"bind": "172.16.10.11 80"}, "TcpCheck: bind must be an address"),
        (OtherCheck(kind="BFD_CHECK"), {}, "BFD_CHECK: nothing is written for it"),
        (INSTANCE, {"vmac": "vrrp 51"}, "VI_1: vmac must be one word"),
        (INSTANCE, {"accepts": False}, "VI_1: nothing is written for accepts="),
        (
            INSTANCE,
            {"track_bfds": (TrackedBfd(name="peer"),)},
            "TrackedBfd peer: neighbour must be an address",
        ),
        (BFD, {"neighbour": "router"}, "TrackedBfd uplink: neighbour must be an address"),
        (BFD, {"source": "eth0"}, "TrackedBfd uplink: source must be an address"),
        (BFD, {"name": "u" * 32}, "length of name must be a number from 1 to 31"),
        (BFD, {"min_rx": 0}, "TrackedBfd uplink: min_rx must be"),
        (BFD, {"min_tx": 11}, "TrackedBfd uplink: min_tx must be"),
        (BFD, {"idle_tx": 0.5}, "TrackedBfd uplink: idle_tx must be"),
        (BFD, {"multiplier": 11}, "TrackedBfd uplink: multiplier must be"),
        (INSTANCE, {"source": "eth0"}, "VI_1: source must be an address"),
        (
            INSTANCE,
            {"prefixes": ((VIP, 33),)},
            "VI_1: prefix of 172.16.10.50 must be a number from 1 to 32",
        ),
        (INSTANCE, {"elsewhere": ((VIP, "eth1 }"),)}, "VI_1: elsewhere must be one word"),
        (
            WEB,
            {"real_servers": SERVERS},
            "nothing is written for real_servers=: machines that serve it",
        ),
        (WEB, {"ha_suspend": True}, "nothing is written for ha_suspend="),
        (HttpGet(), {"retry": -1}, "HttpGet: retry must be"),
        (HttpGet(), {"connect_timeout": 0}, "HttpGet: connect_timeout must be"),
        (HttpGet(), {"delay_before_retry": -1}, "HttpGet: delay_before_retry must be"),
        (HttpGet(), {"warmup": -1}, "HttpGet: warmup must be"),
        (HttpGet(), {"delay_loop": 0}, "HttpGet: delay_loop must be"),
        (HttpGet(), {"port": 65536}, "HttpGet: port must be"),
        (SERVERS[0], {"port": -1}, "port must be"),
        (SERVERS[0], {"weight": 65536}, "weight must be"),
        (DEFS, {"smtp_connect_timeout": 0}, "smtp_connect_timeout must be"),
    ],
)
def test_wrong_field_is_named_with_what_it_allows(
    valid: Any, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(HarnessError, match=message):
        write(replace(valid, **change))


@pytest.mark.parametrize("name", ["~outer", "chk web"])
def test_what_keepalived_takes_from_a_file_is_known_and_not_written(name: str) -> None:
    """The rules are those of the text that is written, so what was read in a file may be
    anything.
    """
    for read in (replace(INSTANCE, name=name), HttpGet(virtualhost=name)):
        with pytest.raises(HarnessError, match="must be one word"):
            write(read)


@pytest.mark.parametrize("name", ["_outer", "lb-(a)"])
def test_odd_names_that_keepalived_takes_are_written(name: str) -> None:
    assert f"vrrp_instance {name} {{" in write(replace(INSTANCE, name=name))
    assert "path /~monitor/alive\n" in write(HttpGet("/~monitor/alive"))


def test_a_checker_may_ask_another_machine_from_an_address_of_its_own() -> None:
    check = HttpGet(
        status=("200-299", "301"), address="172.16.10.99", bind="172.16.10.11", port=8080
    )
    text = statement(
        write(check), f"virtual_server {VIP} 80", "real_server 172.16.10.21 80", "HTTP_GET"
    )
    assert "status_code 200-299 301" in text
    assert "connect_ip 172.16.10.99 bindto 172.16.10.11 connect_port 8080" in text
    assert (check.expected, check.urls[0].expected, HttpGet().expected) == (200, 200, 200)


@pytest.mark.parametrize(
    ("peers", "word"),
    [((), "mcast_src_ip"), (("172.16.10.12",), "unicast_src_ip")],
    ids=["multicast", "unicast"],
)
def test_an_instance_may_have_vips_of_several_prefixes_and_an_address_to_speak_from(
    peers: tuple[str, ...], word: str
) -> None:
    own = replace(
        INSTANCE,
        vip=(VIP, "10.9.0.1"),
        prefixes=((VIP, 24),),
        elsewhere=(("10.9.0.1", "eth1"),),
        source="172.16.10.11",
        unicast_peers=peers,
    )
    text = statement(write(own), "vrrp_instance VI_1")
    assert "virtual_ipaddress { 172.16.10.50/24 dev eth0 10.9.0.1/32 dev eth1 }" in text
    assert f"{word} 172.16.10.11" in text
    assert own.with_vips(own.advertised) == replace(own, prefixes=((VIP, 24), ("10.9.0.1", 32)))


BREAKING = replace(WEB, check=TcpCheck(), vip="172.16.10.50; reboot")


@pytest.mark.parametrize(
    "written",
    [
        lambda: ldirectord.render([(BREAKING, [])]),
        lambda: ipvsadm.table(BREAKING, {BREAKING.name: []}),
        lambda: vrrpd.render(
            [replace(INSTANCE, track_scripts=(), auth_pass=None, interface="eth0\n!")]
        ),
        lambda: Director(services=[BREAKING]),
        lambda: Director(services=[BREAKING], config="own.conf"),
        lambda: RealServer(serves=[BREAKING]),
        lambda: PhantomRouter(vrrp=replace(INSTANCE, vrid=256)),
    ],
    ids=[
        "ldirectord",
        "ipvsadm",
        "vrrpd",
        "a director",
        "with its own text",
        "a real server",
        "a phantom router",
    ],
)
def test_no_other_text_and_no_role_takes_what_would_leave_its_place(
    written: Callable[[], object],
) -> None:
    with pytest.raises(HarnessError, match="must be"):
        written()
