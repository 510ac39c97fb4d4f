"""What looks like a mistake about a reload or an edit and is none, and what is one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.events import Notification
from harness.search.invariants import judge
from harness.search.invariants.addresses import STRANGERS
from harness.search.invariants.advertising import TRUE
from harness.search.invariants.announcing import ANNOUNCED, REASON
from harness.search.invariants.editing import EDITED
from harness.search.invariants.election import TAKES, YIELDS
from harness.search.invariants.telling import RELOADS, TOLD
from tests.stories import (
    BACK,
    edited,
    names,
)
from tests.story import DOWN, WEB2, Story, failover, quiet


def test_what_an_edit_has_taken_out_resigns_once_the_reload_is_over() -> None:
    story = quiet().act("Reconfigure", "director1", 5.0, 8.0, edit="virtual_router_id 61 in VI_1")
    story.advert("director1", 8.6, vrid=61, priority=0)

    assert TRUE not in names(story)
    assert TRUE in names(story.advert("director1", 8.6, vrid=61, priority=9))


def test_a_reload_waits_for_the_ends_of_checks_that_nobody_acknowledges() -> None:
    """keepalived #2271."""
    late = edited("no real_server 172.16.10.22").pool("director1", 8.0, "removed", WEB2)
    late.pool("director1", 18.1, "added", WEB2)
    assert EDITED in names(late)
    assert EDITED not in names(late.act("HalfOpen", "web1", 3.0, 4.9))


@pytest.mark.parametrize("told", [True, False])
def test_whoever_is_started_anew_is_master_anew_after_an_edit_too(told: bool) -> None:
    story = Story(12, notifications=True).advertises("director1", 0.5, 3.0)
    story.act("Reconfigure", "director1", 3.0, 3.0, edit="priority 95 in vrrp_instance VI_1")
    story.act("Restart", "director1", 3.0, 3.0).daemon("director1", 4.0, "ended")
    story.daemon("director1", 4.0, "started").state("director1", 4.1, "MASTER")
    if told:
        text = 'INSTANCE "VI_1" MASTER 100'
        story.events.append(Notification(4.1, "director1", channel="fifo", text=text))
    assert (TOLD in names(story)) != told


@pytest.mark.parametrize(
    "edit", ["VI_1 and VI_2 have each other's number", "use_vmac in vrrp_instance VI_1"]
)
def test_who_may_go_on_as_a_master_may_announce_itself(edit: str) -> None:
    """A reload hands on the state of the other instance, or of its own where it has peers, and
    says nothing of it.
    """
    story = quiet().act("Reconfigure", "director2", 2.0, 2.0, edit=edit)
    story.log("director2", 2.0, "Reloading").announces("director2", 15.0)

    assert REASON not in {each.invariant for each in judge(story.observed())}
    story.state("director2", 12.0, "BACKUP")
    assert REASON in {each.invariant for each in judge(story.observed())}


def test_of_an_instance_that_an_edit_takes_out_fault_is_told() -> None:
    """The log has nothing of it (``vrrp_data.c``, ``clear_diff_vrrp``)."""
    story = quiet().act(
        "Reconfigure", "director1", 4.0, 4.0, edit="no unicast_peer in vrrp_instance VI_1"
    )
    directors = story.setting.directors
    plain = replace(directors["director1"].instances[0], track_scripts=())
    director = replace(directors["director1"], told=True, instances=(plain,))
    story.setting = replace(story.setting, directors={**directors, "director1": director})
    text = 'INSTANCE "VI_1" FAULT 100'
    story.events.append(Notification(4.0, "director1", channel="fifo", text=text))

    assert TOLD not in names(story)
    story.acts.clear()
    assert TOLD in names(story)


@pytest.mark.parametrize("edited", [True, False])
def test_an_instance_that_a_reload_puts_back_tells_of_its_state_again(edited: bool) -> None:
    story = quiet()
    directors = story.setting.directors
    plain = replace(directors["director1"].instances[0], track_scripts=())
    director = replace(directors["director1"], told=True, instances=(plain,))
    story.setting = replace(story.setting, directors={**directors, "director1": director})
    text = 'INSTANCE "VI_1" MASTER 100'
    story.events.append(Notification(4.1, "director1", channel="fifo", text=text))
    if edited:
        story.act("Reconfigure", "director1", 4.0, 4.0, edit="no vrrp_instance VI_1")

    assert (TOLD in names(story)) != edited


@pytest.mark.parametrize(
    ("edit", "expected"), [("no notify_fifo /run/notify.fifo in global_defs", False), ("x", True)]
)
def test_nothing_is_told_while_an_edit_takes_the_fifo_out(edit: str, expected: bool) -> None:
    story = (
        quiet()
        .act("Reconfigure", "director1", 4.0, 6.0, edit=edit)
        .state("director1", 5.0, "BACKUP")
    )
    directors = story.setting.directors
    director = replace(directors["director1"], told=True)
    story.setting = replace(story.setting, directors={**directors, "director1": director})

    assert (TOLD in names(story)) == expected


def test_an_edit_that_is_taken_back_at_once_is_read_after_all() -> None:
    """The reload that takes it back is done after the one that reads it."""

    def story(at: float) -> Story:
        told = quiet().act("Reconfigure", "director1", 5.0, 5.0, edit="another VIP")
        return told.advert("director1", at, addresses="172.16.10.60").advert(
            "director1", at, vrid=61
        )

    assert TRUE not in names(story(5.03))
    assert TRUE in names(story(5.2))


