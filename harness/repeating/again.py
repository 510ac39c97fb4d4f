"""With which options pytest runs a bundle again: those that it was run with, or what is given
instead (pure).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from harness.errors import HarnessError
from harness.images import release
from harness.received import plain
from harness.report.bundle import Bundle
from harness.topology.machines import SPEAKERS

_NAME = re.compile(r"[^=,+]+(?![^,+]*=)")
"""An image or a keepalived in the value of an option: what is before a ``=`` says whose it is."""
_IMAGE = re.compile(r"(?:(?<==)|^)[^=]+$")
"""The same for ``--image``, whose ``trixie+frr,tcpdump`` is one image with packages."""
_WORDS = ("host", "mixed")
"""What ``--image`` and ``--matrix`` understand beside names."""
_MOST_VERBOSE = 4
_SWITCHES = {"controls": "--controls", "bugs_fail": "--bugs-fail"}


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
                f"it was run with --{option} {plain(' '.join(values))}, which adds packages:"
                f" if you want them, say --{option} {plain(name)}"
            )
        if name not in _WORDS and not release.is_release(name):
            raise HarnessError(
                f"it was run with --{option} {plain(' '.join(values))}, and a bundle"
                f" does not hold {plain(name)}:"
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
