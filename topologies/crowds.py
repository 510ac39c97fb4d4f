"""Real servers for thousands of clients at once: nginx, which needs no process for each connection,
in place of httpd.
"""

from mininet.topo import Topo

from harness.topology import (
    Client,
    Director,
    HttpGet,
    Program,
    RealServer,
    VirtualService,
    VrrpInstance,
)

VIP = "172.16.10.50"
CONFIG = "/etc/nginx/nginx.conf"


def nginx(name: str, room: int) -> Program:
    """A server of a page that is its ``name``, for so many connections at once."""
    text = f"""\
error_log stderr notice;
worker_processes 1;
worker_rlimit_nofile {room + 64};
events {{ worker_connections {room}; }}
http {{
    access_log off;
    keepalive_requests 1000000;
    server {{
        listen 80 backlog=4096;
        location / {{ return 200 "{name}\\n"; }}
    }}
}}
"""
    return Program(
        ["nginx", "-c", CONFIG, "-g", "daemon off;"],
        ready="start worker process",
        files={CONFIG: text},
        serves=(80,),
    )


class Crowds(Topo):
    """Directors at .11 and .12, real servers at .21 and .22 by DR, the client at .100."""

    def build(self, room: int = 4096) -> None:
        """``room``: how many connections each real server has at most."""
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
        check = HttpGet(connect_timeout=2, delay_before_retry=1, warmup=0)
        web = VirtualService(VIP, delay_loop=2, check=check)
        for number, priority in enumerate((100, 90), start=1):
            vrrp = VrrpInstance(vrid=51, vip=VIP, priority=priority)
            ip = f"172.16.10.{10 + number}/24"
            self.addLink(
                lan,
                self.addHost(f"director{number}", cls=Director, ip=ip, vrrp=vrrp, services=[web]),
            )
        for number in (1, 2):
            name, ip = f"web{number}", f"172.16.10.{20 + number}/24"
            server = self.addHost(
                name, cls=RealServer, ip=ip, serves=[web], runs=(nginx(name, room),)
            )
            self.addLink(lan, server)
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


topos = {"crowds": Crowds}
