"""What a director is configured by: the text of its keepalived.conf, or of what it has instead."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.daemons import ipvsadm, keepalived, ldirectord
from harness.errors import HarnessError
from harness.frr import config as frr_config
from harness.keepalived import config
from harness.lab.plan import Plan
from harness.nodes.balancer import Balancer
from harness.topology import MailServer
from harness.topology.notification import FIFO


class Configuration:
    """The text for one director, in the network that it stands in."""

    def __init__(self, director: Balancer, file: str, network: Plan) -> None:
        """``file`` is where the director's machine has it."""
        self._director, self._role, self._network = director, director.role, network
        self.file = file

    def text(self) -> bytes:
        """The keepalived.conf: the user's own, byte for byte, or else the generated one. Without
        keepalived it is what vrrpd or ldirectord reads, or the rules that ipvsadm-restore would
        take.
        """
        role, director = self._role, self._director
        if role.by == "frr":
            return self._edited(frr_config.render(role.instances), role.edits).encode()
        if role.by == "ldirectord":
            return ldirectord.render(
                (each, director.destinations(each)) for each in role.services
            ).encode()
        if role.by in ("ipvsadm", "program"):
            return "".join(f"{' '.join(words)}\n" for words in self.commands()).encode()
        if keepalived.CONFIG in role.files:
            return role.files[keepalived.CONFIG][0]
        if role.config is not None:
            return read_config(director.name, role.config)
        services = [
            (service, [*director.destinations(service), *director.sorry_server(service)])
            for service in role.services
        ]
        text = config.render(self._global_defs(), role.instances, services, role.sync_groups)
        return self._edited(text, role.edits).encode()

    def edited(self, edits: Iterable[tuple[str, str]]) -> str:
        """The same with pairs of old and new text edited in it. Raises HarnessError if an old one
        does not stand in it once.
        """
        return self._edited(self.text().decode(), edits)

    def _edited(self, text: str, edits: Iterable[tuple[str, str]]) -> str:
        for old, new in edits:
            if text.count(old) != 1:
                file = Path(self.file).name
                raise HarnessError(
                    f"{self._director.name}: {old!r} stands {text.count(old)} times in its {file},"
                    " not once"
                )
            text = text.replace(old, new)
        return text

    def commands(self) -> list[list[str]]:
        """What ipvsadm makes the table by."""
        made = []
        for service in self._role.services:
            tables = {name: self._director.destinations(service, name) for name in service.names}
            made += ipvsadm.table(service, tables)
        return made

    def _global_defs(self) -> config.GlobalDefs:
        mail_servers = self._network.of_role(MailServer)
        return config.GlobalDefs(
            router_id=self._director.name,
            smtp_server=mail_servers[0].interface().address.ip.compressed
            if mail_servers
            else "127.0.0.1",
            smtp_alert=self._role.smtp_alert,
            notify_fifo=FIFO if self._role.notify_fifo else None,
            lvs_sync_daemon=self._sync_daemon(),
            lvs_timeouts=self._role.lvs_timeouts,
            startup_delay=self._role.startup_delay,
            flush_on_stop=self._role.flush_on_stop,
        )

    def _sync_daemon(self) -> tuple[str, str] | None:
        """The interface and the VRRP instance of IPVS's sync daemon."""
        if not self._role.sync_daemon:
            return None
        if not self._role.instances:
            raise HarnessError(f"{self._director.name} has no VRRP instance in the topology")
        first = self._role.instances[0]
        return first.interface, first.name


def read_config(director: str, path: Path | str) -> bytes:
    """A keepalived.conf of the user's own, for this director; HarnessError if it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as problem:
        raise HarnessError(
            f"{director}: cannot read its keepalived.conf {path}: {problem.strerror}"
        ) from None
