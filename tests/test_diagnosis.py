"""Misconfigurations told by name from timelines that a test has written: each on its evidence,
and nothing without.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.diagnosis import Setup, diagnose
from harness.events import AddressChanged, Advertisement, Arp, Log, make
from harness.timeline import Timeline
from harness.topology import VrrpInstance
from harness.topology.tracking import maintenance_switch

VIP = "172.16.10.50"
FIRST = VrrpInstance(vrid=51, vip=VIP, priority=100, track_scripts=(maintenance_switch(),))
SECOND = VrrpInstance(vrid=51, vip=VIP, priority=70)
SETUP = Setup(
    {"director1": (FIRST,), "director2": (SECOND,)}, {"web1": (VIP,)}, {"web1": "172.16.10.11"}
)


def healthy() -> Timeline:
    """The master advertises, its backup hears it, the real server holds the VIP."""
    timeline = Timeline()
    for node, address, prefix, interface in (
        ("director1", "172.16.10.11", 24, "eth0"),
        ("director2", "172.16.10.12", 24, "eth0"),
        ("director1", VIP, 32, "eth0"),
        ("web1", VIP, 32, "lo"),
    ):
        timeline.record(
            AddressChanged(
                0, node, action="added", address=address, prefix=prefix, interface=interface
            )
        )
    advert(timeline, 1, "director1", "director2")
    return timeline


def advert(timeline: Timeline, at: float, node: str, *listeners: str, **other: Any) -> None:
    right = {"vrid": 51, "priority": 100, "source": f"of {node}", "interval": 1, "version": 2}
    said: dict[str, Any] = {**right, "addresses": VIP, **other}
    for each in (node, *listeners):
        timeline.record(Advertisement(at, each, sent=each == node, **said))


def found(
    timeline: Timeline, setup: Setup = SETUP, since: float = 0
) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.name, each.nodes) for each in diagnose(timeline, setup, since)]


def test_nothing_is_found_in_a_healthy_cluster() -> None:
    assert found(healthy()) == []


def test_nothing_is_found_without_evidence() -> None:
    assert found(Timeline(), Setup({}, {}, {})) == []


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ({"vrid": 52}, "VRID mismatch"),
        ({"addresses": "172.16.10.60"}, "foreign cluster with the same VRID"),
        ({"interval": 2}, "advert_int mismatch"),
        ({"version": 3}, "VRRP version mismatch"),
    ],
)
def test_two_advertisers_that_differ_in_one_thing(other: dict[str, Any], name: str) -> None:
    timeline = healthy()
    advert(timeline, 2, "director2", "director1", **{"priority": 70, **other})
    assert found(timeline) == [(name, ("director1", "director2"))]
    (told,) = diagnose(timeline, SETUP)
    assert [(event.at, event.node) for event in told.shown] == [(1, "director1"), (2, "director2")]


def test_version_3_may_advertise_at_two_intervals() -> None:
    timeline = Timeline()
    advert(timeline, 1, "director1", "director2", version=3)
    advert(timeline, 2, "director2", "director1", version=3, interval=2)
    assert found(timeline, Setup({}, {}, {})) == []


@pytest.mark.parametrize(
    ("ways", "expected"), [((True, False), 1), ((False, True), 1), ((True, True), 0)]
)
def test_two_checksums_are_told_and_no_firewall(ways: tuple[bool, bool], expected: int) -> None:
    timeline = Timeline()
    for at, node, other, priority, way in (
        (1, "director1", "director2", 100, ways[0]),
        (1.5, "director2", "director1", 70, ways[1]),
    ):
        advert(timeline, at, node, other, version=3, priority=priority, pseudo_header=way)
    names = [each.name for each in diagnose(timeline, Setup({}, {}, {}), 0)]
    assert names == ["VRRP checksum mismatch" if expected else "firewall drops advertisements"]


def test_the_same_vrid_on_two_lans_is_no_foreign_cluster() -> None:
    timeline = healthy()
    advert(timeline, 2, "router", addresses="172.16.20.60")
    assert found(timeline) == []


def test_who_advertises_no_vip_at_all_is_no_foreign_cluster() -> None:
    timeline = healthy()
    advert(timeline, 2, "director2", "director1", priority=70, addresses="")
    assert found(timeline) == []


ELSEWHERE = "unicast to an address at which keepalived does not listen"
MIXED = "unicast and multicast mixed"
GROUP = "224.0.0.18"


@pytest.mark.parametrize(
    ("to_second", "to_first", "name"),
    [
        (["of director2"], "of director1", None),
        (["another"], "of director1", ELSEWHERE),
        (["another", "of director2"], "of director1", None),
        ([GROUP], GROUP, None),
        (["of director2"], GROUP, MIXED),
        (["another"], GROUP, MIXED),
    ],
)
def test_a_director_hears_unicast_only_at_the_address_that_it_speaks_from(
    to_second: list[str], to_first: str, name: str | None
) -> None:
    timeline = healthy()
    for destination in to_second:
        advert(timeline, 5, "director1", "director2", destination=destination)
    advert(timeline, 9, "director2", "director1", priority=70, destination=to_first)

    about_unicast = [each for each, _ in found(timeline) if each in (ELSEWHERE, MIXED)]
    assert about_unicast == ([] if name is None else [name])


def test_unicast_that_does_not_arrive_is_not_called_multicast() -> None:
    timeline = healthy()
    advert(timeline, 5, "director1", destination="172.16.10.92")
    advert(timeline, 5, "director2", priority=70, destination="172.16.10.11")

    assert {name for name, _ in found(timeline, since=4)} == {"unicast does not arrive"}


def test_what_does_not_arrive_is_blocked() -> None:
    timeline = healthy()
    advert(timeline, 5, "director1")
    advert(timeline, 5, "director2", priority=70)
    blocked = [
        ("multicast blocked", ("director1", "director2")),
        ("multicast blocked", ("director2", "director1")),
    ]
    assert found(timeline, since=4) == blocked


@pytest.mark.parametrize(("lowered", "expected"), [(80, 1), (60, 0), (100, 0)])
def test_a_lowered_priority_is_to_fall_below_the_next(lowered: int, expected: int) -> None:
    timeline = healthy()
    advert(timeline, 2, "director1", "director2", priority=lowered)
    assert len(found(timeline)) == expected


def test_two_owners_of_one_vip() -> None:
    timeline = healthy()
    advert(timeline, 2, "director1", "director2", priority=255)
    assert found(timeline) == []
    advert(timeline, 2, "director2", "director1", priority=255)
    assert found(timeline) == [("two address owners", ("director1", "director2"))]
    advert(
        timeline, 3, "director1", "director2", priority=254
    )  # as 2.2.7 does when it hears the other
    assert found(timeline) == [("two address owners", ("director1", "director2"))]


@pytest.mark.parametrize("flaw", [{"ttl": 254}, {"checksum": False}])
def test_an_advertisement_that_everybody_discards(flaw: dict[str, Any]) -> None:
    """It has arrived all the same, so nothing is blocked on its way."""
    timeline = Timeline()
    advert(timeline, 2, "director2", "director1", priority=70)
    advert(timeline, 2, "director1", "director2", **flaw)
    pair = Setup(SETUP.directors, {}, {})
    assert found(timeline, pair) == [("advertisement that everybody discards", ("director2",))]


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


def two_that_advertise(timeline: Timeline, *heard: float, until: float = 9) -> None:
    """The second goes on although the first, which is better, arrives at its wire."""
    for at in heard:
        advert(timeline, at, "director1", "director2")
    advert(timeline, until, "director2", "director1", priority=70)


@pytest.mark.parametrize(
    ("heard", "until", "expected"),
    [
        ([5.0], 5.5, True),
        ([4.0, 5.0], 7.5, True),
        ([5.0], 5.001, False),
        ([4.0, 5.0], 8.5, False),
        ([], 9, False),
    ],
    ids=["just now", "again and again", "this moment", "long ago", "never"],
)
def test_a_director_that_does_not_take_in_what_arrives(
    heard: list[float], until: float, expected: bool
) -> None:
    timeline = Timeline()
    two_that_advertise(timeline, *heard, until=until)
    found_ones = [
        name for name in found(timeline, Setup({}, {}, {})) if name[0] != "multicast blocked"
    ]
    assert found_ones == [("firewall drops advertisements", ("director2",))] * expected


@pytest.mark.parametrize("priority", [0, 60])
def test_who_gives_up_its_claim_may_be_followed(priority: int) -> None:
    timeline = Timeline()
    advert(timeline, 4, "director1", "director2")
    advert(timeline, 5, "director1", "director2", priority=priority)
    advert(timeline, 6, "director2", "director1", priority=70)
    assert found(timeline, Setup({}, {}, {})) == []


def test_what_explains_it_better_is_told_instead() -> None:
    timeline = Timeline()
    two_that_advertise(timeline, 4.0, 5.0)
    complaint = "(VI_1) received an invalid passwd!"
    timeline.record(Log(5, "director2", daemon="keepalived", line=complaint))
    assert found(timeline, Setup({}, {}, {})) == [("authentication mismatch", ("director2",))]


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
