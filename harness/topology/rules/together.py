"""What the parts of one director may be together: keepalived drops one of two things that bear the
same name, or one VRID on one interface.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.errors import HarnessError
from harness.topology.checks import FileCheck
from harness.topology.services import VirtualService
from harness.topology.tracking import Tracked, TrackedFile
from harness.topology.vrrp import SyncGroup, VrrpInstance


def check_together(
    instances: Sequence[VrrpInstance],
    groups: Sequence[SyncGroup],
    services: Sequence[VirtualService],
) -> None:
    """Raises HarnessError for two things of one name, and for members of groups that there are
    not.
    """
    _refuse_twins("VRRP instance", [instance.name for instance in instances])
    _refuse_twins("VRID", [f"{instance.vrid} on {instance.interface}" for instance in instances])
    _refuse_twins("sync group", [group.name for group in groups])
    _refuse_strangers(groups, [instance.name for instance in instances])
    _refuse_twins("virtual service", [name for service in services for name in service.names])
    for kind, tracked in _tracked(instances, services).items():
        _refuse_twins(kind, [each.name for each in dict.fromkeys(tracked)])


def _tracked(
    instances: Sequence[VrrpInstance], services: Sequence[VirtualService]
) -> dict[str, list[Tracked | TrackedFile]]:
    """What each kind of block would be written for; what several instances track is one."""
    found: dict[str, list[Tracked | TrackedFile]] = {
        "VRRP script": [],
        "track file": [],
        "track process": [],
        "BFD session": [],
    }
    for instance in instances:
        found["VRRP script"] += instance.track_scripts
        found["track file"] += instance.track_files
        found["track process"] += instance.track_processes
        found["BFD session"] += instance.track_bfds
    for service in services:
        found["track file"] += [
            check.file for check in service.checks if isinstance(check, FileCheck)
        ]
    return found


def _refuse_twins(kind: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise HarnessError(f"{kind} {name} is defined twice on one director: give each its own")


def _refuse_strangers(groups: Iterable[SyncGroup], instances: list[str]) -> None:
    for group in groups:
        for member in group.members:
            if member not in instances:
                raise HarnessError(
                    f"sync group {group.name}: its member {member} is no VRRP instance"
                    " of this director; it has"
                    f" {', '.join(instances)}"
                )
