"""What workers can have: memory for so many of them, and no prompt."""

from __future__ import annotations

import pytest

from harness.kernels import memory
from harness.plugin import parallel


@pytest.mark.parametrize(("option", "machines"), [(None, 5), (None, 202), ("256M", 5)])
def test_workers_are_as_many_as_fit_but_one_at_least(
    monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config, option: str | None, machines: int
) -> None:
    monkeypatch.setattr(pytestconfig.option, "memory", option, raising=False)
    monkeypatch.setitem(pytestconfig.stash._storage, parallel.MACHINES, machines)
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
