"""Two directors, three real servers and a sorry server, with whatever a configuration may say: what
a search varies.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from mininet.topo import Topo

from harness.topology import (
    Client,
    Director,
    HttpGet,
    MiscCheck,
    RealServer,
    SyncGroup,
    TcpCheck,
    TrackedFile,
    VirtualService,
    VrrpInstance,
    VrrpScript,
)
from harness.topology.checks import Check
from harness.topology.tracking import CHECK
from harness.topology.vrrp import OWNER_PRIORITY

NET, NET6 = "172.16.10", "fd00:10:"
ADDRESS = {4: NET + ".{}", 6: NET6 + ":{}"}
"""What a host's address is in either family, given its last part."""

FILE = TrackedFile(name="claims", path="/run/claims")

_BRISK: dict[str, Any] = {"connect_timeout": 1, "delay_before_retry": 1, "warmup": 0}
_CHECKS: dict[str, tuple[Check, ...]] = {
    "http": (HttpGet("/", **_BRISK),),
    "tcp": (TcpCheck(**_BRISK),),
    "both": (TcpCheck(**_BRISK), HttpGet("/", **_BRISK)),
    "misc": (MiscCheck(CHECK, timeout=1, retry=1, delay_before_retry=1, warmup=0),),
    "none": (),
}


class Searched(Topo):
    """Directors at .11 and .12, real servers from .21 on, the sorry server at .30, the client at
    .100.
    """

    VARIED: Mapping[str, tuple[object, ...]] = MappingProxyType(
        {
            "priorities": ((100, 90), (200, 100), (100, 100), (254, 1), (255, 100)),
            "advert_int": (1, 2),
            "version": (2, 3),
            "preempt": ("yes", "no", "later"),
            "unicast": (False, True),
            "instances": (1, 2),
            "sync_group": (False, True),
            "script_weight": (None, -20, 0, 20),
            "script": (CHECK, f"/bin/sh {CHECK}"),
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
            "family": (4, 6),
            "excluded": (False, True),
            "routes": (False, True),
            "file_weight": (None, 1, 0),
        }
    )
    """What each parameter may be; the first ones are the defaults."""

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
        family: int = 4,
        excluded: bool = False,
        routes: bool = False,
        file_weight: int | None = None,
    ) -> None:
        """``preempt``: ``later`` after two seconds. A priority of 255 is the address owner's, whose
        state is MASTER. ``family``: 4 or 6, of all VIPs but the ``excluded`` one, which is of the
        other family. With ``routes`` a master has a route, too; with ``file_weight`` each director
        tracks a file. What contradicts is left out: an owner that does not preempt, a quorum of
        more servers than there are, a hysteresis of the quorum's size, a single real server of
        weight 0, VRRP version 2 and unicast of IPv6.
        """
        lan = self.addSwitch("lan", subnet=f"{NET}.0/24", subnet6=f"{NET6}:/64", dpid="1")
        quorum = min(quorum, servers)
        vips = tuple(ADDRESS[family].format(host) for host in (50, 51, 52))
        web = VirtualService(
            vips[0],
            80,
            check=_CHECKS[check],
            delay_loop=2,
            quorum=quorum,
            hysteresis=min(hysteresis, quorum - 1),
            weight=weights if servers > 1 else 1,
            alpha=alpha,
            inhibit_on_failure=inhibit,
            group=((vips[2], 80),) if group else (),
        )
        scripts = (
            ()
            if script_weight is None
            else (VrrpScript(name="chk", script=script, weight=script_weight),)
        )
        options: dict[str, Any] = {
            "advert_int": advert_int,
            "version": 3 if family == 6 else version,
            "track_scripts": scripts,
            "track_files": () if file_weight is None else (replace(FILE, weight=file_weight),),
            "preempt_delay": 2 if preempt == "later" else 0,
            "garp_master_delay": garp_master_delay,
        }
        for number, priority in enumerate(priorities, start=1):
            peers = (f"{NET}.{13 - number}",) if unicast and family == 4 else ()
            claim: dict[str, Any] = {
                "priority": priority,
                "state": "MASTER" if priority == OWNER_PRIORITY else "BACKUP",
                "nopreempt": preempt == "no" and priority != OWNER_PRIORITY,
                "unicast_peers": peers,
                **options,
            }
            first = VrrpInstance(
                vrid=51,
                vip=(vips[0], vips[2]) if group else vips[0],
                excluded_vips=(ADDRESS[10 - family].format(53),) if excluded else (),
                virtual_routes=(f"10.9.0.0/24 via {NET}.21 dev eth0",) if routes else (),
                **claim,
            )
            own = [first]
            if instances > 1:
                own.append(VrrpInstance(name="VI_2", vrid=52, vip=vips[1], **claim))
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
            )
            self.addLink(lan, director)
        for number in range(1, servers + 1):
            server = self.addHost(
                f"web{number}", cls=RealServer, ip=f"{NET}.{20 + number}/24", serves=[web]
            )
            self.addLink(lan, server)
        if sorry:
            self.addLink(
                lan, self.addHost("sorry", cls=RealServer, ip=f"{NET}.30/24", sorry_for=[web])
            )
        self.addLink(lan, self.addHost("client", cls=Client, ip=f"{NET}.100/24"))


topos = {"searched": Searched}
