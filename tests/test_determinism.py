"""The same seed gives the same timelines, whatever else the machine does; and a difference is
found.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.kernels import choice
from harness.kernels.making import cache
from harness.repeating import determinism

SAMPLE = (
    "arp_only_the_owner or (forwarding_by_dr_passes and IPv4) or (failover_to_the_backup"
    " and PowerOff)"
)
SCENARIOS = Path(__file__).resolve().parent.parent / "scenarios"


HEALING = """
from harness.faults import Unplug
from harness.scenario import topology
from topologies.director_pair import DirectorPair

pytestmark = topology(DirectorPair)

def test_heals_at_its_end(cluster):
    master, backup = cluster.settle()
    with cluster.suffering(Unplug(master)) as struck:
        backup.takes(cluster.vip, since=struck, until=4.0)

def test_sees_what_followed(cluster):
    cluster.timeline.let_pass(2)
"""

PRINTING = """
import time

def pytest_runtest_logreport(report):
    for _ in range(1000):
        time.monotonic()
"""


@pytest.mark.alone  # it has all processors computing
def test_same_seed_gives_the_same_timelines_in_a_terminal_on_a_busy_machine(tmp_path: Path) -> None:
    if cache.find() is None:
        pytest.skip("there is no kernel with virtual time; build one: make kernel")
    selection = [str(SCENARIOS), "-k", SAMPLE, "-p", "no:cacheprovider"]

    first = determinism.run(selection, 5, tmp_path / "one")
    with determinism.busy_machine():
        second = determinism.run(selection, 5, tmp_path / "another", terminal=True)
    other = determinism.run(selection, 6, tmp_path / "one")

    assert len(first) == 3
    assert determinism.differences(first, second) == {}
    assert determinism.differences(first, other).keys() == first.keys()


def test_what_pytest_prints_does_not_delay_the_daemons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scenario's last act is to heal a fault, and its result is printed before the daemons next
    run.

    Who prints looks at the clock, which costs time in virtual time; here, much of it.
    """
    if cache.find() is None:
        pytest.skip("there is no kernel with virtual time; build one: make kernel")
    talkative, silent = tmp_path / "talkative", tmp_path / "silent"
    for folder in talkative, silent:
        folder.mkdir()
        (folder / "test_healing.py").write_text(HEALING, encoding="utf-8")
    (talkative / "conftest.py").write_text(PRINTING, encoding="utf-8")

    monkeypatch.chdir(silent)
    first = determinism.run([], 0)
    monkeypatch.chdir(talkative)
    second = determinism.run([], 0)

    assert len(first) == 2
    assert determinism.differences(first, second) == {}


def test_first_difference_is_shown() -> None:
    first = {"a": b"1\n2\n3\n", "b": b"1\n", "gone": b"1\n"}
    second = {"a": b"1\n2.\n3.\n", "b": b"1\n", "new": b"", "longer": b"1\n"}

    found = determinism.differences(first, second)

    assert found["a"] == "differs from line 2 on\n  < 2\n  > 2."
    assert found["gone"] == "differs from line 1 on\n  < 1\n  > (nothing)"
    assert found["longer"] == "differs from line 1 on\n  < (nothing)\n  > 1"
    assert found.keys() == {"a", "gone", "longer", "new"}


@pytest.mark.parametrize(
    ("timelines", "status"),
    [
        ([b"same", b"same", b"other seed"], 0),
        ([b"one", b"another", b"other seed"], 1),
        ([b"same", b"same", b"same"], 1),
    ],
)
def test_status_tells_whether_the_seed_and_nothing_else_decides(
    timelines: list[bytes], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[int] = []

    def run(selection: list[str], seed: int, terminal: bool = False) -> dict[str, bytes]:
        assert terminal is (len(seeds) == 1)
        seeds.append(seed)
        return {"scenario": timelines[len(seeds) - 1]}

    monkeypatch.setattr(determinism, "run", run)
    assert determinism.main(["--seed", "7", "scenarios/"]) == status
    assert seeds == [7, 7, 8]


def test_no_timeline_is_no_evidence(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    with pytest.raises(HarnessError, match="nothing to compare"):
        determinism.run([str(tmp_path)], 0, tmp_path / "artifacts")


def test_the_same_events_a_tick_later_are_told_apart_from_others() -> None:
    request = b'{"at": 1.5, "kind": "request", "latency": 0.001, "status": 200}\n'
    one = request + b'{"at": 2.0, "kind": "log", "load": 0.5}\n'
    later = one.replace(b"1.5", b"1.500000256")
    assert determinism.drift(one, later) == pytest.approx(256e-9)
    assert determinism.drift(one, one) == 0
    assert determinism.drift(one, one.replace(b"200", b"500")) is None
    assert determinism.drift(one, one.replace(b'"log"', b'"arp"')) is None
    assert determinism.drift(one, one.replace(b"0.5", b"0.25")) is None, "what is no time"
    assert determinism.drift(one, one + b'{"at": 3.0}\n') is None
    assert determinism.drift(one, b"".join(reversed(one.splitlines(keepends=True)))) is None


@pytest.mark.parametrize("seed", [0, 1, choice.DAYS - 1, choice.DAYS, 29257, 1 << 64, 10**30, -1])
def test_any_seed_begins_on_a_day_that_a_clock_of_32_bits_can_tell(seed: int) -> None:
    day = choice.first_day(seed)
    assert choice.FIRST_DAY <= day < 2**31 - 300 * 86400
    assert day % 86400 == 0
    assert choice.first_day(seed + 1) != day
