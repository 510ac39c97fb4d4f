"""Virtual servers and their real servers in what keepalived dumps (``check_data.c``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address

from harness.check.dump.checkers import checkers, endpoint
from harness.check.dump.lines import Line
from harness.topology.checks import Check
from harness.topology.services import Destination, VirtualService

_MARK = re.compile(r"FWMARK = (\d+)")
UNKNOWN = ("", 0)
"""Stands for the address and port of a service by firewall mark: they are in no keepalived.conf."""


def services(sections: Mapping[str, Line]) -> Iterator[VirtualService]:
    """All virtual servers, each with its real servers and their checkers."""
    groups = {
        line.text.partition(" = ")[2].partition(",")[0]: line
        for line in sections.get("Virtual server group", Line("")).below("Virtual Server Group = ")
    }
    known = checkers(sections.get("Health checkers", Line("")))
    for line in sections.get("Virtual server", Line("")).below("VS "):
        protocol = (line.get("protocol") or "TCP").upper()
        name = _group_name(line.text)
        group = groups.get(name, Line(""))
        (vip, port), *others = _listeners(line.text, group) or [UNKNOWN]
        mark = re.match(r"VS FWMARK = (\d+)", line.text)
        persistence = line.get("persistence timeout")
        sorry = next(line.below("sorry server"), Line(""))
        servers = tuple(_real_servers(line, _service_keys(line.text, protocol), known))
        yield VirtualService(
            vip,
            port,
            group=tuple(others),
            title=f"group {name}" if name else None,
            fwmark=int(mark[1]) if mark else None,
            protocol=protocol,
            scheduler=line.get("lvs_sched") or "wlc",
            method=_common_method(servers) or _method(line),
            delay_loop=line.number("delay_loop", default=60),
            persistence_timeout=int(float(persistence)) if persistence else None,
            quorum=int(line.number("quorum", default=1)),
            hysteresis=_hysteresis(line),
            ha_suspend=any(line.below("Using HA suspend")),
            inhibit_on_failure=any(line.below("Inhibit on failure is ON")),
            sorry_inhibit=any(sorry.below("Inhibit on failure is ON")),
            virtualhost=line.get("VirtualHost"),
            sorry_server=_sorry_server(line.get("sorry server")),
            real_servers=servers,
            marks=tuple(
                int(found[1]) for member in group.children if (found := _MARK.match(member.text))
            ),
        )


def _listeners(text: str, group: Line) -> list[tuple[str, int]]:
    """Addresses with ports of ``VS VIP = a, VPORT = n``, or of a group's members."""
    if (found := re.match(r"VS VIP = ([^,]+), VPORT = (\d+)", text)) is not None:
        return [(found[1], int(found[2]))]
    return [each for member in group.children for each in _members(member.text)]


def _group_name(text: str) -> str:
    return text.partition("[")[2].partition("]")[0]


def _members(text: str) -> Iterator[tuple[str, int]]:
    """``VIP = a, VPORT = n`` or ``VIP Range = a-b, VPORT = n``."""
    if (
        found := re.match(r"VIP(?: Range)? = ([^,-]+)(?:-([^,]+))?, VPORT = (\d+)", text)
    ) is not None:
        first, last = ip_address(found[1]), ip_address(found[2] or found[1])
        for number in range(int(first), int(last) + 1):
            yield str(type(first)(number)), int(found[3])


def _service_keys(text: str, protocol: str) -> tuple[str, ...]:
    """How the health checkers may name the virtual server: ``[10.10.10.2]:tcp:1358`` or without the
    protocol, ``FWM 1``, ``[VSG_1]:0``.
    """
    if (found := re.match(r"VS VIP = ([^,]+), VPORT = (\d+)", text)) is not None:
        return f"[{found[1]}]:{protocol.lower()}:{found[2]}", f"[{found[1]}]:{found[2]}"
    if (found := re.match(r"VS FWMARK = (\d+)", text)) is not None:
        return (f"FWM {found[1]}",)
    return (text.partition(" = ")[2],)


def _method(line: Line) -> str:
    return (
        (line.get("default forwarding method", "forwarding method") or "NAT")
        .split()[0]
        .rstrip(",")
        .upper()
    )


def _common_method(servers: Iterable[Destination]) -> str | None:
    """The one by which all real servers are forwarded to, each by its own word or the service's;
    None if there is none.
    """
    methods = {server.method for server in servers}
    return methods.pop() if len(methods) == 1 else None


def _hysteresis(line: Line) -> int:
    found = re.search(r"hysteresis = (\d+)", line.get("quorum") or "")
    return int(found[1]) if found else 0


def _sorry_server(text: str | None) -> Destination | None:
    found = endpoint(text)
    return Destination(*found, sorry=True) if found else None


def _real_servers(
    service: Line, keys: tuple[str, ...], checkers: dict[tuple[str, str], list[Check]]
) -> Iterator[Destination]:
    current: list[Line] = []
    for child in [*service.children, Line("Real server")]:
        if child.text == "Real server":
            if current and (
                found := re.match(
                    r"RIP = ([^,]+), RPORT = (\d+), WEIGHT = (-?\d+)", current[0].text
                )
            ):
                server = Line("", current)
                endpoint = f"[{found[1]}]:{found[2]}"
                known = (checkers[key, endpoint] for key in keys if (key, endpoint) in checkers)
                mine = tuple(next(known, ()))
                yield Destination(
                    found[1],
                    int(found[2]),
                    int(found[3]),
                    method=_method(server),
                    checks=mine,
                )
            current = []
        elif current or child.text.startswith("RIP = "):
            current.append(child)
