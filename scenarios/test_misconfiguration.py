"""Misconfigurations that operators really make: each is shown with its symptom, and told by its
name and no other.
"""

from collections.abc import Callable
from typing import TypeVar

import pytest

from harness import measures
from harness.clock import Window
from harness.cluster import Cluster
from harness.events import AddressChanged, Advertisement
from harness.faults import (
    DropAdvertisements,
    ForgetVip,
    HangKeepalived,
    Maintenance,
    Reconfigure,
    Unprotected,
)
from harness.keepalived import timers
from harness.scenario import fresh_topology, topology
from harness.timeline import EVER
from topologies.director_pair import DirectorPair
from topologies.foreign_cluster import ForeignCluster
from topologies.forwarding import REAL_HTTP, TwoLans

pytestmark = [pytest.mark.misconfiguration, topology(DirectorPair)]

F = TypeVar("F", bound=Callable[..., None])
SCRIPT = 'script "/usr/bin/test ! -e /etc/keepalived/down"'


def mistaken(old: str, new: str, *directors: str) -> Callable[[F], F]:
    """A cluster with this edit on some directors, and the control without it, in which nothing
    is found.
    """

    def decorate(scenario: F) -> F:
        topology(DirectorPair, edits=dict.fromkeys(directors, ((old, new),)))(scenario)
        pytest.mark.control("configured rightly", topology={"edits": {}}, caught="symptom")(
            scenario
        )
        return scenario

    return decorate


def names(cluster: Cluster, since: float = EVER) -> list[str]:
    """What is found, by name."""
    return sorted({found.name for found in cluster.diagnoses(since)})


def let_elect(cluster: Cluster) -> None:
    """Let the time pass in which a director that hears no other has become master, twice as
    slow a one too.
    """
    slowest = max(timers.master_down_interval(director.vrrp) for director in cluster.directors)
    cluster.timeline.let_pass(2 * slowest + cluster.directors[0].vrrp.advert_int)


@pytest.mark.control(
    "ARP protection off", fault=Unprotected, node="web1", caught="nothing diagnosed"
)
def test_misconfiguration_is_not_found_where_there_is_none(cluster: Cluster) -> None:
    """Nothing is found in a cluster as it should be, also while it is asked for and served."""
    master = cluster.settle().master

    cluster.client.ask_arp(cluster.vip, 1)
    answered = cluster.client.fetch(2)

    assert [request.status for request in answered] == [200, 200]
    assert cluster.diagnoses(since=cluster.timeline.mark) == [], (
        master.name
    )  # label: nothing diagnosed


# -- elections -------------------------------------------------------------------------------------


@mistaken("virtual_router_id 51", "virtual_router_id 52", "director2")
@pytest.mark.diagnosis("VRID mismatch")
def test_misconfiguration_vrid_mismatch(cluster: Cluster) -> None:
    """Whoever is of another VRID is not heard at all (RFC 3768 section 7.1): both own the VIP."""
    let_elect(cluster)

    assert cluster.owners() == ["director1", "director2"]  # label: symptom
    assert names(cluster) == ["VRID mismatch"]


@pytest.mark.control("a VRID of its own", topology={"foreign_vrid": 52}, caught="postponed")
@pytest.mark.known_defect(
    "keepalived #562",
    "an advertisement that is discarded postpones the master's own by a whole interval",
    present="<2.3",  # since then whoever hears other VIPs obeys all the same
)
@topology(ForeignCluster)
@pytest.mark.diagnosis("foreign cluster with the same VRID")
def test_misconfiguration_foreign_cluster_with_the_same_vrid(cluster: Cluster) -> None:
    """Each finds its VIP missing in the other's advertisements and discards them, but begins its
    own interval anew (keepalived ``vrrp_scheduler.c``, ``vrrp_dispatcher_read``): who began later
    postpones the other's advertisements, until its backup takes over from a master that is alive.
    """
    master, backup, foreign = cluster.directors
    vrid, interval = master.vrrp.vrid, master.vrrp.advert_int

    let_elect(cluster)
    until = cluster.timeline.now()
    first = measures.heard(cluster.timeline, master.name, foreign.vrrp.vrid, until=until)[0]
    own = cluster.timeline.events(Advertisement, node=master.name, vrid=vrid, sent=True)
    last = [advert.at for advert in own if advert.at < first.at][-1]
    heard = measures.heard(
        cluster.timeline, backup.name, vrid, until=until, priority=backup.vrrp.priority
    )
    took_over = measures.takeovers(cluster.timeline, backup.name, cluster.vip, 0, until)

    assert first.at - last > cluster.slack, "the foreign cluster happens to begin in step"
    postponed = cluster.within(Window(first.at + interval, until))
    assert all(
        advert.at in postponed for advert in own if last < advert.at <= until
    )  # label: postponed
    silences = measures.silences(heard, timers.master_down_interval(backup.vrrp), until)
    assert cluster.on_time(took_over, silences)
    assert cluster.owners(foreign.vrrp.vips[0]) == [foreign.name]
    assert set(names(cluster)) == {"foreign cluster with the same VRID"}


