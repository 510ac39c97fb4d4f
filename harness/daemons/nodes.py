"""Nodes: a machine with the role it plays, which is to say with the daemons that belong on it."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path

from harness.daemons import firewall, httpd, ipvs, keepalived, mail
from harness.daemons.daemon import Daemon, require
from harness.daemons.servers import servers_of
from harness.errors import HarnessError
from harness.keepalived import config
from harness.lab.machine import Machine, Process
from harness.lab.plan import HostPlan, Plan
from harness.topology import Client, Director, MailServer, RealServer, Role, VirtualService, VrrpInstance
from harness.topology.notification import FIFO, REPORT
from harness.topology.services import Destination
from harness.topology.tracking import CHECK

LogPipe = Callable[["Node", Daemon], int]
"""Gives the write end of a pipe for the output of a daemon; whoever asked closes it."""

PROTECTION = "/usr/local/sbin/realserver.sh"


class Node:
    """A node of the cluster through all its lives: its machine may be powered off and on again."""

    daemons: tuple[Daemon, ...] = ()

    def __init__(self, host: HostPlan, plan: Plan, log_pipe: LogPipe) -> None:
        self.plan = host
        self.name = host.name
        self.machine: Machine  # given by the cluster as soon as the power is on
        self._processes: dict[str, Process] = {}
        self._network = plan
        self._log_pipe = log_pipe

    @property
    def ip(self) -> str:
        """The machine's own address on its first LAN."""
        return self.plan.interface().address.ip.compressed

    @property
    def mac(self) -> str:
        """The hardware address of its first interface."""
        return self.plan.interface().mac

    @property
    def fifos(self) -> dict[str, str]:
        """Channels on which its daemon tells of itself, with the paths of the FIFOs."""
        return {}

    def prepare(self) -> None:
        """Put the configuration in place, on a machine that has just been switched on."""
        for name, value in self.plan.role.sysctl.items():
            self.machine.set_sysctl(name, value)

    def start(self, daemon: Daemon) -> None:
        """Start one of its daemons; whether it serves shows in its log."""
        writer = self._log_pipe(self, daemon)
        try:
            with open(os.devnull, "rb") as null:
                self._processes[daemon.name] = self.machine.spawn(daemon.argv, null.fileno(), writer, writer)
        except FileNotFoundError:
            raise HarnessError(
                f"{self.name}: there is no {daemon.argv[0]}; install it: apt-get install {daemon.package}"
            ) from None
        finally:
            os.close(writer)

    def process(self, daemon: Daemon | None = None) -> Process:
        """The process of a daemon, the first one by default. Raises HarnessError if it does not run."""
        wanted = self.daemons[0] if daemon is None else daemon
        process = self._processes.get(wanted.name)
        if not self.machine.powered or process is None or process.status is not None:
            raise HarnessError(f"{self.name}: {wanted.name} does not run")
        return process

    @property
    def idle(self) -> list[Daemon]:
        """Those of its daemons that do not run, as far as its machine has reported."""
        running = {name for name, process in self._processes.items() if process.status is None}
        return [daemon for daemon in self.daemons if not self.machine.powered or daemon.name not in running]

    def daemon_of(self, process: Process) -> Daemon | None:
        """Which daemon a process is; None if it is another program."""
        return next((daemon for daemon in self.daemons if daemon.argv == process.argv), None)

    def stop(self, daemon: Daemon | None = None) -> None:
        """Stop a daemon, the first one by default, in its own orderly way and wait for its end."""
        process = self.process(daemon)
        process.send_signal(signal.SIGTERM)
        process.wait()

    def signal_all(self, number: int, daemon: Daemon | None = None) -> None:
        """Send a signal to a daemon, the first one by default, and all its children."""
        self.machine.kill(-self.process(daemon).pid, number)


