"""Which images and keepaliveds a command is to take: the same two options wherever pytest takes
them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable


def declare(parser: argparse.ArgumentParser) -> None:
    """Have a command take ``--image`` and ``--keepalived``, any number of times."""
    parser.add_argument(
        "--image", action="append", default=[], metavar="[WHOSE=]IMAGE", help="as for pytest"
    )
    parser.add_argument(
        "--keepalived", action="append", default=[], metavar="[NODE=]PATH", help="as for pytest"
    )


def passed_on(options: argparse.Namespace) -> list[str]:
    """The same, for pytest's command line."""
    return [*repeated("--image", options.image), *repeated("--keepalived", options.keepalived)]


def repeated(option: str, values: Iterable[str]) -> list[str]:
    """An option once for each value."""
    words = []
    for value in values:
        words += [option, value]
    return words
