"""What a machine is for: director, real server or client. Passed to ``addHost`` as ``cls=``, with
options beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any, Literal

from harness.errors import HarnessError
from harness.topology import fields, routes
from harness.topology.devices import Device
from harness.topology.local import LocalService
from harness.topology.notification import FIFO, SCRIPTS, Notify
from harness.topology.programs import Program
from harness.topology.services import VirtualService
from harness.topology.vrrp import SyncGroup, VrrpInstance


@dataclass(frozen=True, kw_only=True)
class Role:
    """Base of all roles. Stock Mininet (``mn --custom``) makes an ordinary host of every one of
    them.

    ``sysctl`` are settings of the machine's network, such as ``{"net.ipv4.ip_forward": 1}``;
    ``links`` are the devices that it has beside its wires, in the order in which they are made;
    ``routes`` leads further networks by gateways or interfaces, beside ``defaultRoute``:
    ``{"10.0.0.0/8": "via 172.16.10.1", "192.0.2.0/24": "dev eth1"}``. ``firewall`` are rules in
    iptables' own words, without its name: ``("-t mangle -A PREROUTING -p tcp -j MARK --set-mark
    1",)``. ``runs`` are programs that it runs beside what its role has, each a :class:`Program`.
    """

    sysctl: Mapping[str, int] = field(default_factory=dict)
    links: tuple[Device, ...] = ()
    routes: Mapping[str, str] = field(default_factory=dict)
    firewall: tuple[str, ...] = ()
    runs: tuple[Program, ...] = ()

    def __post_init__(self) -> None:
        for destination, way in self.routes.items():
            routes.check(type(self).__name__, destination, way)
        for name, value in self.sysctl.items():
            fields.sysctl(type(self).__name__, name, value)

    def __new__(cls, *args: Any, **options: Any) -> Any:
        """The role itself, or a Mininet ``Host`` when it is stock Mininet that builds the
        topology.
        """
        # a role has keyword arguments only; Mininet(...).addHost passes the node's name before them
        if not args:
            return super().__new__(cls)
        from mininet.node import Host

        own = getattr(cls, "__dataclass_fields__", {})
        return Host(*args, **{name: value for name, value in options.items() if name not in own})


SPEAKERS = ("keepalived", "frr")
"""What elects the owner of a director's VIPs."""
BUILDERS = (*SPEAKERS, "ldirectord", "ipvsadm")
"""All that may make a director; those that speak no VRRP make its IPVS table."""


@dataclass(frozen=True, kw_only=True)
class Director(Role):
    """Runs keepalived: ``vrrp`` elects the owner of the VIPs, ``services`` are balanced over the
    real servers.

    ``config`` is the path of a keepalived.conf to use byte for byte instead of the generated one;
    ``edits`` are pairs of a text that stands once in the generated one, and what to write instead.
    With ``notify_fifo`` the timeline has what keepalived tells of changes of state. With
    ``smtp_alert`` it mails all changes of instances and real servers. With ``sync_daemon`` IPVS
    tells the other director of its connections; ``lvs_timeouts`` is for how many seconds it
    remembers them: TCP, TCP that was closed, UDP. ``files`` (path -> content and permissions) are
    put on the machine as they are, a keepalived.conf among them instead of the generated one;
    ``holds`` are addresses that it has itself, without VRRP. ``local`` has the services that its
    own health scripts look for, by the name of the ``vrrp_script``, ``programs`` the file that each
    runs, ``commands`` all that it runs, and ``switches`` the file whose existence has it fail,
    ``pauses`` for how many seconds it sleeps at most, ``ending`` has the scripts that then end
    keepalived itself. Without ``links_pidof`` its pidof is a program of its own, and no link.
    ``devices`` are tunnel and dummy devices that it has beside its wires. ``without_vip`` are
    instances that hold nothing, whose state alone can be told: their ``vip`` stands for none.
    ``users`` are made, with groups of their names, where the machine does not have them.

    ``by`` is what makes the table: keepalived; ``ldirectord``, which checks as well but elects
    nobody; or ``ipvsadm``, by which it is made once and never changed. Without keepalived the
    director itself holds the VIPs of its services. ``frr`` is FRRouting's vrrpd, which elects as
    keepalived does and balances nothing.
    """

    by: str = "keepalived"
    vrrp: VrrpInstance | tuple[VrrpInstance, ...] = ()
    sync_groups: tuple[SyncGroup, ...] = ()
    services: tuple[VirtualService, ...] | list[VirtualService] = ()
    notify_fifo: bool = False
    smtp_alert: bool = False
    sync_daemon: bool = False
    lvs_timeouts: tuple[int, int, int] | None = None
    config: Path | str | None = None
    edits: tuple[tuple[str, str], ...] = ()
    files: Mapping[str, tuple[bytes, int]] = field(default_factory=dict)
    holds: tuple[str, ...] = ()
    local: Mapping[str, tuple[LocalService, ...]] = field(default_factory=dict)
    programs: Mapping[str, str] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)
    switches: Mapping[str, str] = field(default_factory=dict)
    ending: tuple[str, ...] = ()
    pauses: Mapping[str, float] = field(default_factory=dict)
    links_pidof: bool = True
    devices: tuple[str, ...] = ()
    without_vip: tuple[VrrpInstance, ...] = ()
    users: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.one_of("Director", "by", self.by, BUILDERS)
        if self.by == "keepalived":
            return
        if self.by == "frr":
            self._check_frr()
            return
        own = {
            "vrrp": self.vrrp,
            "sync_groups": self.sync_groups,
            "config": self.config,
            "edits": self.edits,
        }
        if given := [name for name, value in own.items() if value]:
            raise HarnessError(
                f"Director: {given[0]}= is keepalived's, and its table is made by"
                f" {self.by}: leave one of them out"
            )
        if self.by == "ipvsadm" and any(service.checks for service in self.services):
            raise HarnessError(
                "Director: ipvsadm checks nothing: leave check= out, or take keepalived"
                " or ldirectord"
            )

    def _check_frr(self) -> None:
        """Raises HarnessError for what FRR's vrrpd has nothing of."""
        others = (
            "sync_groups",
            "services",
            "notify_fifo",
            "smtp_alert",
            "sync_daemon",
            "lvs_timeouts",
            "config",
        )
        if given := [name for name in others if getattr(self, name)]:
            raise HarnessError(
                f"Director: FRR's vrrpd has nothing like {given[0]}=: leave it out, or"
                " take keepalived (by=)"
            )

    @property
    def local_services(self) -> tuple[LocalService, ...]:
        """Each of its local services once."""
        return tuple(
            dict.fromkeys(service for services in self.local.values() for service in services)
        )

    @property
    def instances(self) -> tuple[VrrpInstance, ...]:
        """The VRRP instances, always as a tuple."""
        return (self.vrrp,) if isinstance(self.vrrp, VrrpInstance) else tuple(self.vrrp)

    @property
    def fifos(self) -> dict[Literal["fifo", "script"], str]:
        """Where its keepalived's notifications can be heard: ``fifo`` and ``script``, with their
        paths.
        """
        told = [each.notify for each in self.instances] + [
            group.notify for group in self.sync_groups
        ]
        commands = [
            command
            for service in self.services
            for command in (service.quorum_up, service.quorum_down)
        ]
        reports = any(notify != Notify() for notify in told) or any(commands)
        return {
            **({"fifo": FIFO} if self.notify_fifo else {}),
            **({"script": SCRIPTS} if reports else {}),
        }


