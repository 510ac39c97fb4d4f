"""Machines and wires of one cluster, made in three ways by turns; runs inside the embedded kernel.

``python -m benchmarks.machines FILE ROUNDS`` writes to FILE a JSON object: way -> seconds of each round.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from time import monotonic

from mininet.net import Mininet
from mininet.nodelib import LinuxBridge

from harness.lab.lab import Lab
from harness.lab.plan import Plan, plan
from harness.lab.supervisor import Supervisor
from topologies.director_pair import DirectorPair


@contextmanager
def first_cluster() -> Iterator[None]:
    """The first of a run, for which the harness starts the process below which all machines of the run live."""
    supervisor = Supervisor.start()
    with further_cluster(supervisor):
        yield
    supervisor.stop()


@contextmanager
def further_cluster(supervisor: Supervisor) -> Iterator[None]:
    """The harness, from the topology to machines that can reach each other; no daemon, no observer."""
    lab = Lab(plan(DirectorPair()), supervisor)
    lab.wire_lans()
    lab.power_on(lab.plan.hosts)
    yield
    lab.close()


@contextmanager
def stock_mininet() -> Iterator[None]:
    """Mininet as its documentation starts it, with hosts of its own and a kernel bridge for a switch."""
    topo = DirectorPair()
    for host in topo.hosts():
        topo.setNodeInfo(host, {"ip": topo.nodeInfo(host)["ip"]})
    net = Mininet(topo=topo, switch=partial(LinuxBridge, dpid="1"), controller=None)
    net.start()
    yield
    net.stop()


@contextmanager
def ip_batch() -> Iterator[None]:
    """The same network by iproute2 in as few processes as it takes: one for all wires, and one a namespace."""
    wanted = _PLAN
    _ip(_fabric(wanted))
    for host in wanted.hosts:
        lines = ["link set lo up"]
        for interface in host.interfaces:
            lines.append(f"link set {interface.name} up")
            lines += [f"address add {address} dev {interface.name}" for address in interface.addresses]
        for gateway in host.default_routes:
            lines.append(f"route add default via {gateway}")
        _ip(lines, "-n", host.name)
    yield
    _ip([f"netns del {host.name}" for host in wanted.hosts] + [f"link del {lan}" for lan in wanted.lans])


def _fabric(wanted: Plan) -> list[str]:
    lines = [f"netns add {host.name}" for host in wanted.hosts]
    lines += [f"link add {lan} up type bridge forward_delay 0 stp_state 0 mcast_snooping 0" for lan in wanted.lans]
    for host in wanted.hosts:
        for end in host.interfaces:
            peer = f"peer name {end.name} address {end.mac} netns {host.name}"
            lines.append(f"link add {end.wire} up master {end.lan} type veth {peer}")
    return lines


def _ip(lines: list[str], *options: str) -> None:
    subprocess.run(["ip", *options, "-batch", "-"], input="\n".join(lines), text=True, check=True)


_PLAN = plan(DirectorPair())
_SUPERVISOR = Supervisor.start()
WAYS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "first cluster of a run": first_cluster,
    "further cluster": partial(further_cluster, _SUPERVISOR),
    "ip -batch": ip_batch,
    "stock Mininet": stock_mininet,
}


def main(file: str, rounds: str) -> None:
    """One more round comes before those that count: it loads the kernel's modules and the file cache."""
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(int(rounds) + 1):
        for way, make in WAYS.items():
            began = monotonic()
            with make():
                seconds[way].append(monotonic() - began)
    _SUPERVISOR.stop()
    Path(file).write_text(json.dumps({way: taken[1:] for way, taken in seconds.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
