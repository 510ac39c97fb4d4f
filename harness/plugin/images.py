"""``--image`` and ``--keepalived``: whose root file system is not this machine's, and which keepalived runs there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.plugin import private_pytest
from harness.plugin.marks import CONFIGURED, topology_of

if TYPE_CHECKING:
    from harness.check.configured import Configured
    from harness.images.image import Image
    from harness.images.selection import Selection
    from harness.keepalived.version import Version
    from harness.lab.plan import Plan, Topology

_plans = pytest.StashKey[dict[str, "Plan"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("lvs-harness")
    group.addoption(
        "--image",
        action="append",
        default=[],
        metavar="[NODE|ROLE=]IMAGE",
        help="the root file system of all machines, of a role (director, realserver, client) or of one node: a release"
        " (bullseye, bookworm, trixie, sid, ...), made if need be, the folder of a root or of an OCI layout, or host",
    )
    group.addoption(
        "--keepalived",
        action="append",
        default=[],
        metavar="[NODE=]PATH",
        help="run a keepalived of your own: the program, the folder of its built source, or CHECKOUT@COMMIT, which is"
        " built if need be",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin to remember plans."""
    config.stash[_plans] = {}


def base_selection(config: pytest.Config) -> Selection | None:
    """What the two options ask for; None if nothing. HarnessError if they contradict themselves."""
    images, keepaliveds = config.getoption("image"), config.getoption("keepalived")
    if not images and not keepaliveds:
        return None
    from harness.images.selection import Selection

    return Selection.of(images, keepaliveds)


def selection_of(item: pytest.Item) -> Selection | None:
    """Which images the nodes of a scenario have, column of the matrix included; None if all have this machine's."""
    base = base_selection(item.config)
    column = private_pytest.parameters_of(item).get("_column")
    if not column:
        return base
    from harness.images.selection import Selection

    return (base or Selection()).with_directors(column.split("+"))


def versions_of(item: pytest.Item) -> set[Version]:
    """The versions of keepalived that the directors of a scenario run. HarnessError if one has none."""
    from harness.images.image import HOST
    from harness.topology import Director

    if (own := _configured_with(item)) is not None:
        return {image.keepalived for image in own}
    whole = _plan_of(item)
    images = {host.image for host in whole.of_role(Director)} if whole is not None else set()
    return {image.keepalived for image in images or {HOST}}


def images_with(item: pytest.Item, program: str) -> set[Image]:
    """The images of a scenario's machines that are to have a program; this machine's own if none says so."""
    from harness.daemons.nodes import programs_of
    from harness.images.image import HOST

    whole = _plan_of(item)
    hosts = whole.hosts if whole is not None else ()
    return {host.image for host in hosts if program in programs_of(host.role, host.image)} or {HOST}


def _configured_with(item: pytest.Item) -> set[Image] | None:
    """The images of the directors that the user's own configurations name; None if there are none of those."""
    from harness.check.configured import Configured

    selection, topology = selection_of(item), _topology_of(item)
    if selection is None or not isinstance(topology, Configured):
        return None
    directors = [configuration.director for configuration in topology.configurations]
    return {selection.image_of(director, "director", number) for number, director in enumerate(directors)}


def _topology_of(item: pytest.Item) -> Topology | Configured | None:
    """The topology of a scenario; None if it names none."""
    if item.get_closest_marker("topology") is None and CONFIGURED not in item.config.stash:
        return None
    return topology_of(item)[0]


def _plan_of(item: pytest.Item) -> Plan | None:
    """The plan of a scenario whose machines may have images; None if all have this machine's own files."""
    from harness.check.configured import Configured

    selection, topology = selection_of(item), _topology_of(item)
    if selection is None or topology is None or isinstance(topology, Configured):
        return None
    parameters = topology_of(item)[1]
    parameters.pop("fresh", None)
    key = repr((topology, parameters, selection))
    plans = item.config.stash[_plans]
    if key not in plans:
        from harness.pool import planned

        plans[key] = planned(topology, parameters, 0, selection=selection)
    return plans[key]
