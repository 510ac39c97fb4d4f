"""What a director's keepalived has read, as typed facts; times in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Vip:
    """A virtual address as the configuration has it: ``device`` is where it goes."""

    address: str
    prefix: int
    device: str

    def __str__(self) -> str:
        return f"{self.address}/{self.prefix} dev {self.device}"


@dataclass(frozen=True)
class Instance:
    """One VRRP instance; times in seconds.

    ``source`` is the address it is told to speak from, if it is told one; ``excluded_vips`` are
    held, but not advertised; ``scripts``, ``interfaces``, ``files`` and ``bfds`` are the names of
    those that it tracks, with their weights. The VIPs of ``interface`` are on ``vmac`` where that
    is used.
    """

    name: str
    interface: str
    version: int
    vrid: int
    priority: int
    advert_int: float
    preempt: bool
    preempt_delay: float
    garp_delay: int
    source: str | None
    peers: tuple[str, ...]
    vips: tuple[Vip, ...]
    excluded_vips: tuple[Vip, ...]
    sync_group: str | None
    scripts: tuple[tuple[str, int], ...]
    interfaces: tuple[tuple[str, int], ...]
    authentication: str
    vmac: str | None = None
    files: tuple[tuple[str, int], ...] = ()
    bfds: tuple[tuple[str, int], ...] = ()
    accepts: bool = True
    """Whether a master takes what is sent to its VIPs: with ``vrrp_strict`` or ``no_accept`` it
    drops that.
    """


@dataclass(frozen=True)
class Script:
    """One ``vrrp_script``; times in seconds."""

    name: str
    command: str
    interval: float
    timeout: float
    weight: int
    rise: int
    fall: int


@dataclass(frozen=True)
class TrackFile:
    """One ``track_file``, with the number that is in it at rest."""

    name: str
    path: str
    value: int = 0


@dataclass(frozen=True)
class Ill:
    """A script that fails where nothing is broken: its exit status, and what it says.

    ``needs_shell``: it succeeds when a shell runs it, and keepalived runs none. ``endless``: it
    computes, prints or starts processes for ever.
    """

    script: str
    status: int
    said: str
    needs_shell: bool = False
    endless: bool = False


@dataclass(frozen=True)
class Url:
    """One URL of an HTTP checker: ``statuses`` as keepalived prints them (``200-299``),
    ``digest`` an MD5 in hex.
    """

    path: str
    statuses: tuple[str, ...]
    digest: str | None
    virtualhost: str | None


@dataclass(frozen=True)
class Checker:
    """How a real server is checked; times in seconds. ``details`` has what is the kind's own, in
    keepalived's words; ``bind`` is the director's address that it asks from, if it is told one.
    """

    kind: str
    address: str | None
    port: int | None
    timeout: float
    delay_loop: float
    warmup: float
    retries: int
    delay_before_retry: float
    urls: tuple[Url, ...] = ()
    details: dict[str, str] = field(default_factory=dict, hash=False)
    bind: str | None = None


@dataclass(frozen=True)
class RealServer:
    """A real server of one virtual server, with its checkers."""

    address: str
    port: int
    weight: int
    method: str
    checkers: tuple[Checker, ...] = ()

    @property
    def own_checkers(self) -> tuple[Checker, ...]:
        """The checkers that ask the real server itself."""
        return tuple(each for each in self.checkers if each.address in (None, self.address))

    @property
    def endpoint(self) -> str:
        """``[address]:port``, as keepalived's log names it."""
        return f"[{self.address}]:{self.port}"


@dataclass(frozen=True)
class Service:
    """A virtual server. ``listeners`` are its addresses with ports; ``mark`` is set instead for a
    firewall mark, ``marks`` are those of a group.
    """

    name: str
    listeners: tuple[tuple[str, int], ...]
    mark: int | None
    protocol: str
    scheduler: str
    method: str
    delay_loop: float
    persistence: int | None
    quorum: int
    hysteresis: int
    inhibit: bool
    virtualhost: str | None
    sorry_server: tuple[str, int] | None
    real_servers: tuple[RealServer, ...]
    marks: tuple[int, ...] = ()
    suspends: bool = False
    """``ha_suspend``: only the director that holds the address checks."""


@dataclass(frozen=True)
class Reading:
    """Everything that one director's keepalived has read.

    ``interfaces`` and ``programs`` are those that it names and a bare machine does not have;
    ``ill`` are scripts that fail there, ``endless`` are further programs of its own, by their
    paths, that never end. By BFD it speaks from ``bfd_sources`` to ``bfd_neighbours``.
    """

    instances: tuple[Instance, ...] = ()
    scripts: tuple[Script, ...] = ()
    services: tuple[Service, ...] = ()
    interfaces: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    ill: tuple[Ill, ...] = ()
    endless: tuple[Ill, ...] = ()
    files: tuple[TrackFile, ...] = ()
    bfd_sources: tuple[str, ...] = ()
    bfd_neighbours: tuple[str, ...] = ()
