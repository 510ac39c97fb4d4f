"""A topology whose directors have all that faults of directors are about."""

from __future__ import annotations

from mininet.topo import Topo

from harness.topology import Client, Director, LocalService, TrackedFile, VrrpInstance, VrrpScript
from harness.topology.tracking import CHECK

LEVEL = TrackedFile(name="level", path="/run/level")
PROXY = LocalService(process="proxy")
_SCRIPTS = (
    VrrpScript(name="check", script=CHECK, weight=-5),
    VrrpScript(name="proxy", script="/usr/bin/pgrep -x proxy", weight=-5),
)


class Scripted(Topo):
    """Two directors with health scripts, a tracked file and a program, and the client."""

    def build(self) -> None:
        """Directors at .11 and .12, the client at .100."""
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
        for number, priority in enumerate((100, 90), start=1):
            vrrp = VrrpInstance(
                vrid=51,
                vip="172.16.10.50",
                priority=priority,
                track_scripts=_SCRIPTS,
                track_files=(LEVEL,),
            )
            ip = f"172.16.10.{10 + number}/24"
            local = {"proxy": (PROXY,)}
            self.addLink(
                lan, self.addHost(f"director{number}", cls=Director, ip=ip, vrrp=vrrp, local=local)
            )
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))
