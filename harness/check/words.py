"""What keepalived says of a configuration, by level: what it passes over, and what it takes otherwise (pure).

Its words are those of 2.2.7 and 2.3.3: ``keepalived -t``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from harness.check.findings import Finding, Place

_PLACE = re.compile(r"^\((?P<file>.+?): Line (?P<line>\d+)\) (?P<words>.*)$")
_CHANGED: Final = (
    (re.compile(r"nopreempt will not work with initial state MASTER"), "nopreempt-cleared"),
    (re.compile(r"Invalid lvs_scheduler"), "scheduler-unknown"),
    (re.compile(r"Truncating auth_pass"), "password-truncated"),
    (re.compile(r"Disabling track script|track script \S+ not found"), "script-disabled"),
    (re.compile(r"[Ss]etting (?:to|hysteresis)|outside range.*[Ss]etting|incompatible with .* resetting"),
     "value-changed"),
)  # fmt: skip
_IGNORED = re.compile(r"Unknown keyword|[Ii]nvalid|ignor|outside range")
_DEFAULT_SCHEDULER = re.compile(r"no scheduler set, setting default '(\w+)'")
_KEYWORD = re.compile(r"Unknown keyword '([^']+)'")
_ABSENCE: Final = {
    "nb_get_retry": "a TCP_CHECK tries as often as retry says, and once where that is not written",
    "nat_mask": "nothing is lost: NAT needs no mask",
}
"""What it means that keepalived no longer takes a word."""


def said(lines: Mapping[str, Iterable[str]], files: Mapping[str, str]) -> Iterator[Finding]:
    """A finding or a note for each line of ``director -> lines``; ``files`` are the directors' own, for lines that
    name none.

    keepalived's remarks that change nothing are left to the drawing.
    """
    for director, own in lines.items():
        known = list(own)
        default = next((match[1] for line in known if (match := _DEFAULT_SCHEDULER.search(line))), "wlc")
        for line in known:
            place = _PLACE.match(line)
            where = Place(place["file"], int(place["line"])) if place else Place(files[director])
            words = place["words"] if place else line
            if (finding := _finding(words, where, default)) is not None:
                yield finding


def _finding(words: str, where: Place, default: str) -> Finding | None:
    for pattern, name in _CHANGED:
        if pattern.search(words):
            text = f"keepalived takes {default} instead: {words}" if name == "scheduler-unknown" else words
            return Finding(name, where, text)
    if not _IGNORED.search(words):
        return None
    keyword = _KEYWORD.search(words)
    meaning = _ABSENCE.get(keyword[1], "") if keyword else ""
    return Finding("line-ignored", where, f"{words}: {meaning}" if meaning else words)
