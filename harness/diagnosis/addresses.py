"""Who has which address, and says so in ARP."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from harness import measures
from harness.clock import Instant
from harness.diagnosis.found import Diagnosis, Setup
from harness.events import AddressChanged, Arp
from harness.timeline import EVER, Timeline

NAMES: Final = (
    "no ARP protection",
    "duplicate address",
    "VIP missing on a real server",
    "VIP with the wrong prefix",
    "real server's gateway wrong",
    "gateway that does not answer",
    "two masters",
)
"""What it finds."""


def no_arp_protection(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """A real server names the VIP as its own in ARP."""
    for server, vips in setup.servers.items():
        told = [
            event
            for event in timeline.events(Arp, node=server, since=since, sent=True)
            if event.sender in vips
        ]
        if not told:
            continue
        answers = [event for event in told if event.operation != "request" or event.gratuitous]
        said = (
            f"it says in ARP that {answers[0].sender} is at its own hardware address"
            if answers
            else f"its question who has {told[0].target} names {told[0].sender} as its own address"
        )
        missing = "arp_ignore=1 and arp_announce=2" if answers else "arp_announce=2"
        yield Diagnosis(
            "no ARP protection", (server,), said,
            f"set {missing} there, before the VIP is on lo", ((answers or told)[0],),
        )  # fmt: skip


def duplicate_address(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """Two machines have one address that is no VIP, each with a hardware address of its own."""
    shared = {vip for vips in setup.servers.values() for vip in vips}
    shared |= {
        vip
        for each in setup.directors.values()
        for one in each
        for vip in (*one.vips, *one.excluded_vips)
    }
    holders: dict[str, dict[str, str]] = defaultdict(dict)
    first: dict[str, dict[str, Arp]] = defaultdict(dict)
    for event in timeline.events(Arp, since=since, sent=True):
        if (
            event.sender
            and event.sender not in shared
            and event.sender != "0.0.0.0"
            and event.sender_mac
        ):
            holders[event.sender][event.node] = event.sender_mac
            first[event.sender].setdefault(event.node, event)
    for address, macs in holders.items():
        if len(set(macs.values())) > 1:
            yield Diagnosis(
                "duplicate address", tuple(sorted(macs)), f"each says in ARP that {address}"
                f" is at its own MAC",
                "give each machine an address of its own",
                tuple(first[address].values()),
            )  # fmt: skip


def vip_missing(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """A real server of DR or TUN does not hold the VIP: what is forwarded to it is not for it."""
    for server, vips in setup.servers.items():
        for vip in vips if server not in setup.nat else ():
            if server not in measures.owners(timeline, vip):
                yield Diagnosis(
                    "VIP missing on a real server",
                    (server,),
                    f"it does not hold {vip}",
                    f"put {vip}/32 on its lo",
                )


def vip_prefix(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """A VIP brings a route of its own, to a network wider than that of the LAN, with the VIP as
    source address.
    """
    for name, instances in setup.directors.items():
        vips = {vip for instance in instances for vip in instance.vips}
        held = vips | {vip for instance in instances for vip in instance.excluded_vips}
        added = timeline.events(AddressChanged, node=name, since=EVER, action="added")
        for event in added:
            own = [
                other.prefix
                for other in added
                if other.interface == event.interface
                and other.address not in held
                and (":" in other.address) == (":" in event.address)
            ]
            if event.address in vips and own and event.prefix < min(own):
                yield Diagnosis(
                    "VIP with the wrong prefix", (name,),
                    f"{event.address}/{event.prefix} on {event.interface}, whose own address"
                    f" has /{min(own)}",
                    "write the VIP without a prefix, or with /32",
                    (event,),
                )  # fmt: skip
                break


def gateway_wrong(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """A real server behind NAT answers past the directors: its gateway is none of their
    addresses.
    """
    held = {
        event.address
        for name in setup.directors
        for event in timeline.events(AddressChanged, node=name)
    }
    for server in sorted(setup.nat):
        gateway = setup.gateways.get(server)
        if gateway not in held:
            yield Diagnosis(
                "real server's gateway wrong", (server,),
                f"its default route goes by {gateway or 'nobody'}, which no director has ever held",
                "make the directors' inner VIP its gateway",
            )  # fmt: skip


ASKED: Final = 3
"""How often a kernel asks before it gives up (``mcast_solicit``)."""


def gateway_silent(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """A machine asks who has its gateway's address until it gives up, and nobody has it."""
    for node, gateway in setup.gateways.items():
        asked = timeline.events(
            Arp, node=node, since=since, sent=True, operation="request", target=gateway
        )
        heard = timeline.events(Arp, node=node, since=since, sent=False, sender=gateway)
        if len(asked) >= ASKED and not heard:
            yield Diagnosis(
                "gateway that does not answer", (node,),
                f"it asked {len(asked)} times who has {gateway}, its default route, and nobody"
                " answered",
                "give it a gateway that there is on its LAN",
                (asked[0], asked[-1]),
            )  # fmt: skip


SETTLED: Final = 1.0
"""Seconds for which two directors hold a VIP that is more than a moment of a failover."""


def two_masters(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """Two directors hold one VIP, and have done so for a while: neither hears, or believes, the
    other.
    """
    events = timeline.events(since=since)
    if not events:
        return
    claimed = {
        vip for instances in setup.directors.values() for each in instances for vip in each.vips
    }
    for vip in sorted(claimed):
        added = {
            event.node: event
            for event in timeline.events(AddressChanged, address=vip, action="added")
            if event.node in setup.directors
            and event.node not in setup.standing
            and event.interface != "lo"  # where a machine has it that is a real server as well
        }
        holders = [
            name
            for name, event in added.items()
            if name in measures.owners(timeline, vip, event.interface)
        ]
        if len(holders) > 1 and events[-1].at - max(added[name].at for name in holders) > SETTLED:
            yield Diagnosis(
                "two masters", tuple(holders), f"both hold {vip}",
                "compare what they advertise, to whom, and whether it arrives",
                tuple(added[name] for name in holders),
            )  # fmt: skip
