"""What tells failures of a search apart, and which defects are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from harness.events import Advertisement, StateChanged
from harness.search.invariants import INVARIANTS, judge
from harness.search.invariants.addresses import HELD
from harness.search.invariants.advertising import ACTS, PACE
from harness.search.invariants.daemons import LIVE
from harness.search.invariants.election import TAKES, WAITS
from harness.search.invariants.states import FAULTY
from harness.search.judging import AS_BEFORE, AT_REST, Signature
from harness.search.known import KNOWN, Known, known, known_to
from harness.search.observed import Violation
from harness.search.sequence import Step, step
from harness.topology import TrackedFile
from tests.stories import of
from tests.story import quiet


def test_signatures_leave_out_numbers_and_which_node_it_was() -> None:
    texts = ("director1 holds 10.0.0.1 for 3.25 s", "director2 holds 10.0.0.9 for 12 s")

    assert len({Signature.of(Violation("owner", 1.0, text)) for text in texts}) == 1
    assert Signature.of(Violation("owner", 1.0, texts[0])) != Signature.of(
        Violation("other", 1.0, texts[0])
    )


def test_known_defects_hide_nothing_else() -> None:
    crash, reload = step(0, "CrashVrrp", "director1", times=2), step(0, "Reload", "director1")
    needed = (frozenset({"CrashVrrp", "CrashCheckers"}), frozenset({"Reload"}))
    defects = (Known("#1", "owner", r"^director1 sleeps", needed),)
    sleeps = Violation("owner", 0, "director1 sleeps")

    assert known(sleeps, (crash, reload), defects) == "#1"
    assert known(sleeps, (crash,), defects) is None
    assert known(sleeps, (crash, step(0, "Reload", "director2")), defects) is None
    assert known(Violation("owner", 0, "director1 wakes"), (crash, reload), defects) is None
    assert known(Violation("other", 0, "director1 sleeps"), (crash, reload), defects) is None


def test_a_defect_of_an_edit_is_known_by_what_that_is_called() -> None:
    defects = (Known("#3", "owner", "sleeps", edit="first VIP"),)
    sleeps = Violation("owner", 0, "director1 sleeps")

    def edited(name: str) -> tuple[Step, ...]:
        return (step(0, "Reconfigure", "director1", lasts=3, edit=name),)

    assert known(sleeps, edited("A and B have each other's first VIP"), defects) == "#3"
    assert known(sleeps, edited("priority 95 in vrrp_instance A"), defects) is None


def test_a_defect_of_two_deeds_may_take_them_at_one_time() -> None:
    needed = (frozenset({"CrashVrrp"}), frozenset({"Restart", "PowerOff"}))
    defects = (Known("#4", "owner", "sleeps", needed, within=2.0),)
    sleeps = Violation("owner", 0, "director1 sleeps")

    def crashed(after: float, name: str, lasts: float = 0.0) -> str | None:
        steps = (
            step(3, name, "director1", lasts=lasts),
            step(after, "CrashVrrp", "director1", times=1),
        )
        return known(sleeps, steps, defects)

    assert crashed(1, "Restart") == crashed(6, "PowerOff", 5) == "#4"
    assert crashed(3, "Restart") is crashed(9, "PowerOff", 5) is None


def test_a_defect_is_known_where_a_configuration_and_a_version_can_have_it() -> None:
    defect = Known("#2", "owner", "sleeps", config="vrrp_script", present=">2.2.7")

    assert defect.possible(["", "vrrp_script chk {}"], {Version("2.3.3"), Version("2.2.7")})
    assert not defect.possible(["vrrp_script chk {}"], {Version("2.2.7")})
    assert not defect.possible(["", ""], {Version("2.3.3")})


def test_known_defects_show_in_what_is_judged_and_have_a_file() -> None:
    for defect in KNOWN:
        assert defect.invariant in {*INVARIANTS, AT_REST, AS_BEFORE}
        assert (Path(__file__).parent.parent / defect.reference).is_file()


def test_a_group_of_owners_that_starts_is_known_and_no_group_that_becomes_master_again() -> None:
    (at_start,) = [each for each in KNOWN if "from their start on, and" in each.text]

    def told(are: str) -> str | None:
        text = f"all instances of G on director1 {are}, and nobody is told"
        return known(Violation(at_start.invariant, 0, text), (), [at_start])

    assert told("are master from their start on") == at_start.reference
    assert told("are master") is None


def test_a_master_that_hangs_is_known_where_it_has_a_sync_daemon() -> None:
    name = "scenarios/regressions/test_sync_daemon_stopped_at_once.py"
    hangs = "director2 has been master of VI_1 for 0.001 s, hears that 10.0.0.11 claims 254,"
    silent = "director2 advertised VI_1, and then not for more than 1 s"

    def found(
        violation: Violation, config: str, version: str, steps: tuple[Step, ...] = ()
    ) -> str | None:
        return known(violation, steps, known_to([config], {Version(version)}))

    twice = Violation(
        AT_REST, 0, "10.0.0.50 is held by director1 and director2, and should be by director1"
    )
    owner, crash = "lvs_sync_daemon eth0 VI_1\npriority 255", (step(0, "CrashVrrp", "director1"),)
    assert found(twice, owner, "2.3.3", crash) == name
    assert found(twice, owner, "2.3.3", (step(0, "Unplug", "director1"),)) is None
    assert found(twice, owner.replace("255", "254"), "2.3.3", crash) is None
    stuck = Violation(ACTS, 0, f"{hangs} and neither yields nor advertises")
    assert found(stuck, "lvs_sync_daemon eth0 VI_1", "2.3.3") == name
    assert found(stuck, "", "2.3.3") is None
    quiet = Violation(AT_REST, 0, "director1 advertised last 3.070 s ago, and nobody since")
    assert found(quiet, "lvs_sync_daemon eth0 VI_1", "2.3.3") == name
    assert found(quiet, "", "2.3.3") is None
    later = Violation(ACTS, 0, stuck.text.replace(" 0.001 s", " 7.2 s"))
    assert found(later, "lvs_sync_daemon eth0 VI_1", "2.3.3") is None
    assert found(Violation(PACE, 0, silent), "lvs_sync_daemon eth0 VI_1", "2.3.3") is None


def test_a_master_is_held_up_by_a_backup_on_its_socket_whose_priority_changes() -> None:
    """The first director is master of VI_1, whose advertisement of 5.5 s is missing, and a backup
    of VI_2.
    """
    name = "scenarios/regressions/test_timer_of_another_instance.py"
    file = TrackedFile(name="claims", path="/run/claims", weight=1)
    written = step(5, "WriteNumber", "director1", file="claims", value=-20)

    def found(
        at: float = 5.2, state: Any = "BACKUP", claims: int = 0, **changed: Any
    ) -> str | None:
        story = quiet().without(of(Advertisement, "director1", 5.4, 5.6))
        director = story.setting.directors["director1"]
        (one,) = director.instances
        other = replace(one, name="VI_2", vrid=52, vip="172.16.10.60", track_files=(file,))
        both = replace(director, instances=(one, replace(other, **changed)))
        story.setting = replace(
            story.setting, directors={**story.setting.directors, "director1": both}
        )
        story.before.append(StateChanged(-4, "director1", instance="VI_2", state=state))
        story.act("WriteNumber", "director1", at, None, file="claims", path=file.path, value=-20)
        if claims:
            said: dict[str, Any] = {"vrid": 52, "addresses": "172.16.10.60", "priority": claims}
            story.advert("director2", 4.9, **said)
        late = [each for each in judge(story.observed()) if each.invariant == PACE]
        (violation,) = [each for each in late if "VI_1" in each.text]
        return known(violation, (written,))

    assert found() == found(claims=70) == name
    assert found(claims=110) is None  # what outranks it sets its timer, which is not the next then
    assert found(at=9.0) is None
    assert found(state="FAULT") is None
    assert found(interface="eth1") is found(vmac="vrrp.52") is None


@pytest.mark.parametrize(
    ("deed", "node", "version", "expected"),
    [
        ("Reload", "director1", "2.1.5", True),
        ("Reload", "director2", "2.1.5", False),
        ("Reload", "director1", "2.3.3", False),
        ("Dump", "director1", "2.1.5", False),
    ],
)
def test_a_reload_that_ends_the_startup_delay_is_known(
    deed: str, node: str, version: str, expected: bool
) -> None:
    config = "vrrp_startup_delay 4\nvrrp_instance A {\n state MASTER\n priority 255\n}"
    steps = (step(0, "CrashVrrp", "director1", times=1), step(0, deed, node))
    early = "director1 is master of A 0.219 s after its start, and was to wait for 3.219 s"
    late = "director1 has heard nothing of A that outranks it for 0.005 s, and is not master"
    backup = late.replace("0.005", "3.219")

    def told(invariant: str, text: str) -> bool:
        defects = known_to([config], {Version(version)})
        return known(Violation(invariant, 0, text), steps, defects) is not None

    assert told(WAITS, early) == told(TAKES, late) == expected
    assert not told(TAKES, backup)


@pytest.mark.parametrize(
    ("weight", "members", "priority", "version", "reference"),
    [
        (0, "A\n B", 100, "2.1.5", "script"),
        (1, "A\n B", 100, "2.2.1", "script"),
        (0, "A", 255, "2.1.5", "script"),
        (1, "A", 100, "2.1.5", "of_one"),
        (0, "A", 100, "2.1.5", None),
        (20, "A\n B", 100, "2.1.5", None),
        (0, "A\n B", 100, "2.2.2", None),
        (1, "A", 100, "2.2.3", None),
    ],
)
def test_it_is_known_which_tracked_files_a_version_does_not_heed(
    weight: int, members: str, priority: int, version: str, reference: str | None
) -> None:
    text = (
        f"track_file claims {{\n weight {weight}\n}}\nvrrp_sync_group G {{\n group {{\n {members}"
    )
    text += f"\n }}\n}}\nvrrp_instance A {{\n priority {priority}\n}}"
    steps = (step(0, "WriteNumber", "director1", lasts=3, file="claims", value=20),)
    says = Violation(FAULTY, 0, "director1 is MASTER of A, and what it tracks has failed")

    found = known(says, steps, known_to([text], {Version(version)}))

    folder = "scenarios/regressions/test_sync_group_"
    assert found == (reference and f"{folder}{reference}.py")


@pytest.mark.parametrize("version", ["2.1.5", "2.2.7", "2.3.4"])
def test_the_weight_of_an_interface_counts_in_a_sync_group_that_ignores_it(version: str) -> None:
    name = "scenarios/regressions/test_sync_group_interface_weight.py"
    tracks = "vrrp_instance A {\n track_interface {\n  eth1 weight -30\n }\n}\n"
    group = "vrrp_sync_group G {\n group {\n A\n B\n }\n}\n"
    unplugged = (step(0, "Unplug", "director1", lasts=6, interface="eth1"),)
    stays = "director1 is MASTER of A, and what it tracks has failed"

    def found(text: str, config: str = group + tracks) -> str | None:
        known_there = known_to([config], {Version(version)})
        return known(Violation(FAULTY, 0, text), unplugged, known_there)

    assert found(stays) == name
    assert found(stays.replace("MASTER", "BACKUP")) == name
    assert found("director1 is FAULT of A, and all that it tracks is well") is None
    assert found(stays, tracks) is None
    assert found(stays, group + tracks.replace(" weight -30", "")) is None
    heeded = group.replace(" }\n}", " }\n sync_group_tracking_weight\n}")
    assert found(stays, heeded + tracks) is None
    one = "scenarios/regressions/test_sync_group_of_one.py" if version < "2.2.3" else name
    assert found(stays, group.replace(" B\n", "") + tracks) == one
    reload = (step(0, "Reload", "director1"),)
    every = known_to([group + tracks], {Version(version)})
    assert known(Violation(FAULTY, 0, stays), reload, every) is None


@pytest.mark.parametrize(
    ("deed", "after", "source", "version", "dies", "stuck"),
    [
        ("Reload", 0.0, "unicast_src_ip fd00:10::11", "2.2.7", True, True),
        ("Reload", 1.5, "unicast_src_ip fd00:10::11", "2.2.7", False, True),
        ("Restart", 0.0, "unicast_src_ip fd00:10::11", "2.1.5", False, True),
        ("CrashVrrp", 0.0, "unicast_src_ip fd00:10::11", "2.2.7", False, True),
        ("Reload", 0.0, "unicast_src_ip fd00:10::11", "2.3.3", False, False),
        ("Reload", 0.0, "unicast_src_ip 172.16.10.11", "2.2.7", False, False),
        ("Reload", 0.0, "mcast_src_ip fd00:10::11", "2.2.7", False, False),
        ("Dump", 0.0, "unicast_src_ip fd00:10::11", "2.2.7", False, False),
    ],
)
def test_an_ipv6_source_address_is_missing_to_whoever_reads_its_configuration(
    deed: str, after: float, source: str, version: str, dies: bool, stuck: bool
) -> None:
    name = "scenarios/regressions/test_missing_source_address.py"
    config = f"vrrp_instance A {{\n    {source}\n    unicast_peer {{\n fd00:10::12\n }}\n}}"
    defects = known_to([config], {Version(version)})
    steps = (step(0, "SetDown", "director1", lasts=4), step(after, deed, "director1"))
    elsewhere = (steps[0], step(after, deed, "director2"))
    died = "a child of keepalived on director1 died: pid 4 exited due to segmentation fault"
    shows = {
        Violation(LIVE, 0, f"{died} (SIGSEGV)."): dies,
        Violation(FAULTY, 0, "director1 is FAULT of A, and all that it tracks is well"): stuck,
        Violation(AT_REST, 0, "not until 9 s: A is held by B, and should be by C"): stuck,
        Violation(AS_BEFORE, 0, "director1 /proc/net/raw6: '0070' became nothing"): stuck,
        Violation(FAULTY, 0, "director1 is MASTER of A, and what it tracks has failed"): False,
        Violation(AT_REST, 0, "at first A is held by nobody, and should be by B"): False,
    }

    for each, expected in shows.items():
        assert (known(each, steps, defects) == name) == expected
        assert known(each, elsewhere, defects) is None


@pytest.mark.parametrize(
    ("edit", "version", "expected"),
    [
        ("no vrrp_instance VI_2", "2.2.7", True),
        ("virtual_router_id 61 in vrrp_instance VI_2", "2.2.7", True),
        ("virtual_router_id 61 in vrrp_instance VI_2", "2.3.3", False),
        ("priority 95 in vrrp_instance VI_2", "2.2.7", False),
    ],
)
def test_a_vip_that_a_killed_process_has_left_is_known_where_an_edit_makes_another_instance(
    edit: str, version: str, expected: bool
) -> None:
    name = "scenarios/regressions/test_vip_found_by_a_reload.py"
    held = Violation(HELD, 0, "director1 is BACKUP of VI_2, and holds fd00:10::51")
    defects = known_to([""], {Version(version)})
    steps = (step(0, "CrashVrrp", "director1"), step(0, "Reconfigure", "director1", edit=edit))

    assert (known(held, steps, defects) == name) == expected
    assert known(held, steps[1:], defects) is None
