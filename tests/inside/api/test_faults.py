"""What can befall a cluster: each fault once, and one thing that it does."""

from __future__ import annotations

import pytest

from harness.clock import Window
from harness.cluster import Cluster
from harness.faults import (
    AcceptLocal,
    BlackHole,
    ChangeMtu,
    ChangePage,
    CrashVrrp,
    Cut,
    Deaf,
    DeleteInterface,
    DropAdvertisements,
    DropArp,
    DropTcp,
    DropUdp,
    ExitCheck,
    FailCheck,
    FailProgram,
    Firewall,
    ForgetVip,
    HalfOpen,
    HalfProtected,
    HangCheck,
    HangDnsmasq,
    HangHttpd,
    HangKeepalived,
    HangMail,
    HangProgram,
    HangSpeaker,
    HintSource,
    IgnoreEcho,
    Impaired,
    KillKeepalived,
    LoseAddress,
    Maintenance,
    MakeFile,
    Mute,
    PowerOff,
    Reconfigure,
    RemovePage,
    RenameInterface,
    ResetRequests,
    SlowPage,
    Starve,
    StarveMachine,
    StopDnsmasq,
    StopHttpd,
    StopKeepalived,
    StopLocal,
    StopMail,
    StopProgram,
    StopSpeaker,
    Unplug,
    Unprotected,
    WriteNumber,
)
from harness.faults.fault import Fault
from harness.keepalived import timers
from harness.lab.impairment import Impairment
from harness.nodes import DirectorNode, Node
from harness.scenario import topology
from tests.inside.api.scripted import LEVEL, PROXY, Scripted
from tests.inside.api.shown import shows
from topologies.director_pair import DirectorPair
from topologies.health_checks import MIXED, SLOWLY_BY_TLS, HealthChecks
from topologies.proxies import Proxies
from topologies.searched import ADDRESS, Searched

pytestmark = topology(DirectorPair)


@shows(PowerOff, StopKeepalived, HangKeepalived, KillKeepalived)
@pytest.mark.parametrize("loss", [PowerOff, StopKeepalived, HangKeepalived, KillKeepalived])
def test_a_lost_director(cluster: Cluster, loss: type[Fault[Node]]) -> None:
    backup = cluster.backup
    with cluster.suffering(loss(cluster.master)) as struck:
        backup.takes(cluster.vip, since=struck, until=4)


@shows(StopSpeaker, HangSpeaker)
@pytest.mark.parametrize("loss", [StopSpeaker, HangSpeaker])
def test_a_director_of_any_make_that_is_lost(
    cluster: Cluster, loss: type[Fault[DirectorNode]]
) -> None:
    backup = cluster.backup
    with cluster.suffering(loss(cluster.master)) as struck:
        backup.takes(cluster.vip, since=struck, until=4)


@shows(CrashVrrp)
def test_a_crash(cluster: Cluster) -> None:
    master = cluster.master
    with cluster.suffering(CrashVrrp(master)):
        assert master.crashes()


@shows(Starve)
def test_a_starved_keepalived(cluster: Cluster) -> None:
    backup = cluster.backup
    with cluster.suffering(Starve(cluster.master, stands=4.0, runs=1.0)) as struck:
        backup.takes(cluster.vip, since=struck, until=5)


@shows(StarveMachine)
def test_a_starved_machine(cluster: Cluster) -> None:
    server = cluster.real_servers[0]
    due = timers.removal(cluster.service, StarveMachine.symptom)
    with cluster.suffering(StarveMachine(server, stands=60.0, runs=60.0)) as struck:
        cluster.master.removes(server, since=struck, until=due.latest)


@shows(Maintenance)
def test_maintenance(cluster: Cluster) -> None:
    backup = cluster.backup
    with cluster.suffering(Maintenance(cluster.master)) as struck:
        backup.takes(cluster.vip, since=struck, until=6)


@shows(Reconfigure)
def test_another_configuration(cluster: Cluster) -> None:
    backup = cluster.backup
    with cluster.suffering(Reconfigure(cluster.master, "priority 100", "priority 80")) as struck:
        backup.takes(cluster.vip, since=struck, until=5)


@shows(Unplug)
def test_a_pulled_cable(cluster: Cluster) -> None:
    with cluster.suffering(Unplug(cluster.client, "eth0")):
        assert cluster.client.fetch(1)[0].status == 0


@shows(BlackHole)
def test_a_machine_that_nothing_reaches(cluster: Cluster) -> None:
    with cluster.suffering(BlackHole(cluster.client)):
        assert cluster.client.fetch(1)[0].status == 0


@shows(Cut)
def test_two_machines_that_do_not_hear_each_other(cluster: Cluster) -> None:
    with cluster.suffering(Cut(cluster.client, cluster.master, protocol="TCP", port=80)):
        assert cluster.client.fetch(1)[0].status == 0


