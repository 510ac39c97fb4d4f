"""Which failures of a search are known defects of VMACs, and which are not."""

from __future__ import annotations

import pytest
from packaging.version import Version

from harness.search.invariants.addresses import HELD
from harness.search.invariants.advertising import TRUE
from harness.search.invariants.daemons import LIVE
from harness.search.invariants.election import TAKES
from harness.search.invariants.rest import RESTORED
from harness.search.invariants.states import FAULTY
from harness.search.judging import AT_REST
from harness.search.known import known, known_to
from harness.search.observed import Violation
from harness.search.sequence import Step, step


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


_TRACKS = "track_interface {\n eth1 weight -30\n }\n"


@pytest.mark.parametrize(
    ("deed", "edit", "after", "config", "expected"),
    [
        ("Restart", "", 1, f"use_vmac vrrp.51\n {_TRACKS}", True),
        ("PowerOff", "", 5, f"{_TRACKS}use_vmac vrrp.51", True),
        ("StopKeepalived", "", 0, f"{_TRACKS}}}\nvrrp_instance B {{\n use_vmac", True),
        ("Restart", "", 3, f"{_TRACKS}use_vmac vrrp.51", False),
        ("Restart", "", 0, f"use_vmac\n}}\nvrrp_instance B {{\n {_TRACKS}", False),
        ("Restart", "", 0, "track_interface {\n eth1\n }\nuse_vmac", False),
        ("Restart", "", 0, _TRACKS, False),
        ("Reload", "", 0, f"{_TRACKS}use_vmac", False),
        ("CrashVrrp", "", 0, f"{_TRACKS}use_vmac", False),
        ("Reconfigure", "virtual_router_id 61 in vrrp_instance A", 5, f"{_TRACKS}use_vmac", True),
        ("Reconfigure", "no use_vmac in vrrp_instance A", 5, f"{_TRACKS}use_vmac", True),
        ("Reconfigure", "no vrrp_instance A", 5, f"{_TRACKS}use_vmac", True),
        ("Reconfigure", "A and B have each other's number", 5, f"{_TRACKS}use_vmac", True),
        ("Reconfigure", "A has the VIPs of B, which is gone", 5, f"{_TRACKS}use_vmac", True),
        ("Reconfigure", "virtual_router_id 61 in vrrp_instance A", 7, f"{_TRACKS}use_vmac", False),
        ("Reconfigure", "use_vmac in vrrp_instance A", 5, f"{_TRACKS}use_vmac", False),
        ("Reconfigure", "priority 95 in vrrp_instance A", 5, f"{_TRACKS}use_vmac", False),
    ],
)
def test_a_weight_that_counts_twice_takes_a_vmac_that_is_made_as_the_link_changes(
    deed: str, edit: str, after: float, config: str, expected: bool
) -> None:
    name = "scenarios/regressions/test_link_weight_counted_twice.py"
    made = step(1, deed, "director1", lasts=5 if edit or deed == "PowerOff" else 0, edit=edit)
    held = "10.0.0.50 is held by director2, and should be by director1"
    outranks = "director1 has heard nothing of A that outranks it for 3.727 s, and is not master"
    shows = (
        Violation(AT_REST, 0, f"the cluster settles: not until 41.343 s: {held}"),
        Violation(RESTORED, 0, "10.0.0.50 was held by director1, and is held by director2"),
        Violation(TAKES, 0, outranks),
        Violation(TRUE, 0, "director1 advertises A with priority 130, and should with 100"),
    )
    others = (
        Violation(AT_REST, 0, f"at first {held}"),
        Violation(AT_REST, 0, f"not until 9 s: {held.replace('director2', 'nobody')}"),
        Violation(RESTORED, 0, "10.0.0.50 was held by director1, and is held by nobody"),
        Violation(TRUE, 0, "director1 advertises A with version 2 instead of 3"),
    )
    defects = known_to([f"vrrp_instance A {{\n {config}\n}}"], {Version("2.3.3")})

    def found(violation: Violation, node: str = "director1", loses: str = "Unplug") -> bool:
        return known(violation, (made, step(after, loses, node, lasts=9)), defects) == name

    assert all(found(each) == expected for each in shows)
    assert not any(found(each, node="director2") for each in shows)
    assert not any(found(each, loses="SetDown") for each in shows)
    assert not any(found(each) for each in others)


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


@pytest.mark.parametrize(
    ("edit", "config", "expected"),
    [
        ("no use_vmac in vrrp_instance A", "use_vmac\n unicast_peer", True),
        ("no use_vmac in vrrp_instance A", "unicast_peer", False),
        ("use_vmac in vrrp_instance A", "unicast_peer", True),
        ("use_vmac in vrrp_instance A", "", False),
        ("priority 95 in vrrp_instance A", "unicast_peer", False),
    ],
)
def test_a_vip_that_goes_with_its_vmac_is_known_where_an_edit_removes_that_at_one_end(
    edit: str, config: str, expected: bool
) -> None:
    name = "scenarios/regressions/test_vip_of_a_removed_vmac.py"
    gone = Violation(AT_REST, 0, "fd00:10::50 is held by nobody, and should be by director1")
    steps = (step(0, "Reconfigure", "director1", lasts=5, edit=edit),)
    defects = known_to([f"vrrp_instance A {{\n {config} {{ }}\n}}"], {Version("2.3.3")})

    assert (known(gone, steps, defects) == name) == expected
