"""What a native kernel lacks for large clusters."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.kernels import native


def test_table_of_neighbours_that_is_too_small_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = tmp_path / "gc_thresh3"
    monkeypatch.setattr(native, "_NEIGHBOURS", str(limit))
    assert native.too_small(503) is None
    limit.write_text("1024\n")
    assert native.too_small(23) is None
    assert "sysctl -w net.ipv4.neigh.default.gc_thresh3=2515" in (native.too_small(503) or "")
