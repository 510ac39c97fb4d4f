"""What keepalived says it has read: the text of ``keepalived --dump-conf`` to typed objects (pure).

So what is tested is what keepalived reads, with its includes, conditions, variables and defaults,
and not what a second parser would make of the file. The text is that of keepalived's
``vrrp_data.c``, ``check_data.c``, ``check_api.c`` and the checkers, 2.1.5 and newer: one fact a
line, belonging to the line above that is indented less.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any

from harness.check.facts import Reading
from harness.topology.checks import (
    CONNECT_TIMEOUT,
    Check,
    DnsCheck,
    HttpGet,
    MiscCheck,
    NetworkCheck,
    OtherCheck,
    PingCheck,
    SmtpCheck,
    SslGet,
    TcpCheck,
    UdpCheck,
    Url,
)
from harness.topology.services import Destination, VirtualService
from harness.topology.tracking import TrackedBfd, TrackedFile, TrackedInterface, VrrpScript
from harness.topology.vrrp import SyncGroup, Vip, VrrpInstance

_STAMP = re.compile(r"^\w{3} \w{3} [\d: ]+\d{4}: ")
_HEADING = re.compile(r"^ *------< (.+) >------$")
_MARK = re.compile(r"FWMARK = (\d+)")
_ENDPOINT = re.compile(r"\[(?P<address>[^\]]+)\](:(?P<protocol>\w+))?:(?P<port>\d+)")


@dataclass
class Line:
    """A line of the dump and those that belong to it."""

    text: str
    children: list[Line] = field(default_factory=list)

    def get(self, *keys: str) -> str | None:
        """The value of ``key = value`` right below this line, for the first key that is there."""
        for key in keys:
            for child in self.children:
                name, equals, value = child.text.partition(" = ")
                if equals and name == key:
                    return value.strip()
        return None

    def number(self, *keys: str, default: float = 0.0) -> float:
        """The first number in a value; ``default`` where there is none. Microseconds (``us``)
        become seconds.
        """
        found = re.search(r"(-?[\d.]+) ?(us\b|usecs\b)?", self.get(*keys) or "")
        if found is None:
            return default
        return float(found[1]) / (1e6 if found[2] else 1)

    def below(self, start: str) -> Iterator[Line]:
        """The lines right below this one that begin with ``start``."""
        return (child for child in self.children if child.text.startswith(start))

    def lists(self, *titles: str) -> list[Line]:
        """What is listed below the titles, such as ``Virtual IP (2):``, or ``Virtual IP :`` in
        2.1.5.
        """
        return [
            entry for title in titles for child in self.below(title) for entry in child.children
        ]


def parse(vrrp: str, check: str) -> Reading:
    """What the VRRP process and the checker process have dumped."""
    sections = {**_sections(check), **_sections(vrrp)}
    scripts = tuple(map(_script, sections.get("VRRP Scripts", Line("")).below("VRRP Script = ")))
    files = map(_track_file, sections.get("VRRP Track files", Line("")).below("Track file = "))
    lines = [*sections.get("VRRP Topology", Line("")).below("VRRP Instance = ")]
    tracked = {each.name: each for each in scripts}, {each.name: each for each in files}
    instances = tuple(_instance(line, *tracked) for line in lines)
    return Reading(
        instances, scripts, tuple(_services(sections)), sync_groups=tuple(_sync_groups(lines))
    )


def _sections(text: str) -> dict[str, Line]:
    """Heading -> the tree of the lines below it; what belongs to a repeated heading is joined."""
    sections: dict[str, Line] = {}
    stack: list[tuple[int, Line]] = []
    for raw in text.splitlines():
        line = _STAMP.sub("", raw.rstrip())
        indent = len(line) - len(line.lstrip(" "))
        heading = _HEADING.match(line)
        if heading is not None and indent <= 1:
            stack = [(0, sections.setdefault(heading[1], Line(heading[1])))]
        elif (
            stack and indent
        ):  # else it is not of the dump: keepalived's log goes on between its lines
            while len(stack) > 1 and stack[-1][0] >= indent:
                stack.pop()
            node = Line(heading[1] if heading else line.strip())
            stack[-1][1].children.append(node)
            stack.append((indent, node))
    return sections


def _script(line: Line) -> VrrpScript:
    return VrrpScript(
        name=line.text.partition(" = ")[2],
        script=shlex.join(shlex.split(line.get("Command") or "")),
        interval=line.number("Interval"),
        timeout=line.number("Timeout") or None,
        weight=int(line.number("Weight")),
        rise=int(line.number("Rise", default=1)),
        fall=int(line.number("Fall", default=1)),
    )


def _instance(
    line: Line, scripts: Mapping[str, VrrpScript], files: Mapping[str, TrackedFile]
) -> VrrpInstance:
    interface, vmac = _interface(line.get("Interface") or "")
    vips, excluded = (
        tuple(_vip(entry.text, interface, vmac) for entry in line.lists(*titles))
        for titles in (("Virtual IP (", "Virtual IP :"), ("Virtual IP Excluded",))
    )
    preempt = line.get("Preempt") != "disabled"
    return VrrpInstance(
        name=line.text.partition(" = ")[2],
        interface=interface,
        version=int(line.number("VRRP Version", default=2)),
        vrid=int(line.number("Virtual Router ID")),
        priority=int(line.number("Priority", "Base priority", default=100)),
        advert_int=_interval(line),
        auth_pass=None,
        authentication=line.get("Authentication type") or "none",
        nopreempt=not preempt,
        preempt_delay=line.number("Preempt delay") if preempt else 0.0,
        garp_master_delay=int(line.number("Gratuitous ARP delay", default=5)),
        source=_source(line.get("Using src_ip")),
        unicast_peers=tuple(entry.text.split()[0] for entry in line.lists("Unicast Peer")),
        vip=(),
        track_scripts=tuple(
            replace(scripts[name], weight=weight)
            for name, weight in map(_tracked, line.lists("Tracked scripts"))
            if name in scripts
        ),
        track_interfaces=tuple(
            TrackedInterface(name=name, weight=weight)
            for name, weight in map(_tracked, line.lists("Tracked interfaces"))
        ),
        track_files=tuple(
            replace(files[name], weight=weight)
            for name, weight in map(_tracked, line.lists("Tracked files"))
            if name in files
        ),
        track_bfds=tuple(
            TrackedBfd(name=name, weight=weight)
            for name, weight in map(_tracked, line.lists("Tracked BFDs"))
        ),
        vmac=vmac,
        accepts=line.get("Accept") != "disabled",
    ).with_vips(vips, excluded)


def _sync_groups(instances: Iterable[Line]) -> Iterator[SyncGroup]:
    """The sync groups that instances say they are in."""
    groups: dict[str, list[str]] = {}
    for line in instances:
        if name := line.get("Sync group"):
            groups.setdefault(name, []).append(line.text.partition(" = ")[2])
    return (SyncGroup(name=name, members=tuple(own)) for name, own in groups.items())


def _track_file(line: Line) -> TrackedFile:
    """One file with the number that is in it at rest; each instance has a weight of its own."""
    name, path = line.text.partition(" = ")[2], line.get("File") or ""
    return TrackedFile(name=name, path=path, value=int(line.number("Status")))


def _interface(text: str) -> tuple[str, str | None]:
    """``eth0``, or ``vrrp.51, vmac on eth0`` with ``use_vmac``: the wired interface, and that
    one.
    """
    found = re.match(r"(\S+), vmac on ([^,\s]+)", text)
    return (found[2], found[1]) if found else (text.partition(",")[0], None)


def _source(text: str | None) -> str | None:
    """``192.168.200.2 (from configuration)``; without that remark it is just what the interface
    happened to have.
    """
    return text.split()[0] if text and "configuration" in text else None


def _interval(line: Line) -> float:
    text = line.get("Advert interval") or "1 sec"
    return line.number("Advert interval") / (1000 if "milli" in text else 1)


def _vip(text: str, interface: str, vmac: str | None) -> Vip:
    """``192.168.200.18/25 dev eth0 scope global``, ``dev vrrp.51@eth0``."""
    words = text.split()
    address, slash, prefix = words[0].partition("/")
    whole = 128 if ":" in address else 32
    device = words[words.index("dev") + 1].partition("@")[0] if "dev" in words else interface
    return Vip(address, int(prefix) if slash else whole, interface if device == vmac else device)


def _tracked(line: Line) -> tuple[str, int]:
    """``eth1 weight -30``, or with a comma behind the name, in which there may be spaces."""
    found = re.match(r"(?P<name>.+?),? weight (?P<weight>-?\d+)", line.text)
    return (found["name"], int(found["weight"])) if found else (line.text.split()[0].rstrip(","), 0)


def _services(sections: dict[str, Line]) -> Iterator[VirtualService]:
    groups = {
        line.text.partition(" = ")[2].partition(",")[0]: line
        for line in sections.get("Virtual server group", Line("")).below("Virtual Server Group = ")
    }
    checkers = _checkers(sections.get("Health checkers", Line("")))
    for line in sections.get("Virtual server", Line("")).below("VS "):
        protocol = (line.get("protocol") or "TCP").upper()
        name = _group_name(line.text)
        group = groups.get(name, Line(""))
        (vip, port), *others = _listeners(line.text, group) or [UNKNOWN]
        mark = re.match(r"VS FWMARK = (\d+)", line.text)
        persistence = line.get("persistence timeout")
        yield VirtualService(
            vip,
            port,
            group=tuple(others),
            title=f"group {name}" if name else None,
            fwmark=int(mark[1]) if mark else None,
            protocol=protocol,
            scheduler=line.get("lvs_sched") or "wlc",
            method=_method(line),
            delay_loop=line.number("delay_loop", default=60),
            persistence_timeout=int(float(persistence)) if persistence else None,
            quorum=int(line.number("quorum", default=1)),
            hysteresis=_hysteresis(line),
            ha_suspend=any(line.below("Using HA suspend")),
            inhibit_on_failure=any(line.below("Inhibit on failure is ON")),
            virtualhost=line.get("VirtualHost"),
            sorry_server=_sorry_server(line.get("sorry server")),
            real_servers=tuple(_real_servers(line, _service_keys(line.text, protocol), checkers)),
            marks=tuple(
                int(found[1]) for member in group.children if (found := _MARK.match(member.text))
            ),
        )


UNKNOWN = ("", 0)
"""Stands for the address and port of a service by firewall mark: they are in no keepalived.conf."""


def _listeners(text: str, group: Line) -> list[tuple[str, int]]:
    """Addresses with ports of ``VS VIP = a, VPORT = n``, or of a group's members."""
    if (found := re.match(r"VS VIP = ([^,]+), VPORT = (\d+)", text)) is not None:
        return [(found[1], int(found[2]))]
    return [each for member in group.children for each in _members(member.text)]


