"""Sequences of deeds: which are possible, how they are drawn and made small, and what they saw."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from mininet.topo import Topo

from harness.errors import HarnessError
from harness.events import AddressChanged, DestinationChanged, Event, Log, StateChanged
from harness.lab.plan import Plan
from harness.nodes import DirectorNode, node_of
from harness.plugin.search import needed
from harness.search.comparing import differences
from harness.search.coverage import states
from harness.search.drawing import deadlines
from harness.search.invariants.advertising import ACTS
from harness.search.judging import judged
from harness.search.kinds import KINDS, holds, possible
from harness.search.known import known
from harness.search.model.processes import pending
from harness.search.observed import Act, Observed
from harness.search.performing import Lived
from harness.search.sequence import Step, from_json, lasts, moments, performed, step, to_json
from harness.search.setting import setting_of_plan
from harness.search.shrinking import smallest
from harness.search.site import in_fault
from harness.spec import ClusterSpec
from harness.topology import Director
from tests.stories import hung
from tests.story import quiet
from topologies.director_pair import DirectorPair
from topologies.health_checks import HealthChecks
from topologies.proxies import Proxies
from topologies.quorum_pool import QuorumPool
from topologies.router_pair import RouterPair
from topologies.searched import Searched
from topologies.two_nodes import topos as two_nodes

STARTED = "Starting VRRP child process, pid="


def texts(plan: Plan) -> dict[str, str]:
    """Each director's keepalived.conf."""
    found = {}
    for host in plan.of_role(Director):
        node = node_of(host, plan)
        assert isinstance(node, DirectorNode)
        found[host.name] = node.config_text().decode()
    return found


def test_steps_follow_each_other_and_what_lasts_is_taken_back() -> None:
    steps = (step(1, "PowerOff", "web1", lasts=3), step(0.5, "Unplug", "web2", lasts=1))

    happened = [(each.at, each.number, each.begins) for each in moments(steps, holds)]

    assert happened == [(1, 0, True), (1.5, 1, True), (2.5, 1, False), (4, 0, False)]
    assert lasts(steps) == 4


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        (step(0, "PowerOff", "web1", lasts=2), step(1, "StopHttpd", "web1", lasts=1), 1),
        (step(0, "PowerOff", "web1", lasts=2), step(2, "StopHttpd", "web1", lasts=1), 2),
        (step(0, "PowerOff", "web1", lasts=2), step(1, "StopHttpd", "web2", lasts=1), 2),
        (step(0, "HangKeepalived", "director1", lasts=2), step(1, "Reload", "director1"), 2),
        (step(0, "HangKeepalived", "director1", lasts=2), step(1, "Restart", "director1"), 1),
        (step(0, "StopKeepalived", "director1", lasts=2), step(1, "Reload", "director1"), 1),
        (step(0, "Mute", "web1", lasts=2), step(1, "Deaf", "web1", lasts=1), 2),
        (step(0, "Mute", "web1", lasts=2), step(1, "Mute", "web1", lasts=1), 1),
        (
            step(0, "PowerOff", "web1", lasts=2),
            step(1, "Cut", "director1", lasts=1, other="web1", both=True),
            1,
        ),
    ],
)
def test_a_step_that_clashes_is_left_out(first: Step, second: Step, kept: int) -> None:
    assert len(performed((first, second), holds)) == kept


def test_what_follows_a_step_that_is_left_out_keeps_its_time() -> None:
    steps = (
        step(0, "PowerOff", "web1", lasts=9),
        step(1, "StopHttpd", "web1"),
        step(2, "Unplug", "web2", lasts=1),
    )

    assert performed(steps, holds) == (steps[0], step(3, "Unplug", "web2", lasts=1))


def test_a_deed_that_does_not_last_is_taken_back_after_it_was_done() -> None:
    assert [each.begins for each in moments([step(0, "Reload", "director1")], holds)] == [
        True,
        False,
    ]


def test_steps_survive_a_file() -> None:
    steps = (
        step(0.25, "Cut", "director1", lasts=2, other="web1", both=False),
        step(0, "Reload", "director2"),
    )

    assert from_json(to_json(steps)) == steps


