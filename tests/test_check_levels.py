"""What keepalived says of a configuration is a finding or a note, with its place and its cure.
Pure.
"""

from __future__ import annotations

import pytest

from harness.check.kinds import KINDS
from harness.check.levels import graded


@pytest.mark.parametrize(
    ("line", "name", "told"),
    [
        (
            "(lb1.conf: Line 9) Unknown keyword 'nb_get_retry'",
            "keepalived-ignored",
            "tries again once",
        ),
        (
            "(lb1.conf: Line 9) Invalid lvs_scheduler 'loadbalance' - ignoring",
            "keepalived-changed",
            "goes on with wlc",
        ),
        (
            "(V) Warning - nopreempt will not work with initial state MASTER - clearing",
            "keepalived-changed",
            "MASTER",
        ),
        (
            "(lb1.conf: Line 9) Truncating auth_pass to 8 characters",
            "keepalived-changed",
            "Truncating auth_pass",
        ),
        (
            "(lb1.conf: Line 9) Unknown keyword 'nopremept'",
            "word-mistyped",
            "meant to be nopreempt",
        ),
        (
            "(V) track script chk not found, ignoring...",
            "keepalived-changed",
            "tracks no script chk",
        ),
        (
            "(V) ignoring tracked script chk with weights due to SYNC group",
            "keepalived-changed",
            "SYNC group",
        ),
        (
            "(lb1.conf: Line 9) VRRP parsed invalid IP 192.0.2.. skipping IP...",
            "keepalived-changed",
            "skipping IP",
        ),
        ("Invalid real server ip address/port web1/80 - skipping", "keepalived-changed", "web1/80"),
        ("vrrp instance V already defined", "keepalived-changed", "already defined"),
        ("(V) Unicast peers are not supported in strict mode", "keepalived-changed", "strict mode"),
        (
            "(V) VRRP version 3 does not support authentication. Ignoring.",
            "keepalived-ignored",
            "authentication",
        ),
        (
            "(V) Ignoring track_interface eth0 since own interface",
            "keepalived-ignored",
            "own interface",
        ),
        ("(V) Strict mode requires no repeat garps. resetting", "keepalived-says", "repeat garps"),
        (
            "Virtual server [192.0.2.80]:tcp:80: no scheduler set, setting default 'wlc'",
            "keepalived-says",
            "default",
        ),
        (
            "SECURITY VIOLATION - scripts are being executed but script_security not enabled.",
            "keepalived-says",
            "",
        ),
        ("nb_get_retry is deprecated - please use 'retry'", "keepalived-ignored", "deprecated"),
        (
            "(lb1.conf: Line 9) something nobody has seen",
            "keepalived-says",
            "something nobody has seen",
        ),
    ],
)
def test_what_keepalived_says_has_levels(line: str, name: str, told: str) -> None:
    (found,) = graded({"lb1": (line,)})
    assert found.name == name
    assert told in found.text


def test_a_script_that_keepalived_removed_is_not_said_to_be_defined_too_late() -> None:
    said = (
        "(lb1.conf: Line 5) Unable to set default user for vrrp script chk - removing",
        "(lb1.conf: Line 9) (V) track script chk not found, ignoring...",
    )
    removed, untracked = graded({"lb1": said}, {"lb1": ["chk"]})
    assert "script_user" in removed.cure
    assert "since it has removed it" in untracked.text
    (late,) = graded({"lb1": said[1:]}, {"lb1": ["chk"]})
    assert "only further down" in late.text


def test_a_script_that_is_defined_too_late_is_told_so() -> None:
    said = "(V) track script chk not found, ignoring..."

    (late,) = graded({"lb1": (said,)}, {"lb1": ["chk"]})
    (never,) = graded({"lb1": (said,)})

    assert late.remedy == "Define it above the instance that tracks it."
    assert "none is defined" in never.text


def test_a_mail_server_whose_name_only_directors_can_look_up_is_not_told() -> None:
    said = "(lb1.conf: Line 4) Invalid smtp server {} 25"
    assert graded({"lb1": (said.format("smtp.example.com"),)}) == []
    assert [found.name for found in graded({"lb1": (said.format("**"),)})] == ["keepalived-says"]
    assert graded({"lb1": (said.format("192.0.2.300"),)}) != []


