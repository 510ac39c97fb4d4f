"""How much memory a guest is given, and how much there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.kernels.host import memory

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
def test_what_is_left_is_the_machines(tmp_path: Path, limit: str | None) -> None:
    assert memory.left(*machine(tmp_path, limit)) == 8192 * MIB


def test_what_is_left_is_the_containers_where_that_is_less(tmp_path: Path) -> None:
    assert memory.left(*machine(tmp_path, str(1024 * MIB), used=256 * MIB)) == 768 * MIB
    assert memory.left(*machine(tmp_path, str(1024 * MIB), used=2048 * MIB)) == 0


def test_a_guest_is_given_what_the_user_wants() -> None:
    assert memory.given("512M", machines=500) == 512 * MIB
    assert memory.given("2G", machines=5) == 2048 * MIB


@pytest.mark.parametrize(
    ("size", "wrong"), [("255M", "too little"), ("1000000G", "more than this machine has")]
)
def test_a_guest_is_not_given_what_it_cannot_live_in_or_nobody_has(size: str, wrong: str) -> None:
    with pytest.raises(HarnessError, match=f"--memory {size} is {wrong}"):
        memory.given(size, machines=5)


def test_a_guest_is_given_more_where_the_cluster_needs_it() -> None:
    assert memory.given(None, machines=5) == memory.SMALLEST
    assert (
        memory.given(None, machines=503) >= memory.taken(503) > memory.taken(203) > memory.SMALLEST
    )


@pytest.mark.parametrize("text", ["many", "1", "1T", "0G", "-1G", "1.5G", ""])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(HarnessError, match="is no amount of memory: write it as 512M or 1G"):
        memory.given(text, machines=5)
