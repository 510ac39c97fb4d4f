"""Two directors, three real servers and a sorry server, with whatever a configuration may say: what
a search varies.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
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
    Notify,
    PingCheck,
    RealServer,
    SmtpCheck,
    SslGet,
    SyncGroup,
    TcpCheck,
    TrackedFile,
    TrackedInterface,
    UdpCheck,
    Url,
    VirtualService,
    VrrpInstance,
    VrrpScript,
)
from harness.topology.checks import Check
from harness.topology.notification import REPORT
from harness.topology.tracking import CHECK
from harness.topology.vrrp import OWNER_PRIORITY
from topologies.health_checks import ANSWER, PAYLOAD, QUESTION

NET, NET6, UPLINK = "172.16.10", "fd00:10:", "172.16.11"
ADDRESS = {4: NET + ".{}", 6: NET6 + ":{}"}
"""What a host's address is in either family, given its last part."""

DNS_PORT = 53

FILE = TrackedFile(name="claims", path="/run/claims")

DRAIN = TrackedFile(name="drain", path="/run/drain", weight=0)
"""What speaks for real servers where the check is ``file``."""

_BRISK: dict[str, Any] = {"connect_timeout": 1, "delay_before_retry": 1, "warmup": 0}
_DIGEST = hashlib.md5(b"well\n").hexdigest()
_SLOW = "/trickle/page"
_CHECKS: dict[str, tuple[Check, ...]] = {
    "http": (HttpGet("/", **_BRISK),),
    "digest": (HttpGet("/digest", digest=_DIGEST, **_BRISK),),
    "urls": (HttpGet("/first", more=(Url("/digest", digest=_DIGEST),), **_BRISK),),
    "slow": (HttpGet(_SLOW, **_BRISK),),
    "tls": (SslGet("/", **_BRISK),),
    "slow_tls": (SslGet(_SLOW, **_BRISK),),
    "smtp": (SmtpCheck(helo="director", **_BRISK),),
    "dns": (DnsCheck("server.lvs.test", "TXT", **{**_BRISK, "retry": 1}),),
    "udp": (UdpCheck(**_BRISK),),
    "reply": (UdpCheck(QUESTION, True, ANSWER, **_BRISK),),
    "tcp": (TcpCheck(**_BRISK),),
    "both": (TcpCheck(**_BRISK), HttpGet("/", **_BRISK)),
    "misc": (MiscCheck(CHECK, timeout=1, retry=1, delay_before_retry=1, warmup=0),),
    "dynamic": (MiscCheck(CHECK, timeout=1, dynamic=True, warmup=0),),
    "file": (FileCheck(file=DRAIN),),
    "ping": (PingCheck(**_BRISK),),
    "none": (),
}


_PORTS = {"tls": 443, "slow_tls": 443, "smtp": 25, "dns": 53, "udp": 53, "reply": 53}
"""Where a check asks, if not at port 80."""
_PAGES = {"/digest": "well\n", "/first": "1\n", _SLOW: "well\n"}


