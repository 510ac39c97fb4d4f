"""The parts that a cluster may or may not have: virtual routers and services, and who claims them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from harness.clock import Window
from harness.cluster import Cluster
from harness.daemons import httpd, mail
from harness.daemons.nodes import DirectorNode
from harness.keepalived import timers
from harness.topology import SslGet, VirtualService, VrrpInstance

PREDICTABLE = ("rr", "wrr", "lc", "wlc", "sed", "nq")
"""Schedulers that give every real server something once there are enough connections."""


@dataclass(frozen=True)
class Router:
    """One virtual router: the VIP that stands for all of it, and the directors' claims to it."""

    vip: str
    vrid: int
    claims: tuple[tuple[DirectorNode, VrrpInstance], ...]

    def claim_of(self, director: DirectorNode) -> VrrpInstance:
        """A director's own instance."""
        return next(instance for claimant, instance in self.claims if claimant is director)

    def takeover(self, heir: DirectorNode, owner: DirectorNode, *, announced: bool) -> Window:
        """When ``heir`` is due to take over from ``owner``, whatever of what it tracks is well or not."""
        claim, interval = self.claim_of(heir), self.claim_of(owner).advert_int
        weights = [each.weight for each in claim.tracked]
        lowest, highest = (claim.priority + sum(weight for weight in weights if weight * sign > 0) for sign in (-1, 1))
        dues = [
            timers.takeover(
                replace(claim, priority=min(max(priority, 1), 254), track_scripts=(), track_interfaces=()),
                announced=announced,
                master_advert_int=interval,
            )
            for priority in (lowest, highest)
        ]
        return Window(min(due.earliest for due in dues), max(due.latest for due in dues))

    def heir_of(self, master: DirectorNode) -> DirectorNode:
        """Who takes over when ``master`` is lost: the next priority, then the higher address."""
        others = [(claimant, own) for claimant, own in self.claims if claimant is not master]
        return max(others, key=lambda pair: (pair[1].effective_priority(), pair[0].plan.interface().address.ip))[0]


class Parts:
    """What a cluster has of each kind. Each method skips the scenario, by name, where there is nothing of it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def wait_settled(self) -> None:
        """Wait until the cluster has settled, and every checker has looked at every real server since."""
        self._cluster.wait_settled()
        services = [service for director in self._cluster.directors for service in director.role.services]
        paces = [check.pace(service.delay_loop) for service in services for check in service.checks]
        self._cluster.timeline.let_pass(max((pace.warmup + pace.delay_loop for pace in paces), default=0.0))

    def routers(self, claimants: int = 1) -> list[Router]:
        """The virtual routers that at least ``claimants`` directors claim."""
        found: dict[tuple[int, str], list[tuple[DirectorNode, VrrpInstance]]] = {}
        for director in self._cluster.directors:
            for instance in director.role.instances:
                found.setdefault((instance.vrid, instance.interface), []).append((director, instance))
        routers = [Router(claims[0][1].vips[0], vrid, tuple(claims)) for (vrid, _), claims in found.items()]
        enough = [router for router in routers if len(router.claims) >= claimants]
        if not routers:
            pytest.skip("no VRRP instance in these configurations")
        if not enough:
            pytest.skip("one director only: nobody can take over")
        return enough

    def services(self) -> list[VirtualService]:
        """The virtual services that a web client can reach."""
        offered = [service for director in self._cluster.directors for service in director.role.services]
        services = list({service.name: service for service in offered}.values())
        found = [service for service in services if _is_web(service)]
        if not found:
            pytest.skip("no service in these configurations that a web client could ask")
        return found


def _is_web(service: VirtualService) -> bool:
    tls = httpd.TLS_PORT in service.ports or any(isinstance(check, SslGet) for check in service.checks)
    return service.protocol == "TCP" and mail.PORT not in service.ports and not tls
