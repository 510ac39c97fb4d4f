"""The machines of a cluster, and what runs on them."""

from __future__ import annotations

import os
import signal
import socket

from harness.cluster import Cluster
from harness.events import Advertisement
from harness.faults import StopSpeaker
from harness.keepalived import timers
from harness.lab.machine import Machine, Process
from harness.nodes import DirectorNode, Node, PhantomNode, RealServerNode
from harness.scenario import fresh_topology, topology
from tests.inside.api.shown import shows
from topologies.director_pair import DirectorPair
from topologies.phantom_pair import PhantomPair
from topologies.quorum_pool import QuorumPool

pytestmark = topology(DirectorPair)


@shows(Node.ip, Node.mac, Node.macs)
def test_addresses(cluster: Cluster) -> None:
    director = cluster.nodes["director1"]
    assert director.ip == "172.16.10.11"
    assert director.macs == {director.mac}


@shows(Node.send)
def test_a_frame_of_one_s_own(cluster: Cluster) -> None:
    question = bytes.fromhex("ffffffffffff 020000000001 88b5") + bytes(46)
    cluster.client.send(question)


@shows(Node.process, Node.idle, Process.send_signal)
def test_a_daemon_s_process(cluster: Cluster) -> None:
    cluster.master.process().send_signal(signal.SIGHUP)
    assert cluster.master.idle == []


@fresh_topology(DirectorPair)
@shows(Node.stop, Node.kill)
def test_the_end_of_a_daemon(cluster: Cluster) -> None:
    cluster.backup.stop()  # in an orderly way
    cluster.real_servers[0].kill()


@shows(Node.signal_all)
def test_a_signal_to_a_daemon_and_its_children(cluster: Cluster) -> None:
    cluster.real_servers[0].signal_all(signal.SIGSTOP)
    cluster.real_servers[0].signal_all(signal.SIGCONT)


@shows(DirectorNode.vrrp, DirectorNode.claim)
def test_a_director_s_instance(cluster: Cluster) -> None:
    director = cluster.directors[0]
    assert director.claim(cluster.vip) is director.vrrp


@shows(DirectorNode.device_of, DirectorNode.hardware_address)
def test_where_a_director_holds_the_vip(cluster: Cluster) -> None:
    master = cluster.master
    assert master.device_of(cluster.vip) == "eth0"
    assert cluster.client.ask_arp(cluster.vip, 1)[0].sender_mac == master.hardware_address(
        cluster.vip
    )


@shows(DirectorNode.due)
def test_when_this_implementation_takes_over(cluster: Cluster) -> None:
    backup = cluster.backup
    due = backup.due(timers.takeover(backup.vrrp, announced=True))
    with cluster.suffering(StopSpeaker(cluster.master)) as struck:
        assert backup.takes(cluster.vip, since=struck, until=due.latest).within(due)


@shows(DirectorNode.speaker, DirectorNode.entered)
def test_what_a_director_s_implementation_says(cluster: Cluster) -> None:
    director = cluster.directors[0]
    assert director.speaker.holding == "address"
    assert director.entered("(VI_1) Entering MASTER STATE") == ("VI_1", "MASTER")


@shows(DirectorNode.destinations, DirectorNode.destination, DirectorNode.service)
def test_where_a_director_forwards_to(cluster: Cluster) -> None:
    director, service = cluster.directors[0], cluster.service
    first = director.destination(service, cluster.real_servers[0])
    assert director.destinations(service)[0] == first


@shows(DirectorNode.at_rest)
def test_what_a_table_is_to_hold(cluster: Cluster) -> None:
    director, service = cluster.directors[0], cluster.service
    assert director.at_rest(service, service.name) == {
        each.endpoint: each.weight for each in director.destinations(service)
    }


@topology(QuorumPool)
@shows(DirectorNode.sorry_server)
def test_the_sorry_server(cluster: Cluster) -> None:
    (sorry,) = cluster.directors[0].sorry_server(cluster.service)
    assert sorry.address == "172.16.10.30"


@shows(DirectorNode.config_text)
def test_a_director_s_configuration(cluster: Cluster) -> None:
    assert b"virtual_router_id 51" in cluster.directors[0].config_text()


