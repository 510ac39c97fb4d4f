"""The hash functions by which IPVS schedules, and the table of Maglev hashing. Pure, and exact to
the bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from itertools import cycle
from math import gcd

_GOLDEN_RATIO_32 = 0x61C88647  # include/linux/hash.h
_MASK_32, _MASK_64 = (1 << 32) - 1, (1 << 64) - 1

MAGLEV_SIZE = 4093
"""Buckets of mh's table: the prime for CONFIG_IP_VS_MH_TAB_INDEX=12, which distributions leave as
it is.
"""
_MAGLEV_WEIGHT_BITS = 6  # IP_VS_MH_TAB_BITS: half of the index
_MAGLEV_KEYS = (2654435761, 2654446892)  # ip_vs_mh.c, generate_hash_secret


def folded(address: str) -> int:
    """An address as a number of 32 bits: IPv4 itself, the four words of IPv6 exclusively ored."""
    number = int(ip_address(address))
    result = 0
    while number:
        result ^= number & _MASK_32
        number >>= 32
    return result


def hash_32(value: int, bits: int) -> int:
    """Multiplicative hashing to ``bits`` bits (include/linux/hash.h, ``__hash_32_generic``)."""
    return ((value * _GOLDEN_RATIO_32) & _MASK_32) >> (32 - bits)


def hsiphash(value: int, key: int) -> int:
    """The kernel's hsiphash of one 32-bit word on a 64-bit machine, both halves of the key being
    ``key``.

    SipHash with one round a word and three at the end, cut to 32 bits (lib/siphash.c).
    """
    v = [
        key ^ 0x736F6D6570736575,
        key ^ 0x646F72616E646F6D,
        key ^ 0x6C7967656E657261,
        key ^ 0x7465646279746573,
    ]
    word = 4 << 56 | value  # the length in bytes, and the four bytes
    v[3] ^= word
    _sipround(v)
    v[0] ^= word
    v[2] ^= 0xFF
    for _ in range(3):
        _sipround(v)
    return (v[0] ^ v[1] ^ v[2] ^ v[3]) & _MASK_32


def _sipround(v: list[int]) -> None:
    for left, right, turn in ((0, 1, 13), (2, 3, 16), (0, 3, 21), (2, 1, 17)):
        v[left] = (v[left] + v[right]) & _MASK_64
        v[right] = _rotated(v[right], turn) ^ v[left]
        if turn in (13, 17):
            v[left] = _rotated(v[left], 32)


def _rotated(value: int, turn: int) -> int:
    return (value << turn | value >> (64 - turn)) & _MASK_64


def maglev_bucket(address: str, port: int = 0, key: int = _MAGLEV_KEYS[0]) -> int:
    """The bucket of a client (``ip_vs_mh_hashkey``)."""
    return hsiphash((folded(address) + port) & _MASK_32, key) % MAGLEV_SIZE


def maglev_table(servers: Sequence[tuple[str, int, int]]) -> list[int | None]:
    """Which of ``servers`` (address, port, weight) each bucket belongs to, by position; None if all
    weigh 0.

    Every server prefers buckets in an order of its own and takes in its turn as many as its share
    of the weight (``ip_vs_mh_permutate``, ``ip_vs_mh_populate``).
    """
    table: list[int | None] = [None] * MAGLEV_SIZE
    step = gcd(*(weight for _, _, weight in servers))
    if step == 0:
        return table
    shift = max(
        0, (max(weight for _, _, weight in servers) // step).bit_length() - _MAGLEV_WEIGHT_BITS
    )
    turns = [(weight // step >> shift) or int(weight != 0) for _, _, weight in servers]
    at = [maglev_bucket(address, port) for address, port, _ in servers]
    skips = [
        hsiphash((folded(address) + port) & _MASK_32, _MAGLEV_KEYS[1]) % (MAGLEV_SIZE - 1) + 1
        for address, port, _ in servers
    ]
    free = MAGLEV_SIZE
    for server in cycle(range(len(servers))):
        for _ in range(min(turns[server], free)):
            while table[at[server]] is not None:
                at[server] = (at[server] + skips[server]) % MAGLEV_SIZE
            table[at[server]] = server
            free -= 1
        if not free:
            return table
    raise AssertionError("unreachable: there is a server that weighs something")
