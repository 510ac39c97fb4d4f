"""``lvs-harness image``: root file systems and keepaliveds for ``--image``, ``--keepalived`` and
``--matrix``.
"""

from __future__ import annotations

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Declare the command and its verbs."""
    image = commands.add_parser(
        "image", help="root file systems of other releases, and other keepaliveds"
    )
    verbs = image.add_subparsers(dest="verb", required=True, metavar="VERB")
    make = verbs.add_parser("make", help="make images before they are used (about a minute each)")
    make.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="releases, folders, CHECKOUT@COMMIT; default: all known",
    )
    make.add_argument(
        "--again",
        action="store_true",
        help="forget the release's image that there is: sid moves on",
    )
    make.set_defaults(run=_make)
    verbs.add_parser("list", help="list what has been made").set_defaults(run=_list)


def _make(options: argparse.Namespace) -> int:
    from harness.images import cache, release, selection

    for name in options.names or release.RELEASES:
        if options.again and release.is_with_packages(name):
            cache.forget(release.key(name))
        selection.make(name, lambda line: print(line, flush=True))
    return 0


def _list(options: argparse.Namespace) -> int:
    from harness.errors import HarnessError
    from harness.images import cache
    from harness.images.image import Image

    for folder in sorted(cache.location().glob("[!.]*/")):
        try:
            version = f"keepalived {Image(folder.name, str(folder)).keepalived}"
        except HarnessError:
            version = "no keepalived"
        print(f"{version:<20} {folder}")
    return 0
