"""Masking passwords: ``auth_pass``, wherever a run's files have it."""

from __future__ import annotations

import re
from collections.abc import Iterable

_VALUE = re.compile(rb"""(auth_pass["']?\s*[=:]?\s*["']?)([^\s"',)}{]+)""")
_NO_VALUES = (b"=", b"None", b"str", b"|")


def find(texts: Iterable[bytes]) -> list[bytes]:
    """The passwords in keepalived configurations and in Python, in the order of first use."""
    found = (match[2] for text in texts for match in _VALUE.finditer(text))
    return list(dict.fromkeys(value for value in found if value not in _NO_VALUES))


def mask(data: bytes, secrets: list[bytes]) -> bytes:
    """The data with other passwords of the same lengths, so that files keep their form and
    directors still agree.

    Two different passwords stay different. In captures they stand in advertisements, filled up to 8
    bytes with zeros (RFC 2338 section 5.3.10).
    """
    data = _VALUE.sub(lambda match: match[1] + (stand_in(match[2], secrets)), data)
    for secret in secrets:
        if b"\0" in data:  # not a text
            data = data.replace(
                secret[:8].ljust(8, b"\0"), stand_in(secret, secrets)[:8].ljust(8, b"\0")
            )
    return data


def stand_in(secret: bytes, secrets: list[bytes]) -> bytes:
    """What is written instead of a password."""
    if secret not in secrets:
        return secret
    return (b"*" * 64 + str(secrets.index(secret)).encode())[-len(secret) :]
