"""What a master sends: its advertisements field by field, and what it answers to a router that
is not better.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.cluster import Cluster
from harness.scenario import topology
from scenarios.conformance import observing
from scenarios.conformance.declared import by_rule, declared_of_sender, needed
from scenarios.conformance.sending import Duty, duties
from scenarios.conformance.vectors import KINDS, Kind
from topologies.phantom_pair import PhantomPair

pytestmark = pytest.mark.conformance

Record = Callable[[str, object], None]
OTHER_VRID = pytest.mark.control(
    "the director has another VRID", topology={"vrid": 52}, caught=("kept", "checked")
)
KEPT, BROKEN = "kept", "not kept"

CASES = [
    pytest.param(
        kind,
        duty,
        id=f"{kind.name}: {duty.name}",
        marks=[
            topology(PhantomPair, **kind.vrrp),
            *needed(kind),
            *declared_of_sender(kind, duty.name),
            by_rule(duty.rule, duty.level),
        ],
    )
    for kind in KINDS
    for duty in duties(kind)
]


@OTHER_VRID
@pytest.mark.parametrize(("kind", "duty"), CASES)
def test_conformance_a_master_sends(
    cluster: Cluster, kind: Kind, duty: Duty, record_property: Record
) -> None:
    """Routers of other makers judge a keepalived by what it sends."""
    kept = duty.check(cluster)  # label: checked
    row = {
        "implementation": observing.implementation(cluster),
        "kind": kind.name,
        "state": "master",
    }
    did = KEPT if kept else BROKEN
    row |= {
        "packet": duty.name,
        "rule": duty.rule,
        "level": duty.level,
        "due": KEPT,
        "did": did,
        "how": did,
    }
    record_property(
        "conformance",
        {**row, "logs": False, "counted": [], "said": [], "answered": False, "shown": []},
    )

    assert kept, f"not so: {duty.rule}"  # label: kept
