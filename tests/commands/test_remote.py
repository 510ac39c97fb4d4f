"""``--tx ssh=HOST``: a worker on what is another machine to it, with a network, /tmp and sshd
of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guests import ROOT

SSHD = "/usr/sbin/sshd"
MACHINE = """
    mount -t tmpfs -o mode=755 far /run && mkdir -p /run/sshd /run/checkout &&
    cp -r "$0" /run/far &&
    mount --bind "$1" /run/checkout && mount -t tmpfs -o mode=1777 far /tmp &&
    mkdir -p "$1" && mount --bind /run/checkout "$1" && echo ready && exec cat
"""
"""A checkout may lie below /tmp, and is to be there all the same."""


def pytest_over(folder: Path, tx: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with one worker, its artifacts below ``folder``."""
    argv = [
        sys.executable,
        "-m",
        "pytest",
        "-d",
        "--tx",
        tx,
        "-p",
        "no:cacheprovider",
        "--artifacts",
        str(folder),
    ]
    return subprocess.run([*argv, *arguments], cwd=ROOT, capture_output=True, text=True)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The ``--tx`` of a machine that nothing but this test can reach, and its root folder."""
    if os.geteuid() or not Path(SSHD).exists():
        pytest.skip(
            "another machine takes root for its namespaces, and sshd: apt-get install"
            " openssh-server"
        )
    if "/" not in {
        line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()
    }:
        pytest.skip(
            "mounts can be made private to another machine only where the root is one: not in a"
            " chroot"
        )
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys / name], check=True
        )
    (keys / "sshd").write_text(
        "HostKey /run/far/host\nAuthorizedKeysFile /run/far/user.pub\nUsePAM no\nPidFile none\n"
    )
    machine = subprocess.Popen(
        ["unshare", "--net", "--mount", "sh", "-c", MACHINE, keys, ROOT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with machine:
        assert machine.stdout
        assert machine.stdout.readline() == b"ready\n"
        config = tmp_path / "config"
        config.write_text(
            "Host far\nUser root\nBatchMode yes\n"
            "StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\n"
            f"IdentityFile {keys / 'user'}\nProxyCommand nsenter -t {machine.pid} -n -m {SSHD}"
            f" -i -f /run/far/sshd\n"
        )
        yield f"ssh=far//ssh_config={config}", Path(f"/proc/{machine.pid}/root")
        machine.communicate()


@pytest.mark.slow
def test_worker_on_another_machine_leaves_its_evidence_here_and_nothing_there(
    far: tuple[str, Path], tmp_path: Path
) -> None:
    tx, root = far
    before = list((root / "tmp").iterdir())
    ended = pytest_over(
        tmp_path / "artifacts", tx, "scenarios/test_arp.py", "-k", "flux", "--keep", "all"
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (run,) = (tmp_path / "artifacts").iterdir()
    left = {path.name for path in run.iterdir()}
    assert {"run.json", "report.html", "gw0", "console-gw0.log"} <= left
    assert (run / "test_arp_flux_is_seen_without_the_protection" / "timeline.jsonl").stat().st_size
    assert list((root / "tmp").iterdir()) == before


def test_machine_that_is_not_there_is_named(tmp_path: Path) -> None:
    if shutil.which("ssh") is None:
        pytest.skip("there is no ssh: apt-get install openssh-client")
    ended = pytest_over(
        tmp_path, "ssh=-p 9 nobody@127.0.0.1", "scenarios/test_arp.py", "-k", "flux"
    )
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert "ERROR: --tx: ssh nobody@127.0.0.1:" in ended.stderr
    assert "Traceback" not in ended.stderr
