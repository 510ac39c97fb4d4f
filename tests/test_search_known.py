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
from harness.search.invariants.balance import TABLES
from harness.search.invariants.daemons import LIVE
from harness.search.invariants.editing import EDITED
from harness.search.invariants.election import FAULTY, TAKES, WAITS
from harness.search.invariants.rest import RESTORED
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

    def found(violation: Violation, config: str, version: str) -> str | None:
        return known(violation, (), known_to([config], {Version(version)}))

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


def test_a_check_without_a_route_takes_a_reload_of_the_same_director() -> None:
    name = "scenarios/regressions/test_check_without_a_route.py"
    defects = [each for each in KNOWN if each.reference == name]
    lost, other = step(0, "LoseAddress", "director1", lasts=5), step(1, "Reload", "director2")
    left = "director1 /proc/net/netlink: '16 00000000' became nothing"
    table = "the cluster settles: not until 9 s: director1's table of UDP 10.0.0.50:53 has {} "
    table += "instead of {'10.0.0.21:53': 1}"
    reload = step(1, "Reload", "director1")

    for violation in (Violation(AS_BEFORE, 0, left), Violation(AT_REST, 0, table)):
        assert known(violation, (lost, reload), defects) == name
        assert known(violation, (lost, other), defects) is None
        assert known(violation, (reload,), defects) is None
    at_first = Violation(AT_REST, 0, f"at first {table}")
    assert known(at_first, (lost, reload), defects) is None
    raw = left.replace("netlink", "raw")
    assert known(Violation(AS_BEFORE, 0, raw), (lost, reload), defects) is None


def test_a_link_lost_as_keepalived_starts_takes_a_vmac_and_a_group() -> None:
    name = "scenarios/regressions/test_link_lost_at_the_start.py"
    unplugged = step(0, "Unplug", "director1", lasts=6)
    steps = (step(0, "StopKeepalived", "director1"), unplugged)
    group, vmac = "vrrp_sync_group G {\n}\n", "vrrp_instance A {\n use_vmac vrrp.51\n}"
    says = Violation(FAULTY, 0, "director1 is FAULT of A, and all that it tracks is well")

    def found(text: str, version: str, done: tuple[Step, ...] = steps) -> str | None:
        return known(says, done, known_to([text], {Version(version)}))

    assert found(group + vmac, "2.3.3") == name
    assert found(group, "2.3.3") is None
    assert found(vmac, "2.3.3") is None
    assert found(vmac, "2.1.5") == name
    assert found(group + vmac, "2.3.3", (unplugged,)) is None
    assert found(group + vmac, "2.3.3", (unplugged, step(0, "Restart", "director2"))) is None


@pytest.mark.parametrize(
    ("edit", "after", "config", "version", "expected"),
    [
        ("no vrrp_instance VI_1", 0, "use_vmac vrrp.51", "2.3.4", True),
        ("VI_1 and VI_2 have each other's number", 0, "use_vmac vrrp.51", "2.2.7", True),
        ("use_vmac in vrrp_instance VI_1", 0, "", "2.2.7", True),
        ("no use_vmac vrrp.51 in vrrp_instance VI_1", 0, "use_vmac vrrp.51", "2.3.4", True),
        ("no vrrp_instance VI_1", 0, "use_vmac vrrp.51", "2.1.5", False),
        ("no vrrp_instance VI_1", 0, "", "2.3.4", False),
        ("no vrrp_instance VI_1", 4, "use_vmac vrrp.51", "2.3.4", False),
        ("no track_file in vrrp_instance VI_1", 0, "use_vmac vrrp.51", "2.3.4", False),
        ("no vrrp_sync_group G", 0, "use_vmac vrrp.51", "2.3.4", False),
    ],
)
def test_a_link_that_comes_back_during_an_edit_takes_one_of_a_vmac_at_that_moment(
    edit: str, after: float, config: str, version: str, expected: bool
) -> None:
    name = "scenarios/regressions/test_link_back_too_early.py"
    died = "a child of keepalived on director1 died: pid 4 exited due to segmentation fault"
    defects = known_to([config], {Version(version)})
    reconfigured = step(0, "Reconfigure", "director1", edit=edit)
    violation = Violation(LIVE, 0, f"{died} (SIGSEGV).")

    def found(node: str, text: Violation = violation, deed: str = "SetDown") -> bool:
        return known(text, (reconfigured, step(after, deed, node)), defects) == name

    assert found("director1") == found("director1", deed="DeleteVip") == expected
    assert not found("director2")
    assert not found("director1", Violation(LIVE, 0, died.replace("segmentation fault", "abort")))


