"""Directors: keepalived, or what else makes the table, and the configuration that it is given."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable
from ipaddress import ip_interface
from pathlib import Path

from harness import measures
from harness.clock import Instant
from harness.daemons import firewall, ipvs, ipvsadm, keepalived, ldirectord, local, users
from harness.daemons.daemon import Daemon
from harness.events import Channel, Counter, DaemonChanged, Log, Notification, StateChanged, Value
from harness.ipvs import counters
from harness.lab.plan import HostPlan, Plan
from harness.nodes.claimant import IMPLEMENTATIONS, Claimant
from harness.nodes.configuration import Configuration
from harness.nodes.context import STARTING, Context
from harness.timeline import EVER, E, TooLate
from harness.topology.notification import FIFO, REPORT
from harness.topology.tracking import CHECK

_TELLERS = {"fifo": FIFO, "script": REPORT}
"""What stands in a configuration by which the harness hears of changes of state."""

_STARTS = "Starting VRRP child process"
_BEGUN = "Registering Kernel netlink command channel"
_DIED = "VRRP child process("
"""What keepalived says of its VRRP child, and the child itself, in every version."""

_HEARS = 0.001
"""Seconds after which it is looked again whether keepalived hears signals."""

_KINDS = {"tunl": "ipip", "ip6tnl": "ip6tnl", "gre": "gre", "sit": "sit"}


class DirectorNode(Claimant):
    """Runs keepalived or another VRRP implementation, and stand-ins for what health scripts look
    for.
    """

    def __init__(self, host: HostPlan, plan: Plan, context: Context | None = None) -> None:
        super().__init__(host, plan, context)
        self._configuration = Configuration(self, self.config_file, plan)
        others = {"ldirectord": (ldirectord.LDIRECTORD,)}.get(self.role.by, ())
        own = (
            IMPLEMENTATIONS[self.role.by].daemons(host.image)
            if self.role.by in IMPLEMENTATIONS
            else others
        )
        self.daemons = (*own, *local.daemons(self.role.local_services))

    def config_text(self) -> bytes:
        """The keepalived.conf: the user's own, byte for byte, or else the generated one. Without
        keepalived it is what vrrpd or ldirectord reads, or the rules that ipvsadm-restore would
        take: those that make the table which the topology wants, whoever makes it.
        """
        return self._configuration.text()

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
            for words in self._configuration.commands():
                self.machine.run(["ipvsadm", *words])

    @property
    def config_file(self) -> str:
        """Where its configuration is."""
        if self.role.by in IMPLEMENTATIONS:
            return self.speaker.config_file
        return ldirectord.CONFIG if self.role.by == "ldirectord" else ipvsadm.RULES

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

    def reload(self, *edits: tuple[str, str]) -> Instant:
        """Have keepalived read its configuration again (SIGHUP), with pairs of old and new text
        edited in it; returns the instant just before.

        It is on the timeline, with the edits. A cluster whose configuration is left so is not
        shared.
        """
        self.wait_hearing(signal.SIGHUP)
        timeline = self.context.timeline
        written = ", ".join(f"{old!r} -> {new!r}" for old, new in edits) or None
        began = timeline.record(
            DaemonChanged(
                timeline.now(), self.name, name="keepalived", action="reloaded", edits=written
            )
        ).at
        self.reread(*edits)
        return began

    def reread(self, *edits: tuple[str, str]) -> None:
        """What :meth:`reload` does; nothing is recorded of it."""
        self.configure(*edits)
        self.tell(signal.SIGHUP)

    def tell(self, number: int) -> None:
        """Send a signal to keepalived, once it hears that: see :meth:`wait_hearing`."""
        self.wait_hearing(number)
        self.process(keepalived.KEEPALIVED).send_signal(number)

    def stop(self, daemon: Daemon | None = None) -> None:
        """Stop a daemon, keepalived by default, in its own orderly way and wait for its end; see
        :meth:`wait_hearing`.
        """
        if self.role.by == "keepalived" and daemon in (None, keepalived.KEEPALIVED):
            self.wait_hearing(signal.SIGTERM)
        super().stop(daemon)

    def wait_hearing(self, number: int) -> None:
        """Wait until keepalived hears a signal, if it has only just been started, and its VRRP
        child does.

        It dies of one that comes before its ``keepalived_main``, and until it has read its
        configuration it ignores it (``core/main.c``, ``signals_ignore`` and ``signal_init``).
        Whoever starts it by systemd waits for longer than that: ``systemctl reload`` comes after
        what it says itself of its start (``config_notify.c``, ``systemd_notify_running``). A child
        forgets what its parent sends it before it has begun (``scheduler.c``,
        ``thread_cleanup_master``, by ``signal_handler_destroy``): the parent kills it after five
        seconds then, and its VIPs stay. Raises HarnessError if keepalived has ended, and TooLate if
        it never hears the signal.
        """
        timeline = self.context.timeline
        until = timeline.now() + self.context.starting
        while not self.process(keepalived.KEEPALIVED).hears(number):
            if timeline.now() >= until:
                raise TooLate(f"{self.name}: keepalived does not hear signal {number}")
            timeline.let_pass(_HEARS)
        while self._vrrp_begins() and timeline.now() < until:
            timeline.let_pass(_HEARS)

    def _vrrp_begins(self) -> bool:
        """Whether the last that keepalived said of its VRRP child is that it is started: its first
        own words come when it hears signals.
        """

        def tells(event: Log) -> bool:
            ours = event.daemon == keepalived.KEEPALIVED.name
            return ours and any(words in event.line for words in (_BEGUN, _DIED, _STARTS))

        said = self.context.timeline.latest(Log, tells, node=self.name)
        return said is not None and _STARTS in said.line

    def configure(self, *edits: tuple[str, str]) -> None:
        """Write its keepalived.conf with pairs of old and new text edited in it, and tell
        nobody.

        A keepalived that is just reading it finds the old or the new one.
        """
        self.machine.replace(keepalived.CONFIG, self._configuration.edited(edits))

    @property
    def fifos(self) -> dict[Channel, str]:
        return self.role.fifos

    def open_maintenance(self) -> None:
        """Create the ``down`` file."""
        self.machine.write(keepalived.DOWN, "")

    def close_maintenance(self) -> None:
        """Remove the ``down`` file."""
        with contextlib.suppress(FileNotFoundError):
            self.machine.remove(keepalived.DOWN)

    def does(self, kind: type[E], *, since: Instant = EVER, **details: Value) -> E:
        """Wait for what keepalived does because it has been started or told to reload, such as a
        VIP that it sets; returns the event.

        For configurations of the scenario's own, of which the topology knows nothing.
        """
        timeline = self.context.timeline
        until = timeline.now() + STARTING
        return timeline.wait_for(kind, node=self.name, since=since, until=until, **details)

    # -- what it says of itself --------------------------------------------------------------------

    def reader(self, daemon: Daemon) -> Callable[[str], None]:
        """A line may tell of a new state of an instance, or that the table has changed."""
        timeline, recorder = self.context.timeline, self.context.recorder

        def read(line: str) -> None:
            if entered := self.entered(line):
                instance, state = entered
                timeline.record(
                    StateChanged(timeline.now(), self.name, instance=instance, state=state)
                )
            # what a program of the user's own says when it changes the table, nobody knows
            if self.role.by == "program" or keepalived.TABLE_CHANGED.search(line):
                recorder.look_at_ipvs(self.machine)

        return read

    def notifications(self, channel: str, since: Instant = EVER) -> list[str]:
        """What keepalived told by ``script`` or ``fifo``, in order, once it has had the time to.

        Raises NoEvidence if nobody listens on that channel: a list without anything in it would say
        that keepalived told nothing.
        """
        teller = _TELLERS.get(channel)
        config = self.config_text().decode(errors="replace")
        if teller is None or channel not in self.fifos or teller not in config:
            raise measures.NoEvidence(
                f"nobody hears what keepalived on {self.name} tells by {channel!r}, so that none"
                f" came says nothing:"
                " give its role notify_fifo=True for 'fifo', notify=Notify.reported() in an"
                " instance for 'script'"
            )
        self.context.let_slack_pass()
        if channel == "script":
            self._let_scripts_end()
        told = self.context.timeline.events(
            Notification, node=self.name, since=since, channel=channel
        )
        return [event.text for event in told]

    def _let_scripts_end(self) -> None:
        """Let its scripts say what they were started for: in real time one runs for as long as the
        machine takes.
        """
        latest = self.context.timeline.now() + STARTING
        while any(REPORT in running for running in self.processes()):
            if self.context.timeline.now() > latest:
                raise measures.NoEvidence(
                    f"{REPORT} on {self.name} has not ended after {STARTING:g} s:"
                    " what it was to tell is not known"
                )
            self.context.let_slack_pass()

    def crashes(self) -> list[Log]:
        """The log lines of its keepalived that tell of processes of its own that died by a
        signal.
        """
        self.context.let_slack_pass()
        said = self.context.timeline.events(Log, node=self.name, daemon="keepalived")
        return [event for event in said if keepalived.CRASHED.search(event.line)]

    def count(self) -> list[Counter]:
        """Put on the timeline what it has counted so far: its IPVS of each service and real server,
        its keepalived of each VRRP instance. Returns these events.

        IPVS brings its own up to date every two seconds, for which this waits.
        """
        self.context.timeline.let_pass(counters.UPDATED)
        self.context.let_slack_pass()
        found = [*counters.parse(self.machine.run(counters.ARGV).stdout)]
        for instance in self.role.instances:
            own = self.statistics(instance.name)
            found += [(instance.name, name, value) for name, value in own.items()]
        at = self.context.timeline.now()
        events = [Counter(at, self.name, of=of, name=name, value=n) for of, name, n in found]
        for event in events:
            self.context.timeline.record(event)
        return events

    def raw_drops(self) -> int:
        """How many packets its kernel has kept from its raw sockets since they were opened, such as
        those over IPv6 whose checksum is wrong (``net/ipv6/raw.c``, ``rawv6_rcv_skb``): column
        ``drops`` of /proc/net/raw.
        """
        tables = [self.machine.read(f"/proc/net/{table}") for table in ("raw", "raw6")]
        return sum(int(line.split()[-1]) for table in tables for line in table.splitlines()[1:])
