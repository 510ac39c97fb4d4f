"""At which addresses clients reach the services, where the configurations do not say it, or
cannot mean it (pure).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address

from harness.check.facts import Reading
from harness.errors import HarnessError
from harness.topology.checks import NetworkCheck
from harness.topology.services import VirtualService

Setting = Callable[[str, str, str], str]
"""Key, likely value and why it is likely -> the value, be it the user's."""

MARK = "mark."
"""``--set mark.1=192.0.2.80:80``: which packets bear firewall mark 1."""

SOME_ADDRESS, SOME_ADDRESS6 = "10.200.0.80", "fd00:200::80"
"""Where marked packets go if there is no VIP at all."""
HTTP = 80
HIGHEST_PORT = 65535


def addressed(
    readings: Mapping[str, Reading], setting: Setting
) -> tuple[dict[str, Reading], tuple[str, ...]]:
    """The readings with an address for each firewall mark, and what of the groups cannot be had, by
    name.

    keepalived.conf has the mark and not what puts it on packets; on the emulated directors a
    firewall does.
    """
    held: list[str] = []
    taken: set[tuple[str, int]] = set()
    for reading in readings.values():
        for one in reading.instances:
            held += one.vips
        for service in reading.services:
            taken.update(service.endpoints)
    vips = [vip for vip in dict.fromkeys(held) if not ip_address(vip).is_link_local]
    marked: dict[int, tuple[str, int]] = {}
    lost: dict[str, None] = {}

    def reached(service: VirtualService) -> VirtualService:
        if service.fwmark is None:
            lost.update(dict.fromkeys(_lost(service)))
            return _at(service, [each for each in service.endpoints if not _is_own(service, each)])
        if service.fwmark not in marked:
            address, port = _free(_port(service), _alike(service, vips), taken)
            why = "which packets bear this firewall mark is in no keepalived.conf"
            marked[service.fwmark] = _endpoint(
                f"{MARK}{service.fwmark}",
                setting(f"{MARK}{service.fwmark}", f"{address}:{port}", why),
            )
            taken.add(marked[service.fwmark])
        return _at(service, [marked[service.fwmark]])

    known = {
        name: replace(each, services=tuple(map(reached, each.services)))
        for name, each in readings.items()
    }
    return known, tuple(lost)


def _at(service: VirtualService, endpoints: Sequence[tuple[str, int]]) -> VirtualService:
    """A service at these addresses and ports instead of its own."""
    if not endpoints:
        return replace(service, vip="", group=())
    (vip, port), *others = endpoints
    return replace(service, vip=vip, port=port, group=tuple(others))


def _alike(service: VirtualService, vips: list[str]) -> list[str]:
    """The VIPs of the family of a service's real servers."""
    six = any(":" in server.address for server in service.real_servers)
    return [vip for vip in vips if (":" in vip) == six] or [SOME_ADDRESS6 if six else SOME_ADDRESS]


def _lost(service: VirtualService) -> Iterable[str]:
    """What of a group is not emulated."""
    for address, port in service.endpoints:
        if _is_own(service, (address, port)):
            yield (
                f"service {service.called}: {address}:{port}, its real server's own: checks of"
                f" that are balanced"
            )
    if service.marks:
        yield (
            f"service {service.called}: firewall marks beside addresses:"
            f" {', '.join(map(str, service.marks))}"
        )


def _is_own(service: VirtualService, listener: tuple[str, int]) -> bool:
    """Whether a listener's address is also a real server's, and the service has others."""
    own = {server.address for server in service.real_servers}
    return listener[0] in own and any(address not in own for address, _ in service.endpoints)


def _port(service: VirtualService) -> int:
    """The port that the real servers of a service by mark are asked at: theirs, or else that of
    their checkers.
    """
    ports = [server.port for server in service.real_servers]
    for server in service.real_servers:
        for checker in server.checks:
            if isinstance(checker, NetworkCheck):
                ports.append(checker.port or 0)
    return next(filter(None, ports), HTTP)


def _free(port: int, vips: list[str], taken: set[tuple[str, int]]) -> tuple[str, int]:
    """The first address, at the first port from ``port`` on, that no other service has."""
    for number in range(port, HIGHEST_PORT + 1):
        for vip in vips:
            if (vip, number) not in taken:
                return vip, number
    raise HarnessError(f"every port from {port} on is taken at {', '.join(vips)}")


def _endpoint(key: str, text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    try:
        return str(ip_address(address)), int(port)
    except ValueError:
        raise HarnessError(
            f"--set {key}={text}: write it as ADDRESS:PORT, such as 192.0.2.80:80"
        ) from None
