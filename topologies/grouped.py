"""Services of several addresses and ports: one by firewall mark, one by virtual_server_group."""

from mininet.topo import Topo

from harness.topology import Client, Director, HttpGet, RealServer, VirtualService, VrrpInstance

NET = "172.16.10"
VIPS = tuple(f"{NET}.{host}" for host in (50, 51, 52))


def marked(fwmark: int | None = 1) -> VirtualService:
    """Two ports of the first VIP, one service by its mark."""
    return VirtualService(VIPS[0], port=80, group=((VIPS[0], 8080),), fwmark=fwmark)


def grouped(fwmark: int | None = None, path: str = "/") -> VirtualService:
    """Two more VIPs at different ports with the same real servers, each checked once."""
    check = (
        HttpGet(path=path, retry=0, warmup=0, connect_timeout=1) if fwmark is None else None
    )  # a mark has no port
    return VirtualService(
        VIPS[1], port=80, group=((VIPS[2], 8080),), fwmark=fwmark, delay_loop=1, check=check
    )


class Grouped(Topo):
    """The director at .11, real servers at .21 and .22, the client at .100."""

    def build(
        self, fwmark: int | None = 1, group_fwmark: int | None = None, path: str = "/"
    ) -> None:
        """``fwmark`` None makes the first service a group, ``group_fwmark`` the group one by mark;
        ``path`` is what the group is checked by.
        """
        lan = self.addSwitch("lan", subnet=f"{NET}.0/24", dpid="1")
        services = [grouped(group_fwmark, path), marked(fwmark)]
        vrrp = VrrpInstance(vrid=51, vip=VIPS)
        self.addLink(
            lan,
            self.addHost(
                "director1", cls=Director, ip=f"{NET}.11/24", vrrp=vrrp, services=services
            ),
        )
        for number in (1, 2):
            server = self.addHost(
                f"web{number}", cls=RealServer, ip=f"{NET}.{20 + number}/24", serves=services
            )
            self.addLink(lan, server)
        self.addLink(lan, self.addHost("client", cls=Client, ip=f"{NET}.100/24"))


topos = {"grouped": Grouped}
