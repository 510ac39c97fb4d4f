"""Mistakes about routes, about what a reload adds and tells, and about who is sent where, and the
invariants that speak of them.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.search.invariants.reloading import AGAIN, JOINS
from harness.search.invariants.routing import ROUTED
from harness.search.invariants.sharing import SHARED, STAYS
from harness.search.invariants.telling import RELOADS
from tests.stories_of_sharing import asked, joined, route, routed, rule, told, tracked
from tests.story import Story

MISTAKES: list[tuple[str, str, Callable[[], Story]]] = [
    ("a master loses its route", ROUTED, lambda: routed(route("director1", 5.0, "removed"))),
    ("a backup gets it, too", ROUTED, lambda: routed(route("director2", 5.0, "added"))),
    ("a master loses its rule", ROUTED, lambda: routed(rule("director1", 5.0, "removed"))),
    (
        "an orderly end leaves a route",
        ROUTED,
        lambda: (
            routed()
            .act("StopKeepalived", "director1", 5.0, None)
            .log("director1", 5.0, "Stopping")
            .daemon("director1", 6.0, "ended", status=0)
        ),
    ),
    ("an added VIP is not announced", JOINS, lambda: joined(0, 5)),
    ("an added VIP is announced once", JOINS, lambda: joined(5, 0)),
    ("a group is told of again", AGAIN, lambda: told('GROUP "G" MASTER 100')),
    ("a master's priority as a backup's", AGAIN, lambda: told('INSTANCE "VI_1" BACKUP_PRIORITY 1')),
    (
        "a priority in fault as a master's",
        AGAIN,
        lambda: told('INSTANCE "VI_1" MASTER_PRIORITY 1').state("director1", 4.0, "FAULT"),
    ),
    ("a script that is well costs the VIP", RELOADS, lambda: tracked(True)),
    ("a server gets nothing", SHARED, lambda: asked(*["web1"] * 6)),
    ("a client is sent elsewhere", STAYS, lambda: asked("web1", "web1", "web2", persistence=50)),
]
