"""``lvs-harness bisect``: the version of keepalived, or the commit, from which on scenarios fail;
or, where the newer one is the good one, from which on they pass.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from harness.errors import HarnessError
from harness.kernels.host import owned

T = TypeVar("T")


class Verdict(IntEnum):
    """How scenarios came out; 0 is no verdict, so that one is always true."""

    GOOD = 1
    BAD = 2
    UNTESTABLE = 3


_BROKE = {Verdict.GOOD: "good", Verdict.BAD: "bad"}
_MENDED = {Verdict.BAD: "broken", Verdict.GOOD: "mended"}
"""What git is told, the older one's word first: where the bad one is the newer, and the older one
(git-bisect(1), "Alternate terms").
"""


def add(commands: Any) -> None:
    """Declare the command."""
    bisect = commands.add_parser(
        "bisect",
        help="find the version of keepalived that broke scenarios, or that mended them",
        usage="lvs-harness bisect --good VERSION --bad VERSION [--git CHECKOUT] -- SCENARIOS...",
    )
    bisect.add_argument(
        "--good", required=True, help="a version in which they pass: 2.1.5, bullseye, or a commit"
    )
    bisect.add_argument("--bad", required=True, help="a version in which they fail, older or newer")
    bisect.add_argument(
        "--git", metavar="CHECKOUT", help="a git checkout of keepalived: bisect its commits"
    )
    bisect.add_argument(
        "arguments", nargs="*", metavar="SCENARIOS", help="scenarios and other arguments of pytest"
    )
    bisect.set_defaults(run=_run, passes=True)


def _run(options: argparse.Namespace) -> int:
    from harness.keepalived import version

    arguments = [*options.arguments, *options.passed]
    if not arguments:
        raise HarnessError(
            "say which scenarios tell good from bad: -- scenarios/regressions/test_....py"
        )
    if options.git is not None:
        return _bisect_commits(Path(options.git).absolute(), options.good, options.bad, arguments)

    def judge_release(release: Release) -> Verdict:
        verdict = judge([f"--image=director={release.name}", *arguments])
        print(f"{release}: {verdict.name.lower()}", flush=True)
        return verdict

    releases = _between(_releases(), options.good, options.bad)
    good, bad = narrow(releases, judge_release)
    newer = max(good, bad, key=lambda one: version.parse(one.version))
    what = "broken" if newer is bad else "mended"
    print(
        f"good: {good}, bad: {bad}: {what} in {newer}, with no release that is available here"
        " in between"
    )
    print("to go on by commits: lvs-harness bisect --git CHECKOUT ...")
    return 0


def narrow(candidates: Sequence[T], judge: Callable[[T], Verdict]) -> tuple[T, T]:
    """The last good and the first bad of candidates in order, of which the first should be good and
    the last bad.

    HarnessError if they are not. Those that cannot be tested are passed over.
    """
    for candidate, wanted in ((candidates[0], Verdict.GOOD), (candidates[-1], Verdict.BAD)):
        if (found := judge(candidate)) is not wanted:
            raise HarnessError(
                f"{candidate} is {found.name.lower()} and not {wanted.name.lower()}:"
                " nothing to bisect"
            )
    good, bad = 0, len(candidates) - 1
    untested = set(range(1, bad))
    while between := [number for number in range(good + 1, bad) if number in untested]:
        middle = between[len(between) // 2]
        untested.remove(middle)
        verdict = judge(candidates[middle])
        if verdict is Verdict.GOOD:
            good = middle
        elif verdict is Verdict.BAD:
            bad = middle
    return candidates[good], candidates[bad]


class Release(NamedTuple):
    """A release and the version of its keepalived."""

    version: str
    name: str

    def __str__(self) -> str:
        return f"{self.version} ({self.name})"


def _releases() -> list[Release]:
    """What can be had here, oldest first; images that are missing are made."""
    from harness.images import release, selection
    from harness.keepalived import version

    for name in release.RELEASES:
        selection.make(name, lambda line: print(line, flush=True))
    found = [Release(str(selection.find(name).keepalived), name) for name in release.RELEASES]
    return sorted(found, key=lambda one: version.parse(one.version))


def _between(releases: list[Release], good: str, bad: str) -> list[Release]:
    """The releases from the good one to the bad one, which may be the older one: then backwards."""
    places = []
    for wanted in (good, bad):
        place = next(
            (number for number, one in enumerate(releases) if wanted.removeprefix("v") in one), None
        )
        if place is None:
            known = ", ".join(map(str, releases))
            raise HarnessError(
                f"no keepalived {wanted} is available here; there are {known}. For"
                " others, give --git"
            )
        places.append(place)
    first, last = places
    if first == last:
        raise HarnessError(f"{good} and {bad} are the same keepalived: nothing to bisect")
    if first < last:
        return releases[first : last + 1]
    return releases[last : first + 1][::-1]


def judge(arguments: Sequence[str]) -> Verdict:
    """Run pytest with these arguments; UNTESTABLE if nothing ran. HarnessError if the run itself is
    no good.
    """
    from harness.report.grid import Grid

    with owned.scratch() as folder:
        grid = folder / "grid.json"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "--bugs-fail",
            f"--grid={grid}",
            *arguments,
        ]
        ran = owned.run(command, capture=True)
        if ran.returncode not in (0, 1) or not grid.exists():
            raise HarnessError(
                f"pytest ended with {ran.returncode}:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}"
            )
        outcomes: set[str] = set()
        for row in Grid.load(grid.read_text()).cells.values():
            outcomes.update(row.values())
    if "FAILED" in outcomes:
        return Verdict.BAD
    return Verdict.GOOD if "passed" in outcomes else Verdict.UNTESTABLE


def _bisect_commits(checkout: Path, good: str, bad: str, arguments: Sequence[str]) -> int:
    """``git bisect`` in a clone of its own, so that nothing of the user's is touched; its verdicts
    come from here.
    """
    from harness.images import program

    if not (checkout / ".git").exists():
        raise HarnessError(f"{checkout} is no git checkout of keepalived")
    with owned.scratch() as clone:
        git = ["git", "-C", str(clone)]
        _must(["git", "clone", "--quiet", "--shared", "--no-checkout", str(checkout), str(clone)])
        older, newer = (program.commit_of(str(checkout), one) for one in (good, bad))
        words = _BROKE
        if _leads_to(git, newer, older):
            older, newer, words = newer, older, _MENDED
        old, new = words.values()
        terms = [f"--term-old={old}", f"--term-new={new}"]
        told = _must([*git, "bisect", "start", *terms, "--no-checkout", newer, older])
        while f"is the first {new} commit" not in told:
            print(told, end="", flush=True)
            commit = _must([*git, "rev-parse", "BISECT_HEAD"]).strip()
            verdict = _judge_commit(f"{checkout}@{commit}", arguments)
            print(f"{commit[:12]}: {verdict.name.lower()}", flush=True)
            word = words.get(verdict, "skip")
            ran = owned.run([*git, "bisect", word], capture=True, environment=_plain())
            told = ran.stdout
            if ran.returncode:  # only commits are left that cannot be tested: it names them
                print(told, end="")
                raise HarnessError(
                    "git bisect cannot tell which commit it is:"
                    f" {ran.stderr.strip() or 'see above'}"
                )
        print(told, end="")
    return 0


def _judge_commit(keepalived: str, arguments: Sequence[str]) -> Verdict:
    """Build a commit, ``CHECKOUT@COMMIT``, and run the scenarios on it."""
    return _build(keepalived) or judge([f"--keepalived={keepalived}", *arguments])


def _leads_to(git: list[str], older: str, newer: str) -> bool:
    """Whether one commit is an ancestor of another one."""
    asked = owned.run(
        [*git, "merge-base", "--is-ancestor", older, newer], capture=True, environment=_plain()
    )
    return older != newer and not asked.returncode


def _must(command: list[str]) -> str:
    """What a command of git's prints. HarnessError if it fails."""
    ran = owned.run(command, capture=True, environment=_plain())
    if ran.returncode:
        raise HarnessError(
            f"`{' '.join(command)}` failed: {ran.stderr.strip() or ran.stdout.strip()}"
        )
    return ran.stdout


def _plain() -> dict[str, str]:
    """git's own words, since one of them is looked for."""
    return {**os.environ, "LC_ALL": "C"}


def _build(keepalived: str) -> Verdict | None:
    from harness.images import program

    try:
        program.make(keepalived, lambda line: None)
    except HarnessError as problem:
        print(problem, file=sys.stderr)
        return Verdict.UNTESTABLE
    return None
