"""Labels: names for statements of a scenario, by which its controls say where it must fail.

A label is a comment at the end of a statement, which may be one that waits and raises::

    took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over
    assert took.within(due)  # label: in its window

A control's ``caught="takes over"`` means the first of these. It is looked for in the scenario and
in the functions that it calls, and must be there exactly once.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType, TracebackType
from typing import Any

from harness.errors import HarnessError

_COMMENT = re.compile(r"#\s*label:(.*)")


@dataclass(frozen=True)
class Statement:
    """A statement that bears a label: its file, its first and its last line.

    Of a compound one, such as ``with``, that is what comes before its body.
    """

    label: str
    file: str
    first: int
    last: int

    def __str__(self) -> str:
        return f"{Path(self.file).name}:{self.first}"

    def failed_in(self, traceback: TracebackType | None) -> bool:
        """Whether an exception came out of this statement, or out of what it called."""
        while traceback is not None:
            in_file = traceback.tb_frame.f_code.co_filename == self.file
            if in_file and self.first <= traceback.tb_lineno <= self.last:
                return True
            traceback = traceback.tb_next
        return False


def named_by(scenario: Callable[..., Any], caught: Sequence[str], where: str) -> list[Statement]:
    """The statements of a scenario that bear the labels ``caught``.

    HarnessError, which begins with ``where``, for a label that no statement bears, or more than
    one.
    """
    known = _labels_within_reach(scenario)
    found = []
    for label in caught:
        bearing = [statement for statement in known if statement.label == label]
        if len(bearing) > 1:
            places = " and ".join(str(statement) for statement in bearing)
            raise HarnessError(
                f"{where}: the label {label!r} stands behind more than one statement, {places}:"
                " give each a label of its own"
            )
        if not bearing:
            raise HarnessError(f"{where}: {_unknown(label, known)}")
        found += bearing
    return found


def _unknown(label: str, known: Iterable[Statement]) -> str:
    labels = sorted({statement.label for statement in known})
    likely = get_close_matches(label, labels, n=1)
    if likely:
        return f"no statement has the label {label!r}; did you mean {likely[0]!r}?"
    others = f" The scenario has {', '.join(map(repr, labels))}." if labels else ""
    return (
        f"no statement has the label {label!r}: put it behind the statement that must fail,"
        f" # label: {label}.{others}"
    )


# -- the labels of a file -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Source:
    """What is labelled in a file, and where its functions end, by the line on which each begins."""

    labelled: tuple[Statement, ...]
    ends: dict[int, int]

    def within(self, code: CodeType) -> list[Statement]:
        """The labelled statements of a function, and of functions that stand in it."""
        first = code.co_firstlineno
        last = self.ends.get(first, first)
        return [one for one in self.labelled if first <= one.first and one.last <= last]


@cache
def _read(file: str) -> _Source:
    text = Path(file).read_text(encoding="utf-8")
    if not _COMMENT.search(text):
        return _Source((), {})
    spans, ends = [], {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            ends[first] = node.end_lineno or first
        if isinstance(node, ast.stmt):
            spans.append(_lines_of(node))
    labelled = []
    for line, label, alone in _labels(text):
        around = [(first, last) for first, last in spans if first <= line <= last]
        if alone or not around:
            raise HarnessError(
                f"{file}:{line}: the label {label!r} stands behind no statement; put it at the end"
                " of a line of one"
            )
        first, last = min(around, key=lambda span: span[1] - span[0])
        labelled.append(Statement(label, file, first, last))
    return _Source(tuple(labelled), ends)


def _lines_of(node: ast.stmt) -> tuple[int, int]:
    """The first and the last line of a statement, without its body if it has one."""
    body = getattr(node, "body", None)
    if body:
        return node.lineno, max(node.lineno, body[0].lineno - 1)
    return node.lineno, node.end_lineno or node.lineno


def _labels(text: str) -> Iterator[tuple[int, str, bool]]:
    """The labels of a file: the line of each, its text, and whether nothing else is on the line."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        found = _COMMENT.search(token.string)
        if found:
            line, column = token.start
            yield line, found[1].strip(), not token.line[:column].strip()


# -- the functions that a scenario calls ----------------------------------------------------------


def _labels_within_reach(scenario: Callable[..., Any]) -> list[Statement]:
    found = []
    for function in _within_reach(scenario):
        found += _read(function.__code__.co_filename).within(function.__code__)
    return found


def _within_reach(scenario: Callable[..., Any]) -> list[FunctionType]:
    """A scenario's function, and those that it calls by their names; none of the harness's own."""
    reached: list[FunctionType] = []
    waiting = [inspect.unwrap(scenario)]
    while waiting:
        function = waiting.pop()
        if not isinstance(function, FunctionType) or function in reached:
            continue
        if function.__module__.partition(".")[0] == "harness":
            continue
        reached.append(function)
        waiting += _called(function.__code__, function.__globals__)
    return reached


def _called(code: CodeType, names: dict[str, Any]) -> list[Any]:
    """What the code of a function names: functions of its module, and of modules that this has."""
    found = []
    for name in code.co_names:
        value = names.get(name)
        if isinstance(value, ModuleType):
            found += [vars(value).get(each) for each in code.co_names]
        else:
            found.append(value)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found += _called(constant, names)
    return [inspect.unwrap(each) if callable(each) else each for each in found]