@shows(Mute, Deaf)
@pytest.mark.parametrize("loss", [Mute, Deaf])
def test_one_way_loss(cluster: Cluster, loss: type[Fault[Node]]) -> None:
    with cluster.suffering(loss(cluster.client)):
        assert cluster.client.fetch(1)[0].status == 0


@shows(Impaired, Impairment)
def test_a_slow_way(cluster: Cluster) -> None:
    with cluster.suffering(Impaired(cluster.client, Impairment(delay=0.2), arriving=False)):
        assert cluster.client.fetch(1)[0].latency > 0.2


@shows(DropAdvertisements)
def test_lost_advertisements(cluster: Cluster) -> None:
    backup = cluster.backup
    with cluster.suffering(DropAdvertisements(backup)) as struck:
        backup.takes(cluster.vip, since=struck, until=4)


@shows(DropArp)
def test_lost_arp(cluster: Cluster) -> None:
    with cluster.suffering(DropArp(cluster.master)):
        assert not cluster.client.ask_arp(cluster.vip, count=1)


@shows(Firewall)
def test_a_rule_of_a_firewall(cluster: Cluster) -> None:
    rule = "-A OUTPUT -p tcp --dport 80 -j DROP"
    with cluster.suffering(Firewall(cluster.client, rule)):
        assert cluster.client.fetch(1)[0].status == 0


@shows(DeleteInterface)
def test_an_interface_that_goes_away(cluster: Cluster) -> None:
    backup = cluster.backup
    with cluster.suffering(DeleteInterface(cluster.master)) as struck:
        backup.takes(cluster.vip, since=struck, until=4)


@shows(RenameInterface)
def test_an_interface_with_another_name(cluster: Cluster) -> None:
    with cluster.suffering(RenameInterface(cluster.client, to="lan0")):
        assert "lan0" in cluster.client.machine.cmd("ip -brief link")


@shows(LoseAddress)
def test_an_address_that_is_lost(cluster: Cluster) -> None:
    master = cluster.master
    with cluster.suffering(LoseAddress(master, address=cluster.vip)):
        assert cluster.vip not in master.machine.cmd("ip -brief address show eth0")


@shows(ChangeMtu)
def test_another_mtu(cluster: Cluster) -> None:
    with cluster.suffering(ChangeMtu(cluster.client, mtu=1280)):
        assert "mtu 1280" in cluster.client.machine.cmd("ip link show eth0")


@shows(StopHttpd, DropTcp, HangHttpd)
@pytest.mark.parametrize("ailment", [StopHttpd, HangHttpd, DropTcp])
def test_a_real_server_that_does_not_answer(cluster: Cluster, ailment: type[Fault[Node]]) -> None:
    with cluster.suffering(ailment(cluster.real_servers[0])):
        assert {request.status for request in cluster.client.fetch(2)} == {200, 0}


@shows(HalfOpen, ResetRequests)
@pytest.mark.parametrize("ailment", [HalfOpen, ResetRequests])
def test_a_real_server_that_only_connects(cluster: Cluster, ailment: type[Fault[Node]]) -> None:
    with cluster.suffering(ailment(cluster.real_servers[0])):
        assert {request.status for request in cluster.client.fetch(2)} == {200, 0}


@shows(HalfOpen, ResetRequests, DropTcp)
@topology(Searched, family=6)
@pytest.mark.parametrize("ailment", [HalfOpen, ResetRequests, DropTcp])
def test_a_firewall_before_an_ipv6_server(cluster: Cluster, ailment: type[Fault[Node]]) -> None:
    cluster.settle()
    servers = len(cluster.real_servers)
    with cluster.suffering(ailment(cluster.real_servers[0])):
        assert {request.status for request in cluster.client.fetch(servers)} == {200, 0}


@shows(RemovePage, ChangePage)
def test_a_page_that_is_another(cluster: Cluster) -> None:
    with cluster.suffering(ChangePage(cluster.real_servers[0], text="under repair\n")):
        assert {request.server for request in cluster.client.fetch(2)} == {"under repair", "web2"}


@shows(SlowPage)
@topology(HealthChecks, services=(SLOWLY_BY_TLS,))
def test_a_page_that_comes_slowly(cluster: Cluster) -> None:
    director, server = cluster.settle().master, cluster.real_servers[0]
    with cluster.suffering(SlowPage(server)) as struck:
        director.removes(server, service=SLOWLY_BY_TLS, since=struck, until=4)


@shows(ForgetVip)
def test_a_real_server_without_the_vip(cluster: Cluster) -> None:
    with cluster.suffering(ForgetVip(cluster.real_servers[0])):
        assert {request.status for request in cluster.client.fetch(2)} == {200, 0}


