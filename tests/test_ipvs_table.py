"""``/proc/net/ip_vs`` as the kernel prints it (``ip_vs_info_seq_show``), read."""

from __future__ import annotations

from harness.observers.ipvs import Destination, parse

SHOWN = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  AC100A32:0050 rr  
  -> AC100A15:0050      Route   1      2          3         
  -> AC100A16:1F90      Masq    0      0          0         
UDP  [fd00:0010:0000:0000:0000:0000:0000:0050]:0035 wlc persistent 360 FFFFFFFF
  -> [fd00:0010:0000:0000:0000:0000:0000:0021]:0035      Tunnel  10     0          0         
FWM  0000000A sh  
"""  # noqa: W291


def test_each_kind_of_line_is_read() -> None:
    assert parse(SHOWN) == {
        "TCP 172.16.10.50:80": {
            "172.16.10.21:80": Destination(1, 2, 3),
            "172.16.10.22:8080": Destination(0, 0, 0),
        },
        "UDP [fd00:10::50]:53": {"[fd00:10::21]:53": Destination(10, 0, 0)},
        "FWM 10": {},
    }


def test_an_empty_table() -> None:
    assert parse("".join(SHOWN.splitlines(keepends=True)[:3])) == {}
