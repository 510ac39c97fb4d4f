"""What real servers run for their services."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.daemons import dnsmasq, httpd, mail
from harness.daemons.daemon import Daemon
from harness.lab.machine import Machine
from harness.topology import RealServer, SslGet, VirtualService


@dataclass(frozen=True)
class Server:
    """A ``daemon``, which services are its own (``takes``), and how it is configured to answer a
    page for them.

    ``prepare`` is called with the machine, what the topology says of it, the page, and the ports to
    serve.
    """

    daemon: Daemon
    takes: Callable[[VirtualService], bool]
    prepare: Callable[[Machine, RealServer, str, list[int]], None]

    def ports(self, role: RealServer) -> list[int]:
        """The ports that it has to serve: those that no program of the user's own does."""
        services = (*role.serves, *role.sorry_for)
        taken = {port for program in role.runs for port in program.serves}
        wanted = [port for service in services if self.takes(service) for port in service.ports]
        return [port for port in wanted if port not in taken]


def _tls_ports(role: RealServer) -> set[int]:
    """HTTPS's own port, and every other at which a check speaks TLS."""
    services = (*role.serves, *role.sorry_for)
    checked = (
        service
        for service in services
        if any(isinstance(check, SslGet) for check in service.checks)
    )
    return {
        httpd.TLS_PORT,
        *role.listens_tls,
        *(port for service in checked for port in service.ports),
    }


_HTTP_PORT = 80
"""Where httpd listens if nobody says otherwise."""

_HTTPD = Server(
    httpd.HTTPD,
    lambda service: service.protocol == "TCP" and mail.PORT not in service.ports,
    lambda machine, role, page, ports: httpd.prepare(
        machine,
        page,
        [*ports, *role.listens, *role.listens_tls] or [_HTTP_PORT],
        _tls_ports(role),
        role.workers,
        role.pages,
        role.statuses,
    ),
)
_OTHERS = (
    Server(
        dnsmasq.DNSMASQ,
        lambda service: service.protocol == "UDP",
        lambda machine, role, page, ports: dnsmasq.prepare(machine, page, ports, role.answers_all),
    ),
    Server(
        mail.MAIL,
        lambda service: service.protocol == "TCP" and mail.PORT in service.ports,
        lambda machine, role, page, ports: None,
    ),
)


def servers_of(role: RealServer) -> list[Server]:
    """httpd, which every real server runs unless a program of the user's own has its port and
    nothing else is asked of it, and what else its services need.
    """
    taken = {port for program in role.runs for port in program.serves}
    asked = [*_HTTPD.ports(role), *role.listens, *role.listens_tls]
    return [
        *([_HTTPD] if asked or _HTTP_PORT not in taken else []),
        *(server for server in _OTHERS if server.ports(role)),
        *map(_mail_at, role.mails),
    ]


def _mail_at(port: int) -> Server:
    """An SMTP server at a port that is no service's, which only checkers ask."""
    return Server(mail.at(port), lambda service: False, lambda machine, role, page, ports: None)
