"""What of a configuration may be written as text. The classes of a configuration have no rules of
their own, since keepalived takes more from a file than what is written here.

Whoever writes text (:mod:`harness.keepalived.config`, :mod:`harness.frr.config`, ldirectord's
and ipvsadm's) has everything checked first, so that no string can leave its place. A role checks
what it is given as well, so that a mistake is told before anything is started.
"""

from __future__ import annotations

import re
from dataclasses import fields as fields_of
from functools import singledispatch
from ipaddress import ip_address

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
from harness.topology.notification import Notify
from harness.topology.services import (
    METHODS,
    PROTOCOLS,
    SCHEDULER_FLAGS,
    SCHEDULERS,
    Destination,
    VirtualService,
    endpoint,
)
from harness.topology.tracking import Tracked, TrackedFile, TrackedProcess, VrrpScript
from harness.topology.vrrp import AUTH_PASS, OWNER_PRIORITY, STATES, SyncGroup, VrrpInstance

LONGEST_DELAY = 86400.0
DNS_TYPES = ("A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY")
VERSIONS = ("2", "3")
_HEX = re.compile(r"[0-9A-Fa-f]{2}( ?[0-9A-Fa-f]{2})*")
_HEX_PATTERN = re.compile(r"[0-9A-Fa-fXx]{2}( ?[0-9A-Fa-fXx]{2})*")
_STATUS = re.compile(r"[1-5]\d\d(-[1-5]\d\d)?", re.ASCII)
_MD5 = re.compile(r"[0-9a-f]{32}")


@singledispatch
def check(part: object) -> None:
    """Raises HarnessError, naming the part and the field, for what may not be written as text.

    What a part has below it is checked as well: an instance's scripts, a service's checkers.
    """
    raise TypeError(f"{type(part).__name__} is no part of a configuration")


# -- VRRP ------------------------------------------------------------------------------------------


@check.register
def _instance(instance: VrrpInstance) -> None:
    fields.word("VrrpInstance", "name", instance.name)
    owner = f"VrrpInstance {instance.name}"
    fields.whole(owner, "vrid", instance.vrid, 1, 255)
    fields.whole(owner, "priority", instance.priority, 1, OWNER_PRIORITY)
    fields.word(owner, "interface", instance.interface)
    fields.one_of(owner, "state", instance.state, STATES)
    fields.one_of(owner, "version", str(instance.version), VERSIONS)
    _advert_int(owner, instance)
    fields.number(owner, "preempt_delay", instance.preempt_delay, 0, 1000)
    _garp(owner, instance)
    _password(owner, instance)
    _not_written(owner, instance)
    if instance.nopreempt:  # with either of these keepalived only warns, and goes its own way
        fields.one_of(owner, "state with nopreempt", instance.state, ("BACKUP",))
        fields.number(owner, "preempt_delay with nopreempt", instance.preempt_delay, 0, 0)
    addresses(instance)
    _families(owner, instance)
    for route in instance.virtual_routes:
        fields.words(owner, "virtual_routes", route)
        fields.network(owner, "virtual_routes", route.partition(" ")[0])
    for rule in instance.virtual_rules:
        fields.words(owner, "virtual_rules", rule)
    for tracked in (*instance.tracked, *instance.track_files):
        check(tracked)
    check(instance.notify)


def _advert_int(owner: str, instance: VrrpInstance) -> None:
    advert_int = instance.advert_int
    if instance.version == 2:
        fields.whole(owner, "advert_int (version 2)", advert_int, 1, 255)
    else:
        fields.number(owner, "advert_int (version 3)", advert_int, 0.01, 40.95)
        hundredths = round(advert_int * 100, 6)
        fields.whole(owner, "advert_int in hundredths", hundredths, 1, 4095)


def _garp(owner: str, instance: VrrpInstance) -> None:
    names = (
        "garp_master_delay",
        "garp_master_refresh",
        "garp_lower_prio_delay",
        "garp_master_repeat",
        "garp_master_refresh_repeat",
        "garp_lower_prio_repeat",
    )
    for field in names:
        if (value := getattr(instance, field)) is not None:
            fields.whole(owner, field, value, 0, 4294)


