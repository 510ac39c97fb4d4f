"""The reference model: what deeds may do, by the timers, and what an edited configuration says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.events import DaemonChanged, FaultChanged, Log
from harness.keepalived import timers
from harness.search.edits import edits_of
from harness.search.model.edited import configured, edited, parsed
from harness.search.model.effects import EFFECTS, RELOADING, Aspect, disturbances
from harness.search.model.priorities import Claims
from harness.search.model.processes import (
    CHECKERS,
    VRRP,
    counted_until,
    delayed_until,
    holding,
    in_state,
    linked,
    respawned,
    runs,
    unreplaced,
)
from harness.search.model.router import routers
from harness.search.model.spans import Span, both, cut, joined, without
from harness.search.observed import Act, Observed
from harness.topology import SyncGroup
from harness.topology.tracking import CHECK, TrackedFile, TrackedInterface, VrrpScript
from tests.story import DOWN, SERVICE, VIP, Story, failover, quiet


def test_a_span_is_cut_where_others_begin_and_end() -> None:
    others = [Span(2, 5), Span(5, 20), Span(-1, 0)]
    assert cut(Span(0, 10), others) == [Span(0, 2), Span(2, 5), Span(5, 10)]
    assert cut(Span(0, 10), []) == [Span(0, 10)]


def test_spans_are_joined_shared_and_taken_away() -> None:
    assert joined([Span(5, 7), Span(0, 2), Span(1, 3)]) == [Span(0, 3), Span(5, 7)]
    assert without([Span(0, 10)], [Span(2, 3), Span(8, 12)]) == [Span(0, 2), Span(3, 8)]
    assert both([Span(0, 4), Span(6, 9)], [Span(3, 7)]) == [Span(3, 4), Span(6, 7)]


def test_what_is_said_after_an_end_has_begun_is_no_state() -> None:
    """The child of VRRP hears of it a little later than its parent says so."""
    story = Story(20).log("director1", 2.0, "Stopping").state("director1", 2.1, "MASTER")
    story.daemon("director1", 3.0, "ended", status=0).daemon("director1", 4.0, "started")
    story.state("director1", 4.1, "BACKUP")

    assert in_state(story.observed(), "director1", "VI_1") == [
        (Span(0, 2.0), "MASTER"),
        (Span(4.1, 20), "BACKUP"),
    ]


@pytest.mark.parametrize(
    "edit",
    [
        "VI_1 and VI_2 have each other's number",
        "no vrrp_instance VI_1",
        "no unicast_peer in vrrp_instance VI_1",
    ],
)
def test_no_state_is_known_of_an_instance_that_was_taken_out_or_renumbered(edit: str) -> None:
    """It has the state of the one that had its number, or none, and says nothing of it. A reload of
    the same is another matter.
    """
    story = Story(20).act("Reconfigure", "director1", 2.0, 5.0, edit=edit)
    story.log("director1", 2.1, "Reloading")
    story.state("director1", 3.0, "BACKUP").log("director1", 5.01, "Reloading")
    known = [(Span(0, 2.1), "MASTER"), (Span(3, 5.01), "BACKUP")]

    assert in_state(story.observed(), "director1", "VI_1") == known
    story.state("director1", 8.0, "MASTER").log("director1", 9.0, "Reloading")
    again = in_state(story.observed(), "director1", "VI_1")
    assert again == [*known, (Span(8, 20), "MASTER")]


def test_a_process_runs_until_it_is_stopped_killed_hung_or_dead() -> None:
    assert [run.span for run in runs(failover(20).observed(), "director1")] == [
        Span(0, 5.87),
        Span(12, 20),
    ]
    assert runs(failover(20).observed(), "director1")[1].afresh
    stopped = Story(9).log("director1", 3.0, "Stopping").daemon("director1", 4.0, "ended", status=0)
    assert [run.span for run in runs(stopped.observed(), "director1")] == [Span(0, 3)]
    hung = Story(9).act("HangKeepalived", "director1", 3.0, 5.0)
    assert [(run.span, run.afresh) for run in runs(hung.observed(), "director1")] == [
        (Span(0, 3), False),
        (Span(5, 9), False),
    ]


def test_a_child_that_died_acts_again_when_its_parent_starts_it() -> None:
    story = Story(30).log("director1", 3.0, "VRRP child process(61) died: Respawning")
    story.log("director1", 19.0, "Starting VRRP child process, pid=68")
    observed = story.observed()
    assert [run.span for run in runs(observed, "director1")] == [Span(0, 3), Span(19, 30)]
    assert [run.span for run in runs(observed, "director1", CHECKERS)] == [Span(0, 30)]
    assert respawned(observed) == [19.0]
    assert unreplaced(observed.events[:1]) == {("director1", VRRP)}
    assert unreplaced(observed.events) == set()


def test_who_is_to_wait_at_first_acts_later() -> None:
    """``vrrp_startup_delay`` is for VRRP, and counts for what was started just before, too."""

    def delayed(story: Story) -> Observed:
        setting = story.setting.directors["director1"]
        own = {**story.setting.directors, "director1": replace(setting, startup_delay=4.0)}
        story.setting = replace(story.setting, directors=own)
        return story.observed()

    observed = delayed(failover(20))
    assert [run.span for run in runs(observed, "director1")] == [Span(0, 5.87), Span(16, 20)]
    assert [run.span for run in runs(observed, "director1", CHECKERS)][1] == Span(12, 20)
    before = quiet(9)
    before.before.append(DaemonChanged(-1, "director1", name="keepalived", action="started"))
    (run,) = runs(delayed(before), "director1")
    assert (run.span, run.afresh) == (Span(3, 9), True)
    ends = Story(9).daemon("director1", 1.0, "started").log("director1", 3.0, "Stopping")
    assert runs(delayed(ends), "director1") == []


@pytest.mark.parametrize(("child", "until"), [(VRRP, 3.0), (CHECKERS, 9.0)])
def test_a_process_that_was_killed_acts_no_more_before_its_parent_says_so(
    child: str, until: float
) -> None:
    """A parent that reads its configuration says so later."""
    story = Story(9).act("CrashVrrp", "director1", 3.0, 3.0)
    story.log("director1", 3.008, "VRRP child process(4) died: Respawning")
    story.log("director1", 3.008, "Starting VRRP child process, pid=9")

    assert runs(story.observed(), "director1", child)[0].span == Span(0, until)


def test_whoever_has_started_is_waited_for_until_it_acts() -> None:
    """A backup that waits looks settled, and before 2.2 has not opened its sockets."""
    events = failover(20).observed().events
    died = Story(9).log("director2", 3.0, "Starting VRRP child process, pid=9").observed().events

    assert delayed_until(events, {"director1": 4.0, "director2": 4.0}) == 16.0
    assert delayed_until(died, {"director2": 1.5}) == 4.5
    assert delayed_until(died, {"director1": 1.5, "director2": 0.0}) is None
    assert delayed_until(events, {}) is None


@pytest.mark.parametrize(("fault", "waits"), [("HangCheck", True), ("Unplug", False)])
def test_scripts_that_are_well_again_are_waited_for_until_keepalived_knows(
    fault: str, waits: bool
) -> None:
    """A backup has a lower priority until then, and nothing shows it."""
    line = "Starting VRRP child process, pid=9"
    started = Log(1.0, "director2", daemon="keepalived", line=line)
    events = [FaultChanged(4.0, "director2", name=fault, action="healed")]

    assert counted_until(events, {"director2": 3.0}) == (7.0 if waits else None)
    assert counted_until([started, *events], {"director2": 3.0}) == (7.0 if waits else 4.0)
    assert counted_until(events, {"director1": 3.0, "director2": 0.0}) is None


def test_an_address_is_held_from_its_event_to_the_next() -> None:
    observed = failover(20).observed()
    taken, back = 5.5 + DOWN["director2"], 12 + DOWN["director1"]
    assert holding(observed, "director1", VIP, "eth0") == [Span(0, 5.87), Span(round(back, 9), 20)]
    assert holding(observed, "director2", VIP, "eth0") == [Span(round(taken, 9), round(back, 9))]


def test_a_link_is_up_until_the_kernel_says_otherwise() -> None:
    assert linked(failover(20).observed(), "director1", "eth0") == [Span(0, 20)]


@pytest.mark.parametrize(
    ("instants", "expected"),
    [
        ((4.0, 5.0), {100}),
        ((5.3, 6.0), {100, 80}),
        ((6.3, 9.9), {80}),
        ((10.1, 12.0), {100, 80}),
        ((13, 14), {100}),
    ],
)
def test_a_priority_falls_and_rises_within_the_windows_of_the_script(
    instants: tuple[float, float], expected: set[int]
) -> None:
    """The script runs each second: its failure is noticed within one, its success within one,
    or as it ends.
    """
    story = quiet().act("Maintenance", "director1", 5.2, 10.0)
    (instance,) = story.setting.directors["director1"].instances
    (script,) = instance.track_scripts
    assert timers.script_failure(script).latest == timers.script_recovery(script).latest == 1
    assert Claims(story.observed(), "director1", instance).possible(Span(*instants)) == expected


@pytest.mark.parametrize(("healed", "expected"), [(6.7, {100, 80}), (9.0, {80})])
def test_a_script_that_is_well_again_before_it_has_failed_often_enough_may_never_fail(
    healed: float, expected: set[int]
) -> None:
    """It has to fail twice, and to succeed twice."""
    story = quiet().act("Maintenance", "director1", 5.2, healed)
    (instance,) = story.setting.directors["director1"].instances
    patient = replace(instance.track_scripts[0], fall=2, rise=2)
    tracking = replace(instance, track_scripts=(patient,))

    claims = Claims(story.observed(), "director1", tracking)

    assert claims.possible(Span(7.3, 7.6)) == expected


@pytest.mark.parametrize(("reloaded", "expected"), [(None, {80}), (10.2, {100, 80})])
def test_a_script_that_is_run_by_a_reload_is_well_again_sooner(
    reloaded: float | None, expected: set[int]
) -> None:
    """It is run at once, and its results go on being counted; so two successes come together."""
    story = quiet().act("Maintenance", "director1", 5.2, 10.0)
    if reloaded is not None:
        story.act("Reload", "director1", reloaded, reloaded)
    (instance,) = story.setting.directors["director1"].instances
    patient = replace(instance.track_scripts[0], fall=2, rise=2)

    claims = Claims(story.observed(), "director1", replace(instance, track_scripts=(patient,)))

    assert claims.possible(Span(10.3, 10.6)) == expected


@pytest.mark.parametrize(
    ("weight", "instants", "expected"),
    [
        (1, (4.0, 5.1), {100}),
        (1, (5.1, 5.3), {100, 80}),
        (1, (5.3, 9.9), {80}),
        (1, (9.9, 10.1), {100, 80}),
        (1, (10.1, 12.0), {100}),
        (0, (5.3, 9.9), {0}),
        (-1, (5.3, 9.9), {120}),
    ],
)
def test_a_number_in_a_tracked_file_counts_at_once(
    weight: int, instants: tuple[float, float], expected: set[int]
) -> None:
    story = quiet().act("WriteNumber", "director1", 5.2, 10.0, file="claims", value=-20)
    (instance,) = story.setting.directors["director1"].instances
    tracking = replace(
        instance, track_files=(TrackedFile(name="claims", path="/run/claims", weight=weight),)
    )
    claims = Claims(story.observed(), "director1", tracking)
    assert claims.possible(Span(*instants)) == expected
    assert claims.known(Span(*instants))


def test_in_a_sync_group_weights_do_not_count() -> None:
    story = quiet().act("WriteNumber", "director1", 4.0, 9.0, file="f", value=-20)
    own = story.setting.directors["director1"]
    instance = replace(own.instances[0], track_files=(TrackedFile(name="f", path="/f", weight=1),))

    def claimed(*groups: SyncGroup) -> set[int]:
        setting = replace(own, sync_groups=groups)
        directors = {**story.setting.directors, "director1": setting}
        story.setting = replace(story.setting, directors=directors)
        return Claims(story.observed(), "director1", instance).possible(Span(5, 6))

    assert claimed() == {80}
    assert claimed(SyncGroup(name="G", members=(instance.name, "VI_2"))) == {0}


@pytest.mark.parametrize("priority", [100, 255])
@pytest.mark.parametrize("grouped", [True, False])
def test_where_weights_do_not_count_a_script_with_a_weight_is_not_tracked(
    priority: int, grouped: bool
) -> None:
    """keepalived says "ignoring tracked script chk with weights due to SYNC group"."""
    story = quiet().act("HangCheck", "director1", 4.0, 9.0)
    own = story.setting.directors["director1"]
    instance = replace(
        own.instances[0],
        priority=priority,
        track_scripts=(
            VrrpScript(name="a", script=CHECK, weight=-20),
            VrrpScript(name="b", script=f"/bin/sh {CHECK}", weight=-10),
        ),
        track_interfaces=(TrackedInterface(name="eth1", weight=-20),),
    )
    groups = (SyncGroup(name="G", members=(instance.name, "VI_2")),) if grouped else ()
    directors = {"director1": replace(own, sync_groups=groups)}
    story.setting = replace(story.setting, directors={**story.setting.directors, **directors})

    claims = Claims(story.observed(), "director1", instance)

    assert claims.possible(Span(7, 8)) == {priority if grouped or priority == 255 else 70}


def test_who_is_hung_reads_a_tracked_file_when_it_acts_again() -> None:
    story = quiet().act("WriteNumber", "director1", 5.0, 10.0, file="claims", value=-20)
    story.act("HangKeepalived", "director1", 4.0, 7.0).act("HangKeepalived", "director1", 9.0, 12.0)
    (instance,) = story.setting.directors["director1"].instances
    file = TrackedFile(name="claims", path="/run/claims")
    tracking = replace(instance, track_scripts=(), track_files=(file,))
    claims = Claims(story.observed(), "director1", tracking)
    assert claims.possible(Span(7.1, 8.9)) == {80}
    assert claims.possible(Span(6.0, 7.0)) == claims.possible(Span(11.0, 12.0)) == {100, 80}
    assert claims.possible(Span(12.1, 13.0)) == {100}


@pytest.mark.parametrize(("pause", "expected"), [(1.0, {100, 80}), (9.0, {100})])
def test_failures_of_two_deeds_are_counted_together_where_no_run_succeeds_between(
    pause: float, expected: set[int]
) -> None:
    """None is begun while another hangs: those at 5 s and 7 s may be two in a row."""
    again = 5.6 + pause
    story = quiet().act("HangCheck", "director1", 4.6, 5.6)
    story.act("HangCheck", "director1", again, again + 1.0)
    (instance,) = story.setting.directors["director1"].instances
    patient = VrrpScript(name="chk", script=CHECK, weight=-20, fall=2, rise=2)
    claims = Claims(story.observed(), "director1", replace(instance, track_scripts=(patient,)))
    assert claims.possible(Span(again + 2.2, again + 2.8)) == expected


@pytest.mark.parametrize(("deed", "expected"), [("HangCheck", {100, 80}), ("FailCheck", {80})])
def test_a_reload_ends_a_script_that_hangs_and_counts_it_not(deed: str, expected: set[int]) -> None:
    story = quiet().act(deed, "director1", 5.0, 15.0).act("Reload", "director1", 6.3, 6.3)
    (instance,) = story.setting.directors["director1"].instances
    script = VrrpScript(name="chk", script=CHECK, weight=-20)
    claims = Claims(story.observed(), "director1", replace(instance, track_scripts=(script,)))
    assert claims.possible(Span(7.1, 7.2)) == expected
    assert claims.possible(Span(8.4, 14.9)) == {80}


def test_a_script_fails_when_the_program_that_it_looks_for_has_ended() -> None:
    story = quiet().act("StopProgram", "director1", 5.2, 10.0, program="haproxy")
    (instance,) = story.setting.directors["director1"].instances
    script = VrrpScript(name="proxy", script="/usr/bin/pgrep -x haproxy", weight=-20)
    other = VrrpScript(name="other", script="/usr/bin/pgrep -x nginx", weight=-30)
    claims = Claims(story.observed(), "director1", replace(instance, track_scripts=(script, other)))
    assert claims.possible(Span(4.0, 5.0)) == {100}
    assert claims.possible(Span(6.3, 9.9)) == {80}
    assert claims.known(Span(6.3, 9.9))


def test_what_is_done_to_another_interface_disturbs_no_instance() -> None:
    observed = quiet().act("Unplug", "director1", 4.0, 5.0, interface="eth1").observed()
    assert disturbances(observed, Aspect.WIRE, "director1", interfaces=["eth0"]) == []
    for asked in (None, ["eth0", "eth1"]):
        assert disturbances(observed, Aspect.WIRE, "director1", interfaces=asked) == [Span(4, 5)]


def test_waits_are_those_of_the_timers() -> None:
    for router in routers(quiet().observed()):
        assert router.down_interval(router.instance.priority) == timers.master_down_interval(
            router.instance
        )
        assert router.skew(router.instance.priority) == timers.skew(router.instance)
        assert router.down_interval(router.instance.priority) == DOWN[router.director]


def test_a_deed_that_is_not_known_disturbs_everything_everywhere() -> None:
    observed = quiet().act("Earthquake", "web2", 4.0, 5.0).observed()
    assert "Earthquake" not in EFFECTS
    for aspect in Aspect:
        assert disturbances(observed, aspect, "director1") == [Span(4, 5 + RELOADING)]


def test_a_virtual_server_without_real_servers_is_none() -> None:
    config = quiet().setting.directors["director1"].config
    without = [edit for edit in edits_of(config) if edit.name.startswith("no real_server")]
    for edit in without:
        config = config.replace(edit.old, edit.new)
    assert len(without) == 2
    assert configured(config).tables == {}


def test_an_edit_is_read_from_the_text_that_it_makes() -> None:
    director = quiet().setting.directors["director1"]
    read = configured(director.config)
    assert read.tables == {SERVICE: {"172.16.10.21": 1, "172.16.10.22": 1}}
    assert read.vips == {"VI_1": frozenset({VIP})}
    names = [edit.name for edit in edits_of(director.config)]
    assert names
    for name in names:
        changed = edited(director, Act("Reconfigure", "director1", {"edit": name}, 0, None))
        assert changed is not None, name
        if name.startswith("no real_server 172.16.10.21"):
            assert changed.tables == {SERVICE: {"172.16.10.22": 1}}
        if name.startswith("no virtual_server "):
            assert changed.tables == {}


@pytest.mark.parametrize("text", ["}", "a {", "a { b }"])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="brace"):
        parsed(text)
