"""What the text and the scripts of a configuration show is a finding, and every finding has a kind
with a level, a meaning and a cure. Pure.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.check import catalogue, ways
from harness.check.facts import Ill, Reading
from harness.check.files import load_all
from harness.check.finding import Finding, silenced
from harness.check.findings import _WAYS, of_text
from harness.check.kinds import FINDING, KINDS, NOTE
from harness.check.places import where
from harness.errors import HarnessError
from harness.topology.services import VirtualService
from harness.topology.tracking import VrrpScript
from tests.readings import BACKUP, FILES, INSTANCE, SERVICE, TEXT, configuration


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