class Searched(Topo):
    """Directors at .11 and .12, real servers from .21 on, the sorry server at .30, the client at
    .100.
    """

    VARIED: Mapping[str, tuple[object, ...]] = MappingProxyType(
        {
            "priorities": ((100, 90), (200, 100), (100, 100), (254, 1), (255, 100)),
            "advert_int": (1, 2, 0.5),
            "version": (2, 3),
            "preempt": ("yes", "no", "later"),
            "unicast": (False, True),
            "instances": (1, 2),
            "sync_group": (False, True),
            "script_weight": (None, -20, 0, 20),
            "script": (CHECK, CHECK, CHECK, f"/bin/sh {CHECK}"),
            "patience": (1, 2),
            "check": tuple(_CHECKS),
            "quorum": (1, 2),
            "hysteresis": (0, 1),
            "sorry": (False, True),
            "weights": (1, (0, 1, 2)),
            "alpha": (False, True),
            "inhibit": (False, True),
            "group": (False, True),
            "garp_master_delay": (5, 1, 0),
            "servers": (3, 1),
            "notify_fifo": (False, True),
            "notify_scripts": (False, True),
            "family": (4, 6),
            "excluded": (False, True),
            "routes": (False, True),
            "file_weight": (None, 1, 0),
            "vmac": (False, True),
            "scheduler": ("rr", "wrr", "wlc"),
            "persistence": (None, 3),
            "garp_master_refresh": (0, 2),
            "notify_priority": (False, True),
            "startup_delay": (0, 0, 4),
            "lower_prio_delay": (None, 0, 2),
            "sync_daemon": (False, True),
            "retry": (None, 0, 2),
            "quorum_scripts": (False, True),
            "link_weight": (None, -30),
            "flush": (False, True),
        }
    )
    """What each parameter may be; the first ones are the defaults."""
    NEEDS: Mapping[tuple[str, object], tuple[str, str]] = MappingProxyType(
        {("check", "reply"): PAYLOAD, ("flush", True): ("lvs_flush_on_stop", "2.2")}
    )
    """What some of that takes, and since which version keepalived has it."""

    def build(
        self,
        priorities: tuple[int, int] = (100, 90),
        advert_int: float = 1,
        version: int = 2,
        preempt: str = "yes",
        unicast: bool = False,
        instances: int = 1,
        sync_group: bool = False,
        script_weight: int | None = None,
        script: str = CHECK,
        patience: int = 1,
        check: str = "http",
        quorum: int = 1,
        hysteresis: int = 0,
        sorry: bool = False,
        weights: int | tuple[int, ...] = 1,
        alpha: bool = False,
        inhibit: bool = False,
        group: bool = False,
        garp_master_delay: int = 5,
        servers: int = 3,
        notify_fifo: bool = False,
        notify_scripts: bool = False,
        family: int = 4,
        excluded: bool = False,
        routes: bool = False,
        file_weight: int | None = None,
        vmac: bool = False,
        scheduler: str = "rr",
        persistence: int | None = None,
        garp_master_refresh: int = 0,
        notify_priority: bool = False,
        startup_delay: int = 0,
        lower_prio_delay: int | None = None,
        sync_daemon: bool = False,
        retry: int | None = None,
        quorum_scripts: bool = False,
        link_weight: int | None = None,
        flush: bool = False,
    ) -> None:
        """Both directors are configured alike but for ``priorities``, and their peers in unicast.

        - ``priorities``: 255 is the address owner's, whose state is MASTER.
        - ``preempt``: ``later`` is after two seconds.
        - ``unicast``: of IPv6 it is sent from the address that the peer knows. keepalived hears
          only what is sent to the one that it speaks from (``vrrp.c``,
          ``open_vrrp_read_socket``), which by default is link-local.
        - ``script_weight``, ``file_weight``, ``link_weight``: each director tracks a script, a file
          or the interface eth1, with this weight; None for none.
        - ``patience``: how often the script has to fail or to succeed before that counts.
        - ``retry``: of all checks but a file's; None for their own.
        - ``group``: the service has a second address, which is a VIP of the first instance.
        - ``family``: 4 or 6, of all VIPs but the ``excluded`` one, which is of the other family.
        - ``routes``: a master has routes, one of which goes with the VIP, and a rule.
        - ``vmac``: the VIPs have a hardware address of their own.
        - ``flush``: a keepalived that ends empties the table of IPVS.

        What contradicts something else or means nothing is left out:

        - An owner preempts, for keepalived ignores its ``nopreempt``.
        - The quorum is at most the number of real servers, and the hysteresis less than the quorum.
        - A single real server has weight 1.
        - VRRP of IPv6 is of version 3, and version 2 counts whole seconds.
        - There is no excluded VIP with ``vmac``, whose hardware address is of the VIPs' family.
        - The SMTP check of an IPv6 service is a TCP check, for no mail server here has IPv6.
        - ``link_weight`` is not of eth0, since keepalived ignores a ``track_interface`` of the
          instance's own interface (``vrrp.c``, ``vrrp_complete_instance``).
        """
        lan = self.addSwitch("lan", subnet=f"{NET}.0/24", subnet6=f"{NET6}:/64", dpid="1")
        if link_weight is not None:
            uplink = self.addSwitch("uplink", subnet=f"{UPLINK}.0/24", dpid="2")
        vips = tuple(ADDRESS[family].format(host) for host in (50, 51, 52))
        web = _service(
            vips,
            check,
            servers,
            group,
            quorum=quorum,
            hysteresis=hysteresis,
            retry=retry,
            quorum_scripts=quorum_scripts,
            weight=weights,
            alpha=alpha,
            scheduler=scheduler,
            persistence_timeout=persistence,
            inhibit_on_failure=inhibit,
        )
        options = _options(
            3 if family == 6 else version,
            advert_int,
            preempt,
            notify_scripts,
            garp_master_delay=garp_master_delay,
            garp_master_refresh=garp_master_refresh,
            garp_lower_prio_delay=lower_prio_delay,
            notify_priority_changes=notify_priority,
            **_tracked(script, script_weight, patience, file_weight, link_weight),
        )
        for number, priority in enumerate(priorities, start=1):
            claim = options | _claim(number, priority, preempt, unicast, family)
            first = VrrpInstance(
                vrid=51,
                vip=(vips[0], vips[2]) if group else vips[0],
                excluded_vips=(ADDRESS[10 - family].format(53),) if excluded and not vmac else (),
                virtual_routes=_routes(vips[0]) if routes else (),
                virtual_rules=(f"from {NET}.99 lookup 100 priority 1000",) if routes else (),
                vmac="vrrp.51" if vmac else None,
                **claim,
            )
            own = [first]
            if instances > 1:
                device = "vrrp.52" if vmac else None
                own.append(VrrpInstance(name="VI_2", vrid=52, vip=vips[1], vmac=device, **claim))
            members = tuple(instance.name for instance in own)
            together = (SyncGroup(name="G", members=members),) if sync_group else ()
            director = self.addHost(
                f"director{number}",
                cls=Director,
                ip=f"{NET}.{10 + number}/24",
                vrrp=tuple(own),
                services=[web],
                sync_groups=together,
                notify_fifo=notify_fifo,
                startup_delay=startup_delay,
                sync_daemon=sync_daemon,
                flush_on_stop=flush,
            )
            self.addLink(lan, director)
            if link_weight is not None:
                self.addLink(uplink, director, params2={"ip": f"{UPLINK}.{10 + number}/24"})
        for number in range(1, servers + 1):
            server = self.addHost(
                f"web{number}",
                cls=RealServer,
                ip=f"{NET}.{20 + number}/24",
                serves=[web],
                pages=_PAGES,
                # "port unreachable" as often as it is checked
                sysctl={"net.ipv4.icmp_ratelimit": 0, "net.ipv6.icmp.ratelimit": 0},
            )
            self.addLink(lan, server)
        if sorry:
            self.addLink(
                lan, self.addHost("sorry", cls=RealServer, ip=f"{NET}.30/24", sorry_for=[web])
            )
        self.addLink(lan, self.addHost("client", cls=Client, ip=f"{NET}.100/24"))


