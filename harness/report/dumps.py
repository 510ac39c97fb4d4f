"""What the nodes tell when a scenario has ended: configuration, IPVS tables, network, and
keepalived's own dumps.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import signal
from pathlib import Path

from harness.cluster import Cluster
from harness.daemons import httpd, keepalived
from harness.errors import HarnessError
from harness.nodes import DirectorNode, Node, RealServerNode
from harness.report.standing import addresses, standing

_TABLE = "ipvs.txt"
_NETWORK: dict[type[Node], dict[str, str]] = {
    Node: {"neighbours.txt": "arp", "counters.txt": "dev"},
    DirectorNode: {
        _TABLE: "ip_vs",
        "ipvs-statistics.txt": "ip_vs_stats",
        "ipvs-connections.txt": "ip_vs_conn",
    },
}
"""What is copied from /proc/net of the nodes of each kind. A program costs a guest 10 ms, and a
question to a machine some more than a file in its network namespace.
"""
_IN_TABLE = re.compile(r"(?:([0-9A-F]{8})|\[([0-9a-f:]+)\]):([0-9A-F]{4})")
"""Address and port as the kernel writes them (``ip_vs_ctl.c``, ``ip_vs_info_seq_show``)."""

_DUMPS = {signal.SIGUSR1: "/tmp/keepalived.data", signal.SIGUSR2: "/tmp/keepalived.stats"}
"""keepalived(8), SIGNALS: what each makes it write, in its default folder."""


def gather(cluster: Cluster, folder: Path) -> None:
    """Write them to ``folder``, a subfolder for each node that is switched on. Raises OSError.

    What a node cannot tell, such as the dumps of a keepalived that hangs or has only just been
    started, is left out.
    """
    on = [node for node in cluster.nodes.values() if node.machine.powered]
    asked = [
        node
        for node in on
        if isinstance(node, DirectorNode)
        and keepalived.KEEPALIVED in node.daemons
        and not node.idle
        and node.process().hears(*_DUMPS)
    ]
    for director in asked:
        for number in _DUMPS:
            with contextlib.suppress(HarnessError, ProcessLookupError):
                director.process().send_signal(number)
    held = standing(cluster.timeline, cluster.timeline.now())
    for node in on:
        (folder / node.name).mkdir(exist_ok=True)
        (folder / node.name / "addresses.txt").write_text(
            addresses(held, node.name), encoding="utf-8"
        )
        for name, text in _network(node).items():
            (folder / node.name / name).write_text(text, encoding="utf-8")
        if isinstance(node, RealServerNode):
            _copy(node, httpd.CONFIG, folder / node.name / "apache2.conf")
    cluster.timeline.let_pass(cluster.slack)
    for director in asked:
        for path in _DUMPS.values():
            _copy(director, path, folder / director.name / Path(path).name)


def _network(node: Node) -> dict[str, str]:
    """What the kernel tells of a node's network: file name -> content."""
    found = {}
    with node.machine.inside():
        for kind in (kind for kind in _NETWORK if isinstance(node, kind)):
            for name, file in _NETWORK[kind].items():
                with contextlib.suppress(FileNotFoundError):
                    found[name] = Path("/proc/thread-self/net", file).read_text(encoding="utf-8")
    if _TABLE in found:
        found[_TABLE] = readable(found[_TABLE])
    return found


def readable(table: str) -> str:
    """The kernel's IPVS table with addresses and ports as ``ipvsadm -Ln`` has them."""

    def endpoint(found: re.Match[str]) -> str:
        four, six, port = found.groups()
        address = ipaddress.ip_address(six or bytes.fromhex(four))
        return f"[{address}]:{int(port, 16)}" if six else f"{address}:{int(port, 16)}"

    return _IN_TABLE.sub(endpoint, table)


def _copy(node: Node, path: str, target: Path) -> None:
    with contextlib.suppress(HarnessError, FileNotFoundError):
        target.write_text(node.machine.read(path), encoding="utf-8")
