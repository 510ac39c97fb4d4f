"""What keepalived does not do as the RFCs say: which packets, in which state, and in which
versions.

The page of findings (docs/conformance.md) is made from this table.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pytest

from scenarios.conformance.vectors import (
    BACKUP,
    BY_9568,
    DISCARDED,
    HURRIED,
    MASTER,
    OBEYED,
    Kind,
    Vector,
)


@dataclass(frozen=True)
class Finding:
    """``packets`` of ``kinds`` in ``states`` are not treated as their rule says in the versions
    ``present``.

    ``caught`` is what such a director does instead; ``means`` says what a mixed network or an
    attacker gets from it, ``source`` where keepalived does so, ``tracker`` what its tracker knows
    of it, ``cure`` what helps.
    """

    name: str
    packets: Collection[str]
    kinds: Collection[str]
    present: str
    means: str
    source: str
    tracker: str
    cure: str
    states: Collection[str] = (MASTER, BACKUP)

    @property
    def reference(self) -> str:
        """What the mark of a regression names: the commit or the issue."""
        return self.tracker


VERSION_2 = ("IPv4 version 2",)
VERSION_3 = ("IPv4 version 3", "IPv6 version 3")
LISTS = (
    "another address",
    "its own address and another",
    "its own address twice",
    "two other addresses",
)

FINDINGS = (
    Finding(
        name="An advertisement with interval 0 is obeyed",
        packets=("interval 0",),
        kinds=VERSION_3,
        present="",
        means="One packet has the master give the VIP up and, as its Master_Down_Interval is now"
        " 0, take it back at"
        " once; one packet has a backup take the VIP while its master is alive.",
        source="vrrp.c, vrrp_check_packet: of version 3 the interval is compared for the log"
        " only; vrrp_state_backup"
        " and vrrp_state_master_rx take it over (2.3.4: lines 1053, 2098 and 2397; 2.4.3 reads"
        " the same)",
        tracker="not found in the tracker",
        cure="none in the configuration; let only routers reach the VRRP group on this LAN",
    ),
    Finding(
        name="An advertisement without any address is obeyed",
        packets=("no address",),
        kinds=VERSION_3,
        present=">=2.3.3",
        means="Eight bytes that need no knowledge of the VIPs depose a master. 2.3.3 ceased to"
        " drop packets whose"
        " addresses differ, as RFC 9568 section 7.1 allows, and those with count 0 with them.",
        source="commit af103930; vrrp.c, vrrp_check_packet (2.3.4: line 1174; 2.4.3 reads the"
        " same)",
        tracker="not found in the tracker",
        cure="none in the configuration",
    ),
    Finding(
        name="In version 2 the addresses of an advertisement no longer matter",
        packets=(*LISTS, "no address"),
        kinds=VERSION_2,
        present=">=2.3.3",
        means="RFC 3768 has such a packet dropped once its list has been verified. Since 2.3.3 a"
        " second cluster with"
        " the same VRID and a higher priority deposes the master of the first, where both went"
        " on before.",
        source="commit af103930, with RFC 9568 as its reason, which is about version 3; vrrp.c,"
        " vrrp_check_packet"
        " (2.3.4: lines 1174 to 1200)",
        tracker="not found in the tracker; issues 1603 and 1515 explain the former behaviour as"
        " the right one",
        cure="another VRID for each cluster; a password (auth_type PASS) that differs",
    ),
    Finding(
        name="In version 3 an advertisement with other addresses was dropped",
        packets=LISTS,
        kinds=VERSION_3,
        present="<2.3.3",
        means="Stricter than RFC 5798 and RFC 9568 section 7.1, which have it logged and"
        " processed: while addresses are"
        " added on one router after the other there are two masters.",
        source="vrrp.c, vrrp_check_packet (2.2.7: lines 964 and 1094)",
        tracker="issue 1603",
        cure="skip_check_adv_addr, which looks at the addresses only when the master changes",
    ),
    Finding(
        name="In version 2 an owner's advertisement with other addresses was dropped",
        packets=("another address, of the owner",),
        kinds=VERSION_2,
        present="<2.3.3",
        means="RFC 3768 section 7.1 has the packet of an address owner (priority 255) processed"
        " whatever its list.",
        source="vrrp.c, vrrp_check_packet (2.2.7: line 1094)",
        tracker="not found in the tracker",
        cure="the same addresses on both routers",
    ),
    Finding(
        name="The checksum of RFC 9568 over IPv4 is refused",
        packets=("checksum of the message alone",),
        kinds=("IPv4 version 3",),
        present="",
        means="A router that keeps to RFC 9568 section 5.2.8 and keepalived do not hear each"
        " other: two masters.",
        source="vrrp.c, vrrp_check_packet: the pseudo-header of RFC 5798 is summed (2.3.4: lines"
        " 1062 to 1106)",
        tracker="issue 2324, open",
        cure="v3_checksum_as_v2 in the vrrp_instance",
    ),
    Finding(
        name="The checksum that it sends over IPv4 is that of RFC 5798",
        packets=("sends: checksum",),
        kinds=("IPv4 version 3",),
        present="",
        means="A router that keeps to RFC 9568 section 5.2.8 discards it: two masters.",
        source="vrrp.c, vrrp_build_vrrp_v3 (2.3.4: line 1382)",
        tracker="issue 2324, open",
        cure="v3_checksum_as_v2 in the vrrp_instance",
        states=(MASTER,),
    ),
    Finding(
        name="With v3_checksum_as_v2 no checksum is verified",
        packets=("a wrong checksum", "checksum 0", "checksum with pseudo-header"),
        kinds=("IPv4 version 3 by RFC 9568",),
        present=">=2.2.8",
        means="The option that has keepalived keep to RFC 9568 section 5.2.8 also has it obey a"
        " damaged advertisement,"
        " whose priority or interval may be any. RFC 9568 section 7.1 has the checksum verified"
        " (MUST).",
        source="commit b57d7d7a; vrrp.c, vrrp_check_packet: a sum that is not 0 is an error only"
        " without the option"
        " (2.3.3: line 1082; 2.4.3: line 1201)",
        tracker="not found in the tracker",
        cure="none with the option; without it the checksum of RFC 5798 is verified",
    ),
    Finding(
        name="Advertisements come from the interface's own hardware address",
        packets=("sends: source MAC",),
        kinds=("IPv4 version 2", "IPv4 version 2 with a password", *VERSION_3),
        present="",
        means="RFC 3768 and RFC 9568 section 7.2 have them come from the virtual router's"
        " address, so that switches"
        " learn where it is. As keepalived answers for the VIP with its own address too, hosts"
        " have to believe its"
        " gratuitous ARPs at each takeover.",
        source="the default; keepalived.conf(5), use_vmac",
        tracker="a documented choice",
        cure="use_vmac in the vrrp_instance",
        states=(MASTER,),
    ),
    Finding(
        name="A new master tells the LAN before it advertises",
        packets=("takes over: order",),
        kinds=("IPv4 version 2", "IPv4 version 2 with a password", *VERSION_3),
        present="<2.2",
        means="RFC 3768 and RFC 9568 section 6.4.2 have the advertisement first. An old master"
        " that is still there"
        " still has the VIP when the gratuitous ARPs arrive, and may answer them.",
        source="vrrp.c, vrrp_state_master_tx (2.1.5: line 1911)",
        tracker="mended by commit ff6e13a1",
        cure="2.2",
        states=(MASTER,),
    ),
    Finding(
        name="A master that gives way keeps its own interval",
        packets=("interval 0.99 s", "interval 1.01 s", "interval 2.0 s", "interval 40.95 s"),
        kinds=VERSION_3,
        present="<2.2",
        means="It waits for three of its own intervals instead of the new master's, and takes"
        " the VIP from one that"
        " advertises less often, again and again.",
        source="vrrp.c, vrrp_state_leave_master (2.1.5: line 1803)",
        tracker="mended by commit 630f8133, in 2.2.0",
        cure="the same advert_int on both routers",
        states=(MASTER,),
    ),
)


FRR = (
    Finding(
        name="An IPv6 packet without a byte of VRRP ends the virtual router",
        packets=("no byte of 24",),
        kinds=("IPv6 version 3",),
        present="",
        means="One empty packet of protocol 112 from anybody on the LAN. As a backup, vrrpd is"
        " no router of this VRID"
        " any more until somebody restarts it or its interface changes; as a master it resigns,"
        " which changes the"
        " interface, and starts anew.",
        source="vrrp.c, vrrp_read: recvmsg() that returns 0 is taken for the end of the socket,"
        " before any check;"
        " over IPv4 the IP header is counted, so that it is never 0",
        tracker="not found in FRR's tracker",
        cure="none in the configuration; let only routers reach the VRRP group on this LAN",
    ),
    Finding(
        name="An advertisement with interval 0 is obeyed",
        packets=("interval 0",),
        kinds=VERSION_3,
        present="",
        means="One packet has the master give the VIP up and, as its Master_Down_Interval is now"
        " 0, take it back at"
        " once; one packet has a backup take the VIP while its master is alive.",
        source="vrrp.c, vrrp_recv_advertisement: master_adver_interval is what the packet says",
        tracker="not found in FRR's tracker",
        cure="none in the configuration",
    ),
    Finding(
        name="The reserved bits are taken for a part of the interval",
        packets=(
            "reserved bits 0001",
            "reserved bits 0010",
            "reserved bits 0100",
            "reserved bits 1000",
            "reserved bits 1111",
        ),
        kinds=VERSION_3,
        present="",
        means="RFC 9568 section 5.2.6 has them ignored. vrrpd waits for up to 2,000 s of silence"
        " instead of 3.6 s, when"
        " the last packet of its master's, or of anybody's, has one set: nobody takes the VIP"
        " over for so long.",
        source="vrrp.c, vrrp_recv_advertisement: all 16 bits of v3.adver_int, of which 12 are"
        " the interval",
        tracker="not found in FRR's tracker",
        cure="none in the configuration",
    ),
    Finding(
        name="In version 2 the addresses of an advertisement do not matter",
        packets=(*LISTS, "no address"),
        kinds=VERSION_2,
        present="",
        means="RFC 3768 section 7.1 lets a router leave the list unverified (MAY). A second"
        " cluster with the same VRID"
        " and a higher priority deposes the master of the first.",
        source="vrrp.c, vrrp_recv_advertisement; vrrp_packet.c, vrrp_pkt_parse_datagram",
        tracker="not found in FRR's tracker",
        cure="another VRID for each cluster",
    ),
    Finding(
        name="A new master's first IPv6 advertisement does not leave",
        packets=("takes over: order",),
        kinds=("IPv6 version 3",),
        present="",
        means="It tells the LAN whose the VIP is, and advertises an interval later. Another"
        " backup, whose skew is"
        " longer by less than an interval, becomes master as well, until it hears the first one.",
        source='vrrp.c, vrrp_bind_to_primary_connected: "Failed to find address to bind", for zebra'
        " tells of the carrier before it tells of the addresses",
        tracker="not found in FRR's tracker",
        cure="none in the configuration",
        states=(MASTER,),
    ),
    Finding(
        name="A new master over IPv6 gives way to an equal priority from a lower address",
        packets=("equal priority, lower address",),
        kinds=("IPv6 version 3",),
        present="",
        means="Until its first advertisement, an interval after it has become master, it"
        " compares with no address of"
        " its own, and any is higher. It gives way to a router that has to give way to it.",
        source="vrrp.c, vrrp_change_state_backup: r->src is set to 0, and to an address again"
        " when it is sent from",
        tracker="not found in FRR's tracker",
        cure="priorities that differ",
        states=(MASTER,),
    ),
    Finding(
        name="The checksum of RFC 9568 over IPv4 is refused",
        packets=("checksum of the message alone",),
        kinds=("IPv4 version 3",),
        present="",
        means="A router that keeps to RFC 9568 section 5.2.8 and vrrpd do not hear each other:"
        " two masters.",
        source="vrrp_packet.c, vrrp_pkt_checksum; the default of checksum-with-ipv4-pseudoheader",
        tracker="FRR issue 14024, closed; pull request 12390 added the option",
        cure="no vrrp 51 checksum-with-ipv4-pseudoheader (FRR 8.5)",
    ),
    Finding(
        name="The checksum that it sends over IPv4 is that of RFC 5798",
        packets=("sends: checksum",),
        kinds=("IPv4 version 3",),
        present="",
        means="A router that keeps to RFC 9568 section 5.2.8 discards it: two masters.",
        source="vrrp_packet.c, vrrp_pkt_adver_build",
        tracker="FRR issue 14024, closed; pull request 12390 added the option",
        cure="no vrrp 51 checksum-with-ipv4-pseudoheader (FRR 8.5)",
        states=(MASTER,),
    ),
    Finding(
        name="A master does not answer a lower priority",
        packets=("answers: a lower priority",),
        kinds=VERSION_3,
        present="",
        means="RFC 9568 section 6.4.3 has it assert itself at once, so that a router that is"
        " master by mistake gives"
        " way earlier; RFC 5798 has it discard the packet, as vrrpd does.",
        source="vrrp.c, vrrp_recv_advertisement",
        tracker="not found in FRR's tracker",
        cure="none in the configuration",
        states=(MASTER,),
    ),
)
"""What FRR's vrrpd (10.3) does not do as the RFCs say."""


