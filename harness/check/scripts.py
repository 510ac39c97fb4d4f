"""Scripts that are named and not there, while one of nearly that name lies beside the configuration."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from harness.check import compare
from harness.check.files import HOME, Configuration
from harness.check.findings import Finding

ALIKE = 0.8
"""How alike two names are, of 1, that one is taken for a misspelling of the other."""


def missing(configurations: Mapping[str, Configuration]) -> Iterator[Finding]:
    """A finding for each such script."""
    for configuration in configurations.values():
        folder = configuration.origin.absolute().parent
        beside = [file.name for file in folder.iterdir() if file.is_file()]
        for path in configuration.programs:
            if path in configuration.files or str(PurePosixPath(path).parent) != HOME:
                continue
            for meant in difflib.get_close_matches(PurePosixPath(path).name, beside, 1, ALIKE):
                text = f"{path} is not there, and {meant} lies beside the configuration"
                cure = f"write {HOME}/{meant}, if that is what is meant"
                yield Finding("script-missing", compare.place(configuration, path), text, cure)
