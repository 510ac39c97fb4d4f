"""``lvs-harness reproduce``: a bundle run again on another machine, and whether the same came
out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.cli.progress import progress
from harness.counting import counted
from harness.errors import HarnessError
from harness.images import program
from harness.images.selection import make, versions
from harness.kernels import choice
from harness.kernels.host import boundary, memory
from harness.kernels.host.interrupts import INTERRUPTED
from harness.kernels.host.watchdog import WATCHDOG, limit
from harness.kernels.run import Run
from harness.received import plain
from harness.repeating.again import arguments, images, selected
from harness.repeating.reproduced import compare, other_versions
from harness.report import artifacts
from harness.report.bundle import SELECTION, Bundle, read
from harness.report.versions import commit

_ENVIRONMENT = {"PATH", "HOME", "LANG", "TERM", "COLORTERM", "NO_COLOR", "TMPDIR", "XDG_CACHE_HOME"}
_PYTEST_INTERRUPTED = 2
"""pytest's exit status when it was interrupted."""


def add(commands: Any) -> None:
    """Declare the command."""
    reproduce = commands.add_parser(
        "reproduce", help="run a bundle again, and compare verdicts and timelines"
    )
    reproduce.add_argument("bundle", type=Path, metavar="BUNDLE")
    reproduce.add_argument(
        "--yes", action="store_true", help="agree to run what is in it, without being asked"
    )
    reproduce.add_argument(
        "--into",
        type=Path,
        metavar="DIR",
        help="a new folder for it (default: <bundle>-reproduced)",
    )
    reproduce.add_argument(
        "--kernel", default="uml", metavar="uml|PATH", help="the embedded kernel it runs in"
    )
    reproduce.add_argument(
        "--watchdog",
        type=limit,
        default=WATCHDOG,
        metavar="SECONDS",
        help="as for pytest (default: %(default)s)",
    )
    reproduce.add_argument("--quota", metavar="SIZE", help="as for pytest")
    about = "run it also where this machine cannot limit what it does to it (docs/security.md)"
    reproduce.add_argument("--trust", action="store_true", help=about)
    for option in SELECTION:
        reproduce.add_argument(
            f"--{option}",
            action="append",
            metavar="VALUE",
            help=f"instead of each --{option} that it was run with",
        )
    reproduce.set_defaults(run=_reproduce)


def _reproduce(options: argparse.Namespace) -> int:
    """Nothing of the bundle runs on this machine's own kernel: pytest begins inside the embedded
    one.
    """
    if options.kernel in ("auto", "native"):
        raise HarnessError(
            "a bundle is run in the embedded kernel only: --kernel uml, or the path of one"
        )
    progress(f"reading {options.bundle}")
    bundle = read(options.bundle)
    if not bundle.sources:
        raise HarnessError(f"{options.bundle} has no sources: it can be read, and not reproduced")
    clock = bundle.manifest["clock"]
    chosen = choice.choose(options.kernel, clock, bundle.manifest["seed"])
    missing = None if options.trust else boundary.lacking(embedded=True)
    if missing is not None and not boundary.agreed(missing):
        raise HarnessError(
            f"{missing} (docs/security.md): look at what is in the bundle, and say"
            " --trust to run it"
        )
    room = max(memory.SMALLEST, min(bundle.manifest.get("memory") or 0, memory.left()))
    chosen = replace(chosen, memory=room, quota=memory.quota(options.quota))
    selection = {name: selected(bundle, name, getattr(options, name)) for name in SELECTION}
    given = arguments(bundle, selection)
    into = _extract(bundle, (options.into or Path(f"{options.bundle.stem}-reproduced")).absolute())
    _show(bundle, into, given, chosen.header)
    if not options.yes and not _agreed():
        print("lvs-harness: nothing was run")
        return 1
    _make(selection)
    run, interrupted = _run(bundle, chosen, into, given, selection, options.watchdog)
    progress("comparing verdicts and timelines")
    status = compare(bundle, run, interrupted)
    for line in other_versions(bundle.manifest, artifacts.read_about(run / artifacts.RUN)):
        print(f"lvs-harness: {line}")
    return status


