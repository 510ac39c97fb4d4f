"""``--corpus FILE``: what a search learns is handed on to later ones; and ``coverage.md``, what was
seen.

Each test of ``scenarios/search`` leaves a file below the run's folder. When the run has ended, the
host puts them together: it reads them as what somebody else wrote, for a guest could have written
anything there.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness import received
from harness.plugin.marks import CONFIGURED

if TYPE_CHECKING:
    from harness.search.corpus import Corpus

PARTS = "search"
"""The folder below a run's in which tests leave what they have seen."""
COVERAGE = "coverage.md"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.getgroup("lvs-harness").addoption(
        "--corpus",
        metavar="FILE",
        help=(
            "scenarios/search: begin from the sequences in this file, and add those that led to"
            " new states"
        ),
    )


def file_of(config: pytest.Config) -> Path | None:
    """The file that the option names."""
    named = config.getoption("corpus")
    return None if named is None else config.invocation_params.dir / named


def begin(config: pytest.Config) -> None:
    """Refuse a file that is no corpus, before anything runs."""
    if (file := file_of(config)) is None:
        return
    if not file.parent.is_dir():
        raise pytest.UsageError(f"--corpus {file}: there is no folder {file.parent}")
    try:
        _read(file.parent, file.name)
    except (OSError, ValueError) as problem:
        raise pytest.UsageError(f"--corpus {file}: {_reason(problem)}") from None


def known(config: pytest.Config) -> Corpus:
    """What earlier runs have left; nothing where there is no file yet."""
    from harness.search.corpus import Corpus

    file = file_of(config)
    return Corpus() if file is None else _read(file.parent, file.name)


def leave(run: Path, part: str, corpus: Corpus) -> None:
    """Leave what a test has seen in the folder of a run."""
    name = f"{PARTS}/{re.sub('[^A-Za-z0-9_-]', '_', part)[:100]}.json"
    received.make_folders(run, name)
    with received.replacing(run, name) as file:
        json.dump(corpus.to_json(), file)


def collect(config: pytest.Config, run: Path) -> None:
    """Put together what all tests of a run have left: in the run's folder, and in the corpus.
    Says what it cannot.
    """
    if not received.has(run, PARTS):
        return
    from harness.search import coverage
    from harness.search.corpus import Corpus

    file, seen = file_of(config), Corpus()
    try:
        for name in received.files(run, PARTS):
            seen.merge(_read(run, name))
        with received.replacing(run, COVERAGE) as page:
            lines = ["# States that were seen", "", *coverage.table(seen.states)]
            page.write("\n".join(lines) + "\n")
        if (
            config.getoption("searched") is not None or CONFIGURED in config.stash
        ):  # the run is a search
            print(f"lvs-harness: {len(seen.states)} states: {os.path.relpath(run / COVERAGE)}")
        if file is None:
            return
        before = _read(file.parent, file.name)
        count = len(before.kept)
        before.merge(seen)
        with received.replacing(file.parent, file.name) as written:
            json.dump(before.to_json(), written, indent=0)
        new = len(before.kept) - count
        print(
            f"lvs-harness: {new} of {len(before.kept)} sequences are new in {os.path.relpath(file)}"
        )
    except (OSError, ValueError) as problem:
        print(f"lvs-harness: what the search has seen is not kept: {_reason(problem)}")


def _read(folder: Path, name: str) -> Corpus:
    from harness.search.corpus import Corpus, from_file

    try:
        content = received.read(folder, name)
    except FileNotFoundError:
        return Corpus()
    try:
        value = received.parse(content)
    except ValueError as problem:
        raise ValueError(f"it is no corpus: {problem}") from None
    return from_file(value, lambda line: print(f"lvs-harness: {name}: {line}"))


def _reason(problem: OSError | ValueError) -> str:
    return getattr(problem, "strerror", None) or str(problem)
