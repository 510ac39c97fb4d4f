"""Examples for ``docs/api.md``: the body of a test is what the page shows, and so it is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., object])

EXAMPLES: list[tuple[object, Callable[..., object]]] = []
"""What is shown, and the test that shows it."""


def shows(*entries: Any) -> Callable[[F], F]:
    """Have a test be the example of these entries: classes, functions, properties, or names."""

    def register(test: F) -> F:
        EXAMPLES.extend((entry, test) for entry in entries)
        return test

    return register


def example_of(entry: object, name: str) -> Callable[..., object] | None:
    """The test that shows an entry; None if there is none."""
    for shown, test in EXAMPLES:
        if shown is entry or shown == name:
            return test
    return None