def test_every_kind_is_possible_somewhere_and_holds_what_it_names() -> None:
    found = set()
    specs = (
        ClusterSpec(DirectorPair),
        ClusterSpec(QuorumPool),
        ClusterSpec(HealthChecks, {"services": "mixed"}),
        ClusterSpec(Searched, {"file_weight": 1}),
        ClusterSpec(Searched, {"check": "digest"}),
        ClusterSpec(Searched, {"check": "slow"}),
        ClusterSpec(Proxies),
    )
    for spec in specs:
        plan = spec.plan()
        for deed in possible(plan, texts(plan)):
            found.add(deed.name)
            assert not any("{" in word for word in holds(deed).takes | holds(deed).needs)

    assert found | {"FailCheck", "HangCheck"} == set(KINDS)


def test_two_directors_are_cut_apart_once_whoever_of_them_is_named() -> None:
    """A cut of both ways would meet one of them again, which the lab refuses."""
    both = step(0, "Cut", "director1", lasts=5, other="director2", both=True)
    one = step(0, "Cut", "director2", lasts=1, other="director1", both=False)

    assert holds(both.deed).clashes(holds(one.deed))


def test_a_cable_is_pulled_alone_where_a_machine_has_several() -> None:
    def pulled(spec: ClusterSpec) -> list[dict[str, object]]:
        plan = spec.plan()
        deeds = possible(plan, texts(plan))
        return [dict(each.parameters) for each in deeds if str(each).startswith("Unplug(director1")]

    assert pulled(ClusterSpec(DirectorPair)) == [{}]
    assert pulled(ClusterSpec(RouterPair)) == [{}, {"interface": "eth0"}, {"interface": "eth1"}]


def test_without_directors_there_is_nothing_to_search() -> None:
    plan = ClusterSpec(two_nodes["two_nodes"]).plan()
    hosts = tuple(host for host in plan.hosts if not isinstance(host.role, Director))

    with pytest.raises(HarnessError, match="no director"):
        possible(Plan(hosts=hosts, lans=plan.lans), {})


def test_a_kind_that_is_left_out_must_exist() -> None:
    with pytest.raises(HarnessError, match="--without Poweroff: there is no such deed"):
        possible(ClusterSpec(DirectorPair).plan(), {}, ["Poweroff"])


def test_deadlines_are_those_of_the_protocols() -> None:
    found = deadlines(ClusterSpec(DirectorPair).plan())

    assert {0.0, 1.0, 3.648, 2.648, 0.609, 5.0, 2.0} <= set(found)
    assert max(found) <= 12


def test_shrinking_leaves_the_steps_that_matter_and_round_pauses() -> None:
    steps = (
        step(0.37, "Reload", "director2"),
        step(1.93, "PowerOff", "web1", lasts=4.21),
        step(0.11, "Unplug", "web2", lasts=2.2),
        step(2.5, "Reload", "director1"),
    )

    def fails(candidate: tuple[Step, ...]) -> bool:
        """Whether director1 reloads two seconds or more after web1 lost its power."""
        off = on = None
        now = 0.0
        for each in candidate:
            now += each.after
            off = now if each.deed.name == "PowerOff" else off
            on = now if each.deed.node == "director1" else on
        return off is not None and on is not None and on - off >= 2

    assert smallest(steps, fails) == (step(0, "PowerOff", "web1"), step(2, "Reload", "director1"))


def test_shrinking_gives_nothing_up_that_still_fails_alone() -> None:
    steps = (step(1.23, "Reload", "director1"), step(1, "Reload", "director2"))

    assert smallest(steps, lambda candidate: candidate == steps) == steps


def life(*events: Event, amiss: str | None = None) -> Lived:
    """What came of a sequence on a pair of directors, as if it had begun at 10 s."""
    setting = setting_of_plan(ClusterSpec(DirectorPair).plan(), 0.005)
    return Lived(Observed(events=events, began=10.0, ended=30.0, acts=(), setting=setting), amiss)


def takes(at: float, node: str = "director2") -> AddressChanged:
    """A director gets the VIP."""
    return AddressChanged(
        at, node, action="added", address="172.16.10.50", prefix=32, interface="eth0"
    )


