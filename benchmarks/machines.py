"""Machines and wires of a farm, made in several ways by turns; runs inside the embedded kernel, or
natively as root.

``python -m benchmarks.machines FILE NODES ROUNDS WAY...`` writes to FILE a JSON object: way ->
seconds of each round.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from mininet.net import Mininet
from mininet.nodelib import LinuxBridge

from benchmarks import MUNET
from harness.kernels.calls import linux
from harness.lab.lab import Lab
from harness.lab.plan import Plan, plan
from harness.lab.supervisor import Supervisor
from topologies.farm import Farm

OTHERS = 3
"""Nodes of a farm that are no real servers."""


@contextmanager
def harness(topo: Callable[[], Farm]) -> Iterator[None]:
    """The harness, from the topology to machines that can reach each other; no daemon, no observer.

    What it starts once in a run, the process below which all machines live, is part of it.
    """
    supervisor = Supervisor.start()
    lab = Lab(plan(topo()), supervisor)
    lab.wire_lans()
    lab.power_on(lab.plan.hosts)
    yield
    lab.close()
    supervisor.stop()


@contextmanager
def stock_mininet(topo: Callable[[], Farm]) -> Iterator[None]:
    """Mininet as its documentation starts it, with hosts of its own and a kernel bridge for a
    switch.
    """
    made = topo()
    for host in made.hosts():
        made.setNodeInfo(host, {"ip": made.nodeInfo(host)["ip"] + "/16"})
    net = Mininet(topo=made, switch=partial(LinuxBridge, dpid="1"), controller=None)
    net.start()
    yield
    net.stop()


@contextmanager
def munet(topo: Callable[[], Farm]) -> Iterator[None]:
    """munet by its Python interface: namespaces of network, mounts and names, which is what it
    gives a host.
    """
    from munet.base import BaseMunet  # type: ignore[import-not-found]  # installed by `make bench` alone

    wanted = plan(topo())
    with TemporaryDirectory(prefix="lvs-bench-") as folder:
        net = BaseMunet(rundir=folder, isolated=False, pid=False)  # we are in namespaces of our own
        lan = net.add_switch("lan")
        for host in wanted.hosts:
            made, end = net.add_host(host.name), host.interface()
            net.add_link(lan, made, end.wire, end.name)
            made.cmd_raises_nsonly(f"ip addr add {end.address} dev {end.name}")
        yield
        asyncio.run(net.async_delete())


@contextmanager
def ip_batch(topo: Callable[[], Farm]) -> Iterator[None]:
    """The same network by iproute2 in as few processes as it takes: one for all wires, and one a
    namespace.
    """
    wanted = plan(topo())
    _ip(_fabric(wanted))
    for host in wanted.hosts:
        lines = ["link set lo up"]
        for interface in host.interfaces:
            lines.append(f"link set {interface.name} up")
            lines += [
                f"address add {address} dev {interface.name}" for address in interface.addresses
            ]
        _ip(lines, "-n", host.name)
    yield
    _ip(
        [f"netns del {host.name}" for host in wanted.hosts]
        + [f"link del {lan}" for lan in wanted.lans]
    )


def _fabric(wanted: Plan) -> list[str]:
    lines = [f"netns add {host.name}" for host in wanted.hosts]
    lines += [
        f"link add {lan} up type bridge forward_delay 0 stp_state 0 mcast_snooping 0"
        for lan in wanted.lans
    ]
    for host in wanted.hosts:
        for end in host.interfaces:
            peer = f"peer name {end.name} address {end.mac} netns {host.name}"
            lines.append(f"link add {end.wire} up master {end.lan} type veth {peer}")
    return lines


def _ip(lines: list[str], *options: str) -> None:
    subprocess.run(["ip", *options, "-batch", "-"], input="\n".join(lines), text=True, check=True)


HARNESS, IP_BATCH, MININET, PEER = "harness", "ip -batch", "stock Mininet", "munet"
WAYS: dict[str, Callable[[Callable[[], Farm]], AbstractContextManager[None]]] = {
    HARNESS: harness,
    IP_BATCH: ip_batch,
    MININET: stock_mininet,
    PEER: munet,
}


def main(file: str, nodes: str, rounds: str, *ways: str) -> None:
    """A small round of each comes before those that count: it loads the kernel's modules and the
    file cache.
    """
    sys.path.append(str(MUNET))
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", "/run", "tmpfs")  # what `ip netns` leaves behind is left here
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for size in (5, *[int(nodes)] * int(rounds)):
        for way in ways:
            began = monotonic()
            with WAYS[way](partial(Farm, real_servers=size - OTHERS)):
                seconds[way].append(monotonic() - began)
    Path(file).write_text(json.dumps({way: taken[1:] for way, taken in seconds.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
