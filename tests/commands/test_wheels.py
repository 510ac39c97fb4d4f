"""The two wheels, in an empty Debian root: no compiler, no checkout, an ordinary user."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from harness.kernels.making import cache
from tests.commands.roots import COMPILERS, ROOT, Root, packages, require
from tests.commands.wheels import build_wheels

pytestmark = pytest.mark.slow

SHIPPED = "harness.shipped.scenarios"
EXAMPLE = ROOT / "examples" / "two-directors"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Root]:
    """A root in which the wheels were installed with pip into an empty virtual environment."""
    require("mmdebstrap")
    if cache.find() is None:
        pytest.skip("no kernel to make a wheel of: make kernel")
    folder = tmp_path_factory.mktemp("wheels")
    build_wheels(folder)
    root = Root.make(
        folder / "root", [name for name in packages("PACKAGES") if name not in COMPILERS]
    )
    house = root.folder / "house"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--only-binary",
        ":all:",
        "--dest",
        str(house),
    ]
    subprocess.run([*pip, *map(str, folder.glob("*.whl"))], check=True, capture_output=True)
    shutil.copytree(EXAMPLE, house / "two-directors")
    root.run(["python3", "-m", "venv", "v"])
    root.run(["pip", "install", "--no-index", "--find-links", "/house", "lvs-harness", cache.WHEEL])
    yield root
    shutil.rmtree(folder)  # 400 MB, which pytest would keep for three more runs


def test_root_has_no_compiler_and_no_kernel_of_the_distribution(installed: Root) -> None:
    there = [
        name
        for name in ("gcc", "cc", "make", "linux.uml")
        if (installed.folder / "usr/bin" / name).exists()
    ]
    assert there == []


def test_kernel_is_the_wheel_s(installed: Root) -> None:
    assert "/site-packages/lvs_harness_kernel/kernels/" in installed.run(
        ["lvs-harness", "kernel", "path"]
    )


def test_shipped_scenarios_run_in_virtual_time(installed: Root) -> None:
    said = installed.run(
        ["pytest", "--pyargs", SHIPPED, "-k", "test_failover_to_the_backup and PowerOff"]
    )
    assert "virtual time" in said
    assert " 1 passed" in said
    assert "warning" not in said


def test_shipped_topologies_are_listed_and_built(installed: Root) -> None:
    assert "director_pair " in installed.run(["lvs-harness", "topologies"])
    assert "director1 holds 172.16.10.50" in installed.run(["lvs-harness", "up", "director_pair"])


def test_shipped_scenarios_are_listed(installed: Root) -> None:
    assert "test_arp.py::test_arp_flux_is_seen" in installed.run(
        ["lvs-harness", "scenarios", "-m", "arp"]
    )


def test_own_configurations_are_checked(installed: Root) -> None:
    said = installed.run(
        ["lvs-harness", "check", "/house/two-directors/lb1.conf", "/house/two-directors/lb2.conf"]
    )
    assert "in short: 16 works" in said


def test_new_scenario_runs_and_finds_shipped_topologies(installed: Root) -> None:
    installed.run(["lvs-harness", "new", "mine"])
    assert " 1 passed" in installed.run(["pytest", "scenarios/test_mine.py"])
    own = installed.folder / "home/tester/test_own.py"
    own.write_text(
        "from harness.scenario import topology\n"
        "from topologies.director_pair import DirectorPair\n\n"
        "@topology(DirectorPair, scheduler='wlc')\n"
        "def test_master(cluster):\n"
        "    assert cluster.settle().master.name == 'director1'\n"
    )
    assert " 1 passed" in installed.run(["pytest", "test_own.py"])


def test_damaged_kernel_is_told_with_its_cure(installed: Root) -> None:
    (kernel,) = installed.folder.glob(
        "home/tester/v/lib/python3*/site-packages/lvs_harness_kernel/kernels/*/linux"
    )
    whole = kernel.read_bytes()
    kernel.write_bytes(whole[:-1])
    try:
        said = installed.run(["lvs-harness", "kernel", "path"], status=1)
    finally:
        kernel.write_bytes(whole)
    assert "pip install --force-reinstall lvs-harness-kernel" in said
