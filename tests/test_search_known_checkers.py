"""Which failures of a search are known defects of checkers and IPVS tables, and which are not."""

from __future__ import annotations

from packaging.version import Version

from harness.search.invariants.balance import TABLES
from harness.search.invariants.editing import EDITED
from harness.search.invariants.rest import RESTORED
from harness.search.judging import AS_BEFORE, AT_REST
from harness.search.known import KNOWN, known, known_to
from harness.search.observed import Violation
from harness.search.sequence import step


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

    def found(
        violation: Violation,
        config: str = group + inhibited,
        done: str = edit,
        version: str = "2.3.3",
    ) -> bool:
        steps = (step(3, "Reconfigure", "director1", edit=done),)
        return known(violation, steps, known_to([config], {Version(version)})) == name

    inhibits = "inhibit_on_failure in real_server fd00::22 80, virtual_server group G"
    assert all(found(each) for each in shows)
    assert not any(found(each) for each in others)
    assert all(found(each, group, inhibits, "2.2.7") for each in shows[1:])
    assert not any(found(each, group, inhibits, "2.2.7") for each in others)
    assert not any(found(each, group, inhibits) for each in shows)
    assert not found(stays, group)
    assert not found(stays, f"virtual_server fd00::50 80 {{\n{inhibited}")
    assert not found(shows[1], done="no virtual_server group G")
    assert not found(shows[1], done="no real_server fd00::22 80 in virtual_server fd00::50 80")


def test_who_fails_its_first_check_after_a_kill_is_known_to_stay_with_alpha_alone() -> None:
    text = "director1's table TCP 10.0.0.50:80 still has 10.0.0.21:80, whose checks have failed"

    def stays(config: str, deed: str) -> str | None:
        defects = known_to([f"virtual_server {{\n    {config}\n}}"], {Version("2.3.4")})
        return known(Violation(TABLES, 0, text), (step(0, deed, "director1"),), defects)

    assert stays("alpha", "CrashCheckers") == "scenarios/regressions/test_alpha_after_a_kill.py"
    assert stays("alpha", "Restart") is None
    assert stays("quorum 1", "CrashCheckers") is None


def test_a_sorry_server_that_is_left_with_a_groups_entry_is_known_where_it_was_taken_out() -> None:
    name = "scenarios/regressions/test_group_entry_removed.py"
    config = "virtual_server_group G {\n}\nvirtual_server group G {\n sorry_server fd00::30 80\n"
    left, right = "{'[fd00::30]:80': 1, '[fd00::21]:80': 1}", "{'[fd00::21]:80': 1}"
    rests = Violation(AT_REST, 0, f"director1's table of T has {left} instead of {right}")

    def found(edit: str, version: str = "2.2.7") -> bool:
        steps = (step(3, "Reconfigure", "director1", edit=edit),)
        return known(rests, steps, known_to([config], {Version(version)})) == name

    assert found("no fd00::50 80 in virtual_server_group G")
    assert not found("no fd00::50 80 in virtual_server_group G", "2.3.3")
    assert not found("no real_server fd00::21 80 in virtual_server group G")
