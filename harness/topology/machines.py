"""What a machine is for: director, real server or client. Passed to ``addHost`` as ``cls=``, with options beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.topology.services import VirtualService
from harness.topology.vrrp import VrrpInstance


class Role:
    """Base of all roles. Stock Mininet (``mn --custom``) makes an ordinary host of every one of them."""

    def __new__(cls, *args: Any, **options: Any) -> Any:
        """The role itself, or a Mininet ``Host`` when it is stock Mininet that builds the topology."""
        if "inNamespace" not in options:  # what Mininet(...).addHost always passes, and the harness never does
            return super().__new__(cls)
        from mininet.node import Host

        return Host(*args, ip=options.get("ip"), inNamespace=options["inNamespace"])


@dataclass(frozen=True)
class Director(Role):
    """Runs keepalived: ``vrrp`` elects the owner of the VIPs, ``services`` are balanced over the real servers.

    ``config`` is the path of a keepalived.conf to use byte for byte instead of the generated one.
    """

    vrrp: VrrpInstance | tuple[VrrpInstance, ...] = ()
    services: tuple[VirtualService, ...] | list[VirtualService] = ()
    config: Path | str | None = None

    @property
    def instances(self) -> tuple[VrrpInstance, ...]:
        """The VRRP instances, always as a tuple."""
        return (self.vrrp,) if isinstance(self.vrrp, VrrpInstance) else tuple(self.vrrp)


@dataclass(frozen=True)
class RealServer(Role):
    """Runs Apache httpd for the services in ``serves``, and holds their VIPs on ``lo`` where ``protected``.

    ``page`` is what it answers; by default its own name.
    """

    serves: tuple[VirtualService, ...] | list[VirtualService] = ()
    page: str | None = None


@dataclass(frozen=True)
class Client(Role):
    """Runs nothing; the harness sends requests from it."""


def role_of(name: str, options: dict[str, Any]) -> Role:
    """The role that ``addHost(name, cls=Role, **options)`` describes, ``options`` without Mininet's own.

    Raises HarnessError if there is no role, or an option that the role does not know.
    """
    cls = options.pop("cls", None)
    if cls is None or not issubclass(cls, Role):
        raise HarnessError(f'{name}: say what it is for: addHost("{name}", cls=Director | RealServer | Client, ...)')
    try:
        role: Role = cls(**options)
    except TypeError as problem:
        raise HarnessError(f"{name}: {problem}; {cls.__name__} takes {', '.join(cls.__annotations__)}") from None
    return role
