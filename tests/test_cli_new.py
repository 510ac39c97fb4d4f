"""lvs-harness new writes what can be started from at once, and overwrites nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main


@pytest.mark.parametrize(
    ("package", "place", "module"),
    [
        (True, "topologies/sticky_backup.py", "topologies.sticky_backup"),
        (False, "scenarios/sticky_backup_topology.py", "sticky_backup_topology"),
    ],
)
def test_what_it_writes_is_in_order(
    package: bool, place: str, module: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if package:
        (tmp_path / "topologies").mkdir()
        (tmp_path / "topologies/__init__.py").touch()
    assert main(["new", "sticky_backup", "--folder", str(tmp_path)]) == 0

    topology, scenario = tmp_path / place, tmp_path / "scenarios/test_sticky_backup.py"
    assert "class StickyBackup(Topo):" in topology.read_text()
    assert f"from {module} import StickyBackup" in scenario.read_text()
    assert (
        f"now run: pytest {scenario}\nand to look at its cluster: lvs-harness up {topology}\n"
        in capsys.readouterr().out
    )
    ruff = [sys.executable, "-m", "ruff", "--config", "line-length = 100"]
    for file in (topology, scenario):
        assert (
            subprocess.run(
                [*ruff[:3], "format", *ruff[3:], "--check", file], check=False
            ).returncode
            == 0
        )
        order = (
            [] if package else ["--ignore", "I001"]
        )  # where its own module comes among others depends on its name
        assert (
            subprocess.run([*ruff[:3], "check", *ruff[3:], *order, file], check=False).returncode
            == 0
        )


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios/test_mine.py").write_text("precious")

    assert main(["new", "mine", "--folder", str(tmp_path)]) == 1

    assert "test_mine.py is there already" in capsys.readouterr().err
    assert (tmp_path / "scenarios/test_mine.py").read_text() == "precious"
    assert len(list(tmp_path.rglob("*.py"))) == 1


@pytest.mark.parametrize("name", ["My", "a-b", "1st", "../up", ""])
def test_what_is_no_name_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", name, "--folder", str(tmp_path)]) == 1
    assert "is no name for a Python module" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
