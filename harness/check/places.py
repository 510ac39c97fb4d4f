"""Where in a director's files something stands, so that a finding can name file and line (pure).

This is no second parser: what counts is what keepalived has read. It only looks for the line that
says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from harness.check.files import HOME, TEXT, Configuration

_COMMENT = re.compile(r"[!#].*")
_BRACES = re.compile(r"([{}])")


@dataclass(frozen=True)
class Statement:
    """A line of a configuration: ``blocks`` are the first lines of the blocks around it,
    outermost first.
    """

    place: str
    blocks: tuple[str, ...]
    words: tuple[str, ...]


def statements(configuration: Configuration) -> Iterator[Statement]:
    """Every statement of all of a director's files, with its place as the user would name it."""
    for path, (content, mode) in configuration.files.items():
        if mode == TEXT:
            yield from _in_file(_as_given(configuration, path), content.decode(errors="replace"))


def _as_given(configuration: Configuration, path: str) -> str:
    """The path of a file on this machine: the folder of the user's file stands for
    ``/etc/keepalived``.
    """
    if path == f"{HOME}/keepalived.conf":
        return str(configuration.origin)
    if path.startswith(f"{HOME}/"):
        return str(configuration.origin.parent / PurePosixPath(path).relative_to(HOME))
    return path


def _in_file(name: str, text: str) -> Iterator[Statement]:
    blocks: list[str] = []
    before = ""
    for number, line in enumerate(text.splitlines(), start=1):
        for part in _BRACES.split(_COMMENT.sub("", line)):
            if part == "{":
                blocks.append(before)
            elif part == "}":
                del blocks[-1:]
            elif words := part.split():
                before = " ".join(words)
                yield Statement(f"{name}:{number}", tuple(blocks), tuple(words))


def where(configuration: Configuration, keyword: str, *, block: str = "", value: str = "") -> str:
    """The place of the first statement that begins with ``keyword``; empty if there is none.

    ``block`` is how some block around it, or the statement itself where that opens one, begins;
    ``value`` is among its words.
    """
    for statement in statements(configuration):
        if keyword and statement.words[0] != keyword:
            continue
        if (
            value
            and value not in statement.words
            and not any(word.partition("/")[0] == value for word in statement.words)
        ):
            continue
        around = (*statement.blocks, " ".join(statement.words))
        if not block or any(f"{each} ".startswith(f"{block} ") for each in around):
            return statement.place
    return ""
