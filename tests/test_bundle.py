"""Bundles as they are made: what is in them, what is masked, and that nothing stays of one that
cannot be written.
"""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli import reproduce
from harness.errors import HarnessError
from harness.report import artifacts, bundle, page, secrets
from tests.bundles import CONF, SOURCE, TEST, made, run

__all__ = ["made", "run"]


def test_a_bundle_has_run_and_sources(made: Path) -> None:
    opened = bundle.read(made)
    assert opened.sources == {"scenarios/test_x.py": SOURCE}
    (scenario,) = opened.manifest["scenarios"]
    assert (scenario["test"], scenario["outcome"]) == (TEST, "passed")
    assert scenario["faults"] == [
        {"at": 1.0, "node": "a", "kind": "fault", "name": "PowerOff", "action": "injected"}
    ]
    assert opened.timeline(scenario).startswith(b'{"at": 1')
    assert opened.manifest["seed"] == 7


def test_the_same_run_gives_the_same_bundle(run: Path, made: Path, tmp_path: Path) -> None:
    bundle.make(run, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == made.read_bytes()


def test_passwords_are_masked_everywhere_and_stay_different(made: Path) -> None:
    files = bundle.read(made).files
    assert not any(b"s3cret" in data or b"other1" in data for data in files.values())
    assert files["run/test_it/director1/keepalived.conf"].count(b"auth_pass *****") == 2
    assert len(set(files["run/test_it/director1/keepalived.conf"].split(b"auth_pass ")[1:])) == 2
    assert len(files["run/test_it/capture.pcapng"]) == 11


def test_passwords_are_left_when_asked(run: Path, tmp_path: Path) -> None:
    bundle.make(run, tmp_path / "b.zip", with_secrets=True)
    assert CONF in bundle.read(tmp_path / "b.zip").files.values()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (b'auth_pass="s3cret"', b'auth_pass="*****0"'),
        (b"auth_pass = 's3cret',", b"auth_pass = '*****0',"),
        (b'"auth_pass": "x"', b'"auth_pass": "0"'),
        (b"auth_pass: str | None = None", b"auth_pass: str | None = None"),
    ],
)
def test_passwords_are_found_in_sources_too(text: bytes, masked: bytes) -> None:
    assert secrets.mask(text, secrets.find([text])) == masked


def test_what_has_changed_since_is_told(run: Path, tmp_path: Path) -> None:
    (run / artifacts.SOURCES / "scenarios" / "test_x.py").write_text("# otherwise\n")
    assert any(
        "is not what the run was made of" in note for note in bundle.make(run, tmp_path / "b.zip")
    )
    (run / artifacts.SOURCES / "scenarios" / "test_x.py").unlink()
    notes = bundle.make(run, tmp_path / "c.zip")
    assert any("is not in its folder" in note for note in notes)
    assert any("not reproduced" in note for note in notes)


def test_no_file_is_replaced(run: Path, made: Path) -> None:
    with pytest.raises(HarnessError, match="is there already"):
        bundle.make(run, made)


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """No file grows beyond 200 bytes, which fails as a full disk does, only with EFBIG."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_of_what_cannot_be_written_nothing_stays(run: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    large = bundle.Bundle({}, {"sources/a.py": b"x", "sources/b.py": b"x" * 300})
    with full_disk():
        with pytest.raises(HarnessError, match=r"cannot write .*b\.zip: File too large; make room"):
            bundle.make(run, tmp_path / "b.zip")
        with pytest.raises(
            HarnessError, match=r"cannot write .*compare\.html: File too large; make room"
        ):
            page.write_comparison(run, run, tmp_path / "compare.html")
        with pytest.raises(
            HarnessError, match=r"cannot write the evidence below .*: File too large; make room"
        ):
            artifacts.update(run / artifacts.RUN, {"x": "x" * 300})
        with pytest.raises(HarnessError, match=r"cannot write .*new: File too large; make room"):
            reproduce._extract(large, tmp_path / "new")
    assert sorted(tmp_path.rglob("*")) == before
