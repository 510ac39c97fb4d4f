"""What workers can have: memory for so many of them, and no prompt."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from xdist.remote import Producer

from harness.kernels.host import memory
from harness.plugin import parallel
from harness.plugin.private_xdist import ByCluster
from harness.plugin.survey import SURVEY, Survey


@pytest.mark.parametrize(("option", "machines"), [(None, 5), (None, 202), ("256M", 5)])
def test_workers_are_as_many_as_fit_but_one_at_least(
    monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config, option: str | None, machines: int
) -> None:
    monkeypatch.setattr(pytestconfig.option, "memory", option, raising=False)
    monkeypatch.setitem(pytestconfig.stash._storage, SURVEY, Survey(machines=machines))
    monkeypatch.setattr(memory, "left", lambda: 0)
    assert parallel.workers_that_fit(pytestconfig) == 1
    each = memory.parse(option) if option else memory.taken(machines)
    monkeypatch.setattr(memory, "left", lambda: 3 * each + 1)
    assert parallel.workers_that_fit(pytestconfig) == 3


@pytest.mark.parametrize("option", ["--pause", "--shell-on-failure"])
def test_workers_have_no_prompt(pytester: pytest.Pytester, option: str) -> None:
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest("-n", "2", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*need the terminal*leave out -n"])


@pytest.mark.parametrize("number", [-1, 1001, 10**12])
def test_a_number_of_workers_that_nobody_means_is_refused(
    monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config, number: int
) -> None:
    monkeypatch.setattr(pytestconfig.option, "numprocesses", number)
    with pytest.raises(
        pytest.UsageError, match=f"-n {number}: say how many workers there are to be, 0 to 1000"
    ):
        parallel.check_workers(pytestconfig)


class Worker:
    """What a scheduler sees of one."""

    shutting_down = False

    def __init__(self) -> None:
        self.gateway = SimpleNamespace(id="gw")
        self.given: list[int] = []

    def send_runtest_some(self, indices: list[int]) -> None:
        self.given += indices


def test_worker_that_replaces_another_begins_with_two_units() -> None:
    """With one it would wait for ever to hear what comes after it."""
    tests = [f"test_x.py::test_{letter}" for letter in "abcdef"]
    config: Any = SimpleNamespace(option=SimpleNamespace(), getvalue=lambda name: ["popen"])
    scheduler = ByCluster(
        config, {test: test for test in tests}, {}, Producer("quiet", enabled=False)
    )
    first, second = Worker(), Worker()
    workers: list[Any] = [first, second]
    for worker in workers:
        scheduler.add_node(worker)
        scheduler.add_node_collection(worker, tests)
        scheduler.schedule()
        if worker is first:
            assert scheduler.remove_node(worker) == tests[first.given[0]]
    assert len(first.given) == len(second.given) == 2
    assert not set(second.given) & {first.given[0]}
