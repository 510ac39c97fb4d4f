"""What a failure looks like: misconfigurations that show in what was recorded, named first.

A fault makes much look like a misconfiguration. So what counts is what showed before the
scenario's first fault; only a scenario without any is judged by all that was recorded.
"""

from __future__ import annotations

import pytest

from harness.cluster import Cluster
from harness.diagnosis import Diagnosis
from harness.errors import HarnessError
from harness.events import FaultChanged
from harness.plugin import private_pytest
from harness.plugin.clusters import RUNNING

LOOKS_LIKE = "looks like"


def put_first(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put the causes of a failure before its message, in the terminal, on the page and in JUnit's XML."""
    cluster = item.stash.get(RUNNING, None)
    if report.failed and cluster is not None and report.when == "call":
        found = _causes(cluster)
        if found:
            private_pytest.put_first(report, [f"{LOOKS_LIKE}: {cause}" for cause in found])


def _causes(cluster: Cluster) -> list[Diagnosis]:
    """What was wrong before the first fault; nothing where that cannot be told."""
    try:
        faults = cluster.timeline.events(FaultChanged, since=cluster.timeline.mark, action="injected")
        return cluster.diagnoses(until=faults[0].at if faults else None)
    except (HarnessError, OSError):
        return []  # the failure itself is told all the same
