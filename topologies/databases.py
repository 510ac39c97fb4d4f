"""A database behind IPVS: a server that speaks first, which is a program of one's own."""

from mininet.topo import Topo

from harness.topology import (
    Client,
    Director,
    Program,
    RealServer,
    TcpCheck,
    VirtualService,
    VrrpInstance,
)

VIP = "172.16.10.50"
PORT = 3306
GREETING = "ready: "
"""What it says to whoever connects, before its name, as MySQL, SMTP or SSH servers do."""

SERVER = f"""\
import socket
import socketserver


class Database(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(f"{GREETING}{{socket.gethostname()}}\\n".encode())


socketserver.ThreadingTCPServer.allow_reuse_address = True
server = socketserver.ThreadingTCPServer(("", {PORT}), Database)
print("ready for connections", flush=True)
server.serve_forever()
"""
DATABASE = Program(
    ["python3", "/usr/local/bin/database"],
    ready="ready for connections",
    files={"/usr/local/bin/database": SERVER},
    name="database",
    serves=(PORT,),
)


class Databases(Topo):
    """The director at .11, databases at .21 and .22, the client at .100."""

    def build(self) -> None:
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
        check = TcpCheck(connect_timeout=1, retry=0, warmup=0)
        database = VirtualService(VIP, PORT, check=check)
        vrrp = VrrpInstance(vrid=51, vip=VIP)
        director = self.addHost(
            "director1", cls=Director, ip="172.16.10.11/24", vrrp=vrrp, services=[database]
        )
        self.addLink(lan, director)
        for number in (1, 2):
            server = self.addHost(
                f"db{number}",
                cls=RealServer,
                ip=f"172.16.10.{20 + number}/24",
                serves=[database],
                runs=(DATABASE,),
            )
            self.addLink(lan, server)
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


topos = {"databases": Databases}
