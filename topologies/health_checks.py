"""One director, and two real servers that it checks in many ways: a virtual service for each."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from mininet.topo import Topo

from harness.topology import (
    Client,
    Director,
    DnsCheck,
    FileCheck,
    HttpGet,
    MiscCheck,
    PingCheck,
    RealServer,
    SmtpCheck,
    SslGet,
    TcpCheck,
    TrackedFile,
    UdpCheck,
    Url,
    VirtualService,
    VrrpInstance,
)
from harness.topology.checks import Check
from harness.topology.tracking import CHECK

VIP = "172.16.10.50"
UDP_VIP, REPLY_VIP = "172.16.10.51", "172.16.10.52"

QUESTION = "1234 0100 0001 0000 0000 0000 06736572766572 036c7673 0474657374 00 0010 0001".replace(
    " ", ""
)
"""A DNS query for the TXT record of server.lvs.test (RFC 1035 section 4.1)."""
ANSWER = "1234 8580 0001 0001".replace(" ", "")
"""How an authoritative answer without an error begins, with one record in it."""

PAYLOAD = "a UDP_CHECK that says what it sends", "2.2"
"""What takes ``payload`` and ``reply``, and the version of keepalived that first has it. One before
sends something that dnsmasq takes for no question and leaves unanswered, so nobody who is to reply
is ever well.
"""

_BRISK: dict[str, Any] = {"connect_timeout": 0.8, "delay_before_retry": 0.8, "warmup": 0.0}
_DELAY_LOOP = 0.6
"""Less than it takes to try again, so that a check too few or too many is never in the window of
the right number.
"""


def _service(
    port: int, *check: Check, vip: str = VIP, protocol: str = "TCP", **options: Any
) -> VirtualService:
    return VirtualService(
        vip, port, check=check, protocol=protocol, delay_loop=_DELAY_LOOP, **options
    )


HTTP = _service(80, HttpGet(**_BRISK))
DIGEST = _service(81, HttpGet("/digest", digest=hashlib.md5(b"well\n").hexdigest(), **_BRISK))
STATUS = _service(82, HttpGet("/status", status=404, **_BRISK))
VIRTUALHOST = _service(83, HttpGet("/health", virtualhost="www.lvs.test", **_BRISK))
URLS = _service(84, HttpGet("/first", more=(Url("/second"), Url("/third")), **_BRISK))
FAST = _service(85, HttpGet(fast_recovery=True, **_BRISK))
UNHURRIED = _service(86, HttpGet())
TLS = _service(443, SslGet(**_BRISK))
TCP = _service(87, TcpCheck(**_BRISK))
PATIENT = _service(88, TcpCheck(retry=4, **_BRISK))
EAGER = _service(89, TcpCheck(retry=0, **_BRISK))
INHIBITED = _service(90, TcpCheck(**_BRISK), inhibit_on_failure=True)
BOTH = _service(91, TcpCheck(**_BRISK), HttpGet("/both", **_BRISK))
_TRICKLE = "/trickle/page"
SLOWLY = _service(97, HttpGet(_TRICKLE, **_BRISK))
SLOWLY_BY_TLS = _service(443, SslGet(_TRICKLE, **{**_BRISK, "connect_timeout": 0.7}))
"""What trickles comes every 0.2 s, so nothing of it comes just when the time is up."""
WEB = (HTTP, DIGEST, STATUS, VIRTUALHOST, URLS, FAST, TLS)
CONNECTIONS = (TCP, PATIENT, EAGER, INHIBITED, BOTH)

SMTP = _service(25, SmtpCheck(helo="director", **_BRISK))
DNS = _service(53, DnsCheck("server.lvs.test", "TXT", retry=1, **_BRISK), protocol="UDP")
UDP = _service(53, UdpCheck(**{**_BRISK, "delay_before_retry": 1.6}), vip=UDP_VIP, protocol="UDP")
"""Where nobody answers, a check lasts all of its ``connect_timeout``: tried again, it takes longer
than that and the pause before it.
"""
REPLY = _service(53, UdpCheck(QUESTION, True, ANSWER, **_BRISK), vip=REPLY_VIP, protocol="UDP")
PING = _service(92, PingCheck(**_BRISK))
DRAIN = TrackedFile(name="drain", path="/run/drain", weight=0)
SHARE = TrackedFile(name="share", path="/run/share")
MISC = _service(93, MiscCheck(CHECK, timeout=1, retry=1, delay_before_retry=0.8, warmup=0))
DYNAMIC = _service(94, MiscCheck(CHECK, dynamic=True, warmup=0))
FILE = _service(95, FileCheck(DRAIN))
WEIGHED = _service(96, FileCheck(SHARE))
LOCAL = (MISC, DYNAMIC, FILE, WEIGHED)

ALPHA = _service(80, TcpCheck(connect_timeout=0.8, warmup=0), alpha=True)
LEISURELY = _service(81, TcpCheck(connect_timeout=0.8, warmup=3), alpha=True)
ALPHA_URLS = _service(
    84, HttpGet("/first", more=(Url("/second"), Url("/third")), **_BRISK), alpha=True
)
STARTING = (ALPHA, LEISURELY, ALPHA_URLS)

MIXED = (SMTP, DNS, UDP, REPLY, PING)

GROUPS: Mapping[str, tuple[VirtualService, ...]] = MappingProxyType(
    {
        "web": WEB,
        "connections": CONNECTIONS,
        "mixed": MIXED,
        "local": (MISC, FILE, WEIGHED),
        "starting": STARTING,
    }
)
"""What a search tries one after the other. DYNAMIC is left out: every reload takes its weights away
(scenarios/regressions/test_dynamic_weight_after_a_reload.py).
"""


def _changed(service: VirtualService, changes: dict[str, Any]) -> VirtualService:
    """A service with the changes that it and its checks have fields for."""
    checks = tuple(
        check if isinstance(check, FileCheck) else replace(check, **_known(check, changes))
        for check in service.checks
    )
    return replace(service, **{**_known(service, changes), "check": checks})


def _known(of: VirtualService | Check, changes: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(of)} - (
        {"delay_loop"} if isinstance(of, Check) else set()
    )
    return {name: value for name, value in changes.items() if name in names and value is not None}


def _hourly(service: VirtualService) -> tuple[str, str]:
    """The edit after which keepalived checks a service once an hour, which the harness is not
    told.
    """
    head = f"virtual_server {service.vip} {service.port} {{\n    delay_loop "
    return f"{head}{service.delay_loop:g}\n", f"{head}3600\n"


class HealthChecks(Topo):
    """The director at .11, real servers at .21 and .22, the client at .100."""

    VARIED: Mapping[str, tuple[object, ...]] = MappingProxyType({"services": tuple(GROUPS)})
    """What a search tries in turn."""
    NEEDS: Mapping[tuple[str, object], tuple[str, str]] = MappingProxyType(
        {("services", "mixed"): PAYLOAD}
    )
    """What some of that takes, and since which version keepalived has it."""

    def build(
        self,
        services: tuple[VirtualService, ...] | str = WEB,
        hourly: bool = False,
        **changed: Any,
    ) -> None:
        """The ``services`` may be one of GROUPS. Fields of them, and of their checks, may be
        ``changed``, wherever there are such. Checks that are made ``hourly`` are for controls:
        whenever a fault strikes, none comes by chance in the window of its removal.
        """
        named = GROUPS[services] if isinstance(services, str) else services
        services = tuple(_changed(service, changed) for service in named)
        lan = self.addSwitch(
            "lan", subnet="172.16.10.0/24", dpid="1"
        )  # a dpid is for stock Mininet
        vips = tuple(dict.fromkeys(service.vip for service in services))
        vrrp = VrrpInstance(vrid=51, vip=vips, priority=255)
        edits = tuple(_hourly(service) for service in services if hourly)
        director = self.addHost(
            "director1",
            cls=Director,
            ip="172.16.10.11/24",
            vrrp=vrrp,
            services=services,
            edits=edits,
        )
        self.addLink(lan, director)
        pages = {
            "/digest": "well\n",
            "/first": "1\n",
            "/second": "2\n",
            "/third": "3\n",
            "/both": "both\n",
        }
        pages |= {"www.lvs.test/health": "well\n", _TRICKLE: "well\n"}
        for number in (1, 2):
            server = self.addHost(
                f"web{number}",
                cls=RealServer,
                ip=f"172.16.10.{20 + number}/24",
                serves=services,
                sysctl={
                    "net.ipv4.icmp_ratelimit": 0
                },  # "port unreachable" as often as it is checked
                pages=pages,
            )
            self.addLink(lan, server)
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


topos = {"health_checks": HealthChecks}
