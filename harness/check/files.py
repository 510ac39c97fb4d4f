"""A director's configuration as files: the keepalived.conf, what it includes, and the scripts that
lie beside it.

They are only read here. Whatever a configuration names is run inside the cluster's machines, never
on this one.
"""

from __future__ import annotations

import errno
import glob
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from harness import received
from harness.check.replaced import replaced
from harness.errors import HarnessError

HOME = "/etc/keepalived"
"""Where directors have their configuration; the folder of the user's file stands for it."""

FOLDER = "/usr/local/sbin"
"""Where a program is put that is named without its path: keepalived looks there first."""
LARGEST = 4 << 20
TEXT = 0o644
"""The permissions of configurations."""
MOST = 500
SCRIPT = "script."
"""``--set script./path/on/director=FILE`` puts a file of the user's own there."""

INCLUDE = "include"
"""``--set include=FOLDER:FOLDER`` says from where else files may be included than from beside
the configuration.
"""

_INCLUDE = re.compile(
    r"^[ \t]*(?:@(?P<host>\S+)[ \t]+|~(?:SEQ|LST)\([^)\n]*\)[ \t]*)*include[rmwba]*[ \t]+"
    r"[\"']?(?P<pattern>[^\s\"'!#]+)",
    re.MULTILINE,
)
_DEFINITION = re.compile(r"^[ \t]*(?:@\S+[ \t]+)*\$(\w+)[ \t]*=[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_USE = re.compile(r"\$\{?(\w+)\}?")
_CONTINUED = re.compile(r"\\\n")
_DEFINITIONS_DEEP = 8
_PROGRAM = re.compile(
    r"^[ \t]*(?:@\S+[ \t]+)?(?:script|misc_path|(?:vrrp_|lvs_)?notify(?!_fifo[ \t])\w*"
    r"|quorum_\w+|startup_script"
    r"|shutdown_script)[ \t]+[\"']?(/[^\s\"']+|[A-Za-z][\w.-]*(?=[ \t\"'\n]))",
    re.MULTILINE,
)
_USER = re.compile(
    r"^[ \t]*(?:script_user|user)[ \t]+([A-Za-z_][\w-]*)(?:[ \t]+([A-Za-z_][\w-]*))?", re.MULTILINE
)
_VARIABLE = re.compile(r"^[ \t]*(?:@\S+[ \t]+)*\$(\w+)[ \t]*=", re.MULTILINE)
_COMMENT = re.compile(r"[!#].*")
_BLANK = re.compile(
    r"\$\{(?P<variable>[^}\n]*)\}|\{\$(?P<inside>[A-Za-z][\w.-]*)\}|\{\{[^}\n]*\}\}"
    r"|\{%.*?%\}|<%.*?%>|(?<![\w%])%[A-Z_]{2,}%|@@\w+@@"
    r"|<(?:your[\w -]+|[A-Z][A-Z0-9_-]+)>|<<[^<>\n]+>>|<--[^<>\n]+-->"
    r"|(?<!\w)__[A-Z][A-Z0-9_]*__(?!\w)"
    # a word of its own, so that neither [n]ginx nor "<html>" of a script is one
    r"|(?<!\S)(?:<[a-z][\w -]*>|\[[A-Za-z]+(?:_[A-Za-z0-9]+)+\]|@[A-Z][A-Z0-9_]*@)(?=[\s/:]|$)"
    # an address of which the author tells only a part
    r"|(?<![\w.])(?=[\d.]*[xX])(?:\d*[xX]{1,3}\d*|\d{1,3})"
    r"(?:\.(?:\d*[xX]{1,3}\d*|\d{1,3})){3}(?![\w.])"
)
"""What templates of shells, Jinja, ERB and others leave to be filled in."""
_CONFLICT = re.compile(r"(<{7}|>{7}|\|{7}) \S.*|={7}")
"""What git and its like leave in a file that they could not merge."""
_BUILT_IN = {"_PWD", "_INSTANCE", "_HASH", "_BANG", "_RANDOM"}
"""Variables that keepalived itself defines (parser.c)."""
_OF_KEEPALIVED = (b"vrrp_instance", b"virtual_server", b"include")
"""Without one of these a file is another program's, or empty; it takes no keepalived to tell."""
_NAMED = re.compile(rf"{HOME}/[\w./@%+=,-]+")


@dataclass(frozen=True)
class Configuration:
    """``files``: path on the director -> content and permissions; ``origin`` is the file that the
    user gave. ``changed`` has what of the texts is otherwise than in those files, and why.
    """

    director: str
    origin: Path
    files: dict[str, tuple[bytes, int]]
    missing: tuple[str, ...]
    changed: tuple[str, ...] = ()

    @property
    def text(self) -> bytes:
        """The keepalived.conf itself."""
        return self.files[f"{HOME}/keepalived.conf"][0]

    @property
    def programs(self) -> tuple[str, ...]:
        """The scripts and programs that it names, by their whole path, or by the name that PATH
        is searched for.
        """
        return tuple(
            dict.fromkeys(path for text in self._texts() for path in _PROGRAM.findall(text))
        )

    @property
    def users(self) -> tuple[str, ...]:
        """The users and groups that it has scripts run as."""
        found: list[str] = []
        for text in self._texts():
            for names in _USER.findall(text):
                found += filter(None, names)
        return tuple(dict.fromkeys(found))

    def _texts(self) -> Iterator[str]:
        return (
            content.decode(errors="replace")
            for content, mode in self.files.values()
            if mode == TEXT
        )


def load(argument: str, elsewhere: str = "") -> Configuration:
    """Read ``FILE`` or ``DIRECTOR=FILE`` with all that belongs to it. HarnessError names a file
    that cannot be used.

    What it includes lies beside it, or in one of the folders of ``elsewhere`` (see
    :data:`INCLUDE`): keepalived reads the files as root and says what it does not understand of
    them, so that one would give away any other file.

    Without a name the director is called as the file is, or as its folder where that is
    ``keepalived.conf``. The name matters: it is the machine's, and so what ``@host`` conditions in
    the file are compared with.
    """
    name, equals, _ = argument.partition("=")
    origin = origin_of(argument)
    director = name if equals else _name_of(origin)
    if "\0" in elsewhere or "\0" in str(origin):
        raise HarnessError(f"{elsewhere or str(origin)!r} is no path: there is a NUL in it")
    gathering = _Gathering(
        director, origin, [Path(folder) for folder in elsewhere.split(":") if folder]
    )
    gathering.add(f"{HOME}/keepalived.conf", origin)
    files: dict[str, tuple[bytes, int]] = {}
    changed: list[str] = []
    for place, (content, mode) in gathering.files.items():
        text, said = (
            replaced(content.decode(errors="surrogateescape")) if mode == TEXT else ("", ())
        )
        files[place] = (text.encode(errors="surrogateescape") if said else content, mode)
        changed += said
    return Configuration(
        director, origin, files, tuple(dict.fromkeys(gathering.missing)), tuple(changed)
    )


def load_all(arguments: list[str], elsewhere: str = "") -> list[Configuration]:
    """As :func:`load`, for several directors, each with a name of its own."""
    loaded = [load(argument, elsewhere) for argument in arguments]
    for configuration in loaded:
        _refuse_unfinished(configuration)
        if not any(word in configuration.text for word in _OF_KEEPALIVED):
            raise HarnessError(
                f"{configuration.director}: keepalived finds neither a vrrp_instance nor a"
                f" virtual_server in"
                f" {configuration.origin}: it has none"
            )
    names = [configuration.director for configuration in loaded]
    for name in names:
        if names.count(name) > 1:
            raise HarnessError(
                f"two directors are called {name}: give them names, lb1={arguments[0]}"
                f" lb2={arguments[-1]}"
            )
    return loaded


def origin_of(argument: str) -> Path:
    """The file of ``FILE`` or ``DIRECTOR=FILE``."""
    name, equals, path = argument.partition("=")
    return Path(path if equals else name)


def settings_of(pairs: Iterable[str]) -> dict[str, str]:
    """``KEY=VALUE`` each; the last one of a key counts. HarnessError names one that is not
    written so.
    """
    settings = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise HarnessError(f"--set {pair}: write it as KEY=VALUE")
        settings[key.strip()] = value.strip()
    return settings


def _refuse_unfinished(configuration: Configuration) -> None:
    """HarnessError for a file that has not been filled in, or not been merged.

    ``${VIP}`` is to be filled in, unless the files define ``$VIP = ...``.
    """
    texts = {
        path: content.decode(errors="replace")
        for path, (content, mode) in configuration.files.items()
        if mode == TEXT
    }
    defined = {name for text in texts.values() for name in _VARIABLE.findall(text)}
    for path, text in texts.items():
        name = (
            configuration.origin if path == f"{HOME}/keepalived.conf" else PurePosixPath(path).name
        )
        for number, line in enumerate(text.splitlines(), start=1):
            if _CONFLICT.fullmatch(line) is not None:
                raise HarnessError(
                    f"{name}:{number}: this file was not merged to the end: {line[:40]}; decide"
                    f" which side counts first"
                )
            blank = _BLANK.search(_COMMENT.sub("", line))
            if (
                blank is not None
                and (blank["variable"] or blank["inside"] or "").partition(" ")[0]
                not in defined | _BUILT_IN
            ):
                raise HarnessError(
                    f"{name}:{number}: this is a template that has not been filled in: {blank[0]};"
                    " fill it in first, and check what it becomes"
                )


def _name_of(origin: Path) -> str:
    word = (
        origin.absolute().parent.name
        if origin.name == "keepalived.conf"
        else origin.name.removesuffix(".conf")
    )
    return re.sub(r"[^A-Za-z0-9-]+", "-", word).strip("-")[:63] or "director"


class _Gathering:
    def __init__(self, director: str, origin: Path, elsewhere: list[Path]) -> None:
        self._director = director
        self._folder = origin.absolute().parent
        self._allowed = [folder.resolve() for folder in (self._folder, *elsewhere)]
        self._seen: set[Path] = set()
        self._definitions: dict[str, str] = {}
        self.files: dict[str, tuple[bytes, int]] = {}
        self.missing: list[str] = []
        self._size = 0

    def add(self, place: str, file: Path) -> None:
        """Take a file of the configuration, and whatever it names."""
        if place in self.files:
            return
        content = self._read(file)
        self.files[place] = content, TEXT
        self._follow(file, content, PurePosixPath(place).parent)

    def _follow(self, file: Path, content: bytes, beside: PurePosixPath) -> None:
        """Take what a file includes and names."""
        if b"\0" in content:
            raise HarnessError(f"{file} is no text: give a keepalived.conf")
        text = _CONTINUED.sub("", content.decode(errors="replace"))
        self._definitions |= dict(_DEFINITION.findall(text))
        for found in _INCLUDE.finditer(self._expanded(text)):
            if found["host"] is None or self._is_for(found["host"]):
                self._include(file, found["pattern"], beside)
        for named in _NAMED.findall(_INCLUDE.sub("", text)):
            self._add_named(named)

    def _is_for(self, condition: str) -> bool:
        """Whether a line with ``@HOST``, or ``@^HOST`` for all but one, is for this director."""
        return (condition.removeprefix("^") == self._director) != condition.startswith("^")

    def _expanded(self, text: str) -> str:
        """The text with its definitions, which may make up an include, in place of their names."""
        for _ in range(_DEFINITIONS_DEEP):
            expanded = _USE.sub(lambda use: self._definitions.get(use[1], use[0]), text)
            if expanded == text or len(expanded) > LARGEST:
                break
            text = expanded
        return text

    def _include(self, file: Path, pattern: str, beside: PurePosixPath) -> None:
        """What lies elsewhere than below /etc/keepalived a machine sees as this one does; the
        rest is put there.
        """
        wanted = str(beside / pattern)  # an absolute pattern stays as it is
        if not wanted.startswith(f"{HOME}/"):
            self._include_as_it_is(file, pattern, wanted)
            return
        below = wanted.removeprefix(f"{HOME}/")
        if ".." in PurePosixPath(below).parts:
            raise HarnessError(
                f"include {pattern} leads out of {HOME}: put it below the configuration's folder"
            )
        found = [
            match
            for match in sorted(glob.glob(below, root_dir=self._folder))
            if self._is_ours(match)
        ]
        if not found:
            self.missing.append(pattern)
        for match in found:
            self.add(f"{HOME}/{match}", self._folder / match)

    def _include_as_it_is(self, file: Path, pattern: str, wanted: str) -> None:
        if not (found := sorted(glob.glob(wanted))):
            self.missing.append(pattern)
        for match in map(Path, found):
            there = match.resolve()
            if not any(there.is_relative_to(folder) for folder in self._allowed):
                raise HarnessError(
                    f"{file}: include {pattern} reads {match}, which does not lie beside the"
                    f" configuration;"
                    f" if it is to be read: --set {INCLUDE}={match.parent}"
                )
            if there not in self._seen and there.is_file():
                self._seen.add(there)
                self._follow(match, self._read(match), PurePosixPath(wanted).parent)

    def _is_ours(self, below: str) -> bool:
        file = self._folder / below
        return file.is_file() and file.resolve().is_relative_to(self._folder.resolve())

    def _add_named(self, place: str) -> None:
        """A script or other file below /etc/keepalived that the configuration speaks of, if it
        is here.
        """
        below = place.removeprefix(f"{HOME}/")
        file = self._folder / below
        if place not in self.files and self._is_ours(below):
            content = self._read(file)
            self.files[place] = (
                content,
                0o755 if content.startswith(b"#!") else file.stat().st_mode & 0o755,
            )

    def _read(self, file: Path) -> bytes:
        too_much = HarnessError(
            f"{file}: more than {LARGEST >> 20} MiB or {MOST} files: this is no configuration"
        )
        try:
            content = received.read_named(file, LARGEST)
        except OSError as problem:
            if problem.errno == errno.EFBIG:
                raise too_much from None
            raise HarnessError(f"cannot read {file}: {problem.strerror}") from None
        self._size += len(content)
        if self._size > LARGEST or len(self.files) + len(self._seen) >= MOST:
            raise too_much
        return content


def with_scripts(
    configurations: list[Configuration], settings: dict[str, str]
) -> list[Configuration]:
    """The scripts that the user maps, among the files of all directors; they are taken out of
    ``settings``.
    """
    programs = {path for configuration in configurations for path in configuration.programs}
    named = {path if path.startswith("/") else f"{FOLDER}/{path}" for path in programs}
    mapped: dict[str, tuple[bytes, int]] = {}
    for key in [key for key in settings if key.startswith(SCRIPT)]:
        path, file = key.removeprefix(SCRIPT), Path(settings.pop(key))
        if path not in named:
            told = ", ".join(sorted(named)) or "none"
            raise HarnessError(
                f"--set {key}: no configuration names this script; those that are named: {told}"
            )
        try:
            mapped[path] = received.read_named(file, LARGEST), 0o755
        except OSError as problem:
            raise HarnessError(
                f"--set {key}={file}: cannot read {file}: {problem.strerror}"
            ) from None
    return [replace(each, files={**each.files, **mapped}) for each in configurations]
