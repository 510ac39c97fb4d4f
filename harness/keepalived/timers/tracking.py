"""When a tracked script moves the VIP."""

from __future__ import annotations

from harness.clock import Window
from harness.errors import HarnessError
from harness.keepalived.timers.election import failback, preemption, takeover
from harness.topology.tracking import VrrpScript
from harness.topology.vrrp import VrrpInstance


def script_failure(script: VrrpScript, run_time: float = 0.0) -> Window:
    """From the moment ``script`` would fail to its failing in keepalived's eyes: ``fall`` runs in a
    row.

    Runs start every ``interval`` however long they take, here ``run_time`` (keepalived
    ``vrrp_scheduler.c``, ``vrrp_script_thread`` and ``vrrp_script_child_thread``).
    """
    return _runs(script, script.fall, run_time)


def script_recovery(script: VrrpScript, run_time: float = 0.0) -> Window:
    """As :func:`script_failure`, from the moment ``script`` would succeed again: ``rise`` runs in a
    row.
    """
    return _runs(script, script.rise, run_time)


def script_hang(script: VrrpScript) -> Window:
    """From the moment ``script`` would hang to its failing in keepalived's eyes: ``fall`` runs in a
    row, each ended after its ``timeout``, by default the interval.

    keepalived ``vrrp_scheduler.c``, ``vrrp_script_child_thread``: SIGTERM, and a failure if that
    ends it.
    """
    return _runs(script, script.fall, 0.0) + Window.exactly(
        float(script.timeout or script.interval)
    )


def priority_failover(master: VrrpInstance, backup: VrrpInstance, left: int) -> Window:
    """From the moment the priority of ``master`` falls to ``left`` to the takeover by ``backup``.

    0 is FAULT state, in which the master resigns (keepalived ``vrrp.c``,
    ``vrrp_state_leave_master``); a lower one shows in its next advertisement, the first that
    ``backup`` discards. Raises HarnessError if the VIP stays.
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
    """From the moment the priority of ``returning``, which had fallen to ``left``, is its own again
    to its takeover.

    It outranks the master's advertisements (:func:`preemption`); from FAULT state it starts afresh
    (keepalived ``vrrp_scheduler.c``, ``try_up_instance``; :func:`failback`). Raises HarnessError if
    the VIP stays where it is.
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
    """From the moment ``script`` would fail on ``master`` to the takeover by ``backup``:
    :func:`script_failure`, then :func:`priority_failover`.
    """
    return script_failure(script, run_time) + priority_failover(
        master, backup, master.effective_priority({script})
    )


def switch_back(
    returning: VrrpInstance, master: VrrpInstance, script: VrrpScript, run_time: float = 0.0
) -> Window:
    """From the moment ``script`` would succeed again on ``returning`` to its takeover from
    ``master``: :func:`script_recovery`, then :func:`priority_failback`.
    """
    left = returning.effective_priority({script})
    return script_recovery(script, run_time) + priority_failback(returning, master, left)


def _runs(script: VrrpScript, count: int, run_time: float) -> Window:
    return Window((count - 1) * script.interval, count * script.interval + run_time)