def needed(kind: Kind) -> list[pytest.MarkDecorator]:
    """The marks of what a keepalived has to have for a kind."""
    return [pytest.mark.needs("v3_checksum_as_v2", keepalived="2.2.8")] if kind is BY_9568 else []


_DUE = {
    DISCARDED: "is to be discarded",
    OBEYED: "is to be obeyed",
    HURRIED: "is to have it take over sooner",
}


def ruled(vector: Vector, state: str) -> pytest.MarkDecorator:
    """The mark of what the RFC has a director in a state do with a packet."""
    due = f'"{vector.name}", sent to a {state}, {_DUE[vector.due[state]]}.'
    return by_rule(f"{vector.rule}. {due}", vector.level)


def by_rule(rule: str, level: str) -> pytest.MarkDecorator:
    """The mark of a rule ``RFC 9568 7.1: what it says``, with the RFC's word for how binding it
    is.
    """
    source, _, text = rule.partition(": ")
    return pytest.mark.rule(f"{source} ({level})", text)


def findings(
    kind: Kind, vector: Vector, state: str, among: Sequence[Finding] = FINDINGS
) -> list[Finding]:
    """The findings that a vector shows."""
    return [
        each
        for each in among
        if vector.name in each.packets and kind.name in each.kinds and state in each.states
    ]


def declared(
    kind: Kind, vector: Vector, state: str, among: Sequence[Finding] = FINDINGS
) -> list[pytest.MarkDecorator]:
    """The marks of a vector whose rule some version does not keep."""
    return [
        pytest.mark.regression(each.reference, each.name, present=each.present, caught="verdict")
        for each in findings(kind, vector, state, among)
    ]


def declared_of_sender(
    kind: Kind, duty: str, among: Sequence[Finding] = FINDINGS
) -> list[pytest.MarkDecorator]:
    """The marks of a rule for senders that some version does not keep."""
    return [
        pytest.mark.regression(each.reference, each.name, present=each.present, caught="kept")
        for each in among
        if duty in each.packets and kind.name in each.kinds
    ]
