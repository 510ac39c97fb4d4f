"""Nodes: a machine with the role it plays, which is to say with the daemons that belong on it."""

from __future__ import annotations

from harness.daemons import firewall, mail, programs
from harness.daemons.daemon import OPTIONAL_PROGRAMS, require
from harness.daemons.servers import servers_of
from harness.images.image import Image
from harness.lab.plan import HostPlan, Plan
from harness.nodes.claimant import IMPLEMENTATIONS
from harness.nodes.client import ClientNode
from harness.nodes.configuration import read_config
from harness.nodes.context import Context
from harness.nodes.director import DirectorNode
from harness.nodes.mail_server import MailServerNode
from harness.nodes.node import IPTABLES, NFT, Node
from harness.nodes.phantom import PhantomNode
from harness.nodes.real_server import RealServerNode
from harness.topology import (
    Client,
    Director,
    DirectorAndRealServer,
    MailServer,
    PhantomRouter,
    RealServer,
    Role,
    Router,
)
from harness.topology.roles import kind_of

__all__ = [
    "ClientNode",
    "Context",
    "DirectorAndRealServerNode",
    "DirectorNode",
    "MailServerNode",
    "Node",
    "PhantomNode",
    "RealServerNode",
    "node_of",
    "programs_of",
    "require_inputs",
    "require_optional",
]


class DirectorAndRealServerNode(DirectorNode, RealServerNode):
    """Runs what both run."""

    def __init__(self, host: HostPlan, plan: Plan, context: Context | None = None) -> None:
        super().__init__(host, plan, context)
        self.daemons = (*self.daemons, *(server.daemon for server in servers_of(self.role)))

    @property
    def role(self) -> DirectorAndRealServer:
        """What the topology says of it."""
        assert isinstance(self.plan.role, DirectorAndRealServer)
        return self.plan.role


def programs_of(role: Role, image: Image) -> list[str]:
    """The programs that a machine of this role is to run."""
    found: list[str] = [IPTABLES] if role.firewall else []
    if role.nftables:
        found.append(NFT)
    if isinstance(role, Director):
        marked = [
            program
            for family, program in firewall.PROGRAMS.items()
            if firewall.marks(role.services, family)
        ]
        if role.by in IMPLEMENTATIONS:
            found.append(IMPLEMENTATIONS[role.by].daemons(image)[0].argv[0])
        elif role.by == "ldirectord":
            found.append(role.by)
        found += ["ipvsadm", *marked]
    if isinstance(role, MailServer):
        found.append(mail.MAIL.argv[0])
    if isinstance(role, RealServer):
        found += ["ip", *(server.daemon.argv[0] for server in servers_of(role))]
    return found


def _wanted(plan: Plan) -> list[tuple[str, Image]]:
    """Each program that machines are to run, with the image that is to have it."""
    return list(
        {
            (program, host.image): None
            for host in plan.hosts
            for program in programs_of(host.role, host.image)
        }
    )


def require_optional(plan: Plan) -> None:
    """Raises HarnessError if a program is not there that few topologies ask for.

    That is told as late as a cluster is to be built: a scenario may be skipped where it is missing,
    and a topology can be drawn anywhere.
    """
    for program, image in _wanted(plan):
        if program in OPTIONAL_PROGRAMS:
            require(program, image)
    for host in plan.hosts:
        programs.require(host.name, host.role.runs, host.image)


def require_inputs(plan: Plan) -> None:
    """Raises HarnessError if a program that the machines are to run or a file of the user's is not
    there.
    """
    for program, image in _wanted(plan):
        if program not in OPTIONAL_PROGRAMS:
            require(program, image)
    for director in plan.of_role(Director):
        own = director.role.config if isinstance(director.role, Director) else None
        if own is not None:
            read_config(director.name, own)


NODES: dict[type[Role], type[Node]] = {
    Client: ClientNode,
    Director: DirectorNode,
    DirectorAndRealServer: DirectorAndRealServerNode,
    MailServer: MailServerNode,
    PhantomRouter: PhantomNode,
    RealServer: RealServerNode,
    Router: Node,
}
"""What plays each role."""


def node_of(host: HostPlan, plan: Plan, context: Context | None = None) -> Node:
    """The node for a host of the plan, also where its role is derived from one of the harness's;
    without a ``context`` it is only planned.
    """
    node = NODES[kind_of(type(host.role))](host, plan, context)
    node.daemons = (*node.daemons, *(programs.daemon_of(program) for program in host.role.runs))
    return node
