"""Health checkers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.keepalived.config.blocks import block, seconds
from harness.topology.checks import (
    Check,
    DnsCheck,
    FileCheck,
    HttpGet,
    MiscCheck,
    NetworkCheck,
    SmtpCheck,
    SslGet,
    UdpCheck,
    Url,
)


def checker(check: Check) -> list[str]:
    """The block of one health checker."""
    return block(check.keyword, [*_own(check), *_common(check)])


def _own(check: Check) -> Iterable[str]:
    match check:
        case HttpGet():
            return _http_get(check)
        case SmtpCheck(helo=helo):
            return [f"helo_name {helo}"] if helo is not None else []
        case DnsCheck(name=name, type=kind):
            return [f"type {kind}", f"name {name}"]
        case UdpCheck():
            return _udp_check(check)
        case MiscCheck():
            return _misc_check(check)
        case FileCheck(file=file):
            return [f"track_file {file.name}"]
    return []


def _common(check: Check) -> Iterator[str]:
    if isinstance(check, NetworkCheck):
        if check.address is not None:
            yield f"connect_ip {check.address}"
        if check.bind is not None:
            yield f"bindto {check.bind}"
        if check.port is not None:
            yield f"connect_port {check.port}"
        if check.connect_timeout is not None:
            yield f"connect_timeout {seconds(check.connect_timeout)}"
    if check.retry is not None:
        yield f"retry {check.retry}"
    for field in ("delay_before_retry", "warmup", "delay_loop"):
        if (value := getattr(check, field)) is not None:
            yield f"{field} {seconds(value)}"


def _http_get(check: HttpGet) -> Iterator[str]:
    for url in check.urls:
        yield from block("url", _url(url))
    if isinstance(check, SslGet) and check.sni:
        yield "enable_sni"
    if check.fast_recovery:
        yield "fast_recovery"


def _url(url: Url) -> Iterator[str]:
    yield f"path {url.path}"
    if url.virtualhost is not None:
        yield f"virtualhost {url.virtualhost}"
    yield f"status_code {' '.join(url.statuses)}"
    if url.digest is not None:
        yield f"digest {url.digest}"


def _udp_check(check: UdpCheck) -> Iterator[str]:
    if check.payload is not None:
        yield f"payload {check.payload}"
    if check.require_reply:
        yield f"require_reply {check.reply or ''}".rstrip()


def _misc_check(check: MiscCheck) -> Iterator[str]:
    yield f'misc_path "{check.command}"'
    if check.timeout is not None:
        yield f"misc_timeout {check.timeout}"
    if check.dynamic:
        yield "misc_dynamic"
