"""What was meant, and what was found wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.topology import VrrpInstance


@dataclass(frozen=True)
class Setup:
    """What was meant: each director's VRRP instances, each real server's VIPs, and by machine the
    gateway that it uses.

    ``nat`` are the real servers that are forwarded to by NAT. The VIPs of the directors in
    ``standing`` are always there, so that holding one says nothing.
    """

    directors: Mapping[str, tuple[VrrpInstance, ...]]
    servers: Mapping[str, tuple[str, ...]]
    gateways: Mapping[str, str]
    nat: frozenset[str] = frozenset()
    standing: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Diagnosis:
    """A misconfiguration: its ``name``, the machines it is on or between, the evidence for it,
    and what to do.
    """

    name: str
    nodes: tuple[str, ...]
    evidence: str
    cure: str

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.nodes)}): {self.evidence}; {self.cure}"
