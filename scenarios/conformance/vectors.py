"""The packets, and what the RFCs say of each: one table for each kind of VRRP, in the order of the
fields.

Rules are quoted in a few words, with the sections of RFC 3768 (version 2) and RFC 9568 (version 3;
its errata by number). Where RFC 5798 differs from RFC 9568, its rule is a line of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DISCARDED, OBEYED, HURRIED = "discarded", "obeyed", "hurried"
MASTER, BACKUP = "master", "backup"
OTHER_VIP, SECOND_VIP = {4: "172.16.10.60", 6: "fe80::60"}, {4: "172.16.10.61", 6: "fe80::61"}
LOWER, HIGHER = (
    {4: "172.16.10.2", 6: "fe80::1"},
    {4: "172.16.10.200", 6: "fe80::ffff:ffff:ffff:fff0"},
)


@dataclass(frozen=True)
class Vector:
    """``packets``: what is wrong in each, by field. ``due``: what a director in each state does
    that keeps to ``rule``; ``level`` is the RFC's word, of which a director that must log the
    packet has none to obey.
    """

    name: str
    rule: str
    level: str
    packets: tuple[Mapping[str, Any], ...]
    due: Mapping[str, str]
    logs: bool = True


@dataclass(frozen=True)
class Kind:
    """One kind of VRRP: ``vrrp`` is what the topology is given for it, ``full`` how many bytes
    its message has.
    """

    name: str
    family: int
    version: int
    full: int
    vrrp: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rfc(self) -> str:
        """The RFC that has its rules."""
        return "RFC 3768" if self.version == 2 else "RFC 9568"


KINDS = (
    Kind("IPv4 version 2", 4, 2, 20),
    Kind("IPv4 version 2 with a password", 4, 2, 20, {"auth_pass": "lvs-dr"}),
    Kind("IPv4 version 3", 4, 3, 12, {"version": 3}),
    Kind("IPv6 version 3", 6, 3, 24, {"version": 3, "vip": "fe80::50"}),
    Kind("IPv4 version 3 by RFC 9568", 4, 3, 12, {"version": 3, "pseudo_header": False}),
)
PASSWORD, BY_9568 = KINDS[1], KINDS[-1]
"""Of these only what is theirs alone is tried. keepalived goes by RFC 9568 with
v3_checksum_as_v2, since 2.2.8.
"""
ALWAYS_DISCARDED = {MASTER: DISCARDED, BACKUP: DISCARDED}
ALWAYS_OBEYED = {MASTER: OBEYED, BACKUP: OBEYED}


def _bad(name: str, rule: str, *packets: Mapping[str, Any]) -> Vector:
    return Vector(name, rule, "MUST", packets, ALWAYS_DISCARDED)


def _good(
    name: str, rule: str, level: str, packet: Mapping[str, Any], logs: bool = False
) -> Vector:
    return Vector(name, rule, level, (packet,), ALWAYS_OBEYED, logs)


def vectors(kind: Kind) -> list[Vector]:
    """All packets of a kind."""
    if kind is PASSWORD:
        return list(_passwords(kind))
    if kind is BY_9568:
        return [_header(kind)[0], *_checksums(kind)]
    parts = [_header, _first_word, _addresses, _checksums, _intervals, _priorities]
    found = [vector for part in parts for vector in part(kind)]
    return found + list(_authentication(kind) if kind.version == 2 else _reserved(kind))


def _header(kind: Kind) -> Sequence[Vector]:
    section = {(4, 2): "5.2.3", (4, 3): "5.1.1.3", (6, 3): "5.1.2.3"}[kind.family, kind.version]
    rule = (
        f"{kind.rfc} {section}: one whose {'TTL' if kind.family == 4 else 'Hop Limit'} is not"
        f" 255 is discarded"
    )
    word = "TTL" if kind.family == 4 else "hop limit"
    return [
        _good(
            "as it should be",
            f"{kind.rfc} 6.4.3 and 6.4.2: one of a higher priority is obeyed",
            "MUST",
            {},
        ),
        *(_bad(f"{word} {ttl}", rule, {"ttl": ttl}) for ttl in (1, 64, 128, 254)),
    ]


def _first_word(kind: Kind) -> Sequence[Vector]:
    mine = f"{kind.rfc} 7.1: the version is {kind.version}"
    types = (
        f"{kind.rfc} {'5.3.2' if kind.version == 2 else '5.2.2'}: one of an unknown type is"
        f" discarded"
    )
    vrid = f"{kind.rfc} 7.1: the VRID is configured on the receiving interface"
    whole = f"{kind.rfc} 7.1: the packet is complete"
    other_form = 3 if kind.version == 2 else 2
    versions = [
        _bad(f"version {claimed}", mine, {"version": claimed})
        for claimed in range(16)
        if claimed in (0, 1, 4, 15)
    ]
    if kind.family == 4:
        versions.append(_bad(f"a right one of version {other_form}", mine, _as_version(other_form)))
    return [
        *versions,
        _bad(f"version {other_form}, as version {kind.version}", mine, {"version": other_form}),
        *(_bad(f"type {number}", types, {"type": number}) for number in (0, 2, 8, 15)),
        *(_bad(f"VRID {number}", vrid, {"vrid": number}) for number in (0, 50, 52, 255)),
        _bad(f"no byte of {kind.full}", whole, {"length": 0}),
        _bad(
            "cut within the first 8 bytes", whole, *({"length": length} for length in range(1, 8))
        ),
        _bad("cut to the first 8 bytes", whole, {"length": 8}),
        _bad(
            "cut within the rest",
            whole,
            *({"length": length} for length in range(9, kind.full - 1)),
        ),
        _bad("cut by its last byte", whole, {"length": kind.full - 1}),
    ]


def _as_version(form: int) -> Mapping[str, Any]:
    return {"form": form, "version": form, "interval": 1 if form == 2 else 100}


def _addresses(kind: Kind) -> Sequence[Vector]:
    whole = f"{kind.rfc} 7.1: the packet is complete"
    other, second = OTHER_VIP[kind.family], SECOND_VIP[kind.family]
    own = "172.16.10.50" if kind.family == 4 else "fe80::50"
    lists: dict[str, dict[str, Any]] = {
        "another address": {"addresses": (other,)},
        "its own address and another": {"addresses": (own, other)},
        "its own address twice": {"addresses": (own, own)},
        "two other addresses": {"addresses": (other, second)},
    }
    found = [
        _bad("count 2 of one address", whole, {"count": 2}),
        _bad("count 255 of one address", whole, {"count": 255}),
    ]
    if kind.version == 2:
        none: dict[str, dict[str, Any]] = {
            "no address": {"addresses": ()},
            "count 0 of one address": {"count": 0},
        }
        rule = (
            "RFC 3768 7.1: of a list that it verifies (MAY) and that differs, it drops the"
            " packet but an owner's"
        )
        found += [_bad(name, rule, packet) for name, packet in {**lists, **none}.items()]
        rule = "RFC 3768 7.1: an owner's (priority 255) packet is processed whatever its list"
        found.append(
            _good(
                "another address, of the owner",
                rule,
                "MUST",
                {"addresses": (other,), "priority": 255},
                True,
            )
        )
        return found
    rule = (
        "RFC 9568 7.1: of a list that it verifies (MAY) and that differs, it logs (SHOULD),"
        " and goes on"
    )
    found += [_good(name, rule, "SHOULD", packet, True) for name, packet in lists.items()]
    rule = "RFC 9568 5.2.5 (erratum 8299): one with count 0 is ignored"
    found += [
        _bad("no address", rule, {"addresses": ()}),
        _bad("count 0 of one address", rule, {"count": 0}),
    ]
    return found


def _checksums(kind: Kind) -> Sequence[Vector]:
    rule = f"{kind.rfc} 7.1: the checksum is verified"
    found = [
        _bad("a wrong checksum", rule, {"checksum": "wrong"}),
        _bad("checksum 0", rule, {"checksum": "zero"}),
    ]
    if kind.version == 2:
        rule = "RFC 3768 5.3.8: the checksum is of the VRRP message alone"
        return [
            *found,
            _bad("checksum with pseudo-header", rule, {"checksum": "with pseudo-header"}),
        ]
    if kind.family == 6:
        rule = "RFC 9568 5.2.8: over IPv6 the checksum includes the pseudo-header"
        return [*found, _bad("checksum of the message alone", rule, {"checksum": "message only"})]
    rule = "RFC 9568 5.2.8: over IPv4 the checksum is of the VRRP message alone"
    if kind is BY_9568:
        return [
            *found,
            _good("checksum of the message alone", rule, "MUST", {"checksum": "message only"}),
            _bad("checksum with pseudo-header", rule, {"checksum": "with pseudo-header"}),
        ]
    return [
        *found,
        _good("checksum of the message alone", rule, "MUST", {"checksum": "message only"}),
        _good(
            "checksum with pseudo-header",
            "RFC 5798 5.2.8: the checksum includes the pseudo-header (RFC 9568 5.2.8: over IPv4"
            " it does not)",
            "MUST",
            {"checksum": "with pseudo-header"},
        ),
    ]


def _intervals(kind: Kind) -> Sequence[Vector]:
    if kind.version == 2:
        rule = "RFC 3768 7.1: the interval is the one configured here"
        return [
            _bad(f"interval {seconds} s", rule, {"interval": seconds})
            for seconds in (0, 2, 100, 255)
        ]
    rule = (
        "RFC 9568 7.1: of an interval that differs it logs (SHOULD); 6.4.2 and 6.4.3: and"
        " takes it over"
    )
    longer = [
        _good(f"interval {hundredths / 100} s", rule, "MUST", {"interval": hundredths}, True)
        for hundredths in (99, 101, 200, 4095)
    ]
    zero = "RFC 9568 7.1 (erratum 8301): the interval is not 0"
    return [_bad("interval 0", zero, {"interval": 0}), *longer]


def _priorities(kind: Kind) -> Sequence[Vector]:
    rfc, family = kind.rfc, kind.family
    master = f"{rfc} 6.4.3"
    lower = f"{master} and 6.4.2: one of a lower priority is discarded (of a backup that preempts)"
    higher = f"{master} and 6.4.2: one of a higher priority is obeyed"
    equal = (
        f"{master}: of equal priorities the higher address wins; 6.4.2: a backup obeys an equal one"
    )
    zero = (
        f"{master}: a master answers with an advertisement; 6.4.2: a backup waits for the skew time"
    )
    by_state = {MASTER: DISCARDED, BACKUP: OBEYED}
    return [
        Vector(
            "priority 0",
            zero,
            "MUST",
            ({"priority": 0},),
            {MASTER: DISCARDED, BACKUP: HURRIED},
            logs=False,
        ),
        *(
            Vector(
                f"priority {number}",
                lower,
                "MUST",
                ({"priority": number},),
                ALWAYS_DISCARDED,
                logs=False,
            )
            for number in (1, 99)
        ),
        *(
            _good(f"priority {number}", higher, "MUST", {"priority": number})
            for number in (101, 254, 255)
        ),
        Vector(
            "equal priority, lower address",
            equal,
            "MUST",
            ({"priority": 100, "source": LOWER[family]},),
            by_state,
            logs=False,
        ),
        _good(
            "equal priority, higher address",
            equal,
            "MUST",
            {"priority": 100, "source": HIGHER[family]},
        ),
    ]


def _reserved(kind: Kind) -> Sequence[Vector]:
    rule = "RFC 9568 5.2.6: reserved bits are ignored"
    return [
        _good(f"reserved bits {bits:04b}", rule, "MUST", {"reserved": bits})
        for bits in (1, 2, 4, 8, 15)
    ]


def _authentication(kind: Kind) -> Sequence[Vector]:
    rule = (
        "RFC 3768 5.3.6: one of an authentication type that is unknown, or not the one"
        " configured, is discarded"
    )
    data = "RFC 3768 5.3.10: authentication data are ignored"
    return [
        *(
            _bad(f"authentication type {number}", rule, {"auth_type": number})
            for number in (1, 2, 3, 255)
        ),
        _good(
            "authentication data without a type", data, "SHOULD", {"authentication": b"lvs-dr\0\0"}
        ),
    ]


def _passwords(kind: Kind) -> Sequence[Vector]:
    rule = "RFC 3768 7.1: the authentication type is the one configured, and is performed"
    wrong = {
        "the wrong password": b"lvs-dx\0\0",
        "no password": bytes(8),
        "the beginning of the password": b"lvs\0\0\0\0\0",
        "the password and more": b"lvs-dr!!",
        "the password in capitals": b"LVS-DR\0\0",
    }
    return [
        _good("as it should be", f"{rule}", "MUST", {}),
        *(_bad(name, rule, {"authentication": data}) for name, data in wrong.items()),
        *(
            _bad(f"authentication type {number}", rule, {"auth_type": number})
            for number in (0, 2, 3)
        ),
        _bad("cut before its password", "RFC 3768 7.1: the packet is complete", {"length": 12}),
        _bad(
            "cut within its password",
            "RFC 3768 7.1: the packet is complete",
            *({"length": n} for n in range(13, 20)),
        ),
    ]
