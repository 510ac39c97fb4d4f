"""Daemons: started as on any machine of that role, with the files that a user gave, and judged
by what they say.
"""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest
from mininet.topo import Topo

from harness.cluster import Cluster
from harness.errors import HarnessError
from harness.events import AddressChanged, Advertisement, Log
from harness.faults import StopHttpd
from harness.nodes.real_server import PROTECTION
from harness.scenario import topology
from harness.topology import Client, Director, HttpGet, RealServer, VirtualService, VrrpInstance
from topologies.director_pair import VIP, DirectorPair

pytestmark = topology(DirectorPair)

OWN_CONFIG = Path(__file__).with_name("keepalived.conf")


def lineage(cluster: Cluster, name: str, program: str) -> list[tuple[str, str]]:
    """Command line and parent's pid of every process of a program in a machine."""
    machine = cluster.nodes[name].machine
    pids = machine.cmd("pidof", program).split()
    status = [machine.read(f"/proc/{pid}/status") for pid in pids]
    return [
        (
            machine.read(f"/proc/{pid}/cmdline").rstrip("\0").replace("\0", " "),
            next(line.split()[1] for line in text.splitlines() if line.startswith("PPid:")),
        )
        for pid, text in zip(pids, status, strict=True)
    ]


def test_keepalived_is_a_child_of_pid_1_with_its_default_paths(cluster: Cluster) -> None:
    for director in cluster.directors:
        commands = lineage(cluster, director.name, "keepalived")
        assert ("keepalived -n -l -D -f /etc/keepalived/keepalived.conf", "1") in commands
        assert len(commands) == 3, "the parent, its VRRP and its health checking child"
        pid = director.machine.read("/run/keepalived.pid").strip()
        assert int(pid) == director.process().pid


def test_httpd_is_a_child_of_pid_1_in_the_foreground(cluster: Cluster) -> None:
    for server in cluster.real_servers:
        assert ("apache2 -D FOREGROUND", "1") in lineage(cluster, server.name, "apache2")


def test_logs_are_kept_whole(cluster: Cluster) -> None:
    cluster.settle()
    for node in (*cluster.directors, *cluster.real_servers):
        for daemon in node.daemons:
            kept = (cluster.folder / node.name / f"{daemon.name}.log").read_text().splitlines()
            seen = [
                event.line
                for event in cluster.timeline.events(Log, node=node.name, daemon=daemon.name)
            ]
            assert [line.rstrip() for line in kept] == seen
            assert daemon.ready is not None
            assert any(daemon.ready.search(line) for line in kept)


def test_only_who_hears_the_signals_for_dumps_is_sent_them(cluster: Cluster) -> None:
    """A scenario may fail anywhere: a keepalived that has only just been started would die of
    them.
    """
    director = cluster.settle().master
    assert director.process().hears(signal.SIGUSR1, signal.SIGUSR2)
    with open(os.devnull, "r+b") as null:
        deaf = director.machine.spawn(["sleep", "60"], *[null.fileno()] * 3)
    assert not deaf.hears(signal.SIGUSR1)
    deaf.send_signal(signal.SIGUSR1)
    assert deaf.wait() == -signal.SIGUSR1
    assert not deaf.hears(signal.SIGUSR1), "it has ended"


@topology(DirectorPair, configs=(str(OWN_CONFIG), None))
def test_a_keepalived_conf_of_the_user_s_own_is_used_byte_for_byte(cluster: Cluster) -> None:
    director = cluster.directors[0]
    with director.machine.open("/etc/keepalived/keepalived.conf") as file:
        assert file.read() == OWN_CONFIG.read_bytes()

    assert cluster.settle().master is director, "what it says is what keepalived does"
    adverts = cluster.timeline.events(Advertisement, node=director.name, sent=True)
    assert {advert.priority for advert in adverts} == {200}


