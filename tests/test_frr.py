"""FRRouting's vrrpd as a director's daemon: its configuration, interfaces, arithmetic and
words, without any of it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.clock import Window
from harness.daemons.frr import Frr
from harness.errors import HarnessError
from harness.events import Link
from harness.frr import config, says, timers
from harness.images.image import Image
from harness.keepalived import timers as rfc
from harness.measures import has_carrier
from harness.plugin.needs import lacks
from harness.timeline import Timeline
from harness.topology import Director, TrackedInterface, VirtualService, VrrpInstance

FOUR = VrrpInstance(vrid=51, vip=("172.16.10.50", "172.16.10.51"), version=3, advert_int=0.25)
SIX = VrrpInstance(vrid=7, vip=("fe80::50", "fd00:10::50"), version=3, interface="eth1")
TWO = VrrpInstance(vrid=51, vip="172.16.10.50", version=2, auth_pass=None, nopreempt=True)


def test_an_instance_starts_with_its_first_address_so_that_comes_last() -> None:
    assert config.render([FOUR]).splitlines() == [
        "log stdout informational",
        "!",
        "interface eth0",
        " vrrp 51 version 3",
        " vrrp 51 priority 100",
        " vrrp 51 advertisement-interval 250",
        " vrrp 51 ip 172.16.10.50",
        " vrrp 51 ip 172.16.10.51",
        "exit",
    ]


def test_each_option_has_its_statement() -> None:
    text = config.render([SIX, TWO, replace(TWO, vrid=52, pseudo_header=False)])
    assert "interface eth1\n vrrp 7 version 3\n" in text
    assert " vrrp 7 ipv6 fe80::50\n vrrp 7 ipv6 fd00:10::50\n" in text
    assert " no vrrp 51 preempt\n" in text
    assert " no vrrp 52 checksum-with-ipv4-pseudoheader\n" in text
    assert "no vrrp 51 checksum" not in text


@pytest.mark.parametrize(
    ("instance", "complaint"),
    [
        (replace(TWO, auth_pass="secret"), "knows no passwords"),
        (replace(FOUR, preempt_delay=5.0), "nothing like preempt_delay="),
        (replace(FOUR, unicast_peers=("172.16.10.12",)), "nothing like unicast_peers="),
        (
            replace(FOUR, track_interfaces=(TrackedInterface(name="eth1"),)),
            "nothing like track_interfaces=",
        ),
        (replace(FOUR, down_timer_adverts=5), "nothing like down_timer_adverts="),
        (replace(FOUR, garp_master_delay=1), "nothing like garp_master_delay="),
        (replace(FOUR, state="MASTER"), "nothing like state="),
    ],
)
def test_what_vrrpd_cannot_be_told_is_named(instance: VrrpInstance, complaint: str) -> None:
    with pytest.raises(HarnessError, match=f"VrrpInstance VI_1: .*{complaint}"):
        config.render([instance])


def test_a_director_by_frr_balances_nothing() -> None:
    with pytest.raises(HarnessError, match="nothing like services="):
        Director(by="frr", vrrp=FOUR, services=[VirtualService("172.16.10.50")])


def test_the_macvlan_has_the_virtual_hardware_address_and_a_link_local_address_of_its_own() -> None:
    made = [" ".join(argv) for argv in config.commands(SIX, "02:00:00:00:01:0a", 64)]
    assert made == [
        "ip link add vrrp6-7 link eth1 type macvlan mode bridge",
        "ip link set vrrp6-7 address 00:00:5e:00:02:07 addrgenmode none",
        "ip address add fe80::50/64 dev vrrp6-7 nodad",
        "ip address add fd00:10::50/64 dev vrrp6-7 nodad",
        "ip link set vrrp6-7 up",
        "ip address add fe80::5e:7:10a/64 dev vrrp6-7 nodad",
    ]
    four = [" ".join(argv) for argv in config.commands(FOUR, "02:00:00:00:01:0a", 24)]
    assert "ip address add 172.16.10.50/24 dev vrrp4-51" in four
    assert not any("fe80" in command for command in four)


@pytest.mark.parametrize(
    ("priority", "interval", "dropped"),
    [
        (100, 1.0, 0.609375 - 0.60),
        (90, 1.0, 0.6484375 - 0.64),
        (100, 0.25, 0.15234375 - 0.15),
        (128, 1.0, 0.0),  # exactly half a second
        (255, 1.0, 0.00390625),
    ],
)
def test_the_skew_is_cut_to_hundredths(priority: int, interval: float, dropped: float) -> None:
    instance = replace(FOUR, priority=priority, advert_int=interval)
    due = rfc.takeover(instance, announced=False)
    cut = timers.rounded(due, instance)
    assert cut.latest == pytest.approx((due.latest - dropped) * 1.001)
    assert cut.earliest == pytest.approx(due.earliest - dropped)
    assert timers.rounded(Window(0, 400), instance).latest == pytest.approx(400.1 - dropped)


@pytest.mark.parametrize(
    ("line", "entered"),
    [
        ("VRRP: [W23ZH-NY264] [CORE] [VRID 51] [IPv4] Initialize -> Backup", ("VI_1", "BACKUP")),
        ("VRRP: [W23ZH-NY264] [CORE] [VRID 51] [IPv4] Backup -> Master", ("VI_1", "MASTER")),
        ("VRRP: [W23ZH-NY264] [CORE] [VRID 51] [IPv4] Master -> Initialize", ("VI_1", "FAULT")),
        ("VRRP: [W23ZH-NY264] [CORE] [VRID 7] [IPv6] Master -> Backup", ("VI_6", "BACKUP")),
        (
            "VRRP: [W23ZH-NY264] [CORE] [VRID 7] [IPv4] Master -> Backup",
            None,
        ),  # the half that has no address
        ("VRRP: [R3SM7-1JZFQ] [CORE] [VRID 51] [IPv4] 'Startup' event", None),
    ],
)
def test_state_is_read_from_the_log(line: str, entered: tuple[str, str] | None) -> None:
    assert says.entered(line, [FOUR, replace(SIX, name="VI_6")]) == entered


SHOWN = [
    {"vrid": 51, "interface": "eth1", "v4": {"status": "Master"}},
    {
        "vrid": 51,
        "interface": "eth0",
        "v4": {"status": "Backup", "stats": {"adverTx": 3}},
        "v6": {"status": "Master"},
    },
]


def test_status_is_that_of_the_instance_and_its_family() -> None:
    assert says.parse(json.dumps(SHOWN), FOUR)["status"] == "Backup"
    assert says.parse(json.dumps(SHOWN), FOUR)["stats"] == {"adverTx": 3}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("% Unknown command", "no JSON"),
        ("[]", "knows no VRID 51 on eth0"),
        ('[1, {"vrid": 51}]', "knows no VRID 51"),
    ],
)
def test_a_status_that_is_none_is_named(text: str, complaint: str) -> None:
    with pytest.raises(HarnessError, match=complaint):
        says.parse(text, FOUR)


def test_mgmtd_is_run_where_the_image_has_it(tmp_path: Path) -> None:
    image = Image("own", str(tmp_path))
    assert [daemon.name for daemon in Frr().daemons(image)] == ["vrrpd", "zebra"]
    program = tmp_path / "usr/lib/frr/mgmtd"
    program.parent.mkdir(parents=True)
    program.touch()
    assert [daemon.name for daemon in Frr().daemons(image)] == ["vrrpd", "mgmtd", "zebra"]


def test_a_program_is_looked_for_where_it_is_to_run(tmp_path: Path) -> None:
    own = Image("own", str(tmp_path))
    lacking = lacks("s", "FRR", images=[own], program="/usr/lib/frr/vrrpd")
    assert lacking == "FRR: the program /usr/lib/frr/vrrpd is not in the image own"
    program = tmp_path / "usr/lib/frr/vrrpd"
    program.parent.mkdir(parents=True)
    program.touch()
    assert lacks("s", "FRR", images=[own], program="/usr/lib/frr/vrrpd") is None


def test_an_interface_has_its_carrier_by_the_last_word_of_the_kernel() -> None:
    timeline = Timeline()
    assert not has_carrier(timeline, "director1", "vrrp4-51")
    for at, node, up in ((1.0, "director1", True), (2.0, "director2", False)):
        timeline.record(Link(at, node, interface="vrrp4-51", up=up))
    assert has_carrier(timeline, "director1", "vrrp4-51")
    timeline.record(Link(3.0, "director1", interface="vrrp4-51", up=False))
    assert not has_carrier(timeline, "director1", "vrrp4-51")
