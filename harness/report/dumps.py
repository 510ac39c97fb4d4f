"""What the nodes tell when a scenario has ended: configuration, IPVS tables, network, and keepalived's own dumps."""

from __future__ import annotations

import signal
from pathlib import Path

from harness.cluster import Cluster
from harness.daemons import httpd
from harness.daemons.nodes import DirectorNode, Node, RealServerNode
from harness.errors import HarnessError

_OF_ALL = {"addresses.txt": ("ip", "-s", "address"), "neighbours.txt": ("ip", "neighbour")}
_OF_DIRECTORS = {
    "ipvs.txt": ("ipvsadm", "-Ln"),
    "ipvs-statistics.txt": ("ipvsadm", "-Ln", "--stats"),
    "ipvs-connections.txt": ("ipvsadm", "-Lnc"),
}
_DUMPS = {signal.SIGUSR1: "/tmp/keepalived.data", signal.SIGUSR2: "/tmp/keepalived.stats"}
"""keepalived(8), SIGNALS: what each makes it write, in its default folder."""


def gather(cluster: Cluster, folder: Path) -> None:
    """Write them to ``folder``, a subfolder for each node that is switched on. Raises OSError.

    What a node cannot tell, such as the dumps of a keepalived that hangs, is left out.
    """
    on = [node for node in cluster.nodes.values() if node.machine.powered]
    asked = [node for node in on if isinstance(node, DirectorNode) and not node.idle]
    for director in asked:
        for number in _DUMPS:
            director.process().send_signal(number)
    for node in on:
        (folder / node.name).mkdir(exist_ok=True)
        commands = _OF_ALL | (_OF_DIRECTORS if isinstance(node, DirectorNode) else {})
        for name, command in commands.items():
            (folder / node.name / name).write_text(node.machine.run(command, check=False).stdout, encoding="utf-8")
        if isinstance(node, RealServerNode):
            _copy(node, httpd.CONFIG, folder)
    cluster.timeline.let_pass(cluster.slack)
    for director in asked:
        for path in _DUMPS.values():
            _copy(director, path, folder)


def _copy(node: Node, path: str, folder: Path) -> None:
    try:
        text = node.machine.read(path)
    except (HarnessError, FileNotFoundError):
        return
    (folder / node.name / Path(path).name).write_text(text, encoding="utf-8")
