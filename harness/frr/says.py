"""What vrrpd tells of itself: the lines of its log, and ``show vrrp json``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from harness.errors import HarnessError
from harness.events import State
from harness.topology.vrrp import VrrpInstance

_ENTERED = re.compile(
    r"\[VRID (?P<vrid>\d+)\] \[IPv(?P<family>[46])\] \w+ ->"
    r" (?P<state>Initialize|Backup|Master)"
)
_STATES: Final[dict[str, State]] = {"Initialize": "FAULT", "Backup": "BACKUP", "Master": "MASTER"}
"""A router that is in Initialize, but for one that has only been started, has given up
(``vrrp_shutdown``).
"""


def entered(line: str, instances: Iterable[VrrpInstance]) -> tuple[str, State] | None:
    """The instance that a line of the log says has changed its state, and that state
    (``vrrp_change_state``).
    """
    found = _ENTERED.search(line)
    if found is None:
        return None
    for instance in instances:
        if (instance.vrid, instance.family) == (int(found["vrid"]), int(found["family"])):
            return instance.name, _STATES[found["state"]]
    return None


def parse(text: str, instance: VrrpInstance) -> dict[str, Any]:
    """What ``show vrrp json`` tells of an instance: of the half that is of its family, and of both.

    Raises HarnessError if it tells nothing of it.
    """
    try:
        routers = json.loads(text)
    except ValueError:
        raise HarnessError(f"vrrpd's `show vrrp json` is no JSON: {text[:60]!r}") from None
    wanted = (instance.vrid, instance.interface)
    for router in routers if isinstance(routers, list) else []:
        if isinstance(router, dict) and (router.get("vrid"), router.get("interface")) == wanted:
            half = router.get(f"v{instance.family}")
            return {**router, **(half if isinstance(half, dict) else {})}
    raise HarnessError(f"vrrpd knows no VRID {instance.vrid} on {instance.interface}")


def state(status: dict[str, Any]) -> State | None:
    """The state in what :func:`parse` returned."""
    return _STATES.get(str(status.get("status")))