@shows(Unprotected)
def test_a_real_server_that_answers_arp(cluster: Cluster) -> None:
    with cluster.suffering(Unprotected(cluster.real_servers[0])):
        assert len(cluster.client.ask_arp(cluster.vip, count=1)) == 2


@shows(HalfProtected)
def test_a_real_server_with_half_of_its_protection(cluster: Cluster) -> None:
    with cluster.suffering(HalfProtected(cluster.real_servers[0], lacks="arp_ignore")):
        assert len(cluster.client.ask_arp(cluster.vip, count=1)) == 2


@shows(IgnoreEcho)
def test_a_machine_that_answers_no_ping(cluster: Cluster) -> None:
    server = cluster.real_servers[0]
    with cluster.suffering(IgnoreEcho(server)):
        assert "100% packet loss" in cluster.client.machine.cmd(f"ping -c 1 -W 1 {server.ip}")


@shows(IgnoreEcho)
@topology(Searched, family=6)
def test_a_machine_that_answers_no_ping_by_ipv6(cluster: Cluster) -> None:
    command = f"ping -c 1 -W 1 {ADDRESS[6].format(21)}"
    with cluster.suffering(IgnoreEcho(cluster.real_servers[0])):
        assert "100% packet loss" in cluster.client.machine.cmd(command)
    assert " 0% packet loss" in cluster.client.machine.cmd(command)


@shows(AcceptLocal, HintSource)
def test_a_director_that_fetches_its_own_page(cluster: Cluster) -> None:
    master = cluster.master
    with cluster.suffering(AcceptLocal(master)), cluster.suffering(HintSource(master)):
        assert master.fetch(1)[0].status == 200


@topology(HealthChecks, services=MIXED)
@shows(StopDnsmasq, HangDnsmasq, DropUdp, StopMail, HangMail)
@pytest.mark.parametrize("ailment", [StopDnsmasq, HangDnsmasq, DropUdp, StopMail, HangMail])
def test_dns_and_mail_that_fail(cluster: Cluster, ailment: type[Fault[Node]]) -> None:
    director, server = cluster.directors[0], cluster.real_servers[0]
    with cluster.suffering(ailment(server)) as struck:
        cluster.let_pass(Window(0, 6))
        assert director.said("Removing service", since=struck)


@topology(Proxies)
@pytest.mark.needs("haproxy", program="haproxy")
@shows(StopProgram, HangProgram)
def test_a_program_that_ends(cluster: Cluster) -> None:
    backup = cluster.backup
    with cluster.suffering(StopProgram(cluster.master, "haproxy")) as struck:
        backup.takes(cluster.vip, since=struck, until=4)


@topology(Scripted)
@shows(FailCheck, HangCheck)
@pytest.mark.parametrize("ailment", [FailCheck, HangCheck])
def test_a_health_script_that_fails(cluster: Cluster, ailment: type[Fault[Node]]) -> None:
    backup = cluster.backup
    with (
        cluster.suffering(ailment(cluster.master)),
        cluster.suffering(WriteNumber(backup, LEVEL, 9)),
    ):
        backup.takes(cluster.vip, since=cluster.timeline.now(), until=6)


@topology(Scripted)
@shows(ExitCheck)
def test_a_health_script_s_exit_status(cluster: Cluster) -> None:
    with cluster.suffering(ExitCheck(cluster.master, status=12)):
        cluster.let_pass(timers.script_failure(cluster.directors[0].vrrp.track_scripts[0]))


@topology(Scripted)
@shows(WriteNumber)
def test_a_tracked_file(cluster: Cluster) -> None:
    backup = cluster.backup
    with cluster.suffering(WriteNumber(backup, LEVEL, 20)) as struck:
        backup.takes(cluster.vip, since=struck, until=4)


@topology(Scripted)
@shows(StopLocal)
def test_a_local_program_that_ends(cluster: Cluster) -> None:
    with cluster.suffering(StopLocal(cluster.backup, PROXY)):
        assert not any("proxy" in command for command in cluster.directors[1].processes())


@topology(Scripted)
@shows(FailProgram)
def test_a_program_that_fails(cluster: Cluster) -> None:
    backup = cluster.backup
    with cluster.suffering(FailProgram(backup, "/etc/keepalived/check.sh")):
        assert backup.machine.run(["/etc/keepalived/check.sh"], check=False).returncode == 1


@topology(Scripted)
@shows(MakeFile)
def test_a_file_that_is_there(cluster: Cluster) -> None:
    backup = cluster.backup
    with cluster.suffering(MakeFile(backup, "/run/down")):
        assert backup.machine.read("/run/down") == ""
