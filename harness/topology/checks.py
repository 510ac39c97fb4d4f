"""How the health of a real server is checked: one class for each of keepalived's checkers.

A time that is None is left out of the configuration, so that keepalived's own counts:
``default_...`` of the class, or what ``check_data.c`` (``validate_check_config``) puts in its
place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.topology.tracking import TrackedFile

CONNECT_TIMEOUT = 5.0
"""What a checker waits for by default, in seconds (``check_data.c``, ``alloc_vs``)."""
HTTP_OK = 200


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

    @property
    def keyword(self) -> str:
        """What keepalived calls it: ``TCP_CHECK``."""
        return KEYWORDS[type(self)]

    @property
    def urls(self) -> tuple[Url, ...]:
        """The URLs that it asks for, in the order in which they are checked."""
        return ()

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
    ``connect_timeout`` at every step of it. With ``address`` it asks there instead, and with
    ``bind`` from that address of the director's.
    """

    connect_timeout: float | None = None
    port: int | None = None
    address: str | None = None
    bind: str | None = None

    def _timeout(self, delay_loop: float) -> float:
        return CONNECT_TIMEOUT if self.connect_timeout is None else self.connect_timeout


@dataclass(frozen=True)
class Url:
    """``GET path`` must answer with ``status``, and with a body of the MD5 sum ``digest`` where
    there is one.

    ``status`` is a number, or what keepalived takes instead: numbers and ranges, as ``("200-299",
    "301")``; none of them stands for 200. ``virtualhost`` is the name to ask for (None: the real
    server's address).
    """

    path: str = "/"
    status: int | tuple[str, ...] = 200
    digest: str | None = None
    virtualhost: str | None = None

    @property
    def statuses(self) -> tuple[str, ...]:
        """All that are good, as keepalived writes them."""
        return (str(self.status),) if isinstance(self.status, int) else self.status

    @property
    def expected(self) -> int:
        """The first status that is good (``200-299`` -> 200)."""
        return int(self.statuses[0].partition("-")[0]) if self.statuses else HTTP_OK


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


@dataclass(frozen=True)
class DnsCheck(NetworkCheck):
    """The real server is well while it answers the question for ``name`` without an error
    (``check_dns.c``).
    """

    default_retry: ClassVar[int] = 3
    default_delay_before_retry: ClassVar[float | None] = None

    name: str = "."
    type: str = "SOA"


@dataclass(frozen=True)
class UdpCheck(NetworkCheck):
    """The real server is well while nothing says that ``payload`` did not arrive (``check_udp.c``).

    ``payload`` (None: keepalived's own) and ``reply`` are hexadecimal. With ``require_reply``
    silence is a failure, and with ``reply`` another beginning of the answer as well, digits that
    are ``X`` aside. keepalived knows ``payload`` and ``reply`` from version 2.2 on.
    """

    payload: str | None = None
    require_reply: bool = False
    reply: str | None = None


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

    def _timeout(self, delay_loop: float) -> float:
        return delay_loop if self.timeout is None else float(self.timeout)


@dataclass(frozen=True)
class FileCheck(Check):
    """The number in ``file`` on the director, times the file's weight, is added to the real
    server's weight, or, where that is 0, any number but 0 is a failure (``check_file.c``). It is
    told of every change and has no pace.
    """

    file: TrackedFile


@dataclass(frozen=True, kw_only=True)
class OtherCheck(NetworkCheck):
    """A checker of keepalived's that has no class of its own here, by its keyword. It is read from
    files and not written.
    """

    kind: str

    @property
    def keyword(self) -> str:
        """What keepalived calls it."""
        return self.kind


KEYWORDS: dict[type[Check], str] = {
    HttpGet: "HTTP_GET",
    SslGet: "SSL_GET",
    TcpCheck: "TCP_CHECK",
    SmtpCheck: "SMTP_CHECK",
    DnsCheck: "DNS_CHECK",
    UdpCheck: "UDP_CHECK",
    PingCheck: "PING_CHECK",
    MiscCheck: "MISC_CHECK",
    FileCheck: "FILE_CHECK",
}
"""What keepalived calls each checker."""
