"""Mistakes of directors and the invariants that speak of them: who is master, where the VIP is,
what is advertised, announced and told.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.events import Advertisement, Arp
from harness.search.invariants.addresses import HELD, SILENT, STRANGERS
from harness.search.invariants.advertising import ACTS, PACE, TRUE
from harness.search.invariants.announcing import ANNOUNCED, REASON
from harness.search.invariants.election import TAKES, WAITS, YIELDS
from harness.search.invariants.quorums import QUORUM
from harness.search.invariants.rest import RESTORED
from harness.search.invariants.states import FAULTY, TOGETHER
from harness.search.invariants.telling import TOLD
from tests.stories import (
    BACK,
    TAKEN,
    both_reign,
    group_told,
    grouped,
    hasty,
    hung,
    impatient,
    of,
    owner_that_waits,
    patient,
    quorum_told,
    scripted,
    told,
    unweighted,
)
from tests.story import DOWN, Story, failover, quiet

MISTAKES: list[tuple[str, str, Callable[[], Story]]] = [
    ("two masters", YIELDS, both_reign),
    ("a lower claim answers a higher one", YIELDS, lambda: quiet().advert("director2", 5.8)),
    (
        "a resignation is not waited for",
        YIELDS,
        lambda: (
            Story(9)
            .advertises("director1", 0.5, 4.6)
            .advert("director1", 5.0, priority=0)
            .yields("director1", 5.0)
            .takes("director2", 5.3)
            .advertises("director2", 5.3, 9)
        ),
    ),
    ("an owner waits as a backup does", TAKES, owner_that_waits),
    ("a start is not waited for", WAITS, lambda: hasty(1.0)),
    ("vrrp_startup_delay is not waited for", WAITS, impatient),
    ("preempt_delay is not waited for", WAITS, lambda: patient(30.0, BACK)),
    (
        "a master that falls silent is not waited for",
        WAITS,
        lambda: patient(12.5, TAKEN + 2.9 + DOWN["director1"]),
    ),
    (
        "nobody takes over",
        TAKES,
        lambda: (
            Story(15)
            .advertises("director1", 0.5, 5.87)
            .act("PowerOff", "director1", 5.87, None)
            .dies("director1", 5.87)
        ),
    ),
    (
        "the takeover comes late",
        TAKES,
        lambda: (
            Story(11)
            .advertises("director1", 0.5, 5.87)
            .act("PowerOff", "director1", 5.87, None)
            .dies("director1", 5.87)
            .takes("director2", TAKEN + 0.5)
            .advertises("director2", TAKEN + 0.5, 11)
        ),
    ),
    (
        "the higher priority does not preempt",
        TAKES,
        lambda: (
            failover(30).without(lambda event: event.at > 12.5).advertises("director2", 13.148, 30)
        ),
    ),
    (
        "the master has no VIP",
        HELD,
        lambda: (
            failover()
            .takes("director2", TAKEN, held=False)
            .without(
                lambda event: (
                    event.kind == "address" and event.node == "director2" and event.at < 10
                )
            )
        ),
    ),
    ("the VIP vanishes", HELD, lambda: quiet().address("director1", 5.0, "removed")),
    ("the backup has it, too", HELD, lambda: quiet().address("director2", 5.0, "added")),
    (
        "the old master keeps it",
        HELD,
        lambda: failover().without(
            lambda event: event.kind == "address" and event.node == "director2" and event.at > 12
        ),
    ),
    (
        "an orderly end leaves it",
        HELD,
        lambda: (
            Story(8)
            .advertises("director1", 0.5, 5)
            .log("director1", 5.0, "Stopping")
            .advert("director1", 5.0, priority=0)
            .daemon("director1", 6.0, "ended", status=0)
            .act("StopKeepalived", "director1", 5.0, None)
            .takes("director2", 5.648)
            .advertises("director2", 5.648, 8)
        ),
    ),
    (
        "a VIP has another prefix",
        HELD,
        lambda: (
            quiet()
            .address("director1", 5.0, "removed")
            .address("director1", 5.0, "added", prefix=24)
        ),
    ),
    (
        "another address comes",
        STRANGERS,
        lambda: quiet().address("director1", 5.0, "added", "172.16.10.77"),
    ),
    ("a real server answers", SILENT, lambda: quiet().answers_arp("web1", 5.0)),
    (
        "nobody takes over after a resignation",
        TAKES,
        lambda: (
            Story(8)
            .advertises("director1", 0.5, 4.6)
            .advert("director1", 5.0, priority=0)
            .yields("director1", 5.0)
            .act("StopKeepalived", "director1", 5.0, None)
        ),
    ),
    (
        "one advertisement is missing",
        PACE,
        lambda: quiet().without(of(Advertisement, "director1", 5.4, 5.6)),
    ),
    ("one too many", PACE, lambda: quiet().advert("director1", 5.8)),
    ("they end", PACE, lambda: quiet().without(of(Advertisement, "director1", 17))),
    ("a master hangs", ACTS, hung),
    ("another priority", TRUE, lambda: Story(20).advertises("director1", 0.5, 20, priority=99)),
    ("another interval", TRUE, lambda: Story(20).advertises("director1", 0.5, 20, interval=2.0)),
    (
        "another VIP",
        TRUE,
        lambda: Story(20).advertises("director1", 0.5, 20, addresses="172.16.10.51"),
    ),
    ("a wrong checksum", TRUE, lambda: Story(20).advertises("director1", 0.5, 20, checksum=False)),
    (
        "a weight that does not count",
        TRUE,
        lambda: quiet(20).act("Maintenance", "director1", 5.2, None),
    ),
    (
        "too few announcements",
        ANNOUNCED,
        lambda: (
            failover()
            .without(of(Arp, "director2", TAKEN - 1, TAKEN + 1))
            .takes("director2", TAKEN, 4, 0)
        ),
    ),
    ("a fault without a cause", FAULTY, lambda: quiet().state("director2", 9.0, "FAULT")),
    (
        "a cause without a fault",
        FAULTY,
        lambda: unweighted().act("Maintenance", "director2", 5.0, None),
    ),
    (
        "a group does not heed its member's script",
        FAULTY,
        lambda: grouped(unweighted()).act("Maintenance", "director2", 5.0, None),
    ),
    (
        "a group is torn apart",
        TOGETHER,
        lambda: grouped(quiet()).state("director1", 9.0, "BACKUP"),
    ),
    (
        "a stranger is advertised to",
        TRUE,
        lambda: quiet().advert("director1", 9.5, destination="172.16.10.99"),
    ),
    ("a backup announces the VIP", REASON, lambda: quiet().announces("director2", 9.0)),
    ("a master announces it again and again", REASON, lambda: quiet().announces("director1", 12.0)),
    ("another VRID", TRUE, lambda: quiet().advert("director2", 9.0, vrid=52)),
    (
        "a lower master is not answered",
        ANNOUNCED,
        lambda: quiet().act("DropAdvertisements", "director2", 5.0, 9.8).advert("director2", 9.9),
    ),
    ("a script is not run", TOLD, lambda: scripted("BACKUP")),
    ("a quorum's script is not run", QUORUM, lambda: quorum_told("down")),
    ("a quorum's script is run twice", QUORUM, lambda: quorum_told("down", "down")),
    ("a quorum is told that is not gained", QUORUM, lambda: quorum_told("down", "up", "up")),
    (
        "no second round",
        ANNOUNCED,
        lambda: failover().without(of(Arp, "director2", TAKEN + 4, TAKEN + 6)),
    ),
    ("a group's state is not told", TOLD, group_told),
    ("a false notification", TOLD, lambda: told("BACKUP", "FAULT")),
    ("one that is missing", TOLD, lambda: told("MASTER")),
    ("one too many notifications", TOLD, lambda: told("BACKUP", "MASTER", "BACKUP")),
    (
        "the VIP goes on moving",
        RESTORED,
        lambda: failover(90).yields("director1", 80).takes("director2", 80),
    ),
    (
        "the VIP stays away",
        RESTORED,
        lambda: (
            failover(70)
            .without(lambda event: event.at > BACK - 1)
            .advertises("director2", 15.148, 70)
        ),
    ),
]
