"""Sequences: what is done to a cluster, one thing after the other, and for how long each lasts
(pure).

A *deed* is something that can be done: a fault, or what an operator or a client does. A *step* does
one, ``after`` so many seconds since the step before began, and takes it back after ``lasts``
seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

Value = str | int | float | bool
"""What a parameter of a deed can be."""
APART = 60.0
"""Seconds between two sequences that are taken for one."""


@dataclass(frozen=True, order=True)
class Deed:
    """Something that can be done to a node: the name of its kind, and its parameters by name."""

    name: str
    node: str
    parameters: tuple[tuple[str, Value], ...] = ()

    def __str__(self) -> str:
        words = [f"{name}={value!r}" for name, value in self.parameters]
        return f"{self.name}({', '.join([self.node, *words])})"


@dataclass(frozen=True)
class Step:
    """One deed, and when; both times in seconds."""

    after: float
    deed: Deed
    lasts: float = 0.0


def step(after: float, name: str, node: str, lasts: float = 0.0, **parameters: Value) -> Step:
    """A step in one line: ``step(0.5, "PowerOff", "director1", lasts=2)``; times in seconds."""
    return Step(after, Deed(name, node, tuple(sorted(parameters.items()))), lasts)


@dataclass(frozen=True)
class Moment:
    """At ``at`` seconds from the beginning, step ``number`` begins, or its deed is taken back."""

    at: float
    number: int
    begins: bool


@dataclass(frozen=True)
class Holds:
    """What a deed ``takes`` for itself while it lasts, and what it ``needs`` that nobody else has
    taken.
    """

    takes: frozenset[str]
    needs: frozenset[str] = frozenset()

    def clashes(self, other: Holds) -> bool:
        """Whether both cannot last at the same time."""
        return bool(self.takes & (other.takes | other.needs) or self.needs & other.takes)


def moments(steps: Sequence[Step], holds: Callable[[Deed], Holds]) -> list[Moment]:
    """When what happens, in order. A step that clashes with one that still lasts is left out.

    So every sequence can be performed, and a part of one is one, too: that is what shrinking needs.
    """
    lasting: list[tuple[float, int]] = []
    found: list[Moment] = []
    now = 0.0
    for number, each in enumerate(steps):
        now = round(now + each.after, 6)
        lasting = [(end, other) for end, other in lasting if end > now]
        if any(holds(each.deed).clashes(holds(steps[other].deed)) for _, other in lasting):
            continue
        end = round(now + each.lasts, 6)
        lasting.append((end, number))
        found += [Moment(now, number, True), Moment(end, number, False)]

    def order(moment: Moment) -> tuple[float, bool, int, bool]:
        ends_only = not moment.begins and steps[moment.number].lasts > 0
        return moment.at, not ends_only, moment.number, not moment.begins

    return sorted(found, key=order)


def performed(steps: Sequence[Step], holds: Callable[[Deed], Holds]) -> tuple[Step, ...]:
    """The same without the steps that are left out; what follows one keeps its time."""
    kept = {moment.number for moment in moments(steps, holds)}
    result: list[Step] = []
    waited = 0.0
    for number, each in enumerate(steps):
        waited += each.after
        if number in kept:
            result.append(Step(round(waited, 6), each.deed, each.lasts))
            waited = 0.0
    return tuple(result)


def in_a_row(*sequences: Sequence[Step]) -> tuple[Step, ...]:
    """Sequences as one, with no two of their deeds close together: a cluster comes to rest between
    them.
    """
    result: list[Step] = []
    for steps in sequences:
        for number, each in enumerate(steps):
            first = result and number == 0
            result.append(replace(each, after=each.after + APART) if first else each)
    return tuple(result)


def lasts(steps: Iterable[Step]) -> float:
    """How many seconds it takes until everything is taken back."""
    now = end = 0.0
    for each in steps:
        now += each.after
        end = max(end, now + each.lasts)
    return end


def to_json(steps: Iterable[Step]) -> list[list[Any]]:
    """Plain lists, for a file."""
    return [
        [each.after, each.deed.name, each.deed.node, each.lasts, dict(each.deed.parameters)]
        for each in steps
    ]


def from_json(lines: Iterable[Sequence[Any]]) -> tuple[Step, ...]:
    """What :func:`to_json` made. Raises ValueError or TypeError for what is not that."""
    return tuple(
        step(float(after), str(name), str(node), float(duration), **parameters)
        for after, name, node, duration, parameters in lines
    )


def as_python(steps: Iterable[Step], indent: str = "        ") -> list[str]:
    """The lines of a scenario that says these steps."""
    lines = []
    for each in steps:
        words = [f"{each.after:g}", f'"{each.deed.name}"', f'"{each.deed.node}"']
        words += [f"lasts={each.lasts:g}"] if each.lasts else []
        words += [f"{name}={_quoted(value)}" for name, value in each.deed.parameters]
        lines.append(f"{indent}step({', '.join(words)}),")
    return lines


def _quoted(value: Value) -> str:
    """As ruff would write it."""
    if not isinstance(value, str):
        return repr(value)
    text = repr(value)
    return text if '"' in value else '"' + text[1:-1].replace("\\'", "'") + '"'