class DirectorNode(Node):
    """Runs keepalived."""

    daemons = (keepalived.KEEPALIVED,)

    @property
    def role(self) -> Director:
        """What the topology says of it."""
        assert isinstance(self.plan.role, Director)
        return self.plan.role

    @property
    def vrrp(self) -> VrrpInstance:
        """Its (first) VRRP instance."""
        if not self.role.instances:
            raise HarnessError(f"{self.name} has no VRRP instance in the topology")
        return self.role.instances[0]

    def destinations(self, service: VirtualService, name: str | None = None) -> list[Destination]:
        """The real servers of a service, in its table ``name`` (None: the first): the machines that serve it."""
        serving = [
            host
            for host in self._network.of_role(RealServer)
            if isinstance(host.role, RealServer) and _named(service, host.role.serves)
        ]
        port = service.real_port_in(service.name if name is None else name)
        return [
            Destination(host.interface().address_of(service.family), port, service.weight_of(number))
            for number, host in enumerate(serving)
        ]

    def destination(self, service: VirtualService, server: RealServerNode, name: str | None = None) -> Destination:
        """A real or sorry server as this director is to know it in the table ``name`` (None: the first) of ``service``.

        Raises HarnessError if it does not serve it.
        """
        address = server.plan.interface().address_of(service.family)
        for destination in (*self.destinations(service, name), *self.sorry_server(service)):
            if destination.address == address:
                return destination
        raise HarnessError(f"{server.name} does not serve {service.name} in the topology")

    def sorry_server(self, service: VirtualService) -> list[Destination]:
        """The sorry server of a service, if the topology has one."""
        return [
            Destination(host.interface().address_of(service.family), service.port, sorry=True)
            for host in self._network.of_role(RealServer)
            if isinstance(host.role, RealServer) and _named(service, host.role.sorry_for)
        ]

    def config_text(self) -> bytes:
        """The keepalived.conf: the user's own, byte for byte, or else the generated one."""
        if keepalived.CONFIG in self.role.files:
            return self.role.files[keepalived.CONFIG][0]
        if self.role.config is not None:
            return _read_config(self.name, self.role.config)
        services = [
            (service, [*self.destinations(service), *self.sorry_server(service)]) for service in self.role.services
        ]
        text = config.render(self._global_defs(), self.role.instances, services, self.role.sync_groups)
        return self._edited(text, self.role.edits).encode()

    def _edited(self, text: str, edits: Iterable[tuple[str, str]]) -> str:
        for old, new in edits:
            if text.count(old) != 1:
                raise HarnessError(
                    f"{self.name}: {old!r} stands {text.count(old)} times in its keepalived.conf, not once"
                )
            text = text.replace(old, new)
        return text

    def prepare(self) -> None:
        """Write keepalived.conf; one of the user's own is first read by keepalived itself."""
        ipvs.require_schedulers(self.machine, (service.scheduler for service in self.role.services))
        super().prepare()
        self.machine.add_addresses(self.role.holds)
        firewall.mark(self.machine, self.role.services)
        for place, (content, mode) in self.role.files.items():
            self.machine.write(place, content, mode)
        self.machine.write(keepalived.CONFIG, self.config_text())
        for script in (CHECK, REPORT):
            self.machine.write(script, (Path(__file__).parent / Path(script).name).read_bytes(), 0o755)
        if self.role.config is not None:
            keepalived.check_config(self.machine, str(self.role.config))

    def signal_vrrp(self, number: int) -> None:
        """Send a signal to keepalived's VRRP child alone."""
        self.machine.kill(int(self.machine.read(keepalived.VRRP_PID_FILE)), number)

    def reload(self, *edits: tuple[str, str]) -> None:
        """Have keepalived read its configuration again (SIGHUP), with pairs of old and new text edited in it."""
        self.machine.write(keepalived.CONFIG, self._edited(self.config_text().decode(), edits))
        self.process().send_signal(signal.SIGHUP)

    def _global_defs(self) -> config.GlobalDefs:
        mail_servers = self._network.of_role(MailServer)
        return config.GlobalDefs(
            router_id=self.name,
            smtp_server=mail_servers[0].interface().address.ip.compressed if mail_servers else "127.0.0.1",
            smtp_alert=self.role.smtp_alert,
            notify_fifo=FIFO if self.role.notify_fifo else None,
            lvs_sync_daemon=(self.vrrp.interface, self.vrrp.name) if self.role.sync_daemon else None,
            lvs_timeouts=self.role.lvs_timeouts,
        )

    @property
    def fifos(self) -> dict[str, str]:
        return self.role.fifos

    def claim(self, vip: str) -> VrrpInstance:
        """Its VRRP instance that claims a VIP."""
        for instance in self.role.instances:
            if vip in (*instance.vips, *instance.excluded_vips):
                return instance
        raise HarnessError(f"{self.name} has no VRRP instance for {vip}")

    def open_maintenance(self) -> None:
        """Create the ``down`` file."""
        self.machine.write(keepalived.DOWN, "")

    def close_maintenance(self) -> None:
        """Remove the ``down`` file."""
        with contextlib.suppress(FileNotFoundError):
            self.machine.remove(keepalived.DOWN)


