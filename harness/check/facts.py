"""What a director's keepalived has read: the same classes that a topology is made of."""

from __future__ import annotations

from dataclasses import dataclass

from harness.topology.services import VirtualService
from harness.topology.tracking import VrrpScript
from harness.topology.vrrp import SyncGroup, VrrpInstance


@dataclass(frozen=True)
class Ill:
    """A script that fails where nothing is broken: its exit status, and what it says.

    ``needs_shell``: it succeeds when a shell runs it, and keepalived runs none. ``endless``: it
    computes, prints or starts processes for ever.
    """

    script: str
    status: int
    said: str
    needs_shell: bool = False
    endless: bool = False


@dataclass(frozen=True)
class Reading:
    """Everything that one director's keepalived has read.

    ``interfaces`` and ``programs`` are those that it names and a bare machine does not have;
    ``ill`` are scripts that fail there, ``endless`` are further programs of its own, by their
    paths, that never end. By BFD it speaks from ``bfd_sources`` to ``bfd_neighbours``. Until
    ``startup_delay`` seconds after its start it takes no part in elections.
    """

    instances: tuple[VrrpInstance, ...] = ()
    scripts: tuple[VrrpScript, ...] = ()
    services: tuple[VirtualService, ...] = ()
    interfaces: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    ill: tuple[Ill, ...] = ()
    endless: tuple[Ill, ...] = ()
    bfd_sources: tuple[str, ...] = ()
    bfd_neighbours: tuple[str, ...] = ()
    sync_groups: tuple[SyncGroup, ...] = ()
    startup_delay: float = 0.0

    def group_of(self, instance: VrrpInstance) -> str | None:
        """The name of the sync group that an instance is in; None if it is in none."""
        names = (each.name for each in self.sync_groups if instance.name in each.members)
        return next(names, None)
