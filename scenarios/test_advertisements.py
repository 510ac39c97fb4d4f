"""Advertisements: the master says every ``advert_int`` that it is there, and nobody else says
anything.
"""

from typing import Any

import pytest

from harness import measures
from harness.cluster import Cluster
from harness.events import Advertisement
from harness.keepalived import timers
from harness.scenario import topology
from topologies.director_group import DirectorGroup

pytestmark = pytest.mark.ownership

PARAMETERS: dict[str, dict[str, Any]] = {
    "version 2": {"advert_int": 2},
    "version 3": {"version": 3, "advert_int": 0.2},
    "unicast": {"unicast": True},
    "IPv6": {"version": 3, "vip": "fe80::50"},
}
KINDS = pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=topology(DirectorGroup, **PARAMETERS[kind])) for kind in PARAMETERS],
)
PACE = {"director1": ("    advert_int ", "    advert_int 1")}
OTHER_VRID = {"director2": ("virtual_router_id 51", "virtual_router_id 52")}


@KINDS
@pytest.mark.control("it has another pace", config=PACE, caught="settles")
def test_ownership_is_advertised_at_the_configured_rate(cluster: Cluster, kind: str) -> None:
    """One advertisement every ``advert_int``, neither fewer nor more (RFC 3768 and RFC 5798
    section 6.4.3).
    """
    master = cluster.settle().master  # label: settles
    began = cluster.timeline.now()

    cluster.timeline.let_pass(5 * master.vrrp.advert_int + cluster.slack)
    gaps = measures.advert_gaps(cluster.timeline, master.name, master.vrrp.vrid, since=began)

    assert len(gaps) >= 4
    assert cluster.on_time(gaps, [master.vrrp.advert_int] * len(gaps))


@KINDS
@pytest.mark.control("it has another VRID", config=OTHER_VRID, caught="backup is silent")
def test_ownership_leaves_the_backup_silent(cluster: Cluster, kind: str) -> None:
    """A backup that hears its master sends nothing at all (RFC 3768 and RFC 5798 section 6.4.2)."""
    master, backup = cluster.settle()
    began = cluster.timeline.now()

    cluster.timeline.let_pass(timers.master_down_interval(backup.vrrp) + cluster.slack)
    said = cluster.timeline.events(Advertisement, node=backup.name, since=began, sent=True)
    heard = cluster.timeline.events(Advertisement, node=backup.name, since=began, sent=False)

    assert not said  # label: backup is silent
    assert {advert.priority for advert in heard} == {master.vrrp.priority}
