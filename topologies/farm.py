"""A large LVS-DR cluster on one LAN: two directors and as many real servers as you like."""

from mininet.topo import Topo

from harness.topology import Client, Director, HttpGet, RealServer, VirtualService, VrrpInstance

VIP = "10.10.255.50"
_NUMBERED = 254  # real servers in each 10.10.N.0/24 of the LAN's /16


class Farm(Topo):
    """Directors at 10.10.255.1 and .2, the client at .100, real servers from 10.10.0.1 on."""

    def build(
        self,
        real_servers: int = 200,
        scheduler: str = "rr",
        delay_loop: float = 10,
        workers: int = 1,
    ) -> None:
        """``delay_loop`` in seconds; httpd has few ``workers``, for each real server has its share
        of the requests.
        """
        lan = self.addSwitch("lan", subnet="10.10.0.0/16", dpid="1")
        web = VirtualService(
            VIP, port=80, scheduler=scheduler, delay_loop=delay_loop, check=HttpGet(retry=0)
        )
        for number, priority in enumerate((100, 90), start=1):
            vrrp = VrrpInstance(vrid=51, vip=VIP, priority=priority)
            director = self.addHost(
                f"director{number}",
                cls=Director,
                ip=f"10.10.255.{number}",
                vrrp=vrrp,
                services=[web],
            )
            self.addLink(lan, director)
        for number in range(real_servers):
            address = f"10.10.{number // _NUMBERED}.{number % _NUMBERED + 1}"
            server = self.addHost(
                f"web{number + 1}", cls=RealServer, ip=address, serves=[web], workers=workers
            )
            self.addLink(lan, server)
        self.addLink(lan, self.addHost("client", cls=Client, ip="10.10.255.100"))


topos = {"farm": Farm}
