"""``--image`` and ``--keepalived``: whose root file system is not this machine's, and which
keepalived runs there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.plugin import private_pytest

if TYPE_CHECKING:
    from harness.images.selection import Selection


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("lvs-harness")
    group.addoption(
        "--image",
        action="append",
        default=[],
        metavar="[NODE|ROLE=]IMAGE",
        help="the root file system of all machines, of a role (director, realserver, client) or"
        " of one node: a release"
        " (bullseye, bookworm, trixie, sid, ...), made if need be, the folder of a root or of an"
        " OCI layout, or host",
    )
    group.addoption(
        "--keepalived",
        action="append",
        default=[],
        metavar="[NODE=]PATH",
        help="run a keepalived of your own: the program, the folder of its built source, or"
        " CHECKOUT@COMMIT, which is"
        " built if need be",
    )


def base_selection(config: pytest.Config) -> Selection | None:
    """What the two options ask for; None if nothing. HarnessError if they contradict themselves."""
    images, keepaliveds = config.getoption("image"), config.getoption("keepalived")
    if not images and not keepaliveds:
        return None
    from harness.images.selection import Selection

    return Selection.of(images, keepaliveds)


def selection_of(item: pytest.Item) -> Selection | None:
    """Which images the nodes of a scenario have, column of the matrix included; None if all
    have this machine's.
    """
    base = base_selection(item.config)
    column = private_pytest.parameters_of(item).get("_column")
    if not column:
        return base
    from harness.images.selection import Selection

    return (base or Selection()).with_directors(column.split("+"))
