"""What directors balance: virtual services, and where requests may go."""

from __future__ import annotations

from dataclasses import dataclass

from harness.topology import fields
from harness.topology.checks import LONGEST_DELAY, Check

SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "dh", "sed", "nq", "mh", "fo", "ovf")
METHODS = ("DR", "NAT", "TUN")
PROTOCOLS = ("TCP", "UDP", "SCTP")


@dataclass(frozen=True)
class VirtualService:
    """``vip``:``port`` balanced by ``scheduler``, forwarded by ``method``.

    ``delay_loop`` is the time between two checks of a real server, ``persistence_timeout`` (None: no
    persistence) how long a client stays with one real server, both in seconds. ``weight`` is every real
    server's.

    Each real server is checked by every ``check``, and is well while all of them succeed. One that is not leaves
    the table, or with ``inhibit_on_failure`` stays in it with weight 0; with ``alpha`` it is not in it before
    its first good check. Once those that are well weigh less than ``quorum``, give or take ``hysteresis``, the
    sorry server that the topology names takes their place; ``quorum_up`` and ``quorum_down`` are commands run
    at that.
    """

    vip: str
    port: int = 80
    scheduler: str = "rr"
    method: str = "DR"
    protocol: str = "TCP"
    delay_loop: float = 2.0
    check: Check | tuple[Check, ...] | None = None
    weight: int = 1
    persistence_timeout: int | None = None
    alpha: bool = False
    inhibit_on_failure: bool = False
    quorum: int = 1
    hysteresis: int = 0
    quorum_up: str | None = None
    quorum_down: str | None = None

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
        fields.whole(owner, "quorum", self.quorum, 1, 2**31 - 1)
        fields.whole(owner, "hysteresis", self.hysteresis, 0, self.quorum - 1)
        for field in ("quorum_up", "quorum_down"):
            if (command := getattr(self, field)) is not None:
                fields.command(owner, field, command)

    @property
    def checks(self) -> tuple[Check, ...]:
        """Its health checkers, always as a tuple."""
        return (self.check,) if isinstance(self.check, Check) else tuple(self.check or ())

    def has_quorum(self, live_weight: int, had: bool) -> bool:
        """Whether it has quorum once its live real servers weigh ``live_weight`` together, if so far it ``had``.

        keepalived ``ipwrapper.c``, ``update_quorum_state``: ``hysteresis`` less than the quorum to lose it, and
        ``hysteresis`` more to gain it.
        """
        if had:
            return live_weight > 0 and live_weight >= self.quorum - self.hysteresis
        return live_weight >= self.quorum + self.hysteresis


@dataclass(frozen=True)
class Destination:
    """A real server, or the ``sorry`` server, as one virtual service sees it: where requests go, with which share."""

    address: str
    port: int
    weight: int = 1
    sorry: bool = False

    def __post_init__(self) -> None:
        fields.address("Destination", "address", self.address)
        owner = f"Destination {self.address}:{self.port}"
        fields.whole(owner, "port", self.port, 1, 65535)
        fields.whole(owner, "weight", self.weight, 0, 65535)
