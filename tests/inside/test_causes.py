"""A failure names its cause first: mistakes that people make, planted into the failover of a
pair.
"""

from __future__ import annotations

import re
import shutil
import textwrap
from dataclasses import dataclass, field

import pytest

from harness.kernels import choice
from harness.kernels.run import VARIABLE
from tests.inside.users import User

pytestmark = pytest.mark.usefixtures("lvs_kernel", "alone")

SCENARIO = """
    from harness import measures
    from harness.clock import Window
    from harness.faults import PowerOff
    from harness.keepalived import timers
    from harness.scenario import fresh_topology as topology
    from topologies.director_pair import DirectorPair


    def planted(cluster):
        pass


    @topology(DirectorPair, edits=EDITS)
    def test_it(cluster):
        planted(cluster)
        master, backup = cluster.settle()
        due = timers.takeover(backup.vrrp, announced=False)
        with cluster.client.load() as load, cluster.suffering(PowerOff(master)) as struck:
            took = backup.takes(cluster.vip, since=struck, until=due.latest)
            load.wait_answers(3, since=struck + took)
        assert took.within(due)
        longest = Window(0, due.latest + 2 * load.resolution)
        assert measures.outage(cluster.timeline) in cluster.within(longest)
"""
"""The README's, on a cluster that has a mistake in it."""

PRIORITIES = {"director1": 100, "director2": 90}
SCRIPT = '"/usr/bin/test ! -e /etc/keepalived/down"'


@dataclass(frozen=True)
class Mistake:
    """What is ``edited`` in a director's configuration, or ``run`` on a machine, by their names."""

    edited: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    run: dict[str, str] = field(default_factory=dict)


def edited(old: str, new: str, *names: str) -> Mistake:
    return Mistake(dict.fromkeys(names or ("director2",), ((old, new),)))


def rewritten(statement: str) -> Mistake:
    """The first director's advertisements leave otherwise than its keepalived has sent them."""
    chain = "add table ip t ; add chain ip t out { type filter hook postrouting priority 0 ; }"
    return Mistake(
        run={"director1": f"nft {chain} ; add rule ip t out ip protocol 112 {statement}"}
    )


MISTAKES: dict[str, Mistake] = {
    "VRID mismatch": edited("router_id 51", "router_id 52"),
    "foreign cluster with the same VRID": edited("172.16.10.50/32", "172.16.10.51/32"),
    "advert_int mismatch": edited("advert_int 1", "advert_int 2"),
    "authentication mismatch": edited("auth_pass", "auth_pass other"),
    "VRRP version mismatch": edited("interface eth0", "interface eth0\n    version 3"),
    "firewall drops advertisements": Mistake(
        run={"director2": "iptables-legacy -A INPUT -p 112 -j DROP"}
    ),
    "unicast and multicast mixed": edited(
        "interface eth0", "interface eth0\n    unicast_peer { 172.16.10.11 }"
    ),
    "unicast to an address at which keepalived does not listen": Mistake(
        {
            name: (("interface eth0", f"interface eth0\n    unicast_peer {{ {peer} }}"),)
            for name, peer in (("director1", "172.16.10.92"), ("director2", "172.16.10.11"))
        },
        run={"director2": "ip address add 172.16.10.92/24 dev eth0"},
    ),
    "tracked script fails at rest": edited(
        SCRIPT, '"/usr/bin/test -e /etc/keepalived/down"', "director1"
    ),
    "script that cannot be run": edited(SCRIPT, '"/usr/bin/env nothere"', "director1"),
    "health check fails at rest": edited(
        "172.16.10.21 80", "172.16.10.21 8080", "director1", "director2"
    ),
    "VIP missing on a real server": Mistake(
        run=dict.fromkeys(("web1", "web2"), "ip address delete 172.16.10.50/32 dev lo")
    ),
    "vrrp_strict drops what is sent to the VIP": edited(
        "smtp_alert off", "smtp_alert off\nvrrp_strict", "director1", "director2"
    ),
    "two address owners": Mistake(
        {
            name: ((f"priority {priority}", "priority 255"), ("state BACKUP", "state MASTER"))
            for name, priority in PRIORITIES.items()
        }
    ),
    "advertisement that everybody discards, by TTL": rewritten("ip ttl set 254"),
    "advertisement that everybody discards, by checksum": rewritten("@th,48,16 set 0xdead"),
}
"""What people do, by what it is to be called."""

UNRUN = "script not executable"
LEFT_OUT = {UNRUN: edited(SCRIPT, '"/usr/bin/nothere"', "director1")}
"""What settles, and is refused by then."""

UNNOTICED: dict[str, Mistake] = {
    "VIP with the wrong prefix": edited("172.16.10.50/32", "172.16.10.50/16", "director1"),
}
"""Mistakes with which this failover passes."""


