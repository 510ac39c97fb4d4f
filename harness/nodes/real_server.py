"""Real servers: what answers the requests, and the script that holds the VIPs without answering ARP
for them.
"""

from __future__ import annotations

from pathlib import Path

from harness.clock import Instant
from harness.daemons import httpd
from harness.daemons.servers import servers_of
from harness.events import DaemonChanged, FaultChanged
from harness.lab.plan import HostPlan, Plan
from harness.nodes.context import Context
from harness.nodes.node import Node
from harness.topology import RealServer

PROTECTION = "/usr/local/sbin/realserver.sh"


class RealServerNode(Node):
    """Runs the servers that the topology names, and the script that makes it a real server."""

    def __init__(self, host: HostPlan, plan: Plan, context: Context | None = None) -> None:
        super().__init__(host, plan, context)
        self.daemons = tuple(server.daemon for server in servers_of(self.role))

    @property
    def role(self) -> RealServer:
        """What the topology says of it."""
        assert isinstance(self.plan.role, RealServer)
        return self.plan.role

    @property
    def page(self) -> str:
        """The first line of what it answers."""
        return self.role.page or self.name

    def prepare(self) -> None:
        """Write configurations and pages, and run the script that holds the VIPs silently."""
        for server in servers_of(self.role):
            server.prepare(self.machine, self.role, self.page, server.ports(self.role))
        directly, tunnelled = (self._vips(method) for method in ("DR", "TUN"))
        script = (Path(__file__).parent / "realserver.sh").read_text(encoding="utf-8")
        script = script.replace("@VIPS@", directly).replace("@TUNNELLED@", tunnelled)
        self.machine.write(PROTECTION, script, 0o755)
        self.protect(True)
        super().prepare()

    def _vips(self, method: str) -> str:
        services = (*self.role.serves, *self.role.sorry_for)
        served = [service for service in services if service.method == method]
        return " ".join(dict.fromkeys(vip for service in served for vip, _ in service.endpoints))

    def protect(self, protected: bool) -> None:
        """Run the experiment's script: ``start``, or ``stop`` for a machine that answers ARP for
        the VIPs.
        """
        self.machine.run([PROTECTION, "start" if protected else "stop"])

    def put_page(self, path: str, text: str | None = None) -> None:
        """Put a page in its place, by default the one that belongs there, if one does."""
        own = {"/index.html": self.page + "\n", **self.role.pages}
        if text is None and path not in own:
            self.remove_page(path)
        else:
            self.machine.write(httpd.page_file(path), own[path] if text is None else text)

    def remove_page(self, path: str) -> None:
        """Take a page away, so that httpd answers 403 or 404."""
        self.machine.remove(httpd.page_file(path))

    def serves_again(self) -> Instant:
        """When the last fault was healed, or, where that meant a start of its servers, when all of
        them served.
        """
        timeline = self.context.timeline
        healed = timeline.events(FaultChanged, action="healed")[-1].at
        events = timeline.events(DaemonChanged, node=self.name, since=healed, action="started")
        names = {event.name for event in events}
        started = [daemon for daemon in self.daemons if daemon.name in names]
        return max([healed, *(self.wait_serving(daemon, healed) for daemon in started)])
