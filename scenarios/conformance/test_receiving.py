"""Packets that a director receives: a wrong one deposes no master and prolongs no backup's
wait, a right one does.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.cluster import Cluster
from harness.scenario import topology
from scenarios.conformance import observing
from scenarios.conformance.declared import declared, needed, ruled
from scenarios.conformance.observing import Seen
from scenarios.conformance.vectors import BACKUP, DISCARDED, KINDS, MASTER, Kind, Vector, vectors
from topologies.phantom_pair import PhantomPair

pytestmark = pytest.mark.conformance

Record = Callable[[str, object], None]
TRUTHFUL = pytest.mark.control(
    "the phantom router does not lie", topology={"truthful": True}, caught="verdict"
)
OTHER_VRID = pytest.mark.control(
    "the director has another VRID", topology={"vrid": 52}, caught="master again"
)


def cases(state: str, discarded: bool) -> list[object]:
    """The packets that a director in a state discards, or that it does not."""
    return [
        pytest.param(
            kind,
            vector,
            id=f"{kind.name}: {vector.name}",
            marks=[
                topology(PhantomPair, **kind.vrrp),
                *needed(kind),
                *declared(kind, vector, state),
                ruled(vector, state),
            ],
        )
        for kind in KINDS
        for vector in vectors(kind)
        if (vector.due[state] == DISCARDED) == discarded
    ]


def show(
    record: Record, cluster: Cluster, state: str, kind: Kind, vector: Vector, seen: Seen
) -> None:
    """Put what was seen on record."""
    row: dict[str, object] = {"implementation": observing.implementation(cluster)}
    row |= {
        "kind": kind.name,
        "state": state,
        "packet": vector.name,
        "rule": vector.rule,
        "level": vector.level,
    }
    row |= {"due": vector.due[state], "logs": vector.logs, "did": seen.did, "how": seen.how}
    row |= {
        "counted": list(seen.counted),
        "said": list(seen.said),
        "answered": seen.answered,
        "shown": list(seen.shown),
    }
    record("conformance", row)


@TRUTHFUL
@pytest.mark.parametrize(("kind", "vector"), cases(MASTER, discarded=True))
def test_conformance_a_master_discards(
    cluster: Cluster, kind: Kind, vector: Vector, record_property: Record
) -> None:
    """Whoever can send one wrong packet would otherwise take the VIP from its master."""
    seen = observing.ask_master(cluster, vector.packets)
    show(record_property, cluster, MASTER, kind, vector, seen)

    assert seen.did == DISCARDED, seen.told  # label: verdict


@OTHER_VRID
@pytest.mark.parametrize(("kind", "vector"), cases(MASTER, discarded=False))
def test_conformance_a_master_obeys(
    cluster: Cluster, kind: Kind, vector: Vector, record_property: Record
) -> None:
    """A master that does not give way to one that is better makes two masters."""
    seen = observing.ask_master(cluster, vector.packets)
    show(record_property, cluster, MASTER, kind, vector, seen)

    assert seen.did == vector.due[MASTER], seen.told  # label: verdict


@TRUTHFUL
@pytest.mark.parametrize(("kind", "vector"), cases(BACKUP, discarded=True))
def test_conformance_a_backup_discards(
    cluster: Cluster, kind: Kind, vector: Vector, record_property: Record
) -> None:
    """Whoever can send wrong packets would otherwise keep a backup from ever taking over."""
    seen = observing.ask_backup(cluster, vector.packets)
    show(record_property, cluster, BACKUP, kind, vector, seen)

    assert seen.did == DISCARDED, seen.told  # label: verdict


@OTHER_VRID
@pytest.mark.parametrize(("kind", "vector"), cases(BACKUP, discarded=False))
def test_conformance_a_backup_obeys(
    cluster: Cluster, kind: Kind, vector: Vector, record_property: Record
) -> None:
    """A backup that does not hear its master takes over while that is alive."""
    seen = observing.ask_backup(cluster, vector.packets)
    show(record_property, cluster, BACKUP, kind, vector, seen)

    assert seen.did == vector.due[BACKUP], seen.told  # label: verdict
