"""Whom keepalived tells of a change of state, other than by its log."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import fields as fields_of

REPORT = "/etc/keepalived/report.sh"
"""A script that every director has: what it is called with becomes a ``notification`` on the
timeline.
"""

FIFO = "/run/notify.fifo"
"""Where the harness hears keepalived's own notifications (keepalived.conf(5), ``notify_fifo``)."""

SCRIPTS = "/run/notify.scripts"
"""Where the harness hears :data:`REPORT`."""


@dataclass(frozen=True, kw_only=True)
class Notify:
    """The commands that an instance or a sync group runs when it enters a state
    (keepalived.conf(5), ``notify_*``).

    ``always`` (``notify``) is run at every change, after the state's own, with four more arguments:
    ``INSTANCE`` or ``GROUP``, name, state, priority. ``lower_priority``
    (``notify_master_rx_lower_pri``, of an instance only) is run by a master that hears another one
    of lower priority.
    """

    master: str | None = None
    backup: str | None = None
    fault: str | None = None
    stop: str | None = None
    always: str | None = None
    lower_priority: str | None = None

    @classmethod
    def reported(cls, *, group: bool = False) -> Notify:
        """All of them, each by the harness's own script with the name of the state, so that all are
        on the timeline.
        """
        names = [
            field.name for field in fields_of(cls) if not (group and field.name == "lower_priority")
        ]
        return cls(**{name: f"{REPORT} {name}" for name in names})
