"""How the health of a real server is checked: one class for each of keepalived's checkers.

A time that is None is left out of the configuration, so that keepalived's own counts:
``default_...`` of the class, or what ``check_data.c`` (``validate_check_config``) puts in its
place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from harness.errors import HarnessError
from harness.topology import fields
from harness.topology.tracking import TrackedFile

LONGEST_DELAY = 86400.0
CONNECT_TIMEOUT = 5.0
"""What a checker waits for by default, in seconds (``check_data.c``, ``alloc_vs``)."""

DNS_TYPES = ("A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY")
_HEX = re.compile(r"[0-9A-Fa-f]{2}( ?[0-9A-Fa-f]{2})*")
_HEX_PATTERN = re.compile(r"[0-9A-Fa-fXx]{2}( ?[0-9A-Fa-fXx]{2})*")
_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Pace:
    """A checker's times in seconds as keepalived takes them, and how often it tries again before it
    gives up.
    """

    delay_loop: float
    retry: int
    delay_before_retry: float
    warmup: float
    timeout: float


@dataclass(frozen=True, kw_only=True)
class Check:
    """What every health checker has: ``delay_loop`` between two checks (None: the virtual
    service's), ``retry`` more attempts, ``delay_before_retry`` apart, before a real server is
    removed, and the first check at random within ``warmup`` (None: ``delay_loop``) of the start.
    All times in seconds.
    """

    default_retry: ClassVar[int] = 1
    default_delay_before_retry: ClassVar[float | None] = 1.0
    """None: as long as ``delay_loop``."""
    connects: ClassVar[bool] = False
    """Whether it opens a connection."""

    retry: int | None = None
    delay_before_retry: float | None = None
    warmup: float | None = None
    delay_loop: float | None = None

    def __post_init__(self) -> None:
        if self.retry is not None:
            fields.whole(self.owner, "retry", self.retry, 0, 1000)
        self._time("delay_before_retry", 0)
        self._time("warmup", 0)
        self._time("delay_loop", 0.001)

    def _time(self, field: str, least: float) -> None:
        if (value := getattr(self, field)) is not None:
            fields.number(self.owner, field, value, least, LONGEST_DELAY)

    @property
    def owner(self) -> str:
        """What error messages call it."""
        return type(self).__name__

    def pace(self, delay_loop: float) -> Pace:
        """Its times, for a virtual service with ``delay_loop``."""
        own_loop = delay_loop if self.delay_loop is None else self.delay_loop
        default_delay = (
            own_loop if self.default_delay_before_retry is None else self.default_delay_before_retry
        )
        return Pace(
            own_loop,
            self.default_retry if self.retry is None else self.retry,
            default_delay if self.delay_before_retry is None else self.delay_before_retry,
            own_loop if self.warmup is None else self.warmup,
            self._timeout(delay_loop),
        )

    def _timeout(self, delay_loop: float) -> float:
        return 0.0


@dataclass(frozen=True, kw_only=True)
class NetworkCheck(Check):
    """A checker that asks the real server, at ``port`` (None: the real server's own), and waits for
    ``connect_timeout`` at every step of it.
    """

    connect_timeout: float | None = None
    port: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._time("connect_timeout", 0.001)
        if self.port is not None:
            fields.whole(self.owner, "port", self.port, 1, 65535)

    def _timeout(self, delay_loop: float) -> float:
        return CONNECT_TIMEOUT if self.connect_timeout is None else self.connect_timeout


@dataclass(frozen=True)
class Url:
    """``GET path`` must answer with ``status``, and with a body of the MD5 sum ``digest`` where
    there is one.

    ``virtualhost`` is the name to ask for (None: the real server's address).
    """

    path: str = "/"
    status: int = 200
    digest: str | None = None
    virtualhost: str | None = None

    def __post_init__(self) -> None:
        owner = type(self).__name__
        fields.word(owner, "path", self.path)
        fields.whole(owner, "status", self.status, 100, 599)
        if self.virtualhost is not None:
            fields.word(owner, "virtualhost", self.virtualhost)
        if self.digest is not None and not _MD5.fullmatch(self.digest):
            raise HarnessError(
                f"{owner}: digest must be an MD5 sum of 32 digits, not {self.digest!r}"
            )


@dataclass(frozen=True)
class HttpGet(NetworkCheck, Url):
    """The real server is well while a URL, and in their turn the ``more`` ones, answer as they
    should.

    With ``fast_recovery`` a removed server's first good check is followed by the others at once
    (``check_http.c``).
    """

    connects: ClassVar[bool] = True
    default_delay_before_retry: ClassVar[float | None] = 3.0

    more: tuple[Url, ...] = ()
    fast_recovery: bool = False

    def __post_init__(self) -> None:
        NetworkCheck.__post_init__(self)
        Url.__post_init__(self)

    @property
    def urls(self) -> tuple[Url, ...]:
        """All URLs, in the order in which they are checked."""
        return (Url(self.path, self.status, self.digest, self.virtualhost), *self.more)


@dataclass(frozen=True)
class SslGet(HttpGet):
    """:class:`HttpGet` over TLS, whatever the certificate says (``check_ssl.c``); ``sni`` names
    ``virtualhost``.
    """

    sni: bool = False


@dataclass(frozen=True)
class TcpCheck(NetworkCheck):
    """The real server is well while it accepts connections (``check_tcp.c``)."""

    connects: ClassVar[bool] = True


@dataclass(frozen=True)
class SmtpCheck(NetworkCheck):
    """The real server is well while it greets and answers ``HELO helo`` (``check_smtp.c``)."""

    connects: ClassVar[bool] = True
    helo: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.helo is not None:
            fields.word(self.owner, "helo", self.helo)


@dataclass(frozen=True)
class DnsCheck(NetworkCheck):
    """The real server is well while it answers the question for ``name`` without an error
    (``check_dns.c``).
    """

    default_retry: ClassVar[int] = 3
    default_delay_before_retry: ClassVar[float | None] = None

    name: str = "."
    type: str = "SOA"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.name != ".":
            fields.word(self.owner, "name", self.name)
        fields.one_of(self.owner, "type", self.type, DNS_TYPES)


@dataclass(frozen=True)
class UdpCheck(NetworkCheck):
    """The real server is well while nothing says that ``payload`` did not arrive (``check_udp.c``).

    ``payload`` (None: keepalived's own) and ``reply`` are hexadecimal. With ``require_reply``
    silence is a failure, and with ``reply`` another beginning of the answer as well, digits that
    are ``X`` aside.
    """

    payload: str | None = None
    require_reply: bool = False
    reply: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for field, pattern in (("payload", _HEX), ("reply", _HEX_PATTERN)):
            value = getattr(self, field)
            if value is not None and not pattern.fullmatch(value):
                raise HarnessError(
                    f"{self.owner}: {field} must be pairs of hexadecimal digits, not {value!r}"
                )
        if self.reply is not None and not self.require_reply:
            raise HarnessError(
                f"{self.owner}: reply without require_reply is never looked at; set both"
            )


@dataclass(frozen=True)
class PingCheck(NetworkCheck):
    """The real server is well while it answers an echo request (``check_ping.c``)."""


@dataclass(frozen=True)
class MiscCheck(Check):
    """The real server is well while ``command``, run on the director, succeeds (``check_misc.c``).

    It is ended after ``timeout`` whole seconds (None: the service's ``delay_loop``), and that is a
    failure. Where it is ``dynamic``, an exit status of 2 or more is success, and what it is above 2
    the weight.
    """

    default_retry: ClassVar[int] = 0

    command: str
    timeout: int | None = None
    dynamic: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        fields.command(self.owner, "command", self.command)
        if self.timeout is not None:
            fields.whole(self.owner, "timeout", self.timeout, 1, 3600)

    def _timeout(self, delay_loop: float) -> float:
        return delay_loop if self.timeout is None else float(self.timeout)


@dataclass(frozen=True)
class FileCheck(Check):
    """The number in ``file`` on the director, times the file's weight, is added to the real
    server's weight, or, where that is 0, any number but 0 is a failure (``check_file.c``). It is
    told of every change and has no pace.
    """

    file: TrackedFile

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.retry, self.delay_before_retry, self.warmup, self.delay_loop) != (None,) * 4:
            raise HarnessError(
                f"{self.owner}: it has neither delay_loop nor retry nor warmup: it is"
                " told of changes"
            )
