"""Which real server a connection goes to: a model of what the kernel's schedulers are documented to
do.

One class a scheduler, each after ``net/netfilter/ipvs/ip_vs_NAME.c``, for a virtual service whose
scheduler has just been given to it. None overloads a server (``--u-threshold``), and none uses the
flags of sh and mh.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import gcd

from harness.errors import HarnessError
from harness.ipvs import hashes


@dataclass
class Server:
    """A real server as its virtual service counts it.

    ``active`` are its established connections, ``inactive`` those being opened or closed.
    ``last_weight`` is the last that was not 0 (None: its weight).
    """

    address: str
    weight: int = 1
    port: int = 80
    active: int = 0
    inactive: int = 0
    last_weight: int | None = None

    def drained(self) -> Server:
        """The same, its weight set to 0."""
        return replace(self, weight=0, last_weight=self.weight or self.last_weight)

    @property
    def overhead(self) -> int:
        """What its connections cost: an active one as much as 256 others (ip_vs.h,
        ``ip_vs_dest_conn_overhead``).
        """
        return (self.active << 8) + self.inactive


@dataclass(frozen=True)
class Flow:
    """A connection to be: from which client to which VIP, and whether it stays established when the
    next one comes.

    One that does not is closed by then, and the director counts it as inactive for a while.
    """

    source: str
    destination: str
    held: bool = False


class Scheduler:
    """Base of all. ``servers`` are in the kernel's order, in which the one that was added last
    comes first (ip_vs_ctl.c, ``__ip_vs_update_dest``).
    """

    def __init__(self, servers: Sequence[Server]) -> None:
        self.servers = list(servers)

    @property
    def weighing(self) -> list[Server]:
        """Those that may get connections: of a weight above 0."""
        return [server for server in self.servers if server.weight > 0]

    def choose(self, flow: Flow) -> Server | None:
        """The server of a new connection; None if it is refused."""
        raise NotImplementedError


class RoundRobin(Scheduler):
    """rr: one after the other, whatever they weigh, if only they weigh something."""

    def __init__(self, servers: Sequence[Server]) -> None:
        super().__init__(servers)
        self._turns = _for_ever(lambda: self.weighing)

    def choose(self, flow: Flow) -> Server | None:
        return next(self._turns)


class WeightedRoundRobin(Scheduler):
    """wrr: passes over all servers, the first for those of the greatest weight, each next one for
    lighter ones too.
    """

    def __init__(self, servers: Sequence[Server]) -> None:
        super().__init__(servers)
        self._turns = _for_ever(self._pass)

    def _pass(self) -> list[Server]:
        weights = [server.weight for server in self.weighing]
        passes = range(max(weights), 0, -gcd(*weights)) if weights else ()
        return [server for least in passes for server in self._heavy(least)]

    def _heavy(self, least: int) -> Iterable[Server]:
        return (server for server in self.servers if server.weight >= least)

    def choose(self, flow: Flow) -> Server | None:
        return next(self._turns)


class LeastConnection(Scheduler):
    """lc: the one whose connections cost least, the first of equals."""

    def choose(self, flow: Flow) -> Server | None:
        return min(self.weighing, key=lambda server: server.overhead, default=None)


class WeightedLeastConnection(Scheduler):
    """wlc: the one whose connections cost least for its weight, the first of equals."""

    def choose(self, flow: Flow) -> Server | None:
        return least_loaded(self.weighing)


class ShortestExpectedDelay(Scheduler):
    """sed: the one that would have least active connections for its weight, the new one counted."""

    def choose(self, flow: Flow) -> Server | None:
        return min(
            self.weighing, key=lambda server: (server.active + 1) / server.weight, default=None
        )


class NeverQueue(ShortestExpectedDelay):
    """nq: the first that is idle, whatever it weighs; else as sed."""

    def choose(self, flow: Flow) -> Server | None:
        return next(
            (server for server in self.weighing if server.active == 0), None
        ) or super().choose(flow)


class DestinationHashing(Scheduler):
    """dh: by the VIP; each server has every n-th of 256 buckets, and one that weighs nothing
    refuses its VIPs.
    """

    BITS = 8

    def __init__(self, servers: Sequence[Server]) -> None:
        super().__init__(servers)
        self._buckets = self._filled() if servers else []

    def _filled(self) -> list[Server]:
        return [self.servers[bucket % len(self.servers)] for bucket in range(1 << self.BITS)]

    def _key(self, flow: Flow) -> str:
        return flow.destination

    def choose(self, flow: Flow) -> Server | None:
        server = (
            self._buckets[hashes.hash_32(hashes.folded(self._key(flow)), self.BITS)]
            if self._buckets
            else None
        )
        return server if server is not None and server.weight > 0 else None


class SourceHashing(DestinationHashing):
    """sh: by the client's address; a server has as many buckets in a row as it weighs, but one even
    if that is 0.
    """

    def _filled(self) -> list[Server]:
        turns = [server for server in self.servers for _ in range(max(1, server.weight))]
        return [turns[bucket % len(turns)] for bucket in range(1 << self.BITS)]

    def _key(self, flow: Flow) -> str:
        return flow.source


class MaglevHashing(Scheduler):
    """mh: by the client's address, in a table that changes little when servers come and go.

    A server that is drained keeps its part of the table and refuses the clients in it (ip_vs_ctl.c,
    ``__ip_vs_update_dest``: ``last_weight``).
    """

    def __init__(self, servers: Sequence[Server]) -> None:
        super().__init__(servers)
        self._table = hashes.maglev_table(
            [
                (
                    server.address,
                    server.port,
                    server.weight if server.last_weight is None else server.last_weight,
                )
                for server in servers
            ]
        )

    def choose(self, flow: Flow) -> Server | None:
        position = self._table[hashes.maglev_bucket(flow.source)]
        server = None if position is None else self.servers[position]
        return server if server is not None and server.weight > 0 else None


class LocalityBased(Scheduler):
    """lblc: a VIP's server stays its server, until that has more connections than weight while
    another is half idle.
    """

    def __init__(self, servers: Sequence[Server]) -> None:
        super().__init__(servers)
        self._sets: dict[str, list[Server]] = {}

    def choose(self, flow: Flow) -> Server | None:
        known = least_loaded(
            [server for server in self._sets.get(flow.destination, []) if server.weight > 0]
        )
        if known is not None and not self._overloaded(known):
            return known
        chosen = least_loaded(self.weighing)
        if chosen is not None:
            self._remember(flow.destination, chosen)
        return chosen

    def _overloaded(self, server: Server) -> bool:
        return server.active > server.weight and any(
            other.active * 2 < other.weight for other in self.servers
        )

    def _remember(self, vip: str, server: Server) -> None:
        self._sets[vip] = [server]


class LocalityBasedWithReplication(LocalityBased):
    """lblcr: a VIP has a set of servers, of which the least loaded serves; one that is overloaded
    gets a helper.
    """

    def _remember(self, vip: str, server: Server) -> None:
        known = self._sets.setdefault(vip, [])
        if server not in known:
            known.insert(0, server)


class Failover(Scheduler):
    """fo: the one of the greatest weight, the first of equals."""

    def choose(self, flow: Flow) -> Server | None:
        return max(self.weighing, key=lambda server: server.weight, default=None)


class Overflow(Scheduler):
    """ovf: the one of the greatest weight that has not more active connections than that; refused
    if none has.
    """

    def choose(self, flow: Flow) -> Server | None:
        free = [server for server in self.weighing if server.active <= server.weight]
        return max(free, key=lambda server: server.weight, default=None)


MODELS: dict[str, type[Scheduler]] = {
    "rr": RoundRobin,
    "wrr": WeightedRoundRobin,
    "lc": LeastConnection,
    "wlc": WeightedLeastConnection,
    "lblc": LocalityBased,
    "lblcr": LocalityBasedWithReplication,
    "sh": SourceHashing,
    "dh": DestinationHashing,
    "sed": ShortestExpectedDelay,
    "nq": NeverQueue,
    "mh": MaglevHashing,
    "fo": Failover,
    "ovf": Overflow,
}


def predict(scheduler: str, added: Sequence[Server], flows: Iterable[Flow]) -> list[str | None]:
    """The addresses of the servers that ``flows`` reach, one after the other; None for one that is
    refused.

    ``added`` are the servers in the order in which they were added, with the connections that they
    have already. Raises HarnessError for a scheduler without a model.
    """
    if scheduler not in MODELS:
        raise HarnessError(
            f"no model of the scheduler {scheduler}; there is one of {', '.join(MODELS)}"
        )
    model = MODELS[scheduler]([replace(server) for server in reversed(added)])
    reached: list[str | None] = []
    for flow in flows:
        server = model.choose(flow)
        reached.append(None if server is None else server.address)
        if server is not None:
            server.active += flow.held
            server.inactive += not flow.held
    return reached


def least_loaded(servers: Iterable[Server]) -> Server | None:
    """The one whose connections cost least for its weight, the first of equals
    (``__ip_vs_wlc_schedule``).
    """
    return min(servers, key=lambda server: server.overhead / server.weight, default=None)


def _for_ever(turn: Callable[[], list[Server]]) -> Iterator[Server | None]:
    while True:
        if not (servers := turn()):
            yield None
        yield from servers
