"""``lvs-harness reproduce``: a bundle run again on another machine, and whether the same came
out.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness import received
from harness.cli.progress import progress
from harness.errors import HarnessError
from harness.images import program, release
from harness.images.selection import make, versions
from harness.kernels import choice
from harness.kernels.host import boundary, memory
from harness.kernels.host.interrupts import INTERRUPTED
from harness.kernels.host.watchdog import WATCHDOG, limit
from harness.kernels.run import Run
from harness.report import artifacts
from harness.report.bundle import SELECTION, Bundle, read
from harness.report.versions import commit
from harness.topology.machines import SPEAKERS

_NAME = re.compile(r"[^=,+]+(?![^,+]*=)")
"""An image or a keepalived in the value of an option: what is before a ``=`` says whose it is."""
_IMAGE = re.compile(r"(?:(?<==)|^)[^=]+$")
"""The same for ``--image``, whose ``trixie+frr,tcpdump`` is one image with packages."""
_WORDS = ("host", "mixed")
"""What ``--image`` and ``--matrix`` understand beside names."""
_MOST_VERBOSE = 4
_ENVIRONMENT = {"PATH", "HOME", "LANG", "TERM", "COLORTERM", "NO_COLOR", "TMPDIR", "XDG_CACHE_HOME"}
_PYTEST_INTERRUPTED = 2
"""pytest's exit status when it was interrupted."""
_SWITCHES = {"controls": "--controls", "bugs_fail": "--bugs-fail"}


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
    status = _compare(bundle, run, interrupted)
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


def selected(bundle: Bundle, option: str, instead: list[str] | None) -> list[str]:
    """The values of ``--image`` and the like: as it was run with, or what is given instead.

    HarnessError if it was run with a file of the other machine's, which a bundle does not hold.
    """
    if instead is not None:
        named = _IMAGE if option == "image" else _NAME
        return [named.sub(_absolute, value) for value in instead]
    values: list[str] = (bundle.manifest.get("selection") or {}).get(option, [])
    for name in _names(option, values):
        if release.is_with_packages(name) and not release.is_release(name):
            raise HarnessError(
                f"it was run with --{option} {_plain(' '.join(values))}, which adds packages:"
                f" if you want them, say --{option} {_plain(name)}"
            )
        if name not in _WORDS and not release.is_release(name):
            raise HarnessError(
                f"it was run with --{option} {_plain(' '.join(values))}, and a bundle"
                f" does not hold {_plain(name)}:"
                f" say what to take instead, with --{option}"
            )
    return values


def _names(option: str, values: Iterable[str]) -> list[str]:
    """The images and keepaliveds that the values of an option name."""
    named = _IMAGE if option == "image" else _NAME
    found: list[str] = []
    for value in values:
        found += named.findall(value)
    return found


def _absolute(name: re.Match[str]) -> str:
    """A path as it is from any folder, since pytest runs in another one; CHECKOUT@COMMIT too."""
    path, at, commit = name[0].rpartition("@")
    if not path or os.path.exists(name[0]):
        path, at, commit = name[0], "", ""
    return f"{os.path.abspath(path)}{at}{commit}" if os.path.exists(path) else name[0]


def _make(selection: dict[str, list[str]]) -> None:
    """Make the images that are missing, as the run, inside the embedded kernel, cannot."""
    for name in images(selection):
        make(name, lambda line: print(line, flush=True))


def images(selection: dict[str, list[str]]) -> list[str]:
    """All images and keepaliveds of a selection, once."""
    names = []
    for option, values in selection.items():
        names += _names(option, values)
    return [name for name in dict.fromkeys(names) if name not in _WORDS]


def arguments(bundle: Bundle, selection: dict[str, list[str]]) -> list[str]:
    """What pytest is given: of what the bundle says, the names of tests and options of the
    harness's own.
    """
    tests = [scenario["test"] for scenario in bundle.manifest["scenarios"]]
    if lacking := [test for test in tests if test.partition("::")[0] not in bundle.sources]:
        raise HarnessError(f"the bundle lacks the file of {lacking[0]}, so it cannot be reproduced")
    keep = bundle.manifest.get("keep")
    options = ["--keep", keep if keep in ("all", "failed", "none") else "failed"]
    options += ["-p", "no:cacheprovider", "--rootdir=."]
    verbosity = bundle.manifest.get(
        "verbosity"
    )  # each line that is shown reads the clock, which takes 256 ns
    if isinstance(verbosity, int) and 0 < abs(verbosity) <= _MOST_VERBOSE:
        letter = "q" if verbosity < 0 else "v"
        options.append("-" + letter * abs(verbosity))
    options += ["--seed", str(bundle.manifest["seed"])]  # for hardware addresses
    for option, values in selection.items():
        options += [f"--{option}={value}" for value in values]
    options += [option for name, option in _SWITCHES.items() if bundle.manifest.get(name) is True]
    if (speaker := bundle.manifest.get("speaker")) not in (None, SPEAKERS[0]):
        options += ["--speaker", speaker]
    return [*options, "--", *tests]


