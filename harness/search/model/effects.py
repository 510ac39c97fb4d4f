"""What deeds may disturb, so that an invariant is silent where it cannot know.

A deed that is not named here may disturb everything on every machine: what is new makes the
invariants blind before it makes them lie.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Flag, auto
from typing import Final

from harness.clock import Instant
from harness.search.model.spans import Span, joined
from harness.search.observed import UNTOLD, Act, Observed, once


class Aspect(Flag):
    """A side of a machine that a deed may disturb."""

    PROCESS = auto()
    """Its keepalived does not act, or begins afresh."""
    WIRE = auto()
    """What it sends does not all arrive, or is not all seen."""
    EAR = auto()
    """What it is sent does not all arrive."""
    CLAIM = auto()
    """What it tracks, and so its priority."""
    CONFIG = auto()
    """Its configuration is not the one of the topology."""
    ADDRESS = auto()
    """Its interfaces and addresses."""
    TABLE = auto()
    """Its IPVS table."""
    SERVER = auto()
    """What it serves as a real server."""


RELOADING: Final = 0.05
"""Seconds that a reload may take: one that is asked for during another is done after it
(``core/main.c``, "Reload already in progress"), and the kernel takes 10 ms for each change of its
routes or rules.
"""

NOTHING: Final = Aspect(0)
ALL: Final = ~NOTHING
_GONE: Final = Aspect.PROCESS | Aspect.WIRE | Aspect.EAR | Aspect.SERVER | Aspect.ADDRESS

EFFECTS: Final[dict[str, Aspect]] = {
    "PowerOff": _GONE | Aspect.TABLE,
    "StopKeepalived": Aspect.PROCESS,
    "KillKeepalived": Aspect.PROCESS,
    "HangKeepalived": Aspect.PROCESS,
    "CrashVrrp": Aspect.PROCESS,
    "CrashCheckers": Aspect.TABLE,
    "Restart": Aspect.PROCESS,
    "Reload": NOTHING,
    "Dump": NOTHING,
    "Reconfigure": Aspect.CONFIG | Aspect.CLAIM | Aspect.TABLE,
    "Unplug": Aspect.WIRE | Aspect.EAR | Aspect.SERVER,
    "BlackHole": Aspect.EAR | Aspect.SERVER,  # a switch drops what was seen to leave
    "Cut": Aspect.EAR | Aspect.SERVER,
    "Mute": Aspect.WIRE | Aspect.SERVER,
    "Deaf": Aspect.EAR | Aspect.SERVER,
    "DropAdvertisements": Aspect.WIRE | Aspect.EAR,
    "DropArp": Aspect.WIRE | Aspect.EAR | Aspect.SERVER,
    "Impaired": Aspect.WIRE | Aspect.EAR | Aspect.SERVER,
    "SetDown": Aspect.WIRE | Aspect.EAR | Aspect.SERVER | Aspect.ADDRESS,
    "DeleteInterface": _GONE,
    "RenameInterface": _GONE,
    "LoseAddress": Aspect.WIRE | Aspect.EAR | Aspect.SERVER | Aspect.ADDRESS | Aspect.CLAIM,
    "DeleteVip": Aspect.ADDRESS | Aspect.CLAIM,
    "ChangeMtu": Aspect.SERVER,
    "Maintenance": Aspect.CLAIM,
    "FailCheck": Aspect.CLAIM,
    "HangCheck": Aspect.CLAIM,
    "ExitCheck": Aspect.CLAIM | Aspect.TABLE,
    "WriteNumber": Aspect.CLAIM | Aspect.TABLE,
    "StopLocal": Aspect.CLAIM,
    "FailProgram": Aspect.CLAIM,
    "MakeFile": Aspect.CLAIM,
    "StopProgram": Aspect.CLAIM | Aspect.SERVER,
    "HangProgram": Aspect.CLAIM | Aspect.SERVER,
    "Weigh": Aspect.TABLE,
    "Drain": Aspect.TABLE,
    "Ask": NOTHING,
    "AcceptLocal": NOTHING,
    "HintSource": NOTHING,
    **dict.fromkeys(
        (
            "StopHttpd",
            "StopDnsmasq",
            "StopMail",
            "HangHttpd",
            "HangDnsmasq",
            "HangMail",
            "RemovePage",
            "ChangePage",
            "SlowPage",
            "ResetRequests",
            "HalfOpen",
            "DropUdp",
            "DropTcp",
            "IgnoreEcho",
            "ForgetVip",
            "Unprotected",
            "HalfProtected",
        ),
        Aspect.SERVER,
    ),
}


def effect(act: Act) -> Aspect:
    """What a deed may disturb."""
    if act.kind == "DropAdvertisements" and act.parameters.get("arriving", True) is True:
        return Aspect.EAR
    return EFFECTS.get(act.kind, ALL)


def disturbances(
    observed: Observed,
    aspects: Aspect,
    node: str | None = None,
    after: float = 0.0,
    interfaces: Collection[str] | None = None,
) -> list[Span]:
    """When deeds disturbed one of these aspects of a node (None: of any), and for ``after`` more
    seconds each; an edit at least until it is read. With ``interfaces``, what was done to another
    one of its interfaces does not count.

    A deed between two machines, such as a cut, disturbs both; one that is not known disturbs all.
    """
    found = []
    for act in observed.acts:
        interface = act.parameters.get("interface")
        if interface is not None and interfaces is not None and interface not in interfaces:
            continue
        told = (act.node, *(value for value in act.parameters.values() if isinstance(value, str)))
        between = act.kind == "Cut" and (node in told or UNTOLD in act.parameters)
        unknown = act.kind not in EFFECTS
        if effect(act) & aspects and (node is None or act.node == node or between or unknown):
            edits = bool(effect(act) & Aspect.CONFIG)
            over = heeded(observed, act) if edits else observed.over(act)
            found.append(Span(act.at, over + max(after, RELOADING if edits else 0.0)))
    return joined(found)


def heeded(observed: Observed, act: Act) -> Instant:
    """From when on a director knows that a deed is over, such as an edit: one that hangs does what
    was due by what it knew before, as it goes on, and heeds its signals after that
    (``lib/scheduler.c``, ``thread_fetch_next_queue``; ``core/main.c``, ``propagate_signal``).
    """
    over = observed.over(act)
    for hung in hangs(observed, act.node):
        over = hung.until if hung.meets(Span(over, over + RELOADING)) else over
    return over


@once
def hangs(observed: Observed, director: str | None) -> list[Span]:
    """When a director's keepalived was stopped by a signal, in order."""
    return sorted(
        Span(act.at, observed.over(act))
        for act in observed.acts
        if act.kind == "HangKeepalived" and act.node == director
    )
