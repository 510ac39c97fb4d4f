"""Schedulers: every connection goes where the kernel documents it, told in advance by a model
of each scheduler.
"""

import pytest

from harness.cluster import Cluster
from harness.faults import Drain
from harness.ipvs.schedulers import Flow, predict
from harness.scenario import topology
from harness.topology import VirtualService
from harness.topology.services import SCHEDULERS
from topologies.schedulers import BY_DESTINATION, SOURCES, VIPS, WEIGHTS, Schedulers, port_of

pytestmark = [pytest.mark.scheduler, topology(Schedulers)]

DRAINED = (2, 0, 1)
WEIGHT_ZERO = pytest.mark.needs(
    "weight 0 of real servers", keepalived="2.2"
)  # regressions/test_weight_zero.py
EACH = pytest.mark.parametrize("scheduler", [name for name in SCHEDULERS if name != "fo"])
EACH_AND_FO = pytest.mark.parametrize("scheduler", SCHEDULERS)


def service_of(cluster: Cluster, scheduler: str) -> VirtualService:
    """The service on the port of a scheduler, its scheduler as new."""
    director = cluster.settle().master
    (service,) = [
        service for service in director.role.services if service.port == port_of(scheduler)
    ]
    director.restart_scheduler(service)
    return service


def mixed(scheduler: str, count: int = 12) -> list[Flow]:
    """Connections from all clients, every other one of which lasts; to all VIPs where those
    matter.
    """
    vips = VIPS if scheduler in BY_DESTINATION else VIPS[:1]
    return [
        Flow(SOURCES[number % len(SOURCES)], vips[number % len(vips)], held=number % 2 == 0)
        for number in range(count)
    ]


@EACH
@pytest.mark.control("fo balances instead", topology={"only": "fo"}, caught="reached")
def test_scheduler_sends_each_connection_where_it_is_documented_to(
    cluster: Cluster, scheduler: str
) -> None:
    """Weights 1, 2 and 3, eight clients, some connections that last and some that do not: the model
    of ``net/netfilter/ipvs/ip_vs_*.c`` names the real server of each of them.
    """
    service = service_of(cluster, scheduler)
    expected = predict(
        scheduler, cluster.settle().master.counted(service, WEIGHTS), mixed(scheduler)
    )

    assert (
        cluster.reached(cluster.client.connect(service, mixed(scheduler))) == expected
    )  # label: reached


@pytest.mark.control("rr balances instead", topology={"only": "rr"}, caught="reached")
def test_scheduler_fo_keeps_to_the_heaviest_until_it_is_drained(cluster: Cluster) -> None:
    """fo takes the next heaviest when the heaviest weighs 0, and goes back when it does not
    (``ip_vs_fo.c``).
    """
    service = service_of(cluster, "fo")
    third, second = cluster.real_servers[2], cluster.real_servers[1]

    before = cluster.reached(cluster.client.connect(service, mixed("fo")))
    with cluster.suffering(Drain(cluster.settle().master, service, third)):
        meanwhile = cluster.reached(cluster.client.fetch(4, service))
    after = cluster.reached(cluster.client.fetch(4, service))

    assert before + meanwhile + after == [third.ip] * 12 + [second.ip] * 4 + [third.ip] * 4, (
        "not reached as ranked"
    )  # label: reached


@pytest.mark.parametrize("scheduler", ["lblc", "lblcr"])
@pytest.mark.control("dh balances instead", topology={"only": "dh"}, caught="reached")
def test_scheduler_leaves_an_overloaded_server_of_a_vip(cluster: Cluster, scheduler: str) -> None:
    """A VIP keeps its real server until that holds more connections than it weighs while another is
    less than half idle: lblc then moves the VIP, lblcr gives it a second server (``ip_vs_lblc.c``,
    ``ip_vs_lblcr.c``).
    """
    service = service_of(cluster, scheduler)
    flows = [Flow(source, VIPS[0], held=True) for source in SOURCES]
    expected = predict(scheduler, cluster.settle().master.counted(service, WEIGHTS), flows)
    assert len(set(expected)) > 1

    assert cluster.reached(cluster.client.connect(service, flows)) == expected  # label: reached


@pytest.mark.control("fo balances instead", topology={"only": "fo"}, caught="reached")
def test_scheduler_ovf_refuses_what_nobody_has_room_for(cluster: Cluster) -> None:
    """ovf fills the heaviest until it holds more connections than it weighs, then the next; when
    all are full it refuses (``ip_vs_ovf.c``): 4 + 3 + 2 connections for weights of 3, 2 and 1.
    """
    service = service_of(cluster, "ovf")
    first, second, third = (server.ip for server in cluster.real_servers)

    made = cluster.client.connect(service, [Flow(SOURCES[0], VIPS[0], held=True)] * 10)

    assert cluster.reached(made) == [third] * 4 + [second] * 3 + [first] * 2 + [
        None
    ]  # label: reached
    assert made[-1].error == "Connection refused"


