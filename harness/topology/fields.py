"""Checks of what a user may put into a field. Each raises HarnessError, naming the owner and the
field.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from harness.errors import HarnessError

# Everything else means something to keepalived's parser: braces, quotes, comments (! #), variables
# ($), ranges (~).
_WORD = re.compile(r"[A-Za-z0-9/_.:(\[][\w.:/@%+=,?&~;()\[\]*|^-]*", re.ASCII)
"""What keepalived reads as one word: without space, quotes at its beginning, braces, ! and #
(comments), $ and ~ (variables and sequences) at its beginning, and backslashes (keepalived,
``parser.c``).
"""
_SYSCTL = re.compile(r"net(\.[a-z0-9_-]+)+", re.ASCII)
_COMMAND = re.compile(r"/[\w.:/@%+=,?&!-]+( [\w.:/@%+=,?&!-]+)*", re.ASCII)


def number(owner: str, field: str, value: float, low: float, high: float) -> None:
    """``value`` is a number from ``low`` to ``high``, both included."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise HarnessError(f"{owner}: {field} must be a number from {low} to {high}, not {value!r}")


def whole(owner: str, field: str, value: float, low: int, high: int) -> None:
    """``value`` is a whole number (``2.0`` is one) from ``low`` to ``high``, both included."""
    number(owner, field, value, low, high)
    if value != int(value):
        raise HarnessError(
            f"{owner}: {field} must be a whole number from {low} to {high}, not {value!r}"
        )


def one_of(owner: str, field: str, value: str, allowed: Collection[str]) -> None:
    """``value`` is one of ``allowed``."""
    if value not in allowed:
        raise HarnessError(f"{owner}: {field} must be one of {', '.join(allowed)}, not {value!r}")


def address(owner: str, field: str, value: str | None) -> None:
    """``value`` is an IPv4 or IPv6 address in the usual form, without prefix length or zone."""
    try:
        if (
            ip_address(value if isinstance(value, str) else repr(value)).compressed != value
            or "%" in value
        ):
            raise ValueError
    except ValueError:
        raise HarnessError(
            f"{owner}: {field} must be an address such as 172.16.10.50 or fd00:10::50,"
            " in its shortest form,"
            f" not {value!r}"
        ) from None


def netmask(owner: str, field: str, value: str, family: int) -> None:
    """``value`` is a netmask in dotted form for IPv4 (``family`` 4), or a prefix length for
    IPv6.
    """
    try:
        if family == 6:
            IPv6Network(("::", int(value)))
        elif "." not in value or IPv4Network(("0.0.0.0", value)).prefixlen < 1:
            raise ValueError
    except (ValueError, TypeError):
        form = "a prefix length such as 64" if family == 6 else "a netmask such as 255.255.255.0"
        raise HarnessError(f"{owner}: {field} must be {form}, not {value!r}") from None


def sysctl(owner: str, name: str, value: int) -> None:
    """``name`` is a setting of one machine's network, such as ``net.ipv4.ip_forward``, ``value`` a
    number.
    """
    if not isinstance(name, str) or not _SYSCTL.fullmatch(name):
        raise HarnessError(
            f"{owner}: sysctl must name settings such as net.ipv4.ip_forward, not {name!r}"
        )
    whole(owner, f"sysctl {name}", value, -(2**31), 2**31 - 1)


def word(owner: str, field: str, value: str) -> None:
    """``value`` is one word that means nothing but itself in a keepalived.conf, or keepalived's
    own.
    """
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise HarnessError(
            f"{owner}: {field} must be one word without spaces, quotes, braces, !, #, $"
            f" or backslashes, not {value!r}"
        )


def words(owner: str, field: str, value: str) -> None:
    """``value`` is some words, one space apart, that mean nothing but themselves in a
    keepalived.conf.
    """
    for each in value.split(" ") if isinstance(value, str) else [value]:
        word(owner, f"each word of {field}", each)


def network(owner: str, field: str, value: str) -> None:
    """``value`` is a network or an address, such as 10.9.0.0/24."""
    try:
        ip_network(value)
    except ValueError as problem:
        raise HarnessError(
            f"{owner}: {field} must begin with a network such as 10.9.0.0/24, not {value!r}:"
            f" {problem}"
        ) from None


def command(owner: str, field: str, value: str) -> None:
    """``value`` is a program by its full path with plain arguments, one space apart: no shell runs
    it.
    """
    if not isinstance(value, str) or not _COMMAND.fullmatch(value):
        raise HarnessError(
            f"{owner}: {field} must be a program's full path and plain arguments,"
            " without quotes or braces,"
            f" not {value!r}; put more than that into an executable file and name the file"
        )
