"""What the buttons may have typed at the prompt of ``lvs-harness up``."""

from __future__ import annotations

import re
from typing import Any, Final

_NODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

FAULTS: Final = (
    "PowerOff",
    "Unplug",
    "BlackHole",
    "Mute",
    "Deaf",
    "StopKeepalived",
    "HangKeepalived",
    "KillKeepalived",
    "CrashVrrp",
    "DropAdvertisements",
    "Maintenance",
    "StopHttpd",
    "HangHttpd",
    "RemovePage",
    "DropTcp",
    "ForgetVip",
    "Unprotected",
)
"""Those that need to be told nothing but the machine that they befall."""


def line(asked: Any) -> str | None:
    """The line to type for what a button sent; None if no button sends that.

    ``{"word": "fault", "fault": "PowerOff", "node": "director1"}`` is ``poweroff director1``.
    """
    if not isinstance(asked, dict):
        return None
    word, fault, node = asked.get("word"), asked.get("fault"), asked.get("node")
    if word == "pass":
        return "pass 1"
    fits = isinstance(node, str) and _NODE.fullmatch(node)
    if fault not in FAULTS or not fits:
        return None
    return {"fault": f"{fault.lower()} {node}", "heal": f"heal {node} {fault.lower()}"}.get(
        str(word)
    )
