"""ldirectord: Debian's other daemon that checks real servers and keeps the IPVS table; it elects
nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from harness.daemons.daemon import Daemon
from harness.errors import HarnessError
from harness.topology import HttpGet, PingCheck, TcpCheck, VirtualService, rules
from harness.topology.services import Destination

CONFIG = "/etc/ha.d/ldirectord.cf"

LDIRECTORD = Daemon(
    name="ldirectord",
    argv=("ldirectord", "-d", CONFIG, "start"),  # -d: in the foreground, and telling what it does
    ready=re.compile(r"Added virtual server|Starting Linux Director"),
    failed=re.compile(r"Error|error"),
    package="ldirectord",
)

_METHODS = {"DR": "gate", "NAT": "masq", "TUN": "ipip"}
_HEAD = """\
checktimeout={timeout}
checkinterval={interval}
autoreload=no
quiescent=no
"""


def render(services: Iterable[tuple[VirtualService, list[Destination]]]) -> str:
    """The ldirectord.cf for services and their real servers (ldirectord(8))."""
    wanted = list(services)
    interval = max((service.delay_loop for service, _ in wanted), default=1)
    timeout = max((_timeout(service) for service, _ in wanted), default=1)
    text = _HEAD.format(timeout=round(timeout), interval=round(interval))
    for service, destinations in wanted:
        rules.check(service)
        if service.flags or service.ops:
            raise HarnessError(
                f"VirtualService {service.name}: ldirectord has nothing like flags= and ops=:"
                " leave them out, or take keepalived or ipvsadm"
            )
        virtual = (
            str(service.fwmark) if service.fwmark is not None else f"{service.vip}:{service.port}"
        )
        lines = [
            f"real={each.endpoint} {_METHODS[service.method]} {each.weight}"
            for each in destinations
        ]
        lines += [*_check(service), f"scheduler={service.scheduler}"]
        lines.append(
            f"protocol={'fwm' if service.fwmark is not None else service.protocol.lower()}"
        )
        text += f"\nvirtual={virtual}\n" + "".join(f"\t{line}\n" for line in lines)
    return text


def _timeout(service: VirtualService) -> float:
    return max([check.pace(service.delay_loop).timeout for check in service.checks], default=1.0)


def _check(service: VirtualService) -> list[str]:
    if not service.checks:
        return ["checktype=off"]
    check = service.checks[0]
    if type(check) is HttpGet:
        return ["service=http", "checktype=negotiate", f'request="{check.path}"', 'receive="."']
    if type(check) is TcpCheck:
        return ["checktype=connect"]
    if type(check) is PingCheck:
        return ["checktype=ping"]
    raise HarnessError(
        f"VirtualService {service.name}: ldirectord has HttpGet, TcpCheck and PingCheck here, not"
        f" {type(check).__name__}; take one of those, or keepalived"
    )
