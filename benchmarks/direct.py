"""Paced requests straight to a web server on this machine's own kernel, as root: it need not have
IPVS for that.

``python -m benchmarks.direct RATE`` writes what came of them as a JSON object to its standard
output.
"""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from mininet.topo import Topo

from harness.cluster_pool import Pool
from harness.events import Request
from harness.kernels import choice
from harness.spec import ClusterSpec
from harness.topology import Client, RealServer, VirtualService

SECONDS = 3
SERVED = VirtualService("172.16.10.50", port=80)
WEB = VirtualService("172.16.10.21", port=80)
"""The same at the web server's own address."""


class Direct(Topo):  # type: ignore[misc]  # Mininet has no types
    """One LAN, one web server, one client."""

    def build(self) -> None:
        """Addresses as in the directors' clusters."""
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
        self.addLink(lan, self.addHost("web1", cls=RealServer, ip=f"{WEB.vip}/24", serves=[SERVED]))
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


def main(rate: str) -> None:
    """Send for a while, and tell."""
    with TemporaryDirectory() as folder:
        pool = Pool(Path(folder), choice.slack(), 0)
        try:
            cluster = pool.get(ClusterSpec(Direct))
            began = cluster.timeline.now()
            with cluster.client.load(rate=float(rate), service=WEB) as load:
                load.wait_answers(SECONDS * int(rate), since=began)
            sent = [event.at for event in cluster.timeline.events(Request, since=began)]
            dropped = cluster.recorder.dropped
        finally:
            pool.close()
    gaps = [later - earlier for earlier, later in pairwise(sent)]
    told = {
        "requests": len(sent),
        "median": median(gaps),
        "most": quantiles(gaps, n=100)[-1],
        "longest": max(gaps),
    }
    print(json.dumps({**told, "dropped": dropped}))


if __name__ == "__main__":
    main(*sys.argv[1:])