@pytest.mark.parametrize("scheduler", ["sh", "mh"])
@pytest.mark.control("rr balances instead", topology={"only": "rr"}, caught="reached")
def test_scheduler_keeps_a_client_with_its_server(cluster: Cluster, scheduler: str) -> None:
    """Hashing by the client's address needs no memory of it: each client reaches one server,
    however often it comes.
    """
    service = service_of(cluster, scheduler)

    reached = [
        set(cluster.reached(cluster.client.fetch(3, service, source=source))) for source in SOURCES
    ]

    assert all(len(servers) == 1 for servers in reached), reached  # label: reached
    assert len(set.union(*reached)) > 1


@pytest.mark.parametrize("scheduler", ["sh", "mh"])
@pytest.mark.control("lc balances instead", topology={"only": "lc"}, caught="reached")
def test_scheduler_refuses_the_clients_of_a_drained_server(
    cluster: Cluster, scheduler: str
) -> None:
    """A table of clients keeps places for a server that is being drained, and nobody takes them
    over: sh deals out one even for weight 0, mh those for the last weight that was not 0
    (ip_vs_ctl.c, ``__ip_vs_update_dest``).
    """
    service = service_of(cluster, scheduler)
    flows = [Flow(source, VIPS[0]) for source in SOURCES]
    director, drained = cluster.settle().master, cluster.real_servers[1]
    usual = director.counted(service, WEIGHTS)
    meanwhile = [server.drained() if server.address == drained.ip else server for server in usual]
    assert None in predict(scheduler, meanwhile, flows)

    with cluster.suffering(Drain(director, service, drained)):
        assert cluster.reached(cluster.client.connect(service, flows)) == predict(
            scheduler, meanwhile, flows
        )  # label: reached
    assert cluster.reached(cluster.client.connect(service, flows)) == predict(
        scheduler, usual, flows
    )


@EACH
@WEIGHT_ZERO
@topology(Schedulers, weights=DRAINED)
@pytest.mark.control(
    "the drained one has a weight", topology={"weights": (2, 1, 1)}, caught="reached"
)
def test_scheduler_gives_a_server_of_weight_zero_nothing(cluster: Cluster, scheduler: str) -> None:
    """Weight 0 is for draining. All others share its part, but sh and dh, which refuse those whom
    their table sends there (``is_unavailable`` in ``ip_vs_sh.c`` and ``ip_vs_dh.c``).
    """
    service = service_of(cluster, scheduler)
    expected = predict(
        scheduler, cluster.settle().master.counted(service, DRAINED), mixed(scheduler)
    )
    assert cluster.real_servers[1].ip not in expected

    assert (
        cluster.reached(cluster.client.connect(service, mixed(scheduler))) == expected
    )  # label: reached


@EACH_AND_FO
@WEIGHT_ZERO
@topology(Schedulers, weights=(0, 0, 0))
@pytest.mark.control("one has a weight", topology={"weights": (0, 1, 0)}, caught="refused")
def test_scheduler_refuses_when_all_are_drained(cluster: Cluster, scheduler: str) -> None:
    """No real server to choose: the director answers that the port is unreachable
    (ip_vs_core.c, ``ip_vs_leave``).
    """
    service = service_of(cluster, scheduler)

    refused = {request.error for request in cluster.client.connect(service, mixed(scheduler))}

    assert refused == {"Connection refused"}  # label: refused


HASHING = pytest.mark.parametrize("scheduler", ["sh", "mh"])


@HASHING
@topology(Schedulers, flags=("port",))
@pytest.mark.control("the port does not count", topology={"flags": ()}, caught="every server")
def test_scheduler_by_port_spreads_one_client(cluster: Cluster, scheduler: str) -> None:
    """With ``sh-port`` or ``mh-port`` what is hashed is the client's address and port: one client,
    or all behind one address, reach all real servers, and whoever comes from the same port reaches
    the same one again (``ip_vs_sh.c``, ``ip_vs_sh_get_port``).
    """
    service = service_of(cluster, scheduler)
    ports = range(20000, 20016)

    first, again = (
        [
            cluster.client.fetch(1, service, source=SOURCES[0], source_port=port)[0].server
            for port in ports
        ]
        for _ in range(2)
    )

    assert len(set(first)) == len(cluster.real_servers), first  # label: every server
    assert again == first


@HASHING
@topology(Schedulers, flags=("fallback",))
@pytest.mark.control("nobody takes them over", topology={"flags": ()}, caught="none refused")
def test_scheduler_falls_back_for_the_clients_of_a_drained_server(
    cluster: Cluster, scheduler: str
) -> None:
    """With ``sh-fallback`` or ``mh-fallback`` the clients of a real server that is drained are
    hashed once more, to another one, and all others stay where they are (``ip_vs_sh.c``,
    ``ip_vs_sh_get_fallback``).
    """
    service = service_of(cluster, scheduler)
    drained = cluster.real_servers[2]
    usual = [cluster.client.fetch(1, service, source=source)[0].server for source in SOURCES]
    assert drained.page in usual

    with cluster.suffering(Drain(cluster.settle().master, service, drained)):
        meanwhile = [
            cluster.client.fetch(1, service, source=source)[0].server for source in SOURCES
        ]

    assert None not in meanwhile, "refused"  # label: none refused
    assert drained.page not in meanwhile
    stayed = [
        now == before
        for before, now in zip(usual, meanwhile, strict=True)
        if before != drained.page
    ]
    assert all(stayed), (usual, meanwhile)
