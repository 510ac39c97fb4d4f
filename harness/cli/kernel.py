"""``lvs-harness kernel``: the embedded kernel with virtual time."""

from __future__ import annotations

import argparse
import time
from typing import Any

from harness.errors import HarnessError


def add(commands: Any) -> None:
    """Declare the command and its verbs."""
    kernel = commands.add_parser("kernel", help="the embedded kernel with virtual time")
    verbs = kernel.add_subparsers(dest="verb", required=True, metavar="VERB")
    build = verbs.add_parser("build", help="build it, unless the cache has it (about 4 minutes on two cores)")
    build.add_argument("--source", metavar="DEB", help="a linux-source package on disk, instead of downloading one")
    build.set_defaults(run=_build)
    verbs.add_parser("path", help="print where the built kernel lies").set_defaults(run=_path)


def _build(options: argparse.Namespace) -> int:
    from harness.kernels.build import build

    began = time.monotonic()
    build(progress=lambda line: print(line, flush=True), source=options.source)
    print(
        f"ready after {time.monotonic() - began:.0f} s; clusters now run in virtual time unless --clock real is given"
    )
    return 0


def _path(options: argparse.Namespace) -> int:
    from harness.kernels import cache

    kernel = cache.find()
    if kernel is None:
        raise HarnessError("no kernel has been built yet; build one: make kernel")
    print(kernel.path)
    return 0
