"""``lvs-harness check``: whether the cluster that real configurations describe does what it
should.
"""

from __future__ import annotations

import argparse
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import harness
from harness import received
from harness.check.files import INCLUDE, SCRIPT, load_all, origin_of, settings_of
from harness.check.finding import silenced
from harness.cli import chosen, several, upgrading, watching
from harness.cli.chosen import repeated
from harness.errors import HarnessError

SETTINGS = "lvs-harness.toml"
BEHAVIOURS = Path(harness.__file__).parent / "behaviours"
"""It is named by its path, with a configuration of its own: for a package pytest would look around
where the files lie, and run the conftest.py of whoever they are from.
"""
PYTEST = (sys.executable, "-P", "-m", "pytest")
"""Without ``-P`` a ``json.py`` in the folder of whoever calls would be taken for Python's own."""
UNUSED = ("hypothesispytest", "anyio")
"""Plugins of pytest that come with what the harness needs. No behaviour needs them, and importing
them takes half a second, outside and once more in the guest.
"""
UNUSABLE = 4
"""The exit status for files that cannot be used, as pytest's is for unusable arguments."""


def add(commands: Any) -> None:
    """Declare the command."""
    check = commands.add_parser(
        "check",
        help="build the cluster that keepalived.conf files describe, break it, and say what works",
        usage="lvs-harness check [--set KEY=VALUE]... [--settings TOML] [--explain]"
        " [--trust] [--json FILE]"
        " [--image RELEASE [--then RELEASE]] [--keepalived PATH]"
        " [--sarif FILE] [--watch] [NAME=]FILE... | FOLDER..."
        " [-- PYTEST OPTIONS]",
        description="Scripts that the configurations name run inside the cluster's machines only.",
        epilog="What follows -- is for pytest: -- --kernel uml -k election",
    )
    check.add_argument(
        "directors",
        nargs="+",
        metavar="[NAME=]FILE",
        help="a director's keepalived.conf each, or folders with a cluster's files each",
    )
    check.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="correct an assumption: eth0=10.0.0.0/24",
    )
    about = (
        f"assumptions corrected, as a table [set] (default: {SETTINGS} beside the"
        " first file, if it is there)"
    )
    check.add_argument("--settings", type=Path, metavar="TOML", help=about)
    check.add_argument("--explain", action="store_true", help="say only what was understood")
    check.add_argument(
        "--json", metavar="FILE", help="write the verdict into this file, too, as JSON"
    )
    check.add_argument(
        "--sarif", metavar="FILE", help="the same as SARIF 2.1.0, which code scanning reads"
    )
    chosen.declare(check)
    check.add_argument(
        "--then",
        metavar="RELEASE",
        help="with --image: say what an upgrade from that release to this one changes",
    )
    check.add_argument(
        "--watch",
        action="store_true",
        help="check again whenever something beside the files is saved",
    )
    about = (
        "run scripts that the configurations name also where this machine cannot"
        " limit what they do to it"
    )
    check.add_argument("--trust", action="store_true", help=about)
    check.set_defaults(run=_run, passes=True)


def _run(options: argparse.Namespace) -> int:
    try:
        if folders := several.folders_of(options.directors):
            return several.each(_for_each(options), folders)
        known, silent = _settings(options.settings, origin_of(options.directors[0]))
        elsewhere = {**known, **settings_of(options.set)}.get(INCLUDE, "")
        loaded = load_all(
            options.directors, elsewhere
        )  # so that a file that is missing is told without a line of pytest's
        if options.then and (len(options.image) != 1 or options.keepalived):
            raise HarnessError(
                f"--then {options.then}: say with one --image which release the directors"
                f" have today: --image bookworm --then {options.then}"
            )
    except HarnessError as problem:
        print(f"lvs-harness: {problem}", file=sys.stderr)
        return UNUSABLE
    command = _command(options, known, silent)
    if options.then:
        (before,) = options.image
        return upgrading.compared(command, before, options.then, [each.director for each in loaded])
    if options.watch:
        return watching.again(
            command, [origin_of(director).parent for director in options.directors]
        )
    sys.stdout.flush()
    os.execv(
        command[0], command
    )  # the command is pytest from here on, so whatever ends the one ends the other