@dataclass(frozen=True, kw_only=True)
class RealServer(Role):
    """Runs servers for the services in ``serves``, and holds the VIPs of those that DR or TUN
    forwards: Apache httpd, with TLS on port 443; for UDP dnsmasq; for port 25 an SMTP server. It is
    the sorry server of those in ``sorry_for``.

    ``page`` is what it answers; by default its own name. httpd has ``workers`` processes when it
    starts, each at one request at a time, and further ``pages``, by path (``/health``) or by
    virtual host and path (``www.lvs.test/health``). The paths in ``statuses`` it answers with that
    status alone. httpd also listens on the ports in ``listens``, with TLS on those in
    ``listens_tls``: what checkers ask for elsewhere than clients do. SMTP servers listen on the
    ports in ``mails`` as well. With ``answers_all`` dnsmasq answers whatever name is asked for.
    """

    serves: tuple[VirtualService, ...] | list[VirtualService] = ()
    sorry_for: tuple[VirtualService, ...] | list[VirtualService] = ()
    page: str | None = None
    pages: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, int] = field(default_factory=dict)
    listens: tuple[int, ...] = ()
    listens_tls: tuple[int, ...] = ()
    mails: tuple[int, ...] = ()
    workers: int = 2
    answers_all: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.whole("RealServer", "workers", self.workers, 1, 100)


@dataclass(frozen=True, kw_only=True)
class DirectorAndRealServer(Director, RealServer):
    """One machine as both, as in the cluster of two machines that most small ones are: what a
    director and a real server take, all of it.

    The VIPs of what it serves are on its ``lo`` as on every real server's, silently, and the one
    that its VRRP instance holds on the interface as well. What the other director forwards to it,
    its own IPVS sees first.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(service.port is not None for service in self.local_services):
            raise HarnessError(
                "DirectorAndRealServer: its httpd serves as a real server's, so no"
                " health script can have another one;"
                " use listens= and pages="
            )
        if missing := [
            each.name
            for each in self.serves
            if each.name not in {own.name for own in self.services}
        ]:
            raise HarnessError(
                f"DirectorAndRealServer: it serves {missing[0]}, which is not one of"
                " its own services; add it to"
                " services=, or make it a RealServer"
            )


@dataclass(frozen=True, kw_only=True)
class MailServer(Role):
    """Runs an SMTP server, to which all directors of the topology send their alerts."""


@dataclass(frozen=True, kw_only=True)
class Client(Role):
    """Runs nothing; the harness sends requests from it, also from the addresses in ``sources``,
    which are its own.
    """

    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for source in self.sources:
            fields.address("Client", "sources", source)


@dataclass(frozen=True, kw_only=True)
class PhantomRouter(Role):
    """Runs nothing; the harness has it send the advertisements of a router with the VRRP instance
    ``vrrp``, right ones and others. One that is ``truthful`` sends the right one whatever it is
    told to: for controls.
    """

    vrrp: VrrpInstance
    truthful: bool = False


@dataclass(frozen=True, kw_only=True)
class Router(Role):
    """Runs nothing; passes packets on between its LANs."""

    sysctl: Mapping[str, int] = field(
        default_factory=lambda: {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1}
    )


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
    known = [known.name for known in fields_of(cls)]
    if unknown := [option for option in options if option not in known]:
        takes = ", ".join(["ip", "mac", "defaultRoute", *known])
        raise HarnessError(
            f"{name}: a {cls.__name__} has no option {', '.join(unknown)}; it takes {takes}"
        )
    role: Role = cls(**options)
    return role
