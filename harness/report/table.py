"""The text table below a failed assertion: one line an event, one column a node, times in milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from harness.clock import Instant
from harness.events import Event
from harness.report.words import words, worth_a_line

LAST_EVENTS = 40
_WIDEST = 34
_NARROWEST = 9


def render(
    events: Sequence[Event],
    nodes: Iterable[Any] = (),
    last: int = LAST_EVENTS,
    width: int = 160,
    zero: float | None = None,
) -> str:
    """The last events and what was done and due, aligned to ``width`` columns.

    Times count from ``zero`` (None: from the last fault, or from the first event where there is none). ``nodes`` gives
    the order of columns: names, or dictionaries that have one. A fault is a line across the table, a window two.
    """
    shown = [event for event in events if worth_a_line(event)]
    shown = _without_dull_requests(shown)[-last:]
    if not shown:
        return "nothing happened"
    faults = [event.at for event in events if event.kind == "fault" and event.details.get("action") == "injected"]
    if zero is None:
        zero = faults[-1] if faults else events[0].at
    order = [str(node["name"] if isinstance(node, dict) else node) for node in nodes]
    present = {event.node for event in shown if event.kind not in _ACROSS}
    columns = [name for name in order if name in present] + sorted(present - set(order))
    widths = _widths(shown, columns, width)
    lines = [(event.at, _line(event, zero, columns, widths)) for event in shown]
    lines += _windows(events, zero, since=shown[0].at)
    head = _cells(f"{'ms':>12}", [name[:size].ljust(size) for name, size in zip(columns, widths, strict=True)])
    rule = "-" * 12 + "".join("-+-" + "-" * size for size in widths)
    return "\n".join([head, rule, *(line for _, line in sorted(lines, key=lambda line: line[0]))])


_ACROSS = ("fault", "judged")


def _without_dull_requests(events: Sequence[Event]) -> list[Event]:
    """Of requests in a row that were all answered, or all not, only the first and the last: the others say no more."""
    requests = [event for event in events if event.kind == "request"]
    good = [event.details.get("status") == 200 for event in requests]
    telling = {
        id(event)
        for number, event in enumerate(requests)
        if number in (0, len(good) - 1) or len(set(good[number - 1 : number + 2])) > 1
    }
    return [event for event in events if event.kind != "request" or id(event) in telling]


def _widths(events: Sequence[Event], columns: Sequence[str], width: int) -> list[int]:
    wanted = {name: len(name) for name in columns}
    for event in events:
        if event.node in wanted and event.kind not in _ACROSS:
            wanted[event.node] = max(wanted[event.node], min(_WIDEST, len(words(event))))
    while sum(wanted.values()) + 3 * len(wanted) + 12 > width and max(wanted.values(), default=0) > _NARROWEST:
        wanted[max(wanted, key=lambda name: wanted[name])] -= 1
    return list(wanted.values())


def _line(event: Event, zero: Instant, columns: Sequence[str], widths: Sequence[int]) -> str:
    at = f"{(event.at - zero) * 1000:>12.3f}"
    if event.kind in _ACROSS:
        return f"{at} = {event.node}: {words(event)} {'=' * 8}"
    texts = [words(event) if name == event.node else "" for name in columns]
    return _cells(at, [_cut(text, size) for text, size in zip(texts, widths, strict=True)])


def _cut(text: str, size: int) -> str:
    text = " ".join(text.split())
    return text.ljust(size) if len(text) <= size else text[: size - 1] + "~"


def _cells(first: str, cells: Sequence[str]) -> str:
    return " | ".join([first, *cells]).rstrip()


def _windows(events: Sequence[Event], zero: Instant, since: Instant) -> list[tuple[Instant, str]]:
    """Lines for where windows open and close. What is only expected has an end and no known beginning."""
    due: dict[tuple[Any, Any, Any], Event] = {}
    for event in events:
        if event.kind in ("expected", "judged"):
            due[event.node, event.details.get("what"), event.details.get("since")] = event
    lines = []
    for (node, what, _), event in due.items():
        for name, sign, said in (("earliest", "/", "due from here"), ("latest", "\\", "due until here")):
            at = event.details.get(name)
            if isinstance(at, int | float) and at >= since:
                lines.append((float(at), f"{(at - zero) * 1000:>12.3f} {sign} {node}: {what}: {said} {'-' * 8}"))
    return lines
