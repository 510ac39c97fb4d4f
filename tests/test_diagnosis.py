"""Misconfigurations told by name from timelines that a test has written: each on its evidence,
and nothing without.
"""

from __future__ import annotations

import pytest

from harness.diagnosis import Setup, diagnose
from harness.events import AddressChanged, Arp, Log, make
from harness.timeline import Timeline
from tests.diagnosed import SETUP, VIP, found, healthy


def test_nothing_is_found_in_a_healthy_cluster() -> None:
    assert found(healthy()) == []


def test_nothing_is_found_without_evidence() -> None:
    assert found(Timeline(), Setup({}, {}, {})) == []


def test_two_machines_with_one_address() -> None:
    timeline = healthy()
    for node, mac in (("web1", "02:00"), ("web1", "02:00"), ("client", "02:02")):
        timeline.record(make("arp", 2, node, sent=True, sender="172.16.10.21", sender_mac=mac))
    assert found(timeline) == [("duplicate address", ("client", "web1"))]


def test_a_vip_that_moves_is_no_duplicate_nor_is_who_says_its_address_twice() -> None:
    timeline = healthy()
    for _ in range(2):
        said = {"sender": "172.16.10.21", "sender_mac": "02:00"}
        timeline.record(make("arp", 2, "web1", sent=True, **said))
    for node in ("director1", "director2"):
        timeline.record(
            make("arp", 2, node, sent=True, sender=VIP, sender_mac=node, gratuitous=True)
        )
    assert found(timeline) == []


def test_a_question_that_names_the_vip_wants_another_cure_than_an_answer() -> None:
    timeline = healthy()
    timeline.record(
        make("arp", 3, "web1", sent=True, operation="request", sender=VIP, target="172.16.10.1")
    )
    (diagnosis,) = diagnose(timeline, SETUP)
    assert diagnosis.evidence == f"its question who has 172.16.10.1 names {VIP} as its own address"
    assert "arp_ignore" not in diagnosis.cure


@pytest.mark.parametrize(
    ("results", "expected"), [(["failed"], 1), (["failed", "succeeded"], 0), (["succeeded"], 0)]
)
def test_a_script_that_fails_where_nothing_is_broken(results: list[str], expected: int) -> None:
    timeline = healthy()
    for at, result in enumerate(results):
        line = f"VRRP_Script(chk) {result} (exited with status 1)"
        timeline.record(Log(2 + at, "director1", daemon="keepalived", line=line))
    assert found(timeline) == [("tracked script fails at rest", ("director1",))] * expected


def test_a_real_server_that_names_the_vip_in_arp() -> None:
    timeline = healthy()
    timeline.record(Arp(2, "web1", sent=True, sender="172.16.10.21"))
    assert found(timeline) == []
    timeline.record(Arp(3, "web1", sent=True, sender=VIP))
    assert found(timeline) == [("no ARP protection", ("web1",))]


def test_a_real_server_without_the_vip() -> None:
    timeline = healthy()
    timeline.record(
        AddressChanged(2, "web1", action="removed", address=VIP, prefix=32, interface="lo")
    )
    assert found(timeline) == [("VIP missing on a real server", ("web1",))]


@pytest.mark.parametrize(("prefix", "expected"), [(16, 1), (24, 0)])
def test_a_vip_whose_network_is_wider_than_the_lan(prefix: int, expected: int) -> None:
    timeline = healthy()
    timeline.record(
        AddressChanged(2, "director2", action="added", address=VIP, prefix=prefix, interface="eth0")
    )
    assert found(timeline) == [("VIP with the wrong prefix", ("director2",))] * expected


