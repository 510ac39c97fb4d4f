"""The rules that mark packets for virtual services by firewall mark."""

from __future__ import annotations

from harness.daemons.firewall import marks
from harness.topology import VirtualService

VIP, VIP6 = "172.16.10.50", "fd00:10::50"


def test_every_endpoint_of_a_service_gets_its_mark_in_its_own_family() -> None:
    services = [
        VirtualService(VIP, fwmark=1, group=((VIP, 443),)),
        VirtualService(VIP6, port=53, protocol="UDP", fwmark=2),
        VirtualService(VIP, port=81),
    ]
    assert marks(services, 4).splitlines() == [
        "*mangle",
        f"-A PREROUTING -d {VIP} -p tcp --dport 80 -j MARK --set-mark 1",
        f"-A PREROUTING -d {VIP} -p tcp --dport 443 -j MARK --set-mark 1",
        "COMMIT",
    ]
    assert marks(services, 6).splitlines() == [
        "*mangle",
        f"-A PREROUTING -d {VIP6} -p udp --dport 53 -j MARK --set-mark 2",
        "COMMIT",
    ]


def test_services_without_a_mark_need_no_rules() -> None:
    assert marks([VirtualService(VIP)], 4) == ""
