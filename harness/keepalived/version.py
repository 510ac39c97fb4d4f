"""Versions of keepalived."""

from __future__ import annotations

import re

from packaging.version import Version

from harness.errors import HarnessError

__all__ = ["Version", "compiled_in", "parse"]

_COMPILED_IN = re.compile(rb"Keepalived v(\d+(?:\.\d+)+) \(")  # core/main.c: VERSION_STRING


def parse(text: str) -> Version:
    """``2.2.7``, or what ``keepalived --version`` prints, as a version. HarnessError if there is
    none in it.
    """
    if (found := re.search(r"\bv?(\d+(?:\.\d+)+)", text)) is None:
        raise HarnessError(f"no version of keepalived: {text!r}; write it as 2.2.7")
    return Version(found[1])


def compiled_in(program: bytes) -> Version | None:
    """The version of a keepalived from the bytes of its program, which nobody has to run; None if
    it is no keepalived.

    It is the last release before the source it was built from.
    """
    found = _COMPILED_IN.search(program)
    return Version(found[1].decode()) if found else None