@pytest.mark.parametrize(
    ("edit", "after", "config", "expected"),
    [
        ("virtual_router_id 61 in vrrp_instance VI_1", 0, "use_vmac vrrp.51", True),
        ("no vrrp_instance VI_1", 5, "use_vmac vrrp.51", True),
        ("no use_vmac vrrp.51 in vrrp_instance VI_1", 5, "use_vmac vrrp.51", True),
        ("use_vmac in vrrp_instance VI_1", 0, "", True),
        ("virtual_router_id 61 in vrrp_instance VI_1", 0, "", False),
        ("virtual_router_id 61 in vrrp_instance VI_1", 2, "use_vmac vrrp.51", False),
        ("priority 95 in vrrp_instance VI_1", 0, "use_vmac vrrp.51", False),
    ],
)
def test_a_vip_that_is_never_set_again_takes_an_edit_that_makes_a_vmac_at_that_moment(
    edit: str, after: float, config: str, expected: bool
) -> None:
    name = "scenarios/regressions/test_vip_deleted_during_a_reload.py"
    reconfigured = step(0, "Reconfigure", "director1", lasts=5, edit=edit)
    nobody = "fd00:10::51 is held by nobody, and should be by director1"
    shows = (
        Violation(HELD, 0, "director1 is MASTER of VI_2, and does not hold fd00:10::51"),
        Violation(AT_REST, 0, f"the cluster settles: not until 9 s: {nobody}"),
        Violation(RESTORED, 0, "fd00:10::51 was held by director1, and is held by nobody"),
    )
    others = (
        Violation(HELD, 0, "director1 is BACKUP of VI_2, and holds fd00:10::51"),
        Violation(AT_REST, 0, f"at first {nobody}"),
        Violation(RESTORED, 0, "fd00:10::51 was held by director1, and is held by director2"),
    )

    def found(violation: Violation, deed: str = "DeleteVip", node: str = "director1") -> bool:
        steps = (reconfigured, step(after, deed, node))
        return known(violation, steps, known_to([config], {Version("2.3.4")})) == name

    assert all(found(each) == expected for each in shows)
    assert not any(found(each, node="director2") for each in shows)
    assert not any(found(each, deed="Dump") for each in shows)
    assert not any(found(each) for each in others)


@pytest.mark.parametrize(
    ("deed", "config", "version", "expected"),
    [
        ("StopKeepalived", "use_vmac", "2.3.3", True),
        ("StopKeepalived", "use_vmac", "2.2.7", False),
        ("StopKeepalived", "", "2.3.3", False),
        ("Reload", "use_vmac", "2.3.3", False),
    ],
)
def test_a_link_that_comes_back_during_a_start_takes_one_that_makes_a_vmac(
    deed: str, config: str, version: str, expected: bool
) -> None:
    died = "a child of keepalived on director1 died: pid 4 exited due to segmentation fault"
    steps = (step(0, deed, "director1", lasts=4), step(1, "Unplug", "director1", lasts=3))

    found = known(Violation(LIVE, 0, died), steps, known_to([config], {Version(version)}))
    assert (found is not None) == expected


def test_a_sorry_server_that_a_kill_leaves_behind_is_known_and_no_other_table() -> None:
    steps = (step(0, "KillKeepalived", "director1", lasts=6),)

    def rests(has: str, instead: str) -> str | None:
        text = f"director1's table of TCP 10.0.0.50:80 has {{{has}}} instead of {{{instead}}}"
        return known(Violation(AT_REST, 0, text), steps)

    two = "'10.0.0.21:80': 1, '10.0.0.22:80': 1"
    assert rests(f"'10.0.0.30:80': 1, {two}", two) is not None
    assert rests("'10.0.0.21:80': 1", two) is None
    assert rests("'10.0.0.21:80': 1, '10.0.0.22:80': 2", two) is None
    assert rests("'10.0.0.30:80': 1, '10.0.0.22:80': 1", two) is None


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


