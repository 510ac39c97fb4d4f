"""Services: clients are served, also while a director or a real server is lost."""

from harness import measures
from harness.behaviours.parts import PREDICTABLE, Parts
from harness.cluster import Cluster
from harness.faults import PowerOff, StopHttpd
from harness.keepalived import timers


def test_every_service_answers(cluster: Cluster, parts: Parts) -> None:
    """Every service answers, by every real server that has a weight."""
    services = parts.services()
    parts.wait_settled()

    for service in services:
        servers = [server for server in cluster.real_servers if service in server.role.serves]
        weights = [service.weight_of(number) for number in range(len(servers))]
        answers = cluster.fetch(2 * max(1, sum(weights)), service)
        assert {answer.status for answer in answers} == {200}, f"{service.name}: {answers[-1].error}"
        if service.scheduler in PREDICTABLE and not service.persistence_timeout:
            expected = {server.page for server, weight in zip(servers, weights, strict=True) if weight}
            assert {answer.server for answer in answers} == expected, service.name


def test_every_service_survives_the_loss_of_its_director(cluster: Cluster, parts: Parts) -> None:
    """Every service is out no longer than the takeover takes when its director loses power."""
    services = parts.services()
    routers = {router.vip: router for router in parts.routers(claimants=2)}
    parts.wait_settled()

    for service in services:
        router = routers.get(service.vip) or next(iter(routers.values()))
        owner = next(director for director in cluster.directors if director.name in cluster.owners(router.vip))
        heir = router.heir_of(owner)
        due = router.takeover(heir, owner, announced=False)
        began = cluster.timeline.now()
        with cluster.load(service=service) as load, cluster.suffering(PowerOff(owner)) as struck:
            took = cluster.wait_master(heir, since=struck, until=due.latest, vip=router.vip)
            cluster.wait_answers(load, 3, since=struck + took)
        out = measures.outage(cluster.timeline, since=began)
        assert out <= due.latest + load.resolution + cluster.slack, f"{service.name}: out for {out:.3f} s"
        parts.wait_settled()


def test_a_real_server_that_is_down_is_spared(cluster: Cluster, parts: Parts) -> None:
    """A real server that is down leaves the pool of each checked service in time, and comes back."""
    services = [service for service in parts.services() if service.checks and not service.inhibit_on_failure]
    parts.wait_settled()

    for service in services:
        server = next(server for server in cluster.real_servers if service in server.role.serves)
        due = timers.removal(service)
        with cluster.suffering(StopHttpd(server)) as struck:
            for director in cluster.directors:
                took = cluster.wait_pool(
                    director, server, present=False, since=struck, until=due.latest, service=service
                )
                assert took in cluster.within(due), f"{service.name} on {director.name}: {took:.3f} s, due {due}"
        parts.wait_settled()
