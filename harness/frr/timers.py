"""Where vrrpd is due at another instant than the RFCs say: it counts in hundredths of a second, and
waits by poll(2), which the kernel may end a thousandth later (pure).
"""

from __future__ import annotations

import math

from harness.clock import Window
from harness.keepalived.timers import skew
from harness.topology.vrrp import VrrpInstance

POLL_SLACK = 1000
LONGEST_POLL_SLACK = 0.1
"""Seconds."""


def rounded(due: Window, instance: VrrpInstance, master_advert_int: float | None = None) -> Window:
    """A window with the skew in it, for a vrrpd: what is left of a hundredth of a second is dropped
    from the skew.

    FRR ``vrrp.c``, ``vrrp_recalculate_timers``: whole numbers of hundredths, of version 2 as well.
    Linux ``fs/select.c``, ``select_estimate_accuracy``: a thousandth of the timeout, a tenth of a
    second at the most.
    """
    exact = skew(instance, master_advert_int)
    dropped = exact - math.floor(round(exact * 100, 6)) / 100
    latest = due.latest - dropped
    return Window(due.earliest - dropped, latest + min(latest / POLL_SLACK, LONGEST_POLL_SLACK))
