"""The command ``lvs-harness``: what is needed around the tests, which themselves are started with pytest."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from harness.errors import HarnessError
from harness.kernels import choice


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; returns the exit status: 0 for success, 1 for an error that was told, 2 for unusable arguments."""
    parser = argparse.ArgumentParser(prog="lvs-harness", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    doctor = commands.add_parser("doctor", help="say which kernel clusters would run on here, and what is missing")
    doctor.set_defaults(run=_doctor)

    kernel = commands.add_parser("kernel", help="the embedded kernel with virtual time")
    verbs = kernel.add_subparsers(dest="verb", required=True, metavar="VERB")
    build = verbs.add_parser("build", help="build it, unless the cache has it (about 4 minutes on two cores)")
    build.add_argument("--source", metavar="DEB", help="a linux-source package on disk, instead of downloading one")
    build.set_defaults(run=_kernel_build)
    verbs.add_parser("path", help="print where the built kernel lies").set_defaults(run=_kernel_path)

    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except HarnessError as problem:
        print(f"lvs-harness: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lvs-harness: interrupted", file=sys.stderr)
        return 130
    return status


def _doctor(options: argparse.Namespace) -> int:
    from harness.daemons.daemon import programs

    missing = 0
    for program, package, found in programs():
        print(f"{program:<12} {found or f'missing: apt-get install {package}'}")
        missing += found is None
    print(f"{'kernel':<12} {choice.choose('auto', 'auto', 0).header}")
    return 1 if missing else 0


def _kernel_build(options: argparse.Namespace) -> int:
    from harness.kernels.build import build

    began = time.monotonic()
    build(progress=lambda line: print(line, flush=True), source=options.source)
    print(
        f"ready after {time.monotonic() - began:.0f} s; clusters now run in virtual time unless --clock real is given"
    )
    return 0


def _kernel_path(options: argparse.Namespace) -> int:
    from harness.kernels import cache

    kernel = cache.find()
    if kernel is None:
        raise HarnessError("no kernel has been built yet; build one: make kernel")
    print(kernel.path)
    return 0
