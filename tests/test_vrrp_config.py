"""VRRP beyond the plain instance: families, unicast, groups, tracking, notification, as text
and as priorities.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.keepalived.config import GlobalDefs, render
from harness.topology import (
    Notify,
    SyncGroup,
    TrackedBfd,
    TrackedFile,
    TrackedInterface,
    TrackedProcess,
    VrrpInstance,
    VrrpScript,
    rules,
)
from tests.written import statement

DEFS = GlobalDefs(router_id="director1")
INSTANCE = VrrpInstance(vrid=51, vip="172.16.10.50")
SIX = VrrpInstance(vrid=52, vip=("fe80::50", "fd00:10::50"), name="VI_6", version=3)
SCRIPT = VrrpScript(name="check", script="/bin/true")
LINK = TrackedInterface(name="eth1")
FILE = TrackedFile(name="claims", path="/run/claims", weight=2, value=5)
BFD = TrackedBfd(name="uplink", neighbour="10.0.1.1", min_rx=0.05, weight=-20)
PROCESS = TrackedProcess(name="web", process="apache2", weight=-10, quorum=2, delay=0.5)


def test_ipv6_vips_are_host_addresses_too() -> None:
    text = statement(render(DEFS, [SIX], []), "vrrp_instance VI_6")
    assert "version 3 virtual_ipaddress { fe80::50/128 dev eth0 fd00:10::50/128 dev eth0 }" in text


def test_excluded_vips_may_be_of_the_other_family() -> None:
    text = statement(
        render(DEFS, [replace(INSTANCE, excluded_vips=("fd00:10::50",))], []), "vrrp_instance VI_1"
    )
    assert "virtual_ipaddress { 172.16.10.50/32 dev eth0 }" in text
    assert "virtual_ipaddress_excluded { fd00:10::50/128 dev eth0 }" in text


def test_unicast_peers() -> None:
    text = statement(
        render(DEFS, [replace(INSTANCE, unicast_peers=("172.16.10.12",))], []), "vrrp_instance VI_1"
    )
    assert "unicast_peer { 172.16.10.12 }" in text


def test_announcements_are_said_only_where_they_differ() -> None:
    plain = statement(render(DEFS, [INSTANCE], []), "vrrp_instance VI_1")
    changed = replace(
        INSTANCE, garp_master_delay=0, garp_master_refresh=10, garp_lower_prio_repeat=0
    )
    text = statement(render(DEFS, [changed], []), "vrrp_instance VI_1")
    assert "garp" not in plain
    assert "garp_master_delay 0 garp_master_refresh 10 garp_lower_prio_repeat 0" in text


def test_what_is_tracked_may_count_in_reverse() -> None:
    wire = replace(LINK, weight=10, reverse=True)
    script = replace(SCRIPT, weight=20, reverse=True)
    told = replace(INSTANCE, track_interfaces=(wire,), track_scripts=(script,))
    text = render(DEFS, [told], [])
    assert "weight 20 reverse" in statement(text, f"vrrp_script {SCRIPT.name}")
    assert f"{LINK.name} weight 10 reverse" in statement(text, "vrrp_instance VI_1")


def test_all_that_is_tracked_is_defined_once_and_named() -> None:
    tracking: dict[str, Any] = {
        "track_scripts": (SCRIPT,),
        "track_interfaces": (LINK,),
        "track_files": (FILE,),
        "track_processes": (PROCESS,),
        "track_bfds": (BFD,),
    }
    text = render(DEFS, [replace(INSTANCE, **tracking), replace(SIX, **tracking)], [])
    assert statement(text, "track_file claims") == "file /run/claims weight 2 init_file 5"
    assert (
        statement(text, "vrrp_track_process web") == "process apache2 weight -10 quorum 2 delay 0.5"
    )
    assert text.count("track_file claims {") == text.count("vrrp_script check {") == 1
    session = "neighbor_ip 10.0.1.1 min_rx 50 min_tx 100 idle_tx 1000 multiplier 3"
    assert statement(text, "bfd_instance uplink") == session
    assert (
        "track_script { check } track_interface { eth1 weight 0 } track_file { claims }"
        " track_process { web } track_bfd { uplink weight -20 }"
        in statement(text, "vrrp_instance VI_1")
    )


def test_what_only_the_master_has_beside_the_vip() -> None:
    along = replace(
        INSTANCE,
        vip_prefix=24,
        virtual_routes=("10.9.0.0/24 via 172.16.10.1 dev eth0 table 7",),
        virtual_rules=("from 172.16.10.50 table 7",),
    )
    text = statement(render(DEFS, [along], []), "vrrp_instance VI_1")
    assert "virtual_ipaddress { 172.16.10.50/24 dev eth0 }" in text
    assert "virtual_routes { 10.9.0.0/24 via 172.16.10.1 dev eth0 table 7 }" in text
    assert "virtual_rules { from 172.16.10.50 table 7 }" in text


def test_version_3_has_no_password() -> None:
    assert "auth_pass lvs-dr" in render(DEFS, [INSTANCE], [])
    assert "authentication" not in render(DEFS, [SIX], [])


def test_a_group_comes_before_its_members_and_tells_of_itself() -> None:
    group = SyncGroup(
        name="VG_1", members=("VI_1", "VI_6"), notify=Notify(master="/bin/a b"), smtp_alert=True
    )
    text = render(DEFS, [INSTANCE, SIX], [], [group])
    assert (
        statement(text, "vrrp_sync_group VG_1")
        == 'group { VI_1 VI_6 } notify_master "/bin/a b" smtp_alert on'
    )
    assert text.index("vrrp_sync_group") < text.index("vrrp_instance")


def test_a_group_of_strangers_is_refused() -> None:
    with pytest.raises(
        HarnessError,
        match="VG_1: its member VI_2 is no VRRP instance of this director; it has VI_1",
    ):
        render(DEFS, [INSTANCE], [], [SyncGroup(name="VG_1", members=("VI_1", "VI_2"))])


def test_notifications() -> None:
    told = replace(
        INSTANCE, notify=Notify.reported(), notify_priority_changes=True, smtp_alert=True
    )
    text = statement(render(replace(DEFS, notify_fifo="/run/n"), [told], []), "vrrp_instance VI_1")
    for word in ("notify_master", "notify_backup", "notify_fault", "notify_stop"):
        assert f'{word} "/etc/keepalived/report.sh {word.removeprefix("notify_")}"' in text
    assert 'notify "/etc/keepalived/report.sh always"' in text
    assert 'notify_master_rx_lower_pri "/etc/keepalived/report.sh lower_priority"' in text
    assert "notify_priority_changes on smtp_alert on" in text
    assert "notify_fifo /run/n" in render(replace(DEFS, notify_fifo="/run/n"), [], [])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(SIX, version=2), "no VRRP version 2 for IPv6"),
        (lambda: replace(INSTANCE, vip=("172.16.10.50", "fd00:10::50")), "both families"),
        (lambda: replace(INSTANCE, unicast_peers=("fd00:10::12",)), "both families"),
        (lambda: replace(INSTANCE, unicast_peers=("peer",)), "unicast_peers must be an address"),
        (lambda: replace(INSTANCE, garp_master_refresh=-1), "garp_master_refresh must be"),
        (lambda: replace(INSTANCE, vip_prefix=33), "vip_prefix must be a number from 1 to 32"),
        (
            lambda: replace(INSTANCE, virtual_routes=("out via 172.16.10.1",)),
            "virtual_routes must begin with a network",
        ),
        (
            lambda: replace(INSTANCE, virtual_rules=("from all }",)),
            "each word of virtual_rules must be one word",
        ),
        (
            lambda: replace(SIX, auth_pass="secret"),
            "with an auth_pass: version must be one of 2, not '3'",
        ),
        (lambda: SyncGroup(name="VG_1", members=()), "number of members"),
        (
            lambda: SyncGroup(name="VG_1", members=("A", "B"), notify=Notify.reported()),
            "a group has none",
        ),
        (lambda: Notify(master="reboot"), "Notify: master must be a program's full path"),
        (lambda: replace(FILE, weight=255), "TrackedFile claims: weight"),
        (lambda: replace(FILE, path="/a b"), "TrackedFile claims: path must be one word"),
        (lambda: replace(PROCESS, quorum=0), "TrackedProcess web: quorum"),
        (lambda: replace(LINK, weight=254), "TrackedInterface eth1: weight"),
    ],
)
def test_what_keepalived_would_not_take_is_refused(make: Any, message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        rules.check(make())


@pytest.mark.parametrize(
    ("weight", "well", "failing"),
    [(0, 100, 0), (-30, 100, 70), (30, 130, 100), (-253, 100, 1), (253, 254, 100)],
)
@pytest.mark.parametrize(
    "field", ["track_scripts", "track_interfaces", "track_processes", "track_bfds"]
)
def test_priority_by_weight(field: str, weight: int, well: int, failing: int) -> None:
    one: Any = {
        "track_scripts": SCRIPT,
        "track_interfaces": LINK,
        "track_processes": PROCESS,
        "track_bfds": BFD,
    }[field]
    tracked = replace(one, weight=weight)
    tracking: dict[str, Any] = {field: (tracked,)}
    instance = replace(INSTANCE, priority=100, **tracking)
    assert (instance.effective_priority(), instance.effective_priority({tracked})) == (
        well,
        failing,
    )


@pytest.mark.parametrize(
    ("weight", "value", "priority"),
    [
        (1, 0, 100),
        (1, -20, 80),
        (2, 15, 130),
        (-1, 15, 85),
        (1, 300, 254),
        (1, -253, 1),
        (1, -254, 0),
        (0, 1, 0),
    ],
)
def test_priority_by_the_number_in_a_file(weight: int, value: int, priority: int) -> None:
    file = replace(FILE, weight=weight, value=0)
    instance = replace(INSTANCE, priority=100, track_files=(file,))
    assert instance.effective_priority() == 100
    assert instance.effective_priority(values={file: value}) == priority


def test_the_sync_daemon_has_its_interface_and_the_instance_that_it_follows() -> None:
    assert "lvs_sync_daemon eth0 VI_1" in render(
        replace(DEFS, lvs_sync_daemon=("eth0", "VI_1")), [], []
    )
    assert "lvs_sync_daemon" not in render(DEFS, [], [])
