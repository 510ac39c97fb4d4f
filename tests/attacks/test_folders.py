"""A run's folder that somebody else has made, or a guest: what the host reads of it, and where
it writes.
"""

from __future__ import annotations

import contextlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from harness import received
from harness.cli import main
from harness.errors import HarnessError
from harness.report import artifacts, bundle, merging, page, summary
from harness.report.artifacts import ABOUT, PAGE, RUN, TIMELINE
from tests.attacks.folders import SECRET, no_hang
from tests.runs import make_run, run

__all__ = ["no_hang", "run"]


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    file = tmp_path / "victim"
    file.write_text(SECRET)
    return file


@pytest.mark.parametrize("name", [PAGE, RUN])
@pytest.mark.parametrize("suffix", ["", ".new"])
def test_nothing_is_written_through_a_link(run: Path, victim: Path, name: str, suffix: str) -> None:
    """A guest that is root lays one where the host writes when the run ends."""
    (run / (name + suffix)).unlink(missing_ok=True)
    (run / (name + suffix)).symlink_to(victim)
    artifacts.update(run / RUN, {"wall": 1.0})
    page.write(run)
    assert victim.read_text() == SECRET
    assert not (run / name).is_symlink()


def test_nothing_is_written_through_a_link_for_a_folder(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "a").symlink_to(tmp_path / "there")
    with pytest.raises(OSError, match="links are not followed"):
        received.add(tmp_path / "target", "a/b", b"x")
    assert not list((tmp_path / "there").iterdir())


@pytest.mark.parametrize("name", [RUN, f"test_it/{ABOUT}", f"test_it/{TIMELINE}"])
@pytest.mark.parametrize("kind", ["link", "fifo", "device", "folder", "socket", "sparse"])
def test_what_is_no_file_is_named_and_the_rest_shown(
    run: Path, victim: Path, name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run)
    (run / name).unlink()
    replace(run / name, kind, victim)
    with contextlib.suppress(HarnessError):  # of a run.json alone nothing is left
        read = artifacts.read_run(run)
        told = [
            *read.problems,
            *(each for scenario in read.scenarios for each in scenario.problems),
        ]
        assert any(Path(name).name in problem for problem in told), told
        summary.markdown(read)
    assert main(["report", str(run)]) == 0
    assert SECRET not in (run / PAGE).read_text()


def replace(path: Path, kind: str, victim: Path) -> None:
    """What is no regular file, or is too large; the descriptors of sockets and files are of
    this process.
    """
    if kind == "link":
        path.symlink_to(victim)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        if os.geteuid():
            pytest.skip("only root can make a device")
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        if os.geteuid():
            pytest.skip("only root can make a socket by its node")
        os.mknod(path, 0o600 | 0o140000)
    else:
        with path.open("wb") as file:
            file.truncate(10 << 30)


