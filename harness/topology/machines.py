"""What a machine is for: director, real server or client. Passed to ``addHost`` as ``cls=``, with options beside it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.topology.notification import FIFO, SCRIPTS, Notify
from harness.topology.services import VirtualService
from harness.topology.vrrp import SyncGroup, VrrpInstance


@dataclass(frozen=True)
class Role:
    """Base of all roles. Stock Mininet (``mn --custom``) makes an ordinary host of every one of them."""

    def __new__(cls, *args: Any, **options: Any) -> Any:
        """The role itself, or a Mininet ``Host`` when it is stock Mininet that builds the topology."""
        if not args:  # a role has keyword arguments only; Mininet(...).addHost passes the node's name before them
            return super().__new__(cls)
        from mininet.node import Host

        own = getattr(cls, "__dataclass_fields__", {})
        return Host(*args, **{name: value for name, value in options.items() if name not in own})


@dataclass(frozen=True, kw_only=True)
class Director(Role):
    """Runs keepalived: ``vrrp`` elects the owner of the VIPs, ``services`` are balanced over the real servers.

    ``config`` is the path of a keepalived.conf to use byte for byte instead of the generated one; ``edits`` are pairs
    of a text that stands once in the generated one, and what to write instead. With ``notify_fifo`` the timeline has
    what keepalived tells of changes of state.
    """

    vrrp: VrrpInstance | tuple[VrrpInstance, ...] = ()
    sync_groups: tuple[SyncGroup, ...] = ()
    services: tuple[VirtualService, ...] | list[VirtualService] = ()
    notify_fifo: bool = False
    config: Path | str | None = None
    edits: tuple[tuple[str, str], ...] = ()

    @property
    def instances(self) -> tuple[VrrpInstance, ...]:
        """The VRRP instances, always as a tuple."""
        return (self.vrrp,) if isinstance(self.vrrp, VrrpInstance) else tuple(self.vrrp)

    @property
    def fifos(self) -> dict[str, str]:
        """Where its keepalived's notifications can be heard: ``fifo`` and ``script``, with their paths."""
        told = [each.notify for each in self.instances] + [group.notify for group in self.sync_groups]
        reports = any(notify != Notify() for notify in told)
        return {**({"fifo": FIFO} if self.notify_fifo else {}), **({"script": SCRIPTS} if reports else {})}


@dataclass(frozen=True, kw_only=True)
class RealServer(Role):
    """Runs Apache httpd for the services in ``serves``, and holds their VIPs on ``lo`` where ``protected``.

    ``page`` is what it answers; by default its own name.
    """

    serves: tuple[VirtualService, ...] | list[VirtualService] = ()
    page: str | None = None


@dataclass(frozen=True, kw_only=True)
class Client(Role):
    """Runs nothing; the harness sends requests from it."""


def role_of(name: str, options: dict[str, Any]) -> Role:
    """The role that ``addHost(name, cls=Role, **options)`` describes, ``options`` without Mininet's own.

    Raises HarnessError if there is no role, or an option that the role does not know.
    """
    cls = options.pop("cls", None)
    if not (isinstance(cls, type) and issubclass(cls, Role)):
        raise HarnessError(f'{name}: say what it is for: addHost("{name}", cls=Director | RealServer | Client, ...)')
    known = [field.name for field in fields(cls)]
    if unknown := [option for option in options if option not in known]:
        takes = ", ".join(["ip", "mac", "defaultRoute", *known])
        raise HarnessError(f"{name}: a {cls.__name__} has no option {', '.join(unknown)}; it takes {takes}")
    role: Role = cls(**options)
    return role
