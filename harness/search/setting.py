"""What the configurations of a sequence's directors and real servers say (pure, but for
:func:`setting_of`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.lab.plan import Plan
from harness.nodes import DirectorNode, RealServerNode, node_of
from harness.topology import SyncGroup, VirtualService, VrrpInstance
from harness.topology.services import Destination

if TYPE_CHECKING:
    from harness.cluster import Cluster


@dataclass(frozen=True)
class Table:
    """One virtual service as one director is to balance it: ``name`` is what its IPVS table calls
    it.

    ``sorry`` has the sorry server, if there is one.
    """

    name: str
    service: VirtualService
    destinations: tuple[Destination, ...]
    sorry: tuple[Destination, ...] = ()


@dataclass(frozen=True)
class DirectorSetting:
    """What one director is configured with, by the topology; ``addresses`` are its own, by
    interface, IPv4 first.

    ``elects`` says whether it runs keepalived, ``told`` whether its notification FIFO is listened
    to; ``startup_delay`` is for how many seconds after its start it takes no part in elections.
    ``config`` is the text of its keepalived.conf, ``own_text`` whether that may say more than the
    rest of this.
    """

    instances: tuple[VrrpInstance, ...]
    tables: tuple[Table, ...]
    addresses: Mapping[str, tuple[str, ...]]
    sync_groups: tuple[SyncGroup, ...] = ()
    elects: bool = True
    told: bool = False
    config: str = ""
    own_text: bool = False
    startup_delay: float = 0.0

    def instance(self, vrid: int) -> VrrpInstance | None:
        """Its part in the election of a VRID, if it takes part."""
        return next((each for each in self.instances if each.vrid == vrid), None)


@dataclass(frozen=True)
class Setting:
    """What the configurations say: of each director, and of each real server the first line that it
    answers with.

    ``servers`` has that line by the server's name, ``server_addresses`` its addresses. ``slack`` is
    what the clock may be off, in seconds.
    """

    directors: Mapping[str, DirectorSetting]
    servers: Mapping[str, str]
    server_addresses: Mapping[str, tuple[str, ...]]
    slack: float

    def server_at(self, address: str) -> str | None:
        """The real server that has an address, by name."""
        return next((name for name, own in self.server_addresses.items() if address in own), None)


def setting_of(cluster: Cluster) -> Setting:
    """What the topology of a running cluster says."""
    return setting_of_plan(cluster.plan, cluster.slack)


def setting_of_plan(plan: Plan, slack: float) -> Setting:
    """What a plan says, whether or not a cluster of it runs; ``slack`` in seconds."""
    directors: dict[str, DirectorSetting] = {}
    pages: dict[str, str] = {}
    addresses: dict[str, tuple[str, ...]] = {}
    for host in plan.hosts:
        node = node_of(host, plan)
        if isinstance(node, DirectorNode):
            directors[host.name] = _of_director(node)
        if isinstance(node, RealServerNode):
            pages[host.name] = node.page
            addresses[host.name] = tuple(
                str(each.ip) for own in host.interfaces for each in own.addresses
            )
    return Setting(directors, pages, addresses, slack)


def _of_director(node: DirectorNode) -> DirectorSetting:
    tables = [
        Table(
            name,
            service,
            tuple(node.destinations(service, name)),
            tuple(node.sorry_server(service)),
        )
        for service in node.role.services
        for name in service.names
    ]
    own = {
        each.name: tuple(str(address.ip) for address in each.addresses)
        for each in node.plan.interfaces
    }
    text = node.config_text().decode(errors="replace")
    return DirectorSetting(
        instances=node.role.instances,
        tables=tuple(tables),
        addresses=own,
        sync_groups=node.role.sync_groups,
        elects=node.role.by == "keepalived",
        told=node.role.notify_fifo,
        config=text,
        startup_delay=startup_delay(node),
        own_text=_own_text(node),
    )


def startup_delay(node: DirectorNode) -> float:
    """For how many seconds after its start keepalived takes no part in elections: what its topology
    says of ``vrrp_startup_delay``, or else a keepalived.conf of its own.
    """
    if node.role.startup_delay or not _own_text(node):
        return node.role.startup_delay
    text = node.config_text().decode(errors="replace")
    found = re.search(r"^\s*vrrp_startup_delay\s+([\d.]+)", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def _own_text(node: DirectorNode) -> bool:
    return bool(node.role.edits or node.role.config or node.role.files)
