"""Typed objects to the text of a keepalived.conf (keepalived.conf(5)), good for keepalived 2.1.5 and newer.

Pure: nothing is read, started or written. The objects have checked their own fields, so no string can leave
its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.errors import HarnessError
from harness.keepalived.config.global_defs import GlobalDefs, global_defs
from harness.keepalived.config.services import virtual_server
from harness.keepalived.config.vrrp import vrrp_instance, vrrp_script
from harness.topology.services import Destination, VirtualService
from harness.topology.vrrp import VrrpInstance, VrrpScript

__all__ = ["GlobalDefs", "render"]


def render(
    defs: GlobalDefs,
    instances: Sequence[VrrpInstance],
    services: Sequence[tuple[VirtualService, Sequence[Destination]]],
) -> str:
    """The keepalived.conf: global definitions, the scripts that ``instances`` track, ``instances``,
    ``services``.

    Raises HarnessError where keepalived would drop one of two things that bear the same name.
    """
    _refuse_twins("VRRP instance", [instance.name for instance in instances])
    _refuse_twins("VRID", [f"{instance.vrid} on {instance.interface}" for instance in instances])
    _refuse_twins("virtual service", [f"{service.vip}:{service.port} {service.protocol}" for service, _ in services])
    blocks = [
        global_defs(defs),
        *map(vrrp_script, _tracked(instances)),
        *map(vrrp_instance, instances),
        *(virtual_server(service, destinations) for service, destinations in services),
    ]
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks)


def _tracked(instances: Iterable[VrrpInstance]) -> list[VrrpScript]:
    scripts = list(dict.fromkeys(script for instance in instances for script in instance.track_scripts))
    _refuse_twins("VRRP script", [script.name for script in scripts])
    return scripts


def _refuse_twins(kind: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise HarnessError(f"{kind} {name} is defined twice on one director: give each its own")
