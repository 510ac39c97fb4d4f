"""The parts that a cluster may or may not have: virtual routers and services."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from harness.behaviours.routers import Router, first_of
from harness.check.ways import ASKED, Amiss
from harness.clock import Instant, Window
from harness.cluster import Cluster
from harness.daemons import httpd, mail
from harness.faults import Fault, IgnoreEcho, StopDnsmasq, StopHttpd, StopMail
from harness.keepalived import timers
from harness.keepalived.timers import Symptom
from harness.nodes import DirectorNode, RealServerNode
from harness.topology import SslGet, VirtualService, VrrpInstance
from harness.topology.checks import (
    Check,
    DnsCheck,
    MiscCheck,
    NetworkCheck,
    PingCheck,
    SmtpCheck,
    UdpCheck,
)

MOST_REQUESTS = 200
PREDICTABLE = ("rr", "wrr", "lc", "wlc")
"""Schedulers that give every real server something once there are enough connections, one after the
other. sed and nq count open connections only (kernel ``ip_vs_sed_dest_overhead``), so that whoever
asks so gets the first server each time.
"""


class Parts:
    """What a cluster has of each kind. Each method skips the scenario, by name, where there is
    nothing of it.
    """

    def __init__(
        self, cluster: Cluster, amiss: Sequence[Amiss] = (), suspended: Collection[str] = ()
    ) -> None:
        """``amiss`` is known to be wrong: what follows from it is not tried. ``suspended`` are the
        services (``VIP:PORT``) that only the holder of their address checks.
        """
        self._cluster, self._amiss, self._suspended = cluster, amiss, suspended
        self._served: dict[str, list[tuple[RealServerNode, VirtualService]]] = {}
        for server in cluster.real_servers:
            for own in server.role.serves:
                self._served.setdefault(own.name, []).append((server, own))

    def settle(self) -> None:
        """Wait until the cluster has settled, and every checker has looked at every real server
        since.
        """
        services = set(self._own_services())
        self.wait_elected()
        self._cluster.settle(max(map(_recovery, services), default=0.0))
        self._cluster.timeline.let_pass(
            max((_begun(each) + each.delay_loop for each in self._checkers()), default=0.0)
        )

    def wait_elected(self) -> None:
        """Wait until every VIP is held by the director that should hold it, and every other one has
        heard of that.

        Whatever is of the services.
        """
        claims = [
            instance for director in self._cluster.directors for instance in director.role.instances
        ]
        self._cluster.settle(tables=False)
        self._cluster.timeline.let_pass(max(map(timers.master_down_interval, claims), default=0.0))
        self._cluster.settle(tables=False)

    def owner_of(self, router: Router) -> DirectorNode:
        """The director that holds a virtual router's VIP."""
        holders = self._cluster.owners(router.vip)
        return next(director for director in self._cluster.directors if director.name in holders)

    def heir_of(
        self, router: Router, owner: DirectorNode, since: Instant, *, announced: bool
    ) -> tuple[DirectorNode, Window]:
        """Who takes over from ``owner``, which was lost at ``since``, and when that is due."""
        dues = {
            each: router.takeover(each, owner, announced=announced)
            for each in router.heirs_of(owner)
        }
        until = since + max(due.latest for due in dues.values())
        heir = first_of(self._cluster, [*dues], until, lambda: self._cluster.owners(router.vip))
        return heir, dues[heir]

    def routers(self, claimants: int = 1) -> list[Router]:
        """The virtual routers that at least ``claimants`` directors claim."""
        found: dict[tuple[int, str], list[tuple[DirectorNode, VrrpInstance]]] = {}
        for director in self._cluster.directors:
            for instance in director.role.instances:
                lan = director.plan.interface(instance.interface).lan
                found.setdefault((instance.vrid, lan), []).append((director, instance))
        routers = [
            Router(claims[0][1].vips[0], vrid, tuple(claims)) for (vrid, _), claims in found.items()
        ]
        enough = [router for router in routers if len(router.claims) >= claimants]
        if not routers and any(director.role.without_vip for director in self._cluster.directors):
            pytest.skip("instances without a VIP are judged by their state")
        if not routers:
            pytest.skip("no VRRP instance in these configurations")
        if not enough and len(self._cluster.directors) == 1:
            pytest.skip("one director only: nobody can take over")
        if not enough:
            pytest.skip("no VRID on any LAN is that of two directors: nobody can take over")
        return enough

    def services(self, *, lost: bool = False) -> list[VirtualService]:
        """The virtual services that a client can ask: by HTTP, HTTPS or DNS, which the stand-ins
        all speak.

        Without those of which is known why they do not answer, or do not once their director is
        ``lost``.
        """
        found = [service for service in self._all_services() if _is_asked(service)]
        if not found:
            pytest.skip(
                "no service in these configurations that a client could ask for a page or a name"
            )
        judged = [
            each for each in found if not any(_spoils(amiss, each, lost) for amiss in self._amiss)
        ]
        if not judged:
            pytest.skip("what is amiss with the ways of packets leaves no service to be asked")
        return judged

    def offers(self, director: DirectorNode, service: VirtualService) -> bool:
        """Whether a director has a service, which another may have alone."""
        return any(own.name == service.name for own in director.role.services)

    def checks(self, director: DirectorNode, service: VirtualService) -> bool:
        """Whether a director has a service and checks its real servers at the moment."""
        if any(f"{vip}:{port}" in self._suspended for vip, port in service.endpoints):
            return director.name in self._cluster.owners(service.vip)
        return self.offers(director, service)

    def servers_of(self, service: VirtualService) -> list[tuple[RealServerNode, VirtualService]]:
        """The real servers of a service, each with the service as it is there: its checkers are its
        own.
        """
        return self._served.get(service.name, [])

    def wait_checked(self) -> None:
        """Wait until every checker that has begun to fail since the election has given up."""
        if not (checkers := self._checkers()):
            pytest.skip("no service in these configurations whose real servers are checked")
        self.wait_elected()
        self._cluster.timeline.let_pass(max(map(_gives_up, checkers)))

    def faults(self) -> list[tuple[Fault[RealServerNode], list[VirtualService]]]:
        """Faults of real servers, each with the services whose checkers notice it there.

        Together they are noticed by every service, and by each of its sets of checkers where its
        real servers differ.
        """
        found: dict[tuple[str, type[Fault[RealServerNode]]], list[VirtualService]] = {}
        for service in self._all_services():
            seen = set()
            for number, (server, own) in enumerate(self.servers_of(service)):
                if (
                    service.weight_of(number)
                    and own.checks not in seen
                    and (fault := _noticed(own)) is not None
                ):
                    seen.add(own.checks)
                    found.setdefault((server.name, fault), []).append(own)
        if not found:
            pytest.skip("no service in these configurations whose checks a stand-in could fail")
        nodes = {server.name: server for server in self._cluster.real_servers}
        return [(fault(nodes[name]), services) for (name, fault), services in found.items()]

    def _checkers(self) -> list[VirtualService]:
        """The services as they are at their real servers, once for each checker, with that
        alone.
        """
        return list(
            dict.fromkeys(
                replace(own, check=check) for own in self._own_services() for check in own.checks
            )
        )

    def _own_services(self) -> list[VirtualService]:
        return [own for served in self._served.values() for _, own in served]

    def _all_services(self) -> list[VirtualService]:
        offered = [
            service for director in self._cluster.directors for service in director.role.services
        ]
        if not offered:
            pytest.skip("no service in these configurations, or none that is emulated")
        return list({service.name: service for service in offered}.values())


