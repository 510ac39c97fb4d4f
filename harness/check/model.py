"""From what keepalived has read to the objects that topologies are made of, so that every window
can be computed.

The directors are given the user's own text; the objects say what is to be expected of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from harness.check import facts
from harness.topology import VirtualService, VrrpInstance, VrrpScript
from harness.topology.checks import (
    Check,
    DnsCheck,
    HttpGet,
    MiscCheck,
    NetworkCheck,
    PingCheck,
    SmtpCheck,
    SslGet,
    TcpCheck,
    UdpCheck,
    Url,
)
from harness.topology.fields import AsRead
from harness.topology.tracking import TrackedFile, TrackedInterface, TrackedProcess
from harness.topology.vrrp import SyncGroup

NO_VIP = "192.0.2.255"
"""Stands for the VIP of an instance that has none: of such a one only the state is looked at."""
SOME_COMMAND = "/usr/bin/true"
"""Stands for commands of the user's: the directors have the user's own text, and no window
depends on the words.
"""

_SIMPLE: dict[str, type[NetworkCheck]] = {
    "TCP_CHECK": TcpCheck,
    "SMTP_CHECK": SmtpCheck,
    "PING_CHECK": PingCheck,
    "UDP_CHECK": UdpCheck,
}


def instance(fact: facts.Instance, reading: facts.Reading) -> VrrpInstance:
    """A VRRP instance with what it tracks, of which ``reading`` knows more."""
    known = {script.name: script for script in reading.scripts}
    files = {file.name: file for file in reading.files}
    devices = {vip.address: vip.device for vip in (*fact.vips, *fact.excluded_vips)}
    if fact.vmac is not None:
        devices = {
            vip: fact.vmac if device == fact.interface else device
            for vip, device in devices.items()
        }
    return VrrpInstance(
        name=AsRead(fact.name),
        vrid=fact.vrid,
        vip=tuple(vip.address for vip in fact.vips or fact.excluded_vips) or NO_VIP,
        excluded_vips=tuple(vip.address for vip in fact.excluded_vips if fact.vips),
        elsewhere=tuple(
            (vip, device) for vip, device in devices.items() if device != fact.interface
        ),
        interface=fact.interface,
        version=fact.version,
        priority=fact.priority,
        advert_int=fact.advert_int,
        auth_pass=None,
        unicast_peers=fact.peers,
        nopreempt=not fact.preempt,
        preempt_delay=fact.preempt_delay if fact.preempt else 0.0,
        garp_master_delay=fact.garp_delay,
        track_scripts=tuple(
            _script(known[name], weight) for name, weight in fact.scripts if name in known
        ),
        track_files=tuple(
            TrackedFile(
                name=AsRead(name), path=files[name].path, weight=weight, value=files[name].value
            )
            for name, weight in fact.files
            if name in files
        ),
        track_processes=tuple(
            TrackedProcess(name=AsRead(name), process="bfd", weight=weight)
            for name, weight in fact.bfds
        ),
        track_interfaces=tuple(
            TrackedInterface(name=name, weight=weight) for name, weight in fact.interfaces
        ),
    )


UNSAID_TIMEOUT = 5.0
"""What keepalived waits for a connection where nothing is said (``check_api.c``); of the hosts of
an SMTP_CHECK 2.2.7 dumps 0 then.
"""


def is_judged(fact: facts.Instance) -> bool:
    """Whether an instance has an address whose owner can be told, be it one that is not
    advertised.
    """
    return bool(fact.vips or fact.excluded_vips)


def sync_groups(instances: Iterable[facts.Instance]) -> tuple[SyncGroup, ...]:
    """The sync groups that have two members or more."""
    groups: dict[str, list[str]] = {}
    for fact in instances:
        if fact.sync_group:
            groups.setdefault(fact.sync_group, []).append(AsRead(fact.name))
    return tuple(
        SyncGroup(name=AsRead(name), members=tuple(own))
        for name, own in groups.items()
        if len(own) > 1
    )


def _script(fact: facts.Script, weight: int) -> VrrpScript:
    return VrrpScript(
        name=AsRead(fact.name),
        script=SOME_COMMAND,
        interval=max(1, round(fact.interval)),
        timeout=max(1, round(fact.timeout)) if fact.timeout else None,
        weight=weight,
        fall=fact.fall,
        rise=fact.rise,
    )


def service(fact: facts.Service, machines: Sequence[str]) -> VirtualService:
    """A virtual service with a listener or more, with the checkers of its first real server (see
    :func:`checks`).

    ``machines`` are the addresses of all real servers, in the order of the topology.
    """
    weights = {server.address: server.weight for server in fact.real_servers}
    (vip, port), *others = fact.listeners
    ports = {server.port for server in fact.real_servers}
    own = next(iter(ports), 0) if fact.method == "NAT" and len(ports) == 1 else 0
    own_port = own if own and (own != port or others or fact.mark is not None) else None
    return VirtualService(
        vip,
        port=port,
        scheduler=fact.scheduler,
        method=fact.method,
        protocol=fact.protocol if fact.protocol in ("TCP", "UDP", "SCTP") else "TCP",
        delay_loop=fact.delay_loop,
        check=checks(fact.real_servers[0]) if fact.real_servers else (),
        weight=tuple(weights[address] for address in machines if address in weights) or 1,
        persistence_timeout=fact.persistence,
        inhibit_on_failure=fact.inhibit,
        quorum=fact.quorum,
        hysteresis=min(fact.hysteresis, fact.quorum - 1),
        real_port=own_port,
        group=tuple(others),
        fwmark=fact.mark,
    )


def checks(fact: facts.RealServer) -> tuple[Check, ...]:
    """The checkers that ask one real server, but for kinds that are not known here.

    What another machine is asked is answered there, and is no fault of the real server's.
    """
    return tuple(check for checker in fact.own_checkers if (check := _check(checker)) is not None)


def _check(fact: facts.Checker) -> Check | None:
    """None for a kind that is not known here."""
    pace: dict[str, Any] = {
        "retry": fact.retries,
        "delay_before_retry": fact.delay_before_retry,
        "warmup": fact.warmup,
        "delay_loop": fact.delay_loop,
    }
    timeout = fact.timeout or UNSAID_TIMEOUT
    network: dict[str, Any] = {**pace, "connect_timeout": timeout, "port": fact.port}
    if fact.kind in ("HTTP_GET", "SSL_GET") and fact.urls:
        first, *more = map(_url, fact.urls)
        cls = SslGet if fact.kind == "SSL_GET" else HttpGet
        return cls(
            path=first.path,
            status=first.status,
            digest=first.digest,
            virtualhost=first.virtualhost,
            more=tuple(more),
            **network,
        )
    if fact.kind == "DNS_CHECK":
        name, kind = AsRead(fact.details.get("Name", ".")), fact.details.get("Type", "SOA")
        return DnsCheck(name=name, type=kind, **network)
    if fact.kind == "MISC_CHECK":
        return MiscCheck(command=SOME_COMMAND, timeout=max(1, round(fact.timeout)) or None, **pace)
    cls_of = _SIMPLE.get(fact.kind)
    return cls_of(**network) if cls_of is not None else None


def _url(fact: facts.Url) -> Url:
    """The first of the statuses that are good (``200-299`` -> 200)."""
    status = int(fact.statuses[0].partition("-")[0]) if fact.statuses else 200
    host = None if fact.virtualhost is None else AsRead(fact.virtualhost)
    return Url(AsRead(fact.path), status, fact.digest, host)