@pytest.mark.parametrize(
    ("gateway", "expected"), [("172.16.10.11", 0), ("172.16.10.1", 1), (None, 1)]
)
def test_a_gateway_that_is_no_directors(gateway: str | None, expected: int) -> None:
    gateways = {} if gateway is None else {"web1": gateway}
    behind_nat = Setup(SETUP.directors, SETUP.servers, gateways, frozenset({"web1"}))
    assert found(healthy(), behind_nat) == [("real server's gateway wrong", ("web1",))] * expected


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("(VI_1) received an invalid passwd!", "authentication mismatch"),
        ("(VI_1) setting firewall drop rule", "vrrp_strict drops what is sent to the VIP"),
        (
            "WARNING - script '/etc/hostname' is not executable for uid:gid 0:0",
            "script not executable",
        ),
        (
            "Script /usr/local/bin/nothere cannot be accessed - No such file",
            "script not executable",
        ),
        ("Wrong file type found in script path '/etc'.", "script not executable"),
        ("Wrong file type found in script path '/bin/true'.", "script below a symbolic link"),
        (
            "Unsafe permissions found for script '/etc/keepalived/check'.",
            "script owned by another user",
        ),
        ("VRRP process(68) exited due to signal 11 (Segmentation fault)", "keepalived dies"),
        ("VRRP child process(68) died: Respawning", "keepalived dies"),
        ("(VI_1) cannot use a loopback interface (lo) for vrrp", "VRRP on a loopback interface"),
        *[
            (f"(VI_1) ignoring {what} due to SYNC group{more}", "weight ignored in a sync group")
            for what, more in (
                ("tracked script chk with weights", ""),
                ("tracked interface weight", ""),
                ("weight from tracked file load", ". specify weight 0"),
                ("tracked bfd peer with weight 5", ""),
            )
        ],
    ],
)
def test_keepalived_s_own_words_are_told_once_and_without_their_date(line: str, name: str) -> None:
    timeline = healthy()
    for at in (2, 3):
        timeline.record(
            Log(at, "director1", daemon="keepalived", line=f"Thu Jan  1 00:00:0{at} 2026: {line}")
        )
    (diagnosis,) = diagnose(timeline, SETUP)
    assert (diagnosis.name, diagnosis.nodes) == (name, ("director1",))
    assert str(diagnosis).startswith(f"{name} (director1): {line.removesuffix('.')}; ")


def test_a_script_that_fails_after_a_fault_may_be_meant_to() -> None:
    timeline = healthy()
    timeline.record(make("fault", 1.5, "director1", name="Maintain", action="injected"))
    line = "VRRP_Script(chk) failed (exited with status 1)"
    timeline.record(Log(2, "director1", daemon="keepalived", line=line))
    assert found(timeline) == []


def test_a_script_that_cannot_be_run_is_told_apart_from_one_that_fails() -> None:
    timeline = healthy()
    line = "VRRP_Script(chk) failed (exited with status 127)"
    timeline.record(Log(2, "director1", daemon="keepalived", line=line))
    assert found(timeline) == [("script that cannot be run", ("director1",))]


def test_another_script_that_fails_beside_it_is_told_as_well() -> None:
    timeline = healthy()
    for name, status in (("chk", 127), ("other", 1)):
        line = f"VRRP_Script({name}) failed (exited with status {status})"
        timeline.record(Log(2, "director1", daemon="keepalived", line=line))
    assert found(timeline) == [
        ("script that cannot be run", ("director1",)),
        ("tracked script fails at rest", ("director1",)),
    ]


def test_what_keepalived_says_when_all_is_well_is_no_complaint() -> None:
    timeline = healthy()
    for line in ("(VI_1) removing firewall drop rule", "VRRP_Script(maintenance) succeeded"):
        timeline.record(
            Log(2, "director1", daemon="keepalived", line=f"Thu Jan  1 00:00:02 2026: {line}")
        )
    assert found(timeline) == []


REMOVED = "Removing service [172.16.10.21]:tcp:8080 from VS [172.16.10.50]:tcp:80"
ADDED = "Adding service [172.16.10.21]:tcp:8080 to VS [172.16.10.50]:tcp:80"


@pytest.mark.parametrize(
    ("lines", "broken", "expected"),
    [
        ([REMOVED], False, 1),
        ([REMOVED, ADDED], False, 0),
        ([REMOVED], True, 0),
        ([ADDED, REMOVED], False, 1),
    ],
)
def test_a_check_that_fails_where_nothing_is_broken(
    lines: list[str], broken: bool, expected: int
) -> None:
    timeline = healthy()
    if broken:
        timeline.record(make("fault", 1.5, "web1", name="StopHttpd", action="injected"))
    for at, line in enumerate(lines):
        timeline.record(Log(2 + at, "director1", daemon="keepalived", line=line))
    assert found(timeline) == [("health check fails at rest", ("director1",))] * expected