def _service(
    vips: Sequence[str],
    check: str,
    servers: int,
    group: bool,
    *,
    quorum: int,
    hysteresis: int,
    retry: int | None,
    quorum_scripts: bool,
    weight: int | tuple[int, ...],
    **options: Any,
) -> VirtualService:
    """The virtual service of the first VIP, and of the third where it has a ``group`` of them."""
    check = "tcp" if check == "smtp" and ":" in vips[0] else check
    port = _PORTS.get(check, 80)
    quorum = min(quorum, servers)
    return VirtualService(
        vips[0],
        port,
        protocol="UDP" if port == DNS_PORT else "TCP",
        check=_tried_again(_CHECKS[check], retry),
        delay_loop=2,
        quorum=quorum,
        hysteresis=min(hysteresis, quorum - 1),
        quorum_up=f"{REPORT} up" if quorum_scripts else None,
        quorum_down=f"{REPORT} down" if quorum_scripts else None,
        weight=weight if servers > 1 else 1,
        group=((vips[2], port),) if group else (),
        **options,
    )


def _tried_again(checks: tuple[Check, ...], retry: int | None) -> tuple[Check, ...]:
    """The same, each tried again so often before it counts as failed."""
    return tuple(
        each if retry is None or isinstance(each, FileCheck) else replace(each, retry=retry)
        for each in checks
    )


def _options(
    version: int, advert_int: float, preempt: str, notify_scripts: bool, **options: Any
) -> dict[str, Any]:
    """What all instances of both directors have."""
    return {
        "version": version,
        "advert_int": advert_int if version == 3 else max(1, advert_int),
        "preempt_delay": 2 if preempt == "later" else 0,
        "notify": Notify.reported() if notify_scripts else Notify(),
        **options,
    }


def _tracked(
    script: str,
    script_weight: int | None,
    patience: int,
    file_weight: int | None,
    link_weight: int | None,
) -> dict[str, Any]:
    """What instances track: a script, a file and an interface, each where it has a weight."""
    found: dict[str, Any] = {}
    if script_weight is not None:
        chk = VrrpScript(name="chk", script=script, weight=script_weight)
        found["track_scripts"] = (replace(chk, fall=patience, rise=patience),)
    if file_weight is not None:
        found["track_files"] = (replace(FILE, weight=file_weight),)
    if link_weight is not None:
        found["track_interfaces"] = (TrackedInterface(name="eth1", weight=link_weight),)
    return found


def _claim(number: int, priority: int, preempt: str, unicast: bool, family: int) -> dict[str, Any]:
    """What sets the instances of a director, ``number`` 1 or 2, apart from the other's."""
    peers = (ADDRESS[family].format(13 - number),) if unicast else ()
    return {
        "priority": priority,
        "state": "MASTER" if priority == OWNER_PRIORITY else "BACKUP",
        "nopreempt": preempt == "no" and priority != OWNER_PRIORITY,
        "unicast_peers": peers,
        "source": ADDRESS[6].format(10 + number) if peers and family == 6 else None,
    }


def _routes(vip: str) -> tuple[str, ...]:
    """Where a master sends more: by a real server, and, of IPv4, with the VIP as its source."""
    by = f"via {NET}.21 dev eth0"
    routes = (f"10.9.0.0/24 {by}",)
    return routes if ":" in vip else (*routes, f"10.9.1.0/24 {by} src {vip}")


topos = {"searched": Searched}