def _extract(bundle: Bundle, into: Path) -> Path:
    """Write its files into a new folder, or take the one in which they were left to be looked
    at.
    """
    if _holds(into, bundle.sources):
        return into
    try:
        into.mkdir(parents=True)
        for name, data in bundle.sources.items():
            path = into / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    except FileExistsError:
        raise HarnessError(
            f"{into} is there already: remove it, or name another with --into"
        ) from None
    except OSError as problem:
        shutil.rmtree(into, ignore_errors=True)
        raise HarnessError(
            f"cannot write {into}: {problem.strerror}; make room or mend it"
        ) from None
    return into


def _holds(folder: Path, sources: dict[str, bytes]) -> bool:
    """Whether that and nothing else is in it."""
    paths = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    if {str(path.relative_to(folder)) for path in paths} != set(sources):
        return False
    return all(path.is_file() and not path.is_symlink() for path in paths) and all(
        (folder / name).read_bytes() == data for name, data in sources.items()
    )


def _make(selection: dict[str, list[str]]) -> None:
    """Make the images that are missing, as the run, inside the embedded kernel, cannot."""
    for name in images(selection):
        make(name, lambda line: print(line, flush=True))


def _show(bundle: Bundle, into: Path, given: list[str], header: str) -> None:
    print(f"This bundle holds these files, which are now in {into}:")
    for name, data in sorted(bundle.sources.items()):
        print(f"  {len(data):>8} bytes  {name}")
    print(
        f"Reproducing it runs {counted(len(bundle.manifest['scenarios']), 'test')} of them"
        f" in this: {header}"
    )
    print(f"  pytest {plain(' '.join(given[: given.index('--')]))} ...")
    print(
        f"It was recorded on this: {plain(bundle.manifest.get('kernel'))};"
        f" {plain(_versions(bundle.manifest))}"
    )
    faults: set[str] = set()
    for each in bundle.manifest["scenarios"]:
        faults.update(str(fault.get("name")) for fault in each.get("faults", ()))
    print(f"Faults: {plain(', '.join(sorted(faults)) or 'none')}")
    sys.stdout.flush()


def _versions(manifest: dict[str, Any]) -> str:
    """The versions of the programs that a bundle was recorded with, in one line."""
    programs = manifest.get("versions") or {}
    images = {
        f"keepalived of {image}": version
        for image, version in (manifest.get("images") or {}).items()
    }
    return ", ".join(f"{name} {version}" for name, version in (programs | images).items())


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise HarnessError("nobody is here to agree to run this: look at it, and say --yes")
    try:
        return input("Run them? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _run(
    bundle: Bundle,
    chosen: choice.Choice,
    into: Path,
    given: list[str],
    selection: dict[str, list[str]],
    watchdog: float,
) -> tuple[Path, bool]:
    """The run's folder, and whether it was interrupted: then what it had written is all there
    is.
    """
    from harness.report import page

    folder = artifacts.new_run(into / "artifacts")
    run = Run(folder, chosen.header, program.commits())
    about = {
        "kernel": chosen.header,
        "clock": bundle.manifest["clock"],
        "seed": chosen.seed,
        "arguments": given,
    }
    about |= {"selection": selection, "images": versions(images(selection)), "commit": commit()}
    artifacts.update(folder / artifacts.RUN, about)
    os.chdir(into)
    _forget_environment()
    try:
        status = chosen.run(
            "pytest", given, run, watchdog=watchdog, readable=map(Path, images(selection))
        )
    except KeyboardInterrupt:  # while the guest was booting
        status = INTERRUPTED
    artifacts.update(folder / artifacts.RUN, {"status": status})
    print(f"lvs-harness: {page.write(folder, progress)}")
    return folder, status in (_PYTEST_INTERRUPTED, INTERRUPTED)


def _forget_environment() -> None:
    """Keep what is none of a bundle's business, such as tokens, out of the environment that it is
    run in.
    """
    for name in [*os.environ]:
        if name not in _ENVIRONMENT and not name.startswith("LC_"):
            del os.environ[name]