def _group_name(text: str) -> str:
    return text.partition("[")[2].partition("]")[0]


def _members(text: str) -> Iterator[tuple[str, int]]:
    """``VIP = a, VPORT = n`` or ``VIP Range = a-b, VPORT = n``."""
    if (
        found := re.match(r"VIP(?: Range)? = ([^,-]+)(?:-([^,]+))?, VPORT = (\d+)", text)
    ) is not None:
        first, last = ip_address(found[1]), ip_address(found[2] or found[1])
        for number in range(int(first), int(last) + 1):
            yield str(type(first)(number)), int(found[3])


def _service_keys(text: str, protocol: str) -> tuple[str, ...]:
    """How the health checkers may name the virtual server: ``[10.10.10.2]:tcp:1358`` or without the
    protocol, ``FWM 1``, ``[VSG_1]:0``.
    """
    if (found := re.match(r"VS VIP = ([^,]+), VPORT = (\d+)", text)) is not None:
        return f"[{found[1]}]:{protocol.lower()}:{found[2]}", f"[{found[1]}]:{found[2]}"
    if (found := re.match(r"VS FWMARK = (\d+)", text)) is not None:
        return (f"FWM {found[1]}",)
    return (text.partition(" = ")[2],)


def _method(line: Line) -> str:
    return (
        (line.get("default forwarding method", "forwarding method") or "NAT")
        .split()[0]
        .rstrip(",")
        .upper()
    )


