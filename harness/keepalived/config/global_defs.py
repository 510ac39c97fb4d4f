"""What holds for all of one director's keepalived: who it is, whom it tells, as whom its scripts
run.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.keepalived.config.blocks import block
from harness.topology import fields


@dataclass(frozen=True, kw_only=True)
class GlobalDefs:
    """The global definitions of one director; ``smtp_connect_timeout`` in seconds.

    ``smtp_server`` is an address, since keepalived would look a name up while it starts.
    ``smtp_alert`` says whether mail is sent at all: without it keepalived would mail every change
    of a real server (``check_data.c``). ``notify_fifo`` is told of every change of state.
    ``lvs_sync_daemon`` is the interface by which IPVS tells the other director of its connections
    while the VRRP instance named beside it is master, and listens while it is backup.
    ``lvs_timeouts`` is for how many seconds IPVS remembers a TCP connection without packets, one
    that was closed, and the last UDP datagram. Until ``startup_delay`` seconds after its start
    keepalived takes no part in elections (``vrrp_startup_delay``). With ``flush_on_stop`` it
    empties the whole IPVS table as it ends, at once (``lvs_flush_on_stop``).
    """

    router_id: str
    notification_email: tuple[str, ...] = ("root@localhost",)
    notification_email_from: str = "keepalived@localhost"
    smtp_server: str = "127.0.0.1"
    smtp_connect_timeout: int = 30
    smtp_alert: bool = False
    notify_fifo: str | None = None
    lvs_sync_daemon: tuple[str, str] | None = None
    lvs_timeouts: tuple[int, int, int] | None = None
    startup_delay: float = 0.0
    flush_on_stop: bool = False


def global_defs(defs: GlobalDefs) -> list[str]:
    """The block ``global_defs``. Raises HarnessError for what may not be written."""
    _check(defs)
    body = block("notification_email", defs.notification_email) if defs.notification_email else []
    body += [
        f"notification_email_from {defs.notification_email_from}",
        f"smtp_server {defs.smtp_server}",
        f"smtp_connect_timeout {defs.smtp_connect_timeout}",
        f"smtp_alert {'on' if defs.smtp_alert else 'off'}",
        f"router_id {defs.router_id}",
        # before the FIFO, whose default user keepalived would go by after a reload
        "script_user root",
        "enable_script_security",
        *([f"notify_fifo {defs.notify_fifo}"] if defs.notify_fifo else []),
        *([f"lvs_sync_daemon {' '.join(defs.lvs_sync_daemon)}"] if defs.lvs_sync_daemon else []),
        *(
            ["lvs_timeouts tcp {} tcpfin {} udp {}".format(*defs.lvs_timeouts)]
            if defs.lvs_timeouts
            else []
        ),
        *([f"vrrp_startup_delay {defs.startup_delay:g}"] if defs.startup_delay else []),
        *(["lvs_flush_on_stop"] if defs.flush_on_stop else []),
    ]
    return block("global_defs", body)


def _check(defs: GlobalDefs) -> None:
    """Raises HarnessError for what may not be written."""
    for recipient in defs.notification_email:
        fields.word("GlobalDefs", "notification_email", recipient)
    fields.word("GlobalDefs", "notification_email_from", defs.notification_email_from)
    fields.word("GlobalDefs", "router_id", defs.router_id)
    fields.address("GlobalDefs", "smtp_server", defs.smtp_server)
    fields.whole("GlobalDefs", "smtp_connect_timeout", defs.smtp_connect_timeout, 1, 3600)
    fields.number("GlobalDefs", "startup_delay", defs.startup_delay, 0, 3600)
    if defs.notify_fifo is not None:
        fields.word("GlobalDefs", "notify_fifo", defs.notify_fifo)
    for word in defs.lvs_sync_daemon or ():
        fields.word("GlobalDefs", "lvs_sync_daemon", word)
    for timeout in defs.lvs_timeouts or ():
        fields.whole("GlobalDefs", "lvs_timeouts", timeout, 1, 31 * 86400)
