"""Typed objects to the text of a keepalived.conf (keepalived.conf(5)), good for keepalived 2.1.5
and newer.

Pure: nothing is read, started or written. The rules of :mod:`harness.topology.rules` come first, so
no string can leave its place.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import TypeVar

from harness.keepalived.config.global_defs import GlobalDefs, global_defs
from harness.keepalived.config.services import virtual_server
from harness.keepalived.config.tracking import (
    bfd_instance,
    track_file,
    vrrp_script,
    vrrp_track_process,
)
from harness.keepalived.config.vrrp import vrrp_instance, vrrp_sync_group
from harness.topology import rules
from harness.topology.checks import FileCheck
from harness.topology.services import Destination, VirtualService
from harness.topology.tracking import TrackedBfd, TrackedFile, TrackedProcess, VrrpScript
from harness.topology.vrrp import SyncGroup, VrrpInstance

__all__ = ["GlobalDefs", "render"]

T = TypeVar("T", VrrpScript, TrackedFile, TrackedProcess, TrackedBfd)


def render(
    defs: GlobalDefs,
    instances: Sequence[VrrpInstance],
    services: Sequence[tuple[VirtualService, Sequence[Destination]]],
    groups: Sequence[SyncGroup] = (),
) -> str:
    """The keepalived.conf: global definitions, what ``instances`` track, ``groups``, ``instances``,
    ``services``.

    Raises HarnessError for what may not be written (:mod:`harness.topology.rules`), and where
    keepalived would drop one of two things that bear the same name.
    """
    for part in (*instances, *groups):
        rules.check(part)
    for service, destinations in services:
        for checked in (service, *destinations):
            rules.check(checked)
    rules.check_together(instances, groups, [service for service, _ in services])
    blocks = [
        global_defs(defs),
        *map(vrrp_script, _once(each.track_scripts for each in instances)),
        *map(
            track_file, _once([*(each.track_files for each in instances), _checked_files(services)])
        ),
        *map(vrrp_track_process, _once(each.track_processes for each in instances)),
        *map(bfd_instance, _once(each.track_bfds for each in instances)),
        *map(vrrp_sync_group, groups),
        *map(vrrp_instance, instances),
        *(virtual_server(service, destinations) for service, destinations in services),
    ]
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks)


def _once(each: Iterable[Iterable[T]]) -> list[T]:
    return list(dict.fromkeys(itertools.chain.from_iterable(each)))


def _checked_files(services: Iterable[tuple[VirtualService, object]]) -> list[TrackedFile]:
    return [
        check.file
        for service, _ in services
        for check in service.checks
        if isinstance(check, FileCheck)
    ]