def _hysteresis(line: Line) -> int:
    found = re.search(r"hysteresis = (\d+)", line.get("quorum") or "")
    return int(found[1]) if found else 0


def _endpoint(text: str | None) -> tuple[str, int] | None:
    found = _ENDPOINT.search(text or "")
    return (found["address"], int(found["port"])) if found else None


def _sorry_server(text: str | None) -> Destination | None:
    found = _endpoint(text)
    return Destination(*found, sorry=True) if found else None


def _real_servers(
    service: Line, keys: tuple[str, ...], checkers: dict[tuple[str, str], list[Check]]
) -> Iterator[Destination]:
    current: list[Line] = []
    for child in [*service.children, Line("Real server")]:
        if child.text == "Real server":
            if current and (
                found := re.match(
                    r"RIP = ([^,]+), RPORT = (\d+), WEIGHT = (-?\d+)", current[0].text
                )
            ):
                server = Line("", current)
                endpoint = f"[{found[1]}]:{found[2]}"
                known = (checkers[key, endpoint] for key in keys if (key, endpoint) in checkers)
                mine = tuple(next(known, ()))
                yield Destination(
                    found[1],
                    int(found[2]),
                    int(found[3]),
                    method=_method(server),
                    checks=mine,
                )
            current = []
        elif current or child.text.startswith("RIP = "):
            current.append(child)


