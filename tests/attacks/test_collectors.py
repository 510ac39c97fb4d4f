"""What ends the process that collects, or never ends: told by name, for its scenario alone, and
never as a verdict.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from harness.kernels import choice
from harness.kernels.host import uml
from harness.kernels.making import cache
from harness.kernels.run import VARIABLE
from harness.plugin.collecting import _how

ROOT = Path(__file__).parents[2]
HARNESS_FAILED = 3  # pytest.ExitCode.INTERNAL_ERROR

GOOD = """
    from harness.scenario import topology
    from topologies.director_pair import DirectorPair

    @topology(DirectorPair)
    def test_good(cluster):
        assert cluster.nodes
"""
BAD = """
    import os, signal, sys
    from harness.scenario import topology
    from topologies.director_pair import DirectorPair

    class Mine(DirectorPair):
        def build(self):
            {build}

    @topology({topology})
    def test_bad(cluster):
        assert cluster.nodes
"""
WAYS = {
    "sys.exit": ("sys.exit()", "raised SystemExit"),
    "os._exit": (
        "os._exit(0)",
        "its topology cannot be built: the process that called it ended with status 0",
    ),
    "SIGKILL": (
        "os.kill(os.getpid(), signal.SIGKILL)",
        "SIGKILL), by hand or because the machine has no memory left",
    ),
    "MemoryError": ("raise MemoryError", "raised MemoryError"),
    "for ever": (
        "while True: pass",
        "its topology cannot be built: the process that called it did not end within",
    ),
    "closed": ("os.closerange(3, 999); os._exit(7)", "ended with status 7"),
}
WRONG = {"None": "the mark `topology` takes", "'DirectorPair'": "the mark `topology` takes"}


@pytest.fixture(autouse=True)
def _kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    if choice.in_guest() or (uml.packaged() is None and cache.find() is None):
        pytest.skip("no embedded kernel here: install user-mode-linux")
    monkeypatch.delenv(VARIABLE, raising=False)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest in a folder of somebody's own."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--kernel",
        "uml",
        "-rfE",
        *arguments,
    ]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def write(folder: Path, name: str, text: str, **parts: str) -> None:
    (folder / name).write_text(
        textwrap.dedent(text).format(**parts) if parts else textwrap.dedent(text)
    )


@pytest.mark.parametrize("way", WAYS)
def test_a_topology_that_ends_its_process_fails_its_scenario_alone(
    way: str, tmp_path: Path
) -> None:
    """And the other one, in a file before it or behind it, runs."""
    build, told = WAYS[way]
    write(tmp_path, "test_a.py", BAD, build=build, topology="Mine")
    write(tmp_path, "test_b.py", GOOD)
    # The guest has the same limit: beside other work its pytest takes seconds to begin.
    ran = run(tmp_path, "--watchdog", "10" if way == "for ever" else "30")
    assert "1 passed, 1 error" in ran.stdout, ran.stdout + ran.stderr
    assert told in ran.stdout
    assert "KeyError" not in ran.stdout
    assert ran.returncode == 1


@pytest.mark.parametrize("topology", WRONG)
def test_what_is_no_topology_fails_its_scenario_alone(topology: str, tmp_path: Path) -> None:
    write(tmp_path, "test_a.py", BAD, build="pass", topology=topology)
    write(tmp_path, "test_b.py", GOOD)
    ran = run(tmp_path)
    assert "1 passed, 1 error" in ran.stdout, ran.stdout + ran.stderr
    assert WRONG[topology] in ran.stdout
    assert ran.returncode == 1


def test_where_nothing_can_run_it_is_told_at_once(tmp_path: Path) -> None:
    """No kernel is started to say so."""
    write(tmp_path, "test_a.py", BAD, build="os._exit(5)", topology="Mine")
    ran = run(tmp_path)
    assert (
        "test_a.py::test_bad: its topology cannot be built: the process that called it ended"
        " with status 5" in (ran.stderr)
    )
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert not (tmp_path / "artifacts").exists()


@pytest.mark.parametrize(
    ("module", "told"),
    [
        (
            "import os; os._exit(0)",
            "ended with status 0 before it was done, at test_a.py; nothing was run",
        ),
        ("while True: pass", "did not end test_a.py within 2 s (--watchdog); nothing was run"),
    ],
)
def test_a_module_that_ends_the_process_is_named(module: str, told: str, tmp_path: Path) -> None:
    """It says nothing of any cluster, and the status is that of an error of the harness's own."""
    write(tmp_path, "test_a.py", module)
    write(tmp_path, "test_b.py", GOOD)
    ran = run(tmp_path, "--watchdog", "2")
    assert f"lvs-harness: the process that collects the scenarios {told}" in ran.stderr, (
        ran.stdout + ran.stderr
    )
    assert ran.returncode == HARNESS_FAILED


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_signal_is_told_by_name(number: int) -> None:
    assert signal.Signals(number).name in _how(-number, "")
