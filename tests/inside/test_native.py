"""``--kernel native``, for real: inside the embedded kernel there are root and IPVS, so there
it can be tried.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.kernels import choice, native

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.usefixtures("lvs_kernel")


def run_natively(*arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest as a user starts it on a machine that has root and IPVS, and has built no kernel
    with virtual time.
    """
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("LVS_HARNESS")
    }
    environment["XDG_CACHE_HOME"] = "/tmp/nothing-built"
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
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
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
    assert choice.HEADER not in result.stdout
