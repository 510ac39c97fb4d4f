"""A failure names its cause first: mistakes that people make, planted into the failover of a pair."""

from __future__ import annotations

import textwrap

import pytest

from harness.kernels import choice
from tests.inside.users import User

pytestmark = pytest.mark.usefixtures("lvs_kernel", "alone")

SCENARIO = """
    from harness.faults import PowerOff
    from harness.keepalived import timers
    from harness.scenario import topology
    from topologies.director_pair import DirectorPair


    @topology(DirectorPair, edits=EDITS)
    def test_it(cluster):
        master, backup = cluster.master, cluster.backup
        due = timers.takeover(backup.vrrp, announced=False)
        with cluster.suffering(PowerOff(master)) as struck:
            took = cluster.wait_master(backup, since=struck, until=due.latest)
        assert took.within(due)
"""

SCRIPT = '"/usr/bin/test ! -e /etc/keepalived/down"'
MISTAKES: dict[str, dict[str, tuple[str, str]]] = {
    "VRID mismatch": {"director2": ("router_id 51", "router_id 52")},
    "foreign cluster with the same VRID": {"director2": ("172.16.10.50/32", "172.16.10.51/32")},
    "advert_int mismatch": {"director2": ("advert_int 1", "advert_int 2")},
    "authentication mismatch": {"director2": ("auth_pass", "auth_pass other")},
    "VRRP version mismatch": {"director2": ("interface eth0", "interface eth0\n    version 3")},
    "tracked script fails at rest": {"director1": (SCRIPT, '"/usr/bin/test -e /etc/keepalived/down"')},
    "script that cannot be run": {"director1": (SCRIPT, '"/usr/bin/env nothere"')},
}
UNNOTICED: dict[str, dict[str, tuple[str, str]]] = {
    "script not executable": {"director1": (SCRIPT, '"/usr/bin/nothere"')},
    "VIP with the wrong prefix": {"director1": ("172.16.10.50/32", "172.16.10.50/16")},
}
"""Mistakes with which this failover passes."""


@pytest.fixture
def user(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> User:
    for name in (choice.GUEST, choice.HEADER, choice.RUN):
        monkeypatch.delenv(name, raising=False)
    return User(pytester)


@pytest.mark.parametrize("cause", MISTAKES)
def test_the_first_line_of_a_failure_names_its_cause(user: User, cause: str) -> None:
    user.writes("test_planted.py", planted(cause))

    result = user.runs("test_planted.py", "--tb=short")

    lines = [line.removeprefix("E   ") for line in result.outlines]
    (title,) = [number for number, line in enumerate(lines) if " test_it " in line and line.startswith("___")]
    first = next(line for line in lines[title + 1 :] if line.strip() and "test_planted.py" not in line)
    assert first.startswith(f"looks like: {cause} ("), result.stdout.str()


def test_a_failure_without_a_known_cause_is_told_as_it_is(user: User) -> None:
    text = textwrap.dedent(SCENARIO).replace(", edits=EDITS", "").replace("due.latest)", "0.5)")
    user.writes("test_planted.py", text.replace("DirectorPair)", "DirectorPair, priorities=(100, 90))"))

    result = user.runs("test_planted.py")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "looks like" not in result.stdout.str()


def planted(cause: str) -> str:
    edits = {name: (edit,) for name, edit in (MISTAKES | UNNOTICED)[cause].items()}
    return textwrap.dedent(SCENARIO).replace("EDITS", repr(edits))


def marked(text: str, name: str) -> str:
    return f"import pytest\n{text}".replace("@topology", f"@pytest.mark.diagnosis({name!r})\n@topology")


def test_it_fails_if_strict_unless_its_author_has_said_that_it_is_meant(user: User) -> None:
    for number, cause in enumerate(UNNOTICED):
        user.writes(f"test_{number}.py", planted(cause))
        user.writes(f"test_{number}_meant.py", marked(planted(cause), cause))

    result = user.runs("--strict-diagnosis")

    result.assert_outcomes(passed=2, failed=2)
    for number, cause in enumerate(UNNOTICED):
        result.stdout.fnmatch_lines([f"FAILED test_{number}.py::test_it - looks like: {cause}*"])


def test_a_mark_of_no_diagnosis_is_refused(user: User) -> None:
    user.writes("test_it.py", marked(textwrap.dedent(SCENARIO).replace(", edits=EDITS", ""), "nonsense"))

    result = user.runs()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "there is no diagnosis called 'nonsense'" in result.stderr.str() + result.stdout.str()
