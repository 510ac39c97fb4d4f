"""The image of the Containerfile, built and run where no container runtime may start a process."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.kernels.making import cache
from tests.commands.roots import ROOT, release, require
from tests.commands.wheels import build_wheels

pytestmark = pytest.mark.slow

IMAGE, BASE = "lvs-harness-test", "lvs-harness-test-base"
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "artifacts", "__pycache__", ".*_cache", "dist")
SMALL = 'mount -t tmpfs -o size=64m,mode=1777 none /dev/shm && exec "$@"'
"""Gives a command the /dev/shm of a container: 64 MB."""


def buildah(*arguments: str) -> str:
    done = subprocess.run(["buildah", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def make_base(folder: Path) -> None:
    """An image of the bare Debian that this machine has, in place of the one that a registry
    has.
    """
    folder.mkdir()
    command = ["mmdebstrap", "--variant=minbase", release(), str(folder / "base.tar")]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "Containerfile").write_text("FROM scratch\nADD base.tar /\n")
    buildah("bud", "--isolation", "chroot", "--tag", BASE, str(folder))


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A container of the image. pip takes in it what was fetched here, so it asks no index."""
    require("mmdebstrap", "buildah")
    if cache.find() is None:
        pytest.skip("no kernel to put into the image: make kernel")
    folder = tmp_path_factory.mktemp("container")
    make_base(folder / "base")
    shutil.copytree(ROOT, folder / "source", symlinks=True, ignore=LEFT_OUT)
    build_wheels(folder / "source" / "dist")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--only-binary",
        ":all:",
        "--require-hashes",
    ]
    lock = ["--requirement", str(ROOT / "requirements.lock"), "--dest", str(folder / "house")]
    subprocess.run([*pip, *lock], check=True, capture_output=True)
    (folder / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /house\n")
    volumes = [f"--volume={folder}/house:/house:ro", f"--volume={folder}/pip.conf:/etc/pip.conf:ro"]
    buildah(
        "bud",
        "--isolation",
        "chroot",
        "--build-arg",
        f"BASE={BASE}",
        *volumes,
        "--tag",
        IMAGE,
        str(folder / "source"),
    )
    shutil.rmtree(folder)
    name = buildah("from", IMAGE).strip()
    yield name
    buildah("rm", name)
    buildah("rmi", "--force", IMAGE, BASE)


def run(container: str, *argv: str) -> str:
    """What a command prints, run as the image's own user."""
    enter = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        SMALL,
        "sh",
        "buildah",
        "run",
        "--isolation",
        "chroot",
    ]
    done = subprocess.run(
        [*enter, container, "--", *argv], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_container_has_no_privilege_a_filter_of_system_calls_and_little_shared_memory(
    container: str,
) -> None:
    status = run(container, "cat", "/proc/self/status")
    assert "Uid:\t1000\t1000\t" in status
    assert "CapEff:\t0000000000000000\n" in status
    assert "Seccomp:\t2\n" in status
    assert run(container, "df", "--output=size", "-BM", "/dev/shm").split() == ["1M-blocks", "64M"]


def test_container_runs_the_scenarios_in_virtual_time(container: str) -> None:
    said = run(container, "pytest", "scenarios/", "-k", "test_failover.py or test_ownership.py")
    assert "virtual time" in said
    assert " 25 passed" in said
