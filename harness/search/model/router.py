"""One director's part in an election as it was seen: what it sent, and what it heard and had to
heed (pure).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from typing import Final

from harness.clock import Instant
from harness.events import MULTICAST, Advertisement, DaemonChanged, Log
from harness.keepalived import timers
from harness.search.model.effects import RELOADING, Aspect
from harness.search.model.priorities import Claims
from harness.search.model.processes import RELOADED, Run, calm, in_state, linked, runs
from harness.search.model.spans import Span, both
from harness.search.observed import Observed
from harness.topology.vrrp import VrrpInstance

RESOLVING: Final = 2.0
"""Seconds in which a kernel asks anew for the hardware address of a peer that has come back
(``retrans_time_ms``, and once more where the first question is lost).
"""


@dataclass(frozen=True)
class Router:
    """An instance of a director, in one sequence."""

    observed: Observed
    director: str
    instance: VrrpInstance

    @cached_property
    def sent(self) -> list[Advertisement]:
        """Its advertisements, resignations among them."""
        return [event for event in self._adverts if event.node == self.director and event.sent]

    @cached_property
    def heard(self) -> list[Advertisement]:
        """Those of others that reached it and that it must not discard for their form.

        RFC 5798 section 7.1; keepalived ``vrrp.c``, ``vrrp_check_packet``: the version, the VIPs,
        and in version 2 the interval have to be its own, and it comes to the multicast group unless
        there are peers.
        """
        vips = {ip_address(vip) for vip in self.instance.vips}
        multicast = not self.instance.unicast_peers
        return [
            event
            for event in self.perhaps_heard
            if {ip_address(each) for each in event.addresses.split()} == vips
            and (event.destination in MULTICAST) == multicast
        ]

    @cached_property
    def perhaps_heard(self) -> list[Advertisement]:
        """The same with those of other VIPs, which a router MAY heed (RFC 9568 section 7.1):
        keepalived does from 2.3 on, and did not before (docs/conformance.md).
        """
        return [
            event for event in self._adverts
            if event.node == self.director and not event.sent and event.flaw is None
            and event.source not in self._own_addresses
            and event.version == self.instance.version
            and (event.version == 3 or event.interval == self.instance.advert_int)
        ]  # fmt: skip

    @cached_property
    def surely_heard(self) -> list[Advertisement]:
        """What it heard but what came during a reload, which may be lost: that forgets what there
        was to read, closes all sockets, and opens others (``vrrp_daemon.c``,
        ``reload_vrrp_thread``; ``vrrp_scheduler.c``, ``vrrp_dispatcher_release`` and
        ``vrrp_dispatcher_init``).
        """
        return [event for event in self.heard if not self.reloading(event.at)]

    def reloading(self, instant: Instant) -> bool:
        """Whether a reload may not be over at an instant."""
        slack = self.observed.slack
        return any(Span(each - slack, each + RELOADING).has(instant) for each in self.reloads)

    @cached_property
    def discarded(self) -> list[Instant]:
        """When it was sent what it has to discard, of its number."""
        certain = {id(event) for event in self.heard}
        return [
            event.at for event in self._adverts
            if event.node == self.director and not event.sent and id(event) not in certain
            and event.source not in self._own_addresses
        ]  # fmt: skip

    @cached_property
    def _adverts(self) -> list[Advertisement]:
        family = ":" in self.instance.vips[0]
        wired = self.instance.interface in self.observed.setting.directors[self.director].addresses
        return [
            event
            for event in self.observed.of(Advertisement)
            if event.vrid == self.instance.vrid
            and (":" in event.source) == family
            and (
                not wired
                or event.node != self.director
                or event.interface == self.instance.interface
            )
        ]

    @property
    def visible(self) -> bool:
        """Whether its advertisements are seen: its interface is a wire, or some were."""
        wires = self.observed.setting.directors[self.director].addresses
        return self.instance.interface in wires or any(
            each.node == self.director for each in self._adverts
        )

    @property
    def _own_addresses(self) -> set[str]:
        own = self.observed.setting.directors[self.director].addresses
        return {address for addresses in own.values() for address in addresses}

    @cached_property
    def claims(self) -> Claims:
        """Which priorities it may claim."""
        return Claims(self.observed, self.director, self.instance)

    @cached_property
    def runs(self) -> list[Run]:
        """When its process acted."""
        return runs(self.observed, self.director)

    @cached_property
    def states(self) -> list[tuple[Span, str]]:
        """What keepalived said of its state."""
        return in_state(self.observed, self.director, self.instance.name)

    @cached_property
    def able(self) -> list[Span]:
        """When its process acted and its link was up."""
        up = linked(self.observed, self.director, self.instance.interface)
        return both([run.span for run in self.runs], up)

    @cached_property
    def reloads(self) -> list[Instant]:
        """When it read its configuration again: a backup then waits anew
        (``vrrp_dispatcher_init``).
        """
        said = [event.at for event in self.observed.of(Log, node=self.director, daemon="keepalived")
                if event.line.endswith(RELOADED)]  # fmt: skip
        told = self.observed.of(
            DaemonChanged, node=self.director, name="keepalived", action="reloaded"
        )
        return sorted([*said, *(event.at for event in told)])

    @cached_property
    def abandoned(self) -> list[Instant]:
        """When its process ended without taking away what it had."""
        return [
            act.at
            for act in self.observed.acts
            if act.node == self.director and act.kind in ("KillKeepalived", "CrashVrrp")
        ]

    def took_over_nothing(self, end: Instant) -> bool:
        """Whether a process that ended at an instant had become nothing yet since one was killed,
        which leaves what it had to the next one (``vrrp_scheduler.c``, ``vrrp_init_state``).
        """
        killed = max((at for at in self.abandoned if at < end), default=None)
        return killed is not None and not any(killed < span.since < end for span, _ in self.states)

    def reachable(self, span: Span) -> bool:
        """Whether what it sends in a span gets onto the wire: to a peer whose hardware address
        nobody tells, the kernel keeps it, and sends it all once it knows (``net/ipv4/arp.c``,
        ``net/ipv6/ndisc.c``).
        """
        directors = self.observed.setting.directors
        peers = [
            name
            for name, other in directors.items()
            for own in other.addresses.values()
            if set(own) & set(self.instance.unicast_peers)
        ]
        asked = [self.director, *peers] if peers else []
        after = self.instance.advert_int + RESOLVING
        silent = Aspect.WIRE | Aspect.EAR
        return all(calm(self.observed, silent, each, span, after=after) for each in asked)

    def reign_before(self, instant: Instant) -> bool:
        """Whether keepalived's last word before an instant was that it is master."""
        return any(
            span.has(instant) and state == "MASTER"
            for span, state in self.states
            if span.since < instant
        )

    def down_interval(self, priority: int, interval: float | None = None) -> float:
        """Master_Down_Interval at an effective priority, by the interval of the master that it
        heard, in seconds.
        """
        return timers.master_down_interval(self.instance.with_priority(priority), interval)

    def skew(self, priority: int, interval: float | None = None) -> float:
        """Skew_Time at an effective priority, in seconds."""
        return timers.skew(self.instance.with_priority(priority), interval)

    def least_skew(self, priority: int, interval: float) -> float:
        """The same after a resignation: an interval that it says counts only if a claim with it was
        accepted before (``vrrp.c``, ``vrrp_state_backup``).
        """
        return min(self.skew(priority), self.skew(priority, interval))

    def outranks(self, heard: Advertisement, priority: int, source: str) -> bool:
        """Whether an advertisement is of a better claim than one of ``priority`` from the address
        ``source``.

        RFC 5798 section 6.4.3; keepalived ``vrrp.c``, ``vrrp_state_master_rx``: of two that are
        equal, the higher address.
        """
        if heard.priority != priority:
            return heard.priority > priority
        return ip_address(heard.source).packed > ip_address(source).packed


def routers(observed: Observed) -> list[Router]:
    """Every VRRP instance of every director that has keepalived, if its advertisements can be seen
    at all.

    In a tunnel, such as a vxlan's, they are not told from other packets.
    """
    found = [
        Router(observed, name, instance)
        for name, director in observed.setting.directors.items() if director.elects
        for instance in director.instances
    ]  # fmt: skip
    return [each for each in found if each.visible]
