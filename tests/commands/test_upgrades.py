"""``lvs-harness check --image OLD --then NEW``, as a user runs it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.images import cache as images
from harness.images import release
from harness.kernels.making import cache as kernels

ROOT = Path(__file__).parents[2]
SPINS = ROOT / "tests/commands/check_cases/never-finishes-reading"
OLD, NEW = "bookworm", "trixie"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if kernels.find() is None:
        pytest.skip("no kernel with virtual time: make kernel")
    for name in (OLD, NEW):
        if images.find(release.key(name)) is None:
            pytest.skip(f"no image of {name}: make images")
    return tmp_path


def check(folder: Path, *directors: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lvs-harness")), "check", *directors]
    return subprocess.run(
        [*command, "--image", OLD, "--then", NEW], cwd=folder, capture_output=True, text=True
    )


def test_files_that_work_everywhere_differ_in_nothing(folder: Path) -> None:
    shutil.copytree(ROOT / "examples/two-directors", folder, dirs_exist_ok=True)
    done = check(folder, "lb1.conf", "lb2.conf")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "0 differ, 18 are the same with bookworm, trixie, bookworm+trixie, trixie+bookworm"
        in done.stdout
    )


def test_a_keepalived_that_never_ends_reading_is_what_changes(folder: Path) -> None:
    shutil.copytree(SPINS, folder, dirs_exist_ok=True)
    done = check(folder, "lb1.conf")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "keepalived does not end reading lb1.conf" in done.stdout
    assert "    bookworm  works\n    trixie    BREAKS\n" in done.stdout
