"""The grammar of a keepalived.conf: blocks in braces, one statement a line."""

from __future__ import annotations

from collections.abc import Iterable


def block(head: str, body: Iterable[str]) -> list[str]:
    """``head { body }``, the body indented."""
    return [f"{head} {{", *(f"    {line}" for line in body), "}"]


def seconds(value: float) -> str:
    """A time in seconds as keepalived reads it: to the microsecond, without an exponent."""
    return f"{value:.6f}".rstrip("0").rstrip(".")
