"""``lvs-harness check`` on folders: which files are a cluster's directors, and what the whole
comes to.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.cli import main, several
from harness.cli.check import UNUSABLE
from harness.errors import HarnessError
from harness.kernels.host import owned

INSTANCE = "vrrp_instance V {\n}\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "lb1.conf").write_text(f"include common.conf\n{INSTANCE}")
    (folder / "lb2.conf").write_text(f"include common.conf\n{INSTANCE}")
    (folder / "common.conf").write_text("virtual_server 192.0.2.80 80 {\n}\n")
    (folder / "haproxy.conf").write_text("global\n")
    return folder


def test_what_others_include_and_what_is_of_another_program_is_no_director(site: Path) -> None:
    assert several.directors_in(site) == [str(site / "lb1.conf"), str(site / "lb2.conf")]


def test_a_folder_for_each_director_counts_first(site: Path) -> None:
    for name in ("lb1", "lb2"):
        (site / name).mkdir()
        (site / name / "keepalived.conf").write_text(INSTANCE)

    assert several.directors_in(site) == [
        str(site / "lb1/keepalived.conf"),
        str(site / "lb2/keepalived.conf"),
    ]


def test_a_folder_without_a_director_is_told(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match=r"no \*\.conf with a vrrp_instance or a virtual_server"):
        several.directors_in(tmp_path)


def test_files_and_folders_do_not_mix(site: Path) -> None:
    with pytest.raises(HarnessError, match=r"is a file and .* a folder"):
        several.folders_of([str(site), str(site / "lb1.conf")])


@pytest.mark.parametrize(
    ("statuses", "whole"),
    [((0, 0), 0), ((0, 1), 1), ((4, 1), 1), ((0, 5), 5), ((1, 3), 3), ((5, 4), 4)],
)
def test_the_worst_status_counts(
    statuses: tuple[int, int], whole: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = list(statuses)
    told: list[str] = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lb1.conf").write_text(INSTANCE)

    def run(command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, left.pop(0))

    monkeypatch.setattr(owned, "run", run)

    assert several.each(["--explain"], [tmp_path / "a", tmp_path / "b"], told.append) == whole
    assert told[-1].split("  ")[-1] == several.MEANINGS[statuses[1]]


def test_what_is_for_one_cluster_is_not_for_folders(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(site), "--json", "x.json"]) == UNUSABLE
    assert "--json is for one cluster: give its files instead of folders" in capsys.readouterr().err
