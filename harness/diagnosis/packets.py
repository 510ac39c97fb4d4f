"""What becomes of client's and servers' packets on their way, hop by hop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from harness.clock import Instant
from harness.diagnosis.found import Diagnosis, Flow, Hop, Seen, Setup
from harness.events import AddressChanged
from harness.timeline import EVER, Timeline

NAMES: Final = ("director loop", "tunnel too narrow", "martian source")
"""What it finds."""

OUTER_HEADER: Final = 20
"""Bytes that an IPIP tunnel adds to each packet (RFC 2003)."""

REPEATED: Final = 3
"""How often a segment comes before nothing but its loss explains it: who hears in time what fits
has sent it twice.
"""


def director_loop(timeline: Timeline, setup: Setup, seen: Seen) -> Iterator[Diagnosis]:
    """A packet goes from one balancing machine to another one, back, and there again, each time
    with a lower TTL: the backup balances what the master sent to it as a real server.
    """
    sent: dict[Flow, list[Hop]] = defaultdict(list)
    for hop in seen.hops:
        if not hop.arrived and {hop.sender, hop.receiver} <= setup.directors.keys():
            sent[hop.flow].append(hop)
    told: set[tuple[str, ...]] = set()
    for flow, hops in sent.items():
        for there, back, again in zip(hops, hops[1:], hops[2:], strict=False):
            between = tuple(sorted((there.sender, there.receiver)))
            to_and_fro = (there.sender, there.receiver) == (back.receiver, back.sender)
            same_way = (there.sender, there.receiver) == (again.sender, again.receiver)
            lowered = there.ttl > back.ttl > again.ttl
            if to_and_fro and same_way and lowered and between not in told:
                told.add(between)
                yield Diagnosis(
                    "director loop", between,
                    f"one packet from {flow.source} to {flow.destination} goes to and fro between"
                    f" them, with TTL {there.ttl}, {back.ttl}, {again.ttl} and so on",
                    "let the backup not balance: services by firewall mark that the other"
                    " director's MAC does not get, or net.ipv4.vs.backup_only=1",
                )  # fmt: skip


def tunnel_too_narrow(timeline: Timeline, setup: Setup, seen: Seen) -> Iterator[Diagnosis]:
    """A director tunnels what is small, and a full packet comes to it again and again and never
    goes on: with the outer header it does not fit, and who sent it never hears of that.
    """
    carried = [hop for hop in seen.hops if hop.tunnelled and not hop.arrived]
    for director in sorted({hop.sender for hop in carried}):
        passed = [hop for hop in carried if hop.sender == director]
        stuck = _stuck(passed, [hop for hop in seen.hops if hop.receiver == director])
        if stuck is not None:
            flow = stuck[0].flow
            yield Diagnosis(
                "tunnel too narrow", (director,),
                f"{stuck[0].size} bytes from {flow.source} to {flow.destination} came"
                f" {len(stuck)} times and never went on, as the tunnel adds {OUTER_HEADER}",
                "let ICMP's fragmentation needed pass from the director to its clients, or"
                " lower the MTU (or the MSS) that they use",
            )  # fmt: skip


def _stuck(passed: list[Hop], come: list[Hop]) -> list[Hop] | None:
    """The arrivals of a segment that would be wider with the outer header than all that passed,
    and that did not pass, nor did anything else of its bytes since.
    """
    widest = max(hop.size for hop in passed)
    connections = {(hop.flow.source, hop.flow.ports) for hop in passed}
    last = {hop.flow: hop.at for hop in passed}
    arrivals: dict[Flow, list[Hop]] = defaultdict(list)
    for hop in come:
        wide = hop.size + OUTER_HEADER > widest
        if hop.arrived and not hop.tunnelled and wide:
            arrivals[hop.flow].append(hop)
    for flow, hops in arrivals.items():
        begun = (flow.source, flow.ports) in connections
        if begun and len(hops) >= REPEATED and last.get(flow, EVER) < hops[0].at:
            return hops
    return None


def martian_source(timeline: Timeline, setup: Setup, seen: Seen) -> Iterator[Diagnosis]:
    """A packet comes to a machine from an address of its own, and its kernel drops it as a martian
    (kernel ``fib_validate_source``).
    """
    told: set[str] = set()
    for hop in seen.hops:
        kernel = seen.kernels.get(hop.receiver)
        if not hop.arrived or hop.tunnelled or kernel is None or kernel.accepts_local:
            continue
        if hop.receiver not in told and _holds(timeline, hop.receiver, hop.flow.source, hop.at):
            told.add(hop.receiver)
            yield Diagnosis(
                "martian source", (hop.receiver,),
                f"{hop.sender} sends to it from {hop.flow.source}, which is an address of its own",
                f"have {hop.sender} ask from an address that nobody else has, not from the VIP",
            )  # fmt: skip


def _holds(timeline: Timeline, node: str, address: str, at: Instant) -> bool:
    changes = timeline.events(AddressChanged, node=node, address=address, until=at)
    held = {change.interface: change.action == "added" for change in changes}
    return any(held.values())
