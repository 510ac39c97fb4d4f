"""Which roles there are, and which one the options of a topology's host describe."""

from __future__ import annotations

from dataclasses import fields as fields_of
from typing import Any

from harness.errors import HarnessError
from harness.topology.machines import (
    Client,
    Director,
    DirectorAndRealServer,
    MailServer,
    PhantomRouter,
    RealServer,
    Role,
    Router,
)

KINDS: tuple[type[Role], ...] = (
    Client,
    Director,
    DirectorAndRealServer,
    MailServer,
    PhantomRouter,
    RealServer,
    Router,
)
"""The roles that the harness can play; one of the user's own is a subclass of one of them."""


def kind_of(role: type[Role]) -> type[Role]:
    """Which of the :data:`KINDS` a role is: itself, or the first one that it is derived from.

    HarnessError if it is derived from none, or from two that one machine cannot be at once.
    """
    kinds = [each for each in role.__mro__ if each in KINDS]
    if not kinds:
        known = ", ".join(each.__name__ for each in KINDS)
        raise HarnessError(f"{role.__name__} is derived from none of the roles {known}")
    kind = kinds[0]
    if others := [each for each in kinds if not issubclass(kind, each)]:
        cure = _cure(kind, others[0])
        raise HarnessError(
            f"{role.__name__} is both {kind.__name__} and {others[0].__name__}: {cure}"
        )
    return kind


def _cure(one: type[Role], other: type[Role]) -> str:
    """How one machine can be what two roles say, or that it cannot."""
    both = {one, other}
    if both == {Director, RealServer}:
        return "derive it from DirectorAndRealServer"
    for light, further in (
        (Router, "with sysctl={'net.ipv4.ip_forward': 1} it passes packets on"),
        (Client, "node.fetch(...) sends requests from any machine"),
    ):
        others = both - {light}
        if light in both and others <= {Director, DirectorAndRealServer, RealServer, MailServer}:
            return f"derive it from {others.pop().__name__} alone: {further}"
    return "make two machines of it"


def role_of(name: str, options: dict[str, Any]) -> Role:
    """The role that ``addHost(name, cls=Role, **options)`` describes, ``options`` without Mininet's
    own.

    Raises HarnessError if there is no role, or an option that the role does not know.
    """
    cls = options.pop("cls", None)
    if not (isinstance(cls, type) and issubclass(cls, Role)):
        raise HarnessError(
            f'{name}: say what it is for: addHost("{name}", '
            "cls=Director | RealServer | Router | Client | MailServer, ...)"
        )
    try:
        kind_of(cls)
    except HarnessError as problem:
        raise HarnessError(f"{name}: {problem}") from None
    known = [known.name for known in fields_of(cls)]
    if unknown := [option for option in options if option not in known]:
        takes = ", ".join(["ip", "mac", "defaultRoute", *known])
        raise HarnessError(
            f"{name}: a {cls.__name__} has no option {', '.join(unknown)}; it takes {takes}"
        )
    role: Role = cls(**options)
    return role
