"""The canonical state of a cluster: what its machines' kernels and files hold when nothing has
happened to it yet.

A cluster is used for the next sequence only if it is back in the state that it was in before the
first one. That is compared word by word, so what a sequence has left behind cannot be taken for
what the next one did.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from harness.daemons import keepalived
from harness.nodes import DirectorNode, Node
from harness.search import growth, proc
from harness.topology.tracking import VERDICT

if TYPE_CHECKING:
    from harness.cluster import Cluster

State = dict[str, str]
"""What stands where: ``director1 /proc/net/route`` -> its text."""

Opened = Mapping[str, Mapping[str, Sequence[str]]]
"""What the descriptors of each process of keepalived lead to, by director and process."""

_OWN_NET = "/proc/thread-self/net/"
"""Where whoever is in a network namespace finds what machines have as /proc/net/."""
_KERNEL = (
    "/proc/net/fib_trie", "/proc/net/route", "/proc/net/if_inet6",
    "/proc/sys/net/ipv4/conf/all/arp_ignore", "/proc/sys/net/ipv4/conf/all/arp_announce",
    "/proc/sys/net/ipv4/icmp_echo_ignore_all", "/proc/sys/net/ipv6/icmp/echo_ignore_all",
)  # fmt: skip
_TABLE = "/proc/net/ip_vs"
_UDP = "/proc/net/udp"
_SYNC_PORT = ":2290"
"""That of IPVS's sync daemons (``ip_vs_sync.c``, ``IP_VS_SYNC_PORT``), as the table of sockets
has it: one sends to it, or hears at it. Sockets of other ports come and go with checks.
"""
_SOCKETS = {"/proc/net/raw": (1,), "/proc/net/raw6": (1,), "/proc/net/netlink": (1, 3)}
"""Of directors, which columns of a table of sockets stay: whose they are shows how many of its
processes run. Of addresses with ports that is the port, or protocol: one that is opened while its
interface has no address is bound to none, which hears as well.
"""
_NETFILTER = "12"
"""NETLINK_NETFILTER: of this keepalived opens a socket for its first VMAC, and keeps it
(``vrrp_nftables.c``).
"""
_DESCRIPTORS = "keepalived's descriptors"
"""What is told, beside files, of directors: what each process of keepalived holds open."""
_ABSENT = "not there"
_CONSOLE = "/dev/console"
_PID_FILES = frozenset({"bfd.pid", "checkers.pid", "vrrp.pid"})
"""Files with the numbers of keepalived's children, which each child holds."""
_FILES = (keepalived.CONFIG, keepalived.DOWN, VERDICT)
_HEADER = 3
"""Lines of the table above its services, one of them with the size of the table of connections,
which grows.
"""
_COUNTS = re.compile(r"^(  -> \S+\s+\S+\s+\d+)\s+\d+\s+\d+\s*$", re.MULTILINE)
"""A line of a real server: what follows its weight are its connections."""


def opened(cluster: Cluster) -> Opened:
    """What keepalived holds open now."""
    return {each.name: proc.opened(each.machine, "keepalived") for each in cluster.directors}


def state(cluster: Cluster) -> State:
    """What a cluster's machines hold now."""
    return _state(cluster, opened(cluster))


def changed(before: State, cluster: Cluster) -> str | None:
    """What a cluster's machines hold that they did not hold ``before``, or which process of
    keepalived holds more sockets than it has use for; None if neither.
    """
    files = opened(cluster)
    return difference(before, _state(cluster, files)) or growth.left_open(
        growth.sockets(files), growth.of_use(cluster.directors)
    )


def _state(cluster: Cluster, files: Opened) -> State:
    found: State = {}
    for node in cluster.nodes.values():
        director = isinstance(node, DirectorNode)
        told = _of_kernel(node, [*_KERNEL, *((_TABLE, _UDP, *_SOCKETS) if director else ())])
        if director:
            told |= {place: _of_file(node, place) for place in _FILES}
        found |= {f"{node.name} {place}": plain(place, text) for place, text in told.items()}
        if node.name in files:
            lines = [held(targets) for targets in files[node.name].values()]
            found[f"{node.name} {_DESCRIPTORS}"] = "\n".join(sorted(lines))
    return found


