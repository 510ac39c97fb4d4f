"""Edits of a configuration that explain what others do, or what comes of them later."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.events import Advertisement, Notification, StateChanged
from harness.search.invariants.advertising import PACE
from harness.search.invariants.announcing import REASON
from harness.search.invariants.election import WAITS, YIELDS
from harness.search.invariants.reloading import JOINS
from harness.search.invariants.telling import TOLD
from tests.stories import impatient, names, partition
from tests.stories_of_sharing import joined
from tests.story import DOWN, VIP, Story, failover

MORE = f"{VIP} 172.16.10.180"


@pytest.mark.parametrize("heard", [True, False])
def test_a_master_answers_a_lower_claim_of_other_vips(heard: bool) -> None:
    """Its configuration is as ever; the other's has one VIP more."""
    edit = "172.16.10.180 more in vrrp_instance VI_1"
    story = partition().act("Reconfigure", "director2", 2.0, None, edit=edit)
    story.events = [
        replace(each, addresses=MORE)
        if isinstance(each, Advertisement) and each.source.endswith(".12")
        else each
        for each in story.events
        if heard or not (each.node == "director1" and each.matches(sent=False))
    ]
    assert ({PACE, REASON} <= names(story)) is not heard
    assert bool({PACE, REASON} & names(story)) is not heard


@pytest.mark.parametrize("priority", [0, 90])
def test_who_has_just_started_takes_over_from_one_that_resigns_with_other_vips(
    priority: int,
) -> None:
    back, resigned = 12.0 + DOWN["director1"], 13.0
    story = failover().without(lambda event: resigned < event.at)
    edit = "172.16.10.180 more in vrrp_instance VI_1"
    story.act("Reconfigure", "director2", 10.0, None, edit=edit)
    story.act("StopKeepalived", "director2", resigned, None)
    story.advert("director2", resigned, priority=priority, addresses=MORE)
    story.takes("director1", resigned + 156 / 256)
    story.advertises("director1", resigned + 156 / 256, back)
    assert (WAITS in names(story)) is (priority > 0)


@pytest.mark.parametrize("waits", [156 / 256, 0.5])
def test_an_interval_counts_once_its_claim_is_accepted(waits: float) -> None:
    """The lower claims of 2 s are discarded, so Skew_Time is of the own interval."""
    started, resigned = 12.0, 15.0
    story = failover().without(lambda event: started <= event.at)
    for name, director in story.setting.directors.items():
        (one,) = director.instances
        changed = replace(director, instances=(replace(one, version=3),))
        story.setting = replace(story.setting, directors={**story.setting.directors, name: changed})
    story.boots("director1", started)
    story.act("Reconfigure", "director2", 11.0, None, edit="advert_int 2 in vrrp_instance VI_1")
    story.act("StopKeepalived", "director2", resigned, None)
    story.advert("director2", 13.0, version=3, interval=2)
    story.advert("director2", resigned, version=3, interval=2, priority=0)
    story.advertises("director1", resigned + waits, 20.0, version=3)
    assert (YIELDS in names(story)) is (waits == 0.5)


@pytest.mark.parametrize(
    "edit", ["no vrrp_startup_delay 4 in global_defs", "nopreempt in vrrp_instance VI_1"]
)
def test_nobody_waits_for_a_startup_delay_that_an_edit_takes_out(edit: str) -> None:
    story = impatient().act("Reconfigure", "director1", 12.0, 14.0, edit=edit)
    assert (WAITS in names(story)) is not edit.startswith("no vrrp_startup_delay")


@pytest.mark.parametrize("other", ["VI_1", "VI_3"])
def test_of_an_instance_whose_vips_another_takes_over_fault_is_told(other: str) -> None:
    """It is gone as after an edit that takes its block out, and comes anew after that."""
    story = Story(12, notifications=True).advertises("director1", 0.5, 12)
    director = story.setting.directors["director2"]
    one = replace(director.instances[0], track_scripts=())
    two = replace(one, name="VI_2", vrid=52, vip="172.16.10.51")
    changed = {"director2": replace(director, instances=(one, two))}
    story.setting = replace(story.setting, directors={**story.setting.directors, **changed})
    story.before.append(StateChanged(-4, "director2", instance="VI_2", state="BACKUP"))
    gone = "VI_2" if other == "VI_1" else "VI_1"
    edit = f"{other} has the VIPs of {gone}, which is gone"
    story.act("Reconfigure", "director2", 5.0, 9.0, edit=edit)
    story.log("director2", 5.0, "Reloading").log("director2", 9.0, "Reloading")
    story.events.append(StateChanged(9.001, "director2", instance="VI_2", state="BACKUP"))
    for at, state in ((5.0, "FAULT"), (9.001, "BACKUP")):
        text = f'INSTANCE "VI_2" {state} 90'
        story.events.append(Notification(at, "director2", channel="fifo", text=text))
    assert (TOLD in names(story)) is (gone != "VI_2")


@pytest.mark.parametrize("reloaded", [5.0, 5.3, None])
def test_another_reload_soon_after_ends_the_second_round_for_a_vip_that_is_added(
    reloaded: float | None,
) -> None:
    story = joined(5, 0)
    if reloaded is not None:
        story.act("Reload", "director1", reloaded, reloaded)
        story.log("director1", reloaded + 0.001, "Reloading")
    assert (JOINS in names(story)) is (reloaded is None)
