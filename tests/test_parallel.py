"""How many workers there is memory for."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.plugin import parallel

MIB = 1 << 20


def machine(folder: Path, limit: str | None, used: int = 0) -> tuple[Path, Path]:
    """A machine with 8 GiB available, in a container with a limit in bytes, ``max``, or none."""
    meminfo = folder / "meminfo"
    meminfo.write_text(f"MemTotal:       16777216 kB\nMemAvailable:    {8 << 20} kB\n")
    if limit is not None:
        (folder / "memory.max").write_text(limit + "\n")
        (folder / "memory.current").write_text(f"{used}\n")
    return meminfo, folder


@pytest.mark.parametrize("limit", [None, "max", str(32768 * MIB)])
def test_memory_left_is_the_machines(tmp_path: Path, limit: str | None) -> None:
    assert parallel.memory_left(*machine(tmp_path, limit)) == 8192 * MIB


def test_memory_left_is_the_containers_where_that_is_less(tmp_path: Path) -> None:
    assert parallel.memory_left(*machine(tmp_path, str(1024 * MIB), used=256 * MIB)) == 768 * MIB
    assert parallel.memory_left(*machine(tmp_path, str(1024 * MIB), used=2048 * MIB)) == 0


def test_one_worker_always_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "memory_left", lambda: 0)
    assert parallel.workers_that_fit() == 1
    monkeypatch.setattr(parallel, "memory_left", lambda: 3 * parallel.MEMORY + 1)
    assert parallel.workers_that_fit() == 3
