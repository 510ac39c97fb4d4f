"""What the nodes tell when a scenario has ended: configuration, IPVS tables, network, and
keepalived's own dumps.
"""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

from harness.cluster import Cluster
from harness.daemons import httpd, keepalived
from harness.daemons.nodes import DirectorNode, Node, RealServerNode
from harness.errors import HarnessError
from harness.lab.machine import Process
from harness.report.standing import addresses, standing

_TABLE = ("ipvsadm", "-Ln")
_FILES: dict[type[Node], dict[str, str]] = {
    Node: {"neighbours.txt": "/proc/net/arp", "counters.txt": "/proc/net/dev"},
    DirectorNode: {
        "ipvs-statistics.txt": "/proc/net/ip_vs_stats",
        "ipvs-connections.txt": "/proc/net/ip_vs_conn",
    },
    RealServerNode: {"apache2.conf": httpd.CONFIG},
}
"""What is copied from the nodes of each kind. A program costs a guest 10 ms, so `ip` is not asked
for what is known.
"""

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
        and hears(node.process(), *_DUMPS)
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
        if isinstance(node, DirectorNode):
            _ask(node, _TABLE, folder / node.name / "ipvs.txt")
        for kind in (kind for kind in _FILES if isinstance(node, kind)):
            for name, path in _FILES[kind].items():
                _copy(node, path, folder / node.name / name)
    cluster.timeline.let_pass(cluster.slack)
    for director in asked:
        for path in _DUMPS.values():
            _copy(director, path, folder / director.name / Path(path).name)


def hears(process: Process, *numbers: signal.Signals) -> bool:
    """Whether a process would not die of these signals, as keepalived does until it has begun to
    hear them.

    It blocks those that it hears (keepalived ``lib/signals.c``: signalfd), where others would catch
    them.
    """
    try:
        status = process.machine.read(f"/proc/{process.pid}/status")
    except (HarnessError, OSError):  # it has ended, or its machine has
        return False
    masks = dict(
        line.split(":", 1)
        for line in status.splitlines()
        if line.startswith(("SigBlk:", "SigCgt:"))
    )
    heard = int(masks["SigBlk"], 16) | int(masks["SigCgt"], 16)
    return all(heard >> (number - 1) & 1 for number in numbers)


def _ask(node: Node, command: tuple[str, ...], target: Path) -> None:
    with contextlib.suppress(HarnessError, FileNotFoundError):
        target.write_text(node.machine.run(command, check=False).stdout, encoding="utf-8")


def _copy(node: Node, path: str, target: Path) -> None:
    with contextlib.suppress(HarnessError, FileNotFoundError):
        target.write_text(node.machine.read(path), encoding="utf-8")
