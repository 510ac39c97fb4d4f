"""dnsmasq: the DNS server of a real server whose service is UDP. It answers from the address that
it was asked at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.daemons.daemon import Daemon
from harness.errors import HarnessError
from harness.lab.machine import Machine

CONFIG = "/etc/dnsmasq.conf"
ASKED_NAME = "server.lvs.test"
"""The name whose TXT record tells who answers."""

DNSMASQ = Daemon(
    name="dnsmasq",
    argv=("dnsmasq", "--keep-in-foreground", "--log-facility=-", f"--conf-file={CONFIG}"),
    ready=re.compile(r"started, version"),
    failed=re.compile(r"failed|bad option|unknown"),
    package="dnsmasq-base",
)

_TEXT = """\
port={port}
user=nobody
group=nogroup
pid-file=
no-hosts
no-resolv
txt-record={name},"{page}"
"""
_ANYTHING = "address=/#/192.0.2.1\n"
"""Whatever is asked has an answer: the address for A, none for other kinds, and never a refusal."""


def prepare(machine: Machine, page: str, ports: Sequence[int], answers_all: bool) -> None:
    """Write the configuration: ``page`` is answered on the one port that dnsmasq has, and with
    ``answers_all`` any other question as well.
    """
    if len(set(ports)) != 1:
        raise HarnessError(
            f"{machine.name}: dnsmasq serves one port, not"
            f" {', '.join(map(str, sorted(set(ports))))}"
        )
    text = _TEXT.format(port=ports[0], name=ASKED_NAME, page=page)
    machine.write(CONFIG, text + (_ANYTHING if answers_all else ""))
