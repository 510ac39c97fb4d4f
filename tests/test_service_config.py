"""Virtual services, their real servers and their checkers: what is written of them, and what their
tables are called.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.errors import HarnessError
from harness.keepalived.config import render
from harness.topology.checks import (
    Check,
    DnsCheck,
    FileCheck,
    HttpGet,
    MiscCheck,
    PingCheck,
    SmtpCheck,
    SslGet,
    TcpCheck,
    UdpCheck,
    Url,
)
from harness.topology.services import Destination, VirtualService
from harness.topology.tracking import TrackedFile
from tests.written import DEFS, SERVERS, VIP, WEB, statement, write


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
