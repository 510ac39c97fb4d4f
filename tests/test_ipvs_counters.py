"""IPVS's counters: what ipvsadm prints of them."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.ipvs import counters

SAID = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
  -> RemoteAddress:Port
TCP  172.16.10.50:80                   3       18        0     1206        0
  -> 172.16.10.21:80                   2       12        0      804        0
FWM  1 IPv6                            0        0        0        0        0
"""


def test_every_counter_is_known_by_whose_it_is() -> None:
    found = {(of, name): value for of, name, value in counters.parse(SAID)}
    assert found["TCP 172.16.10.50:80", "inpkts"] == 18
    assert found["TCP 172.16.10.50:80 -> 172.16.10.21:80", "conns"] == 2
    assert found["FWM 1", "outbytes"] == 0
    assert len(found) == 3 * len(counters.NAMES)


@pytest.mark.parametrize("line", ["TCP  172.16.10.50:80 3 18 0 12M 0", "1 2 3 4 5", "nothing"])
def test_what_is_no_counter_is_told(line: str) -> None:
    with pytest.raises(HarnessError, match="no number"):
        [*counters.parse(line)]
