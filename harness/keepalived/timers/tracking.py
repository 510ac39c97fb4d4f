"""When a tracked script or a BFD session moves the VIP."""

from __future__ import annotations

from math import floor

from harness.clock import Window
from harness.errors import HarnessError
from harness.keepalived.timers.election import failback, preemption, takeover
from harness.topology.tracking import TrackedBfd, VrrpScript
from harness.topology.vrrp import VrrpInstance


def script_failure(script: VrrpScript, run_time: float = 0.0) -> Window:
    """From the moment at which ``script`` would fail to its failure in keepalived's eyes.

    That takes ``fall`` runs in a row. Runs start every ``interval``, however long each takes, here
    ``run_time`` (keepalived ``vrrp_scheduler.c``, ``vrrp_script_thread`` and
    ``vrrp_script_child_thread``).
    """
    return _runs(script, script.fall, run_time)


def script_recovery(script: VrrpScript, run_time: float = 0.0) -> Window:
    """As :func:`script_failure`, for a ``script`` that succeeds again: ``rise`` runs in a row."""
    return _runs(script, script.rise, run_time)


def script_hang(script: VrrpScript) -> Window:
    """From the moment at which ``script`` would hang to its failure in keepalived's eyes.

    That takes ``fall`` runs, each of which is ended after its ``timeout``, by default the interval:
    keepalived sends SIGTERM, and that is a failure (``vrrp_scheduler.c``,
    ``vrrp_script_child_thread``). No run begins while another one lasts, or as it is ended
    (``vrrp_script_thread``, "skipping run"). This is the window of 2.3.3 and later: before, the run
    begins all the same, and the failure may come earlier (commit 94d40e3b).
    """
    timeout = float(script.timeout or script.interval)
    apart = script.interval * (floor(timeout / script.interval) + 1)
    return _runs(script, 1, 0.0) + Window.exactly((script.fall - 1) * apart + timeout)


def bfd_failure(bfd: TrackedBfd, neighbour: TrackedBfd) -> Window:
    """From the moment at which ``neighbour`` falls silent to its failure in the eyes of ``bfd``.

    That is the neighbour's ``multiplier`` times the interval that both have agreed on, from the
    last packet on, which came at most an interval before (RFC 5880 section 6.8.4; keepalived
    ``bfd.c``, ``bfd_handle_packet``).
    """
    interval = max(bfd.min_rx, neighbour.min_tx)
    return Window((neighbour.multiplier - 1) * interval, neighbour.multiplier * interval)


def priority_failover(master: VrrpInstance, backup: VrrpInstance, left: int) -> Window:
    """From the moment at which the priority of ``master`` falls to ``left`` to the takeover by
    ``backup``.

    A priority of 0 is FAULT state, in which the master resigns (keepalived ``vrrp.c``,
    ``vrrp_state_leave_master``). A lower priority is in the master's next advertisement, the first
    that ``backup`` discards. Raises HarnessError if the VIP does not move.
    """
    if left == 0:
        return takeover(backup, announced=True, master_advert_int=master.advert_int)
    if left >= backup.effective_priority():
        raise HarnessError(
            f"{master.name} is left at priority {left}, not below the backup's"
            f" {backup.effective_priority()}: the VIP"
            " does not move; give what it tracks a weight beyond the gap"
        )
    return preemption(backup, master.advert_int)


def priority_failback(returning: VrrpInstance, master: VrrpInstance, left: int) -> Window:
    """From the moment at which ``returning`` has its own priority again to its takeover.

    Its priority had fallen to ``left``. A backup outranks the master's advertisements
    (:func:`preemption`); from FAULT state it starts anew (keepalived ``vrrp_scheduler.c``,
    ``try_up_instance``; :func:`failback`). Raises HarnessError if the VIP does not move back.
    """
    if returning.effective_priority() <= master.effective_priority():
        raise HarnessError(
            f"{returning.name} at priority {returning.effective_priority()} does not"
            " outrank the master's"
            f" {master.effective_priority()}: the VIP does not move back"
        )
    rule = failback if left == 0 else preemption
    return rule(returning, master.advert_int)


def switch(
    master: VrrpInstance, backup: VrrpInstance, script: VrrpScript, run_time: float = 0.0
) -> Window:
    """From the moment at which ``script`` would fail on ``master`` to the takeover by ``backup``.

    That is :func:`script_failure` and then :func:`priority_failover`.
    """
    return script_failure(script, run_time) + priority_failover(
        master, backup, master.effective_priority({script})
    )


def switch_back(
    returning: VrrpInstance, master: VrrpInstance, script: VrrpScript, run_time: float = 0.0
) -> Window:
    """From the moment at which ``script`` would succeed again on ``returning`` to its takeover.

    That is :func:`script_recovery` and then :func:`priority_failback`.
    """
    left = returning.effective_priority({script})
    return script_recovery(script, run_time) + priority_failback(returning, master, left)


def _runs(script: VrrpScript, count: int, run_time: float) -> Window:
    return Window((count - 1) * script.interval, count * script.interval + run_time)