def _command(
    options: argparse.Namespace, known: dict[str, str], silent: dict[str, str]
) -> list[str]:
    """The command line of pytest that checks; with ``--then`` the images are not in it."""
    arguments = repeated("--director", options.directors)
    arguments += ["--trust"] if options.trust else []
    arguments += ["--verdict-json", options.json] if options.json else []
    arguments += ["--verdict-sarif", options.sarif] if options.sarif else []
    settings = [f"{key}={value}" for key, value in known.items()]
    arguments += repeated("--set", [*settings, *options.set])
    arguments += repeated("--silence", [f"{name}={reason}" for name, reason in silent.items()])
    arguments += [] if options.then else chosen.passed_on(options)
    where = BEHAVIOURS / "test_configuration.py" if options.explain else BEHAVIOURS
    short = ["--tb=no", "-rN"]  # the verdict says it; --tb=auto behind "--" shows it again
    short += repeated("-p", [f"no:{plugin}" for plugin in ("cacheprovider", *UNUSED)])
    patient = ["--watchdog", "120"]  # tables of hundreds of services take their time to be read
    own = ["-c", str(BEHAVIOURS / "pytest.ini"), f"--rootdir={os.getcwd()}"]
    return [*PYTEST, str(where), *own, *short, *patient, *arguments, *options.passed]


def _for_each(options: argparse.Namespace) -> list[str]:
    """The options with which each of several folders is checked. HarnessError for those that are
    for one cluster.
    """
    single = {
        "--json": options.json,
        "--sarif": options.sarif,
        "--watch": options.watch,
        "--then": options.then,
    }
    if given := [option for option, value in single.items() if value]:
        raise HarnessError(f"{given[0]} is for one cluster: give its files instead of folders")
    settings = ["--settings", str(options.settings)] if options.settings else []
    flags = ["--explain"] * options.explain + ["--trust"] * options.trust
    passed = ["--", *options.passed] if options.passed else []
    return [*settings, *repeated("--set", options.set), *chosen.passed_on(options), *flags, *passed]


def _settings(given: Path | None, first: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The tables [set] and [silence] of the settings' file: assumptions corrected, and findings
    that are none.
    """
    file = given or first.parent / SETTINGS
    if given is None and not file.exists():
        return {}, {}
    try:
        document = tomllib.loads(received.read_named(file).decode())
    except OSError as problem:
        raise HarnessError(f"cannot read {file}: {problem.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise HarnessError(f"{file}: {problem}") from None
    except RecursionError:
        raise HarnessError(f"{file}: its lists and tables lie too deep in each other") from None
    silent = silenced(document.pop("silence", {}), str(file))
    if not isinstance(table := document.pop("set", {}), dict) or document:
        wrong = ", ".join(document) or "set"
        raise HarnessError(
            f"{file}: {wrong}: assumptions are a table: [set], and below it such as"
            ' eth0 = "10.0.0.0/24"'
        )
    settings = {str(key): str(value) for key, value in _flat(table)}
    if given is None:
        _refuse_others_files(file, settings)
    return settings, silent


def _refuse_others_files(file: Path, settings: dict[str, str]) -> None:
    """What was received together with the configurations may name no file that was not."""
    beside = file.parent.resolve()
    for key, value in settings.items():
        named = value.split(":") if key == INCLUDE else [value] if key.startswith(SCRIPT) else []
        if not all(
            "\0" not in path and Path(path).resolve().is_relative_to(beside) for path in named
        ):
            raise HarnessError(
                f"{file}: {key} names {value!r}, which does not lie beside it; if it is"
                f" to be read: --settings {file}"
            )


def _flat(table: dict[str, Any], above: str = "") -> list[tuple[str, Any]]:
    """``[set.lb1] eth0 = ...`` and ``"lb1.eth0" = ...`` are the same."""
    pairs: list[tuple[str, Any]] = []
    for key, value in table.items():
        pairs += (
            _flat(value, f"{above}{key}.")
            if isinstance(value, dict)
            else [(f"{above}{key}", value)]
        )
    return pairs
