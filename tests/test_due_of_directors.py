"""When directors are due, as the behaviours of ``check`` reckon it from what they are
configured with.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from harness.behaviours.parts import Router
from harness.keepalived import timers
from harness.nodes import DirectorNode
from harness.topology import Director, SyncGroup, VrrpInstance

OUTER = VrrpInstance(name="outer", vrid=51, vip="192.0.2.80", priority=110)
INNER = VrrpInstance(
    name="inner", vrid=52, vip="10.9.0.1", interface="eth1", priority=110, preempt_delay=5.0
)
GROUP = SyncGroup(name="both", members=("outer", "inner"))


def director(*groups: SyncGroup) -> DirectorNode:
    """What the reckoning asks of a director: its role."""
    return cast(
        DirectorNode, SimpleNamespace(role=Director(vrrp=(OUTER, INNER), sync_groups=groups))
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