@pytest.fixture
def user(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> User:
    for name in (choice.GUEST, VARIABLE):
        monkeypatch.delenv(name, raising=False)
    return User(pytester)


def named(cause: str, line: str) -> bool:
    name, _, way = cause.partition(", by ")
    return line.startswith(f"looks like: {name} (") and way in line


def test_the_first_line_of_a_failure_names_its_cause(user: User) -> None:
    if shutil.which("nft") is None:
        pytest.skip("no nft, with which advertisements are rewritten: apt-get install nftables")
    for number, cause in enumerate(MISTAKES):
        user.writes(f"test_{number:02}.py", planted(cause))

    result = user.runs("--tb=short")

    lines = [line.removeprefix("E   ") for line in result.outlines]
    titles = [
        number
        for number, line in enumerate(lines)
        if " test_it " in line and line.startswith("___")
    ]
    first = [
        next(line for line in lines[title + 1 :] if line.strip() and ".py:" not in line)
        for title in titles
    ]
    told = dict(zip(MISTAKES, first, strict=True))
    assert {cause: line for cause, line in told.items() if not named(cause, line)} == {}
    below = lines[lines.index(told["VRID mismatch"]) + 1 :][:4]
    wanted = [
        r"    at \d+\.\d{3} s director1: advert 51, priority 100",
        r"    at \d+\.\d{3} s director2: advert 52, priority 90",
        r"    director1: keepalived\.conf line \d+: virtual_router_id 51",
        r"    director2: keepalived\.conf line \d+: virtual_router_id 52",
    ]
    assert [
        bool(re.fullmatch(pattern, line)) for pattern, line in zip(wanted, below, strict=True)
    ] == [True] * 4, below


def test_a_failure_without_a_known_cause_is_told_as_it_is(user: User) -> None:
    text = textwrap.dedent(SCENARIO).replace(", edits=EDITS", "")
    user.writes("test_planted.py", text.replace("until=due.latest)", "until=0.5)"))

    result = user.runs("test_planted.py")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "looks like" not in result.stdout.str()


def planted(cause: str) -> str:
    mistake = (MISTAKES | LEFT_OUT | UNNOTICED)[cause]
    text = textwrap.dedent(SCENARIO).replace("EDITS", repr(mistake.edited))
    runs = [
        f"cluster.nodes[{name!r}].machine.run({command.split()!r})"
        for name, command in mistake.run.items()
    ]
    return text.replace("    pass\n", "".join(f"    {run}\n" for run in runs), 1) if runs else text


def marked(text: str, name: str) -> str:
    return f"import pytest\n{text}".replace(
        "@topology", f"@pytest.mark.diagnosis({name!r})\n@topology"
    )


def test_it_fails_if_strict_unless_its_author_has_said_that_it_is_meant(user: User) -> None:
    for number, cause in enumerate(UNNOTICED):
        user.writes(f"test_{number}.py", planted(cause))
        user.writes(f"test_{number}_meant.py", marked(planted(cause), cause))

    result = user.runs("--strict-diagnosis")

    result.assert_outcomes(passed=len(UNNOTICED), failed=len(UNNOTICED))
    for number, cause in enumerate(UNNOTICED):
        result.stdout.fnmatch_lines([f"FAILED test_{number}.py::test_it - looks like: {cause}*"])


def test_what_passes_on_a_cluster_that_looks_misconfigured_is_warned_of(user: User) -> None:
    """Once for all that have passed on it, but not for those that are meant to."""
    for number, cause in enumerate(UNNOTICED):
        text = planted(cause).replace("fresh_topology as topology", "topology")
        again = text[text.index("@topology") :].replace("test_it", "test_again")
        user.writes(f"test_{number}.py", text + again)
        user.writes(f"test_{number}_meant.py", marked(planted(cause), cause))

    result = user.runs()

    result.assert_outcomes(passed=3 * len(UNNOTICED), warnings=len(UNNOTICED))
    for number, cause in enumerate(UNNOTICED):
        told = f"*test_{number}.py:*: Misconfigured: looks like: {cause}*"
        result.stdout.fnmatch_lines([f"test_{number}.py::test_it", told])


def test_a_script_that_cannot_be_run_fails_what_wants_it(user: User) -> None:
    """Whoever settles the cluster, by keepalived's own line, and unless it is meant."""
    text = planted(UNRUN)
    user.writes("test_0.py", text)
    user.writes("test_1_meant.py", marked(text, UNRUN))

    result = user.runs("--tb=line")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*director1 leaves out a script that it cannot run: *"
            "/usr/bin/nothere cannot be accessed - No such file or directory; *"
        ]
    )


def test_a_mark_of_no_diagnosis_is_refused(user: User) -> None:
    user.writes(
        "test_it.py", marked(textwrap.dedent(SCENARIO).replace(", edits=EDITS", ""), "nonsense")
    )

    result = user.runs()

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "there is no diagnosis called 'nonsense'" in result.stderr.str() + result.stdout.str()
