"""The state of a cluster now: who holds the VIPs, and what is not as it should be."""

from __future__ import annotations

from collections.abc import Mapping

from harness import measures
from harness.cluster.nodes import Nodes
from harness.errors import HarnessError
from harness.nodes import DirectorNode, Node
from harness.nodes.context import Context
from harness.topology import VrrpInstance

Claims = list[tuple[DirectorNode, VrrpInstance]]


class State:
    """Looks at the timeline and at what runs, and changes nothing."""

    def __init__(self, nodes: Nodes, context: Context) -> None:
        self._nodes, self._context, self._timeline = nodes, context, context.timeline

    def describe(self) -> str:
        """All nodes, with the VIPs that each holds."""
        return ", ".join(self._standing(node) for node in self._nodes.values())

    def _standing(self, node: Node) -> str:
        if not node.machine.powered:
            return f"{node.name} (off)"
        if not isinstance(node, DirectorNode):
            return node.name
        vips = self._context.vips
        try:
            held = [vip for vip in vips if node.name in measures.owners(self._timeline, vip)]
        except HarnessError:  # it is told elsewhere why nothing can be said
            held = []
        return f"{node.name} (holds {' and '.join(held)})" if held else node.name

    # -- who holds the VIPs ------------------------------------------------------------------------

    def owners(self, vip: str | None = None) -> list[str]:
        """See :meth:`harness.cluster.Cluster.owners`."""
        vip = self._context.vip if vip is None else vip
        claims = self._claims(vip)
        interfaces = {director.device_of(vip) for director, _ in claims} if claims else {None}
        holders = {
            owner for name in interfaces for owner in measures.owners(self._timeline, vip, name)
        }
        return self._of_directors(vip, claims, holders)

    def master(self) -> DirectorNode:
        """The director that holds the first VIP. Raises HarnessError if there is not one."""
        holders = self.owners()
        if len(holders) != 1:
            raise HarnessError(
                f"{self._context.vip} is held by {' and '.join(holders) or 'nobody'}, so"
                f" there is no one master"
            )
        return next(each for each in self._nodes.directors if each.name == holders[0])

    def backup(self) -> DirectorNode:
        """The director that is to take over from the master: the one of the next priority. Raises
        HarnessError if there is none.
        """
        master = self.master()
        others = [director for director in self._nodes.directors if director is not master]
        if not others:
            raise HarnessError(f"{master.name} is the only director, so there is no backup")
        return max(
            others,
            key=lambda director: (director.vrrp.priority, director.plan.interface().address.ip),
        )

    def _of_directors(self, vip: str, claims: Claims, holders: set[str]) -> list[str]:
        """The directors among those who hold a VIP, but for those without a carrier there."""
        silent = {director.name for director, _ in claims if not self._carries(director, vip)}
        return sorted((holders & {each.name for each in self._nodes.directors}) - silent)

    def _carries(self, director: DirectorNode, vip: str) -> bool:
        """Whether the interface of a VIP that is always there has its carrier."""
        if director.speaker.holding == "address":
            return True
        return measures.has_carrier(self._timeline, director.name, director.device_of(vip))

    def _claims(self, vip: str) -> Claims:
        return [
            (director, each)
            for director in self._nodes.directors
            for each in director.role.instances
            if vip in (*each.vips, *each.excluded_vips)
        ]

    # -- what is amiss -----------------------------------------------------------------------------

    def unsettled(self) -> str | None:
        """What is not as it should be in a cluster that nothing ails; None if all is well."""
        return self.down() or self.unelected() or self._unbalanced()

    def down(self) -> str | None:
        """Which daemon does not run, though its machine does; None if all run."""
        for node in self._nodes.values():
            for daemon in node.idle:
                return f"{daemon.name} does not run on {node.name}"
        return None

    def unelected(self) -> str | None:
        """Which VIP is not where it should be; None if all are."""
        held = measures.holders(self._timeline)
        return next(filter(None, (self._misplaced(vip, held) for vip in self._context.vips)), None)

    def _misplaced(self, vip: str, held: Mapping[tuple[str, str], set[str]]) -> str | None:
        """Whether a VIP has not one holder, or one whom another director is about to preempt.

        ``held`` says who holds it, as :func:`harness.measures.holders` does.
        """
        claims = self._claims(vip)
        devices = {director.device_of(vip) for director, _ in claims}
        found = {owner for device in devices for owner in held.get((vip, device), ())}
        holders = self._of_directors(vip, claims, found)
        held_at = [
            each.effective_priority() for director, each in claims if [director.name] == holders
        ]
        best, claim = max(claims, key=lambda pair: pair[1].effective_priority())
        if held_at and (claim.nopreempt or claim.effective_priority() <= held_at[0]):
            return None
        return f"{vip} is held by {' and '.join(holders) or 'nobody'}, and should be by {best.name}"

    def _unbalanced(self) -> str | None:
        """Which director's table is not as it should be."""
        for director in self._nodes.directors:
            pools = measures.pools(self._timeline, director.name)
            for service in director.role.services:
                for name in service.names:
                    wanted = director.at_rest(service, name)
                    if name not in pools:
                        return f"{director.name} has no table for {name} yet"
                    if pools[name] != wanted:
                        return (
                            f"{director.name}'s table of {name} has {pools[name]} instead of"
                            f" {wanted}"
                        )
        return None
