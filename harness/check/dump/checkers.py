"""Health checkers in what keepalived dumps (``check_api.c`` and the checkers)."""

from __future__ import annotations

import re
from typing import Any

from harness.check.dump.lines import Line
from harness.topology.checks import (
    CONNECT_TIMEOUT,
    Check,
    DnsCheck,
    HttpGet,
    MiscCheck,
    NetworkCheck,
    OtherCheck,
    PingCheck,
    SmtpCheck,
    SslGet,
    TcpCheck,
    UdpCheck,
    Url,
)

_ENDPOINT = re.compile(r"\[(?P<address>[^\]]+)\](:(?P<protocol>\w+))?:(?P<port>\d+)")
_SIMPLE: dict[str, type[NetworkCheck]] = {
    "TCP_CHECK": TcpCheck,
    "SMTP_CHECK": SmtpCheck,
    "PING_CHECK": PingCheck,
    "UDP_CHECK": UdpCheck,
}


def checkers(section: Line) -> dict[tuple[str, str], list[Check]]:
    """(virtual server, real server) -> its checkers; the protocol is left out of the real server's
    name, and of the other a second time.
    """
    found: dict[tuple[str, str], list[Check]] = {}
    for line in section.children:
        service, arrow, server = line.text.partition(" -> ")
        if arrow:
            endpoint = re.sub(r":[a-z]+:", ":", server)
            for name in dict.fromkeys((service, re.sub(r":[a-z]+:", ":", service))):
                found.setdefault((name, endpoint), []).append(_checker(line))
    return found


def _checker(line: Line) -> Check:
    connection = next(line.below("Connection"), Line(""))
    kind = (line.get("Keepalive method", "Check type") or "").partition(",")[0]
    target = endpoint(connection.get("Dest"))
    timeout = connection.number("Timeout", default=line.number("timeout", "Timeout", default=5))
    pace: dict[str, Any] = {
        "delay_loop": line.number("Delay loop", default=60),
        "warmup": line.number("Warmup"),
        "retry": int(line.number("Retries")),
        "delay_before_retry": line.number("Delay before retry", default=1),
    }
    network: dict[str, Any] = {
        **pace,
        "address": target[0] if target else None,
        "port": target[1] if target else None,
        "bind": (endpoint(connection.get("Bind to")) or (None,))[0],
        # of the hosts of an SMTP_CHECK 2.2.7 dumps 0 where nothing is said
        "connect_timeout": timeout or CONNECT_TIMEOUT,
    }
    urls = [*map(_url, line.below("Checked url = "))]
    if kind in ("HTTP_GET", "SSL_GET") and urls:
        cls = SslGet if kind == "SSL_GET" else HttpGet
        return cls(**vars(urls[0]), more=tuple(urls[1:]), **network)
    if kind == "DNS_CHECK":
        return DnsCheck(name=line.get("Name") or ".", type=line.get("Type") or "SOA", **network)
    if kind == "MISC_CHECK":
        command = line.get("script") or ""
        return MiscCheck(command=command, timeout=max(1, round(timeout)), **pace)
    if kind in _SIMPLE:
        return _SIMPLE[kind](**network)
    return OtherCheck(kind=kind, **network)


def _url(line: Line) -> Url:
    statuses: list[str] = []
    for child in line.below("HTTP Status Code"):
        statuses += _statuses(child)
    return Url(
        line.text.partition(" = ")[2],
        tuple(statuses),
        line.get("digest"),
        line.get("Virtual host", "VirtualHost"),
    )


def _statuses(line: Line) -> list[str]:
    return [child.text for child in line.children] or line.text.partition(" = ")[2].split()


def endpoint(text: str | None) -> tuple[str, int] | None:
    """The address and port in ``[192.0.2.81]:tcp:80``; None if there are none."""
    found = _ENDPOINT.search(text or "")
    return (found["address"], int(found["port"])) if found else None
