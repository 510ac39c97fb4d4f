"""What can be seen of a cluster now, on its timeline and in its machines."""

from __future__ import annotations

from harness import measures
from harness.cluster.base import Base
from harness.daemons.nodes import DirectorNode, Node, RealServerNode
from harness.observers.paths import Path as PacketPath
from harness.timeline import Event
from harness.topology import VirtualService


class Looking(Base):
    """Looks, and changes nothing."""

    def owners(self) -> list[str]:
        """Which machines hold the VIP as an address of a wired interface now (real servers hold it on ``lo``)."""
        return measures.owners(self.timeline, self.vip, self.directors[0].vrrp.interface)

    def unsettled(self) -> str | None:
        """What is not as it should be in a cluster that nothing ails; None if all is well."""
        if down := self._down():
            return down
        best = max(self.directors, key=lambda director: (director.vrrp.priority, director.plan.interface().address.ip))
        if (holders := self.owners()) != [best.name]:
            return f"the VIP is held by {holders}, and should be by {best.name}"
        for director in self.directors:
            for service in director.role.services:
                wanted = {f"{d.address}:{d.port}": d.weight for d in director.destinations(service)}
                try:
                    table = measures.pool(self.timeline, director.name, service_name(service))
                except measures.NoEvidence:
                    return f"{director.name} has no table for {service_name(service)} yet"
                if table != wanted:
                    return f"{director.name}'s table has {table} instead of {wanted}"
        return None

    def _down(self) -> str | None:
        for node in self.nodes.values():
            if node.daemon is not None and not node.running:
                return f"{node.daemon.name} does not run on {node.name}"
        return None

    def ipvsadm(self, director: DirectorNode) -> dict[str, int]:
        """The real servers of the first service with their weights, as ``ipvsadm -Sn`` prints them."""
        shown = director.machine.run(["ipvsadm", "-Sn"]).stdout
        flag = {"TCP": "-t", "UDP": "-u", "SCTP": "--sctp-service"}[self.service.protocol]
        service = ["-a", flag, f"{self.service.vip}:{self.service.port}"]
        lines = [line.split() for line in shown.splitlines()]
        return {line[line.index("-r") + 1]: int(line[line.index("-w") + 1]) for line in lines if line[:3] == service}

    def neighbour(self, node: Node, address: str) -> str | None:
        """The hardware address that a machine has in its ARP table for an address; None if it has none."""
        for line in node.machine.read("/proc/net/arp").splitlines()[1:]:
            ip, _, _, mac, *_ = line.split()
            if ip == address:
                return mac
        return None

    def path_of(self, request: Event) -> PacketPath:
        """The packets of a request, on every machine's wire."""
        return PacketPath(self.recorder.frames(since=request.at), int(request.port))

    def server_of(self, request: Event) -> RealServerNode:
        """The real server that answered a request."""
        for server in self.real_servers:
            if server.page == request.server:
                return server
        raise measures.NoEvidence(f"no real server answered: {request}")


def service_name(service: VirtualService) -> str:
    """A service as the IPVS observer names it: ``TCP 172.16.10.50:80``."""
    return f"{service.protocol} {service.vip}:{service.port}"
