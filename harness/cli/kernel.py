"""``lvs-harness kernel``: the embedded kernel with virtual time."""

from __future__ import annotations

import argparse
import subprocess
import time
from collections.abc import Sequence
from typing import Any

from harness.errors import HarnessError

DURATION = "two to five minutes on two processors"


def add(commands: Any) -> None:
    """Declare the command and its verbs."""
    kernel = commands.add_parser("kernel", help="the embedded kernel with virtual time")
    verbs = kernel.add_subparsers(dest="verb", required=True, metavar="VERB")
    build = verbs.add_parser("build", help=f"build it, unless the cache has it ({DURATION})")
    build.add_argument(
        "--source", metavar="DEB", help="a linux-source package on disk, instead of downloading one"
    )
    build.set_defaults(run=_build)
    ensure = verbs.add_parser(
        "ensure", help="build it where that can be done and the run wants it (make scenarios)"
    )
    ensure.add_argument(
        "--installer", metavar="PROGRAM", help="what installs the Debian packages that it is given"
    )
    ensure.set_defaults(run=_ensure, passes=True)
    verbs.add_parser("path", help="print where the built kernel lies").set_defaults(run=_path)
    about = "print where the distribution's kernel lies, if it can run on this processor"
    verbs.add_parser("packaged", help=about).set_defaults(run=_packaged)


def _build(options: argparse.Namespace) -> int:
    from harness.kernels.making.build import build

    began = time.monotonic()
    build(progress=lambda line: print(line, flush=True), source=options.source)
    print(
        f"ready after {time.monotonic() - began:.0f} s; clusters now run in virtual"
        " time unless --clock real is given"
    )
    return 0


def _ensure(options: argparse.Namespace) -> int:
    """Build what pytest with the arguments ``options.passed`` will look for, if it is not there.

    A machine that cannot build it is no error: the run takes another kernel, and says so.
    """
    from harness.kernels import choice
    from harness.kernels.making import cache
    from harness.kernels.making.build import CannotBuild, build, missing_tools

    if not _wants_virtual_time(options.passed) or _is_built():
        return 0
    try:
        if (problem := choice.unsuited()) is not None:
            raise CannotBuild(problem)
        if (missing := missing_tools()) and options.installer:
            subprocess.run([options.installer, *missing], check=False)
        if missing := missing_tools():
            raise CannotBuild(
                f"building its kernel takes {', '.join(missing)}, which are not installed"
            )
        print(
            "lvs-harness: making a kernel with virtual time first, once, in"
            f" {cache.location()}: {DURATION}, and 150 MB"
            " from the package archive. In virtual time all scenarios take a minute or"
            " two, in real time half an hour.",
            flush=True,
        )
        build(progress=lambda line: print(line, flush=True))
    except CannotBuild as problem:
        print(f"lvs-harness: no virtual time: {str(problem).splitlines()[0]}", flush=True)
    except HarnessError as problem:
        raise HarnessError(
            f'{problem}\nTo go on without virtual time: make scenarios ARGS="--clock real -m core"'
        ) from None
    return 0


def _wants_virtual_time(passed: Sequence[str]) -> bool:
    """Whether a pytest with these arguments would run in virtual time if it could."""
    wanted = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    wanted.add_argument("--kernel", default="auto")
    wanted.add_argument("--clock", default="auto")
    run, _ = wanted.parse_known_args(list(passed))
    return run.kernel in ("auto", "uml") and run.clock != "real"


def _is_built() -> bool:
    from harness.kernels.making import cache

    try:
        return cache.find() is not None
    except cache.CorruptKernel:
        return False


def _path(options: argparse.Namespace) -> int:
    from harness.kernels.making import cache

    kernel = cache.find()
    if kernel is None:
        raise HarnessError("no kernel has been built yet; build one: make kernel")
    print(kernel.path)
    return 0


def _packaged(options: argparse.Namespace) -> int:
    from harness.kernels import choice
    from harness.kernels.host import uml

    kernel = uml.packaged()
    if kernel is None:
        raise HarnessError(
            f"the distribution's kernel is not installed; install it: {choice.INSTALL}"
        )
    if (problem := uml.unfit(kernel)) is not None:
        raise HarnessError(problem)
    print(kernel.path)
    return 0
