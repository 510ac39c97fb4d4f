"""Services: clients are served, also while a director or a real server is lost."""

from itertools import product

from harness import measures
from harness.behaviours.parts import (
    PREDICTABLE,
    Parts,
    removal,
    requests,
    shown,
    speaks_tls,
)
from harness.behaviours.routers import Router
from harness.clock import Window
from harness.cluster import Cluster
from harness.faults import PowerOff
from harness.topology import VirtualService


def test_every_service_answers(cluster: Cluster, parts: Parts) -> None:
    """Every service answers, by every real server that has a weight."""
    services = parts.services()
    parts.settle()

    for service in services:
        servers = [server for server, _ in parts.servers_of(service)]
        weights = [service.weight_of(number) for number in range(len(servers))]
        if not all(parts.offers(director, service) for director in cluster.directors):
            # whoever has it alone answers while it holds the VIP, and no client can count on that
            continue
        count = requests(weights)
        answers = cluster.client.fetch(count, service, tls=speaks_tls(service))
        lost = [answer for answer in answers if answer.status != 200]
        assert not lost, (
            f"{service.name}: {len(lost)} of {count} requests: {lost[0].error or lost[0].status}"
        )
        if service.scheduler in PREDICTABLE and not service.persistence_timeout:
            expected = {
                server.page
                for server, due in zip(servers, shown(weights, count), strict=True)
                if due
            }
            silent = sorted(expected - {answer.server for answer in answers})
            assert not silent, (
                f"{service.name}: of {count} requests none was answered by {', '.join(silent)}"
            )


def test_every_service_survives_the_loss_of_its_director(cluster: Cluster, parts: Parts) -> None:
    """Every service is out no longer than the takeover takes when its director loses power.

    One cut for all services of a director: one of them is asked all the time, the others as soon as
    that answers again.
    """
    routers = {vip: router for router in parts.routers(claimants=2) for vip in router.vips}
    lost: dict[Router, list[VirtualService]] = {}
    for service in parts.services(lost=True):
        if not all(parts.offers(director, service) for director in cluster.directors):
            continue
        assert service.vip in routers, (
            f"{service.name}: no VRRP instance holds {service.vip}, so nobody takes it over"
        )
        lost.setdefault(routers[service.vip], []).append(service)
    parts.settle()

    for router, (service, *others) in lost.items():
        owner = parts.owner_of(router)
        began = cluster.timeline.now()
        with cluster.suffering(PowerOff(owner)) as struck:
            with cluster.client.load(service=service, tls=speaks_tls(service)) as load:
                heir, due = parts.heir_of(router, owner, struck, announced=False)
                took = heir.takes(router.vip, since=struck, until=due.latest)
                load.wait_answers(3, since=struck + took)
            out = measures.outage(cluster.timeline, since=began)
            longest = Window(0, due.latest + 2 * load.resolution)
            assert out in cluster.within(longest), f"{service.name}: out for {out:.3f} s"
            for other in others:
                (answer,) = cluster.client.fetch(1, other, tls=speaks_tls(other))
                assert answer.status == 200, f"{other.name}: {answer.error}"
        parts.settle()


def test_every_real_server_is_found_well(cluster: Cluster, parts: Parts) -> None:
    """Every real server that answers its checks stays in every director's pool."""
    parts.wait_checked()

    assert not (amiss := cluster.unsettled()), amiss


def test_a_real_server_that_is_down_is_spared(cluster: Cluster, parts: Parts) -> None:
    """A real server that is down leaves the pool of each checked service in time, and comes
    back.
    """
    faults = parts.faults()
    parts.settle()

    for fault, services in faults:
        with cluster.suffering(fault) as struck:
            for director, service in product(cluster.directors, services):
                if not parts.checks(director, service):
                    continue
                due = removal(service, fault)
                if service.inhibit_on_failure:
                    took = director.weighs(
                        fault.node, 0, since=struck, until=due.latest, service=service
                    )
                else:
                    took = director.removes(
                        fault.node, since=struck, until=due.latest, service=service
                    )
                assert took.within(due), (
                    f"{service.name} on {director.name}: {took:.3f} s, due {due}"
                )
        parts.settle()
