"""What keepalived says only because of a mistake that it has told of before (pure).

A block whose word is mistyped, or that has a brace too few or too many, makes it take the lines
after it for something else, and it complains of each. Told is the mistake, and not what follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from harness.check.files import Configuration
from harness.check.finding import Finding
from harness.check.kinds import NOTE
from harness.check.places import Statement, statements
from harness.check.words import WORDS

_PLACE = re.compile(r"^\((?:(?P<file>[^():]+): )?Line (?P<line>\d+)\) *(?P<rest>.*)")
_UNKNOWN = re.compile(r"Unknown keyword '?(?P<word>[^\s']+)'?")
_NAME = re.compile(r"[A-Za-z_]{3,}")

UNCLOSED = "missing '}'s or extra '{'s"
EXTRA = "Extra '}' found"
WITHOUT = "Missing '{' at beginning of configuration block"
UNEXPECTED = "Unexpected '{' - ignoring"
"""What keepalived says of braces (``lib/parser.c``, 2.1.5 to 2.3.4)."""
ITS_BLOCK = " and the block that it begins"
"""Added to what keepalived says of an unknown word with which a block begins."""

_OF_INSTANCE = re.compile(r"keepalived: \((?P<name>[^()]+)\) ")
_OF_SERVICE = re.compile(
    r"keepalived: Virtual server \[?(?P<address>[^\s\]]+)\]?:\w+:(?P<port>\d+)"
)
_EMPTY = "has no real servers"


@dataclass(frozen=True)
class _Said:
    """A complaint: ``file`` is empty and ``line`` 0 where keepalived does not say where."""

    whole: str
    file: str
    line: int
    rest: str

    @property
    def word(self) -> str:
        """The word that is not known, where the complaint is of one."""
        unknown = _UNKNOWN.search(self.rest)
        return unknown["word"] if unknown else ""

    @property
    def is_of_a_brace(self) -> bool:
        return any(words in self.rest for words in (UNCLOSED, EXTRA, WITHOUT, UNEXPECTED))

    @property
    def may_follow(self) -> bool:
        """Whether it may be said of a line in which nothing is wrong."""
        if self.is_of_a_brace:
            return True
        return bool(self.word) and (self.word in WORDS or not _NAME.match(self.word))


def first_causes(lines: Iterable[str]) -> list[str]:
    """A director's complaints without those that only follow from a brace, or from the word of a
    block that keepalived does not know. Of a brace there is one complaint, at the first line that
    is misread.
    """
    said = _each_once(map(_parsed, lines))
    for file in dict.fromkeys(each.file for each in said if each.is_of_a_brace and each.file):
        said = list(_without_following(said, file))
    if any(each.is_of_a_brace and each.file for each in said):
        said = [each for each in said if not (each.is_of_a_brace and not each.file)]
    return [each.whole for each in said]


def _parsed(line: str) -> _Said:
    place = _PLACE.match(line)
    if place is None:
        return _Said(line, "", 0, line)
    return _Said(line, place["file"] or "", int(place["line"]), place["rest"])


def _each_once(said: Iterable[_Said]) -> list[_Said]:
    """keepalived 2.2 and later read a file twice, and name it in one of the two times only."""
    found = list(dict.fromkeys(said))
    located = {(each.line, each.rest) for each in found if each.file}
    return [each for each in found if each.file or (each.line, each.rest) not in located]


def _without_following(said: Sequence[_Said], file: str) -> Iterator[_Said]:
    """The complaints, in which one stands for all that follows from the first brace of a file."""
    braces = [each for each in said if each.file == file and each.is_of_a_brace]
    first = min(each.line for each in braces)
    last = max(each.line for each in said if each.file == file and each.may_follow)
    unbalanced = _unbalanced(said, braces)
    blamed = [each for each in said if (each.file, each.line) == (file, first) and each.word]
    if unbalanced is not None:
        yield unbalanced
    for each in said:
        if unbalanced is None and each in blamed:
            yield replace(each, whole=each.whole + ITS_BLOCK)
        elif each.file != file or not first <= each.line <= last or not each.may_follow:
            yield each


def _unbalanced(said: Sequence[_Said], braces: Sequence[_Said]) -> _Said | None:
    """The mistake, if it is a brace: at the first line that is misread, or at that which lacks its
    own. None where braces match and a word is to blame.
    """
    lacking = [each for each in braces if WITHOUT in each.rest]
    if lacking:
        return min(lacking, key=lambda each: each.line)
    first = min(braces, key=lambda each: each.line)
    for words in (UNCLOSED, EXTRA):
        if any(words in each.rest for each in said if each.file in ("", first.file)):
            told = f"({first.file}: Line {first.line}) {words}"
            return _Said(told, first.file, first.line, words)
    return None


def unexplained(
    found: Iterable[Finding], configurations: Sequence[Configuration]
) -> Iterator[Finding]:
    """The findings without what keepalived says of a block in which a word is mistyped: that the
    block lacks what the word would have said.
    """
    findings = list(found)
    mistyped = {
        place
        for each in findings
        if each.name == "word-mistyped"
        for place in each.where.split(", ")
    }
    blocks: dict[str, list[Statement]] = {
        each.director: [one for one in statements(each) if one.place in mistyped]
        for each in configurations
    }
    for each in findings:
        follows = each.kind.level == NOTE or _EMPTY in each.text
        directors = each.where.split(", ")
        if follows and all(_is_of(each.text, blocks.get(one, ())) for one in directors):
            continue
        yield each


def _is_of(text: str, mistyped: Iterable[Statement]) -> bool:
    """Whether a complaint names the instance or the service in which one of the words stands."""
    instance, service = _OF_INSTANCE.match(text), _OF_SERVICE.match(text)
    for statement in mistyped:
        block = statement.blocks[0].split() if statement.blocks else []
        if instance is not None and block[:2] == ["vrrp_instance", instance["name"]]:
            return True
        if service is not None and block == ["virtual_server", service["address"], service["port"]]:
            return True
    return False
