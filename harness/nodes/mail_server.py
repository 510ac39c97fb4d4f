"""Mail servers: a machine that takes the mails of keepalived."""

from __future__ import annotations

from collections.abc import Callable

from harness.daemons import mail
from harness.daemons.daemon import Daemon
from harness.events import Mail
from harness.nodes.node import Node


class MailServerNode(Node):
    """Runs an SMTP server that takes all mail."""

    daemons = (mail.MAIL,)

    def reader(self, daemon: Daemon) -> Callable[[str], None]:
        """Of each mail that the server prints an event is made."""
        printed, timeline = mail.Printed(), self.context.timeline

        def read(line: str) -> None:
            if daemon is mail.MAIL and (received := printed.read(line)) is not None:
                timeline.record(
                    Mail(
                        timeline.now(), self.name, sender=received["From"] or "",
                        recipient=received["To"] or "", subject=received["Subject"] or "",
                        body=str(received.get_payload()).strip(),
                    )
                )  # fmt: skip

        return read
