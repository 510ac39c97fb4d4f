"""Frames of a cluster's wires, written to a capture file while they come."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.clock import to_realtime
from harness.cluster import Cluster
from harness.observers.packets import Frame
from harness.report import pcapng
from harness.report.frames import Commenter


class Recording:
    """A capture of all wires of a cluster, ``title`` above it. Raises OSError where it cannot be
    written.
    """

    def __init__(self, path: Path, cluster: Cluster, title: str) -> None:
        ends = list(cluster.lab.wire_ends.values())
        self._interfaces = {end: number for number, end in enumerate(ends)}
        self._comment = Commenter(cluster.plan).comment
        self._origin = to_realtime(cluster.timeline.origin)
        self._file = pcapng.Writer(
            path,
            [f"{node} {interface}" for node, interface in ends],
            f"{title}: second 0 of the timeline is"
            f" {self._origin // 10**9}.{self._origin % 10**9:09}",
        )

    def write(self, frames: Iterable[Frame]) -> None:
        """Append frames."""
        interfaces, origin, comment = self._interfaces, self._origin, self._comment
        self._file.write(
            [
                pcapng.packet(
                    interfaces[frame.node, frame.interface],
                    origin + round(frame.at * 1e9),
                    frame.on_the_wire if frame.tag else frame.data,
                    frame.sent,
                    comment(frame.data),
                )
                for frame in frames
            ]
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close()