def removes(at: float) -> DestinationChanged:
    """A director removes a real server."""
    return DestinationChanged(
        at, "director1", action="removed", service="TCP 172.16.10.50:80", address="172.16.10.21:80"
    )


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (life(takes(12)), life(takes(12.05)), None),
        (life(takes(12)), life(takes(12.3)), "after 2.000 s with old, and after 2.300 s with new"),
        (life(takes(12)), life(), "is added on director2 once with old, never with new"),
        (
            life(takes(12)),
            life(takes(12, "director1")),
            "on director1 never with old, once with new",
        ),
        (life(removes(12)), life(removes(15)), None),
        (
            life(removes(12)),
            life(),
            "172.16.10.21:80 of TCP 172.16.10.50:80 is removed on director1 once",
        ),
        (life(), life(amiss="late"), "new: late; old comes to rest"),
        (life(amiss="late"), life(amiss="late"), None),
    ],
)
def test_two_versions_differ_by_more_than_protocols_leave_open(
    one: Lived, other: Lived, told: str | None
) -> None:
    texts = [each.text for each in differences(one, other, ("old", "new"))]

    assert texts == [] if told is None else len(texts) == 1 and told in texts[0]


def test_states_are_those_of_instances_tables_and_deeds_together() -> None:
    lived = life(
        StateChanged(11, "director2", instance="VI_1", state="MASTER"),
        removes(12),
        StateChanged(13, "director2", instance="VI_1", state="BACKUP"),
    )
    acts = (Act("PowerOff", "web1", {}, 11.5, 12.5),)

    assert states(replace(lived.observed, acts=acts)) == {
        ("director2 VI_1 MASTER",),
        ("director2 VI_1 MASTER", "director1 lacks 1", "while PowerOff web"),
        ("director2 VI_1 BACKUP", "director1 lacks 1"),
    }


@pytest.mark.parametrize("topology", [Searched, HealthChecks])
def test_whatever_is_varied_is_a_topology(topology: type[Topo]) -> None:
    chosen = random.Random(1)
    for _ in range(200):
        parameters = {name: chosen.choice(values) for name, values in topology.VARIED.items()}
        assert ClusterSpec(topology, parameters).plan().of_role(Director)


@pytest.mark.parametrize("topology", [Searched, HealthChecks])
def test_what_a_version_cannot_do_is_marked_and_nothing_else(topology: type[Topo]) -> None:
    for (parameter, value), (feature, since) in topology.NEEDS.items():
        (mark,) = needed(topology, {parameter: value})
        assert value in topology.VARIED[parameter]
        assert mark == pytest.mark.needs(feature, keepalived=since)
        assert not needed(topology, {parameter: topology.VARIED[parameter][0]})
    assert not needed(Topo, {"check": "reply"})


@pytest.mark.parametrize(("states", "stuck"), [("FAULT", True), ("FAULT BACKUP", False)])
def test_an_instance_is_in_fault_until_it_is_something_else(states: str, stuck: bool) -> None:
    story = quiet()
    for number, state in enumerate(states.split()):
        story.state("director2", 9.0 + number, state)
    said = [event for event in story.events if isinstance(event, StateChanged)]

    assert (("director2", "VI_1") in in_fault(said)) is stuck


@pytest.mark.parametrize(
    ("seconds", "action", "waits"),
    [(16, None, True), (2, None, False), (16, "ended", False), (16, "reloaded", True)],
)
def test_a_child_that_died_is_to_be_started_until_its_delay_or_keepalived_is_over(
    seconds: int, action: str | None, waits: bool
) -> None:
    story = quiet()
    delayed = f"Restart of Healthcheck process delayed {seconds} seconds to limit respawn rate"
    story.log("director1", 8.5, delayed)
    story.log("director1", 9.0, "Starting Healthcheck child process, pid=48")
    if action is not None:
        story.daemon("director1", 10.0, action)

    assert pending(story.events, 12.0) is waits


def test_a_child_that_runs_twice_is_known_and_all_that_follows_from_it() -> None:
    steps = (step(0, "CrashVrrp", "director1", times=2), step(0, "Reload", "director1"))
    started = [
        Log(11.0 + number, "director1", daemon="keepalived", line=f"{STARTED}{number}")
        for number in (7, 8)
    ]

    (violation,) = judged(life(*started, amiss="the VIP has two owners"), "another socket")

    assert known(violation, steps) is not None


def test_of_a_master_that_hangs_all_else_follows() -> None:
    (violation,) = judged(Lived(hung().observed(), "the VIP has two owners"), None)

    assert violation.invariant == ACTS