def removal(service: VirtualService, fault: Fault[RealServerNode]) -> Window:
    """When the first of a service's checkers to notice a fault removes a real server."""
    dues = [
        timers.removal(replace(service, check=check), fault.symptom)
        for check in service.checks
        if _noticed_by(check, service) is type(fault)
    ]
    return Window(min(due.earliest for due in dues), min(due.latest for due in dues))


def _begun(checked: VirtualService) -> float:
    """When a service's only checker has looked at all for the first time, in seconds: until then
    keepalived removes a server at the first failure (``has_run`` in ``check_http.c`` and its like).
    """
    return timers.first_check(checked).latest


def _gives_up(checked: VirtualService) -> float:
    """How long a service's only checker may take from its start to its giving up, in seconds,
    whatever it meets.
    """
    pace = checked.checks[0].pace(checked.delay_loop)
    return _begun(checked) + (pace.retry + 1) * (pace.timeout + pace.delay_before_retry)


def _recovery(service: VirtualService) -> float:
    """When the last of a service's checkers has taken a real server in again, at the latest."""
    symptoms = {
        check: Symptom.SILENT if isinstance(check, PingCheck) else Symptom.REFUSED
        for check in service.checks
    }
    dues = [
        timers.recovery(replace(service, check=check), symptom).latest
        for check, symptom in symptoms.items()
    ]
    return max(dues, default=0.0)


def _noticed_by(check: Check, service: VirtualService) -> type[Fault[RealServerNode]] | None:
    """The fault of a real server that a checker notices: the end of what it looks at; of scripts
    nothing is known.
    """
    if isinstance(check, MiscCheck):
        return None
    if isinstance(check, PingCheck):
        return IgnoreEcho
    if isinstance(check, DnsCheck | UdpCheck):
        return StopDnsmasq
    ports = {check.port} if isinstance(check, NetworkCheck) and check.port else set(service.ports)
    return StopMail if isinstance(check, SmtpCheck) or mail.PORT in ports else StopHttpd


def _noticed(service: VirtualService) -> type[Fault[RealServerNode]] | None:
    """A fault of a real server that some checker of a service notices, rather one of a server than
    of the machine.
    """
    found = [
        fault for check in service.checks if (fault := _noticed_by(check, service)) is not None
    ]
    return min(found, key=lambda fault: fault is IgnoreEcho, default=None)


def _spoils(amiss: Amiss, service: VirtualService, lost: bool) -> bool:
    """Whether what is amiss keeps a service from being judged."""
    udp = " UDP" * (service.protocol == "UDP")
    named = {f"{address}:{port}{udp}" for address, port in service.endpoints}
    named.add(f"FWM {service.fwmark}")
    return bool(named.intersection(amiss.services)) and (lost or amiss.when == ASKED)


def speaks_tls(service: VirtualService) -> bool:
    """Whether a client has to ask a service by TLS."""
    port = service.port if service.real_port is None else service.real_port
    tls = port == httpd.TLS_PORT or any(isinstance(check, SslGet) for check in service.checks)
    return tls and service.protocol == "TCP"


def _is_asked(service: VirtualService) -> bool:
    return service.protocol == "UDP" or (
        service.protocol == "TCP" and mail.PORT not in service.ports
    )


def requests(weights: Sequence[int]) -> int:
    """How many requests show every real server: two rounds in the ratio of the weights, within
    reason.
    """
    shares = [weight // (math.gcd(*weights) or 1) for weight in weights]
    return min(2 * max(1, sum(shares)), MOST_REQUESTS)


def shown(weights: Sequence[int], count: int) -> list[bool]:
    """Which real servers have to be among those that ``count`` requests reach."""
    whole = sum(weights) or 1
    return [bool(weight) and (count * weight >= 2 * whole) for weight in weights]
