"""What a topology file is made of."""

from __future__ import annotations

from mininet.topo import Topo

from harness.scenario import fresh_topology, topology
from harness.topology import (
    Bond,
    Bridge,
    Client,
    Director,
    DirectorAndRealServer,
    DnsCheck,
    Dummy,
    FileCheck,
    HttpGet,
    Ipvlan,
    LocalService,
    Macvlan,
    MailServer,
    MiscCheck,
    Notify,
    PhantomRouter,
    PingCheck,
    Program,
    RealServer,
    Router,
    SmtpCheck,
    SslGet,
    SyncGroup,
    TcpCheck,
    TrackedBfd,
    TrackedFile,
    TrackedInterface,
    TrackedProcess,
    UdpCheck,
    Url,
    VirtualService,
    Vlan,
    Vrf,
    VrrpInstance,
    VrrpScript,
    Vxlan,
)
from tests.inside.api.shown import shows
from topologies.director_pair import DirectorPair

VIP = "172.16.10.50"
TOPO = Topo()
LAN = TOPO.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
WEB = VirtualService(VIP, check=HttpGet())
VRRP = VrrpInstance(vrid=51, vip=VIP)


@shows(Director)
def test_a_director() -> None:
    director = TOPO.addHost("lb1", cls=Director, ip="172.16.10.11/24", vrrp=VRRP, services=[WEB])
    TOPO.addLink(LAN, director)


@shows(RealServer)
def test_a_real_server() -> None:
    server = TOPO.addHost("web1", cls=RealServer, ip="172.16.10.21/24", serves=[WEB], workers=4)
    TOPO.addLink(LAN, server)


@shows(DirectorAndRealServer)
def test_both_in_one() -> None:
    both = {"vrrp": VRRP, "services": [WEB], "serves": [WEB]}
    TOPO.addLink(LAN, TOPO.addHost("one", cls=DirectorAndRealServer, ip="172.16.10.12/24", **both))


@shows(Client)
def test_a_client() -> None:
    client = TOPO.addHost("client", cls=Client, ip="172.16.10.100/24", sources=("172.16.10.101",))
    TOPO.addLink(LAN, client)


@shows(Router)
def test_a_router() -> None:
    router = TOPO.addHost("router", cls=Router, ip="172.16.10.1/24")
    TOPO.addLink(LAN, router)


@shows(MailServer)
def test_a_mail_server() -> None:
    TOPO.addLink(LAN, TOPO.addHost("mail", cls=MailServer, ip="172.16.10.25/24"))


@shows(PhantomRouter)
def test_a_phantom_router() -> None:
    phantom = TOPO.addHost("phantom", cls=PhantomRouter, ip="172.16.10.13/24", vrrp=VRRP)
    TOPO.addLink(LAN, phantom)


@shows(VrrpInstance)
def test_an_instance() -> None:
    instance = VrrpInstance(vrid=51, vip=VIP, priority=90, advert_int=1, nopreempt=True)
    assert instance.vips == (VIP,)


@shows(SyncGroup)
def test_a_sync_group() -> None:
    inner = VrrpInstance(name="inner", vrid=51, vip="172.16.10.50", interface="eth0")
    outer = VrrpInstance(name="outer", vrid=52, vip="192.0.2.50", interface="eth1")
    group = SyncGroup(name="both", members=("inner", "outer"))
    Director(vrrp=(inner, outer), sync_groups=(group,))


@shows(Notify)
def test_notify_scripts() -> None:
    notify = Notify(master="/usr/local/sbin/to-master", fault="/usr/local/sbin/to-fault")
    VrrpInstance(vrid=51, vip=VIP, notify=notify)


@shows(VrrpScript)
def test_a_tracked_script() -> None:
    script = VrrpScript(name="proxy", script="/usr/bin/pgrep haproxy", interval=2, weight=-20)
    assert (
        VrrpInstance(vrid=51, vip=VIP, track_scripts=(script,)).effective_priority({script}) == 80
    )


@shows(TrackedInterface)
def test_a_tracked_interface() -> None:
    outer = TrackedInterface(name="eth1", weight=-30)
    assert (
        VrrpInstance(vrid=51, vip=VIP, track_interfaces=(outer,)).effective_priority({outer}) == 70
    )


@shows(TrackedBfd)
def test_a_bfd_session() -> None:
    uplink = TrackedBfd(name="uplink", neighbour="10.0.1.1", min_rx=0.1, multiplier=3, weight=-20)
    instance = VrrpInstance(vrid=51, vip=VIP, track_bfds=(uplink,))
    assert instance.effective_priority({uplink}) == 80


