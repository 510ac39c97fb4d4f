"""What directors balance: virtual services, and where requests may go."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import HarnessError
from harness.topology.checks import Check, NetworkCheck

SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "dh", "sed", "nq", "mh", "fo", "ovf")
SCHEDULER_FLAGS = {
    "sh": ("sh-port", "sh-fallback"),
    "mh": ("mh-port", "mh-fallback"),
}
"""What may be said to a scheduler beside its name (ipvsadm(8), ``--sched-flags``)."""
METHODS = ("DR", "NAT", "TUN")
PROTOCOLS = ("TCP", "UDP", "SCTP")


@dataclass(frozen=True)
class VirtualService:
    """``vip``:``port``, balanced over the real servers by ``scheduler`` and forwarded by
    ``method``.

    - ``delay_loop``: seconds between two checks of a real server.
    - ``check``: the health checkers. A real server is well while all of them succeed.
    - ``weight``: that of every real server, or a tuple with one for each, in the topology's order.
    - ``real_port``: where real servers listen, if not at ``port``.
    - ``persistence_timeout``: for how many seconds a client stays with its real server (None: no
      persistence); with ``persistence_granularity``, a netmask or an IPv6 prefix length, a whole
      network of clients does.
    - ``alpha``: a real server is not in the table before its first good check.
    - ``inhibit_on_failure``: a real server that fails stays in the table, with weight 0.
    - ``sorry_inhibit``: the sorry server stays in the table while it does not serve, with weight 0
      (``sorry_server_inhibit``).
    - ``quorum``, ``hysteresis``: how much those that are well must weigh together. Below it the
      sorry server takes their place; ``quorum_up`` and ``quorum_down`` are commands that run then.
    - ``group``: further addresses and ports with the same real servers (``virtual_server_group``).
    - ``flags``: the scheduler's: with ``sh-port`` the client's port counts as well, with
      ``sh-fallback`` the clients of a drained real server go to others; and so for ``mh``.
    - ``ops``: each datagram is scheduled by itself and not remembered (UDP's one-packet
      scheduling).
    - ``fwmark``: with it all addresses of the group are one service, by the mark that the
      director's firewall puts on their packets.

    What is read from files and not written:

    - ``title``: what the file calls it, where that is no address.
    - ``real_servers``, ``sorry_server``: those that the file names. In a topology they are the
      machines that serve it.
    - ``marks``: the firewall marks of a group.
    - ``virtualhost``: the name that its checkers ask for.
    - ``ha_suspend``: only the director that holds the address checks.
    """

    vip: str
    port: int = 80
    scheduler: str = "rr"
    method: str = "DR"
    protocol: str = "TCP"
    delay_loop: float = 2.0
    check: Check | tuple[Check, ...] | None = None
    weight: int | tuple[int, ...] = 1
    persistence_timeout: int | None = None
    alpha: bool = False
    inhibit_on_failure: bool = False
    sorry_inhibit: bool = False
    quorum: int = 1
    hysteresis: int = 0
    quorum_up: str | None = None
    quorum_down: str | None = None
    persistence_granularity: str | None = None
    real_port: int | None = None
    group: tuple[tuple[str, int], ...] = ()
    fwmark: int | None = None
    flags: tuple[str, ...] = ()
    ops: bool = False
    title: str | None = None
    real_servers: tuple[Destination, ...] = ()
    sorry_server: Destination | None = None
    marks: tuple[int, ...] = ()
    virtualhost: str | None = None
    ha_suspend: bool = False

    @property
    def checks(self) -> tuple[Check, ...]:
        """Its health checkers, always as a tuple."""
        return (self.check,) if isinstance(self.check, Check) else tuple(self.check or ())

    def has_quorum(self, live_weight: int, had: bool) -> bool:
        """Whether it has quorum once its live real servers weigh ``live_weight`` together, if so
        far it ``had``.

        keepalived ``ipwrapper.c``, ``update_quorum_state``: ``hysteresis`` less than the quorum to
        lose it, and ``hysteresis`` more to gain it.
        """
        if had:
            return live_weight > 0 and live_weight >= self.quorum - self.hysteresis
        return live_weight >= self.quorum + self.hysteresis

    @property
    def family(self) -> int:
        """The version of IP: 4 or 6."""
        return 6 if ":" in self.vip else 4

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        """Every address and port at which it is to be had; none while it has a firewall mark and
        nobody knows which packets bear that.
        """
        return ((self.vip, self.port), *self.group) if self.vip else ()

    @property
    def ports(self) -> tuple[int, ...]:
        """Every port at which a real server is asked."""
        if self.real_port is not None:
            return (self.real_port,)
        return tuple(dict.fromkeys(port for _, port in self.endpoints))

    @property
    def names(self) -> tuple[str, ...]:
        """What it is called in a director's IPVS table: ``TCP 172.16.10.50:80``, once for each
        endpoint, or ``FWM 1``.
        """
        if self.fwmark is not None:
            return (f"FWM {self.fwmark}",)
        return tuple(
            f"{self.protocol} {endpoint(address, port)}" for address, port in self.endpoints
        )

    def real_port_in(self, name: str) -> int:
        """Where real servers listen according to the table of a name; 0 is whatever port the client
        asked for.

        In a group keepalived puts each member's own port, but with NAT that of the real server
        (``check_data.c``, "ports don't match").
        """
        if self.fwmark is not None:
            return self.real_port or 0
        return self.real_port or dict(zip(self.names, self.endpoints, strict=True))[name][1]

    @property
    def name(self) -> str:
        """The first of its :attr:`names`."""
        return self.names[0]

    @property
    def called(self) -> str:
        """What reports on files call it: ``192.0.2.80:80``, ``FWM 1``, ``group web``."""
        if self.title is not None:
            return self.title
        if self.fwmark is not None:
            return f"FWM {self.fwmark}"
        # DNS has a service of each protocol at one address and port
        return f"{self.vip}:{self.port}" + " UDP" * (self.protocol == "UDP")

    def weight_of(self, number: int) -> int:
        """The weight of the real server that comes at ``number``, from 0 on, in the topology."""
        if not isinstance(self.weight, tuple):
            return self.weight
        if number >= len(self.weight):
            raise HarnessError(
                f"VirtualService {self.name}: {len(self.weight)} weights for more real servers"
            )
        return self.weight[number]


@dataclass(frozen=True)
class Destination:
    """A real server, or the ``sorry`` server, as one virtual service sees it: where requests go,
    with which share.

    ``port`` 0 is whatever port was asked for. ``method`` and ``checks`` are its own, where a file
    says them of each real server; in a topology they are the service's.
    """

    address: str
    port: int
    weight: int = 1
    sorry: bool = False
    method: str | None = None
    checks: tuple[Check, ...] = ()

    @property
    def own_checks(self) -> tuple[Check, ...]:
        """The checkers that ask the real server itself, and no other machine."""
        return tuple(
            each
            for each in self.checks
            if not isinstance(each, NetworkCheck) or each.address in (None, self.address)
        )

    @property
    def endpoint(self) -> str:
        """``172.16.10.21:80``, as ipvsadm prints it."""
        return endpoint(self.address, self.port)


def endpoint(address: str, port: int) -> str:
    """``172.16.10.50:80`` or ``[fd00:10::50]:80``, as ipvsadm prints it."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
