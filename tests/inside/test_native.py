"""``--kernel native``, for real: inside the embedded kernel there are root and IPVS, so there
it can be tried.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.kernels import native
from harness.kernels.run import VARIABLE

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.usefixtures("lvs_kernel")


def native_user() -> dict[str, str]:
    """The environment of a user of such a machine."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("LVS_HARNESS")
    }
    return {**environment, "XDG_CACHE_HOME": "/tmp/nothing-built"}


def run_natively(*arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest as a user starts it on a machine that has root and IPVS, and has built no kernel
    with virtual time.
    """
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--artifacts",
        "/tmp/artifacts",
        *arguments,
    ]
    return subprocess.run(
        command, cwd=ROOT, env=native_user(), capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("kernel", ["native", "auto"])
def test_native_kernel_carries_the_cluster(kernel: str) -> None:
    assert native.lacking() is None

    result = run_natively("scenarios", "-k", "test_ownership_means", "--kernel", kernel)

    assert result.returncode == 0, result.stdout + result.stderr
    assert f"native kernel {os.uname().release} (root, with IPVS), real time" in result.stdout
    assert " 1 passed" in result.stdout


def test_native_kernel_has_no_virtual_clock() -> None:
    result = run_natively(
        "scenarios", "-k", "test_ownership_means", "--kernel", "native", "--clock", "virtual"
    )

    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--clock virtual needs the embedded kernel" in result.stderr
    assert VARIABLE not in result.stdout


def test_native_cluster_runs_what_a_second_terminal_asks_for(tmp_path: Path) -> None:
    """``lvs-harness exec``: here the prompt's own process hears it, not a guest's."""
    harness = [sys.executable, "-m", "harness.cli"]
    words = [*harness, "up", "director_pair", "--kernel", "native"]
    with subprocess.Popen(
        [*words, "--artifacts", str(tmp_path)],
        cwd=ROOT, env=native_user(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as up:  # fmt: skip
        assert up.stdin is not None
        assert up.stdout is not None
        while "The cluster is alive" not in (line := up.stdout.readline()):
            assert line, "it ended before its prompt"
        (run,) = tmp_path.iterdir()
        asked = [
            ("web1", "hostname"),
            ("web1", "sh", "-c", "exit 7"),
            ("web1", "nosuch"),
            ("web9", "true"),
        ]
        answers = [
            subprocess.run(
                [*harness, "exec", "--cluster", run.name, *each],
                cwd=ROOT, env=native_user(), capture_output=True, text=True, check=False,
            )
            for each in asked
        ]  # fmt: skip
        up.communicate("web1 hostname\n")
    assert [each.returncode for each in answers] == [0, 7, 127, 255]
    assert answers[0].stdout == "web1\n"
    assert up.returncode == 0
