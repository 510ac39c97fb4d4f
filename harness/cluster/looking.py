"""What can be seen of a cluster now, on its timeline and in its machines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address

from harness import measures
from harness.clock import Instant
from harness.cluster import seen
from harness.cluster.base import Base
from harness.daemons import ipvsadm, keepalived
from harness.daemons.nodes import DirectorNode, Node, RealServerNode
from harness.diagnosis import Diagnosis, Seen, Setup, diagnose
from harness.errors import HarnessError
from harness.events import Log, Notification, Request
from harness.ipvs.schedulers import Server
from harness.keepalived.statistics import Statistics
from harness.observers.paths import SYN
from harness.observers.paths import Path as PacketPath
from harness.timeline import EVER
from harness.topology import VirtualService, VrrpInstance, notification

Claims = list[tuple[DirectorNode, VrrpInstance]]
_TELLERS = {"fifo": notification.FIFO, "script": notification.REPORT}
"""What stands in a configuration by which the harness hears of changes of state."""


class Looking(Base):
    """Looks, and changes nothing."""

    def __repr__(self) -> str:
        """How it stands: what a failed assertion shows of it."""
        return f"<cluster of {', '.join(self._standing(node) for node in self.nodes.values())}>"

    def _standing(self, node: Node) -> str:
        if not node.machine.powered:
            return f"{node.name} (off)"
        if not isinstance(node, DirectorNode):
            return node.name
        try:
            held = [vip for vip in self.vips if node.name in measures.owners(self.timeline, vip)]
        except HarnessError:  # it is told elsewhere why nothing can be said
            held = []
        return f"{node.name} (holds {' and '.join(held)})" if held else node.name

    def owners(self, vip: str | None = None) -> list[str]:
        """Which directors hold a VIP, the first by default, as an address of the interface for it,
        now.

        Real servers have it as well, and may have it on a device of the same name: a tunnel's. A
        machine that is both has it on ``lo``, too, and counts as a director.
        """
        vip = self.vip if vip is None else vip
        claims = self._claims(vip)
        interfaces = {director.device_of(vip) for director, _ in claims} if claims else {None}
        holders = {
            owner for name in interfaces for owner in measures.owners(self.timeline, vip, name)
        }
        return self._of_directors(vip, claims, holders)

    def _of_directors(self, vip: str, claims: Claims, holders: set[str]) -> list[str]:
        """The directors among those who hold a VIP, but for those without a carrier there."""
        silent = {director.name for director, _ in claims if not self._carries(director, vip)}
        return sorted((holders & {director.name for director in self.directors}) - silent)

    def _carries(self, director: DirectorNode, vip: str) -> bool:
        """Whether the interface of a VIP that is always there has its carrier."""
        if director.speaker.holding == "address":
            return True
        return measures.has_carrier(self.timeline, director.name, director.device_of(vip))

    def _claims(self, vip: str) -> Claims:
        found = [
            (director, each) for director in self.directors for each in director.role.instances
        ]
        return [
            (director, each) for director, each in found if vip in (*each.vips, *each.excluded_vips)
        ]

    def unsettled(self) -> str | None:
        """What is not as it should be in a cluster that nothing ails; None if all is well."""
        return self.down() or self.unelected() or self._unbalanced()

    def unelected(self) -> str | None:
        """Which VIP is not where it should be; None if all are."""
        held = measures.holders(self.timeline)
        return next(filter(None, (self._misplaced(vip, held) for vip in self.vips)), None)

    def _unbalanced(self) -> str | None:
        """Which director's table is not as it should be."""
        for director in self.directors:
            pools = measures.pools(self.timeline, director.name)
            for service in director.role.services:
                for name in service.names:
                    wanted = {
                        each.endpoint: each.weight for each in director.destinations(service, name)
                    }
                    if name not in pools:
                        return f"{director.name} has no table for {name} yet"
                    if pools[name] != wanted:
                        return (
                            f"{director.name}'s table of {name} has {pools[name]} instead of"
                            f" {wanted}"
                        )
        return None

    def _misplaced(self, vip: str, held: Mapping[tuple[str, str], set[str]]) -> str | None:
        """Whether a VIP has not one holder, or one whom another director is about to preempt.

        ``held`` says who holds it, as :func:`harness.measures.holders` does.
        """
        claims = self._claims(vip)
        devices = {director.device_of(vip) for director, _ in claims}
        found = {owner for device in devices for owner in held.get((vip, device), ())}
        holders = self._of_directors(vip, claims, found)
        held_at = [
            each.effective_priority() for director, each in claims if [director.name] == holders
        ]
        best, claim = max(claims, key=lambda pair: pair[1].effective_priority())
        if held_at and (claim.nopreempt or claim.effective_priority() <= held_at[0]):
            return None
        return f"{vip} is held by {' and '.join(holders) or 'nobody'}, and should be by {best.name}"

    def down(self) -> str | None:
        """Which daemon does not run, though its machine does; None if all run."""
        for node in self.nodes.values():
            for daemon in node.idle:
                return f"{daemon.name} does not run on {node.name}"
        return None

    def pool(self, director: DirectorNode, service: VirtualService | None = None) -> dict[str, int]:
        """The machines that a director's table holds for a service, the first one by default, with
        their weights.
        """
        wanted = self.service if service is None else service
        names = {f"{server.ip}:{wanted.port}": server.name for server in self.real_servers}
        table = measures.pool(self.timeline, director.name, wanted.name)
        return {names.get(address, address): weight for address, weight in table.items()}

    def ipvsadm(self, director: DirectorNode) -> dict[str, int]:
        """The real servers of the first service with their weights, as ``ipvsadm -Sn`` prints
        them.
        """
        shown = director.machine.run(["ipvsadm", "-Sn"]).stdout
        service = ["-a", *ipvsadm.service(self.service)]
        lines = [line.split() for line in shown.splitlines()]
        return {
            line[line.index("-r") + 1]: int(line[line.index("-w") + 1])
            for line in lines
            if line[:3] == service
        }

    def counted(
        self, director: DirectorNode, service: VirtualService, weights: Sequence[int] | None = None
    ) -> list[Server]:
        """A service's real servers, in the topology's order, with their connections as the director
        counts them.

        ``weights`` are what they ought to weigh (None: what the topology says).
        """
        known = self.recorder.connections(director.machine, service.name)
        servers = []
        for number, destination in enumerate(director.destinations(service)):
            weight = destination.weight if weights is None else weights[number]
            active, inactive = known.get(destination.endpoint, (0, 0))
            servers.append(Server(destination.address, weight, destination.port, active, inactive))
        return servers

    def statistics(self, director: DirectorNode, instance: str | None = None) -> Statistics:
        """The implementation's own counters of a VRRP instance, the first one by default, as they
        are now.
        """
        wanted = next(each for each in director.role.instances if instance in (None, each.name))
        director.speaker.ask_counters(director.machine, wanted)
        self.timeline.let_pass(self.slack)
        return director.speaker.counters(director.machine, wanted)

    def raw_drops(self, director: DirectorNode) -> int:
        """How many packets the director's kernel has kept from its raw sockets since they were
        opened, such as those over IPv6 whose checksum is wrong (``net/ipv6/raw.c``,
        ``rawv6_rcv_skb``): column ``drops`` of /proc/net/raw.
        """
        tables = [director.machine.read(f"/proc/net/{table}") for table in ("raw", "raw6")]
        return sum(int(line.split()[-1]) for table in tables for line in table.splitlines()[1:])

    def reached(self, requests: Iterable[Request]) -> list[str | None]:
        """The address of the real server that answered each request; None where none did."""
        addresses = {server.page: server for server in self.real_servers}
        return [
            None if (server := addresses.get(event.server or "")) is None
            else server.plan.interface().address_of(6 if ":" in event.address else 4)
            for event in requests
        ]  # fmt: skip

    def connections(self, director: DirectorNode) -> dict[int, str]:
        """The client's port of every connection in a director's IPVS table, and the real server
        that it goes to.
        """
        lines = director.machine.read("/proc/net/ip_vs_conn").splitlines()[1:]
        fields = [line.split() for line in lines]
        return {
            int(port, 16): str(ip_address(int(server, 16)))
            for _, _, port, _, _, server, *_ in fields
        }

    def neighbour(self, node: Node, address: str) -> str | None:
        """The hardware address that a machine has in its ARP table or its neighbour cache; None if
        it has none.
        """
        if ":" in address:
            shown = node.machine.run(
                ["ip", "-6", "neighbour", "show", "to", address]
            ).stdout.split()
            return shown[shown.index("lladdr") + 1] if "lladdr" in shown else None
        for line in node.machine.read("/proc/net/arp").splitlines()[1:]:
            ip, _, _, mac, *_ = line.split()
            if ip == address:
                return mac
        return None

    def diagnoses(self, since: Instant = EVER, until: Instant | None = None) -> list[Diagnosis]:
        """The misconfigurations for which there is evidence since an instant, and until another
        one.
        """
        served = {server.name: server.role.serves for server in self.real_servers}
        claimed = {director.name: self._claimed_by(director) for director in self.directors}
        setup = Setup(
            directors={director.name: director.role.instances for director in self.directors},
            servers={
                name: tuple(
                    service.vip for service in serves if service.vip not in claimed.get(name, ())
                )
                for name, serves in served.items()
            },
            gateways={
                host.name: host.default_routes[0] for host in self.plan.hosts if host.default_routes
            },
            nat=frozenset(
                name
                for name, serves in served.items()
                if any(each.method == "NAT" for each in serves)
            ),
            standing=frozenset(
                each.name
                for each in self.directors
                if each.role.instances and each.speaker.holding == "carrier"
            ),
        )
        told = self.timeline if until is None else self.timeline.before(until)
        frames = [
            frame for frame in self.recorder.frames(since) if until is None or frame.at < until
        ]
        more = Seen(
            tuple(seen.hops(frames, self.nodes)),
            {name: seen.kernel(node) for name, node in self.nodes.items()},
        )
        return diagnose(told, setup, since, more)

    def _claimed_by(self, director: DirectorNode) -> set[str]:
        """The VIPs that it rightly answers ARP for, also where it is a real server as well."""
        return {
            vip for each in director.role.instances for vip in (*each.vips, *each.excluded_vips)
        }

    def said(self, node: Node, pattern: str, since: Instant = EVER) -> list[Log]:
        """The log lines of a node's daemons that a regular expression is found in."""
        self.timeline.let_pass(self.slack)
        return [event for event in self.timeline.events(Log, node=node.name, since=since)
                if re.search(pattern, event.line)]  # fmt: skip

    def processes(self, node: Node) -> list[str]:
        """The command lines of all processes of a machine, its own pid 1 left out, in the order of
        their numbers.
        """
        shown = node.machine.run(["ps", "-e", "-o", "pid=,ppid=,args=", "--sort=pid"]).stdout
        lines = [line.split(None, 2) for line in shown.splitlines()]
        return [args for pid, _, args in lines if pid != "1" and not args.startswith("ps -e ")]

    def martians(self, node: Node) -> int:
        """How many packets the kernel has refused for their source address (``in_martian_src``; of
        all machines).
        """
        names, counts, *_ = node.machine.read("/proc/net/stat/rt_cache").splitlines()
        return int(counts.split()[names.split().index("in_martian_src")], 16)

    def notifications(self, node: Node, channel: str, since: Instant = EVER) -> list[str]:
        """What keepalived told by ``script`` or ``fifo``, in order, once it has had the time to.

        Raises NoEvidence if nobody listens on that channel: a list without anything in it would say
        that keepalived told nothing.
        """
        teller = _TELLERS.get(channel)
        config = (
            node.config_text().decode(errors="replace") if isinstance(node, DirectorNode) else ""
        )
        if teller is None or channel not in node.fifos or teller not in config:
            raise measures.NoEvidence(
                f"nobody hears what keepalived on {node.name} tells by {channel!r}, so that none"
                f" came says nothing:"
                " give its role notify_fifo=True for 'fifo', notify=Notify.reported() in an"
                " instance for 'script'"
            )
        self.timeline.let_pass(self.slack)
        told = self.timeline.events(Notification, node=node.name, since=since, channel=channel)
        return [event.text for event in told]

    def path_of(self, request: Request) -> PacketPath:
        """The packets of a request, on every machine's wire."""
        return PacketPath(
            self.recorder.frames(since=request.at), int(request.port), request.protocol
        )

    def checked(
        self,
        director: DirectorNode,
        server: RealServerNode,
        service: VirtualService,
        since: Instant = EVER,
    ) -> list[Instant]:
        """When a director connected to a real server of a TCP service to check it, in order."""
        sent = PacketPath(self.recorder.frames(since), service.port).between(director, server)
        return [
            packet.frame.at
            for packet in sent
            if packet.flags == SYN and packet.source == director.ip
        ]

    def crashes(self, director: DirectorNode) -> list[Log]:
        """The log lines of a director's keepalived that tell of processes of its own that died by a
        signal.
        """
        self.timeline.let_pass(self.slack)
        said = self.timeline.events(Log, node=director.name, daemon="keepalived")
        return [event for event in said if keepalived.CRASHED.search(event.line)]

    def server_of(self, request: Request) -> RealServerNode:
        """The real server that answered a request."""
        for server in self.real_servers:
            if server.page == request.server:
                return server
        raise measures.NoEvidence(f"no real server answered: {request}")