@pytest.mark.parametrize(("reload", "expected"), [(16.0, False), (40.0, True)])
def test_a_server_may_come_back_whatever_is_reloaded(reload: float, expected: bool) -> None:
    """Its page was wrong until 9 s; long after that it has no reason to be away."""
    story = quiet(60).act("ChangePage", "web2", 3.0, 9.0, path="/index.html")
    back = reload + 1
    story.pool("director2", back - 2, "removed", WEB2).pool("director2", back, "added", WEB2)
    edit = "no smtp_alert in vrrp_instance VI_1"

    assert (RELOADS in names(story.act("Reconfigure", "director2", reload, None, edit=edit))) == (
        expected
    )


@pytest.mark.parametrize("crashed", [True, False])
def test_a_child_that_is_started_again_brings_its_vip_back(crashed: bool) -> None:
    """The second crash within a while is made good after a delay, here at 15 s."""
    story = quiet(20).address("director1", 15.1, "added")
    edit = "no persistence_timeout 3 in virtual_server 172.16.10.50 80"
    story.act("Reconfigure", "director1", 15.0, None, edit=edit)
    if crashed:
        story.act("CrashVrrp", "director1", 3.0, 3.0).log(
            "director1", 3.0, "VRRP child process(9) died: Respawning"
        )
        story.log("director1", 15.0, "Starting VRRP child process, pid=19")

    assert (RELOADS in names(story)) != crashed


@pytest.mark.parametrize(("at", "strange"), [(5.03, False), (5.2, True)])
def test_a_vip_that_was_taken_back_before_it_was_read_comes_and_goes(
    at: float, strange: bool
) -> None:
    """A reload that is asked for while another is under way is done after it."""
    story = quiet().act("Reconfigure", "director1", 5.0, 5.0, edit="one VIP more")
    story.address("director1", at, "added", "172.16.10.77")
    story.address("director1", at, "removed", "172.16.10.77")

    assert (STRANGERS in names(story)) == strange


@pytest.mark.parametrize(("reloaded", "late"), [(4.999, False), (4.9, True)])
def test_a_resignation_during_a_reload_may_be_lost(reloaded: float, late: bool) -> None:
    """The sockets that it came to are closed: the backup waits for Master_Down_Interval."""
    story = Story(12).advertises("director1", 0.5, 4.6).advert("director1", 5.0, priority=0)
    story.act("StopKeepalived", "director1", 5.0, None).log("director1", 5.0, "Stopping")
    story.address("director1", 5.0, "removed").daemon("director1", 6.0, "ended", status=0)
    story.act("Reload", "director2", reloaded, reloaded).log("director2", reloaded, "Reloading")
    taken = 5.02 + DOWN["director2"]
    story.takes("director2", taken).advertises("director2", taken, 12)

    assert (TAKES in names(story)) == late


@pytest.mark.parametrize(("reloaded", "late"), [(5.001, False), (4.9, True)])
def test_a_backup_whose_interface_comes_up_in_a_reload_waits_from_its_end(
    reloaded: float, late: bool
) -> None:
    story = Story(12).advertises("director1", 0.5, 2.6).act("KillKeepalived", "director1", 3, None)
    story.daemon("director1", 3.0, "ended", status=-9)
    story.act("SetDown", "director2", 4.0, 5.0)
    story.state("director2", 4.0, "FAULT").state("director2", 5.0, "BACKUP")
    story.act("Reload", "director2", reloaded, reloaded).log("director2", reloaded, "Reloading")
    taken = 5.02 + DOWN["director2"]
    story.takes("director2", taken).advertises("director2", taken, 12)

    assert (TAKES in names(story)) == late


def test_a_claim_during_a_reload_may_be_lost() -> None:
    """A master that reloads as a better one comes back says once more that it is master, and need
    not announce itself for a lower one.
    """
    better, lower = failover().advert("director2", BACK + 0.01), quiet().advert("director2", 5.2)
    assert YIELDS in names(better)
    assert ANNOUNCED in names(lower)

    assert YIELDS not in names(better.log("director2", BACK - 0.002, "Reloading"))
    assert ANNOUNCED not in names(lower.log("director1", 5.198, "Reloading"))


@pytest.mark.parametrize(("first", "expected"), [(8.0, False), (15.0, True)])
def test_a_reload_while_a_director_waits_has_it_wait_anew(first: float, expected: bool) -> None:
    """Its keepalived was killed, and started again at 5 s; an edit of a virtual server is read as
    it waits for a master that is silent, and taken back 3.1 s later.
    """
    story = quiet(40).act("KillKeepalived", "director1", 3.0, 5.0)
    edit = "no virtual_server 172.16.10.50 80"
    story.act("Reconfigure", "director1", first, first + 3.1, edit=edit)
    story.address("director1", first + 6.5, "added")

    assert (RELOADS in names(story)) == expected


@pytest.mark.parametrize(("rise", "blamed"), [(1, True), (4, False)])
def test_a_script_that_has_to_succeed_often_may_give_the_vip_back_late(
    rise: int, blamed: bool
) -> None:
    """It was well again at 6 s, and the reload at 20 s has nothing to do with what comes then."""
    story = quiet(30).act("Maintenance", "director1", 3.0, 6.0).address("director2", 20.5, "added")
    directors = {}
    for name, director in story.setting.directors.items():
        (instance,) = director.instances
        script = replace(instance.track_scripts[0], rise=rise)
        own = replace(instance, track_scripts=(script,), preempt_delay=2)
        directors[name] = replace(director, instances=(own,))
    story.setting = replace(story.setting, directors=directors)

    assert (RELOADS in names(story.act("Reload", "director2", 20.0, 20.0))) is blamed
