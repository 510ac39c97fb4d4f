"""Two machines, each a director and a real server: what most small clusters are, with the loop of
two balancers.
"""

from typing import Any

from mininet.topo import Topo

from harness.topology import Client, DirectorAndRealServer, HttpGet, VirtualService, VrrpInstance

VIP = "172.16.10.50"
CURES = (None, "mac", "backup_only")
MACS = {"node1": "02:00:00:00:0a:01", "node2": "02:00:00:00:0a:02"}


class TwoNodes(Topo):
    """The machines at .11 and .12 balance over both of them, by DR; the client is at .100."""

    def build(self, cure: str | None = None, scheduler: str = "rr") -> None:
        """Without a ``cure`` the backup balances again what the master has sent to it. ``mac``:
        services are firewall marks, and what comes from the other machine is not marked.
        ``backup_only``: IPVS balances on the master alone (``net.ipv4.vs.backup_only``), which it
        knows by the sync daemon's state. A mark has no port, so with ``mac`` nothing checks the
        machines.
        """
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
        mark = 1 if cure == "mac" else None
        check = HttpGet(connect_timeout=2, delay_before_retry=1, warmup=0) if mark is None else None
        web = VirtualService(
            VIP, port=80, scheduler=scheduler, fwmark=mark, delay_loop=2, check=check
        )
        for number, priority in enumerate((100, 90), start=1):
            name, other = f"node{number}", f"node{3 - number}"
            own: dict[str, Any] = {}
            if cure == "mac":
                rule = (
                    f"-t mangle -A PREROUTING -m mac --mac-source {MACS[other]} -j"
                    " MARK --set-mark 0"
                )
                own["firewall"] = (rule,)
            if cure == "backup_only":
                own |= {"sync_daemon": True, "sysctl": {"net.ipv4.vs.backup_only": 1}}
            vrrp = VrrpInstance(vrid=51, vip=VIP, priority=priority)
            ip = f"172.16.10.{10 + number}/24"
            node = self.addHost(
                name,
                cls=DirectorAndRealServer,
                ip=ip,
                mac=MACS[name],
                vrrp=vrrp,
                services=[web],
                serves=[web],
                **own,
            )
            self.addLink(lan, node)
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


topos = {"two_nodes": TwoNodes}
