"""What these scenarios share."""

from __future__ import annotations

import pytest

from harness.behaviours.parts import Parts
from harness.check.configured import Configured
from harness.cluster import Cluster
from harness.plugin.marks import CONFIGURED


@pytest.fixture(scope="session")
def configured(request: pytest.FixtureRequest) -> Configured:
    """The topology made from the directors' configurations."""
    if (found := request.config.stash.get(CONFIGURED, None)) is None:
        pytest.skip("say which configurations: --director lb1=lb1.conf --director lb2=lb2.conf")
    return found


@pytest.fixture
def parts(cluster: Cluster, configured: Configured) -> Parts:
    """The cluster's instances and services, by name."""
    return Parts(cluster, configured.amiss, configured.suspended)
