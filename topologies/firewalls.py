"""IPVS among firewalls: what they break, and the rules that users of IPVS are told to set."""

from collections.abc import Iterable

from mininet.topo import Topo

from harness.topology import Client, Director, RealServer, VirtualService, VrrpInstance

VIP = "172.16.10.50"
OTHER_CLIENT = "172.16.10.101"
MSS = 1440
"""What fits into a tunnel: 1,500 bytes without the headers of two packets of IP and of TCP."""
LIMIT, WITHIN = 4, 10
"""So many new connections of a client's are accepted in so many seconds."""
LOGGED = "new client: "

_TO_VIP = f"-p tcp -d {VIP} --dport 80"
RULES = {
    "silence": ("-A OUTPUT -p icmp -j DROP",),
    "stateful": ("-A INPUT -p tcp ! --syn -m conntrack --ctstate NEW -j DROP",),
    "notrack": (f"-t raw -A PREROUTING {_TO_VIP} -j CT --notrack",),
    "limit": (
        f"-A INPUT {_TO_VIP} --syn -m recent --name clients --rcheck --seconds {WITHIN}"
        f" --hitcount {LIMIT} -j REJECT --reject-with tcp-reset",
        f"-A INPUT {_TO_VIP} --syn -m recent --name clients --set",
    ),
    "log": (f'-A INPUT {_TO_VIP} --syn -j LOG --log-prefix "{LOGGED}"',),
    "clamp": (
        f"-t mangle -A OUTPUT -p tcp --sport 80 --tcp-flags SYN,RST SYN -j TCPMSS --set-mss {MSS}",
    ),
}
ON_REAL_SERVERS = ("clamp",)


def _together(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(rule for name in names for rule in RULES[name])


class Firewalls(Topo):
    """The director at .11, real servers at .21 and .22, the client at .100 and .101.

    The director's table is made by ipvsadm.
    """

    def build(self, rules: tuple[str, ...] = (), method: str = "DR") -> None:
        """``rules``, by what they do.

        On the director: ``silence`` lets no ICMP out; ``stateful`` drops what belongs to no
        connection and begins none; ``notrack`` has connections to the VIP not tracked; ``limit``
        refuses a client that connects too often; ``log`` logs each new connection. On the real
        servers: ``clamp`` has clients send no more at once than fits into a tunnel.
        """
        web = VirtualService(VIP, method=method)
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
        director = self.addHost(
            "director1",
            cls=Director,
            ip="172.16.10.11/24",
            by="ipvsadm",
            services=[web],
            firewall=_together(name for name in rules if name not in ON_REAL_SERVERS),
        )
        self.addLink(lan, director)
        for number in (1, 2):
            server = self.addHost(
                f"web{number}",
                cls=RealServer,
                ip=f"172.16.10.2{number}/24",
                serves=[web],
                firewall=_together(name for name in rules if name in ON_REAL_SERVERS),
            )
            self.addLink(lan, server)
        client = self.addHost("client", cls=Client, ip="172.16.10.100/24", sources=(OTHER_CLIENT,))
        self.addLink(lan, client)


NFTABLES = """\
flush ruleset
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        iif lo accept
        meta l4proto { icmp, ipv6-icmp } accept
        tcp dport { 22, 80 } accept
        RULE
    }
}
"""


class Nftables(Topo):
    """Directors at .11 and .12, which let in what they have to and nothing else; the client is at
    .100.
    """

    def build(self, rule: str = "ip protocol 112 accept") -> None:
        """``rule`` is one more of theirs."""
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
        for number, priority in enumerate((100, 90), start=1):
            director = self.addHost(
                f"director{number}",
                cls=Director,
                ip=f"172.16.10.{10 + number}/24",
                vrrp=VrrpInstance(vrid=51, vip=VIP, priority=priority),
                nftables=NFTABLES.replace("RULE", rule),
            )
            self.addLink(lan, director)
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


topos = {"firewalls": Firewalls, "nftables": Nftables}
