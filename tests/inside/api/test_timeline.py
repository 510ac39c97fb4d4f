"""The timeline, and the measures that judge by it."""

from __future__ import annotations

from harness import measures
from harness.cluster import Cluster
from harness.events import AddressChanged, Advertisement, Log
from harness.scenario import fresh_topology
from harness.timeline import Timeline
from tests.inside.api.shown import shows
from topologies.director_pair import DirectorPair

pytestmark = fresh_topology(DirectorPair)  # they look at all of a timeline


@shows(Timeline.events)
def test_a_query(cluster: Cluster) -> None:
    sent = cluster.timeline.events(Advertisement, node="director1", sent=True)
    assert {advertisement.priority for advertisement in sent} == {100}


@shows(Timeline.latest)
def test_the_last_of_its_kind(cluster: Cluster) -> None:
    last = cluster.timeline.latest(Advertisement, lambda event: event.sent)
    assert last is not None
    assert last.node == cluster.master.name


@shows(Timeline.now, Timeline.let_pass)
def test_time_that_passes(cluster: Cluster) -> None:
    began = cluster.timeline.now()
    cluster.timeline.let_pass(2.5)
    assert cluster.timeline.now() - began >= 2.5


@shows(Timeline.record)
def test_a_word_of_one_s_own(cluster: Cluster) -> None:
    now = cluster.timeline.now()
    cluster.timeline.record(Log(now, "client", daemon="scenario", line="half of it is done"))


@shows(Timeline.wait_for)
def test_waiting_for_an_event(cluster: Cluster) -> None:
    until = cluster.timeline.now() + 2
    assert cluster.timeline.wait_for(Advertisement, since=until - 2, until=until).vrid == 51


@shows(Timeline.wait_until)
def test_waiting_for_something(cluster: Cluster) -> None:
    until = cluster.timeline.now() + 2
    assert cluster.timeline.wait_until(cluster.owners, until, "somebody holds the VIP")


@shows(Timeline.before)
def test_how_things_were(cluster: Cluster) -> None:
    (first, *_) = cluster.timeline.events(AddressChanged, address=cluster.vip, action="added")
    assert not cluster.timeline.before(first.at).events(AddressChanged, address=cluster.vip)


@shows(measures.ownership, measures.owners)
def test_who_held_the_vip_and_when(cluster: Cluster) -> None:
    (tenure,) = measures.ownership(cluster.timeline, cluster.vip, "eth0")
    assert measures.owners(cluster.timeline, cluster.vip, "eth0") == [tenure.node]


@shows(measures.holders)
def test_who_holds_which_address(cluster: Cluster) -> None:
    held = measures.holders(cluster.timeline)
    assert held[cluster.vip, "eth0"] == {cluster.master.name}


@shows(measures.has_carrier)
def test_whether_an_interface_has_its_carrier(cluster: Cluster) -> None:
    assert measures.has_carrier(cluster.timeline, "director1", "eth0")


@shows(measures.takeovers)
def test_when_a_node_took_the_vip(cluster: Cluster) -> None:
    now = cluster.timeline.now()
    assert len(measures.takeovers(cluster.timeline, "director1", cluster.vip, 0, now)) == 1


@shows(measures.reigns)
def test_who_was_master_on_the_wire(cluster: Cluster) -> None:
    reigns = measures.reigns(cluster.timeline, vrid=51)
    assert [reign.node for reign in reigns] == ["director1"]


@shows(measures.advert_gaps)
def test_the_pace_of_a_master(cluster: Cluster) -> None:
    cluster.timeline.let_pass(3)
    gaps = measures.advert_gaps(cluster.timeline, "director1", vrid=51)
    assert cluster.on_time(gaps, expected=[1.0] * len(gaps))


@shows(measures.split_brain)
def test_whether_there_were_two_masters(cluster: Cluster) -> None:
    assert not measures.split_brain(cluster.timeline, vrid=51)


@shows(measures.heard, measures.silences)
def test_what_a_backup_heard(cluster: Cluster) -> None:
    cluster.timeline.let_pass(3)
    heard = measures.heard(cluster.timeline, "director2", vrid=51)
    assert not measures.silences(heard, longest=3.6, until=cluster.timeline.now())


@shows(measures.requests, measures.outage, measures.distribution)
def test_how_the_client_fared(cluster: Cluster) -> None:
    cluster.client.fetch(4)
    assert measures.outage(cluster.timeline) < 0.1
    assert measures.distribution(measures.requests(cluster.timeline)) == {"web1": 2, "web2": 2}


@shows(measures.pool, measures.pools)
def test_what_a_table_held(cluster: Cluster) -> None:
    pool = measures.pool(cluster.timeline, "director1", cluster.service.name)
    assert measures.pools(cluster.timeline, "director1") == {cluster.service.name: pool}
