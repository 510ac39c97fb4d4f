"""Advertisements that a phantom router sends: the right one is right, and a lie changes what it
names alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scapy.layers.inet import IP, in4_chksum
from scapy.layers.inet6 import IPv6, in6_chksum
from scapy.layers.l2 import Ether
from scapy.utils import checksum

from harness import events
from harness.daemons.advertisements import CHECKSUMS, PROTOCOL, Advertisement
from harness.errors import HarnessError
from harness.observers import protocols
from harness.observers.packets import Frame
from harness.timeline import Timeline
from harness.topology import VrrpInstance

VERSION_2 = VrrpInstance(
    vrid=51, vip="172.16.10.50", priority=200, advert_int=2, auth_pass="lvs-dr"
)
VERSION_3 = VrrpInstance(vrid=51, vip="172.16.10.50", priority=200, version=3, advert_int=0.5)
OVER_IPV6 = VrrpInstance(vrid=51, vip="fe80::50", priority=200, version=3)
SOURCES = {"172.16.10.50": "172.16.10.12", "fe80::50": "fe80::12"}
INSTANCES = pytest.mark.parametrize(
    "instance", [VERSION_2, VERSION_3, OVER_IPV6], ids=["v2", "v3", "IPv6"]
)


def right(instance: VrrpInstance) -> Advertisement:
    return Advertisement.of(instance, SOURCES[instance.vips[0]])


def message(advertisement: Advertisement) -> bytes:
    """What follows the header of IPv4 or IPv6."""
    built = Ether(bytes(advertisement.packet()))
    around = built[IP] if advertisement.family == 4 else built[IPv6]
    return bytes(around.payload)


@INSTANCES
def test_right_one_says_what_the_instance_does(instance: VrrpInstance) -> None:
    timeline = Timeline()
    protocols.record(Frame(1.0, "phantom", "eth0", True, bytes(right(instance).packet())), timeline)
    (event,) = timeline.events(events.Advertisement)

    said = (
        event.version,
        event.vrid,
        event.priority,
        event.interval,
        event.addresses,
        event.source,
    )
    source = SOURCES[instance.vips[0]]
    assert said == (instance.version, 51, 200, instance.advert_int, instance.vips[0], source)
    assert event.destination == ("ff02::12" if ":" in source else "224.0.0.18")


@INSTANCES
def test_right_one_has_the_virtual_mac_and_all_its_hops(instance: VrrpInstance) -> None:
    built = Ether(bytes(right(instance).packet()))
    over_ipv6 = instance is OVER_IPV6
    assert built.src == ("00:00:5e:00:02:33" if over_ipv6 else "00:00:5e:00:01:33")
    assert (built[IPv6].hlim if over_ipv6 else built[IP].ttl) == 255


@INSTANCES
@pytest.mark.parametrize("length", [None, 8, 9, 11])
def test_checksum_is_right_whatever_is_cut(instance: VrrpInstance, length: int | None) -> None:
    advertisement = right(instance).replace(length=length)
    built, said = Ether(bytes(advertisement.packet())), message(advertisement)
    if instance.version == 2:
        assert checksum(said) == 0
    else:
        over: Callable[[int, Any, bytes], int] = in6_chksum if IPv6 in built else in4_chksum
        assert over(PROTOCOL, built[IPv6] if IPv6 in built else built[IP], said) == 0
    assert length in (None, len(said))


@INSTANCES
def test_wrong_checksums_are_wrong(instance: VrrpInstance) -> None:
    found = {name: message(right(instance).replace(checksum=name))[6:8] for name in CHECKSUMS}
    same = "message only" if instance.version == 2 else "with pseudo-header"
    assert found["right"] == found[same]
    assert len({*found.values()}) == len(CHECKSUMS) - 1


@INSTANCES
@pytest.mark.parametrize(
    ("lie", "changed"),
    [
        ({"version": 4}, {0}),
        ({"type": 2}, {0}),
        ({"vrid": 52}, {1}),
        ({"priority": 0}, {2}),
        ({"count": 9}, {3}),
        ({"interval": 77}, {5}),
    ],
)
def test_lie_changes_what_it_names(
    instance: VrrpInstance, lie: dict[str, Any], changed: set[int]
) -> None:
    before, after = message(right(instance)), message(right(instance).replace(**lie))
    differ = {at for at, (one, other) in enumerate(zip(before, after, strict=True)) if one != other}
    assert differ - {6, 7} == changed
    assert differ & {6, 7}, "the checksum follows"


def test_password_is_in_the_packet() -> None:
    assert message(right(VERSION_2))[-8:] == b"lvs-dr\0\0"
    assert message(right(VERSION_2))[4] == 1
    assert right(VERSION_3).auth_type == 0


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        ({"ttl": 256}, "scapy cannot build"),
        ({"addresses": ("nowhere!",)}, "scapy cannot build"),
        ({"checksum": "nearly"}, "checksum is one of right, wrong"),
    ],
)
def test_what_cannot_be_built_is_named(lie: dict[str, Any], reason: str) -> None:
    with pytest.raises(HarnessError, match=reason):
        bytes(right(VERSION_3).replace(**lie).packet())


def test_unknown_field_is_named() -> None:
    with pytest.raises(HarnessError, match="'hops'"):
        right(VERSION_3).replace(hops=1)
