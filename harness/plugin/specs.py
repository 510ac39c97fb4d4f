"""Which cluster a scenario wants, which keepaliveds run in it, and which scenarios may share it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError
from harness.images.image import HOST, Image
from harness.plugin import parallel
from harness.plugin.images import selection_of
from harness.plugin.marks import CONFIGURED, topology_of

if TYPE_CHECKING:
    from harness.keepalived.version import Version
    from harness.spec import ClusterSpec

_VERSIONS = pytest.StashKey[dict[str, "set[Version]"]]()


def spec_of(item: pytest.Item) -> ClusterSpec:
    """The cluster that a scenario wants. HarnessError if it does not say, or would get another."""
    from harness.spec import ClusterSpec

    source, parameters = topology_of(item)
    _refuse_namesake(source, item.path)
    fresh = bool(parameters.pop("fresh", False))
    return ClusterSpec(source, parameters, selection=selection_of(item), fresh=fresh)


def _refuse_namesake(source: object, scenario: Path) -> None:
    """Python knows a module by its name: where two folders have a file of one name, scenarios in
    the second get the topology of the first. HarnessError if this one has.
    """
    name = getattr(source, "__module__", "")
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None or "." in name or name == "conftest":  # of which pytest knows several
        return
    beside = scenario.with_name(Path(file).name)
    if beside.exists() and not beside.samefile(file):
        raise HarnessError(
            f"{scenario.name}: its topology is that of {file}, although a file of the same name"
            f" lies beside the scenario: rename {beside}, as Python imports one of a name only"
        )


def with_directors(spec: ClusterSpec, image: str) -> ClusterSpec:
    """The same cluster, whose directors all have another image."""
    from harness.images.selection import Selection

    selection = (spec.selection or Selection()).with_directors([image])
    return replace(spec, selection=selection)


def versions_of(item: pytest.Item) -> set[Version]:
    """The versions of keepalived that a scenario's directors run, and that a search compares them
    with; the host's if it names no topology.

    HarnessError if a director has none.
    """
    spec = _named(item)
    known = item.config.stash.setdefault(_VERSIONS, {})
    key = "" if spec is None else spec.key
    if key not in known:
        images = {HOST} if spec is None else spec.of_directors()
        searches = "search" in getattr(item, "fixturenames", ())
        against = item.config.getoption("against", None) if searches else None
        if spec is not None and against is not None:
            images = images | with_directors(spec, against).of_directors()
        known[key] = {image.keepalived for image in images}
    return known[key]


def images_with(item: pytest.Item, program: str) -> set[Image]:
    """The images of a scenario's machines that are to have a program; this machine's own if
    none says so.
    """
    spec = _named(item)
    return {HOST} if spec is None else spec.with_program(program)


def _named(item: pytest.Item) -> ClusterSpec | None:
    """The cluster that a test wants; None if it names none."""
    if item.get_closest_marker("topology") is None and CONFIGURED not in item.config.stash:
        return None
    return spec_of(item)


def unit_of(item: pytest.Item) -> str:
    """The same for all tests that may follow each other on one cluster, in every process.

    Those that need no cluster belong to their file.
    """
    if not parallel.on_cluster(item):
        return item.nodeid.partition("::")[0]
    try:
        spec = spec_of(item)
    except HarnessError:  # it will have none
        return item.nodeid
    alone = spec.fresh or item.config.getoption("controls")
    return f"{spec.key} {item.nodeid}" if alone else spec.key


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have those follow each other that share a cluster, in the order of the first of each.

    With workers it is the scheduler that gives them out so; trylast, so that others have selected.
    """
    if parallel.is_worker(config):
        return
    together: dict[str, list[pytest.Item]] = {}
    for item in items:
        together.setdefault(unit_of(item), []).append(item)
    items[:] = [item for unit in together.values() for item in unit]
