"""Virtual services, their real servers and the checks of these."""

from __future__ import annotations

from collections.abc import Iterable

from harness.keepalived.config.blocks import block, seconds
from harness.topology.services import Destination, HttpGet, VirtualService


def virtual_server(service: VirtualService, destinations: Iterable[Destination]) -> list[str]:
    """The block ``virtual_server`` with its real servers."""
    body = [
        f"delay_loop {seconds(service.delay_loop)}",
        f"lb_algo {service.scheduler}",
        f"lb_kind {service.method}",
    ]
    if service.persistence_timeout is not None:
        body.append(f"persistence_timeout {service.persistence_timeout}")
    body.append(f"protocol {service.protocol}")
    for destination in destinations:
        checker = [] if service.check is None else _http_get(service.check)
        head = f"real_server {destination.address} {destination.port}"
        body += block(head, [f"weight {destination.weight}", *checker])
    return block(f"virtual_server {service.vip} {service.port}", body)


def _http_get(check: HttpGet) -> list[str]:
    body = block("url", [f"path {check.path}", f"status_code {check.status}"])
    if check.port is not None:
        body.append(f"connect_port {check.port}")
    body += [
        f"connect_timeout {seconds(check.connect_timeout)}",
        f"retry {check.retry}",
        f"delay_before_retry {seconds(check.delay_before_retry)}",
        f"warmup {seconds(check.warmup)}",
    ]
    if check.delay_loop is not None:
        body.append(f"delay_loop {seconds(check.delay_loop)}")
    return block("HTTP_GET", body)
