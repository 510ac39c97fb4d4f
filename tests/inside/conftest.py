"""What the tests on real daemons share."""

from __future__ import annotations

import pytest

from harness.cluster_pool import Pool


@pytest.fixture
def alone(_pool: Pool) -> None:
    """No cluster is alive, so that every process, thread and link that a test finds is its own."""
    _pool.drop()
