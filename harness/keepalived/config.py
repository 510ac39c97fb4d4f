"""Typed objects to the text of a keepalived.conf (keepalived.conf(5)), good for keepalived 2.1.5 and newer.

Pure: nothing is read, started or written. The objects have checked their own fields, so no string can leave
its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.errors import HarnessError
from harness.topology import fields
from harness.topology.services import Destination, HttpGet, VirtualService
from harness.topology.vrrp import VrrpInstance, VrrpScript

DEFAULT_GARP_MASTER_DELAY = 5


@dataclass(frozen=True, kw_only=True)
class GlobalDefs:
    """The global definitions of one director; ``smtp_connect_timeout`` in seconds.

    ``smtp_server`` is an address, since keepalived would look a name up while it starts. ``smtp_alert``
    says whether mail is sent at all: without it keepalived would mail every change of a real server
    (``check_data.c``).
    """

    router_id: str
    notification_email: tuple[str, ...] = ("root@localhost",)
    notification_email_from: str = "keepalived@localhost"
    smtp_server: str = "127.0.0.1"
    smtp_connect_timeout: int = 30
    smtp_alert: bool = False

    def __post_init__(self) -> None:
        for recipient in self.notification_email:
            fields.word("GlobalDefs", "notification_email", recipient)
        fields.word("GlobalDefs", "notification_email_from", self.notification_email_from)
        fields.word("GlobalDefs", "router_id", self.router_id)
        fields.address("GlobalDefs", "smtp_server", self.smtp_server)
        fields.whole("GlobalDefs", "smtp_connect_timeout", self.smtp_connect_timeout, 1, 3600)


def render(
    global_defs: GlobalDefs,
    instances: Sequence[VrrpInstance],
    services: Sequence[tuple[VirtualService, Sequence[Destination]]],
) -> str:
    """The keepalived.conf: global definitions, the scripts that ``instances`` track, ``instances``,
    ``services``.

    Raises HarnessError where keepalived would drop one of two things that bear the same name.
    """
    _refuse_twins("VRRP instance", [instance.name for instance in instances])
    _refuse_twins("VRID", [f"{instance.vrid} on {instance.interface}" for instance in instances])
    _refuse_twins("virtual service", [f"{service.vip}:{service.port} {service.protocol}" for service, _ in services])
    blocks = [
        _global_defs(global_defs),
        *map(_vrrp_script, _tracked(instances)),
        *map(_vrrp_instance, instances),
        *(_virtual_server(service, destinations) for service, destinations in services),
    ]
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks)


def _tracked(instances: Iterable[VrrpInstance]) -> list[VrrpScript]:
    scripts = list(dict.fromkeys(script for instance in instances for script in instance.track_scripts))
    _refuse_twins("VRRP script", [script.name for script in scripts])
    return scripts


def _refuse_twins(kind: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise HarnessError(f"{kind} {name} is defined twice on one director: give each its own")


def _block(head: str, body: Iterable[str]) -> list[str]:
    return [f"{head} {{", *(f"    {line}" for line in body), "}"]


def _seconds(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _global_defs(defs: GlobalDefs) -> list[str]:
    body = _block("notification_email", defs.notification_email) if defs.notification_email else []
    body += [
        f"notification_email_from {defs.notification_email_from}",
        f"smtp_server {defs.smtp_server}",
        f"smtp_connect_timeout {defs.smtp_connect_timeout}",
        f"smtp_alert {'on' if defs.smtp_alert else 'off'}",
        f"router_id {defs.router_id}",
        "script_user root",
        "enable_script_security",
    ]
    return _block("global_defs", body)


def _vrrp_script(script: VrrpScript) -> list[str]:
    body = [f'script "{script.script}"', f"interval {script.interval:d}"]
    if script.timeout is not None:
        body.append(f"timeout {script.timeout:d}")
    body += [f"weight {script.weight:d}", f"fall {script.fall:d}", f"rise {script.rise:d}"]
    return _block(f"vrrp_script {script.name}", body)


def _vrrp_instance(instance: VrrpInstance) -> list[str]:
    body = [
        f"state {instance.state}",
        f"interface {instance.interface}",
        f"virtual_router_id {instance.vrid}",
        f"priority {instance.priority}",
        f"advert_int {_seconds(instance.advert_int)}",
        f"version {instance.version}",
    ]
    if instance.nopreempt:
        body.append("nopreempt")
    if instance.preempt_delay:
        body.append(f"preempt_delay {_seconds(instance.preempt_delay)}")
    if instance.garp_master_delay != DEFAULT_GARP_MASTER_DELAY:
        body.append(f"garp_master_delay {instance.garp_master_delay}")
    if instance.auth_pass is not None and instance.version == 2:
        body += _block("authentication", ["auth_type PASS", f"auth_pass {instance.auth_pass}"])
    body += _block("virtual_ipaddress", [f"{vip}/32 dev {instance.interface}" for vip in instance.vips])
    if instance.track_scripts:
        body += _block("track_script", [script.name for script in instance.track_scripts])
    return _block(f"vrrp_instance {instance.name}", body)


def _virtual_server(service: VirtualService, destinations: Iterable[Destination]) -> list[str]:
    body = [
        f"delay_loop {_seconds(service.delay_loop)}",
        f"lb_algo {service.scheduler}",
        f"lb_kind {service.method}",
    ]
    if service.persistence_timeout is not None:
        body.append(f"persistence_timeout {service.persistence_timeout}")
    body.append(f"protocol {service.protocol}")
    for destination in destinations:
        checker = [] if service.check is None else _http_get(service.check)
        head = f"real_server {destination.address} {destination.port}"
        body += _block(head, [f"weight {destination.weight}", *checker])
    return _block(f"virtual_server {service.vip} {service.port}", body)


def _http_get(check: HttpGet) -> list[str]:
    body = _block("url", [f"path {check.path}", f"status_code {check.status}"])
    if check.port is not None:
        body.append(f"connect_port {check.port}")
    body += [
        f"connect_timeout {_seconds(check.connect_timeout)}",
        f"retry {check.retry}",
        f"delay_before_retry {_seconds(check.delay_before_retry)}",
        f"warmup {_seconds(check.warmup)}",
    ]
    if check.delay_loop is not None:
        body.append(f"delay_loop {_seconds(check.delay_loop)}")
    return _block("HTTP_GET", body)