def _not_written(owner: str, instance: VrrpInstance) -> None:
    """What is only read from files."""
    known = {"track_bfds": (), "vmac": None, "authentication": None, "accepts": True}
    for field, unsaid in known.items():
        if getattr(instance, field) != unsaid:
            raise HarnessError(f"{owner}: nothing is written for {field}=: use edits=, or config=")


def _password(owner: str, instance: VrrpInstance) -> None:
    if instance.auth_pass is None or (instance.version == 3 and instance.auth_pass == AUTH_PASS):
        return  # nobody asked for the default one, so version 3 merely has none
    fields.one_of(f"{owner}, with an auth_pass", "version", str(instance.version), ("2",))
    fields.word(owner, "auth_pass", instance.auth_pass)
    fields.number(owner, "length of auth_pass", len(instance.auth_pass), 1, 8)


def addresses(instance: VrrpInstance) -> None:
    """Raises HarnessError unless an instance has VIPs, and all its addresses are such."""
    owner = f"VrrpInstance {instance.name}"
    fields.number(owner, "number of VIPs", len(instance.vips), 1, 255)
    named = {
        "vip": instance.vips,
        "excluded_vips": instance.excluded_vips,
        "unicast_peers": instance.unicast_peers,
        "elsewhere": [vip for vip, _ in instance.elsewhere],
        "prefixes": [vip for vip, _ in instance.prefixes],
        "source": [] if instance.source is None else [instance.source],
    }
    for field, texts in named.items():
        for text in texts:
            fields.address(owner, field, text)


def _families(owner: str, instance: VrrpInstance) -> None:
    if instance.vip_prefix is not None:
        longest = ip_address(instance.vips[0]).max_prefixlen
        fields.whole(owner, "vip_prefix", instance.vip_prefix, 1, longest)
    for vip, prefix in instance.prefixes:
        fields.whole(owner, f"prefix of {vip}", prefix, 1, ip_address(vip).max_prefixlen)
    for _, device in instance.elsewhere:
        fields.word(owner, "elsewhere", device)
    families = {ip_address(each).version for each in (*instance.vips, *instance.unicast_peers)}
    if len(families) > 1:
        raise HarnessError(
            f"{owner}: its VIPs and peers are of both families; give the other family an"
            " instance of its own, or make its VIPs excluded_vips"
        )
    if instance.family == 6 and instance.version == 2:
        raise HarnessError(
            f"{owner}: there is no VRRP version 2 for IPv6 (RFC 5798); give it version=3"
        )


@check.register
def _sync_group(group: SyncGroup) -> None:
    fields.word("SyncGroup", "name", group.name)
    owner = f"SyncGroup {group.name}"
    fields.number(owner, "number of members", len(group.members), 2, 255)
    for member in group.members:
        fields.word(owner, "members", member)
    if group.notify.lower_priority is not None:
        raise HarnessError(f"{owner}: notify.lower_priority is an instance's; a group has none")
    check(group.notify)


@check.register
def _notify(notify: Notify) -> None:
    for field in fields_of(notify):
        if (command := getattr(notify, field.name)) is not None:
            fields.command("Notify", field.name, command)


# -- what is tracked -------------------------------------------------------------------------------


@check.register
def _tracked(tracked: Tracked) -> None:
    _owner_of_tracked(tracked)


def _owner_of_tracked(tracked: Tracked) -> str:
    """What error messages call it, once what everything tracked has is checked."""
    kind = type(tracked).__name__
    fields.word(kind, "name", tracked.name)
    owner = f"{kind} {tracked.name}"
    fields.whole(owner, "weight", tracked.weight, -253, 253)
    return owner


@check.register
def _script(script: VrrpScript) -> None:
    owner = _owner_of_tracked(script)
    fields.command(owner, "script", script.script)
    fields.whole(owner, "interval", script.interval, 1, 4294)
    fields.whole(owner, "fall", script.fall, 1, 2**31 - 1)
    fields.whole(owner, "rise", script.rise, 1, 2**31 - 1)
    if script.timeout is not None:
        fields.whole(owner, "timeout", script.timeout, 1, 4294)


@check.register
def _process(process: TrackedProcess) -> None:
    owner = _owner_of_tracked(process)
    fields.word(owner, "process", process.process)
    fields.whole(owner, "quorum", process.quorum, 1, 65535)
    fields.number(owner, "delay", process.delay, 0, 3600)