def test_a_bundle_packs_nothing_from_outside(run: Path, victim: Path, tmp_path: Path) -> None:
    """Neither what run.json names, nor what a link leads to, be it a file's or a folder's."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text(SECRET)
    artifacts.update(
        run / RUN, {"root": str(tmp_path), "sources": {"victim": "0", "../victim": "0"}}
    )
    (run / "link").symlink_to(victim)
    (run / "sources").symlink_to(tmp_path / "other")
    (run / "test_it" / "folder").symlink_to(tmp_path / "other")
    (run / "test_it" / "hard").hardlink_to(tmp_path / "other" / "file")
    notes = bundle.make(run, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        names = archive.namelist()
        assert not any(SECRET.encode() in archive.read(name) for name in names)
    assert sorted(names) == [
        "bundle.json",
        f"run/{RUN}",
        f"run/test_it/{ABOUT}",
        f"run/test_it/{TIMELINE}",
    ]
    assert any("'test_it/hard' is left out: it is a hard link" in note for note in notes)
    assert any("'victim' was among what the run was made of" in note for note in notes)


def test_a_bundle_names_what_it_leaves_out(run: Path, tmp_path: Path) -> None:
    (run / "test_it" / "bad\nname").write_text("x")
    (run / "test_it" / "huge").write_bytes(b"")
    os.truncate(run / "test_it" / "huge", 1 << 40)
    os.mkfifo(run / "test_it" / "fifo")
    artifacts.update(run / RUN, {"clock": "virtual"})
    notes = bundle.make(run, tmp_path / "b.zip")
    assert any("bad" in note for note in notes)
    assert any("huge" in note and "the most" in note for note in notes)
    packed = {f"run/{RUN}", f"run/test_it/{ABOUT}", f"run/test_it/{TIMELINE}"}
    assert bundle.read(tmp_path / "b.zip").files.keys() == packed


def test_merging_copies_no_link_and_no_fifo(run: Path, victim: Path, tmp_path: Path) -> None:
    (run / "test_it" / "link").symlink_to(victim)
    os.mkfifo(run / "test_it" / "fifo")
    merged = merging.merge([run, make_run(tmp_path / "other")], tmp_path / "merged")
    assert {path.name for path in merged.rglob("*") if path.is_file()} == {RUN, ABOUT, TIMELINE}
    assert not any(SECRET in path.read_text() for path in merged.rglob("*") if path.is_file())


def test_a_page_lists_no_link(run: Path, victim: Path) -> None:
    (run / "test_it" / "link.txt").symlink_to(victim)
    page.write(run)
    assert "link.txt" not in (run / PAGE).read_text()


@pytest.mark.parametrize(
    "about",
    [
        {"order": [["a"]]},
        {"order": {"a": 1}},
        {"seconds": 10**400},
        {"wall": float("nan")},
        {"arguments": [{}]},
        {"shard": "1/99999999999999999999", "division": ["x"]},
        {"versions": {"a": ["b"]}, "images": {"a": {}}},
        {"left_out": 3},
    ],
    ids=str,
)
def test_wrong_types_in_run_json_are_no_traceback(
    run: Path, about: dict[str, Any], tmp_path: Path
) -> None:
    (run / RUN).write_text(json.dumps({"format": 1, "status": 0, **about}))
    summary.markdown(artifacts.read_run(run))
    page.write(run)
    with contextlib.suppress(HarnessError):
        merging.merge([run, run], tmp_path / "merged")


@pytest.mark.parametrize(
    "event",
    [
        {
            "at": 11,
            "node": "a",
            "kind": "judged",
            "what": ["x"],
            "since": 1,
            "earliest": 1,
            "latest": 2,
            "measured": 1,
        },
        {"at": float("nan"), "node": "a", "kind": "fault"},
        {"at": 10**400, "node": "a", "kind": "fault"},
        {"at": 11, "node": "a", "kind": "request", "latency": 10**400, "status": 200, "server": {}},
        {"at": 11, "node": ["a"], "kind": {}, "name": "x"},
        {
            "at": 11,
            "node": "client",
            "kind": "request",
            "latency": float("inf"),
            "status": 0,
            "error": None,
        },
        [],
        3,
    ],
    ids=str,
)
def test_wrong_events_are_left_out(run: Path, event: Any) -> None:
    before = len(artifacts.read_run(run).scenarios[0].events)
    with (run / "test_it" / TIMELINE).open("a") as file:
        file.write(json.dumps(event) + "\n")
    page.write(run)
    (scenario,) = artifacts.read_run(run).scenarios
    assert len(scenario.events) in (before, before + 1)


@pytest.mark.parametrize("name", [RUN, f"test_it/{ABOUT}", f"test_it/{TIMELINE}"])
@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, '{"a": ' + "[" * 90 + "]" * 90 + "}"], ids=len
)
def test_deep_json_is_damaged(run: Path, name: str, text: str) -> None:
    (run / name).write_text(text)
    assert main(["report", str(run)]) == 0


@pytest.mark.parametrize("folders", [40, 300])
def test_deep_folders_end(run: Path, folders: int) -> None:
    place = os.open(run / "test_it", os.O_RDONLY)
    for _ in range(folders):
        os.mkdir("d", dir_fd=place)
        inner = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)
    page.write(run)
    assert main(["bundle", str(run), "--output", str(run / "b.zip")]) == 0
