"""When directors are due, as the behaviours of ``check`` reckon it from what they are
configured with.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_interface
from types import SimpleNamespace
from typing import cast

import pytest

from harness.behaviours.routers import Router
from harness.behaviours.tracked import Cause, Claims
from harness.keepalived import timers
from harness.nodes import DirectorNode
from harness.topology import Director, SyncGroup, VrrpInstance
from harness.topology.tracking import TrackedInterface

OUTER = VrrpInstance(name="outer", vrid=51, vip="192.0.2.80", priority=110)
INNER = VrrpInstance(
    name="inner", vrid=52, vip="10.9.0.1", interface="eth1", priority=110, preempt_delay=5.0
)
GROUP = SyncGroup(name="both", members=("outer", "inner"))


def director(*groups: SyncGroup, startup_delay: float = 0.0) -> DirectorNode:
    """What the reckoning asks of a director: its role."""
    role = Director(vrrp=(OUTER, INNER), sync_groups=groups, startup_delay=startup_delay)
    return cast(DirectorNode, SimpleNamespace(role=role))


def test_who_returns_waits_for_its_own_startup_delay() -> None:
    """keepalived ``vrrp_daemon.c``, ``start_vrrp``; the other's does not matter."""
    returning, master = director(startup_delay=2.5), director(startup_delay=9.0)
    router = Router("192.0.2.80", 51, ((returning, OUTER), (master, replace(OUTER, priority=90))))

    due = router.failback(returning, master)

    expected = timers.failback(OUTER)
    assert (due.earliest, due.latest) == pytest.approx(
        (2.5 + expected.earliest, 2.5 + expected.latest)
    )


@pytest.mark.parametrize(
    ("groups", "delay"), [((GROUP,), 5.0), ((), 0.0)], ids=["a sync group", "each by itself"]
)
def test_a_sync_group_waits_for_the_longest_preempt_delay_in_it(
    groups: tuple[SyncGroup, ...], delay: float
) -> None:
    returning, master = director(*groups), director(*groups)
    router = Router("192.0.2.80", 51, ((returning, OUTER), (master, replace(OUTER, priority=90))))

    due = router.failback(returning, master)

    expected = timers.failback(replace(OUTER, preempt_delay=delay))
    assert (due.earliest, due.latest) == pytest.approx((expected.earliest, expected.latest))


def named(number: int) -> DirectorNode:
    """A director at an address of its own."""
    wire = SimpleNamespace(address=ip_interface(f"192.0.2.{number}/24"))
    plan = SimpleNamespace(interface=lambda name=None: wire)
    return cast(
        DirectorNode,
        SimpleNamespace(name=f"lb{number}", plan=plan, role=Director(vrrp=(OUTER,))),
    )


@pytest.mark.parametrize(
    ("priorities", "expected"),
    [((110, 100, 90), ["lb2"]), ((110, 100, 100), ["lb3", "lb2"]), ((110, 90, 100), ["lb3"])],
)
def test_of_equal_backups_either_may_take_over(
    priorities: tuple[int, ...], expected: list[str]
) -> None:
    """Equals wait equally long, and the first one's advertisement keeps the other a backup."""
    directors = [named(number) for number in (1, 2, 3)]
    wire = TrackedInterface(name="eth9", weight=-20)
    own = [replace(OUTER, priority=each, track_interfaces=(wire,)) for each in priorities]
    router = Router("192.0.2.80", 51, tuple(zip(directors, own, strict=True)))
    claims = Claims(router, Cause("eth9", "interface"), frozenset({"lb1"}))

    assert [each.name for each in router.heirs_of(directors[0])] == expected
    assert [each.name for each in claims.heirs(directors[0])] == expected
