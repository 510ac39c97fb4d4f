"""haproxy or nginx behind VRRP: what many clusters have instead of IPVS, with the real packages."""

from mininet.topo import Topo

from harness.topology import Client, Director, Program, RealServer, VrrpInstance, VrrpScript

VIP = "172.16.10.50"
SERVERS = ("172.16.10.21", "172.16.10.22")

HAPROXY = """\
defaults
    mode http
    timeout connect 2s
    timeout client 10s
    timeout server 10s
frontend web
    bind :80
    default_backend servers
backend servers
    balance roundrobin
    option httpchk GET /
    default-server check inter 2s rise 1
"""
HAPROXY += "".join(
    f"    server web{number} {ip}:80\n" for number, ip in enumerate(SERVERS, start=1)
)

NGINX = "error_log stderr notice;\nevents {}\nhttp {\naccess_log off;\nupstream servers {\n"
NGINX += "".join(f"server {ip}:80;\n" for ip in SERVERS)
NGINX += "}\nserver { listen 80; location / { proxy_pass http://servers; } }\n}\n"

PROXIES = {
    "haproxy": Program(
        ["haproxy", "-db", "-V", "-f", "/etc/haproxy/haproxy.cfg"],
        ready="polling mechanism",
        files={"/etc/haproxy/haproxy.cfg": HAPROXY},
    ),
    "nginx": Program(
        ["nginx", "-c", "/etc/nginx/nginx.conf", "-g", "daemon off;"],
        ready="start worker process",
        files={"/etc/nginx/nginx.conf": NGINX},
    ),
}


class Proxies(Topo):
    """Proxies at .11 and .12, web servers at .21 and .22, the client at .100."""

    def build(self, proxy: str = "haproxy", tracked: bool = True) -> None:
        """``tracked``: a machine on which no process of the proxy's runs gives the VIP up; else its
        script looks at something that is always there.
        """
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
        looks = f"/usr/bin/pgrep -x {proxy}" if tracked else "/usr/bin/test -e /etc/passwd"
        script = VrrpScript(name="proxy", script=looks)
        for number, priority in enumerate((100, 90), start=1):
            vrrp = VrrpInstance(vrid=51, vip=VIP, priority=priority, track_scripts=(script,))
            ip = f"172.16.10.{10 + number}/24"
            self.addLink(
                lan,
                self.addHost(
                    f"proxy{number}", cls=Director, ip=ip, vrrp=vrrp, runs=(PROXIES[proxy],)
                ),
            )
        for number, address in enumerate(SERVERS, start=1):
            self.addLink(lan, self.addHost(f"web{number}", cls=RealServer, ip=f"{address}/24"))
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


topos = {"proxies": Proxies}
