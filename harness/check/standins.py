"""What stand-in real servers must answer so that the directors' checks find them well."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from harness.check.facts import Reading
from harness.check.layout import DirectorMachine, Layout, ServerMachine
from harness.check.selves import is_loopback, why_not_both
from harness.daemons import mail
from harness.topology.checks import (
    HTTP_OK,
    Check,
    DnsCheck,
    HttpGet,
    NetworkCheck,
    SmtpCheck,
    UdpCheck,
)
from harness.topology.services import Destination, VirtualService

PAGE = "stand-in\n"
DIGEST = hashlib.md5(PAGE.encode(), usedforsecurity=False).hexdigest()
ANSWERED = ("TCP_CHECK", "HTTP_GET", "SSL_GET", "SMTP_CHECK", "PING_CHECK")
"""The checkers that another machine than the real server may be there for."""
_HTTP_PORTS = (80, 443)
"""Ports at which every stand-in speaks HTTP."""
SUCCEEDS = b"#!/bin/sh\n"
"""A script in the place of one that is not there: for a shell, and for whatever other
interpreter runs it, nothing.
"""
PLACE = "/usr/local/sbin/stand-in"
"""Where one is that takes the place of a command."""
_SCRIPT_OF = r"(vrrp_script\s+{name}\s*\{{[^}}]*?\bscript\s+)(\"[^\"\n]*\"|'[^'\n]*'|[^\n]+)"


def options(server: ServerMachine | DirectorMachine) -> dict[str, Any]:
    """What :class:`harness.topology.Destination` is told of its pages."""
    urls = []
    for service, checker in _asking(server):
        urls += [(url, url.virtualhost or service.virtualhost) for url in checker.urls]
    statuses = {url.path: url.expected for url, _ in urls if url.expected != HTTP_OK}
    pages = {_place(url.path, host): PAGE for url, host in urls if url.path != "/" or host}
    pages |= {
        _place(url.path, None): PAGE for url, _ in urls if url.path != "/"
    }  # with TLS there is one host only
    pages = {
        place: content
        for place, content in pages.items()
        if f"/{place.partition('/')[2]}" not in statuses
    }
    front = {"page": PAGE.strip()} if any(url.path == "/" and url.digest for url, _ in urls) else {}
    http = tuple(
        port for port in _asked(server, "HTTP_GET", "TCP_CHECK") if port not in _of_dns(server)
    )
    listens = {"listens": http, "listens_tls": _asked(server, "SSL_GET")}
    mails = {
        "mails": _asked(server, "SMTP_CHECK") + (mail.PORT,) * _is_asked_for_mail_alone(server)
    }
    return {"pages": pages, "statuses": statuses, "answers_all": True, **front, **listens, **mails}


def _asking(server: ServerMachine | DirectorMachine) -> Iterator[tuple[VirtualService, Check]]:
    """The checkers that ask a machine, with their services."""
    for service, real in server.serves:
        yield from ((service, checker) for checker in real.own_checks)
    if isinstance(server, ServerMachine):
        yield from server.asked


def _is_asked_for_mail_alone(server: ServerMachine | DirectorMachine) -> bool:
    """Whether checkers ask for a mail server at its port, where no service has one."""
    asked = any(
        isinstance(checker, SmtpCheck) and checker.port == mail.PORT
        for _, checker in _asking(server)
    )
    return asked and not any(mail.PORT in _ports(service, real) for service, real in server.serves)


def _of_dns(server: ServerMachine | DirectorMachine) -> set[int]:
    """The ports at which the DNS server of a real server answers, by TCP as well."""
    ports: set[int] = set()
    for service, real in server.serves:
        if service.protocol == "UDP":
            ports |= _ports(service, real)
    return ports


def _ports(service: VirtualService, real: Destination) -> set[int]:
    """The ports at which a real server of a service is asked."""
    if service.method == "NAT" and real.port:
        return {real.port}
    return {port for _, port in service.endpoints}


def _asked(server: ServerMachine | DirectorMachine, *kinds: str) -> tuple[int, ...]:
    """The ports that checkers of these kinds ask for, but for that of the mail server."""
    ports = {
        checker.port
        for _, checker in _asking(server)
        if isinstance(checker, NetworkCheck) and checker.port and checker.keyword in kinds
    }
    return tuple(sorted(ports - {mail.PORT}))


def _place(path: str, host: str | None) -> str:
    """``/`` and folders are answered by their index page."""
    return (host or "") + (path + "index.html" if path.endswith("/") else path)


def digests(readings: Mapping[str, Reading]) -> set[str]:
    """The digests that pages are to have. No page can be made for one, so the directors get the
    stand-in's instead.
    """
    found: set[str] = set()
    for reading in readings.values():
        for service in reading.services:
            for server in service.real_servers:
                for checker in server.checks:
                    found.update(url.digest for url in checker.urls if url.digest)
    return found


def with_digests(
    files: Mapping[str, tuple[bytes, int]], known: set[str]
) -> dict[str, tuple[bytes, int]]:
    """The files, byte for byte but for the digests."""
    changed = {}
    for place, (content, mode) in files.items():
        for digest in known:
            content = content.replace(digest.encode(), DIGEST.encode())
        changed[place] = content, mode
    return changed


def left_out(layout: Layout) -> Iterator[str]:
    """What of the configurations is not emulated, by name."""
    reasons = why_not_all(layout)
    for service in {
        each.called: each for one in layout.directors for each in one.reading.services
    }.values():
        if reason := reasons.get(service.called):
            yield f"service {service.called}: {reason}"
        elif service.sorry_server and is_loopback(service.sorry_server.address):
            yield (
                f"service {service.called}: its sorry server {service.sorry_server.address},"
                f" which is"
                f" the director itself"
            )


def changed(layout: Layout) -> Iterator[str]:
    """What of the configurations the directors are given otherwise."""
    for digest in sorted(digests({one.name: one.reading for one in layout.directors})):
        yield f"digest {digest}: nobody can write its page, so it is that of the stand-ins'"


def twice(services: Iterable[VirtualService]) -> Iterator[tuple[VirtualService, int]]:
    """The services of a director of one address, port and protocol that it has more than once,
    and how often. A mark or a group may be one of each family or protocol.
    """
    alike: dict[tuple[str, int, str], list[VirtualService]] = {}
    for each in services:
        if each.fwmark is None and each.title is None:
            alike.setdefault((each.vip, each.port, each.protocol), []).append(each)
    for same in alike.values():
        if len(same) > 1:
            yield same[-1], len(same)


def why_not_all(layout: Layout) -> dict[str, str]:
    """By service why it is not emulated, for those that are not."""
    found: dict[str, str] = {}
    answering = {server.rip for server in layout.servers if server.asked}
    for one in layout.directors:
        for service, count in twice(one.reading.services):
            found[service.called] = f"{one.name} has it {count} times"
    for service in (each for one in layout.directors for each in one.reading.services):
        reason = why_not_both(service.called, layout.directors) or why_not(service, answering)
        if reason is not None:
            found.setdefault(service.called, reason)
    machines: list[DirectorMachine | ServerMachine] = [*layout.directors, *layout.servers]
    for machine in machines:
        left = [(service, real) for service, real in machine.serves if service.called not in found]
        for service, reason in _in_the_way(left):
            found.setdefault(service.called, reason)
    return found


def _in_the_way(
    serves: Sequence[tuple[VirtualService, Destination]],
) -> Iterator[tuple[VirtualService, str]]:
    """Services of a real server that its stand-ins cannot serve beside the others: DNS is at
    one port, by TCP too.
    """
    asked = set()
    for _, real in serves:
        for checker in real.checks:
            if isinstance(checker, HttpGet):
                asked.add(checker.port or real.port)
    dns: set[int] = set()
    for service, real in serves:
        if service.protocol != "UDP":
            continue
        ports = _ports(service, real)
        if ports & {*asked, *_HTTP_PORTS}:
            yield service, f"stand-ins answer HTTP at port {min(ports & {*asked, *_HTTP_PORTS})}"
        elif dns and ports != dns:
            yield service, f"stand-ins answer UDP at one port, which is {min(dns)}"
        else:
            dns = ports
    for service, real in serves:
        if service.protocol == "TCP" and _ports(service, real) & dns:
            yield service, f"stand-ins answer DNS at port {min(dns)}, by TCP as well"


def why_not(service: VirtualService, answering: Collection[str] = ()) -> str | None:
    """Why a service is not emulated; None if it is. ``answering`` are further machines that
    checkers may ask.
    """
    if not service.endpoints:
        return "it has no address"
    if not service.real_servers:
        return "it has no real server"
    if any(port == 0 for _, port in service.endpoints):
        return "port 0 stands for all ports"
    methods = {server.method or service.method for server in service.real_servers}
    if len(methods) > 1:
        return f"its real servers are forwarded to in different ways: {', '.join(sorted(methods))}"
    own_ports = {server.port for server in service.real_servers}
    if service.method == "NAT" and len(own_ports) > 1:
        return (
            f"its real servers are asked at different ports:"
            f" {', '.join(map(str, sorted(own_ports)))}"
        )
    own = {address for address, _ in service.endpoints}
    for server in service.real_servers:
        if server.address in own:
            return f"{server.address} is its own address and its real server's"
        if (keyword := _check_that_nobody_hears(service, server)) is not None:
            return (
                f"{keyword} of {server.address}: stand-ins answer UDP for virtual services of UDP"
                f" only, at their own port"
            )
        for checker in (each for each in server.checks if isinstance(each, NetworkCheck)):
            if checker not in server.own_checks:
                if checker.address not in answering or checker.keyword not in ANSWERED:
                    return (
                        f"{checker.keyword} of {server.address} asks another machine,"
                        f" {checker.address}"
                    )
            elif isinstance(checker, SmtpCheck) and ":" in server.address:
                return (
                    f"{checker.keyword} of {server.address}: stand-ins have their mail server on"
                    f" IPv4 only"
                )
        asked = {each.port for each in server.own_checks if isinstance(each, SmtpCheck)}
        if asked and mail.PORT not in asked:
            ports = ", ".join(str(port) for port in sorted(asked, key=str))
            return (
                f"SMTP_CHECK at port {ports} alone: what is made to fail is the mail server"
                f" at {mail.PORT}"
            )
    return None


def _check_that_nobody_hears(service: VirtualService, server: Destination) -> str | None:
    """The keyword of a check by UDP for which no stand-in listens; None if there is none."""
    answered = _ports(service, server) if service.protocol == "UDP" else set()
    for checker in server.own_checks:
        if (
            isinstance(checker, DnsCheck | UdpCheck)
            and (checker.port or server.port) not in answered
        ):
            return checker.keyword
    return None


def with_succeeding(
    files: Mapping[str, tuple[bytes, int]], commands: Mapping[str, str]
) -> tuple[dict[str, tuple[bytes, int]], dict[str, str]]:
    """The files, with a stand-in that succeeds for each of ``commands`` (by script); and by script
    the file of it.

    A script of the user's own is replaced as a file, and a command of the system's where the
    configuration has it.
    """
    changed, places = dict(files), {}
    for number, (script, command) in enumerate(commands.items()):
        own = next((word for word in command.replace("'", " ").split() if word in files), None)
        places[script] = own or f"{PLACE}-{number}"
        if own is None:
            pattern = _SCRIPT_OF.format(name=re.escape(script)).encode()
            for path, (content, mode) in changed.items():
                changed[path] = (
                    re.sub(pattern, rb'\1"' + places[script].encode() + b'"', content),
                    mode,
                )
        changed[places[script]] = SUCCEEDS, 0o755
    return changed, places
