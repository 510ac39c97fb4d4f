"""Which packets are a check's: the first of each connection that a director opens itself."""

from __future__ import annotations

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from harness.observers.packets import Frame
from harness.search.observed import Probe, probes_of
from harness.search.setting import setting_of_plan
from harness.spec import ClusterSpec
from topologies.director_pair import DirectorPair

OWN, OTHER, WEB = "172.16.10.11", "172.16.10.100", "172.16.10.21"


def sent(at: float, sequence: int, source: str = OWN, flags: str = "S") -> Frame:
    packet = IP(src=source, dst=WEB) / TCP(sport=40000, dport=80, seq=sequence, flags=flags)
    return Frame(at, "director1", "eth0", True, bytes(Ether() / packet))


@pytest.mark.parametrize(
    ("second", "counts"),
    [
        (sent(2.0, 1), False),
        (sent(2.0, 7), True),
        (sent(2.0, 7, source=OTHER), False),
        (sent(2.0, 7, flags="A"), False),
    ],
    ids=["sent again", "a port that is used again", "forwarded", "not its first packet"],
)
def test_a_packet_is_a_check_if_it_opens_a_connection_of_the_director(
    second: Frame, counts: bool
) -> None:
    setting = setting_of_plan(ClusterSpec(DirectorPair).plan(), 0.005)
    found = list(probes_of([sent(1.0, 1), second], setting))
    assert len(found) == (2 if counts else 1)
    assert found[0] == Probe(1.0, "director1", f"{WEB}:80")
