"""What a module of scenarios imports to say on which topology they run.

    pytestmark = topology(DirectorPair)


    @topology(DirectorPair, priorities=(100, 70))
    def test_...

mypy checks the parameters against ``build()`` of the topology. pytest's own spelling cannot be used
for this: ``pytest.mark.topology(DirectorPair)`` would mark the class itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, Protocol, overload

import pytest

from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.check.configured import Configured

Parameters = ParamSpec("Parameters")


class Buildable(Protocol[Parameters]):
    """A Mininet ``Topo``: what its ``build()`` takes are the parameters of the topology."""

    def build(self, *args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        """Add hosts, switches and links."""


@overload
def topology(
    wanted: type[Buildable[Parameters]], *args: Parameters.args, **parameters: Parameters.kwargs
) -> pytest.MarkDecorator: ...
@overload
def topology(wanted: Configured) -> pytest.MarkDecorator: ...
def topology(wanted: object, *args: object, **parameters: object) -> pytest.MarkDecorator:
    """The scenario runs on this topology; scenarios that say the same may share one cluster.

    ``wanted`` is a Mininet ``Topo`` or ``configured("lb1.conf", "lb2.conf")``. As a decorator it is
    for one scenario, as ``pytestmark`` (or in a list of that name) for a module. HarnessError for a
    parameter without its name.
    """
    return _mark(wanted, args, parameters)


@overload
def fresh_topology(
    wanted: type[Buildable[Parameters]], *args: Parameters.args, **parameters: Parameters.kwargs
) -> pytest.MarkDecorator: ...
@overload
def fresh_topology(wanted: Configured) -> pytest.MarkDecorator: ...
def fresh_topology(wanted: object, *args: object, **parameters: object) -> pytest.MarkDecorator:
    """As :func:`topology`, for a scenario that needs a cluster on which no other one has run."""
    return _mark(wanted, args, {**parameters, "fresh": True})


def _mark(
    wanted: object, args: tuple[object, ...], parameters: dict[str, object]
) -> pytest.MarkDecorator:
    if args:
        name = getattr(wanted, "__name__", wanted)
        raise HarnessError(f"topology({name}, {args[0]!r}): give each parameter by its name")
    return pytest.mark.topology.with_args(wanted, **parameters)
