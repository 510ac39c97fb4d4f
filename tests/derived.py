"""What clusters are derived from in tests, and what is assumed of a cluster that was derived."""

from __future__ import annotations

from dataclasses import replace

from harness.check.facts import Reading
from harness.check.layout import Layout
from harness.topology.services import Destination, VirtualService
from harness.topology.vrrp import Vip
from tests.dumped import reading

TRACKING = reading("tracking")
GROUP = reading("sync_group")
FIRST = GROUP.instances[0]
SERVICE = VirtualService("192.0.2.80", delay_loop=3.0)
PAIR = Reading(
    (
        replace(FIRST, source=None, unicast_peers=(), interface="eth0").with_vips(
            [Vip("192.0.2.80", 24, "eth0")]
        ),
    ),
    services=(
        replace(
            SERVICE,
            real_servers=tuple(Destination(f"192.0.2.{n}", 80, method="DR") for n in (81, 82)),
        ),
    ),
)


def assumed(layout: Layout) -> dict[str, str]:
    """What was assumed of the cluster: the value of each key."""
    return {assumption.key: assumption.value for assumption in layout.assumptions}