def test_a_sorry_server_that_comes_with_a_check_s_removal_is_known_and_no_other_table() -> None:
    name = "scenarios/regressions/test_check_removed.py"

    def rests(edit: str, has: str, before: str = "not until 9 s") -> str | None:
        steps = (step(0, "Reconfigure", "director1", lasts=3, edit=edit),)
        text = f"{before}: director1's table of TCP 10.0.0.50:80 has {{{has}}} instead of "
        text += "{'10.0.0.21:80': 1, '10.0.0.22:80': 1}"
        config = "virtual_server { sorry_server 10.0.0.30 80 }"
        return known(Violation(AT_REST, 0, text), steps, known_to([config], {Version("2.3.4")}))

    removed = "no HTTP_GET in real_server 10.0.0.21 80, virtual_server 10.0.0.50 80"
    both = "'10.0.0.21:80': 0, '10.0.0.22:80': 1"
    assert rests(removed, f"{both}, '10.0.0.30:80': 1") == name
    soon = "no alpha in virtual_server group 10.0.0.50-80-TCP"
    assert rests(soon, f"{both}, '10.0.0.30:80': 1") == name
    assert rests(removed, both) is None
    assert rests(removed, f"{both}, '10.0.0.30:80': 0") is None
    assert rests("no real_server 10.0.0.21 80", f"{both}, '10.0.0.30:80': 1") is None
    assert rests(removed, f"{both}, '10.0.0.30:80': 1", "at first") is None


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
    ("deed", "down", "vmac", "vip", "version", "expected"),
    [
        ("Reload", "SetDown", "use_vmac", "fd00:10::50", "2.2.7", True),
        ("Reconfigure", "SetDown", "use_vmac", "fd00:10::50", "2.3.2", True),
        ("CrashVrrp", "SetDown", "use_vmac", "fd00:10::50", "2.2.3", True),
        ("Restart", "SetDown", "use_vmac", "fd00:10::50", "2.2.7", True),
        ("CrashCheckers", "SetDown", "use_vmac", "fd00:10::50", "2.2.7", False),
        ("Dump", "SetDown", "use_vmac", "fd00:10::50", "2.2.7", False),
        ("Reload", "Unplug", "use_vmac", "fd00:10::50", "2.2.7", False),
        ("Reload", "SetDown", "nopreempt", "fd00:10::50", "2.2.7", False),
        ("Reload", "SetDown", "use_vmac", "10.0.0.50", "2.2.7", False),
        ("Reload", "SetDown", "use_vmac", "fd00:10::50", "2.2.2", False),
        ("Reload", "SetDown", "use_vmac", "fd00:10::50", "2.3.3", False),
    ],
)
def test_it_is_known_when_an_instance_misses_an_ipv6_address_for_ever(
    deed: str, down: str, vmac: str, vip: str, version: str, expected: bool
) -> None:
    config = f"vrrp_instance A {{\n {vmac}\n virtual_ipaddress {{\n {vip}/64\n }}\n}}\n"
    config += "vrrp_instance B {\n virtual_ipaddress {\n fd00:10::51/128\n }\n}"
    steps = (step(0, down, "director1", lasts=3), step(1, deed, "director1"))
    elsewhere = (steps[0], step(1, deed, "director2"))
    defects = known_to([config], {Version(version)})
    name = "scenarios/regressions/test_vmac_without_an_address.py"
    shows = (
        Violation(FAULTY, 0, "director1 is FAULT of A, and all that it tracks is well"),
        Violation(RESTORED, 0, f"{vip} was held by director1, and is held by director2"),
        Violation(AT_REST, 0, f"not until 9 s: {vip} is held by nobody, and should be by A"),
    )
    unheeded = Violation(FAULTY, 0, "director1 is MASTER of A, and what it tracks has failed")
    never = Violation(AT_REST, 0, f"at first {vip} is held by nobody, and should be by director1")

    for each in shows:
        assert (known(each, steps, defects) == name) == expected
        assert known(each, elsewhere, defects) != name
    assert known(unheeded, steps, defects) is None
    assert known(never, steps, defects) is None


def test_an_inhibited_server_that_an_edit_takes_out_is_known_where_there_is_a_group() -> None:
    name = "scenarios/regressions/test_inhibited_server_removed.py"
    group, edit = (
        "virtual_server group G {\n",
        "no real_server fd00::22 80 in virtual_server group G",
    )
    inhibited = "real_server fd00::22 80 {\n inhibit_on_failure\n"
    read, tells = f"director1 has read: {edit}, and", "director1's table"
    rest = "director1's table of TCP [fd00::50]:80 has {'[fd00::21]:80': 2, '[fd00::22]:80': "
    stays = Violation(EDITED, 0, f"{read} TCP [fd00::50]:80 still has [fd00::22]:80")
    shows = (
        stays,
        Violation(TABLES, 0, f"{tells} T lacks [fd00::22]:80 with weight 1, which is well"),
        Violation(RESTORED, 0, f"{tells} T had S with weight 1, and has with weight 0"),
        Violation(AT_REST, 0, f"{rest}0}} instead of {{'[fd00::21]:80': 2, '[fd00::22]:80': 1}}"),
    )
    others = (
        Violation(EDITED, 0, f"{read} TCP [fd00::50]:80 still has [fd00::21]:80"),
        Violation(EDITED, 0, f"{read} still has TCP [fd00::50]:80"),
        Violation(TABLES, 0, f"{tells} T still has [fd00::22]:80, whose checks have failed"),
        Violation(RESTORED, 0, f"{tells} T had S with weight 1, and has not"),
        Violation(AT_REST, 0, f"{rest}1}} instead of {{'[fd00::21]:80': 0, '[fd00::22]:80': 1}}"),
        Violation(AT_REST, 0, f"at first {shows[-1].text}"),
    )

    def found(violation: Violation, config: str = group + inhibited, done: str = edit) -> bool:
        steps = (step(3, "Reconfigure", "director1", edit=done),)
        return known(violation, steps, known_to([config], {Version("2.3.3")})) == name

    assert all(found(each) for each in shows)
    assert not any(found(each) for each in others)
    assert not found(stays, group)
    assert not found(stays, f"virtual_server fd00::50 80 {{\n{inhibited}")
    assert not found(shows[1], done="no virtual_server group G")
    assert not found(shows[1], done="no real_server fd00::22 80 in virtual_server fd00::50 80")
