"""SMTP_CHECK, DNS_CHECK, UDP_CHECK and PING_CHECK, against a real SMTP server, a real DNS
server and the kernel.
"""

from dataclasses import replace

import pytest

from harness.cluster import Cluster
from harness.faults import (
    BlackHole,
    DropUdp,
    Fault,
    HangDnsmasq,
    HangMail,
    IgnoreEcho,
    StopDnsmasq,
    StopHttpd,
    StopMail,
)
from harness.keepalived import timers
from harness.nodes import RealServerNode
from harness.scenario import topology
from harness.topology import UdpCheck, VirtualService
from scenarios.controls import IMPATIENT, RARELY
from topologies.health_checks import (
    DNS,
    MIXED,
    PAYLOAD,
    PING,
    QUESTION,
    REPLY,
    SMTP,
    UDP,
    HealthChecks,
)

pytestmark = [
    pytest.mark.health,
    topology(HealthChecks, services=MIXED),
    pytest.mark.needs("an SMTP server", program="aiosmtpd"),
    pytest.mark.needs(PAYLOAD[0], keepalived=PAYLOAD[1]),
]


@RARELY
@IMPATIENT
@pytest.mark.parametrize(
    ("service", "failure"),
    [
        pytest.param(SMTP, StopMail, id="SMTP-refused"),
        pytest.param(SMTP, HangMail, id="SMTP-no-greeting"),
        pytest.param(SMTP, BlackHole, id="SMTP-black-hole"),
        pytest.param(DNS, StopDnsmasq, id="DNS-refused"),
        pytest.param(DNS, HangDnsmasq, id="DNS-hung"),
        pytest.param(DNS, DropUdp, id="DNS-firewalled"),
        pytest.param(UDP, StopDnsmasq, id="UDP-refused"),
        pytest.param(REPLY, StopDnsmasq, id="UDP-reply-refused"),
        pytest.param(REPLY, HangDnsmasq, id="UDP-reply-missing"),
        pytest.param(PING, IgnoreEcho, id="PING-ignored"),
        pytest.param(PING, BlackHole, id="PING-black-hole"),
    ],
)
def test_health_failure_removes_a_server_and_recovery_returns_it(
    cluster: Cluster, service: VirtualService, failure: type[Fault[RealServerNode]]
) -> None:
    """All attempts must fail, and one good one is enough (keepalived ``check_*.c``, each one's
    epilog).
    """
    fault = failure(cluster.real_servers[0])

    left, back = cluster.survives(fault, service)  # label: noticed

    assert left.within(timers.removal(service, fault.symptom))  # label: removed in time
    # dnsmasq takes what UDP_CHECK sends by itself for no question, and leaves it unanswered.
    assert back.within(timers.recovery(service, fault.symptom, unanswered=service is UDP))


@pytest.mark.control(
    "a reply is required", topology={"require_reply": True, "payload": QUESTION}, caught="both stay"
)
def test_health_udp_takes_silence_for_success(cluster: Cluster) -> None:
    """Without ``require_reply`` only an ICMP error is a failure: a firewall that drops all is
    well (``layer4.c``).
    """
    director, server = cluster.settle().master, cluster.real_servers[0]
    (check,) = UDP.checks
    assert isinstance(check, UdpCheck)
    demanding = replace(UDP, check=replace(check, require_reply=True))
    long = max(timers.removal(each, timers.Symptom.SILENT).latest for each in (DNS, demanding))

    with cluster.suffering(DropUdp(server)):
        cluster.timeline.let_pass(long)
        assert director.pool(DNS) == {"web2": 1}
        assert director.pool(UDP) == {"web1": 1, "web2": 1}  # label: both stay


@pytest.mark.control(
    "the machine does not answer", fault=IgnoreEcho, node="web1", caught="both stay"
)
def test_health_ping_does_not_notice_a_dead_service(cluster: Cluster) -> None:
    """The kernel answers echo requests, whatever has become of the daemons (keepalived
    ``check_ping.c``).
    """
    director, server = cluster.settle().master, cluster.real_servers[0]

    with cluster.suffering(StopHttpd(server)):
        cluster.timeline.let_pass(timers.removal(PING, timers.Symptom.SILENT).latest)
        assert director.pool(PING) == {"web1": 1, "web2": 1}  # label: both stay
