"""The connection table as the kernel prints it, and what is told of it."""

from __future__ import annotations

from dataclasses import replace

from harness.ipvs.connections import Entry, changes, parse

TEXT = """\
Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires
TCP AC100A64 8000 AC100A32 0050 AC100A15 0050 ESTABLISHED LOCAL      899
UDP AC100A64 8000 AC100A32 0035 AC100A16 0035 UDP         SYNC       180
TCP fd00:0010:0000:0000:0000:0000:0000:0100 8001 fd00:0010:0000:0000:0000:0000:0000:0050 0050 \
fd00:0010:0000:0000:0000:0000:0000:0021 0050 FIN_WAIT    LOCAL       42
"""


def test_entries_are_told_by_protocol_and_both_ends() -> None:
    tcp, udp, six = parse(TEXT)
    assert tcp == Entry(
        "TCP",
        ("172.16.10.100", 32768),
        ("172.16.10.50", 80),
        ("172.16.10.21", 80),
        "ESTABLISHED",
        899,
        False,
    )
    assert tcp.key != udp.key
    assert udp.synchronised
    assert six.server == ("fd00:10::21", 80)
    assert parse(TEXT.splitlines()[0]) == []


def test_changes_are_of_entries_and_not_of_their_time() -> None:
    tcp, udp, six = parse(TEXT)
    later = replace(tcp, expires=890)
    closing = replace(six, state="TIME_WAIT")
    assert changes([tcp, udp, six], [later, closing]) == [("removed", udp), ("changed", closing)]
    assert changes([], [tcp]) == [("added", tcp)]
