"""What no configuration may say is refused before a word is written, by the name of its field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.daemons import ipvsadm, ldirectord
from harness.errors import HarnessError
from harness.frr import config as vrrpd
from harness.keepalived.config import render
from harness.topology import Director, PhantomRouter, RealServer
from harness.topology.checks import (
    DnsCheck,
    FileCheck,
    HttpGet,
    MiscCheck,
    OtherCheck,
    SmtpCheck,
    TcpCheck,
    UdpCheck,
)
from harness.topology.services import Destination
from harness.topology.tracking import TrackedBfd, TrackedFile, VrrpScript, maintenance_switch
from tests.written import DEFS, INSTANCE, SERVERS, VIP, WEB, write

BFD = TrackedBfd(name="uplink", neighbour="10.0.1.1")
BREAKING = replace(WEB, check=TcpCheck(), vip="172.16.10.50; reboot")


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
