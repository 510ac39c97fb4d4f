"""What directors balance: virtual services, how the health of their real servers is checked, where
requests may go.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.topology import fields

SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "dh", "sed", "nq", "mh", "fo", "ovf")
METHODS = ("DR", "NAT", "TUN")
PROTOCOLS = ("TCP", "UDP", "SCTP")
LONGEST_DELAY = 86400.0


@dataclass(frozen=True, kw_only=True)
class Check:
    """What every health checker has: ``delay_loop`` between two checks (None: the virtual service's),
    ``retry`` more attempts, ``delay_before_retry`` apart, before a real server is removed, and the first
    check at random within ``warmup`` of the start. ``port`` None is the real server's own. All times in
    seconds.
    """

    connect_timeout: float = 2.0
    retry: int = 1
    delay_before_retry: float = 1.0
    warmup: float = 0.0
    delay_loop: float | None = None
    port: int | None = None

    def __post_init__(self) -> None:
        owner = type(self).__name__
        fields.number(owner, "connect_timeout", self.connect_timeout, 0.001, LONGEST_DELAY)
        fields.whole(owner, "retry", self.retry, 0, 1000)
        fields.number(owner, "delay_before_retry", self.delay_before_retry, 0, LONGEST_DELAY)
        fields.number(owner, "warmup", self.warmup, 0, LONGEST_DELAY)
        if self.delay_loop is not None:
            fields.number(owner, "delay_loop", self.delay_loop, 0.001, LONGEST_DELAY)
        if self.port is not None:
            fields.whole(owner, "port", self.port, 1, 65535)


@dataclass(frozen=True)
class HttpGet(Check):
    """The real server is well while ``GET path`` answers with ``status`` (keepalived.conf(5),
    ``HTTP_GET``).
    """

    path: str = "/"
    status: int = 200

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.word("HttpGet", "path", self.path)
        fields.whole("HttpGet", "status", self.status, 100, 599)


@dataclass(frozen=True)
class VirtualService:
    """``vip``:``port`` balanced by ``scheduler``, forwarded by ``method``.

    ``delay_loop`` is the time between two checks of a real server, ``persistence_timeout`` (None: no
    persistence) how long a client stays with one real server, both in seconds. ``weight`` is every real
    server's.
    """

    vip: str
    port: int = 80
    scheduler: str = "rr"
    method: str = "DR"
    protocol: str = "TCP"
    delay_loop: float = 2.0
    check: HttpGet | None = None
    weight: int = 1
    persistence_timeout: int | None = None

    def __post_init__(self) -> None:
        fields.address("VirtualService", "vip", self.vip)
        owner = f"VirtualService {self.vip}:{self.port}"
        fields.whole(owner, "port", self.port, 1, 65535)
        fields.one_of(owner, "scheduler", self.scheduler, SCHEDULERS)
        fields.one_of(owner, "method", self.method, METHODS)
        fields.one_of(owner, "protocol", self.protocol, PROTOCOLS)
        fields.number(owner, "delay_loop", self.delay_loop, 0.001, LONGEST_DELAY)
        fields.whole(owner, "weight", self.weight, 0, 65535)
        if self.persistence_timeout is not None:
            fields.whole(owner, "persistence_timeout", self.persistence_timeout, 1, 31 * 86400)


@dataclass(frozen=True)
class Destination:
    """A real server as one virtual service sees it: where requests go, and with which share."""

    address: str
    port: int
    weight: int = 1

    def __post_init__(self) -> None:
        fields.address("Destination", "address", self.address)
        owner = f"Destination {self.address}:{self.port}"
        fields.whole(owner, "port", self.port, 1, 65535)
        fields.whole(owner, "weight", self.weight, 0, 65535)