class Told(Topo):
    """Directors that say what files mostly say otherwise: where they speak from, ask, and what
    a good status is.
    """

    def build(self) -> None:
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
        for number, priority in ((1, 100), (2, 90)):
            own = f"172.16.10.1{number}"
            check = HttpGet(status=("200-299", "301"), address="172.16.10.22", bind=own, warmup=0)
            web = VirtualService(VIP, delay_loop=1, check=check)
            vrrp = VrrpInstance(
                vrid=51,
                vip=(VIP, "172.16.10.51"),
                prefixes=((VIP, 24),),
                priority=priority,
                source=own,
            )
            options = {"ip": f"{own}/24", "vrrp": vrrp, "services": [web]}
            self.addLink(lan, self.addHost(f"director{number}", cls=Director, **options))
        for number in (1, 2):
            server = {"ip": f"172.16.10.2{number}/24", "serves": [web]}
            self.addLink(lan, self.addHost(f"web{number}", cls=RealServer, **server))
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


@topology(Told)
def test_keepalived_does_what_is_written_of_sources_prefixes_and_other_machines(
    cluster: Cluster,
) -> None:
    master = cluster.settle().master
    web1, web2 = cluster.real_servers

    sources = {
        advert.source
        for advert in cluster.timeline.events(Advertisement, node=master.name, sent=True)
    }
    added = cluster.timeline.events(AddressChanged, node=master.name, action="added")
    prefixes = {event.address: event.prefix for event in added if event.address in master.vrrp.vips}
    assert sources == {"172.16.10.11"}
    assert prefixes == {VIP: 24, "172.16.10.51": 32}
    with cluster.suffering(StopHttpd(web1)):
        cluster.timeline.let_pass(5)
        assert web1.name in master.pool(), "it is web2 that is asked"
    with cluster.suffering(StopHttpd(web2)) as struck:
        master.removes(web1, since=struck, until=10)
    assert not master.said("Unknown keyword|invalid")


# -- realserver.sh ---------------------------------------------------------------------------------


def protection(cluster: Cluster) -> dict[str, str]:
    machine = cluster.real_servers[0].machine
    return {
        f"{interface}/{name}": machine.read(f"/proc/sys/net/ipv4/conf/{interface}/{name}").strip()
        for interface in ("all", "lo")
        for name in ("arp_ignore", "arp_announce")
    }


STARTED = {
    "all/arp_ignore": "1",
    "all/arp_announce": "2",
    "lo/arp_ignore": "1",
    "lo/arp_announce": "2",
}


def test_realserver_script_starts_and_stops(cluster: Cluster) -> None:
    machine = cluster.real_servers[0].machine
    assert protection(cluster) == STARTED
    assert f"inet {cluster.vip}/32 scope global lo" in machine.cmd("ip address show dev lo")

    assert machine.run([PROTECTION, "stop"]).stdout == ""
    assert set(protection(cluster).values()) == {"0"}
    assert f"inet {cluster.vip}/32" in machine.cmd("ip address show dev lo"), (
        "unprotected, and so heard of"
    )

    assert machine.run([PROTECTION, "start"]).stdout == ""
    assert machine.run([PROTECTION, "start"]).stdout == "", "started twice is started"
    assert protection(cluster) == STARTED


@pytest.mark.parametrize("arguments", [[], ["restart"], ["START"], ["--help"]])
def test_realserver_script_refuses_anything_else(cluster: Cluster, arguments: list[str]) -> None:
    result = cluster.real_servers[0].machine.run([PROTECTION, *arguments], check=False)
    assert (result.returncode, result.stdout) == (2, "Wrong Arguments\n")
    assert protection(cluster) == STARTED


# -- not serving -----------------------------------------------------------------------------------


def test_httpd_that_cannot_have_its_port_says_so(cluster: Cluster) -> None:
    """What holds the port is something in that machine: elsewhere the same port is free."""
    server = cluster.real_servers[0]
    fault = StopHttpd(server)
    cluster.inject(fault)
    with server.machine.inside():
        squatter = socket.create_server(("", 80))

    with squatter:
        cluster.heal(fault)
        with pytest.raises(
            HarnessError, match=r"web1: httpd ended with 1, not serving: .*already in use.*:80"
        ):
            server.serves_again()

    cluster.heal(fault)
    assert server.serves_again()
