"""What is shipped, what is pinned, and what setting up a machine says when it cannot."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hatchling import build as hatchling
from packaging.requirements import Requirement

import harness
from harness import installed
from harness.kernels.making import cache
from tools.kernel_wheel import built_kernel

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = (ROOT / "requirements.lock").read_text()
DEPENDENCIES = [
    *PROJECT["dependencies"],
    *(name for extra in PROJECT["optional-dependencies"].values() for name in extra),
]


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> zipfile.ZipFile:
    monkeypatch.chdir(ROOT)
    return zipfile.ZipFile(tmp_path / hatchling.build_wheel(str(tmp_path)))


def files_of(folder: str) -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    files = files_of("harness")
    shipped = {
        f"harness/shipped/{name}"
        for folder in ("topologies", "scenarios")
        for name in files_of(folder)
    }
    assert "harness/py.typed" in files
    assert "harness/shipped/topologies/director_pair.py" in shipped
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == files | shipped


def test_shipped_topologies_lie_beside_the_package_or_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert installed.home() == ROOT
    package = tmp_path / "harness"
    (package / "shipped").mkdir(parents=True)
    monkeypatch.setattr(harness, "__file__", str(package / "__init__.py"))
    assert installed.home() == package / "shipped"


def test_kernel_s_tag_names_the_newest_symbols_of_the_c_library() -> None:
    program = b"\x7fELF\0GLIBC_2.9\0GLIBC_2.34\0GLIBC_2.2.5\0"
    assert built_kernel.tag(program) == "py3-none-manylinux_2_34_x86_64"


def test_kernel_s_source_is_named_with_its_version() -> None:
    assert "source package linux, version 7.3.4-1~bpo13+1," in built_kernel.source_of(
        "7.3.4-1~bpo13+1"
    )


def test_kernel_is_found_in_its_wheel_unless_the_cache_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    package = tmp_path / "site" / "lvs_harness_kernel"
    for folder in (
        package / "kernels" / "7.1-1",
        package / "kernels" / f"7.2-1-{cache.fingerprint()}",
    ):
        make_kernel(folder)
    (package / "__init__.py").touch()
    assert cache.find() is None
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert cache.find() == cache.Kernel(folder / "linux", "7.2-1")
    make_kernel(own := cache.folder_of("7.1-1"))
    assert cache.find() == cache.Kernel(own / "linux", "7.1-1")


def test_damaged_kernel_of_the_wheel_is_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "site" / "lvs_harness_kernel" / "kernels" / f"7.2-1-{cache.fingerprint()}"
    make_kernel(folder)
    (folder / "linux").write_bytes(b"damaged")
    monkeypatch.syspath_prepend(tmp_path / "site")
    with pytest.raises(
        cache.CorruptKernel, match="pip install --force-reinstall lvs-harness-kernel"
    ):
        cache.find_or_discard()
    assert folder.exists()


def make_kernel(folder: Path) -> None:
    folder.mkdir(parents=True)
    program = folder / "linux"
    program.write_bytes(b"a kernel")
    program.chmod(0o755)
    (folder / "linux.sha256").write_text(cache.checksum(program))


def test_wheel_registers_the_plugin_the_command_and_the_licence(wheel: zipfile.ZipFile) -> None:
    info = f"lvs_harness-{PROJECT['version']}.dist-info"
    entry_points = wheel.read(f"{info}/entry_points.txt").decode()
    assert "[pytest11]\nlvs_harness = harness.plugin\n" in entry_points
    assert "[console_scripts]\nlvs-harness = harness.cli:main\n" in entry_points
    assert wheel.read(f"{info}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("dependency", DEPENDENCIES)
def test_lock_pins_a_version_that_the_project_allows(dependency: str) -> None:
    wanted = Requirement(dependency)
    pins = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", LOCK, flags=re.MULTILINE))
    version = pins[wanted.name.replace("_", "-")]
    assert wanted.specifier.contains(version, prereleases=True)


def test_lock_has_hashes_and_names_no_host() -> None:
    blocks = re.split(r"\n(?=\w)", LOCK)[1:]
    assert blocks
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert re.findall(r"\S+://\S+|--(?:extra-)?index\S*|--find-links\S*", LOCK) == []


def install_packages(tools: Path, *packages: str) -> subprocess.CompletedProcess[str]:
    """Run ``tools/install-packages`` where ``tools`` holds all the commands that there are."""
    command = ["/bin/sh", str(ROOT / "tools" / "install-packages"), *packages]
    return subprocess.run(
        command, env={"PATH": str(tools)}, capture_output=True, text=True, check=False
    )


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A machine on which an ordinary user finds keepalived installed, a package removed, and no
    sudo.
    """
    commands = {
        "dpkg-query": 'echo "keepalived installed"; echo "apache2 config-files"; exit 1',
        "id": "echo 1000",
    }
    for name, script in commands.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    for name in ("sed", "tr"):
        os.symlink(f"/usr/bin/{name}", tmp_path / name)
    return tmp_path


def test_set_up_is_silent_when_nothing_is_missing(tools: Path) -> None:
    done = install_packages(tools, "keepalived")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_set_up_without_root_names_what_is_missing_and_the_command(tools: Path) -> None:
    done = install_packages(tools, "keepalived", "apache2", "ipvsadm")
    assert done.returncode == 1
    assert "missing packages: apache2 ipvsadm\n" in done.stderr
    assert f"as root, run: make -C {ROOT} all-packages\n" in done.stderr


def test_set_up_on_another_distribution_names_the_packages(tools: Path) -> None:
    (tools / "dpkg-query").unlink()
    done = install_packages(tools, "keepalived", "apache2")
    assert done.returncode == 1
    assert "keepalived apache2" in done.stderr
