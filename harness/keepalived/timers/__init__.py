"""When keepalived is due to act: pure arithmetic.

Each answer is a Window in seconds from the cause to the effect. The rules are those of RFC 3768
(VRRP version 2) and of RFC 5798 and RFC 9568 (version 3). Where they leave something to the
implementation, keepalived's sources decide, as they are in 2.2.7 and 2.3.3. Computing is taken to
cost no time, so callers add what their machine needs (``Window.with_slack``). Unless a function
says otherwise, every tracked script succeeds.
"""

from harness.keepalived.timers.checking import Symptom, first_check, recovery, removal
from harness.keepalived.timers.connections import synchronisation
from harness.keepalived.timers.election import (
    after_split_brain,
    cold_start,
    failback,
    garp_schedule,
    master_down_interval,
    preemption,
    skew,
    takeover,
    tolerated_delay,
)
from harness.keepalived.timers.persistence import persistence
from harness.keepalived.timers.tracking import (
    bfd_failure,
    priority_failback,
    priority_failover,
    script_failure,
    script_hang,
    script_recovery,
    switch,
    switch_back,
)

__all__ = [
    "Symptom",
    "after_split_brain",
    "bfd_failure",
    "cold_start",
    "failback",
    "first_check",
    "garp_schedule",
    "master_down_interval",
    "persistence",
    "preemption",
    "priority_failback",
    "priority_failover",
    "recovery",
    "removal",
    "script_failure",
    "script_hang",
    "script_recovery",
    "skew",
    "switch",
    "switch_back",
    "synchronisation",
    "takeover",
    "tolerated_delay",
]
