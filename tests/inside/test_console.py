"""The prompt at a living cluster: Mininet's words, and what is wrong is told and is not the end."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from harness.cluster import Cluster
from harness.console import Console
from harness.faults import PowerOff
from harness.kernels import choice
from harness.scenario import topology
from harness.spec import Origin
from topologies.director_pair import VIP, DirectorPair

pytestmark = topology(DirectorPair)


def said(console: Console, line: str, capfd: pytest.CaptureFixture[str]) -> str:
    capfd.readouterr()
    assert not console.onecmd(line)
    return capfd.readouterr().out


def test_a_node_runs_a_command(cluster: Cluster, capfd: pytest.CaptureFixture[str]) -> None:
    master, console = cluster.settle().master, Console(cluster)
    assert f"TCP  {VIP}:80 rr" in said(console, f"{master.name} ipvsadm -Ln", capfd)
    assert said(console, f"client curl -s {VIP}", capfd) in ("web1\n", "web2\n")
    assert said(console, "web1 hostname", capfd) == "web1\n"
    assert said(console, "web1 false", capfd) == "(web1: false ended with 1)\n"


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("nodes", "available nodes are: director1 director2 web1 web2 client\n"),
        (
            "web9 ip address",
            "no such command or node: web9; did you mean web2? nodes: director1 director2 web1 web2"
            " client\n",
        ),
        (
            "pwoeroff director1",
            "no such command or node: pwoeroff; did you mean poweroff? nodes: director1 director2"
            " web1 web2 client\n",
        ),
        (
            "frobnicate",
            "no such command or node: frobnicate; nodes: director1 director2 web1 web2 client\n",
        ),
        ("web1", "say what web1 is to run: web1 ip address\n"),
        ("web1 nosuch", "web1: no such program: nosuch\n"),
        ("web1 'unfinished", "cannot read that: No closing quotation\n"),
        ("pass on", "say how many seconds: pass 5\n"),
        ("pass -3", "say how many seconds: pass 5\n"),
        ("pass inf", "say how many seconds: pass 5\n"),
        ("timeline all", "say how many events: timeline 50\n"),
        ("hang", "say which machine: hang MACHINE\n"),
        ("stophttpd director1", "StopHttpd befalls a real server, and director1 is none\n"),
        ("heal", "nothing suffers\n"),
        ("load much", "say how many requests a second, 1000 at most: load 20; or: load off\n"),
        ("reload web1", "web1 is no director: it has no keepalived.conf\n"),
        (
            "edit director1 one",
            'say what is to become of which text: edit director1 "priority 90" "priority 80"\n',
        ),
        ("link director1 wan down", "director1 is not wired to wan, but to lan\n"),
        ("link director1 lan up", "director1-eth0 is up already\n"),
        ("save it", "there is nothing to save: it began in a scenario\n"),
        ("capture ../it", None),
        ("py 1 / 0", "ZeroDivisionError: division by zero\n"),
        ("source nowhere", "cannot read nowhere: [Errno 2] No such file or directory: 'nowhere'\n"),
        ("", ""),
    ],
)
def test_what_is_wrong_is_told(
    cluster: Cluster, line: str, answer: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    told = said(Console(cluster), line, capfd)
    assert told == answer if answer is not None else "give a name, not a path" in told


def test_help_has_every_word_and_what_it_is_for(
    cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = said(Console(cluster), "help", capfd).splitlines()
    assert lines[0].split()[:2] == ["NODE", "COMMAND..."]
    said_of = {tuple(line.split("  ", 1)[0].split()): line for line in lines}
    assert said_of["pass", "SECONDS"].endswith("  Let time pass.")
    assert said_of["owners",].endswith("  Say who holds each VIP.")


def test_every_node_reaches_every_other(
    cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    assert "client -> director1 director2 web1 web2\n" in said(Console(cluster), "pingall", capfd)


def test_a_node_without_power_cannot_run_anything(
    cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    with cluster.suffering(PowerOff(cluster.real_servers[0])):
        assert "web1 is powered off" in said(Console(cluster), "web1 hostname", capfd)
        assert "(powered off)" in said(Console(cluster), "dump", capfd)


def test_time_passes_when_it_is_told_to(
    cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    before = time.monotonic()
    said(Console(cluster), "pass 2", capfd)
    assert 2 <= time.monotonic() - before < 2 + choice.REAL_TIME_SLACK


def test_a_command_has_no_input_in_virtual_time(
    cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    if not choice.virtual():
        pytest.skip("in real time a command has the terminal's input")
    before = time.monotonic()
    assert said(Console(cluster), "web1 cat", capfd) == ""
    assert time.monotonic() - before < choice.VIRTUAL_TIME_SLACK


def test_a_shells_line_runs_on_the_node(
    cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    console = Console(cluster)
    assert said(console, "web1 hostname | tr a-z A-Z && echo $((1 + 1))", capfd) == "WEB1\n2\n"
    assert said(console, "py cluster.owners()", capfd) == f"{cluster.owners()}\n"


def test_what_is_typed_becomes_a_scenario(
    cluster: Cluster, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A director whose wire is pulled and healed: the file compiles, and asserts what was found."""
    cluster.settle()
    console = Console(
        cluster,
        tmp_path,
        Origin(("from topologies.director_pair import DirectorPair",), "DirectorPair"),
    )
    assert "suffers from Unplug since" in said(console, "link web1 lan down", capfd)
    assert console.complete_heal("") == ["Unplug", "web1"]
    assert console.complete_heal("un") == ["Unplug"]
    assert "web1-eth0<->lan (unplugged)" in said(console, "links", capfd)
    said(console, "load 10", capfd)
    said(console, "pass 1", capfd)
    assert re.match(r"\d+ requests: ", said(console, "load off", capfd))
    assert "no longer suffers from Unplug" in said(console, "heal web1", capfd)
    cluster.settle()
    said(console, "web1 nosuch", capfd)
    said(console, "web1 hostname", capfd)
    said(console, "capture it", capfd)
    assert (tmp_path / "it.pcapng").stat().st_size > 1000
    said(console, "save it-works", capfd)
    text = (tmp_path / "test_it_works.py").read_text()
    compile(text, "test_it_works.py", "exec")
    assert f"assert cluster.owners({VIP!r}) == ['director1']" in text
    assert "nosuch" not in text, "what could not run at the prompt cannot in the scenario"
    deeds = (
        "with cluster.client.load(10):",
        "    cluster.timeline.let_pass(1)",
        "cluster.heal(fault1)",
        "web1.machine.run(['hostname'], check=False)",
    )
    assert "\n".join(f"    {deed}" for deed in deeds) in text


@pytest.mark.parametrize("line", ["exit", "quit", "EOF"])
def test_exit_goes_on(cluster: Cluster, line: str) -> None:
    assert Console(cluster).onecmd(line)
