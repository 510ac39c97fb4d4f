"""The terminal in which a failure is read: how wide it is, and whether it has colours.

A worker of pytest-xdist has none of its own; its controller tells it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest

from harness.plugin import parallel, private_pytest
from harness.report.folding import Style

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

_TOLD = "lvs_harness_reader"
_COLOURS: Final[dict[Style, dict[str, bool]]] = {
    "": {},
    "fault": {"red": True},
    "missed": {"red": True, "bold": True},
    "master": {"green": True, "bold": True},
}


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Tell a worker of the terminal."""
    config: pytest.Config = node.config
    node.workerinput[_TOLD] = [width(config), config.get_terminal_writer().hasmarkup]


def width(config: pytest.Config) -> int | None:
    """How many columns the terminal has; None in a pipe, where no line is cut."""
    if parallel.is_worker(config):
        told: int | None = config.workerinput[_TOLD][0]  # type: ignore[attr-defined]
        return told
    writer = config.get_terminal_writer()
    is_terminal = private_pytest.is_a_terminal(writer) or "COLUMNS" in os.environ
    return writer.fullwidth if is_terminal else None


def paint(config: pytest.Config, text: str, style: Style) -> str:
    """A text in the colour of its style, where the terminal shows colours."""
    if parallel.is_worker(config):
        writer = private_pytest.TerminalWriter()
        writer.hasmarkup = config.workerinput[_TOLD][1]  # type: ignore[attr-defined]
    else:
        writer = config.get_terminal_writer()
    return writer.markup(text, **_COLOURS[style])
