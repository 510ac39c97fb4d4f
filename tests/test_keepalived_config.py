"""The text of a keepalived.conf: its order, its global definitions, its scripts and its VRRP
instances.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from harness.errors import HarnessError
from harness.keepalived.config import render
from harness.topology.checks import HttpGet
from harness.topology.tracking import VrrpScript
from tests.written import DEFS, INSTANCE, SERVERS, VIP, WEB, statement, write


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
    text = statement(render(replace(DEFS, flush_on_stop=True), [], []), "global_defs")
    assert text.endswith("lvs_flush_on_stop")
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


@pytest.mark.parametrize("name", ["_outer", "lb-(a)"])
def test_odd_names_that_keepalived_takes_are_written(name: str) -> None:
    assert f"vrrp_instance {name} {{" in write(replace(INSTANCE, name=name))
    assert "path /~monitor/alive\n" in write(HttpGet("/~monitor/alive"))


def test_script_of_two_instances_is_defined_once() -> None:
    script = VrrpScript(name="both", script="/bin/true", interval=3, timeout=2)
    one = replace(INSTANCE, track_scripts=(script,))
    other = replace(one, name="VI_2", vrid=52, vip="172.16.10.52")
    text = render(DEFS, [one, other], [])
    assert text.count("vrrp_script both {") == 1
    assert "interval 3 timeout 2" in statement(text, "vrrp_script both")
