"""Directors whose public interface has no address of its own: the VIP is all that is ever there."""

from mininet.topo import Topo

from harness.topology import Client, Director, VrrpInstance

VIP = "198.51.100.50"


class BareUplink(Topo):
    """Directors at .11 and .12 of an inner LAN, on which they speak VRRP; the client at .100 of the
    public one, where the VIP is.
    """

    def build(self, vip_prefix: int | None = 24) -> None:
        """``vip_prefix`` is all from which a director knows which network is there."""
        inner = self.addSwitch("inner", subnet="172.16.10.0/24", dpid="1")
        public = self.addSwitch("public", subnet="198.51.100.0/24", dpid="2")
        for number, priority in enumerate((100, 90), start=1):
            vrrp = VrrpInstance(
                vrid=51,
                vip=VIP,
                priority=priority,
                elsewhere=((VIP, "eth1"),),
                vip_prefix=vip_prefix,
            )
            director = self.addHost(f"director{number}", cls=Director, vrrp=vrrp)
            self.addLink(inner, director, params2={"ip": f"172.16.10.{10 + number}/24"})
            self.addLink(public, director, params2={"ip": None})
        self.addLink(public, self.addHost("client", cls=Client, ip="198.51.100.100/24"))


topos = {"bare_uplink": BareUplink}
