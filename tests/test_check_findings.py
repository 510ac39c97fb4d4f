"""Findings: what differs between directors, what keepalived says, and what priorities cannot
do. Pure.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.check import catalogue, ways
from harness.check.arithmetic import bfd, weights
from harness.check.comparing import compare
from harness.check.facts import Ill, Reading
from harness.check.files import Configuration, load_all
from harness.check.finding import Finding, silenced
from harness.check.findings import _WAYS, of_text
from harness.check.kinds import FINDING, KINDS, NOTE
from harness.check.levels import graded
from harness.check.places import where
from harness.errors import HarnessError
from harness.topology.services import Destination, VirtualService
from harness.topology.tracking import TrackedBfd, VrrpScript
from harness.topology.vrrp import VrrpInstance

TEXT = b"""\
vrrp_script chk { # a comment
    script "/etc/keepalived/chek.sh"
    weight -5
}
vrrp_instance V {
    virtual_router_id 60
    advert_int 1
    authentication { auth_type PASS
        auth_pass secret
    }
    virtual_ipaddress {
        192.0.2.80/24
    }
}
virtual_server 192.0.2.80 80 {
    real_server 192.0.2.81 80 {
        weight 1
    }
}
"""
INSTANCE = VrrpInstance(
    name="V",
    vrid=60,
    priority=120,
    vip="192.0.2.80",
    vip_prefix=24,
    authentication="SIMPLE_PASSWORD",
)
SERVER = Destination("192.0.2.81", 80, method="DR")
SERVICE = VirtualService("192.0.2.80", delay_loop=3, real_servers=(SERVER,))
BACKUP = replace(INSTANCE, priority=110)


def tracking(weight: int, instance: VrrpInstance) -> VrrpInstance:
    return replace(instance, track_scripts=(VrrpScript(name="chk", script="/chk", weight=weight),))


def configuration(name: str, text: bytes = TEXT) -> Configuration:
    return Configuration(
        name, Path(f"{name}.conf"), {"/etc/keepalived/keepalived.conf": (text, 0o644)}, ()
    )


FILES = [configuration("lb1"), configuration("lb2")]


def named(one: Reading, other: Reading, files: list[Configuration] = FILES) -> list[str]:
    return [finding.name for finding in compare({"lb1": one, "lb2": other}, files)]


def test_directors_that_are_alike_have_no_finding() -> None:
    assert (
        named(Reading((INSTANCE,), services=(SERVICE,)), Reading((BACKUP,), services=(SERVICE,)))
        == []
    )


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("vips-differ", {"vip": "192.0.2.88"}),
        ("advert-int-differs", {"advert_int": 2}),
        ("version-differs", {"version": 3}),
        ("auth-differs", {"authentication": "none"}),
        ("unicast-differs", {"unicast_peers": ("192.0.2.11",)}),
        ("priority-same", {"priority": 120}),
        ("interface-differs", {"interface": "eth1"}),
        ("vrid-differs", {"vrid": 61}),
    ],
)
def test_what_differs_between_instances_is_named(name: str, change: dict[str, object]) -> None:
    other = replace(BACKUP, **change)  # type: ignore[arg-type]
    assert set(named(Reading((INSTANCE,)), Reading((other,)))) == {name}


def test_another_interval_is_no_finding_where_the_version_takes_the_master_s() -> None:
    one, other = replace(INSTANCE, version=3), replace(BACKUP, version=3, advert_int=2)
    assert named(Reading((one,)), Reading((other,))) == []


def test_another_password_is_a_finding_by_its_first_eight_bytes() -> None:
    pair = Reading((INSTANCE,)), Reading((BACKUP,))
    other = configuration("lb2", TEXT.replace(b"secret", b"secret2"))
    assert named(*pair, [FILES[0], other]) == ["auth-differs"]
    long = [
        configuration(name, TEXT.replace(b"secret", b"12345678" + end))
        for name, end in (("lb1", b"a"), ("lb2", b"b"))
    ]
    assert named(*pair, long) == []


def test_two_clusters_of_one_vrid_are_not_compared() -> None:
    stranger = replace(BACKUP, name="other", vip="192.0.2.99")
    files = [FILES[0], configuration("lb2", TEXT.replace(b"secret", b"other"))]
    assert named(Reading((INSTANCE,)), Reading((stranger,)), files) == []


def test_one_vrid_on_two_lans_is_two_virtual_routers() -> None:
    def on(interface: str, address: str, priority: int, weight: int) -> VrrpInstance:
        return replace(
            tracking(weight, INSTANCE), interface=interface, vip=address, priority=priority
        )

    one = Reading((on("eth0", "192.0.2.80", 120, -50), on("eth1", "198.51.100.80", 90, -50)))
    other = Reading((on("eth1", "198.51.100.80", 110, -50), on("eth0", "192.0.2.80", 100, -50)))
    assert named(one, other) == []
    assert weights({"lb1": one, "lb2": other}, FILES) == []


def test_two_families_may_have_one_vrid() -> None:
    six = replace(INSTANCE, name="V6", version=3, vip="2001:db8::80")
    one, other = Reading((INSTANCE, six)), Reading((BACKUP, replace(six, priority=110)))
    assert named(one, other) == []


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("scheduler-differs", replace(SERVICE, scheduler="wlc")),
        ("lb-kind-differs", replace(SERVICE, real_servers=(replace(SERVER, method="NAT"),))),
        ("weights-differ", replace(SERVICE, real_servers=(replace(SERVER, weight=2),))),
        (
            "real-servers-differ",
            replace(SERVICE, real_servers=(SERVER, replace(SERVER, address="192.0.2.82"))),
        ),
        ("persistence-differs", replace(SERVICE, persistence_timeout=60)),
    ],
)
def test_what_differs_between_services_is_named(name: str, service: VirtualService) -> None:
    assert named(Reading(services=(SERVICE,)), Reading(services=(service,))) == [name]


def test_a_service_of_one_director_is_named_with_its_line() -> None:
    mark = replace(SERVICE, vip="", fwmark=7)
    found = compare(
        {"lb1": Reading(services=(SERVICE,)), "lb2": Reading(services=(SERVICE, mark))}, FILES
    )
    assert [finding.text for finding in found] == ["mark 7 is only on lb2: lb1 lacks it"]
    found = compare({"lb1": Reading(services=(SERVICE,)), "lb2": Reading(services=(mark,))}, FILES)
    assert found[0].where == "lb1.conf:15"


def test_a_service_that_a_director_has_twice_is_named_with_both_its_lines() -> None:
    udp, mark = replace(SERVICE, protocol="UDP"), replace(SERVICE, vip="", fwmark=7)
    text = TEXT + b"virtual_server 192.0.2.80 80 {\n}\n"

    def found(*services: VirtualService) -> list[tuple[str, str]]:
        files = [configuration("lb1", text)]
        told = of_text({"lb1": Reading(services=services)}, {}, files)
        return [(each.text, each.where) for each in told if each.name == "service-twice"]

    other = replace(SERVICE, real_servers=())
    assert found(SERVICE, other) == [("lb1 has 192.0.2.80:80 2 times", "lb1.conf:15, lb1.conf:20")]
    assert found(SERVICE, udp, mark, mark) == []


def test_a_weight_below_the_gap_is_a_finding_with_the_weight_that_would_do() -> None:
    master = tracking(-5, INSTANCE)
    (found,) = weights({"lb1": Reading((master,)), "lb2": Reading((BACKUP,))}, FILES)
    assert (found.name, found.where) == ("weight-below-gap", "lb1.conf:3")
    assert "falls from 120 to 115, which is still above 110 of lb2" in found.text
    assert "-11" in found.cure


def test_a_weight_as_large_as_the_gap_is_one_too_small() -> None:
    """A backup takes over from a lower priority only, not from its own."""
    master = tracking(-10, INSTANCE)
    (found,) = weights({"lb1": Reading((master,)), "lb2": Reading((BACKUP,))}, FILES)
    assert "falls from 120 to 110, which is no lower than 110 of lb2" in found.text
    assert "-11" in found.cure


def test_priorities_end_at_254_before_anything_fails_and_not_twice() -> None:
    """230 and 60 are 254, and without the 60 it is 230, not 194."""
    master, backup = (tracking(60, replace(INSTANCE, priority=value)) for value in (230, 150))
    (found,) = weights({"lb1": Reading((master,)), "lb2": Reading((backup,))}, FILES)
    assert "falls from 254 to 230, which is still above 210 of lb2" in found.text
    assert "A weight of 81 would move it" in found.cure


def test_a_positive_weight_that_the_backup_does_not_have_cannot_be_large_enough() -> None:
    master = tracking(2, INSTANCE)
    (found,) = weights({"lb1": Reading((master,)), "lb2": Reading((BACKUP,))}, FILES)
    assert "A weight of -11 would move it" in found.cure


@pytest.mark.parametrize("weight", [-11, -30, 0])
def test_a_weight_that_moves_the_vip_is_none(weight: int) -> None:
    master = tracking(weight, INSTANCE)
    assert weights({"lb1": Reading((master,)), "lb2": Reading((BACKUP,))}, FILES) == []


def test_a_positive_weight_counts_while_the_script_succeeds() -> None:
    master, backup = (tracking(2, replace(INSTANCE, priority=value)) for value in (101, 100))
    assert weights({"lb1": Reading((master,)), "lb2": Reading((backup,))}, FILES) == []


def test_a_backup_with_nopreempt_does_not_take_over_from_a_lower_priority() -> None:
    master, backup = tracking(-30, INSTANCE), replace(BACKUP, nopreempt=True)
    (found,) = weights({"lb1": Reading((master,)), "lb2": Reading((backup,))}, FILES)
    assert found.name == "nopreempt-with-weight"


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


def test_a_script_that_fails_here_is_told_once_and_one_that_needs_a_shell_is_a_finding() -> None:
    script = VrrpScript(name="chk", script="mysqladmin ping")

    def told(ill: Ill) -> list[Finding]:
        reading = Reading((INSTANCE,), (script,), ill=(ill,))
        other = Reading((BACKUP,), (script,), ill=(ill,))
        return list(of_text({"lb1": reading, "lb2": other}, {}, FILES))

    (found,) = told(Ill("chk", 1, "no server"))
    assert (found.name, found.where) == ("script-fails-here", "lb1.conf:2, lb2.conf:2")
    assert "--set rest.chk=runs" in found.cure
    (found,) = told(Ill("chk", 127, "nothing", needs_shell=True))
    assert found.name == "script-needs-shell"
    (found,) = told(Ill("chk", -24, "nothing, and computes without end", endless=True))
    assert (found.name, found.kind.level) == ("script-never-ends", FINDING)


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


def test_a_script_that_never_ends_is_told_once_for_all_directors() -> None:
    ill = Ill("/etc/keepalived/chek.sh", -15, "more than anybody reads", endless=True)
    one, other = (Reading((instance,), endless=(ill,)) for instance in (INSTANCE, BACKUP))
    (found,) = of_text({"lb1": one, "lb2": other}, {}, FILES)
    assert (
        found.text
        == "/etc/keepalived/chek.sh is run, which never ends: it says more than anybody reads"
    )
    assert found.where == "lb1.conf:2, lb2.conf:2"


HAPROXY = VrrpScript(name="chk", script="killall -0 haproxy")
STRICT = configuration("lb1", b"global_defs {\n  vrrp_strict\n}\n" + TEXT)


@pytest.mark.parametrize(
    ("change", "scripts", "services", "names"),
    [
        ({}, (), (SERVICE,), ["vip-drops-requests"]),
        ({}, (), (), ["vip-accepts-nothing"]),
        ({"track_scripts": (HAPROXY,)}, (HAPROXY,), (), ["vip-drops-requests"]),
        ({"priority": 255}, (), (SERVICE,), []),
        ({"accepts": True}, (), (SERVICE,), []),
    ],
    ids=["a service", "a gateway", "haproxy beside it", "owner", "accept"],
)
def test_a_vip_at_which_nothing_is_accepted_matters_where_something_is_asked(
    change: dict[str, object],
    scripts: tuple[VrrpScript, ...],
    services: tuple[VirtualService, ...],
    names: list[str],
) -> None:
    instance = replace(INSTANCE, **{"accepts": False, **change})  # type: ignore[arg-type]
    found = of_text({"lb1": Reading((instance,), scripts, services)}, {}, [STRICT])
    assert [each.name for each in found] == names
    assert all(each.where == "lb1.conf:2" for each in found)


def test_pidof_is_told_of(tmp_path: Path) -> None:
    reading = Reading((INSTANCE,), (VrrpScript(name="chk", script="pidof nginx"),))
    other = Reading((BACKUP,), reading.scripts)
    (found,) = of_text({"lb1": reading, "lb2": other}, {}, FILES)
    assert found.name == "pidof-on-debian"


def test_a_mistyped_script_is_named_with_what_was_probably_meant(tmp_path: Path) -> None:
    (tmp_path / "lb1.conf").write_bytes(TEXT)
    (tmp_path / "check.sh").touch()
    files = load_all([str(tmp_path / "lb1.conf")])
    (found,) = of_text({"lb1": Reading((INSTANCE,))}, {}, files)
    assert found.name == "script-missing"
    assert "check.sh is, and may be meant" in found.text
    assert found.where.endswith("lb1.conf:2")


def test_places_are_found_in_their_blocks() -> None:
    assert where(FILES[0], "weight", block="vrrp_script chk") == "lb1.conf:3"
    assert where(FILES[0], "weight", block="real_server 192.0.2.81") == "lb1.conf:17"
    assert where(FILES[0], "", block="vrrp_instance V", value="192.0.2.80") == "lb1.conf:12"
    assert where(FILES[0], "auth_pass") == "lb1.conf:9"
    assert where(FILES[0], "nothing") == ""


@pytest.mark.parametrize(
    "blank",
    [
        *("<your_interface>", "<VIP>/24", "${VIP}", "{{ vip }}", "<%= @vip %>", "%VIP%", "@@VIP@@"),
        *("<virtual_ip>", "<interface>:1", "[main_ip]/24", "@STATE@", "{$VIP}", "XXX.XXX.XXX.XXX"),
        *("XX.XX.XX.88/32", "10.xx.1xx1.xxx", "192.168.1.x"),
    ],
)
def test_a_template_is_refused_with_its_line(blank: str, tmp_path: Path) -> None:
    file = tmp_path / "lb1.conf"
    file.write_text(f"vrrp_instance V {{\n    priority {blank}\n}}\n")
    with pytest.raises(
        HarnessError, match=r"lb1.conf:2: this is a template that has not been filled in"
    ):
        load_all([str(file)])


@pytest.mark.parametrize(
    "script",
    [
        "/bin/sh -c 'ps ax | grep [n]ginx'",
        "</dev/tcp/127.0.0.1/80",
        "/bin/sh -c 'curl -s localhost | grep \"<title>\"'",
        "/usr/bin/test -x /opt/1.2.x.sh",
        "/bin/sh -c '[ -f /etc/keepalived/down ]'",
    ],
)
def test_what_only_looks_like_a_template_is_none(script: str, tmp_path: Path) -> None:
    file = tmp_path / "lb1.conf"
    file.write_text(f'vrrp_script chk {{\n    script "{script}"\n}}\nvrrp_instance V {{\n}}\n')
    assert load_all([str(file)])


def test_variables_that_the_file_defines_are_no_template(tmp_path: Path) -> None:
    file = tmp_path / "lb1.conf"
    file.write_text(
        "$VIP=192.0.2.80\n@lb1 $PRIO = 200\n"
        "vrrp_instance V {\n  priority ${PRIO}\n  virtual_ipaddress {\n  ${VIP}\n } # {{ a"
        " comment }}\n}\n"
    )
    assert load_all([str(file)])


def test_a_finding_needs_a_kind() -> None:
    with pytest.raises(ValueError, match="no kind of finding"):
        Finding("nonsense", "text")


def test_every_kind_has_a_level_and_sentences() -> None:
    for name, kind in KINDS.items():
        assert re.fullmatch(r"[a-z0-9-]+", name)
        assert kind.level in (FINDING, NOTE)
        assert kind.meaning.endswith(".")
        assert kind.cure.endswith(".")


def test_all_that_is_amiss_with_ways_is_a_finding() -> None:
    source = Path(ways.__file__).read_text()
    assert set(re.findall(r'yield Amiss\(\s*"([^"]+)"', source)) == set(_WAYS)
    assert set(_WAYS.values()) <= set(KINDS)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (["a"], "is a table"),
        ({"nonsense": "why"}, "there is no such finding"),
        ({"vips-differ": ""}, "say why"),
        ({"vips-differ": 1}, "say why"),
    ],
)
def test_silencing_takes_a_name_and_a_reason(table: object, told: str) -> None:
    with pytest.raises(HarnessError, match=told):
        silenced(table, "lvs-harness.toml")


def test_the_page_about_check_has_every_finding() -> None:
    page = (Path(__file__).parents[1] / "docs/check.md").read_text("utf-8")
    assert catalogue.with_table(page) == page, "out of date: make docs"


def test_a_peer_that_is_not_where_the_other_speaks_from_is_named() -> None:
    one = replace(INSTANCE, source="192.0.2.1", unicast_peers=("192.0.2.2",))
    other = replace(BACKUP, source="192.0.2.2", unicast_peers=("192.0.2.3",))

    assert named(Reading((one,)), Reading((other,))) == ["peer-differs"]
    assert (
        named(Reading((one,)), Reading((replace(other, unicast_peers=("192.0.2.1", "192.0.2.3")),)))
        == []
    )


def test_two_databases_that_each_director_has_alone_are_the_directors_themselves() -> None:
    also = replace(SERVICE, real_servers=(replace(SERVER, address="192.0.2.82"),))

    assert (
        named(Reading((INSTANCE,), services=(SERVICE,)), Reading((BACKUP,), services=(also,))) == []
    )


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


def test_a_script_that_is_defined_too_late_is_told_so() -> None:
    said = "(V) track script chk not found, ignoring..."

    (late,) = graded({"lb1": (said,)}, {"lb1": ["chk"]})
    (never,) = graded({"lb1": (said,)})

    assert late.remedy == "Define it above the instance that tracks it."
    assert "none is defined" in never.text


@pytest.mark.parametrize(("times", "name"), [(1, "keepalived-ignored"), (2, "keepalived-changed")])
def test_an_instance_that_is_there_once_is_no_duplicate(times: int, name: str) -> None:
    """keepalived 2.2.7 reads a file twice that the last line includes."""
    (found,) = graded(
        {"lb1": ("(a.conf: Line 1) vrrp instance V already defined",)}, {"lb1": ["V"] * times}
    )

    assert found.name == name


def test_a_director_that_tracks_its_peer_by_bfd_cannot_take_over() -> None:
    one = Reading(
        (replace(INSTANCE, track_bfds=(TrackedBfd(name="peer"),)),),
        bfd_sources=("192.0.2.1",),
        bfd_neighbours=("192.0.2.2",),
    )
    other = Reading((BACKUP,), bfd_sources=("192.0.2.2",))
    weighted = replace(
        one, instances=(replace(INSTANCE, track_bfds=(TrackedBfd(name="peer", weight=20),)),)
    )
    router = replace(one, bfd_neighbours=("192.0.2.254",))

    assert [each.name for each in bfd({"lb1": one, "lb2": other}, FILES)] == ["bfd-of-the-peer"]
    assert not list(bfd({"lb1": weighted, "lb2": other}, FILES))
    assert not list(bfd({"lb1": router, "lb2": other}, FILES))
