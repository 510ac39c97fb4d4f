"""``lvs-harness check sites/*/``: the directors in each folder are one cluster, and each has its
verdict.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.check.files import HOME, TEXT, load, origin_of
from harness.errors import HarnessError
from harness.kernels.host import owned
from harness.kernels.host.interrupts import INTERRUPTED

MEANINGS = {
    0: "works",
    1: "something is wrong",
    3: "the harness failed",
    4: "the files cannot be used",
    5: "nothing could be judged",
    INTERRUPTED: "interrupted",
}
"""What the exit status of a check says."""

WORST = (INTERRUPTED, 3, 1, 4, 5)
"""The statuses that are no success, the first of which counts for all."""


def directors_in(folder: Path) -> list[str]:
    """The directors' files in a folder: ``*/keepalived.conf``, or else each ``*.conf`` that no
    other includes and that has an instance or a service. HarnessError if there is none.
    """
    if nested := sorted(folder.glob("*/keepalived.conf")):
        return [str(each) for each in nested]
    loaded = {file: load(str(file)) for file in sorted(folder.glob("*.conf"))}
    included = set()
    for each in loaded.values():
        for path in each.files:
            if path != f"{HOME}/keepalived.conf":
                included.add(folder / path.removeprefix(f"{HOME}/"))
    found = []
    for file, each in loaded.items():
        if file not in included and _is_director(each.files):
            found.append(str(file))
    if not found:
        raise HarnessError(
            f"{folder}: there is no */keepalived.conf in it, and no *.conf with a"
            " vrrp_instance or a virtual_server"
        )
    return found


def _is_director(files: dict[str, tuple[bytes, int]]) -> bool:
    texts = [content for content, mode in files.values() if mode == TEXT]
    return any(word in text for text in texts for word in (b"vrrp_instance", b"virtual_server"))


def folders_of(arguments: Sequence[str]) -> list[Path]:
    """The folders among the arguments; none if all are files. HarnessError where there are both."""
    # Unlike Path.is_dir, this says no as well of what no path can be: one that is too long.
    folders = [Path(each) for each in arguments if os.path.isdir(origin_of(each))]
    if folders and len(folders) < len(arguments):
        files = [each for each in arguments if not os.path.isdir(origin_of(each))]
        raise HarnessError(
            f"{files[0]} is a file and {folders[0]} a folder: give one cluster's files,"
            " or folders alone"
        )
    return folders


def each(
    options: Sequence[str], folders: Sequence[Path], told: Callable[[str], None] = print
) -> int:
    """Check each folder by itself, with the same options, and then say what came of each; the worst
    status counts.
    """
    found: dict[Path, int] = {}
    for folder in folders:
        told(f"lvs-harness: {folder}")
        try:
            files = directors_in(folder)
        except HarnessError as problem:
            print(f"lvs-harness: {problem}", file=sys.stderr)
            found[folder] = 4
            continue
        sys.stdout.flush()
        found[folder] = owned.run(
            [sys.executable, "-m", "harness.cli", "check", *files, *options]
        ).returncode
        if found[folder] == INTERRUPTED:
            break
    width = max(len(str(folder)) for folder in folders)
    for folder in folders:
        said = (
            MEANINGS.get(found[folder], f"status {found[folder]}")
            if folder in found
            else "not checked"
        )
        told(f"{folder!s:<{width}}  {said}")
    return next((status for status in WORST if status in found.values()), max(found.values()))