@shows(TrackedProcess)
def test_a_tracked_process() -> None:
    proxy = TrackedProcess(name="proxy", process="haproxy", quorum=1)
    assert VrrpInstance(vrid=51, vip=VIP, track_processes=(proxy,)).effective_priority({proxy}) == 0


@shows(TrackedFile)
def test_a_tracked_file() -> None:
    level = TrackedFile(name="level", path="/run/level", weight=2)
    assert (
        VrrpInstance(vrid=51, vip=VIP, track_files=(level,)).effective_priority(values={level: -10})
        == 80
    )


@shows(VirtualService)
def test_a_virtual_service() -> None:
    service = VirtualService(
        VIP, 443, scheduler="wlc", method="TUN", check=TcpCheck(), weight=(3, 1)
    )
    assert service.name == "TCP 172.16.10.50:443"


@shows(HttpGet, Url)
def test_an_http_check() -> None:
    check = HttpGet("/health", status=204, more=(Url("/ready"),), connect_timeout=2)
    assert check.pace(delay_loop=6).delay_before_retry == 3


@shows(SslGet)
def test_a_check_by_tls() -> None:
    VirtualService(VIP, 443, check=SslGet("/health", virtualhost="www.lvs.test", sni=True))


@shows(TcpCheck)
def test_a_tcp_check() -> None:
    assert TcpCheck(retry=0).pace(delay_loop=6).retry == 0


@shows(SmtpCheck)
def test_an_smtp_check() -> None:
    VirtualService(VIP, 25, check=SmtpCheck(helo="director.lvs.test"))


@shows(DnsCheck)
def test_a_dns_check() -> None:
    VirtualService(VIP, 53, protocol="UDP", check=DnsCheck("server.lvs.test", "TXT"))


@shows(UdpCheck)
def test_a_udp_check() -> None:
    VirtualService(VIP, 514, protocol="UDP", check=UdpCheck(payload="00 01", require_reply=True))


@shows(PingCheck)
def test_a_ping_check() -> None:
    VirtualService(VIP, check=(PingCheck(), TcpCheck()))  # well while both succeed


@shows(MiscCheck)
def test_a_script_as_check() -> None:
    VirtualService(VIP, check=MiscCheck("/usr/local/bin/load", timeout=1, dynamic=True))


@shows(FileCheck)
def test_a_file_as_check() -> None:
    drain = TrackedFile(name="drain", path="/run/drain", weight=0)
    VirtualService(VIP, check=FileCheck(drain))


@shows(Program)
def test_a_program() -> None:
    proxy = Program(["haproxy", "-db", "-f", "/etc/haproxy.cfg"], ready="polling")
    Client(runs=(proxy,))


@shows(LocalService)
def test_what_a_health_script_looks_for() -> None:
    Director(local={"chk_proxy": (LocalService(process="haproxy"),)})
    Director(local={"chk_page": (LocalService(port=8080, path="/health"),)})


@shows(Bond, Vlan)
def test_a_vlan_on_a_bond() -> None:
    links = (Bond("bond0", below=("eth0", "eth1")), Vlan("bond0.10", below="bond0", id=10))
    Director(links=links, vrrp=VrrpInstance(vrid=51, vip=VIP, interface="bond0.10"))


@shows(Bridge)
def test_a_bridge() -> None:
    Director(links=(Bridge("br0", below=("eth0",)),))


@shows(Macvlan)
def test_a_macvlan() -> None:
    Director(links=(Macvlan("vip0", below="eth0", addresses=("172.16.10.60/24",)),))


@shows(Ipvlan)
def test_an_ipvlan() -> None:
    RealServer(links=(Ipvlan("pod0", below="eth0", addresses=("172.16.10.61/24",)),))


@shows(Dummy)
def test_a_dummy() -> None:
    RealServer(links=(Dummy("dummy0", addresses=("172.16.10.50/32",)),))


@shows(Vrf)
def test_a_vrf() -> None:
    Director(links=(Vrf("blue", below=("eth1",), table=10),))


@shows(Vxlan)
def test_a_vxlan() -> None:
    Director(links=(Vxlan("vx0", below="eth0", id=10, addresses=("10.0.0.1/24",)),))


@shows(topology, fresh_topology)
def test_the_topology_of_scenarios() -> None:
    pytestmark = topology(DirectorPair)  # of a module
    one = fresh_topology(
        DirectorPair, priorities=(200, 50)
    )  # of one scenario, as @fresh_topology(...)
    assert (pytestmark.name, one.kwargs["fresh"]) == ("topology", True)
