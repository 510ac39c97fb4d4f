"""Reading: what keepalived makes of the configurations, and what had to be assumed."""

import pytest

from harness.check.configured import Configured
from harness.cluster import Cluster
from harness.keepalived import timers
from harness.plugin import private_pytest


def test_keepalived_runs_with_these_configurations(
    request: pytest.FixtureRequest, configured: Configured, cluster: Cluster
) -> None:
    """keepalived reads the configurations and stays up."""
    private_pytest.show(request.config, configured.understood)

    assert not [daemon.name for director in cluster.directors for daemon in director.idle]


def test_nothing_known_is_wrong(configured: Configured, cluster: Cluster) -> None:
    """Nothing shows, while nothing is broken, that is known to be a misconfiguration."""
    claims = [instance for director in cluster.directors for instance in director.role.instances]
    longest = timers.cold_start(*claims).latest if claims else 0.0
    cluster.timeline.let_pass(longest + cluster.slack)

    known = {name for finding in configured.findings for name in finding.kind.diagnoses}
    shown = cluster.diagnoses()
    found = [diagnosis for diagnosis in shown if diagnosis.name not in known]
    assert not found, "; ".join(map(str, found))
    if shown:
        names = dict.fromkeys(diagnosis.name for diagnosis in shown)
        pytest.skip(f"what shows is told as a finding already: {', '.join(names)}")
