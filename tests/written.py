"""The text that is written of a part of a configuration, and what stands in one of its blocks."""

from __future__ import annotations

import re
from dataclasses import replace

from harness.keepalived.config import GlobalDefs, render
from harness.topology.checks import Check, HttpGet
from harness.topology.services import Destination, VirtualService
from harness.topology.tracking import TrackedBfd, VrrpScript, maintenance_switch
from harness.topology.vrrp import VrrpInstance

VIP = "172.16.10.50"
DEFS = GlobalDefs(router_id="director1")
INSTANCE = VrrpInstance(vrid=51, vip=VIP, track_scripts=(maintenance_switch(),))
WEB = VirtualService(VIP, check=HttpGet("/health", status=204, connect_timeout=1.5, retry=2))
SERVERS = (Destination("172.16.10.21", 80), Destination("172.16.10.22", 8080, weight=3))


def write(part: object) -> str:
    """The keepalived.conf that has a part in it, in its place."""
    match part:
        case GlobalDefs():
            return render(part, [], [])
        case VrrpInstance():
            return render(DEFS, [part], [])
        case TrackedBfd():
            return render(DEFS, [replace(INSTANCE, track_bfds=(part,))], [])
        case VrrpScript():
            return render(DEFS, [replace(INSTANCE, track_scripts=(part,))], [])
        case VirtualService():
            return render(DEFS, [], [(part, SERVERS)])
        case Check():
            return render(DEFS, [], [(replace(WEB, check=part), SERVERS)])
        case Destination():
            return render(DEFS, [], [(WEB, [part])])
    raise TypeError(f"{part!r} has no place")


def statement(text: str, *path: str) -> str:
    """What stands in the block at ``path``, heads from the outside in, white space folded to
    blanks.
    """
    for head in path:
        opening = re.search(rf"(?m)^( *){re.escape(head)} {{$", text)
        assert opening, f"no block {head} in\n{text}"
        text = text[opening.end() :]
        closing = re.search(rf"(?m)^{opening[1]}}}$", text)
        assert closing, f"{head} is not closed"
        text = text[: closing.start()]
    return " ".join(text.split())
