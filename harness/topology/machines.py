"""What a machine is for: director, real server or client. Passed to ``addHost`` as ``cls=``, with
options beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.errors import HarnessError
from harness.topology import fields, routes, rules, types
from harness.topology.devices import Device
from harness.topology.local import LocalService
from harness.topology.notification import FIFO, REPORT, SCRIPTS, Notify
from harness.topology.programs import Program
from harness.topology.services import VirtualService
from harness.topology.vrrp import SyncGroup, VrrpInstance


@dataclass(frozen=True, kw_only=True)
class Role:
    """Base of all roles. Stock Mininet (``mn --custom``) makes an ordinary host of every one of
    them.

    - ``sysctl``: settings of the machine's network, such as ``{"net.ipv4.ip_forward": 1}``.
    - ``links``: devices that the machine has beside its wires, in the order in which they are made.
    - ``routes``: ways to further networks, beside ``defaultRoute``, by a gateway or an interface:
      ``{"10.0.0.0/8": "via 172.16.10.1", "192.0.2.0/24": "dev eth1"}``.
    - ``firewall``: rules as iptables takes them: ``("-t mangle -A PREROUTING -p tcp -j MARK
      --set-mark 1",)``.
    - ``nftables``: the text of an ``/etc/nftables.conf``, as ``nft -f`` takes it.
    - ``runs``: programs that run beside those of the role, each a :class:`Program`.
    """

    sysctl: Mapping[str, int] = field(default_factory=dict)
    links: tuple[Device, ...] = ()
    routes: Mapping[str, str] = field(default_factory=dict)
    firewall: tuple[str, ...] = ()
    nftables: str = ""
    runs: tuple[Program, ...] = ()

    def __post_init__(self) -> None:
        types.check(self)
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


KEEPALIVED_CONF = "/etc/keepalived/keepalived.conf"
"""Where a director's keepalived reads its configuration."""

SPEAKERS = ("keepalived", "frr")
"""What elects the owner of a director's VIPs."""
BUILDERS = (*SPEAKERS, "ldirectord", "ipvsadm", "program")
"""All that may make a director; those that speak no VRRP make its IPVS table."""
KEEPALIVEDS = (
    "vrrp",
    "sync_groups",
    "config",
    "edits",
    "read",
    "notify_fifo",
    "smtp_alert",
    "sync_daemon",
    "lvs_timeouts",
    "startup_delay",
    "flush_on_stop",
)
"""What only keepalived makes anything of."""


@dataclass(frozen=True, kw_only=True)
class Director(Role):
    """Runs keepalived, which elects the owner of the VIPs and balances requests over real servers.

    - ``vrrp``: the VRRP instances; ``sync_groups``: those that change state together.
    - ``services``: the virtual services that are balanced over the real servers.
    - ``by``: which program makes a director of it. ``keepalived`` is the default. ``ldirectord``
      and ``ipvsadm`` make the IPVS table only, so the director holds the VIPs of its services
      itself; so does a ``program`` of the user's own, which is one of those in ``runs``. ``frr`` is
      FRRouting's vrrpd, which elects as keepalived does and balances nothing.
    - ``config``: the path of a keepalived.conf, which is used byte for byte.
    - ``edits``: pairs of a text that is in the generated keepalived.conf once, and its replacement.
    - ``files``: further files of the machine: path -> content and permissions. A keepalived.conf
      among them is used instead of the generated one.
    - ``read``: its instances, sync groups and services are those that keepalived reads in
      ``config``, or in the keepalived.conf among ``files``, before anything else starts.
    - ``notify_fifo``: keepalived's notifications are recorded on the timeline.
    - ``smtp_alert``: keepalived sends mail about changes of instances and of real servers.
    - ``sync_daemon``: IPVS sends its connections to the other directors.
    - ``lvs_timeouts``: how many seconds IPVS remembers connections: TCP, closed TCP, UDP.
    - ``startup_delay``: for how many seconds after its start keepalived takes no part in elections.
    - ``flush_on_stop``: keepalived empties the whole IPVS table as it ends
      (``lvs_flush_on_stop``).
    - ``holds``: addresses that the director has without VRRP.
    - ``devices``: tunnel and dummy devices that it has beside its wires.
    - ``without_vip``: instances without a VIP, of which only the state can be judged; their ``vip``
      is a placeholder.
    - ``users``: users, each with a group of its name, that are made if the machine lacks them.
    - ``unanswered``: real servers of its configuration that the topology has nobody for, as
      ``ADDRESS:PORT``. That their checks fail says nothing.

    What health scripts meet, each by the name of its ``vrrp_script``:

    - ``local``: the services that the script looks for.
    - ``programs``: the file that it runs; ``commands``: all that it runs.
    - ``switches``: the file whose existence makes it fail.
    - ``pauses``: for how many seconds it sleeps at most.
    - ``ending``: the scripts that end keepalived itself then.
    - ``links_pidof``: whether pidof is a link, as in Debian, or a program of its own.
    """

    by: str = "keepalived"
    vrrp: VrrpInstance | tuple[VrrpInstance, ...] = ()
    sync_groups: tuple[SyncGroup, ...] = ()
    services: tuple[VirtualService, ...] | list[VirtualService] = ()
    notify_fifo: bool = False
    smtp_alert: bool = False
    sync_daemon: bool = False
    lvs_timeouts: tuple[int, int, int] | None = None
    startup_delay: float = 0.0
    flush_on_stop: bool = False
    config: Path | str | None = None
    edits: tuple[tuple[str, str], ...] = ()
    files: Mapping[str, tuple[bytes, int]] = field(default_factory=dict)
    read: bool = False
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
    unanswered: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.one_of("Director", "by", self.by, BUILDERS)
        self._check_parts()
        if self.read and self.config is None and KEEPALIVED_CONF not in self.files:
            raise HarnessError(
                "Director: read=True is for a keepalived.conf of your own: give it as config=, or"
                " among files="
            )
        if self.by == "keepalived":
            return
        if self.by == "frr":
            self._check_frr()
            return
        maker = "a program" if self.by == "program" else self.by
        if given := [name for name in KEEPALIVEDS if getattr(self, name)]:
            raise HarnessError(
                f"Director: {given[0]}= is keepalived's, and its table is made by"
                f" {maker}: leave one of them out"
            )
        if self.by == "program" and not self.runs:
            raise HarnessError(
                'Director: by="program" says that one of its programs makes its table, and it has'
                " none: give it one as runs=, or take keepalived, ldirectord or ipvsadm"
            )
        if self.by == "ipvsadm" and any(service.checks for service in self.services):
            raise HarnessError(
                "Director: ipvsadm checks nothing: leave check= out, or take keepalived"
                " or ldirectord"
            )

    @property
    def has_own_text(self) -> bool:
        """Whether its keepalived.conf is the user's own, rather than generated."""
        return self.config is not None or KEEPALIVED_CONF in self.files

    def _check_parts(self) -> None:
        """Raises HarnessError for what may not be written of it, if it is written.

        Beside a text of the user's own the parts only say what to expect of it.
        """
        if self.has_own_text:
            for instance in self.instances:
                rules.addresses(instance)
            for service in self.services:
                rules.endpoints(service)
            return
        for part in (*self.instances, *self.sync_groups, *self.services):
            rules.check(part)
        rules.check_together(self.instances, self.sync_groups, self.services)
        elected = {vip for each in self.instances for vip in (*each.vips, *each.excluded_vips)}
        if both := [address for address in self.holds if address in elected]:
            raise HarnessError(
                f"Director: it holds {both[0]} whatever VRRP says, and a VRRP instance has it as"
                " its VIP: leave it out of one of them"
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
            "startup_delay",
            "flush_on_stop",
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
        own = self.files.get(KEEPALIVED_CONF, (b"", 0))[0]
        return {
            **({"fifo": FIFO} if self.notify_fifo or FIFO.encode() in own else {}),
            **({"script": SCRIPTS} if reports or REPORT.encode() in own else {}),
        }


@dataclass(frozen=True, kw_only=True)
class RealServer(Role):
    """Runs servers for the services in ``serves``, and holds the VIPs that DR or TUN forwards to
    it.

    The server is Apache httpd, with TLS on port 443; for UDP it is dnsmasq, for port 25 an SMTP
    server.

    - ``serves``: the virtual services that it serves; ``sorry_for``: those whose sorry server it
      is.
    - ``page``: what it answers; by default its own name.
    - ``pages``: further pages by their path (``/health``), or by virtual host and path
      (``www.lvs.test/health``).
    - ``statuses``: paths that are answered with a status alone.
    - ``listens``, ``listens_tls``, ``mails``: further ports of httpd, of httpd with TLS, and of the
      SMTP server, for checkers that ask elsewhere than clients do.
    - ``workers``: how many processes httpd starts with, each of which answers one request at a
      time.
    - ``answers_all``: dnsmasq answers for every name.
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
        for service in (*self.serves, *self.sorry_for):
            rules.endpoints(service)
        if both := [each.name for each in self.sorry_for if each in self.serves]:
            raise HarnessError(
                f"RealServer: it serves {both[0]} and is its sorry server, which takes the place"
                " of those that serve: leave it out of one of them"
            )
        ports = {port for each in (*self.serves, *self.sorry_for) for port in each.ports}
        for program in self.runs:
            if strange := [port for port in program.serves if port not in ports]:
                known = ", ".join(map(str, sorted(ports))) or "none"
                raise HarnessError(
                    f"Program {program.name}: it serves {strange[0]}, and the real server's"
                    f" services have the ports {known}"
                )


@dataclass(frozen=True, kw_only=True)
class DirectorAndRealServer(Director, RealServer):
    """One machine as director and as real server, with the parameters of both.

    This is what clusters of two machines are made of. The VIPs of what it serves are on its ``lo``,
    as on every real server. The VIP that its VRRP instance holds is on the interface as well.
    Requests that the other director forwards to it reach its own IPVS first.
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
    """Runs nothing. The harness sends requests from it, also from the addresses in ``sources``."""

    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for source in self.sources:
            fields.address("Client", "sources", source)


@dataclass(frozen=True, kw_only=True)
class PhantomRouter(Role):
    """Runs nothing. The harness sends the advertisements of a VRRP router from it, right and wrong
    ones.

    ``vrrp`` is the instance that it pretends to have. With ``truthful``, which is for controls,
    every advertisement is right, whatever a scenario asks for.
    """

    vrrp: VrrpInstance
    truthful: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        rules.check(self.vrrp)


@dataclass(frozen=True, kw_only=True)
class Router(Role):
    """Runs nothing; passes packets on between its LANs."""

    sysctl: Mapping[str, int] = field(
        default_factory=lambda: {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1}
    )
