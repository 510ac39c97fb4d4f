"""Static routes of a topology: where to, and by which gateway or interface."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from harness.errors import HarnessError


def check(owner: str, destination: str, way: str) -> None:
    """``destination`` is a network such as 10.0.0.0/8, and ``way`` "via" an address or "dev" an
    interface, or both.
    """
    try:
        network = ip_network(destination)
    except ValueError as problem:
        raise HarnessError(
            f"{owner}: routes: {destination!r} is no network such as 10.0.0.0/8: {problem}"
        ) from None
    words = str(way).split()
    parts = dict(zip(words[::2], words[1::2], strict=False))
    if len(words) % 2 or not parts or set(parts) - {"via", "dev"}:
        raise HarnessError(
            f'{owner}: routes: {destination} goes "via" a gateway, "dev" an interface,'
            f" or both, not {way!r}"
        )
    if "via" in parts:
        try:
            same = ip_address(parts["via"]).version == network.version
        except ValueError:
            same = False
        if not same:
            raise HarnessError(
                f"{owner}: routes: {destination} cannot go by {parts['via']!r}, which"
                " is no gateway for it"
            )


def gateway(way: str) -> str | None:
    """The gateway of a way, if it has one."""
    words = way.split()
    return words[words.index("via") + 1] if "via" in words else None


def device(way: str) -> str | None:
    """The interface of a way, if it names one."""
    words = way.split()
    return words[words.index("dev") + 1] if "dev" in words else None
