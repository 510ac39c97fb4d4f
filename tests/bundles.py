"""A run of one test with the sources that it was made of, and the bundle of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from harness.report import artifacts, bundle

TEST = "scenarios/test_x.py::test_it"
SOURCE = b"import os\nos.system('touch /tmp/x')\n"
CONF = b"authentication {\n  auth_pass s3cret\n}\nauthentication {\n  auth_pass other1\n}\n"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run of one test, with what it was made of."""
    folder = tmp_path / "run"
    (folder / artifacts.SOURCES / "scenarios").mkdir(parents=True)
    (folder / artifacts.SOURCES / "scenarios" / "test_x.py").write_bytes(SOURCE)
    (folder / "test_it" / "director1").mkdir(parents=True)
    (folder / "test_it" / "director1" / "keepalived.conf").write_bytes(CONF)
    (folder / "test_it" / artifacts.CAPTURE).write_bytes(b"\0\1s3cret\0\0\2")
    artifacts.update(
        folder / "test_it" / artifacts.ABOUT, {"test": TEST, "outcome": "passed", "began": 0}
    )
    (folder / "test_it" / artifacts.TIMELINE).write_text(
        '{"at": 1, "node": "a", "kind": "fault", "name": "PowerOff", "action": "injected"}\n'
    )
    sources = {"scenarios/test_x.py": hashlib.sha256(SOURCE).hexdigest()}
    about = {"clock": "virtual", "seed": 7, "status": 0, "sources": sources}
    artifacts.update(folder / artifacts.RUN, about)
    return folder


@pytest.fixture
def made(run: Path) -> Path:
    """The bundle of that run, beside its folder."""
    target = run.with_name("b.zip")
    bundle.make(run, target)
    return target
