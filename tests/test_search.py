"""Sequences, what is drawn and made smaller of them, and what is left: all without a kernel."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from mininet.topo import Topo
from packaging.version import Version

from harness.errors import HarnessError
from harness.events import AddressChanged, DestinationChanged, Event, Log, StateChanged
from harness.lab.plan import Plan
from harness.nodes import DirectorNode, node_of
from harness.search import canonical, growth, leaving
from harness.search.comparing import differences
from harness.search.coverage import states
from harness.search.drawing import deadlines
from harness.search.edits import edits_of
from harness.search.engine import Failure, Search
from harness.search.invariants import INVARIANTS
from harness.search.judging import AS_BEFORE, AT_REST, Signature, judged
from harness.search.kinds import KINDS, holds, possible
from harness.search.known import KNOWN, Known, known
from harness.search.observed import Act, Observed, Violation, setting_of_plan
from harness.search.performing import Lived
from harness.search.sequence import Step, from_json, lasts, moments, performed, step, to_json
from harness.search.shrinking import smallest
from harness.search.site import Steps
from harness.spec import ClusterSpec, Origin
from harness.topology import Director
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


CONFIG = """
virtual_server 10.0.0.1 80 {
    quorum 1
    real_server 10.0.0.2 80 {
        weight 1
    }
    real_server 10.0.0.3 80 {
        weight 1
    }
    sorry_server 10.0.0.4 80
}
virtual_server_group G {
    10.0.0.1 81
    10.0.0.1 82
}
vrrp_instance A {
    priority 100
    virtual_ipaddress {
        10.0.0.1/32
        10.0.0.9/32
    }
}
"""


def test_edits_take_blocks_and_lines_out_and_change_numbers() -> None:
    names = [edit.name for edit in edits_of(CONFIG)]

    assert "no real_server 10.0.0.3 80 in virtual_server 10.0.0.1 80" in names
    assert "no sorry_server 10.0.0.4 80 in virtual_server 10.0.0.1 80" in names
    assert "weight 3 in real_server 10.0.0.3 80, virtual_server 10.0.0.1 80" in names
    assert "priority 95 in vrrp_instance A" in names
    assert "no 10.0.0.1 82 in virtual_server_group G" in names
    assert "no 10.0.0.9 in virtual_ipaddress, vrrp_instance A" in names
    assert len(names) == len(set(names))


def test_every_edit_is_of_text_that_stands_once_and_leaves_braces_in_pairs() -> None:
    for edit in edits_of(CONFIG):
        assert CONFIG.count(edit.old) == 1
        changed = CONFIG.replace(edit.old, edit.new)
        assert changed != CONFIG
        assert changed.count("{") == changed.count("}")


TWO = """
vrrp_instance A {
    virtual_router_id 51
    version 2
    virtual_ipaddress {
        10.0.0.1/32
        10.0.0.9/32
    }
}
vrrp_instance B {
    virtual_router_id 52
    virtual_ipaddress {
        10.0.0.2/32
    }
}
"""


@pytest.mark.parametrize(
    ("name", "has", "has_not"),
    [
        ("A and B have each other's first VIP", "10.0.0.2/32\n        10.0.0.9/32", ""),
        ("A and B have each other's number", "A {\n    virtual_router_id 52", ""),
        ("A has the VIPs of B, which is gone", "10.0.0.9/32\n        10.0.0.2/32", "B {"),
        ("B has the last VIP of A", "10.0.0.2/32\n        10.0.0.9/32", ""),
        ("10.0.0.131 more in vrrp_instance A", "10.0.0.9/32\n        10.0.0.131/32", ""),
        ("no vrrp_instance B", "vrrp_instance A", "vrrp_instance B"),
        ("use_vmac in vrrp_instance B", "use_vmac\n}", ""),
        ("version 3 in vrrp_instance A", "version 3", "version 2"),
    ],
)
def test_vips_and_lines_move_come_and_go(name: str, has: str, has_not: str) -> None:
    (edit,) = (each for each in edits_of(TWO) if each.name == name)

    changed = TWO.replace(edit.old, edit.new)

    assert TWO.count(edit.old) == 1
    assert has in changed
    assert not has_not or has_not not in changed
    assert changed.count("{") == changed.count("}")


def test_instances_of_one_number_do_not_exchange_it() -> None:
    """IPv4 and IPv6 may have the same: nothing would be edited."""
    names = [each.name for each in edits_of(TWO.replace("id 52", "id 51"))]

    assert "A and B have each other's first VIP" in names
    assert "A and B have each other's number" not in names


def test_a_lone_instance_is_not_taken_out() -> None:
    assert not any(each.name.startswith("no vrrp_instance") for each in edits_of(CONFIG))


def test_an_edit_of_one_real_server_leaves_the_other() -> None:
    edit = next(
        each
        for each in edits_of(CONFIG)
        if each.name.startswith("weight 3 in real_server 10.0.0.3")
    )

    changed = CONFIG.replace(edit.old, edit.new)

    assert changed.index("weight 1") < changed.index("10.0.0.3") < changed.index("weight 3")


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


def test_signatures_leave_out_numbers_and_which_node_it_was() -> None:
    texts = ("director1 holds 10.0.0.1 for 3.25 s", "director2 holds 10.0.0.9 for 12 s")

    assert len({Signature.of(Violation("owner", 1.0, text)) for text in texts}) == 1
    assert Signature.of(Violation("owner", 1.0, texts[0])) != Signature.of(
        Violation("other", 1.0, texts[0])
    )


def test_known_defects_hide_nothing_else() -> None:
    crash, reload = step(0, "CrashVrrp", "director1", times=2), step(0, "Reload", "director1")
    needed = (frozenset({"CrashVrrp", "CrashCheckers"}), frozenset({"Reload"}))
    defects = (Known("#1", "owner", r"^director1 sleeps", needed),)
    sleeps = Violation("owner", 0, "director1 sleeps")

    assert known(sleeps, (crash, reload), defects) == "#1"
    assert known(sleeps, (crash,), defects) is None
    assert known(sleeps, (crash, step(0, "Reload", "director2")), defects) is None
    assert known(Violation("owner", 0, "director1 wakes"), (crash, reload), defects) is None
    assert known(Violation("other", 0, "director1 sleeps"), (crash, reload), defects) is None


def test_a_defect_of_an_edit_is_known_by_what_that_is_called() -> None:
    defects = (Known("#3", "owner", "sleeps", edit="first VIP"),)
    sleeps = Violation("owner", 0, "director1 sleeps")

    def edited(name: str) -> tuple[Step, ...]:
        return (step(0, "Reconfigure", "director1", lasts=3, edit=name),)

    assert known(sleeps, edited("A and B have each other's first VIP"), defects) == "#3"
    assert known(sleeps, edited("priority 95 in vrrp_instance A"), defects) is None


def test_a_defect_is_known_where_a_configuration_and_a_version_can_have_it() -> None:
    defect = Known("#2", "owner", "sleeps", config="vrrp_script", present=">2.2.7")

    assert defect.possible(["", "vrrp_script chk {}"], {Version("2.3.3"), Version("2.2.7")})
    assert not defect.possible(["vrrp_script chk {}"], {Version("2.2.7")})
    assert not defect.possible(["", ""], {Version("2.3.3")})


def test_known_defects_show_in_what_is_judged_and_have_a_file() -> None:
    for defect in KNOWN:
        assert defect.invariant in {*INVARIANTS, AT_REST, AS_BEFORE}
        assert (Path(__file__).parent.parent / defect.reference).is_file()


def test_a_sorry_server_that_a_kill_leaves_behind_is_known_and_no_other_table() -> None:
    steps = (step(0, "KillKeepalived", "director1", lasts=6),)

    def rests(has: str, instead: str) -> str | None:
        text = f"director1's table of TCP 10.0.0.50:80 has {{{has}}} instead of {{{instead}}}"
        return known(Violation(AT_REST, 0, text), steps)

    two = "'10.0.0.21:80': 1, '10.0.0.22:80': 1"
    assert rests(f"'10.0.0.30:80': 1, {two}", two) is not None
    assert rests("'10.0.0.21:80': 1", two) is None
    assert rests("'10.0.0.21:80': 1, '10.0.0.22:80': 2", two) is None
    assert rests("'10.0.0.30:80': 1, '10.0.0.22:80': 1", two) is None


def test_a_child_that_runs_twice_is_known_and_all_that_follows_from_it() -> None:
    steps = (step(0, "CrashVrrp", "director1", times=2), step(0, "Reload", "director1"))
    started = [
        Log(11.0 + number, "director1", daemon="keepalived", line=f"{STARTED}{number}")
        for number in (7, 8)
    ]

    (violation,) = judged(life(*started, amiss="the VIP has two owners"), "another socket")

    assert known(violation, steps) is not None


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


def test_a_scenario_of_three_steps_has_fifteen_lines_and_is_python() -> None:
    steps = tuple(step(1, "Reload", f"director{number}") for number in (1, 2, 1))
    violation = Violation("as before", 3.0, 'director1 says "no" \\ twice')
    failure = Failure(Signature.of(violation), steps, violation, steps)

    text = leaving.scenario(
        failure, Origin(("from topologies.director_pair import DirectorPair",), "DirectorPair")
    )

    compile(text, "test_found.py", "exec")
    assert len(text.splitlines()) == 15
    assert 'step(1, "Reload", "director2"),' in text


@pytest.mark.parametrize("invariant", [*INVARIANTS, AT_REST, AS_BEFORE])
def test_a_scenario_is_python_whatever_its_invariant_is_called(invariant: str) -> None:
    violation = Violation(invariant, 3.0, "so it is")
    steps = (step(1, "Reload", "director1"),)
    failure = Failure(Signature.of(violation), steps, violation, steps)

    compile(leaving.scenario(failure, Origin((), "Any")), "test_found.py", "exec")


def test_a_table_is_the_same_whatever_the_order_and_the_connections() -> None:
    header = (
        "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler"
        " Flags\n  -> RemoteAddress\n"
    )
    one = (
        "TCP  AC10:0050 rr\n  -> AC01:0050      Route   1      0          7\n  -> AC02:0050   "
        "   Route   1      0  1\n"
    )
    other = (
        "TCP  AC10:0050 rr\n  -> AC02:0050      Route   1      3  1\n  -> AC01:0050     "
        " Route   1      0          0\n"
    )
    weighed = other.replace("AC01:0050      Route   1", "AC01:0050      Route   9")

    def state(table: str) -> canonical.State:
        return {"director1 /proc/net/ip_vs": canonical.plain("/proc/net/ip_vs", header + table)}

    assert canonical.difference(state(one), state(other)) is None
    assert "Route   9" in str(canonical.difference(state(one), state(weighed)))


def test_a_socket_for_netfilter_is_no_second_process() -> None:
    """keepalived opens it for its first VMAC, and keeps it."""

    def sockets(*protocols: int) -> str:
        rows = [f"0000 {protocol:<3} 4{protocol} 00000550 0 0" for protocol in protocols]
        header = "sk Eth Pid Groups Rmem Wmem"
        return canonical.plain("/proc/net/netlink", "\n".join([header, *rows]))

    assert sockets(0, 12) == sockets(0)
    assert sockets(0, 0) != sockets(0)


def test_routes_are_compared_in_any_order_and_once() -> None:
    """With the first rule the kernel parts two tables that it had as one."""

    def table(*lines: str) -> str:
        return canonical.plain("/proc/net/fib_trie", "\n".join(lines))

    here, lan = (
        ("     |-- 10.0.0.1", "        /32 host LOCAL"),
        ("     |-- 10.0.0.0", "        /24 link UNICAST"),
    )
    inner = "  +-- 0.0.0.0/0 3 0 5"
    assert table("Main:", inner, *here, *lan) == table("Local:", *lan, *here, "Main:", inner, *here)
    assert table("Main:", *here, *lan) != table("Main:", *here)


def test_what_keepalived_holds_open_is_counted_without_sockets_and_inodes() -> None:
    held = [
        "pipe:[12]",
        "pipe:[13]",
        "/dev/null",
        "/dev/console",
        "socket:[14]",
        "anon_inode:[eventpoll]",
    ]

    assert canonical.held(held) == "keepalived holds 1 /dev/null, 1 anon_inode, 2 pipe"


def test_a_descriptor_more_is_a_difference() -> None:
    before, now = (
        {"director1 keepalived's descriptors": canonical.held(["pipe:[1]"] * count)}
        for count in (2, 3)
    )

    assert "keepalived holds 3 pipe" in str(canonical.difference(before, now))


def test_what_fails_by_itself_has_no_step() -> None:
    steps = (step(1, "Reload", "director1"), step(0.5, "Restart", "director1"))

    assert smallest(steps, lambda candidate: True) == ()
    assert smallest(steps, lambda candidate: len(candidate) > 0) == (
        step(0, "Reload", "director1"),
    )


@pytest.mark.parametrize(
    ("grown", "told"),
    [
        ([200] * 12, None),
        # what is done for the first time takes memory that stays
        ([0, 100, 160, 180, 190, 196, 200, 204, 208, 212, 216, 220], None),
        ([16 * number for number in range(12)], "process 7 has grown by 80 KiB in 5 repetitions"),
    ],
)
def test_a_process_that_never_ends_to_grow_leaks(grown: list[int], told: str | None) -> None:
    assert growth.leak([{"7": 1000 + each} for each in grown]) == told


def test_a_process_that_was_started_anew_does_not_leak() -> None:
    assert growth.leak([{"7": 1000}, {"7": 1100}, {"8": 9000}]) is None


def test_a_socket_that_is_never_closed_is_missed_once_there_are_too_many() -> None:
    most = {"director1": 43}
    assert growth.left_open({"director1": {"3": 43, "4": 9}}, most) is None
    left = growth.left_open({"director1": {"3": 9, "4": 44}}, most)
    assert left == "director1's process 4 holds 44 sockets, and has use for 43"


def test_counters_only_rise_unless_the_machine_was_booted() -> None:
    before, now = {"lb1": (4, 10), "lb2": (1, 1)}, {"lb1": (4, 9), "lb2": (1, 2)}

    assert growth.fallen(before, now) == "lb1 had counted (4, 10), and has counted (4, 9)"
    assert growth.fallen(before, now, booted=("lb1",)) is None
    assert growth.fallen(before, before) is None


@pytest.mark.parametrize("topology", [Searched, HealthChecks])
def test_whatever_is_varied_is_a_topology(topology: type[Topo]) -> None:
    chosen = random.Random(1)
    for _ in range(200):
        parameters = {name: chosen.choice(values) for name, values in topology.VARIED.items()}
        assert ClusterSpec(topology, parameters).plan().of_role(Director)


class Drawn(Search):
    """Performs nothing, and keeps what it was to perform."""

    def __init__(self, plan: Plan) -> None:
        super().__init__([], plan, possible(plan, texts(plan)))
        self.performed: list[Steps] = []

    def live(self, steps: Steps, fresh: bool = False) -> list[Violation]:
        self.performed.append(steps)
        return []


def test_as_many_sequences_are_tried_as_were_asked_for_and_none_twice() -> None:
    plan = ClusterSpec(DirectorPair).plan()
    one, again, other = Drawn(plan), Drawn(plan), Drawn(plan)

    one.run(50, "2")
    again.run(50, "2")
    other.run(50, "3")

    assert len(one.performed) == len(set(one.performed)) == 50
    assert one.performed == again.performed != other.performed