@check.register
def _file(file: TrackedFile) -> None:
    fields.word("TrackedFile", "name", file.name)
    owner = f"TrackedFile {file.name}"
    fields.word(owner, "path", file.path)
    fields.whole(owner, "weight", file.weight, -254, 254)
    fields.whole(owner, "value", file.value, -(2**31) + 1, 2**31 - 1)


# -- services --------------------------------------------------------------------------------------


@check.register
def _service(service: VirtualService) -> None:
    endpoints(service)
    owner = _name(service)
    fields.one_of(owner, "scheduler", service.scheduler, SCHEDULERS)
    fields.one_of(owner, "method", service.method, METHODS)
    fields.one_of(owner, "protocol", service.protocol, PROTOCOLS)
    known = SCHEDULER_FLAGS.get(service.scheduler, ())
    if service.flags and not known:
        raise HarnessError(
            f"{owner}: the scheduler {service.scheduler} has no flags: leave flags= out"
        )
    for flag in service.flags:
        fields.one_of(f"{owner}, with scheduler {service.scheduler}", "flags", flag, known)
    if service.ops:
        fields.one_of(f"{owner}, with ops", "protocol", service.protocol, ("UDP",))
    fields.number(owner, "delay_loop", service.delay_loop, 0.001, LONGEST_DELAY)
    for weight in service.weight if isinstance(service.weight, tuple) else (service.weight,):
        fields.whole(owner, "weight", weight, 0, 65535)
    _persistence(owner, service)
    _quorum(owner, service)
    if service.real_port is not None:
        fields.one_of(f"{owner}, with a real_port of its own", "method", service.method, ("NAT",))
    if service.fwmark is not None:
        fields.whole(owner, "fwmark", service.fwmark, 1, 2**32 - 1)
    _not_written_of(owner, service)
    for each in service.checks:
        check(each)


def endpoints(service: VirtualService) -> None:
    """Raises HarnessError unless a service's addresses and ports are such."""
    fields.address("VirtualService", "vip", service.vip)
    owner = _name(service)
    fields.whole(owner, "port", service.port, 1, 65535)
    if service.real_port is not None:
        fields.whole(owner, "real_port", service.real_port, 1, 65535)
    for address, port in service.group:
        fields.address(owner, "an address of the group", address)
        fields.whole(owner, "a port of the group", port, 1, 65535)


def _name(service: VirtualService) -> str:
    return f"VirtualService {endpoint(service.vip, service.port)}"


def _persistence(owner: str, service: VirtualService) -> None:
    timeout, granularity = service.persistence_timeout, service.persistence_granularity
    if timeout is not None:
        fields.whole(owner, "persistence_timeout", timeout, 1, 31 * 86400)
    if granularity is not None:
        if timeout is None:
            raise HarnessError(
                f"{owner}: persistence_granularity means nothing without a persistence_timeout"
            )
        fields.netmask(owner, "persistence_granularity", granularity, service.family)


def _quorum(owner: str, service: VirtualService) -> None:
    fields.whole(owner, "quorum", service.quorum, 1, 2**31 - 1)
    fields.whole(owner, "hysteresis", service.hysteresis, 0, service.quorum - 1)
    for field in ("quorum_up", "quorum_down"):
        if (command := getattr(service, field)) is not None:
            fields.command(owner, field, command)


def _not_written_of(owner: str, service: VirtualService) -> None:
    """What is only read from files: a topology says it otherwise, or not at all."""
    known = {
        "marks": (),
        "title": None,
        "virtualhost": None,
        "sorry_server": None,
        "real_servers": (),
        "ha_suspend": False,
    }
    for field, unsaid in known.items():
        if getattr(service, field) != unsaid:
            raise HarnessError(
                f"{owner}: nothing is written for {field}=: machines that serve it are its"
                " servers; for what else there is use edits=, or config="
            )


@check.register
def _destination(destination: Destination) -> None:
    fields.address("Destination", "address", destination.address)
    owner = f"Destination {destination.endpoint}"
    fields.whole(owner, "port", destination.port, 0, 65535)
    fields.whole(owner, "weight", destination.weight, 0, 65535)


# -- health checkers -------------------------------------------------------------------------------


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
