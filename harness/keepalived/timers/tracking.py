"""When a tracked script moves the VIP."""

from __future__ import annotations

from harness.clock import Window
from harness.errors import HarnessError
from harness.keepalived.timers.election import failback, preemption, takeover
from harness.topology.tracking import VrrpScript
from harness.topology.vrrp import VrrpInstance


def script_failure(script: VrrpScript, run_time: float = 0.0) -> Window:
    """From the moment ``script`` would fail to its failing in keepalived's eyes: ``fall`` runs in a row.

    Runs start every ``interval`` however long they take, here ``run_time`` (keepalived ``vrrp_scheduler.c``,
    ``vrrp_script_thread`` and ``vrrp_script_child_thread``).
    """
    return _runs(script, script.fall, run_time)


def script_recovery(script: VrrpScript, run_time: float = 0.0) -> Window:
    """As :func:`script_failure`, from the moment ``script`` would succeed again: ``rise`` runs in a row."""
    return _runs(script, script.rise, run_time)


def switch(master: VrrpInstance, backup: VrrpInstance, script: VrrpScript, run_time: float = 0.0) -> Window:
    """From the moment ``script`` would fail on ``master`` to the takeover by ``backup``.

    A weighted failure shows in the master's next advertisement, the first that ``backup`` discards; one
    without weight is FAULT state, in which the master resigns (keepalived ``vrrp.c``,
    ``vrrp_state_leave_master``). Raises HarnessError if the VIP stays where it is.
    """
    detected = script_failure(script, run_time)
    left = master.effective_priority({script})
    if left == 0:
        return detected + takeover(backup, announced=True, master_advert_int=master.advert_int)
    if left >= backup.effective_priority():
        raise HarnessError(
            f"script {script.name} leaves {master.name} at priority {left}, not below the backup's"
            f" {backup.effective_priority()}: the VIP does not move; give it a weight beyond the gap"
        )
    return detected + preemption(backup, master.advert_int)


def switch_back(returning: VrrpInstance, master: VrrpInstance, script: VrrpScript, run_time: float = 0.0) -> Window:
    """From the moment ``script`` would succeed again on ``returning`` to its takeover from ``master``.

    Its restored priority outranks the master's advertisements (:func:`preemption`); from FAULT state it
    starts afresh (keepalived ``vrrp_scheduler.c``, ``try_up_instance``; :func:`failback`). Raises
    HarnessError if the VIP stays where it is.
    """
    if returning.effective_priority() <= master.effective_priority():
        raise HarnessError(
            f"{returning.name} at priority {returning.effective_priority()} does not outrank the master's"
            f" {master.effective_priority()}: the VIP does not move back"
        )
    resigned = returning.effective_priority({script}) == 0
    rule = failback if resigned else preemption
    return script_recovery(script, run_time) + rule(returning, master.advert_int)


def _runs(script: VrrpScript, count: int, run_time: float) -> Window:
    return Window((count - 1) * script.interval, count * script.interval + run_time)
