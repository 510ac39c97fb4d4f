"""What may be written of health checkers."""

from __future__ import annotations

import re

from harness.errors import HarnessError
from harness.topology import fields
from harness.topology.checks import (
    Check,
    DnsCheck,
    FileCheck,
    HttpGet,
    MiscCheck,
    NetworkCheck,
    OtherCheck,
    SmtpCheck,
    UdpCheck,
    Url,
)
from harness.topology.rules.dispatch import check

LONGEST_DELAY = 86400.0
DNS_TYPES = ("A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY")
_HEX = re.compile(r"[0-9A-Fa-f]{2}( ?[0-9A-Fa-f]{2})*")
_HEX_PATTERN = re.compile(r"[0-9A-Fa-fXx]{2}( ?[0-9A-Fa-fXx]{2})*")
_STATUS = re.compile(r"[1-5]\d\d(-[1-5]\d\d)?", re.ASCII)
_MD5 = re.compile(r"[0-9a-f]{32}")


def _owner_of_check(checker: Check) -> str:
    """What error messages call it, once what every checker has is checked."""
    owner = type(checker).__name__
    if checker.retry is not None:
        fields.whole(owner, "retry", checker.retry, 0, 1000)
    _time(owner, checker, "delay_before_retry", 0)
    _time(owner, checker, "warmup", 0)
    _time(owner, checker, "delay_loop", 0.001)
    return owner


def _time(owner: str, checker: Check, field: str, least: float) -> None:
    if (value := getattr(checker, field)) is not None:
        fields.number(owner, field, value, least, LONGEST_DELAY)


@check.register
def _network_check(checker: NetworkCheck) -> None:
    _owner_of_network_check(checker)


def _owner_of_network_check(checker: NetworkCheck) -> str:
    owner = _owner_of_check(checker)
    _time(owner, checker, "connect_timeout", 0.001)
    if checker.port is not None:
        fields.whole(owner, "port", checker.port, 1, 65535)
    for field in ("address", "bind"):
        if (value := getattr(checker, field)) is not None:
            fields.address(owner, field, value)
    return owner


@check.register
def _url(url: Url) -> None:
    owner = type(url).__name__
    fields.word(owner, "path", url.path)
    if isinstance(url.status, tuple):
        fields.number(owner, "number of statuses", len(url.status), 1, 100)
        for status in url.status:
            if not isinstance(status, str) or not _STATUS.fullmatch(status):
                raise HarnessError(
                    f"{owner}: each status must be a number or a range such as 200-299,"
                    f" not {status!r}"
                )
    else:
        fields.whole(owner, "status", url.status, 100, 599)
    if url.virtualhost is not None:
        fields.word(owner, "virtualhost", url.virtualhost)
    if url.digest is not None and not _MD5.fullmatch(url.digest):
        raise HarnessError(f"{owner}: digest must be an MD5 sum of 32 digits, not {url.digest!r}")


@check.register
def _http_get(checker: HttpGet) -> None:
    _owner_of_network_check(checker)
    _url(checker)
    for url in checker.more:
        check(url)


@check.register
def _other_check(checker: OtherCheck) -> None:
    raise HarnessError(f"{checker.kind}: nothing is written for it: use edits=, or config=")


@check.register
def _smtp_check(checker: SmtpCheck) -> None:
    owner = _owner_of_network_check(checker)
    if checker.helo is not None:
        fields.word(owner, "helo", checker.helo)


@check.register
def _dns_check(checker: DnsCheck) -> None:
    owner = _owner_of_network_check(checker)
    if checker.name != ".":
        fields.word(owner, "name", checker.name)
    fields.one_of(owner, "type", checker.type, DNS_TYPES)


@check.register
def _udp_check(checker: UdpCheck) -> None:
    owner = _owner_of_network_check(checker)
    for field, pattern in (("payload", _HEX), ("reply", _HEX_PATTERN)):
        value = getattr(checker, field)
        if value is not None and not pattern.fullmatch(value):
            raise HarnessError(
                f"{owner}: {field} must be pairs of hexadecimal digits, not {value!r}"
            )
    if checker.reply is not None and not checker.require_reply:
        raise HarnessError(f"{owner}: reply without require_reply is never looked at; set both")


@check.register
def _misc_check(checker: MiscCheck) -> None:
    owner = _owner_of_check(checker)
    fields.command(owner, "command", checker.command)
    if checker.timeout is not None:
        fields.whole(owner, "timeout", checker.timeout, 1, 3600)


@check.register
def _file_check(checker: FileCheck) -> None:
    owner = _owner_of_check(checker)
    pace = (checker.retry, checker.delay_before_retry, checker.warmup, checker.delay_loop)
    if pace != (None,) * 4:
        raise HarnessError(
            f"{owner}: it has neither delay_loop nor retry nor warmup: it is told of changes"
        )
    check(checker.file)