@mistaken("advert_int 1", "advert_int 2", "director2")
@pytest.mark.diagnosis("advert_int mismatch")
def test_misconfiguration_advert_int_mismatch(cluster: Cluster) -> None:
    """Version 2 discards what comes at another interval than its own (RFC 3768 section 7.1):
    both own the VIP.
    """
    let_elect(cluster)

    assert cluster.owners() == ["director1", "director2"]  # label: symptom
    assert names(cluster) == ["advert_int mismatch"]


@mistaken("auth_pass lvs-dr", "auth_pass lvs-rd", "director2")
@pytest.mark.diagnosis("authentication mismatch")
def test_misconfiguration_authentication_mismatch(cluster: Cluster) -> None:
    """Advertisements with another password are discarded (RFC 2338 section 10.2): both own the
    VIP, and say why.
    """
    let_elect(cluster)

    assert cluster.owners() == ["director1", "director2"]  # label: symptom
    assert {found.nodes for found in cluster.diagnoses()} == {("director1",), ("director2",)}
    assert set(names(cluster)) == {"authentication mismatch"}


@pytest.mark.control(
    "the backup hangs", fault=HangKeepalived, node="director2", caught="takes over"
)
def test_misconfiguration_multicast_blocked(cluster: Cluster) -> None:
    """A switch or firewall that lets everything pass but VRRP: all else works, and both own the
    VIP.
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=False)

    with (
        cluster.suffering(DropAdvertisements(master)),
        cluster.suffering(DropAdvertisements(backup)) as struck,
    ):
        backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over
        cluster.timeline.let_pass(backup.vrrp.advert_int)
        found = cluster.diagnoses(since=struck)
        assert cluster.owners() == [master.name, backup.name]

    assert {each.name for each in found} == {"multicast blocked"}
    assert {each.nodes for each in found} == {
        (master.name, backup.name),
        (backup.name, master.name),
    }


@pytest.mark.control(
    "a gap that the weight exceeds", topology={"priorities": (100, 90)}, caught="VIP stays"
)
@topology(DirectorPair, priorities=(100, 70))
def test_misconfiguration_weight_not_larger_than_the_priority_gap(cluster: Cluster) -> None:
    """100 - 20 is still above 70: the master says that it is sick and stays master."""
    master, backup = cluster.settle()
    (script,) = master.vrrp.track_scripts

    with cluster.suffering(Maintenance(master)) as struck:
        cluster.timeline.let_pass(
            (timers.script_failure(script) + timers.preemption(backup.vrrp)).latest
        )

    assert not cluster.timeline.events(
        AddressChanged, since=struck, address=cluster.vip
    )  # label: VIP stays
    assert names(cluster, since=struck) == ["weight not larger than the priority gap"]


# -- addresses -------------------------------------------------------------------------------------


@pytest.mark.control(
    "the VIP is missing there as well",
    fault=ForgetVip,
    node="web1",
    caught="who speaks for the VIP",
)
def test_misconfiguration_no_arp_protection(cluster: Cluster) -> None:
    """A real server that answers for the VIP takes clients away from the director, whoever is
    asked first.
    """
    master, server = cluster.settle().master, cluster.real_servers[0]

    with cluster.suffering(Unprotected(server)) as struck:
        answers = cluster.client.ask_arp(cluster.vip, 1)
        found = cluster.diagnoses(since=struck)

    assert {answer.node for answer in answers} == {
        master.name,
        server.name,
    }  # label: who speaks for the VIP
    assert [(each.name, each.nodes) for each in found] == [("no ARP protection", (server.name,))]


@pytest.mark.control(
    "the other one serves both turns",
    sabotage=lambda cluster: cluster.settle().master.machine.run(
        ["ipvsadm", "-d", "-t", f"{cluster.vip}:80", "-r", f"{cluster.real_servers[0].ip}:80"]
    ),
    caught="answers",
)
def test_misconfiguration_vip_missing_on_a_real_server(cluster: Cluster) -> None:
    """DR delivers to it what is addressed to the VIP, which is nobody there: every other client
    waits in vain, and the health check, which asks the server's own address, sees nothing.
    """
    cluster.settle()
    server = cluster.real_servers[0]

    with cluster.suffering(ForgetVip(server)) as struck:
        statuses = [request.status for request in cluster.client.fetch(4)]
        found = cluster.diagnoses(since=struck)

    assert sorted(statuses) == [0, 0, 200, 200]  # label: answers
    assert cluster.settle().master.ipvsadm().keys() == {
        f"{each.ip}:80" for each in cluster.real_servers
    }
    assert [(each.name, each.nodes) for each in found] == [
        ("VIP missing on a real server", (server.name,))
    ]


@mistaken("172.16.10.50/32 dev", "172.16.10.50/16 dev", "director1", "director2")
@pytest.mark.diagnosis("VIP with the wrong prefix")
def test_misconfiguration_vip_with_the_wrong_prefix(cluster: Cluster) -> None:
    """The address brings a route: all of 172.16/16 is on this LAN now, and is spoken to from
    the VIP.
    """
    master = cluster.settle().master

    route = master.machine.run(["ip", "-o", "route", "get", "172.16.99.1"], check=False).stdout

    assert f"dev eth0 src {cluster.vip}" in route  # label: symptom
    assert names(cluster) == ["VIP with the wrong prefix"]


@pytest.mark.control("the director is the gateway", topology={"gateway": True}, caught="answers")
@topology(TwoLans, gateway=False)
@pytest.mark.diagnosis("real server's gateway wrong")
def test_misconfiguration_gateway_of_a_real_server_wrong(cluster: Cluster) -> None:
    """NAT undoes on the way back what it did on the way there, so the answer must come by the
    director. A health check, which is the director's own request, goes well, and no client gets an
    answer.
    """
    master, server = cluster.settle().master, cluster.real_servers[0]

    (request,) = cluster.client.fetch(1)
    (check,) = master.fetch(1, address=server.ip, port=REAL_HTTP)
    forwarded = [packet for packet in cluster.path_of(request).at(master) if packet.frame.sent]

    assert (request.status, request.error) == (0, "timed out")  # label: answers
    assert {packet.destination for packet in forwarded} <= {
        server.ip for server in cluster.real_servers
    }
    assert forwarded, "IPVS forwarded nothing"
    assert check.status == 200
    assert {found.nodes for found in cluster.diagnoses()} == {
        (server.name,) for server in cluster.real_servers
    }
    assert set(names(cluster)) == {"real server's gateway wrong"}


# -- keepalived's options --------------------------------------------------------------------------


@pytest.mark.needs("vrrp_strict's firewall rule", kernel="CONFIG_NF_TABLES_IPV4")
@mistaken("smtp_alert off", "smtp_alert off\nvrrp_strict", "director1", "director2")
@pytest.mark.diagnosis("vrrp_strict drops what is sent to the VIP")
def test_misconfiguration_vrrp_strict_drops_what_is_sent_to_the_vip(cluster: Cluster) -> None:
    """By the letter of RFC 5798 (section 6.1, Accept_Mode) only the address owner accepts packets
    to the VIP, which keepalived ensures with a firewall rule, and IPVS gets none of them. Elections
    and health checks go well.
    """
    cluster.settle()

    (request,) = cluster.client.fetch(1)

    assert (request.status, request.error) == (0, "timed out")  # label: symptom
    assert names(cluster) == ["vrrp_strict drops what is sent to the VIP"]


@mistaken(SCRIPT, 'script "/etc/hostname"', "director1")
@pytest.mark.diagnosis("script not executable")
def test_misconfiguration_script_not_executable(cluster: Cluster) -> None:
    """keepalived leaves a script that it cannot run out, and says so once: the maintenance
    switch has no effect.
    """
    master = cluster.settle().master
    (script,) = master.vrrp.track_scripts

    with cluster.suffering(Maintenance(master)) as struck:
        cluster.timeline.let_pass(
            (timers.script_failure(script) + timers.preemption(cluster.settle().backup.vrrp)).latest
        )
    said = cluster.timeline.events(Advertisement, node=master.name, since=struck, sent=True)

    assert {advert.priority for advert in said} == {master.vrrp.priority}  # label: symptom
    assert names(cluster) == ["script not executable"]


@pytest.mark.control(
    "root owns it",
    sabotage=lambda cluster: cluster.settle().master.machine.run(
        ["mount", "--bind", "/usr/bin/true", "/usr/bin/chown"]
    ),
    caught="priority",
)
@fresh_topology(DirectorPair)
def test_misconfiguration_script_owned_by_another_user(cluster: Cluster) -> None:
    """With ``enable_script_security`` root runs nothing that another could have changed: this
    script, which fails, never runs, and nothing shows it but a line in the log.
    """
    master = cluster.settle().master
    master.machine.write("/etc/keepalived/check", "#!/bin/sh\nexit 1\n", 0o755)
    master.machine.run(["chown", "www-data", "/etc/keepalived/check"])
    (script,) = master.vrrp.track_scripts

    with cluster.suffering(Reconfigure(master, SCRIPT, 'script "/etc/keepalived/check"')) as struck:
        cluster.timeline.let_pass(timers.script_failure(script).latest + 2 * master.vrrp.advert_int)
        said = cluster.timeline.events(Advertisement, node=master.name, since=struck, sent=True)
        found = names(cluster, since=struck)

    assert {advert.priority for advert in said} == {master.vrrp.priority}  # label: priority
    assert found == ["script owned by another user"]
