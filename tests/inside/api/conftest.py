"""What the examples may take for granted."""

from __future__ import annotations

import pytest

from harness.cluster import Cluster


@pytest.fixture(autouse=True)
def _settled(request: pytest.FixtureRequest) -> None:
    """A cluster has settled before an example begins, so that the example needs no line for
    that.
    """
    if "cluster" in request.fixturenames:
        cluster: Cluster = request.getfixturevalue("cluster")
        cluster.settle()
