"""A run as one archive: what was run, on what, what came of it; made on one machine, opened on
another.

A bundle is a zip file: ``bundle.json``, ``run/`` (the run's folder) and ``sources/`` (the files it
was made of). Whoever opens one knows nothing of who made it: :func:`read` refuses what is not of
that form before a byte is written.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from harness import received
from harness.errors import HarnessError
from harness.report import artifacts, secrets
from harness.report.artifacts import PAGE, TIMELINE, Run, read_run
from harness.topology.machines import SPEAKERS

FORMAT: Final = 1
MANIFEST = "bundle.json"
RUN, SOURCES = "run", "sources"

MOST_FILES = 20_000
LARGEST_FILE = 64 << 20
LARGEST = 256 << 20
LONGEST_NAME = 300
_KNOWN = (
    "kernel",
    "clock",
    "seed",
    "memory",
    "versions",
    "commit",
    "images",
    "arguments",
    "keep",
    "verbosity",
    "controls",
    "bugs_fail",
    "selection",
    "speaker",
)
_UNREADABLE = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    OverflowError,
    struct.error,
    LookupError,
)
"""What zipfile raises for what is no zip file, or a damaged one."""
SELECTION = ("image", "keepalived", "matrix")
"""The options that choose what machines run, by which ``selection`` of a manifest lists their
values.
"""


@dataclass
class Bundle:
    """An opened bundle: ``manifest`` as checked, ``files`` by their names in it."""

    manifest: dict[str, Any]
    files: dict[str, bytes]

    @property
    def sources(self) -> dict[str, bytes]:
        """Path below the root -> content."""
        return {
            name.removeprefix(f"{SOURCES}/"): data
            for name, data in self.files.items()
            if name.startswith(SOURCES)
        }

    def timeline(self, scenario: dict[str, Any]) -> bytes:
        """The bytes of a scenario's timeline, as the manifest names it."""
        return self.files.get(f"{RUN}/{scenario['folder']}/{TIMELINE}", b"")


# -- making one ----------------------------------------------------------------


def make(folder: Path, target: Path, with_secrets: bool = False) -> list[str]:
    """Bundle a run's folder, and nothing beside it; returns what should be known of it, a line
    each.

    Raises HarnessError.
    """
    run = read_run(folder)
    notes = list(run.problems)
    everything = contents(run, notes)
    if not with_secrets:
        found = secrets.find(everything.values())
        everything = {name: secrets.mask(data, found) for name, data in everything.items()}
        notes.append(f"passwords masked: {len(found)}" if found else "no passwords found")
    write(target, run, everything, masked=not with_secrets)
    return notes


def write(target: Path, run: Run, contents: dict[str, bytes], masked: bool) -> None:
    """Write the archive of these files, with a manifest of them. HarnessError if it cannot be, or
    is there already.
    """
    manifest = _manifest(run, contents, masked)
    _write(target, {MANIFEST: json.dumps(manifest, indent=1).encode(), **contents})


def _write(target: Path, contents: dict[str, bytes]) -> None:
    """A new archive, or none. HarnessError if it cannot be."""
    try:
        with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
            for name, data in contents.items():
                archive.writestr(
                    zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED
                )  # of no time: the same each time
    except FileExistsError:
        raise HarnessError(
            f"{target} is there already: remove it, or name another with --output"
        ) from None
    except BaseException as problem:
        with contextlib.suppress(OSError):
            target.unlink()
        if isinstance(problem, OSError):
            raise HarnessError(
                f"cannot write {target}: {problem.strerror}; make room or mend it"
            ) from None
        raise


def contents(
    run: Run, notes: list[str], wanted: Callable[[str], bool] = lambda name: True
) -> dict[str, bytes]:
    """What goes into the bundle, by its name there: the regular files of the run's folder whose
    name is ``wanted``.

    What is left out though it is wanted is noted. Raises HarnessError if it is too much.
    """
    contents: dict[str, bytes] = {}
    listed = run.about.get("sources", {})
    total = 0
    for name in received.files(run.folder):
        folder, _, below = name.partition("/")
        if name.rpartition("/")[2] == PAGE or name.endswith(received.NEW):
            continue
        inside = f"{SOURCES}/{below}" if folder == artifacts.SOURCES else f"{RUN}/{name}"
        if not wanted(inside):
            continue
        if (wrong := _wrong_with(inside)) is not None:
            notes.append(f"{name!r} is left out: {wrong}")
            continue
        try:
            content = received.read(run.folder, name, LARGEST_FILE, alone=True)
        except OSError as problem:
            notes.append(f"{name!r} is left out: {problem.strerror}")
            continue
        if folder == artifacts.SOURCES and hashlib.sha256(content).hexdigest() != listed.get(below):
            notes.append(
                f"{name!r} is not what the run was made of, or {artifacts.RUN} does not say so"
            )
        contents[inside] = content
        if (total := total + len(content)) > LARGEST or len(contents) >= MOST_FILES:
            raise HarnessError(
                f"{run.folder} has more than {LARGEST} bytes or {MOST_FILES} files, and"
                " a bundle cannot:"
                " remove some captures"
            )
    for name in listed.keys() - {name.removeprefix(f"{SOURCES}/") for name in contents}:
        notes.append(f"{name!r} was among what the run was made of, and is not in its folder")
    if not any(name.startswith(f"{SOURCES}/") for name in contents):
        notes.append(
            "the run did not keep what it was made of, so this bundle can be read, and"
            " not reproduced"
        )
    return contents


def earlier_of(about: dict[str, Any]) -> int:
    """How many scenarios its cluster had lived through when a scenario began; 0 if nothing says."""
    earlier = about.get("earlier")
    return earlier if isinstance(earlier, int) else 0


