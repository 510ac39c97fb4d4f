"""How long a client stays with its real server."""

from __future__ import annotations

from harness.clock import Window
from harness.errors import HarnessError
from harness.topology.services import VirtualService


def persistence(service: VirtualService) -> Window:
    """From a client's last connection to the moment from which its next one may go to another
    server.

    Each connection restarts the timer of the client's template (kernel ``ip_vs_conn_put``). The
    timer starts again if it ends before all connections are forgotten (``ip_vs_conn_expire``). A
    timer of the kernel may be late by an eighth of its length (``kernel/time/timer.c``,
    "Granularity and range levels"). Raises HarnessError if ``service`` has no persistence.
    """
    if service.persistence_timeout is None:
        raise HarnessError(f"{service.name} has no persistence_timeout: no client stays anywhere")
    return Window(service.persistence_timeout, service.persistence_timeout * 9 / 8)
