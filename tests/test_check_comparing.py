"""What differs between directors that should be alike is a finding, and what may differ is none.
Pure.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.check.arithmetic import weights
from harness.check.comparing import compare
from harness.check.facts import Reading
from harness.check.files import Configuration
from harness.topology.services import VirtualService
from harness.topology.vrrp import VrrpInstance
from tests.readings import BACKUP, FILES, INSTANCE, SERVER, SERVICE, TEXT, configuration, tracking


def named(one: Reading, other: Reading, files: list[Configuration] = FILES) -> list[str]:
    return [finding.name for finding in compare({"lb1": one, "lb2": other}, files)]


def test_directors_that_are_alike_have_no_finding() -> None:
    assert (
        named(Reading((INSTANCE,), services=(SERVICE,)), Reading((BACKUP,), services=(SERVICE,)))
        == []
    )


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("vips-differ", {"vip": "192.0.2.88"}),
        ("advert-int-differs", {"advert_int": 2}),
        ("version-differs", {"version": 3}),
        ("auth-differs", {"authentication": "none"}),
        ("unicast-differs", {"unicast_peers": ("192.0.2.11",)}),
        ("priority-same", {"priority": 120}),
        ("interface-differs", {"interface": "eth1"}),
        ("vrid-differs", {"vrid": 61}),
    ],
)
def test_what_differs_between_instances_is_named(name: str, change: dict[str, object]) -> None:
    other = replace(BACKUP, **change)  # type: ignore[arg-type]
    assert set(named(Reading((INSTANCE,)), Reading((other,)))) == {name}


def test_another_interval_is_no_finding_where_the_version_takes_the_master_s() -> None:
    one, other = replace(INSTANCE, version=3), replace(BACKUP, version=3, advert_int=2)
    assert named(Reading((one,)), Reading((other,))) == []


def test_another_password_is_a_finding_by_its_first_eight_bytes() -> None:
    pair = Reading((INSTANCE,)), Reading((BACKUP,))
    other = configuration("lb2", TEXT.replace(b"secret", b"secret2"))
    assert named(*pair, [FILES[0], other]) == ["auth-differs"]
    long = [
        configuration(name, TEXT.replace(b"secret", b"12345678" + end))
        for name, end in (("lb1", b"a"), ("lb2", b"b"))
    ]
    assert named(*pair, long) == []


def test_two_clusters_of_one_vrid_are_not_compared() -> None:
    stranger = replace(BACKUP, name="other", vip="192.0.2.99")
    files = [FILES[0], configuration("lb2", TEXT.replace(b"secret", b"other"))]
    assert named(Reading((INSTANCE,)), Reading((stranger,)), files) == []


def test_one_vrid_on_two_lans_is_two_virtual_routers() -> None:
    def on(interface: str, address: str, priority: int, weight: int) -> VrrpInstance:
        return replace(
            tracking(weight, INSTANCE), interface=interface, vip=address, priority=priority
        )

    one = Reading((on("eth0", "192.0.2.80", 120, -50), on("eth1", "198.51.100.80", 90, -50)))
    other = Reading((on("eth1", "198.51.100.80", 110, -50), on("eth0", "192.0.2.80", 100, -50)))
    assert named(one, other) == []
    assert weights({"lb1": one, "lb2": other}, FILES) == []


def test_two_families_may_have_one_vrid() -> None:
    six = replace(INSTANCE, name="V6", version=3, vip="2001:db8::80")
    one, other = Reading((INSTANCE, six)), Reading((BACKUP, replace(six, priority=110)))
    assert named(one, other) == []


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("scheduler-differs", replace(SERVICE, scheduler="wlc")),
        ("lb-kind-differs", replace(SERVICE, real_servers=(replace(SERVER, method="NAT"),))),
        ("weights-differ", replace(SERVICE, real_servers=(replace(SERVER, weight=2),))),
        (
            "real-servers-differ",
            replace(SERVICE, real_servers=(SERVER, replace(SERVER, address="192.0.2.82"))),
        ),
        ("persistence-differs", replace(SERVICE, persistence_timeout=60)),
    ],
)
def test_what_differs_between_services_is_named(name: str, service: VirtualService) -> None:
    assert named(Reading(services=(SERVICE,)), Reading(services=(service,))) == [name]


def test_a_service_of_one_director_is_named_with_its_line() -> None:
    mark = replace(SERVICE, vip="", fwmark=7)
    found = compare(
        {"lb1": Reading(services=(SERVICE,)), "lb2": Reading(services=(SERVICE, mark))}, FILES
    )
    assert [finding.text for finding in found] == ["mark 7 is only on lb2: lb1 lacks it"]
    found = compare({"lb1": Reading(services=(SERVICE,)), "lb2": Reading(services=(mark,))}, FILES)
    assert found[0].where == "lb1.conf:15"


def test_a_peer_that_is_not_where_the_other_speaks_from_is_named() -> None:
    one = replace(INSTANCE, source="192.0.2.1", unicast_peers=("192.0.2.2",))
    other = replace(BACKUP, source="192.0.2.2", unicast_peers=("192.0.2.3",))

    assert named(Reading((one,)), Reading((other,))) == ["peer-differs"]
    assert (
        named(Reading((one,)), Reading((replace(other, unicast_peers=("192.0.2.1", "192.0.2.3")),)))
        == []
    )


@pytest.mark.parametrize(
    ("peer", "source", "expected"),
    [
        ("2001:db8::2", None, ["peer-differs"]),
        ("2001:db8::2", "2001:db8::2", []),
        ("fe80::2", None, []),
        ("192.0.2.2", None, []),
    ],
)
def test_who_has_peers_of_ipv6_needs_the_address_that_they_name(
    peer: str, source: str | None, expected: list[str]
) -> None:
    """keepalived would speak from its link-local address, and listen there alone."""
    one = replace(INSTANCE, source="192.0.2.1", unicast_peers=(peer,))
    other = replace(BACKUP, source=source, unicast_peers=("192.0.2.1",))

    assert named(Reading((one,)), Reading((other,))) == expected


def test_two_databases_that_each_director_has_alone_are_the_directors_themselves() -> None:
    also = replace(SERVICE, real_servers=(replace(SERVER, address="192.0.2.82"),))

    assert (
        named(Reading((INSTANCE,), services=(SERVICE,)), Reading((BACKUP,), services=(also,))) == []
    )
