"""Whether what a user has put into the fields of a role is of the types that they declare."""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields as fields_of
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from harness.errors import HarnessError


def check(role: Any) -> None:
    """Raises HarnessError, naming the role, the first field of another type, and its value.

    Where a tuple is declared a list will do, and an int where a float is. A subclass of the user's
    own may declare what is not known when it runs, of which nothing is asked, and what no value can
    be held against, such as a NewType, which anything then is of.
    """
    try:
        hints = _hints(role.__class__)
    except (NameError, AttributeError, TypeError):
        return
    for field in fields_of(role):
        value = getattr(role, field.name)
        if not _is(value, hints[field.name]):
            raise HarnessError(
                f"{type(role).__name__}: {field.name} must be of type {field.type},"
                f" not {value!r:.200}"
            )


@cache
def _hints(owner: type) -> dict[str, Any]:
    return get_type_hints(owner)


def _is(value: object, hint: Any) -> bool:
    """Whether a value is of a type, as a role's fields declare them."""
    kind, parts = get_origin(hint) or hint, get_args(hint)
    if kind in (Union, types.UnionType):
        return any(_is(value, each) for each in parts)
    if kind is Literal:
        return value in parts
    if kind is Callable:
        return callable(value)
    if kind is float:
        return isinstance(value, int | float)
    if isinstance(kind, type) and issubclass(kind, Mapping) and parts:
        return isinstance(value, Mapping) and all(
            _is(key, parts[0]) and _is(each, parts[1]) for key, each in value.items()
        )
    if isinstance(kind, type) and issubclass(kind, Collection) and parts:
        if isinstance(value, str) or not isinstance(value, kind | tuple | list):
            return False  # a word is a sequence of words, too, but never meant as one
        return _are(value, parts)
    try:
        return isinstance(value, kind)
    except TypeError:  # ``Any``, a NewType, a Protocol
        return True


def _are(values: Collection[object], parts: tuple[Any, ...]) -> bool:
    """Whether the elements of a tuple or list are what ``tuple[...]`` says of them."""
    if len(parts) == 1 or parts[-1] is Ellipsis:
        return all(_is(value, parts[0]) for value in values)
    return len(values) == len(parts) and all(map(_is, values, parts))
