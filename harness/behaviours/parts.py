"""The parts that a cluster may or may not have: virtual routers and services, and who claims them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from harness.cluster import Cluster
from harness.daemons.nodes import DirectorNode
from harness.topology import VirtualService, VrrpInstance

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

    def heir_of(self, master: DirectorNode) -> DirectorNode:
        """Who takes over when ``master`` is lost: the next priority, then the higher address."""
        others = [(claimant, own) for claimant, own in self.claims if claimant is not master]
        return max(others, key=lambda pair: (pair[1].effective_priority(), pair[0].plan.interface().address.ip))[0]


class Parts:
    """What a cluster has of each kind. Each method skips the scenario, by name, where there is nothing of it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

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

    def services(self, protocol: str = "TCP") -> list[VirtualService]:
        """The virtual services of a protocol that clients can reach."""
        offered = [service for director in self._cluster.directors for service in director.role.services]
        services = list({service.name: service for service in offered}.values())
        if not (found := [service for service in services if service.protocol == protocol and not service.fwmark]):
            pytest.skip(f"no {protocol} service in these configurations that is emulated")
        return found