@pytest.mark.parametrize(
    ("said", "name", "told"),
    [
        ("Unknown keyword 'priority=110'", "word-mistyped", "meant to be priority 110"),
        (
            "Unknown keyword 'mcast_src_ip=192.168.10.80'",
            "word-mistyped",
            "meant to be mcast_src_ip 192.168.10.80",
        ),
        ("Unknown keyword 'colour=green'", "keepalived-ignored", "colour=green"),
        ("Unknown keyword '\ufeff'", "keepalived-ignored", "begins with a byte order mark"),
        ("Unknown keyword '\ufeffglobal_defs'", "keepalived-changed", "first word, global_defs"),
        (
            "(V) notify_master script already specified - ignoring /etc/keepalived/fault.sh",
            "keepalived-changed",
            "ignoring /etc/keepalived/fault.sh",
        ),
    ],
)
def test_what_a_line_loses_is_named(said: str, name: str, told: str) -> None:
    (found,) = graded({"lb1": (f"(lb1.conf: Line 9) {said}",)})
    assert found.name == name
    assert told in found.text


def test_a_word_is_told_once_with_all_its_places() -> None:
    said = tuple(f"(lb1.conf: Line {number}) Unknown keyword 'nat_mask'" for number in (3, 9))
    (found,) = graded({"lb1": said})
    assert found.where == "lb1.conf:3, lb1.conf:9"


def test_what_is_said_of_a_number_and_of_its_word_is_one_thing() -> None:
    said = (
        "(lb1.conf: Line 9) number '300' outside range [0, 255]",
        "(lb1.conf: Line 9) (V) Priority not valid!",
    )
    (found,) = graded({"lb1": said, "lb2": said})
    assert (found.name, found.where) == ("keepalived-changed", "lb1.conf:9")


@pytest.mark.parametrize(
    "word", ["vrrp_garp_interval '0' is invalid", "persistence_timeout invalid"]
)
def test_a_zero_that_is_refused_and_means_nothing_else_is_a_note(word: str) -> None:
    said = (
        "(lb1.conf: Line 9) number '0' outside range [1, 2678400]",
        f"(lb1.conf: Line 9) {word}",
    )
    (found,) = graded({"lb1": said})
    assert found.name == "keepalived-ignored"


@pytest.mark.parametrize(
    ("said", "cure"),
    [
        ("PARSER : unknown [dr] routing method for virtual server.", "in capitals"),
        ("PARSER : unknown [dr] routing method for real server.", "in capitals"),
        ("Sync group G has no virtual router(s). removing", "group { ... }"),
    ],
)
def test_what_is_not_taken_has_a_cure(said: str, cure: str) -> None:
    (found,) = graded({"lb1": (said,)})
    assert cure in found.cure


def test_a_change_has_a_cure_of_its_own_where_one_is_known() -> None:
    lines = (
        "(V) Warning - nopreempt will not work with initial state MASTER - clearing",
        "(V) something is invalid",
    )
    cures = [found.remedy for found in graded({"lb1": lines})]
    assert cures == [
        "Write state BACKUP beside nopreempt, on all directors.",
        KINDS["keepalived-changed"].cure,
    ]


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("(V) unknown state 'SLAVE', defaulting to BACKUP", "keepalived-ignored"),
        ("(V) unknown state 'MASTRE', defaulting to BACKUP", "keepalived-changed"),
        (
            "Cannot specify scope for IPv6 addresses (fe80::1/64) - ignoring scope",
            "keepalived-ignored",
        ),
        (
            "virtual server [W]:0:[10.1.1.1,443] and real server [10.1.1.2]:tcp:80 ports don't"
            " match",
            "keepalived-says",
        ),
        (
            "WARNING - virtual server [1.1.1.1]:tcp:80 and real server [2.2.2.2]:tcp:8080 ports"
            " don't match - resetting",
            "keepalived-changed",
        ),
    ],
)
def test_what_comes_to_the_same_is_no_finding(said: str, name: str) -> None:
    assert [finding.name for finding in graded({"lb1": (said,)})] == [name]


@pytest.mark.parametrize(("times", "name"), [(1, "keepalived-ignored"), (2, "keepalived-changed")])
def test_an_instance_that_is_there_once_is_no_duplicate(times: int, name: str) -> None:
    """keepalived 2.2.7 reads a file twice that the last line includes."""
    (found,) = graded(
        {"lb1": ("(a.conf: Line 1) vrrp instance V already defined",)}, {"lb1": ["V"] * times}
    )

    assert found.name == name
