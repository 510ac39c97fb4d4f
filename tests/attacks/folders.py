"""Folders of runs that an attacker has made, and what keeps a test of them from hanging."""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.report import artifacts
from tests.runs import make_run

SECRET = "root:$6$secret"
SOURCE = b"def test_it():\n    pass\n"


@pytest.fixture(autouse=True)
def no_hang() -> Iterator[None]:
    """Whoever opens a FIFO waits for ever, which is to be a failure."""

    def too_long(*_: object) -> None:
        raise AssertionError("it hangs")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def new_run(folder: Path) -> Path:
    run = make_run(folder)
    (run / "sources").mkdir()
    (run / "sources" / "test_x.py").write_bytes(SOURCE)
    artifacts.update(run / "test_it" / artifacts.ABOUT, {"test": "test_x.py::test_it"})
    about = {
        "clock": "virtual",
        "seed": 7,
        "memory": 1 << 30,
        "sources": {"test_x.py": hashlib.sha256(SOURCE).hexdigest()},
        "order": ["test_x.py::test_it"],
        "versions": {"keepalived": "2.2.7"},
        "images": {"bookworm": "2.2.7"},
        "arguments": ["-q"],
        "selection": {"image": ["bookworm"]},
        "wall": 1.5,
        "seconds": 2.5,
        "verbosity": -1,
        "shard": "1/2",
        "division": "x",
    }
    artifacts.update(run / artifacts.RUN, about)
    return run
