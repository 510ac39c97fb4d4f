"""Requests: what a paced client loses, what each request costs, and how many the guest carries."""

import http.client
import os
import socket
import urllib.request
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from statistics import median

import pytest

from benchmarks.stopwatch import tell
from harness.cluster import Cluster
from harness.events import Request
from harness.scenario import topology
from topologies.director_pair import DirectorPair

pytestmark = topology(DirectorPair)

SECONDS = 3
COUNT, RATE = 300, 100
ROUNDS = 3
BARE = "socket, connect, send, recv, close"


def test_paced(cluster: Cluster) -> None:
    """1,000 requests a second, each recorded."""
    cluster.settle()
    began = cluster.timeline.now()
    tell("load")
    with cluster.client.load(rate=1000) as load:
        load.wait_answers(SECONDS * 1000, since=began)
    tell("loaded")


def test_spaced(cluster: Cluster) -> None:
    """The time between two requests is what an outage is known to."""
    cluster.settle()
    began = cluster.timeline.now()
    with cluster.client.load(rate=200) as load:
        load.wait_answers(SECONDS * 200, since=began)
    sent = [event.at for event in cluster.timeline.events(Request, since=began)]
    gaps = [later - earlier for earlier, later in pairwise(sent)]
    tell("spaced", longest=max(gaps), median=median(gaps), dropped=cluster.recorder.dropped)


@pytest.mark.needs("wrk", clock="real")
def test_saturated(cluster: Cluster) -> None:
    """wrk through the VIP and past the director, by turns."""
    cluster.settle()
    for _ in range(3):
        for way, address in (("VIP", cluster.vip), ("RIP", cluster.real_servers[0].ip)):
            totals = cluster.client.saturate(SECONDS, address=address)
            wrong = totals.broken + totals.refused + totals.timed_out
            tell("rate", way=way, rate=totals.rate, wrong=wrong)


def test_cost(cluster: Cluster) -> None:
    """The paced client beside what Python has: a connection for each request, answers read to their
    end.
    """
    cluster.settle()
    address = cluster.real_servers[0].ip

    def paced() -> None:
        began = cluster.timeline.now()
        with cluster.client.load(rate=RATE, address=address) as load:
            load.wait_answers(COUNT, since=began)

    def by_socket() -> None:
        with socket.create_connection((address, 80), timeout=1) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while connection.recv(1 << 16):
                pass

    def by_http_client() -> None:
        connection = http.client.HTTPConnection(address, timeout=1)
        connection.request("GET", "/")
        assert connection.getresponse().read()
        connection.close()

    def by_urllib() -> None:
        with urllib.request.urlopen(f"http://{address}/", timeout=1) as answer:
            assert answer.read()

    ways = {BARE: by_socket, "http.client": by_http_client, "urllib.request": by_urllib}
    for _ in range(ROUNDS):
        # The observers have other work meanwhile.
        idle = _spent(lambda: cluster.timeline.let_pass(COUNT / RATE))
        _tell_cost("paced client", _spent(paced) - idle)
        with cluster.client.machine.inside():
            for name, get in ways.items():
                _tell_cost(name, _spent(partial(_repeat, get)))


def _tell_cost(client: str, seconds: float) -> None:
    """``resolution``: the kernel counts processor time in ticks, and a difference may be one off at
    either end.
    """
    tick = 2 / os.sysconf("SC_CLK_TCK")
    tell("cost", client=client, seconds=seconds / COUNT, resolution=tick / COUNT)


def _repeat(get: Callable[[], None]) -> None:
    for _ in range(COUNT):
        get()


def _spent(work: Callable[[], object]) -> float:
    """The processor time of this process, in seconds."""
    before = os.times()
    work()
    after = os.times()
    return after.user - before.user + after.system - before.system