def _checkers(section: Line) -> dict[tuple[str, str], list[Check]]:
    """(virtual server, real server) -> its checkers; the protocol is left out of the real server's
    name, and of the other a second time.
    """
    found: dict[tuple[str, str], list[Check]] = {}
    for line in section.children:
        service, arrow, server = line.text.partition(" -> ")
        if arrow:
            endpoint = re.sub(r":[a-z]+:", ":", server)
            for name in dict.fromkeys((service, re.sub(r":[a-z]+:", ":", service))):
                found.setdefault((name, endpoint), []).append(_checker(line))
    return found


_SIMPLE: dict[str, type[NetworkCheck]] = {
    "TCP_CHECK": TcpCheck,
    "SMTP_CHECK": SmtpCheck,
    "PING_CHECK": PingCheck,
    "UDP_CHECK": UdpCheck,
}


def _checker(line: Line) -> Check:
    connection = next(line.below("Connection"), Line(""))
    kind = (line.get("Keepalive method", "Check type") or "").partition(",")[0]
    target = _endpoint(connection.get("Dest"))
    timeout = connection.number("Timeout", default=line.number("timeout", "Timeout", default=5))
    pace: dict[str, Any] = {
        "delay_loop": line.number("Delay loop", default=60),
        "warmup": line.number("Warmup"),
        "retry": int(line.number("Retries")),
        "delay_before_retry": line.number("Delay before retry", default=1),
    }
    network: dict[str, Any] = {
        **pace,
        "address": target[0] if target else None,
        "port": target[1] if target else None,
        "bind": (_endpoint(connection.get("Bind to")) or (None,))[0],
        # of the hosts of an SMTP_CHECK 2.2.7 dumps 0 where nothing is said
        "connect_timeout": timeout or CONNECT_TIMEOUT,
    }
    urls = [*map(_url, line.below("Checked url = "))]
    if kind in ("HTTP_GET", "SSL_GET") and urls:
        cls = SslGet if kind == "SSL_GET" else HttpGet
        return cls(**vars(urls[0]), more=tuple(urls[1:]), **network)
    if kind == "DNS_CHECK":
        return DnsCheck(name=line.get("Name") or ".", type=line.get("Type") or "SOA", **network)
    if kind == "MISC_CHECK":
        command = line.get("script") or ""
        return MiscCheck(command=command, timeout=max(1, round(timeout)), **pace)
    if kind in _SIMPLE:
        return _SIMPLE[kind](**network)
    return OtherCheck(kind=kind, **network)


def _url(line: Line) -> Url:
    statuses = tuple(
        status for child in line.below("HTTP Status Code") for status in _statuses(child)
    )
    return Url(
        line.text.partition(" = ")[2],
        statuses,
        line.get("digest"),
        line.get("Virtual host", "VirtualHost"),
    )


def _statuses(line: Line) -> list[str]:
    return [child.text for child in line.children] or line.text.partition(" = ")[2].split()
