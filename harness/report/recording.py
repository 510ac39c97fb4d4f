"""Frames of a cluster's wires, written to a capture file while they come."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from harness.clock import to_realtime
from harness.cluster import Cluster
from harness.observers.packets import Frame
from harness.report import pcapng
from harness.report.frames import Commenter, endpoints


class Recording:
    """A capture of all wires of a cluster, ``title`` above it. Raises OSError where it cannot be
    written.
    """

    def __init__(self, path: Path, cluster: Cluster, title: str) -> None:
        ends = list(cluster.lab.wire_ends.values())
        self._interfaces = {end: number for number, end in enumerate(ends)}
        self._comments = Commenter(cluster.plan)
        self._alike = lru_cache(maxsize=4096)(self._alike_of)
        self._origin = to_realtime(cluster.timeline.origin)
        self._file = pcapng.Writer(
            path,
            [f"{node} {interface}" for node, interface in ends],
            f"{title}: second 0 of the timeline is"
            f" {self._origin // 10**9}.{self._origin % 10**9:09}",
        )

    def write(self, frames: Iterable[Frame]) -> None:
        """Append frames. Nearly all are of requests, of which there may be a thousand a second:
        what is around such a frame depends on little, and is known already.
        """
        origin = self._origin
        parts: list[bytes] = []
        for frame in frames:
            data = frame.data
            at = origin + round(frame.at * 1e9)
            ends = b"" if frame.tag else endpoints(data)
            if ends:
                alike = self._alike(frame.node, frame.interface, frame.sent, len(data), ends)
                parts += (alike.head(at), data, alike.behind)
            else:
                parts.append(self._other(frame, at))
        self._file.write(parts)

    def _alike_of(
        self, node: str, interface: str, sent: bool, size: int, ends: bytes
    ) -> pcapng.Alike:
        comment = self._comments.exchange(ends[:4], ends[4:])
        return pcapng.alike(self._interfaces[node, interface], size, sent, comment)

    def _other(self, frame: Frame, at: int) -> bytes:
        number = self._interfaces[frame.node, frame.interface]
        comment = self._comments.comment(frame.data)
        return pcapng.packet(number, at, frame.on_the_wire, frame.sent, comment)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
