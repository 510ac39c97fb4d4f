"""The text table below a failed assertion: one line an event, times in milliseconds. Nothing in it
is ever cut.

It has a column for each machine where there is room for that. On a narrower terminal the directors
have a column each and all other machines share one, and on a still narrower one every line says
which machine it is about.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from harness.clock import Instant
from harness.events import Event, FaultChanged
from harness.report import folding
from harness.report.folding import Line, Style
from harness.report.words import DIRECTING

LAST_LINES = 40
IN_A_PIPE = 160
"""The width in columns that a table keeps to where nobody knows a better one, as far as its texts
allow.
"""

Paint = Callable[[str, Style], str]
"""Gives a text the colour of a style."""

_TIME: Final = 12
_OTHERS: Final = "other nodes"


def _plainly(text: str, style: Style) -> str:
    return text


def render(
    events: Sequence[Event],
    nodes: Iterable[Any] = (),
    last: int = LAST_LINES,
    width: int | None = None,
    zero: float | None = None,
    paint: Paint = _plainly,
) -> str:
    """The last lines of what happened, and all faults, for ``width`` columns: what is longer goes
    on in the next line.

    Without a ``width``, as in a pipe, every event is one line, however long. Times count from
    ``zero`` (None: from the last fault, or from the first event where there is none). ``nodes``
    gives the order of columns: names, or dictionaries that have one and a role. A fault is a line
    across the table, a window two.
    """
    lines = folding.lines(events)
    if not lines:
        return "nothing happened"
    shown = [line for line in lines[:-last] if line.style in ("fault", "missed")] + lines[-last:]
    faults = [
        event.at
        for event in events
        if isinstance(event, FaultChanged) and event.action == "injected"
    ]
    if zero is None:
        zero = faults[-1] if faults else events[0].at
    shown += [line for line in folding.windows(events) if line.at >= shown[0].at]
    shown.sort(key=lambda line: line.at)
    for columns in _layouts(shown, list(nodes)):
        table = _Table(columns, zero, paint)
        table.add(shown)
        if table.width <= (width or IN_A_PIPE):
            return table.text()
    return _one_column(shown, zero, width, paint)


Columns = dict[str, tuple[str, ...]]
"""Column title -> the nodes whose events are in it."""


def _layouts(shown: Sequence[Line], nodes: Sequence[Any]) -> list[Columns]:
    """The ways to have several columns, the widest first."""
    order = [str(_of(node, "name")) for node in nodes]
    present = {line.node for line in shown if not line.across}
    names = [name for name in order if name in present] + sorted(present - set(order))
    each: Columns = {name: (name,) for name in names}
    directors = {str(_of(node, "name")) for node in nodes if str(_of(node, "role")) in DIRECTING}
    others = tuple(name for name in names if name not in directors)
    together: Columns = {name: (name,) for name in names if name in directors}
    return [each] if len(others) < 2 or not together else [each, {**together, _OTHERS: others}]


def _of(node: Any, name: str) -> Any:
    if isinstance(node, dict):
        return node.get(name)
    return node if name == "name" else None


class _Table:
    """Cells, each as wide as the longest text of its column."""

    def __init__(self, columns: Columns, zero: Instant, paint: Paint) -> None:
        self._columns, self._zero, self._paint = columns, zero, paint
        self._widths = {title: len(title) for title in columns}
        self._lines: list[Line] = []

    def add(self, lines: Sequence[Line]) -> None:
        """Put lines into the columns of their nodes."""
        for line in lines:
            self._lines.append(line)
            if not line.across:
                title = self._title(line)
                self._widths[title] = max(self._widths[title], len(self._said(line, title)))

    def _title(self, line: Line) -> str:
        return next(title for title, nodes in self._columns.items() if line.node in nodes)

    def _said(self, line: Line, title: str) -> str:
        return line.text if self._columns[title] == (line.node,) else f"{line.node}: {line.text}"

    @property
    def width(self) -> int:
        """In columns of a terminal."""
        across = max((len(_across(line)) for line in self._lines if line.across), default=0)
        return _TIME + max(1 + across, sum(3 + width for width in self._widths.values()))

    def text(self) -> str:
        """The whole of it."""
        head = " | ".join(
            [f"{'ms':>{_TIME}}", *(title.ljust(size) for title, size in self._widths.items())]
        )
        rule = "-" * _TIME + "".join("-+-" + "-" * size for size in self._widths.values())
        return "\n".join([head.rstrip(), rule, *map(self._row, self._lines)])

    def _row(self, line: Line) -> str:
        at = _time(line, self._zero)
        if line.across:
            return f"{at} {self._paint(_across(line), line.style)}"
        mine = self._title(line)
        cells = [at]
        for title, size in self._widths.items():
            said = self._said(line, title) if title == mine else ""
            cells.append((self._paint(said, line.style) if said else "") + " " * (size - len(said)))
        return " | ".join(cells).rstrip()


def _one_column(shown: Sequence[Line], zero: Instant, width: int | None, paint: Paint) -> str:
    """Each line says which node it is about, and goes on below its text if it is longer than the
    terminal is wide.
    """
    rows = [f"{'ms':>{_TIME}}"]
    for line in shown:
        said = _across(line) if line.across else f"{line.node}: {line.text}"
        room = len(said) + 1 if width is None else max(_TIME, width - _TIME - 1)
        parts = textwrap.wrap(said, room, subsequent_indent="  ") or [""]
        rows.append(f"{_time(line, zero)} {paint(parts[0], line.style)}")
        rows += [" " * (_TIME + 1) + paint(part, line.style) for part in parts[1:]]
    return "\n".join(rows)


def _time(line: Line, zero: Instant) -> str:
    return f"{(line.at - zero) * 1000:>{_TIME}.3f}"


def _across(line: Line) -> str:
    """A line across the table: a fault or a verdict is drawn double, where a window opens or closes
    single.
    """
    sign = line.text[0]
    if sign in "/\\":
        return f"{sign} {line.node}: {line.text[2:]} {'-' * 8}"
    return f"= {line.node}: {line.text} {'=' * 8}"
