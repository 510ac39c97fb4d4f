"""The words by which ipvsadm(8) knows services and real servers."""

from __future__ import annotations

from harness.topology import VirtualService, rules
from harness.topology.services import Destination, endpoint

RULES = "/etc/ipvsadm.rules"
_PROTOCOLS = {"TCP": "-t", "UDP": "-u", "SCTP": "--sctp-service"}
_METHODS = {"DR": "-g", "NAT": "-m", "TUN": "-i"}


def service(wanted: VirtualService) -> list[str]:
    """``-t 172.16.10.50:80`` or ``-f 1``; of a group the first member."""
    if wanted.fwmark is not None:
        return ["-f", str(wanted.fwmark), *(["-6"] if wanted.family == 6 else [])]
    return [_PROTOCOLS[wanted.protocol], endpoint(wanted.vip, wanted.port)]


def scheduler(of: VirtualService) -> list[str]:
    """``-s sh -b sh-port,sh-fallback -o``."""
    flags = ["-b", ",".join(of.flags)] if of.flags else []
    return ["-s", of.scheduler, *flags, *(["-o"] if of.ops else [])]


def server(of: VirtualService, destination: Destination) -> list[str]:
    """``-r 172.16.10.21:80 -g``."""
    return ["-r", destination.endpoint, _METHODS[of.method]]


def table(of: VirtualService, destinations: dict[str, list[Destination]]) -> list[list[str]]:
    """What makes a service's table, command by command: its names (:attr:`VirtualService.names`),
    each with real servers.
    """
    rules.check(of)
    made = []
    for name, servers in destinations.items():
        kind = service(of)[:1]
        words = service(of) if of.fwmark is not None else [*kind, name.partition(" ")[2]]
        persistent = ["-p", str(round(of.persistence_timeout))] if of.persistence_timeout else []
        made.append(["-A", *words, *scheduler(of), *persistent])
        made += [["-a", *words, *server(of, each), "-w", str(each.weight)] for each in servers]
    return made
