"""IPVS's connection table: what ``ipvsadm -Lnc`` prints, keyed by the whole tuple, so that
protocols do not mix.

Read from ``/proc/net/ip_vs_conn_sync``, which also tells who made an entry (kernel
``ip_vs_conn_sync_seq_show``).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from typing import Literal

PATH = "/proc/net/ip_vs_conn_sync"


Change = Literal["added", "changed", "removed"]


@dataclass(frozen=True)
class Entry:
    """A connection: from ``client`` to the virtual ``service``, which goes to ``server``, each
    address and port.

    ``state`` is the kernel's word, such as ESTABLISHED or UDP; ``expires`` in whole seconds from
    now. ``synchronised`` says that it is known from another director's sync daemon.
    """

    protocol: str
    client: tuple[str, int]
    service: tuple[str, int]
    server: tuple[str, int]
    state: str
    expires: int
    synchronised: bool

    @property
    def key(self) -> tuple[str, tuple[str, int], tuple[str, int]]:
        """What tells it from all others."""
        return self.protocol, self.client, self.service


def parse(text: str) -> list[Entry]:
    """The entries of the table, in the kernel's order."""
    found = []
    for line in text.splitlines()[1:]:
        protocol, *words = line.split()
        client, service, server = (_end(*words[at : at + 2]) for at in (0, 2, 4))
        state, origin, expires = words[6:9]
        found.append(
            Entry(protocol, client, service, server, state, int(expires), origin == "SYNC")
        )
    return found


def _end(address: str, port: str) -> tuple[str, int]:
    known = ip_address(address.strip("[]")) if ":" in address else IPv4Address(int(address, 16))
    return str(known), int(port, 16)


def changes(before: list[Entry], after: list[Entry]) -> list[tuple[Change, Entry]]:
    """What became of the entries between two looks: ``added``, ``removed``, or ``changed`` (state
    or server).
    """
    known = {entry.key: entry for entry in before}
    now = {entry.key: entry for entry in after}
    found: list[tuple[Change, Entry]] = [
        ("removed", entry) for key, entry in known.items() if key not in now
    ]
    for key, entry in now.items():
        if key not in known:
            found.append(("added", entry))
        elif (entry.state, entry.server) != (known[key].state, known[key].server):
            found.append(("changed", entry))
    return found
