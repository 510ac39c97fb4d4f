"""wrk: its totals, and where it may not run."""

from __future__ import annotations

from typing import cast

import pytest

from harness.errors import HarnessError
from harness.kernels import choice
from harness.lab.machine import Machine
from harness.observers.requests import Target
from harness.observers.wrk import Totals, command, established, open_sockets, saturate, totals

SAID = """\
Running 3s test @ http://172.16.10.50:80/
  1 threads and 4 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    55.54ms   20.44ms 152.53ms   72.29%
  166 requests in 3.04s, 35.50KB read
Requests/sec:     54.55
{"requests": 166, "microseconds": 3043053, "broken": 1, "timed_out": 2, "refused": 3}"""


def test_totals_are_those_of_its_last_line() -> None:
    told = totals(SAID)
    assert told == Totals(requests=166, seconds=3.043053, refused=3, broken=1, timed_out=2)
    assert told.rate == pytest.approx(54.55, abs=0.01)


def test_in_virtual_time_it_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(choice.GUEST, "virtual")
    with pytest.raises(
        HarnessError, match=r"wrk never ends in virtual time.* or cluster\.client\.load"
    ):
        saturate(cast(Machine, None), Target("172.16.10.50", 80), seconds=1, connections=1)


def test_it_may_have_a_descriptor_for_each_connection_and_waits_as_long_as_it_is_told() -> None:
    words = command(Target("fd00:10::50", 80), seconds=8, connections=2500, patience=59.5)
    assert words[:3] == ["prlimit", "--nofile=2564:2564", "wrk"]
    assert words[words.index("--timeout") + 1] == "60s"
    assert words[-1] == "http://[fd00:10::50]:80/"


def test_connections_are_counted_by_the_kernels_own_counters() -> None:
    snmp = "Ip: Forwarding\nIp: 1\nTcp: RtoAlgorithm MaxConn CurrEstab InSegs\nTcp: 1 -1 2500 9\n"
    assert established(snmp) == 2500
    assert open_sockets("sockets: used 9\nTCP: inuse 7 orphan 3 tw 2500 alloc 8 mem 0\n") == 7