@shows(DirectorNode.signal_vrrp)
def test_a_signal_to_the_vrrp_process(cluster: Cluster) -> None:
    cluster.directors[0].signal_vrrp(signal.SIGUSR1)
    cluster.timeline.let_pass(cluster.slack)
    assert "VRRP" in cluster.directors[0].machine.read("/tmp/keepalived.data")


@fresh_topology(DirectorPair)
@shows(DirectorNode.configure)
def test_a_configuration_that_changes(cluster: Cluster) -> None:
    cluster.backup.configure(("priority 90", "priority 95"))  # written, and not read yet


@shows(DirectorNode.open_maintenance, DirectorNode.close_maintenance)
def test_the_maintenance_switch(cluster: Cluster) -> None:
    cluster.backup.open_maintenance()
    cluster.backup.close_maintenance()


@shows(RealServerNode.page)
def test_what_a_real_server_answers(cluster: Cluster) -> None:
    pages = {server.page for server in cluster.real_servers}
    assert {request.server for request in cluster.client.fetch(2)} == pages


@shows(RealServerNode.put_page, RealServerNode.remove_page)
def test_pages(cluster: Cluster) -> None:
    cluster.real_servers[0].put_page("/health", "well\n")
    cluster.real_servers[0].remove_page("/health")


@shows(RealServerNode.protect)
def test_the_protection_of_a_real_server(cluster: Cluster) -> None:
    cluster.real_servers[0].protect(False)  # from now on it answers ARP for the VIP
    cluster.real_servers[0].protect(True)


@topology(PhantomPair)
@shows(PhantomNode.source, PhantomNode.advertisement)
def test_an_advertisement_of_a_phantom_router(cluster: Cluster) -> None:
    wrong = cluster.phantom.advertisement(ttl=64)
    assert cluster.phantom.source == "172.16.10.12"
    cluster.phantom.send(wrong.packet())


@topology(PhantomPair)
@shows(PhantomNode.advertise)
def test_a_phantom_router_that_advertises(cluster: Cluster) -> None:
    cluster.phantom.advertise(priority=1)
    assert cluster.timeline.wait_for(
        Advertisement, node="phantom", until=cluster.timeline.now() + 1
    )


@shows(Machine.run, Machine.cmd)
def test_programs(cluster: Cluster) -> None:
    assert cluster.client.machine.run(["hostname"]).stdout == "client\n"
    assert cluster.client.machine.cmd("hostname") == "client\n"


@shows(Machine.popen, Process.wait)
def test_a_program_that_goes_on(cluster: Cluster) -> None:
    process = cluster.client.machine.popen("sleep 0.1")
    assert process.wait() == 0


@shows(Machine.read, Machine.write, Machine.replace, Machine.remove)
def test_files(cluster: Cluster) -> None:
    machine = cluster.client.machine
    machine.write("/tmp/note", "a line\n")
    machine.replace("/tmp/note", "another line\n")
    assert machine.read("/tmp/note") == "another line\n"
    machine.remove("/tmp/note")


@shows(Machine.directory)
def test_a_folder(cluster: Cluster) -> None:
    with cluster.client.machine.directory("/proc") as folder:
        assert "uptime" in os.listdir(folder)


@shows(Machine.open)
def test_an_open_file(cluster: Cluster) -> None:
    with cluster.client.machine.open("/etc/hostname") as file:
        assert file.read() == b"client\n"


@shows(Machine.inside)
def test_sockets_of_a_machine(cluster: Cluster) -> None:
    with cluster.client.machine.inside(), socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        datagrams.bind((cluster.client.ip, 0))


@shows(Machine.set_sysctl)
def test_kernel_settings(cluster: Cluster) -> None:
    cluster.client.machine.set_sysctl("net.ipv4.ip_forward", 1)
    cluster.client.machine.set_sysctl("net.ipv4.ip_forward", 0)


@fresh_topology(DirectorPair)
@shows(Machine.add_addresses)
def test_further_addresses(cluster: Cluster) -> None:
    cluster.client.machine.add_addresses(["172.16.10.101"])
    assert cluster.client.fetch(1, source="172.16.10.101")[0].status == 200


@shows(Machine.intfNames, Machine.IP, Machine.MAC)
def test_interfaces_as_mininet_names_them(cluster: Cluster) -> None:
    machine = cluster.client.machine
    assert machine.intfNames() == ["eth0"]
    assert (machine.IP(), machine.MAC()) == (cluster.client.ip, cluster.client.mac)
