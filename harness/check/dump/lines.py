"""The text that keepalived dumps, as trees of lines: one fact a line, which belongs to the line
above that is indented less.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_STAMP = re.compile(r"^\w{3} \w{3} [\d: ]+\d{4}: ")
_HEADING = re.compile(r"^ *------< (.+) >------$")


@dataclass
class Line:
    """A line of the dump and those that belong to it."""

    text: str
    children: list[Line] = field(default_factory=list)

    def get(self, *keys: str) -> str | None:
        """The value of ``key = value`` right below this line, for the first key that is there."""
        for key in keys:
            for child in self.children:
                name, equals, value = child.text.partition(" = ")
                if equals and name == key:
                    return value.strip()
        return None

    def number(self, *keys: str, default: float = 0.0) -> float:
        """The first number in a value; ``default`` where there is none. Microseconds (``us``)
        become seconds.
        """
        found = re.search(r"(-?[\d.]+) ?(us\b|usecs\b)?", self.get(*keys) or "")
        if found is None:
            return default
        return float(found[1]) / (1e6 if found[2] else 1)

    def below(self, start: str) -> Iterator[Line]:
        """The lines right below this one that begin with ``start``."""
        return (child for child in self.children if child.text.startswith(start))

    def lists(self, *titles: str) -> list[Line]:
        """What is listed below the titles, such as ``Virtual IP (2):``, or ``Virtual IP :`` in
        2.1.5.
        """
        entries: list[Line] = []
        for title in titles:
            for child in self.below(title):
                entries += child.children
        return entries


def sections(text: str) -> dict[str, Line]:
    """Heading -> the tree of the lines below it; what belongs to a repeated heading is joined."""
    found: dict[str, Line] = {}
    stack: list[tuple[int, Line]] = []
    for raw in text.splitlines():
        line = _STAMP.sub("", raw.rstrip())
        indent = len(line) - len(line.lstrip(" "))
        heading = _HEADING.match(line)
        if heading is not None and indent <= 1:
            stack = [(0, found.setdefault(heading[1], Line(heading[1])))]
        elif (
            stack and indent
        ):  # else it is not of the dump: keepalived's log goes on between its lines
            while len(stack) > 1 and stack[-1][0] >= indent:
                stack.pop()
            node = Line(heading[1] if heading else line.strip())
            stack[-1][1].children.append(node)
            stack.append((indent, node))
    return found
