"""The nodes of a cluster, by name and by role."""

from __future__ import annotations

from harness.errors import HarnessError
from harness.lab.plan import Plan
from harness.nodes import ClientNode, DirectorNode, Node, PhantomNode, RealServerNode, node_of
from harness.nodes.context import Context


class Nodes(dict[str, Node]):
    """A cluster's nodes by name, in the order of the topology; HarnessError for a name that none
    has.
    """

    def __init__(self, plan: Plan, context: Context) -> None:
        """The nodes of a plan; none of them has power yet."""
        super().__init__({host.name: node_of(host, plan, context) for host in plan.hosts})
        for node in self.values():
            if isinstance(node, ClientNode):
                node.servers = self.real_servers

    def __missing__(self, name: str) -> Node:
        raise HarnessError(f"no node {name}; there are {', '.join(self)}")

    @property
    def directors(self) -> list[DirectorNode]:
        """All directors, in the order of the topology."""
        return [node for node in self.values() if isinstance(node, DirectorNode)]

    @property
    def real_servers(self) -> list[RealServerNode]:
        """All real servers, in the order of the topology."""
        return [node for node in self.values() if isinstance(node, RealServerNode)]

    @property
    def client(self) -> ClientNode:
        """The (first) client."""
        for node in self.values():
            if isinstance(node, ClientNode):
                return node
        raise HarnessError("this topology has no client; add one: addHost(..., cls=Client)")

    @property
    def phantom(self) -> PhantomNode:
        """The (first) phantom router."""
        for node in self.values():
            if isinstance(node, PhantomNode):
                return node
        raise HarnessError(
            "this topology has no phantom router; add one: addHost(..., cls=PhantomRouter)"
        )