def _show(bundle: Bundle, into: Path, given: list[str], header: str) -> None:
    print(f"This bundle holds these files, which are now in {into}:")
    for name, data in sorted(bundle.sources.items()):
        print(f"  {len(data):>8} bytes  {name}")
    print(
        f"To reproduce it, {len(bundle.manifest['scenarios'])} tests of them are run in"
        f" this: {header}"
    )
    print(f"  pytest {_plain(' '.join(given[: given.index('--')]))} ...")
    print(
        f"It was recorded on this: {_plain(bundle.manifest.get('kernel'))};"
        f" {_plain(_versions(bundle.manifest))}"
    )
    faults: set[str] = set()
    for each in bundle.manifest["scenarios"]:
        faults.update(str(fault.get("name")) for fault in each.get("faults", ()))
    print(f"Faults: {_plain(', '.join(sorted(faults)) or 'none')}")
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


def _compare(bundle: Bundle, run: Path, interrupted: bool = False) -> int:
    """Print what came of each scenario there and here; 0 if the verdicts are the same.

    Of a run that was interrupted only those scenarios count that had ended.
    """
    from harness.repeating.determinism import differences, drift

    here = {scenario.name: scenario for scenario in artifacts.read_run(run).scenarios}
    there = {scenario["test"]: scenario for scenario in bundle.manifest["scenarios"]}
    if interrupted:
        everything = len(there)
        there = {
            name: one
            for name, one in there.items()
            if name in here and here[name].outcome != "unfinished"
        }
    timelines = {name: bundle.timeline(scenario) for name, scenario in there.items()}
    repeated = {name: _timeline(run, here[name]) for name in there if name in here}
    differing = differences(timelines, repeated)
    nearly = {name: drift(timelines[name], repeated.get(name, b"")) for name in differing}
    for name, seconds in nearly.items():
        if seconds is not None:
            differing[name] = f"of the same events, their times up to {seconds * 1e6:.3g} µs apart"
    verdicts = {name: here[name].outcome if name in here else "did not run" for name in there}
    for name, scenario in there.items():
        was, now = _plain(scenario["outcome"]), verdicts[name]
        verdict = f"{now}, as before" if was == now else f"{now}, and was {was}"
        print(
            f"{name}: {verdict}; timeline {_plain(differing.get(name, 'identical'), keep=chr(10))}"
        )
    same = sum(verdicts[name] == scenario["outcome"] for name, scenario in there.items())
    print(
        f"lvs-harness: {same} of {len(there)} verdicts are the same,"
        f" {len(there) - len(differing)} timelines identical,"
        f" {sum(seconds is not None for seconds in nearly.values())} more of the same events"
    )
    if interrupted:
        print(
            "lvs-harness: interrupted: that is what was found until then;"
            f" {everything - len(there)} of {everything}"
            " tests had not ended"
        )
        return INTERRUPTED
    return 0 if same == len(there) else 1


def other_versions(there: dict[str, Any], here: dict[str, Any]) -> list[str]:
    """What is not as it was where the bundle comes from, which may be why a timeline differs; a
    line each.
    """
    found = []
    for of in ("versions", "images"):
        was, now = there.get(of) or {}, here.get(of) or {}
        found += [
            f"{_plain(name)} is {_plain(now[name])} here, and was {_plain(was[name])}"
            for name in was
            if name in now and now[name] != was[name]
        ]
    if there.get("commit") and here.get("commit") and there["commit"] != here["commit"]:
        found.append(
            f"the harness is of commit {here['commit']} here, and was of {_plain(there['commit'])}"
        )
    return found


def _timeline(run: Path, scenario: artifacts.Scenario) -> bytes:
    try:
        return received.read(run, f"{scenario.folder.name}/{artifacts.TIMELINE}")
    except OSError:  # which its problems tell of
        return b""


def _plain(value: object, keep: Iterable[str] = ()) -> str:
    """A text that somebody else wrote, without characters that a terminal would obey."""
    return "".join(char if char.isprintable() or char in keep else "?" for char in str(value))
