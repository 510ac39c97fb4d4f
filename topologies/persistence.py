"""A director whose services keep clients with their real servers, and servers that are drained or
fail.
"""

from mininet.topo import Topo

from harness.topology import Client, Director, HttpGet, RealServer, VirtualService, VrrpInstance

NET = "172.16.10"
VIP = f"{NET}.50"
TIMEOUT, TCP_FIN = 10, 2
"""How long a client stays with its real server, and how long a closed connection is remembered, in
seconds.
"""
SOURCES = tuple(f"{NET}.{host}" for host in (101, 102, 103, 113))
GRANULARITY = "255.255.255.240"
"""The first three of the sources are of one network by this, and the last of another."""


def plain(timeout: int | None = None, path: str = "/") -> VirtualService:
    """A service without persistence, whose real servers are checked."""
    check = HttpGet(path=path, retry=0, warmup=0, connect_timeout=1)
    return VirtualService(VIP, port=80, delay_loop=1, check=check, persistence_timeout=timeout)


def persistent(timeout: int | None = TIMEOUT) -> VirtualService:
    """A service that keeps each client with one real server."""
    return VirtualService(VIP, port=81, persistence_timeout=timeout)


def by_network(granularity: str | None = GRANULARITY) -> VirtualService:
    """A service that keeps a network of clients together."""
    return VirtualService(
        VIP, port=82, persistence_timeout=TIMEOUT, persistence_granularity=granularity
    )


def by_mark(marked: bool = True) -> VirtualService:
    """Two ports that are one service, so that a client's HTTP and HTTPS meet at one real server."""
    return VirtualService(
        VIP,
        port=8080,
        group=((VIP, 8443),),
        fwmark=1 if marked else None,
        persistence_timeout=TIMEOUT,
    )


class Persistence(Topo):
    """The director at .11, real servers at .21 and .22, the client at .100 and all of
    :data:`SOURCES`.
    """

    def build(
        self,
        plain_timeout: int | None = None,
        timeout: int | None = TIMEOUT,
        granularity: str | None = GRANULARITY,
        marked: bool = True,
        expire_nodest_conn: bool = False,
        expire_quiescent_template: bool = False,
        path: str = "/",
    ) -> None:
        """The settings of the first four services, of IPVS, and the page by which the plain service
        is checked.
        """
        lan = self.addSwitch("lan", subnet=f"{NET}.0/24", dpid="1")
        services = [
            plain(plain_timeout, path),
            persistent(timeout),
            by_network(granularity),
            by_mark(marked),
        ]
        director = self.addHost(
            "director1",
            cls=Director,
            ip=f"{NET}.11/24",
            vrrp=VrrpInstance(vrid=51, vip=VIP),
            services=services,
            lvs_timeouts=(900, TCP_FIN, 300),
            sysctl={
                "net.ipv4.vs.expire_nodest_conn": int(expire_nodest_conn),
                "net.ipv4.vs.expire_quiescent_template": int(expire_quiescent_template),
            },
        )
        self.addLink(lan, director)
        for number in (1, 2):
            server = self.addHost(
                f"web{number}",
                cls=RealServer,
                ip=f"{NET}.{20 + number}/24",
                serves=services,
                workers=4,
            )
            self.addLink(lan, server)
        self.addLink(lan, self.addHost("client", cls=Client, ip=f"{NET}.100/24", sources=SOURCES))


topos = {"persistence": Persistence}
