"""The marks that a scenario bears, read and checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.check.configured import Configured
    from harness.lab.plan import Topology
    from harness.scenario.control import Control


CONFIGURED = pytest.StashKey["Configured"]()
"""The topology of scenarios that name none: the one made from the user's own configurations."""


def topology_of(item: pytest.Item) -> tuple[Topology | Configured, dict[str, Any]]:
    """The Mininet ``Topo`` that a scenario runs on, and its parameters; HarnessError if it does
    not say.
    """
    marker = item.get_closest_marker("topology")
    if marker is None and (own := item.config.stash.get(CONFIGURED, None)) is not None:
        return own, {}
    if marker is None or len(marker.args) != 1:
        raise HarnessError(
            f"{item.nodeid}: say on which topology it runs: pytestmark = topology(DirectorPair),"
            " with from harness.scenario import topology"
        )
    (topology,) = marker.args
    if not callable(topology) and not hasattr(topology, "read"):  # as that of configurations
        raise HarnessError(
            f"{item.nodeid}: the mark `topology` takes a Mininet Topo, such as DirectorPair:"
            f" {topology!r}"
        )
    return topology, dict(marker.kwargs)


def as_labels(caught: str | Iterable[str]) -> tuple[str, ...]:
    """What ``caught=`` of a mark says: one label or several."""
    return (caught,) if isinstance(caught, str) else tuple(caught)


def controls_of(item: pytest.Item) -> list[Control]:
    """The controls that a scenario names. HarnessError if one is not declared as it should be."""
    from harness.scenario.control import Control

    return [
        Control.of(item.nodeid, *marker.args, **marker.kwargs)
        for marker in item.iter_markers("control")
    ]
