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


    @topology(DirectorPair, edits={"director2": (EDIT,)})
    def test_it(cluster):
        master, backup = cluster.master, cluster.backup
        due = timers.takeover(backup.vrrp, announced=False)
        with cluster.suffering(PowerOff(master)) as struck:
            took = cluster.wait_master(backup, since=struck, until=due.latest)
        assert took in cluster.within(due)
"""

MISTAKES = {
    "VRID mismatch": ("router_id 51", "router_id 52"),
    "foreign cluster with the same VRID": ("172.16.10.50/32", "172.16.10.51/32"),
    "advert_int mismatch": ("advert_int 1", "advert_int 2"),
    "authentication mismatch": ("auth_pass", "auth_pass other"),
    "VRRP version mismatch": ("interface eth0", "interface eth0\n    version 3"),
}


@pytest.fixture
def user(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> User:
    for name in (choice.GUEST, choice.HEADER, choice.RUN):
        monkeypatch.delenv(name, raising=False)
    return User(pytester)


@pytest.mark.parametrize("cause", MISTAKES)
def test_the_first_line_of_a_failure_names_its_cause(user: User, cause: str) -> None:
    text = textwrap.dedent(SCENARIO).replace("EDIT", repr(MISTAKES[cause]))
    user.writes("test_planted.py", text)

    result = user.runs("test_planted.py", "--tb=short")

    lines = [line.removeprefix("E   ") for line in result.outlines]
    (title,) = [number for number, line in enumerate(lines) if " test_it " in line and line.startswith("___")]
    first = next(line for line in lines[title + 1 :] if line.strip() and "test_planted.py" not in line)
    assert first.startswith(f"looks like: {cause} ("), result.stdout.str()


def test_a_failure_without_a_known_cause_is_told_as_it_is(user: User) -> None:
    text = textwrap.dedent(SCENARIO).replace(', edits={"director2": (EDIT,)}', "").replace("due.latest)", "0.5)")
    user.writes("test_planted.py", text.replace("DirectorPair)", "DirectorPair, priorities=(100, 90))"))

    result = user.runs("test_planted.py")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "looks like" not in result.stdout.str()
