"""``lvs-harness bundle`` and ``lvs-harness reproduce``: a run in one file, and run again on another machine."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.kernels import choice
from harness.report.bundle import Bundle, make, read


def add(commands: Any) -> None:
    """Declare the commands."""
    bundle = commands.add_parser("bundle", help="make one archive of a run, to be looked at or reproduced elsewhere")
    bundle.add_argument("folder", type=Path, metavar="DIR", help="the run's folder, artifacts/<run>")
    bundle.add_argument("--output", type=Path, metavar="FILE", help="default: <run>.zip in this folder")
    bundle.add_argument("--with-secrets", action="store_true", help="leave auth_pass as it is, instead of masking it")
    bundle.set_defaults(run=_bundle)

    reproduce = commands.add_parser("reproduce", help="run a bundle again, and compare verdicts and timelines")
    reproduce.add_argument("bundle", type=Path, metavar="BUNDLE")
    reproduce.add_argument("--yes", action="store_true", help="agree to run what is in it, without being asked")
    reproduce.add_argument(
        "--into", type=Path, metavar="DIR", help="a new folder for it (default: <bundle>-reproduced)"
    )
    reproduce.add_argument("--kernel", default="uml", metavar="uml|PATH", help="the embedded kernel it runs in")
    reproduce.set_defaults(run=_reproduce)


def _bundle(options: argparse.Namespace) -> int:
    target = options.output or Path(f"{options.folder.resolve().name}.zip")
    for note in make(options.folder, target, options.with_secrets):
        print(f"lvs-harness: {note}")
    print(target)
    return 0


def _reproduce(options: argparse.Namespace) -> int:
    """Nothing of the bundle runs on this machine's own kernel: pytest begins inside the embedded one."""
    if options.kernel in ("auto", "native"):
        raise HarnessError("a bundle is run in the embedded kernel only: --kernel uml, or the path of one")
    bundle = read(options.bundle)
    if not bundle.sources:
        raise HarnessError(f"{options.bundle} has no sources: it can be read, and not reproduced")
    clock = bundle.manifest["clock"]
    chosen = choice.choose(options.kernel, clock, bundle.manifest["seed"])
    into = _extract(bundle, (options.into or Path(f"{options.bundle.stem}-reproduced")).absolute())
    arguments = _arguments(bundle)
    _show(bundle, into, arguments, chosen.header)
    if not options.yes and not _agreed():
        print("lvs-harness: nothing was run")
        return 1
    run = _run(bundle, chosen, into, arguments)
    return _compare(bundle, run)


def _extract(bundle: Bundle, into: Path) -> Path:
    """Write its files into a new folder, or take the one in which they were left to be looked at."""
    if _holds(into, bundle.sources):
        return into
    try:
        into.mkdir(parents=True)
        for name, data in bundle.sources.items():
            path = into / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    except FileExistsError:
        raise HarnessError(f"{into} is there already: remove it, or name another with --into") from None
    except OSError as problem:
        raise HarnessError(f"cannot write {into}: {problem.strerror}") from None
    return into


def _holds(folder: Path, sources: dict[str, bytes]) -> bool:
    """Whether that and nothing else is in it."""
    paths = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    if {str(path.relative_to(folder)) for path in paths} != set(sources):
        return False
    return all(path.is_file() and not path.is_symlink() for path in paths) and all(
        (folder / name).read_bytes() == data for name, data in sources.items()
    )


def _arguments(bundle: Bundle) -> list[str]:
    """What pytest is given: of what the bundle says, the names of tests and two options of the harness's own."""
    tests = [scenario["test"] for scenario in bundle.manifest["scenarios"]]
    if lacking := [test for test in tests if test.partition("::")[0] not in bundle.sources]:
        raise HarnessError(f"the bundle lacks the file of {lacking[0]}, so it cannot be reproduced")
    keep = bundle.manifest.get("keep")
    options = [
        "--keep",
        keep if keep in ("all", "failed", "none") else "failed",
        "-p",
        "no:cacheprovider",
        "--rootdir=.",
    ]
    options += ["--seed", str(bundle.manifest["seed"])]  # for hardware addresses
    return [*options, *(["--controls"] if bundle.manifest.get("controls") is True else []), "--", *tests]


def _show(bundle: Bundle, into: Path, arguments: list[str], header: str) -> None:
    print(f"This bundle holds these files, which are now in {into}:")
    for name, data in sorted(bundle.sources.items()):
        print(f"  {len(data):>8} bytes  {name}")
    print(f"To reproduce it, {len(bundle.manifest['scenarios'])} tests of them are run in this: {header}")
    print(f"  pytest {_plain(' '.join(arguments[: arguments.index('--')]))} ...")
    print(
        f"It was recorded on this: {_plain(bundle.manifest.get('kernel'))}; {_plain(bundle.manifest.get('versions'))}"
    )
    faults = {fault.get("name") for each in bundle.manifest["scenarios"] for fault in each.get("faults", ())}
    print(f"Faults: {_plain(', '.join(sorted(map(str, faults))) or 'none')}")
    sys.stdout.flush()


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise HarnessError("nobody is here to agree to run this: look at it, and say --yes")
    return input("Run them? [y/N] ").strip().lower() in ("y", "yes")


def _run(bundle: Bundle, chosen: choice.Choice, into: Path, arguments: list[str]) -> Path:
    from harness.report import artifacts, page

    run = artifacts.new_run(into / "artifacts")
    os.environ[choice.HEADER], os.environ[choice.RUN] = chosen.header, str(run)
    about = {"kernel": chosen.header, "clock": bundle.manifest["clock"], "seed": chosen.seed, "arguments": arguments}
    artifacts.update(run / artifacts.RUN, about)
    os.chdir(into)
    status = chosen.run("pytest", arguments, run)
    artifacts.update(run / artifacts.RUN, {"status": status})
    print(f"lvs-harness: {page.write(run)}")
    return run


def _compare(bundle: Bundle, run: Path) -> int:
    """Print what came of each scenario there and here; 0 if the verdicts are the same."""
    from harness.determinism import differences
    from harness.report.artifacts import TIMELINE, read_run

    here = {scenario.name: scenario for scenario in read_run(run).scenarios}
    there = {scenario["test"]: scenario for scenario in bundle.manifest["scenarios"]}
    timelines = {name: bundle.timeline(scenario) for name, scenario in there.items()}
    differing = differences(timelines, {name: _read(here[name].folder / TIMELINE) for name in there if name in here})
    verdicts = {name: here[name].outcome if name in here else "did not run" for name in there}
    for name, scenario in there.items():
        was, now = _plain(scenario["outcome"]), verdicts[name]
        verdict = f"{now}, as before" if was == now else f"{now}, and was {was}"
        print(f"{name}: {verdict}; timeline {_plain(differing.get(name, 'identical'), keep=chr(10))}")
    same = sum(verdicts[name] == scenario["outcome"] for name, scenario in there.items())
    print(
        f"lvs-harness: {same} of {len(there)} verdicts are the same, {len(there) - len(differing)} timelines identical"
    )
    return 0 if same == len(there) else 1


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _plain(value: object, keep: Iterable[str] = ()) -> str:
    """Text of somebody else's, without what a terminal would obey."""
    return "".join(char if char.isprintable() or char in keep else "?" for char in str(value))
