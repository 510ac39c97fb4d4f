"""What IPVS has counted: the text of ``ipvsadm -Ln --stats --exact`` to numbers (pure)."""

from __future__ import annotations

from collections.abc import Iterator

from harness.errors import HarnessError

ARGV = ("ipvsadm", "-Ln", "--stats", "--exact")
NAMES = ("conns", "inpkts", "outpkts", "inbytes", "outbytes")
"""ipvsadm(8), ``--stats``: connections, then packets and bytes that came in and went out. With DR
and TUN the answers go past the director, so that it counts nothing that goes out.
"""
SERVER = "->"
UPDATED = 2.0
"""Seconds within which IPVS brings up to date what it tells of its counters (kernel
``ip_vs_est.c``, ``ip_vs_chain_estimation``).
"""


def parse(text: str) -> Iterator[tuple[str, str, int]]:
    """Of whom, which counter, and its value: ``TCP 172.16.10.50:80``, or for a real server of it
    ``TCP 172.16.10.50:80 -> 172.16.10.21:80``; ``conns``; 3.

    Raises HarnessError for a line without these numbers.
    """
    service = ""
    for line in text.splitlines():
        words = line.split()
        if not words or words[-1] in ("OutBytes", "RemoteAddress:Port") or words[0] == "IP":
            continue
        names, numbers = words[: -len(NAMES)], words[-len(NAMES) :]
        if not names or not all(number.isdecimal() for number in numbers):
            raise HarnessError(f"ipvsadm has counted what is no number: {line!r}")
        own = " ".join(names)
        if names[0] == SERVER:
            own = f"{service} {own}"
        else:
            service = own = " ".join(names[:2])
        for name, number in zip(NAMES, numbers, strict=True):
            yield own, name, int(number)
