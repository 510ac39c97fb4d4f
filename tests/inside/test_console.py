"""The prompt at a living cluster: Mininet's words, and what is wrong is told and is not the end."""

from __future__ import annotations

import time

import pytest

from harness.cluster import Cluster
from harness.console import Console
from harness.faults import PowerOff
from harness.kernels import choice
from harness.scenario import topology
from topologies.director_pair import VIP, DirectorPair

pytestmark = topology(DirectorPair)


def said(console: Console, line: str, capfd: pytest.CaptureFixture[str]) -> str:
    capfd.readouterr()
    assert not console.onecmd(line)
    return capfd.readouterr().out


def test_a_node_runs_a_command(cluster: Cluster, capfd: pytest.CaptureFixture[str]) -> None:
    master, console = cluster.master, Console(cluster)
    assert f"TCP  {VIP}:80 rr" in said(console, f"{master.name} ipvsadm -Ln", capfd)
    assert said(console, f"client curl -s {VIP}", capfd) in ("web1\n", "web2\n")
    assert said(console, "web1 hostname", capfd) == "web1\n"
    assert said(console, "web1 false", capfd) == "(web1: false ended with 1)\n"


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("nodes", "available nodes are: director1 director2 web1 web2 client\n"),
        ("web9 ip address", "no such command or node: web9; nodes: director1 director2 web1 web2 client\n"),
        ("web1", "say what web1 is to run: web1 ip address\n"),
        ("web1 nosuch", "web1: no such program: nosuch\n"),
        ("web1 'unfinished", "cannot read that: No closing quotation\n"),
        ("pass on", "say how many seconds: pass 5\n"),
        ("pass -3", "say how many seconds: pass 5\n"),
        ("pass inf", "say how many seconds: pass 5\n"),
        ("timeline all", "say how many events: timeline 50\n"),
        ("", ""),
    ],
)
def test_what_is_wrong_is_told(cluster: Cluster, line: str, answer: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert said(Console(cluster), line, capfd) == answer


def test_help_has_every_word_and_what_it_is_for(cluster: Cluster, capfd: pytest.CaptureFixture[str]) -> None:
    lines = said(Console(cluster), "help", capfd).splitlines()
    assert lines[0].split()[:2] == ["NODE", "COMMAND..."]
    assert "pass SECONDS     Let time pass." in lines
    assert "owners           Say who holds the VIP." in lines


def test_every_node_reaches_every_other(cluster: Cluster, capfd: pytest.CaptureFixture[str]) -> None:
    assert "client -> director1 director2 web1 web2\n" in said(Console(cluster), "pingall", capfd)


def test_a_node_without_power_cannot_run_anything(cluster: Cluster, capfd: pytest.CaptureFixture[str]) -> None:
    with cluster.suffering(PowerOff(cluster.real_servers[0])):
        assert "web1 is powered off" in said(Console(cluster), "web1 hostname", capfd)
        assert "(powered off)" in said(Console(cluster), "dump", capfd)


def test_time_passes_when_it_is_told_to(cluster: Cluster, capfd: pytest.CaptureFixture[str]) -> None:
    before = time.monotonic()
    said(Console(cluster), "pass 2", capfd)
    assert 2 <= time.monotonic() - before < 2 + choice.REAL_TIME_SLACK


def test_a_command_has_no_input_in_virtual_time(cluster: Cluster, capfd: pytest.CaptureFixture[str]) -> None:
    if not choice.virtual():
        pytest.skip("in real time a command has the terminal's input")
    before = time.monotonic()
    assert said(Console(cluster), "web1 cat", capfd) == ""
    assert time.monotonic() - before < choice.VIRTUAL_TIME_SLACK


@pytest.mark.parametrize("line", ["exit", "quit", "EOF"])
def test_exit_goes_on(cluster: Cluster, line: str) -> None:
    assert Console(cluster).onecmd(line)