def _named(service: VirtualService, services: Iterable[VirtualService]) -> bool:
    """Whether a service is among others, be it with other settings: its name is what tells it from others."""
    return service.name in [each.name for each in services]


class RealServerNode(Node):
    """Runs the servers that the topology names, and the script that makes it a real server."""

    def __init__(self, host: HostPlan, plan: Plan, log_pipe: LogPipe) -> None:
        super().__init__(host, plan, log_pipe)
        self.daemons = tuple(server.daemon for server in servers_of(self.role))

    @property
    def role(self) -> RealServer:
        """What the topology says of it."""
        assert isinstance(self.plan.role, RealServer)
        return self.plan.role

    @property
    def page(self) -> str:
        """The first line of what it answers."""
        return self.role.page or self.name

    def prepare(self) -> None:
        """Write configurations and pages, and run the script that holds the VIPs silently."""
        for server in servers_of(self.role):
            server.prepare(self.machine, self.role, self.page, server.ports(self.role))
        directly, tunnelled = (self._vips(method) for method in ("DR", "TUN"))
        script = (Path(__file__).parent / "realserver.sh").read_text(encoding="utf-8")
        script = script.replace("@VIPS@", directly).replace("@TUNNELLED@", tunnelled)
        self.machine.write(PROTECTION, script, 0o755)
        self.protect(True)
        super().prepare()

    def _vips(self, method: str) -> str:
        services = (*self.role.serves, *self.role.sorry_for)
        served = [service for service in services if service.method == method]
        return " ".join(dict.fromkeys(vip for service in served for vip, _ in service.endpoints))

    def protect(self, protected: bool) -> None:
        """Run the experiment's script: ``start``, or ``stop`` for a machine that answers ARP for the VIPs."""
        self.machine.run([PROTECTION, "start" if protected else "stop"])

    def put_page(self, path: str, text: str | None = None) -> None:
        """Put a page in its place, by default the one that belongs there, if one does."""
        own = {"/index.html": self.page + "\n", **self.role.pages}
        if text is None and path not in own:
            self.remove_page(path)
        else:
            self.machine.write(httpd.page_file(path), own[path] if text is None else text)

    def remove_page(self, path: str) -> None:
        """Take a page away, so that httpd answers 403 or 404."""
        self.machine.remove(httpd.page_file(path))


class MailServerNode(Node):
    """Runs an SMTP server that takes all mail."""

    daemons = (mail.MAIL,)


class ClientNode(Node):
    """Runs nothing; the harness sends requests from it."""

    def prepare(self) -> None:
        """Give it its further addresses."""
        super().prepare()
        if isinstance(self.plan.role, Client):
            self.machine.add_addresses(self.plan.role.sources)


def _programs(role: Role) -> list[str]:
    """The programs that a machine of this role is to run."""
    if isinstance(role, Director):
        marked = [program for family, program in firewall.PROGRAMS.items() if firewall.marks(role.services, family)]
        return ["keepalived", "ipvsadm", *marked]
    if isinstance(role, MailServer):
        return [mail.MAIL.argv[0]]
    return ["ip", *(server.daemon.argv[0] for server in servers_of(role))] if isinstance(role, RealServer) else []


def require_inputs(plan: Plan) -> None:
    """Raises HarnessError if a program that the machines are to run or a file of the user's is not there."""
    for program, image in {(program, host.image): None for host in plan.hosts for program in _programs(host.role)}:
        require(program, image)
    for director in plan.of_role(Director):
        own = director.role.config if isinstance(director.role, Director) else None
        if own is not None:
            _read_config(director.name, own)


def _read_config(director: str, path: Path | str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as problem:
        raise HarnessError(f"{director}: cannot read its keepalived.conf {path}: {problem.strerror}") from None


def node_of(host: HostPlan, plan: Plan, log_pipe: LogPipe) -> Node:
    """The node for a host of the plan."""
    kinds = {Director: DirectorNode, RealServer: RealServerNode, MailServer: MailServerNode}
    return kinds.get(type(host.role), ClientNode)(host, plan, log_pipe)