def _manifest(run: Run, contents: dict[str, bytes], masked: bool) -> dict[str, Any]:
    known = {name: run.about.get(name) for name in _KNOWN}
    scenarios = []
    for scenario in run.scenarios:
        faults = [event.as_dict() for event in scenario.events if event.kind == "fault"]
        told = {"test": scenario.name, "folder": scenario.folder.name, "outcome": scenario.outcome}
        scenarios.append({**told, "earlier": earlier_of(scenario.about), "faults": faults})
    files = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    return {"format": FORMAT, **known, "masked": masked, "scenarios": scenarios, "files": files}


# -- opening one ---------------------------------------------------------------


def read(path: Path) -> Bundle:
    """Open a bundle, in memory. Raises HarnessError that says why it is refused."""
    try:
        packed = received.read_named(path, LARGEST)
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            members = _checked_members(archive)
            files = {member.filename: archive.read(member) for member in members}
    except HarnessError as problem:
        raise HarnessError(f"{path} is refused: {problem}") from None
    except _UNREADABLE as problem:
        said = problem.strerror if isinstance(problem, OSError) and problem.strerror else problem
        raise HarnessError(f"{path} is no bundle that can be read: {said}") from None
    try:
        manifest = _checked_manifest(files.pop(MANIFEST, None), files)
    except HarnessError as problem:
        raise HarnessError(f"{path} is refused: {problem}") from None
    return Bundle(manifest, files)


def _checked_members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    if len(members) > MOST_FILES:
        raise HarnessError(f"it holds {len(members)} files, and {MOST_FILES} are the most")
    seen = set()
    for member in members:
        name = member.filename
        if (wrong := _wrong_with(name)) is not None:
            raise HarnessError(f"{name!r}: {wrong}")
        if name.casefold() in seen:
            raise HarnessError(f"{name!r} is in it twice")
        seen.add(name.casefold())
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
            raise HarnessError(f"{name!r} is a link or a device, and only files are allowed")
        if member.file_size > LARGEST_FILE:
            raise HarnessError(
                f"{name!r} has {member.file_size} bytes, and {LARGEST_FILE} are the most"
            )
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise HarnessError(f"{name!r} is compressed in a way that bundles are not")
        if member.flag_bits & 1:
            raise HarnessError(f"{name!r} is encrypted")
    if (total := sum(member.file_size for member in members)) > LARGEST:
        raise HarnessError(f"it holds {total} bytes, and {LARGEST} are the most")
    return members


def _wrong_with(name: str) -> str | None:
    """Why a file may not be called that; None if it may."""
    parts = PurePosixPath(name).parts
    if len(name) > LONGEST_NAME or not name.isprintable() or "\\" in name or name.endswith("/"):
        return "no name for a file"
    if (
        name != "/".join(parts)
        or name.startswith("/")
        or any(part in (".", "..") for part in parts)
    ):
        return "leads out of its folder"
    if name != MANIFEST and (len(parts) < 2 or parts[0] not in (RUN, SOURCES)):
        return f"neither {MANIFEST} nor below {RUN}/ or {SOURCES}/"
    return None


def _checked_manifest(data: bytes | None, files: dict[str, bytes]) -> dict[str, Any]:
    try:
        manifest = received.parse(data or b"")
    except ValueError:
        raise HarnessError(f"it has no {MANIFEST} that can be read") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else None
        raise HarnessError(f"its format is {found!r}, and this harness reads {FORMAT}")
    listed, scenarios = manifest.get("files"), manifest.get("scenarios")
    if not isinstance(listed, dict) or listed.keys() != files.keys():
        raise HarnessError(f"its files are not those that {MANIFEST} lists")
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != listed[name]:
            raise HarnessError(f"{name!r} is not what {MANIFEST} says")
    if not isinstance(scenarios, list) or not all(map(_is_scenario, scenarios)):
        raise HarnessError("its list of scenarios is not what it should be")
    if manifest.get("clock") not in ("virtual", "real") or type(manifest.get("seed")) is not int:
        raise HarnessError("it does not say on which clock and with which seed it ran")
    if not _is_selection(manifest.get("selection")):
        raise HarnessError("its list of images and keepaliveds is not what it should be")
    if manifest.get("speaker") not in (None, *SPEAKERS):
        raise HarnessError("it does not say which VRRP implementation was tried")
    if any(not isinstance(manifest.get(of) or {}, dict) for of in ("versions", "images")):
        raise HarnessError("its list of versions is not what it should be")
    if any(
        not isinstance(text, str)
        for of in ("versions", "images")
        for text in (manifest.get(of) or {}).values()
    ):
        raise HarnessError("a version in it is not what it should be")
    if type(manifest.get("memory") or 0) is not int or not received.is_number(
        manifest.get("memory") or 0
    ):
        raise HarnessError("it does not say how much memory it was given")
    return manifest


def _is_selection(value: Any) -> bool:
    if value is None:  # of a harness that did not know of it
        return True
    if not isinstance(value, dict) or not value.keys() <= set(SELECTION):
        return False
    return all(map(_are_printable, value.values()))


def _are_printable(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, str) and each.isprintable() for each in value
    )


def _is_scenario(value: Any) -> bool:
    names = ("test", "folder", "outcome")
    if not isinstance(value, dict) or not all(isinstance(value.get(name), str) for name in names):
        return False
    file = str(value["test"]).partition("::")[0]
    faults = value.get("faults", [])
    if not isinstance(faults, list) or not all(map(_is_fault, faults)):
        return False
    return (
        value["test"].isprintable()
        and not file.startswith("-")
        and _wrong_with(f"{SOURCES}/{file}") is None
    )


def _is_fault(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name", ""), str)