def held(targets: Iterable[str]) -> str:
    """What descriptors lead to, without the numbers of inodes, and how many there are of each.

    Sockets are left out: those of checks come and go, and the others are compared as what the
    kernel has of them. So is the console, which the C library opens for each line that is logged
    where nobody listens at /dev/log (keepalived ``logger.c``, LOG_CONS). And so is the file with
    the number of a child, unless it is held more than once: the parent holds it only of a child
    that it started as it began itself, and not of one that a reload brought (``pidfile.c``,
    ``keepalived_running`` and ``pidfile_write``).
    """
    left = [each for each in targets if not each.startswith("socket:") and each != _CONSOLE]
    counts = Counter(each.partition(":[")[0] for each in left)
    for name in [each for each in counts if PurePosixPath(each).name in _PID_FILES]:
        if counts[name] == 1:
            del counts[name]
    return "keepalived holds " + ", ".join(f"{counts[name]} {name}" for name in sorted(counts))


def _of_kernel(node: Node, places: Iterable[str]) -> dict[str, str]:
    """What the kernel has for a machine in these places below /proc, read in its network
    namespace: to have the machine open each takes several times as long.
    """
    with node.machine.inside():
        return {place: _read(place.replace("/proc/net/", _OWN_NET)) for place in places}


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _ABSENT


def _of_file(node: Node, place: str) -> str:
    try:
        return node.machine.read(place)
    except OSError:
        return _ABSENT


def plain(place: str, text: str) -> str:
    """What stands in a place, without what differs though nothing has happened."""
    if (columns := _SOCKETS.get(place)) is not None:
        rows = [line.split() for line in text.splitlines()[1:]]
        if place == "/proc/net/netlink":
            rows = [row for row in rows if row[1] != _NETFILTER]
        return "\n".join(
            sorted(" ".join(row[column].rpartition(":")[2] for column in columns) for row in rows)
        )
    if place == _UDP:
        rows = [line.split()[1:3] for line in text.splitlines()[1:]]
        hears = ["hears" for local, _ in rows if local.endswith(_SYNC_PORT)]
        return "\n".join(hears + ["sends" for _, remote in rows if remote.endswith(_SYNC_PORT)])
    if place == "/proc/net/if_inet6":  # without the numbers of interfaces, and in any order
        return "\n".join(
            sorted(" ".join(line.split()[:1] + line.split()[2:]) for line in text.splitlines())
        )
    if place == "/proc/net/fib_trie":
        return _leaves(text)
    return _sorted_table(_COUNTS.sub(r"\1", text)) if place == _TABLE else text


def _leaves(text: str) -> str:
    """What an address or network is to a machine, in any order and each once: inner nodes follow
    what has been there, and with the first rule the kernel parts two tables that it had as one
    (``fib_rules.c``, ``fib_unmerge``).
    """
    leaf, found = "", set()
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["|--"]:
            leaf = words[1]
        elif words and words[0].startswith("/"):
            found.add(f"{leaf} {' '.join(words)}")
    return "\n".join(sorted(found))


def _sorted_table(text: str) -> str:
    """Each service with its real servers in any order: those that were out and came back are at the
    end.
    """
    services: list[list[str]] = []
    for line in text.splitlines()[_HEADER:]:
        if line.startswith("  ->") and services:
            services[-1].append(line)
        else:
            services.append([line])
    return "\n".join(sorted("\n".join([first, *sorted(others)]) for first, *others in services))


def difference(before: State, now: State) -> str | None:
    """The first place where something else stands now, and what; None if all is as it was."""
    for place in before:
        was, here = before[place].splitlines(), now.get(place, "").splitlines()
        if was != here:
            gone = list((Counter(was) - Counter(here)).elements())
            come = list((Counter(here) - Counter(was)).elements())
            return f"{place}: {_first(gone)} became {_first(come)}"
    return None


def _first(lines: list[str]) -> str:
    return repr(lines[0].strip()[:100]) if lines else "nothing"
