"""Faults by their names, as they are typed: ``unplug director1 eth0``."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any

from harness import faults
from harness.errors import HarnessError
from harness.faults.fault import Fault, struck
from harness.lab.impairment import Impairment
from harness.nodes import Node
from harness.topology import VirtualService

_PLAIN = re.compile(r"(bool|int|float|None|tuple\[.*\]|str| \| )+")
"""Types of which a value can be typed."""
_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "bool": ((bool,), "yes or no"),
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "None": ((type(None),), "None"),
}
"""What a value of each plain type may be, and how that is said."""
_IMPAIRMENTS = {each.name: each for each in fields(Impairment)}
_SENTENCE = re.compile(r".*?[^.]\.(?= [A-Z]|$)")
_MARKED = re.compile(r"(?::\w+:)?`+([^`]+)`+")
"""What marks a word in docstrings, with its role before it."""
_YES = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}

FAULTS: Mapping[str, type[Fault[Node]]] = {
    name.lower(): getattr(faults, name) for name in faults.__all__ if name != "Fault"
}
"""Each fault by its own name in small letters."""

SHORT: Mapping[str, tuple[str, ...]] = {
    "crash": ("crashvrrp",),
    "hang": ("hangkeepalived", "hanghttpd"),
    "kill": ("killkeepalived",),
    "stop": ("stopkeepalived", "stophttpd"),
}
"""Shorter words, and what they mean: the first that can befall the machine."""


def usage(kind: type[Fault[Node]]) -> str:
    """What is typed after its name: ``MACHINE OTHER [both] [protocol]``."""
    needed = [each.name.upper() for each in _own(kind) if _is_needed(each)]
    others = [f"[{each.name}]" for each in _own(kind) if not _is_needed(each)]
    others = ["[loss=SHARE...]" if each == "[impairment]" else each for each in others]
    return " ".join(["MACHINE", *needed, *others])


def about(kind: type[Fault[Node]]) -> str:
    """The first sentence of what is said of it, as text for a terminal."""
    said = " ".join((kind.__doc__ or "").split())
    sentence = _SENTENCE.match(said)
    return _MARKED.sub(r"\1", sentence[0] if sentence else said)


def fault(
    word: str, arguments: Sequence[str], nodes: Mapping[str, Node], services: Sequence[Any]
) -> Fault[Node]:
    """The fault that a line names. HarnessError says what the line lacks."""
    kinds = [FAULTS[name] for name in SHORT.get(word, (word,))]
    if not arguments:
        raise HarnessError(f"say which machine: {word} {usage(kinds[0])}")
    name, *given = arguments
    if name not in nodes:
        raise HarnessError(f"no node {name}; nodes: {' '.join(nodes)}")
    node = nodes[name]
    kind = next((each for each in kinds if isinstance(node, struck(each))), kinds[0])
    return kind(node, **_values(word, kind, given, nodes, services))


def _values(
    word: str,
    kind: type[Fault[Node]],
    given: Sequence[str],
    nodes: Mapping[str, Node],
    services: Sequence[Any],
) -> dict[str, Any]:
    known = {each.name: each for each in _own(kind)}
    names = list(known)
    values: dict[str, Any] = {}
    suffered: dict[str, Any] = {}
    for argument in given:
        name, equals, text = argument.partition("=")
        if equals and "impairment" in known and name in _IMPAIRMENTS:
            suffered[name] = _literal(_IMPAIRMENTS[name], text)
            continue
        if not equals or name not in known:
            free = [each for each in names if each not in values]
            if not free:
                raise HarnessError(f"{argument!r} is too much: {word} {usage(kind)}")
            name, text = free[0], argument
        values[name] = _value(known[name], text, nodes, services)
    if lacking := [name for name in names if _is_needed(known[name]) and name not in values]:
        raise HarnessError(f"it needs {' and '.join(lacking)}: {word} {usage(kind)}")
    if suffered:
        values["impairment"] = Impairment(**suffered)
    return values


def _value(field: Field[Any], text: str, nodes: Mapping[str, Node], services: Sequence[Any]) -> Any:
    if text in nodes and "Node" in str(field.type):
        return nodes[text]
    if "VirtualService" in str(field.type):
        return _service(text, services)
    if "bool" in str(field.type) and text.lower() in _YES:
        return _YES[text.lower()]
    if str(field.type) in ("str", "str | None"):
        return text
    if not _PLAIN.fullmatch(str(field.type)):
        raise HarnessError(
            f"{field.name} is a {field.type}, which cannot be typed here: say it in Python (px)"
        )
    return _literal(field, text)


def _literal(field: Field[Any], text: str) -> Any:
    """The value that a text is. HarnessError if the field takes no such value."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    names = [each.strip() for each in str(field.type).split("|")]
    if not all(name in _KINDS for name in names):
        return value
    if not any(type(value) in _KINDS[name][0] for name in names):
        accepted = " or ".join(_KINDS[name][1] for name in names)
        raise HarnessError(f"{field.name} is {accepted}, not {text!r}")
    return value


def _service(text: str, services: Sequence[Any]) -> VirtualService:
    for service in services:
        if text in (service.name, service.name.partition(" ")[2], str(service.port)):
            found: VirtualService = service
            return found
    raise HarnessError(f"no service {text}; services: {', '.join(one.name for one in services)}")


def _own(kind: type[Fault[Node]]) -> list[Field[Any]]:
    typed = [each for each in fields(kind) if each.init and not each.name.startswith("_")]
    return [each for each in typed if each.name != "node"]


def _is_needed(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING
