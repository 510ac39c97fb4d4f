"""A director's configuration as files: the keepalived.conf, what it includes, and the scripts that lie beside it.

They are only read here. Whatever a configuration names is run inside the cluster's machines, never on this one.
"""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from harness.errors import HarnessError

HOME = "/etc/keepalived"
"""Where directors have their configuration; the folder of the user's file stands for it."""

LARGEST = 4 << 20
TEXT = 0o644
"""The permissions of configurations."""
MOST = 500
SCRIPT = "script."
"""``--set script./path/on/director=FILE`` puts a file of the user's own there."""

_INCLUDE = re.compile(r"^[ \t]*include[rmwba]*[ \t]+[\"']?([^\s\"'!#]+)", re.MULTILINE)
_PROGRAM = re.compile(
    r"^[ \t]*(?:@\S+[ \t]+)?(?:script|misc_path|notify\w*|quorum_\w+)[ \t]+[\"']?(/[^\s\"']+)", re.MULTILINE
)
_NAMED = re.compile(rf"{HOME}/[\w./@%+=,-]+")


@dataclass(frozen=True)
class Configuration:
    """``files``: path on the director -> content and permissions; ``origin`` is the file that the user gave."""

    director: str
    origin: Path
    files: dict[str, tuple[bytes, int]]
    missing: tuple[str, ...]

    @property
    def text(self) -> bytes:
        """The keepalived.conf itself."""
        return self.files[f"{HOME}/keepalived.conf"][0]

    @property
    def programs(self) -> tuple[str, ...]:
        """The scripts and programs that it names, by their whole path."""
        texts = (content.decode(errors="replace") for content, mode in self.files.values() if mode == TEXT)
        return tuple(dict.fromkeys(path for text in texts for path in _PROGRAM.findall(text)))


def load(argument: str) -> Configuration:
    """Read ``FILE`` or ``DIRECTOR=FILE`` with all that belongs to it. HarnessError names a file that cannot be used.

    Without a name the director is called as the file is, or as its folder where that is ``keepalived.conf``. The name
    matters: it is the machine's, and so what ``@host`` conditions in the file are compared with.
    """
    name, equals, path = argument.partition("=")
    origin = Path(path if equals else argument)
    director = name if equals else _name_of(origin)
    gathering = _Gathering(origin)
    gathering.add(f"{HOME}/keepalived.conf", origin)
    return Configuration(director, origin, gathering.files, tuple(dict.fromkeys(gathering.missing)))


def load_all(arguments: list[str]) -> list[Configuration]:
    """As :func:`load`, for several directors, each with a name of its own."""
    loaded = [load(argument) for argument in arguments]
    names = [configuration.director for configuration in loaded]
    for name in names:
        if names.count(name) > 1:
            raise HarnessError(
                f"two directors are called {name}: give them names, lb1={arguments[0]} lb2={arguments[-1]}"
            )
    return loaded


def _name_of(origin: Path) -> str:
    word = origin.absolute().parent.name if origin.name == "keepalived.conf" else origin.name.removesuffix(".conf")
    return re.sub(r"[^A-Za-z0-9-]+", "-", word).strip("-")[:63] or "director"


class _Gathering:
    def __init__(self, origin: Path) -> None:
        self._folder = origin.absolute().parent
        self.files: dict[str, tuple[bytes, int]] = {}
        self.missing: list[str] = []
        self._size = 0

    def add(self, place: str, file: Path) -> None:
        """Take a file of the configuration, and whatever it names."""
        if place in self.files:
            return
        content = self._read(file)
        if b"\0" in content:
            raise HarnessError(f"{file} is no text: give a keepalived.conf")
        self.files[place] = content, TEXT
        text = content.decode(errors="replace")
        for pattern in _INCLUDE.findall(text):
            self._include(pattern, PurePosixPath(place).parent)
        for named in _NAMED.findall(text):
            self._add_named(named)

    def _include(self, pattern: str, beside: PurePosixPath) -> None:
        """What lies elsewhere than below /etc/keepalived a machine sees as this one does; the rest is put there."""
        wanted = str(beside / pattern)  # an absolute pattern stays as it is
        if not wanted.startswith(f"{HOME}/"):
            if not glob.glob(wanted):
                self.missing.append(pattern)
            return
        below = wanted.removeprefix(f"{HOME}/")
        if ".." in PurePosixPath(below).parts:
            raise HarnessError(f"include {pattern} leads out of {HOME}: put it below the configuration's folder")
        found = [match for match in sorted(glob.glob(below, root_dir=self._folder)) if self._is_ours(match)]
        if not found:
            self.missing.append(pattern)
        for match in found:
            self.add(f"{HOME}/{match}", self._folder / match)

    def _is_ours(self, below: str) -> bool:
        file = self._folder / below
        return file.is_file() and file.resolve().is_relative_to(self._folder.resolve())

    def _add_named(self, place: str) -> None:
        """A script or other file below /etc/keepalived that the configuration speaks of, if it is here."""
        below = place.removeprefix(f"{HOME}/")
        file = self._folder / below
        if place not in self.files and self._is_ours(below):
            self.files[place] = self._read(file), file.stat().st_mode & 0o755

    def _read(self, file: Path) -> bytes:
        try:
            with file.open("rb") as opened:
                content = opened.read(LARGEST + 1)
        except OSError as problem:
            raise HarnessError(f"cannot read {file}: {problem.strerror}") from None
        self._size += len(content)
        if self._size > LARGEST or len(self.files) >= MOST:
            raise HarnessError(f"{file}: more than {LARGEST >> 20} MiB or {MOST} files: this is no configuration")
        return content


def with_scripts(configurations: list[Configuration], settings: dict[str, str]) -> list[Configuration]:
    """The scripts that the user maps, among the files of all directors; they are taken out of ``settings``."""
    named = {path for configuration in configurations for path in configuration.programs}
    mapped: dict[str, tuple[bytes, int]] = {}
    for key in [key for key in settings if key.startswith(SCRIPT)]:
        path, file = key.removeprefix(SCRIPT), Path(settings.pop(key))
        if path not in named:
            told = ", ".join(sorted(named)) or "none"
            raise HarnessError(f"--set {key}: no configuration names this script; those that are named: {told}")
        try:
            mapped[path] = file.read_bytes(), 0o755
        except OSError as problem:
            raise HarnessError(f"--set {key}={file}: cannot read {file}: {problem.strerror}") from None
    return [replace(each, files={**each.files, **mapped}) for each in configurations]
