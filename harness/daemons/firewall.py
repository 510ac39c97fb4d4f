"""The director's firewall marks: what makes one virtual service of many addresses and ports
(iptables-extensions(8)).

The legacy iptables, since every kernel that has IPVS has it, and Debian's User Mode Linux has no
nftables.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.lab.machine import Machine
from harness.topology import VirtualService

FIREWALLS = {4: "iptables-legacy", 6: "ip6tables-legacy"}
"""What changes a firewall's rules, by the version of IP."""
PROGRAMS = {version: f"{program}-restore" for version, program in FIREWALLS.items()}
"""What loads them from a file."""


def marks(services: Sequence[VirtualService], family: int) -> str:
    """The rules that mark the packets of services with a ``fwmark``, for one version of IP; empty
    if there are none.

    They are marked before routing, since IPVS looks at the mark when they come in (ip_vs_core.c,
    ``ip_vs_in_hook``).
    """
    rules = [
        f"-A PREROUTING -d {address} -p {service.protocol.lower()} --dport {port} -j MARK"
        f" --set-mark {service.fwmark}\n"
        for service in services
        if service.fwmark is not None and service.family == family
        for address, port in service.endpoints
    ]
    return f"*mangle\n{''.join(rules)}COMMIT\n" if rules else ""


def mark(machine: Machine, services: Sequence[VirtualService]) -> None:
    """Load the rules into a director, as far as its services need any."""
    for family, program in PROGRAMS.items():
        if rules := marks(services, family):
            path = f"/etc/iptables/rules.v{family}"
            machine.write(path, rules)
            machine.run([program, path])
