"""Findings: mistakes in configurations, each with its name, its place and its cure (pure).

How to add one: put its :class:`Kind` into :data:`KINDS`, in the table of its subject below, and make
``Finding(name, where, text)`` where it is found, with a ``cure`` of its own where that can name values. ``text`` says
what is so and what comes of it, ``cure`` what to do, in the imperative; both are sentences without a full stop.
``follows`` are the situations that break because of it: they stand under it, in one line.

A finding makes the status 1, a note does not. ``decides`` is for a mistake with which nothing else can be judged: then
nothing is tried. Findings reach whoever tells them as user properties of the scenarios' reports, as text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Final

from harness.errors import HarnessError

FINDING, NOTE = "finding", "note"


@dataclass(frozen=True)
class Place:
    """A line of a file, counted from 1; 0 where only the file is known."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Kind:
    """A kind of finding: its stable ``name``, what it means, the general cure, its ``level``, and whether nothing else
    can be judged with it.
    """

    name: str
    meaning: str
    cure: str
    level: str = FINDING
    decides: bool = False


_COMPARISON = (
    Kind("vip-differs", "The directors of one virtual router have different VIPs, though the rest of it is alike:"
         " keepalived drops the other's advertisements or takes over addresses that the other does not give up.",
         "Write the same VIPs into both files.", decides=True),
    Kind("foreign-cluster", "Two directors use one VRID on one LAN and share nothing else: they are of two clusters.",
         "Give each cluster a virtual_router_id of its own.", decides=True),
    Kind("vrid-differs", "Instances with the same VIP have different VRIDs, so both become master.",
         "Give both the same virtual_router_id.", decides=True),
    Kind("authentication-differs", "The directors of one virtual router have different passwords or kinds of"
         " authentication: each drops the other's advertisements, and both become master.",
         "Write the same authentication into both files.", decides=True),
    Kind("version-differs", "The directors of one virtual router speak different versions of VRRP.",
         "Set the same vrrp_version on both.", decides=True),
    Kind("interval-differs", "The directors of one virtual router advertise in different intervals.",
         "Set the same advert_int on both."),
    Kind("priority-same", "Directors of one virtual router have the same priority: the higher address wins.",
         "Give each its own priority where it matters who is master.", NOTE),
    Kind("lb-kind-differs", "One service is forwarded by different methods: real servers are set up for one of them.",
         "Set the same lb_kind on both.", decides=True),
    Kind("scheduler-differs", "One service has different schedulers on its directors: after a failover clients are"
         " spread otherwise.", "Set the same lb_algo on both."),
    Kind("persistence-differs", "One service keeps clients for different times: after a failover clients lose their"
         " server, or keep it for longer.", "Set the same persistence_timeout on both."),
    Kind("service-missing", "A service is on one director only: after a failover nobody serves it.",
         "Write the virtual_server into the other file too, or take it out of both."),
    Kind("real-server-missing", "A service has a real server on one director only.",
         "Write the real_server into the other file too, or take it out of both."),
    Kind("weight-differs", "A real server has different weights on its directors.",
         "Give it the same weight on both."),
)  # fmt: skip

_PLACES = (
    Kind("real-server-outside", "A real server of a service by DR is not on the LAN of the service's others: DR changes"
         " nothing but the MAC address, so the packets do not get there.",
         "Correct the address, or say how large the LAN is: --set INTERFACE=SUBNET.", decides=True),
    Kind("script-missing", "A script that is named is not there, and one with nearly that name is: keepalived disables"
         " what it cannot find.", "Correct the path, or put the script there.", decides=True),
)  # fmt: skip

_TRACKING = (
    Kind("weight-smaller-than-gap", "What the master tracks fails, and its priority stays higher than the other's: the"
         " VIP does not move, and clients are sent to a master whose service is down.",
         "Make the weight larger than the difference of the priorities."),
    Kind("nopreempt-with-weight", "nopreempt forbids to take over from a lower priority, so a master whose priority is"
         " lowered by a weight stays master.",
         "Track without a weight, so that a failure is FAULT state, or take nopreempt out."),
)  # fmt: skip

_WORDS = (
    Kind("nopreempt-cleared", "keepalived clears nopreempt where the initial state is MASTER.",
         "Write state BACKUP on both directors."),
    Kind("scheduler-unknown", "keepalived does not know the scheduler and takes wlc.",
         "Write a scheduler that there is: rr, wrr, lc, wlc, lblc, lblcr, sh, mh, dh, fo, ovf, sed, nq."),
    Kind("value-changed", "keepalived takes another value than the one that is written.",
         "Write a value that keepalived takes."),
    Kind("password-truncated", "keepalived takes the first 8 characters of auth_pass only.",
         "Write a password of at most 8 characters."),
    Kind("script-disabled", "keepalived does not run a tracked script: nothing is tracked then.",
         "Correct the script's name, its path or who may write to it."),
    Kind("line-ignored", "keepalived passes over a line, as if it were not there.",
         "Correct the word or take the line out.", NOTE),
    Kind("remark", "keepalived remarks something and goes on as it should.", "None is needed.", NOTE),
    Kind("include-missing", "An include names no file.", "Correct the path, or give the file along."),
)  # fmt: skip

KINDS: Final = {kind.name: kind for kind in (*_COMPARISON, *_PLACES, *_TRACKING, *_WORDS)}


@dataclass(frozen=True)
class Finding:
    """One mistake: its kind's ``name``, ``where`` it is, ``text`` and ``cure``."""

    name: str
    where: Place
    text: str
    cure: str = ""
    follows: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.name not in KINDS:
            raise HarnessError(f"there is no finding called {self.name}")

    @property
    def kind(self) -> Kind:
        """What it is one of."""
        return KINDS[self.name]

    @property
    def level(self) -> str:
        """:data:`FINDING` or :data:`NOTE`."""
        return self.kind.level

    def __str__(self) -> str:
        return f"{self.where}: {self.text} [{self.name}]"


def to_text(finding: Finding) -> str:
    """For a user property."""
    return json.dumps(asdict(finding), sort_keys=True)


def from_text(text: str) -> Finding:
    """What :func:`to_text` has made. HarnessError for anything else: it may come out of a guest."""
    try:
        known = json.loads(text)
        place = Place(str(known["where"]["file"]), int(known["where"]["line"]))
        follows = tuple(map(str, known["follows"]))
        return Finding(str(known["name"]), place, str(known["text"]), str(known["cure"]), follows)
    except (ValueError, KeyError, TypeError) as problem:
        raise HarnessError(f"this is no finding: {problem}") from None


def silenced(found: Iterable[Finding], reasons: Iterable[str]) -> tuple[list[Finding], list[Finding]]:
    """Those that are told, and those that somebody has given a reason for."""
    names, known = set(reasons), list(found)
    return [each for each in known if each.name not in names], [each for each in known if each.name in names]


def once(found: Iterable[Finding]) -> list[Finding]:
    """Findings before notes, each text once."""
    unique = dict.fromkeys(found)
    return sorted(unique, key=lambda each: each.level != FINDING)


def markdown() -> Iterator[str]:
    """The table of all kinds, for docs/check.md."""
    yield "| name | level | what it means | cure |"
    yield "|---|---|---|---|"
    for kind in KINDS.values():
        level = kind.level + (", decides" if kind.decides else "")
        yield f"| `{kind.name}` | {level} | {kind.meaning} | {kind.cure} |"
