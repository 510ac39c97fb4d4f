"""The model of the schedulers: what net/netfilter/ipvs/ip_vs_*.c says, on small examples that
can be done by hand.
"""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.ipvs import hashes
from harness.ipvs.schedulers import MODELS, Flow, Server, predict
from harness.topology.services import SCHEDULERS

A, B, C = "172.16.10.21", "172.16.10.22", "172.16.10.23"
VIP = "172.16.10.50"


def flows(
    count: int, held: bool = False, source: str = "172.16.10.100", vip: str = VIP
) -> list[Flow]:
    return [Flow(source, vip, held)] * count


def servers(*weights: int) -> list[Server]:
    return [Server(address, weight) for address, weight in zip((A, B, C), weights, strict=False)]


def test_every_scheduler_that_a_service_may_have_has_a_model() -> None:
    assert set(MODELS) == set(SCHEDULERS)


def test_a_scheduler_without_a_model_is_named() -> None:
    with pytest.raises(
        HarnessError, match="no model of the scheduler twos; there is one of rr, wrr"
    ):
        predict("twos", servers(1), flows(1))


@pytest.mark.parametrize(
    ("scheduler", "weights", "held", "expected"),
    [
        ("rr", (1, 2, 3), False, [C, B, A, C, B, A]),  # the one added last comes first
        ("rr", (1, 0, 3), False, [C, A, C]),
        ("wrr", (1, 2, 3), False, [C, C, B, C, B, A, C]),
        ("wrr", (2, 4, 0), False, [B, B, A, B]),  # in steps of the greatest common divisor
        ("lc", (1, 2, 3), True, [C, B, A, C, B, A]),
        ("wlc", (1, 2, 3), True, [C, B, A, C, B, C]),
        ("sed", (1, 2, 3), True, [C, B, C, C, B, A]),
        ("nq", (1, 2, 3), True, [C, B, A, C, C, B]),
        ("fo", (1, 3, 2), True, [B] * 5),
        ("fo", (1, 1, 1), True, [C] * 3),
        ("ovf", (1, 2, 0), True, [B, B, B, A, A, None]),
        ("lblc", (1, 1, 1), True, [C, C, B, B, A, A, A, A]),  # all full: it stays
        ("lblcr", (1, 1, 1), True, [C, C, B, B, A, A]),
    ],
)
def test_turns(
    scheduler: str, weights: tuple[int, ...], held: bool, expected: list[str | None]
) -> None:
    assert predict(scheduler, servers(*weights), flows(len(expected), held)) == expected


def test_an_established_connection_weighs_as_much_as_256_others() -> None:
    busy = [Server(A, active=1), Server(B, inactive=255), Server(C, inactive=257)]
    assert predict("lc", busy, flows(3)) == [B, B, A]
    assert predict("sed", busy, flows(1)) == [C]


@pytest.mark.parametrize("scheduler", sorted(MODELS))
def test_nobody_is_chosen_of_nobody_and_of_the_drained(scheduler: str) -> None:
    assert predict(scheduler, [], flows(2)) == [None, None]
    assert predict(scheduler, servers(0, 0), flows(2)) == [None, None]


def test_a_model_leaves_the_servers_as_they_were() -> None:
    given = servers(1, 1)
    predict("lc", given, flows(3, held=True))
    assert [(server.active, server.inactive) for server in given] == [(0, 0), (0, 0)]


def test_a_drained_server_keeps_its_clients_in_the_tables_of_hashes() -> None:
    clients = [Flow(f"172.16.10.{host}", VIP) for host in range(100, 140)]
    usual = predict("mh", servers(1, 1, 1), clients)
    drained = [server.drained() if server.address == B else server for server in servers(1, 1, 1)]
    assert predict("mh", drained, clients) == [
        None if address == B else address for address in usual
    ]
    assert predict("sh", drained, clients) == [
        None if address == B else address for address in predict("sh", servers(1, 1, 1), clients)
    ]


def test_destination_hashing_deals_its_buckets_in_turn() -> None:
    """172.16.10.50 is 0xac100a32; times the golden ratio its highest byte is 0x9e... of which
    every third is alike.
    """
    bucket = hashes.hash_32(0xAC100A32, 8)
    assert bucket == ((0xAC100A32 * 0x61C88647) % 2**32) >> 24
    assert predict("dh", servers(1, 1, 1), flows(1)) == [(C, B, A)[bucket % 3]]


# -- hashes ----------------------------------------------------------------------------------------


def test_an_ipv6_address_is_folded() -> None:
    assert hashes.folded("172.16.10.50") == 0xAC100A32
    assert hashes.folded("fd00:10::50") == 0xFD000010 ^ 0x50


def test_hsiphash_is_the_kernel_s() -> None:
    """These eight clients were seen to reach these servers, in kernels 7.3 and 6.1."""
    given = servers(1, 2, 3)
    for server in given:
        server.port = 8011
    clients = [Flow(f"172.16.10.{host}", VIP) for host in range(101, 109)]
    assert predict("mh", given, clients) == [C, A, C, A, C, B, C, A]


@pytest.mark.parametrize(
    ("weights", "shares"),
    [((1, 1), (2047, 2046)), ((1, 2), (1365, 2728)), ((3, 0), (4093, 0)), ((100, 1), (4013, 80))],
)
def test_maglev_shares_its_table_by_weight(
    weights: tuple[int, int], shares: tuple[int, int]
) -> None:
    table = hashes.maglev_table(
        [(address, 80, weight) for address, weight in zip((A, B), weights, strict=True)]
    )
    assert (table.count(0), table.count(1)) == shares


def test_maglev_table_changes_little_when_a_server_goes() -> None:
    three = hashes.maglev_table([(A, 80, 1), (B, 80, 1), (C, 80, 1)])
    two = hashes.maglev_table([(A, 80, 1), (B, 80, 1)])
    moved = sum(before != after for before, after in zip(three, two, strict=True) if before != 2)
    assert moved < hashes.MAGLEV_SIZE * 0.1
