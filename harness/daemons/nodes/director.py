"""Directors: keepalived, or what else makes the table, and the configuration that it is given."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterable
from functools import cached_property
from ipaddress import ip_interface
from pathlib import Path

from harness.clock import Window
from harness.daemons import firewall, ipvs, ipvsadm, keepalived, ldirectord, local, users
from harness.daemons.daemon import Daemon
from harness.daemons.frr import Frr
from harness.daemons.nodes.node import LogPipe, Node
from harness.daemons.nodes.real_server import RealServerNode
from harness.daemons.speaker import Speaker
from harness.errors import HarnessError
from harness.events import Channel, State
from harness.frr import config as frr_config
from harness.keepalived import config
from harness.lab.plan import HostPlan, Plan
from harness.topology import Director, MailServer, RealServer, VirtualService, VrrpInstance
from harness.topology.notification import FIFO, REPORT
from harness.topology.services import Destination
from harness.topology.tracking import CHECK

IMPLEMENTATIONS: dict[str, Speaker] = {"keepalived": keepalived.Keepalived(), "frr": Frr()}
"""The VRRP implementations, by what the topology calls them (``by=``)."""

_KINDS = {"tunl": "ipip", "ip6tnl": "ip6tnl", "gre": "gre", "sit": "sit"}


class DirectorNode(Node):
    """Runs keepalived or another VRRP implementation, and stand-ins for what health scripts look
    for.
    """

    def __init__(self, host: HostPlan, plan: Plan, log_pipe: LogPipe) -> None:
        super().__init__(host, plan, log_pipe)
        others = {"ldirectord": (ldirectord.LDIRECTORD,)}.get(self.role.by, ())
        own = (
            IMPLEMENTATIONS[self.role.by].daemons(host.image)
            if self.role.by in IMPLEMENTATIONS
            else others
        )
        self.daemons = (*own, *local.daemons(self.role.local_services))

    @property
    def role(self) -> Director:
        """What the topology says of it."""
        assert isinstance(self.plan.role, Director)
        return self.plan.role

    @property
    def speaker(self) -> Speaker:
        """Its VRRP implementation. Raises HarnessError if it has none."""
        if self.role.by not in IMPLEMENTATIONS:
            raise HarnessError(f"{self.name}: {self.role.by} speaks no VRRP")
        return IMPLEMENTATIONS[self.role.by]

    def due(self, window: Window, master_advert_int: float | None = None) -> Window:
        """When this implementation does what the RFCs have a router do in such a window, which has
        the skew in it.

        ``master_advert_int`` as for :func:`harness.keepalived.timers.takeover`.
        """
        return self.speaker.due(window, self.vrrp, master_advert_int)

    def device_of(self, vip: str) -> str:
        """The interface on which it holds a VIP, while it does."""
        return self.speaker.device_of(self.claim(vip), vip)

    def hardware_address(self, vip: str) -> str:
        """At which hardware address it answers for a VIP; its own where it claims that otherwise
        than by VRRP.
        """
        if not any(vip in (*each.vips, *each.excluded_vips) for each in self.role.instances):
            return self.mac
        return self.speaker.hardware_address(self.claim(vip), self.mac)

    def entered(self, line: str) -> tuple[str, State] | None:
        """The instance that a line of its log says has changed its state, and that state; None if
        it says no such.
        """
        return (
            self.speaker.entered(line, self.role.instances)
            if self.role.by in IMPLEMENTATIONS
            else None
        )

    @property
    def vrrp(self) -> VrrpInstance:
        """Its (first) VRRP instance."""
        if not self.role.instances:
            raise HarnessError(f"{self.name} has no VRRP instance in the topology")
        return self.role.instances[0]

    @cached_property
    def _serving(self) -> dict[str, list[HostPlan]]:
        return _by_service(self._network.of_role(RealServer), "serves")

    @cached_property
    def _apologizing(self) -> dict[str, list[HostPlan]]:
        return _by_service(self._network.of_role(RealServer), "sorry_for")

    def destinations(self, service: VirtualService, name: str | None = None) -> list[Destination]:
        """The real servers of a service, in its table ``name`` (None: the first): the machines that
        serve it.
        """
        port = service.real_port_in(service.name if name is None else name)
        return [
            Destination(
                host.interface().address_of(service.family), port, service.weight_of(number)
            )
            for number, host in enumerate(self._serving.get(service.name, ()))
        ]

    def destination(
        self, service: VirtualService, server: RealServerNode, name: str | None = None
    ) -> Destination:
        """A real or sorry server as this director is to know it in the table ``name`` (None: the
        first) of ``service``.

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
            for host in self._apologizing.get(service.name, ())
        ]

    def config_text(self) -> bytes:
        """The keepalived.conf: the user's own, byte for byte, or else the generated one. Without
        keepalived it is what vrrpd or ldirectord reads, or the rules that ipvsadm-restore would
        take.
        """
        if self.role.by == "frr":
            return self._edited(frr_config.render(self.role.instances), self.role.edits).encode()
        if self.role.by == "ldirectord":
            return ldirectord.render(
                (each, self.destinations(each)) for each in self.role.services
            ).encode()
        if self.role.by == "ipvsadm":
            return "".join(f"{' '.join(words)}\n" for words in self._commands).encode()
        if keepalived.CONFIG in self.role.files:
            return self.role.files[keepalived.CONFIG][0]
        if self.role.config is not None:
            return read_config(self.name, self.role.config)
        services = [
            (service, [*self.destinations(service), *self.sorry_server(service)])
            for service in self.role.services
        ]
        text = config.render(
            self._global_defs(), self.role.instances, services, self.role.sync_groups
        )
        return self._edited(text, self.role.edits).encode()

    def _edited(self, text: str, edits: Iterable[tuple[str, str]]) -> str:
        for old, new in edits:
            if text.count(old) != 1:
                file = Path(self.config_file).name
                raise HarnessError(
                    f"{self.name}: {old!r} stands {text.count(old)} times in its {file}, not once"
                )
            text = text.replace(old, new)
        return text

    def prepare(self) -> None:
        """Write keepalived.conf; one of the user's own is first read by keepalived itself."""
        ipvs.require_schedulers(self.machine, (service.scheduler for service in self.role.services))
        firewall.mark(self.machine, self.role.services)
        super().prepare()
        self.machine.add_addresses(self.role.holds)
        for device in self.role.devices:
            self._make_device(device)
        for place, (content, mode) in self.role.files.items():
            self.machine.write(place, content, mode)
        if self.role.by not in IMPLEMENTATIONS:
            self._build_table()
            return
        self.speaker.prepare(self.machine, self.role.instances)
        self.machine.write(self.config_file, self.config_text())
        if self.role.by == "keepalived":
            self._prepare_scripts()

    def _prepare_scripts(self) -> None:
        """Put in place what keepalived's scripts run, and have keepalived read a configuration of
        the user's own.
        """
        if not self.role.links_pidof:
            local.unlink_pidof(self.machine)
        local.prepare(self.machine, self.role.local_services)
        users.prepare(self.machine, self.role.users)
        for script in (each for each in (CHECK, REPORT) if each not in self.role.files):
            self.machine.write(
                script, (Path(__file__).parent / Path(script).name).read_bytes(), 0o755
            )
        if self.role.config is not None:
            keepalived.check_config(self.machine, str(self.role.config))

    def _build_table(self) -> None:
        """Hold the VIPs, and make the table, or write what another daemon is to make it by."""
        there = {
            ip_interface(each).ip.compressed
            for link in self.role.links
            for each in link.own_addresses
        }
        vips = dict.fromkeys(vip for service in self.role.services for vip, _ in service.endpoints)
        self.machine.add_addresses(
            [vip for vip in vips if vip not in there and vip not in self.role.holds]
        )
        self.machine.write(self.config_file, self.config_text(), 0o600)
        if self.role.by == "ipvsadm":
            for words in self._commands:
                self.machine.run(["ipvsadm", *words])

    @property
    def _commands(self) -> list[list[str]]:
        """What ipvsadm makes the table by."""
        made = []
        for service in self.role.services:
            made += ipvsadm.table(
                service, {name: self.destinations(service, name) for name in service.names}
            )
        return made

    @property
    def config_file(self) -> str:
        """Where its configuration is."""
        if self.role.by in IMPLEMENTATIONS:
            return self.speaker.config_file
        return {"ldirectord": ldirectord.CONFIG, "ipvsadm": ipvsadm.RULES}[self.role.by]

    @property
    def idle(self) -> list[Daemon]:
        """Those that do not run, its own last: keepalived's scripts look for the others as soon as
        it runs, and vrrpd for zebra.
        """
        return sorted(super().idle, key=lambda daemon: daemon is self.daemons[0])

    def _make_device(self, device: str) -> None:
        """A tunnel's first device is there as soon as the kernel has its module; any other is
        made.
        """
        kind = next((_KINDS[start] for start in _KINDS if device.startswith(start)), "dummy")
        self.machine.run(["ip", "link", "add", device, "type", kind], check=False)
        self.machine.run(["ip", "link", "set", device, "up"])

    def signal_vrrp(self, number: int) -> None:
        """Send a signal to keepalived's VRRP child alone."""
        self.machine.kill(int(self.machine.read(keepalived.VRRP_PID_FILE)), number)

    def reload(self, *edits: tuple[str, str]) -> None:
        """Have keepalived read its configuration again (SIGHUP), with pairs of old and new text
        edited in it.

        Nothing is recorded of it; what a scenario does is :meth:`harness.cluster.Cluster.reload`.
        """
        self.configure(*edits)
        self.process(keepalived.KEEPALIVED).send_signal(signal.SIGHUP)

    def configure(self, *edits: tuple[str, str]) -> None:
        """Write its keepalived.conf with pairs of old and new text edited in it, and tell
        nobody.

        A keepalived that is just reading it finds the old or the new one.
        """
        text = self._edited(self.config_text().decode(), edits)
        self.machine.replace(keepalived.CONFIG, text)

    def _global_defs(self) -> config.GlobalDefs:
        mail_servers = self._network.of_role(MailServer)
        return config.GlobalDefs(
            router_id=self.name,
            smtp_server=mail_servers[0].interface().address.ip.compressed
            if mail_servers
            else "127.0.0.1",
            smtp_alert=self.role.smtp_alert,
            notify_fifo=FIFO if self.role.notify_fifo else None,
            lvs_sync_daemon=(self.vrrp.interface, self.vrrp.name)
            if self.role.sync_daemon
            else None,
            lvs_timeouts=self.role.lvs_timeouts,
        )

    @property
    def fifos(self) -> dict[Channel, str]:
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


def _by_service(hosts: Iterable[HostPlan], field: str) -> dict[str, list[HostPlan]]:
    """The machines of each service, by its name: that tells it from others, be it with other
    settings.
    """
    found: dict[str, list[HostPlan]] = {}
    for host in hosts:
        for name in dict.fromkeys(service.name for service in getattr(host.role, field)):
            found.setdefault(name, []).append(host)
    return found


def read_config(director: str, path: Path | str) -> bytes:
    """A keepalived.conf of the user's own, for this director; HarnessError if it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as problem:
        raise HarnessError(
            f"{director}: cannot read its keepalived.conf {path}: {problem.strerror}"
        ) from None
