"""Every kind of finding, by the name by which ``lvs-harness.toml`` silences it: what it means and
how it is cured.

``docs/check.md`` has a table of them, which ``make docs`` writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

FINDING, NOTE = "finding", "note"
"""Levels: a finding makes the exit status 1, a note does not."""


@dataclass(frozen=True)
class Kind:
    """``meaning`` and ``cure`` are sentences. ``explains`` are the modules of
    ``harness.behaviours`` whose failures follow from it, ``diagnoses`` the names in
    :mod:`harness.diagnosis` that say the same on the evidence of frames.
    """

    level: str
    meaning: str
    cure: str
    explains: tuple[str, ...] = ()
    diagnoses: tuple[str, ...] = ()


_ELECTION = ("test_election", "test_services", "test_tracking", "test_configuration")
_SERVICES = ("test_services",)
_TRACKING = ("test_tracking",)
_STRICT = "vrrp_strict drops what is sent to the VIP"

KINDS: Final[Mapping[str, Kind]] = {
    "vips-differ": Kind(
        FINDING,
        "The directors share a virtual router but not its VIPs. Each discards what the other"
        " advertises, or the VIP"
        " that is missing on one is lost when that one is master.",
        "Give the instance the same virtual_ipaddress on all directors.",
        _ELECTION,
        ("foreign cluster with the same VRID",),
    ),
    "vrid-differs": Kind(
        FINDING,
        "The directors claim the same VIPs under different virtual_router_ids, so both become"
        " master.",
        "Give both the same virtual_router_id.",
        _ELECTION,
        ("VRID mismatch", "two masters"),
    ),
    "advert-int-differs": Kind(
        FINDING,
        "The directors advertise at different intervals. VRRPv2 discards what has another"
        " interval than its own, so"
        " both become master (RFC 3768, section 7.1).",
        "Give both the same advert_int.",
        _ELECTION,
        ("advert_int mismatch", "two masters"),
    ),
    "version-differs": Kind(
        FINDING,
        "The directors speak different versions of VRRP and do not understand each other, so"
        " both become master.",
        "Give both the same vrrp_version.",
        _ELECTION,
        ("VRRP version mismatch", "two masters"),
    ),
    "auth-differs": Kind(
        FINDING,
        "The directors do not have the same authentication, and each discards what the other"
        " advertises.",
        "Give both the same auth_type and auth_pass.",
        _ELECTION,
        ("authentication mismatch", "two masters"),
    ),
    "unicast-differs": Kind(
        FINDING,
        "One director sends its advertisements to peers and another to the multicast group, so"
        " they do not hear each"
        " other.",
        "Give unicast_peer to both, or to neither.",
        _ELECTION,
        ("unicast and multicast mixed", "two masters"),
    ),
    "peer-differs": Kind(
        FINDING,
        "A director does not send its advertisements to the address of the other one, which does"
        " not hear it and"
        " becomes master as well, or takes the VIP from it.",
        "Name the other director's unicast_src_ip in unicast_peer.",
        _ELECTION,
        (
            "unicast does not arrive",
            "unicast to an address at which keepalived does not listen",
            "two masters",
        ),
    ),
    "priority-same": Kind(
        NOTE,
        "The directors have the same priority. The one with the higher address becomes master.",
        "Give the one that should be master the higher priority.",
    ),
    "interface-differs": Kind(
        NOTE,
        "The virtual router is on interfaces of different names. They are taken to lead to one"
        " LAN.",
        "Say otherwise with the --set that the note names.",
    ),
    "service-missing": Kind(
        FINDING,
        "A virtual service is on one director only, so clients lose it when the other director"
        " is master.",
        "Give it to all directors, or remove it.",
        _SERVICES,
    ),
    "service-twice": Kind(
        FINDING,
        "A director has a virtual service more than once. IPVS has one service of an address and"
        " port, which keepalived then keeps as several that know their own real servers only.",
        "Give it one virtual_server block that has all its real servers.",
        _SERVICES,
    ),
    "real-servers-differ": Kind(
        FINDING,
        "A virtual service does not have the same real servers on all directors.",
        "Give it the same real servers on all directors.",
        _SERVICES,
    ),
    "lb-kind-differs": Kind(
        FINDING,
        "The directors forward to the same real server by different methods, and it can be set"
        " up for one only.",
        "Give the service the same lb_kind on all directors.",
        _SERVICES,
    ),
    "scheduler-differs": Kind(
        FINDING,
        "A virtual service has different schedulers on the directors.",
        "Give it the same lb_algo on all directors.",
    ),
    "weights-differ": Kind(
        NOTE,
        "A real server has different weights on the directors, so its share changes with a"
        " failover.",
        "Give it the same weight on all directors, unless that is meant.",
    ),
    "persistence-differs": Kind(
        NOTE,
        "A virtual service has different persistence timeouts on the directors.",
        "Give it the same persistence_timeout on all directors.",
    ),
    "weight-below-gap": Kind(
        FINDING,
        "A tracked script, interface, file or process lowers the master's priority by less than"
        " what it is ahead, so"
        " the VIP stays where the failure is.",
        "Make the weight larger than the gap between the priorities, or leave it out: then a"
        " failure is FAULT.",
        _TRACKING,
        ("weight below the gap",),
    ),
    "nopreempt-with-weight": Kind(
        FINDING,
        "The backup has nopreempt, so it does not take over from a master that lowers its"
        " priority by a weight.",
        "Leave the weight out, so that a failure is FAULT and the master resigns, or leave"
        " nopreempt out.",
        _TRACKING,
    ),
    "include-missing": Kind(
        FINDING,
        "A file that the configuration includes is not there, so keepalived runs without what it"
        " would say.",
        "Put the file where include looks for it: beside the one that includes it, unless its"
        " path says otherwise.",
    ),
    "bfd-of-the-peer": Kind(
        FINDING,
        "A director tracks the other one by BFD without a weight, so it is in FAULT state as"
        " soon as the other one is"
        " lost, and does not take over.",
        "Give it a weight in track_bfd, or have BFD look at a third machine, such as the router.",
        (*_ELECTION, "test_states"),
    ),
    "script-missing": Kind(
        FINDING,
        "A script that the configuration names is not beside it.",
        "Mend the path, or put the script there; --set script.PATH=FILE puts one there for the"
        " check.",
        ("test_tracking", "test_services"),
    ),
    "script-needs-shell": Kind(
        FINDING,
        "A script is written for a shell, and keepalived runs none: it gives a program the words"
        " as arguments.",
        "Put the line into a script of its own, or write: script \"/bin/sh -c '...'\".",
        (*_ELECTION, "test_states"),
    ),
    "script-never-ends": Kind(
        FINDING,
        "A script computes, prints or starts processes for ever. keepalived ends one that it"
        " waits for, and finds it"
        " failed; of notify scripts there is one more with each change of state. One that"
        " succeeds takes its place.",
        "Have the script end by itself.",
    ),
    "script-fails-here": Kind(
        NOTE,
        "A script fails on a machine where nothing is broken and all runs that it is known to"
        " look for. What it needs"
        " may not be here, so one that succeeds takes its place.",
        "Nothing, if it succeeds on the directors; --set rest.SCRIPT=runs has it run as it is.",
    ),
    "pidof-on-debian": Kind(
        NOTE,
        "A script runs pidof. On Debian and Ubuntu it is a link to killall5, and keepalived"
        " 2.2.7 runs the file that a"
        " link leads to under that file's name, so that the script always fails there.",
        "On Debian or Ubuntu: killall -0 NAME instead, and --set pidof=link to see what happens"
        " otherwise.",
    ),
    "keepalived-changed": Kind(
        FINDING,
        "keepalived runs, and does something else than what the line says.",
        "Write what is meant in a way that keepalived takes.",
    ),
    "braces-unbalanced": Kind(
        FINDING,
        "A block has a brace too few or too many, so keepalived takes the lines after it for"
        " something else, or passes over them.",
        "Count them: each block begins with one { and ends with one }.",
    ),
    "word-mistyped": Kind(
        FINDING,
        "keepalived does not know a word, passes over it, and knows one that is much like it.",
        "Write the word that is meant.",
    ),
    "keepalived-ignored": Kind(
        NOTE,
        "keepalived passes over a word that it does not know, or no longer uses.",
        "Remove the word, or write the one that is used today.",
    ),
    "keepalived-says": Kind(
        NOTE, "keepalived says something else about the configuration.", "Read its manual page."
    ),
    "real-server-outside": Kind(
        FINDING,
        "A real server of a service that is forwarded by DR is on no LAN of the directors, and"
        " DR only rewrites the"
        " hardware address of frames.",
        "Mend the address, put the server on a LAN of the directors, or forward by TUN or NAT.",
        _SERVICES,
    ),
    "director-is-real-server": Kind(
        FINDING,
        "Directors are real servers of a service that both balance, so a packet can go to and"
        " fro between them.",
        "Have IPVS balance on the master alone (net.ipv4.vs.backup_only=1 with lvs_sync_daemon,"
        " or an empty table on"
        " the backup), or keep what the other director sends out of the service by a mark.",
        _SERVICES,
        ("director loop",),
    ),
    "nat-one-lan": Kind(
        FINDING,
        "Clients and real servers are on one LAN, so with NAT the answers bypass the director.",
        "Use DR, or put the real servers on a LAN of their own.",
        _SERVICES,
    ),
    "nat-no-inner-vip": Kind(
        FINDING,
        "With NAT the real servers' gateway is one director's own address, which a failover does"
        " not move.",
        "Give the directors a VIP on the real servers' LAN, and the real servers that as their"
        " gateway.",
        _SERVICES,
    ),
    "nat-legs-apart": Kind(
        FINDING,
        "With NAT the VIP and the real servers' gateway are in two instances that can fail over"
        " one without the other.",
        "Put both instances into one vrrp_sync_group.",
    ),
    "ipv6-vip-speaks": Kind(
        FINDING,
        "An IPv6 VIP has the prefix of the LAN, so the master takes it for its own address and"
        " sends its checks from"
        " it, which real servers that hold the VIP themselves cannot answer.",
        "Write the VIP with /128, or without a prefix.",
        _SERVICES,
        ("health check fails at rest",),
    ),
    "vip-drops-requests": Kind(
        FINDING,
        "With vrrp_strict, strict_mode or no_accept a master drops whatever is sent to its VIPs,"
        " requests to a service"
        " there as well, unless its priority is 255 (RFC 5798, Accept_Mode).",
        "Leave vrrp_strict out, or write accept in the instance where it speaks VRRPv3.",
        (*_SERVICES, "test_configuration"),
        (_STRICT,),
    ),
    "vip-accepts-nothing": Kind(
        NOTE,
        "With vrrp_strict, strict_mode or no_accept a master drops whatever is sent to its VIPs,"
        " pings as well, and"
        " only passes on what is sent through it. Nothing here is known to be asked there.",
        "Leave vrrp_strict out, if anything is to be reached at the VIP.",
        (),
        (_STRICT,),
    ),
    "vip-not-announced": Kind(
        FINDING,
        "A VIP is on a device that is no wire, so no gratuitous ARP tells clients of a failover.",
        "Hold the VIP on the interface of the LAN.",
        _SERVICES,
    ),
    "vip-takes-subnet": Kind(
        FINDING,
        "A VIP is on the loopback device with the prefix of a subnet, of which the master then"
        " takes every address for its own, and reaches none of its machines.",
        "Write the VIP with /32, or hold it on the interface of the LAN.",
        _SERVICES,
        ("health check fails at rest",),
    ),
}
