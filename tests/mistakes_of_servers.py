"""Mistakes about real servers and daemons and the invariants that speak of them: what the tables
hold, how checks go, what an edit does.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.search.invariants.answering import ANSWERED
from harness.search.invariants.balance import SERVED, TABLES
from harness.search.invariants.checking import CHECKED
from harness.search.invariants.daemons import ONCE
from harness.search.invariants.editing import EDITED
from harness.search.invariants.rest import RESTORED
from harness.search.invariants.telling import RELOADS
from tests.stories import edited, inhibited, out_of_the_table, removed_server, sorry
from tests.story import WEB1, WEB2, Story, quiet

MISTAKES: list[tuple[str, str, Callable[[], Story]]] = [
    (
        "a reload moves the table",
        RELOADS,
        lambda: (
            quiet()
            .act("Reload", "director1", 5.0, 5.0)
            .pool("director1", 5.1, "removed")
            .pool("director1", 5.2, "added")
        ),
    ),
    ("a server that was taken out stays", EDITED, lambda: edited("no real_server 172.16.10.21")),
    ("a new weight does not count", EDITED, lambda: edited("weight 3 in real_server 172.16.10.22")),
    ("a service that was taken out stays", EDITED, lambda: edited("no virtual_server")),
    (
        "an edit takes out too much",
        EDITED,
        lambda: (
            edited("no real_server 172.16.10.21")
            .pool("director1", 5.0, "removed")
            .pool("director1", 5.1, "removed", WEB2)
        ),
    ),
    (
        "a failing server that is to stay is not there",
        EDITED,
        lambda: (
            edited("inhibit_on_failure in real_server 172.16.10.21", 40.0, 50)
            .act("StopHttpd", "web1", 6.0, 40.0)
            .pool("director1", 9.0, "removed")
        ),
    ),
    (
        "one that fails stays with its weight",
        EDITED,
        lambda: edited("nopreempt", 40.0, 50).act("StopHttpd", "web1", 6.0, 40.0),
    ),
    (
        "a dead server stays",
        TABLES,
        lambda: (
            quiet(30).act("StopHttpd", "web1", 5.0, None).daemon("web1", 5.0, "ended", "httpd", -9)
        ),
    ),
    ("a good server leaves", TABLES, lambda: quiet().pool("director2", 5.0, "removed")),
    ("its weight is another", TABLES, lambda: quiet().pool("director1", 5.0, "changed", weight=3)),
    (
        "a server does not come back",
        TABLES,
        lambda: removed_server().without(
            lambda event: event.kind == "destination" and event.at > 10
        ),
    ),
    ("a removed server answers", SERVED, lambda: removed_server().request(9.0, "web1", 4001)),
    (
        "a server stays away",
        RESTORED,
        lambda: removed_server().without(
            lambda event: event.kind == "destination" and event.at > 10
        ),
    ),
    (
        "a daemon stays away",
        RESTORED,
        lambda: removed_server().without(lambda event: event.kind == "daemon" and event.at == 12),
    ),
    (
        "a child is started twice",
        ONCE,
        lambda: (
            quiet()
            .log("director1", 5.0, "Starting VRRP child process, pid=8")
            .log("director1", 6.0, "Starting VRRP child process, pid=9")
        ),
    ),
    ("a client is not answered", ANSWERED, lambda: quiet().request(5.0, None, status=0)),
    ("a sorry server comes late", TABLES, lambda: sorry(15.0, 23.0)),
    ("a sorry server stays", TABLES, lambda: sorry(7.0, 60.0)),
    ("an inhibited server is removed", TABLES, lambda: inhibited(None)),
    (
        "a server that is out is checked again and again",
        CHECKED,
        lambda: out_of_the_table(9, 10, 12, 14, 16, 18),
    ),
    (
        "a server is checked without a pause",
        CHECKED,
        lambda: quiet().checks(WEB1, *[n / 2 for n in range(40)]),
    ),
    ("a server is forgotten", CHECKED, lambda: quiet().checks(WEB1, 1, 3, 5)),
    ("a daemon dies", "daemons live", lambda: quiet().daemon("web1", 5.0, "ended", "httpd", -11)),
    (
        "a child dies",
        "daemons live",
        lambda: quiet().log("director1", 5.0, "pid 61 exited due to signal 11"),
    ),
    (
        "a timer is late",
        "daemons keep up",
        lambda: quiet().log("director1", 15.0, "A thread timer expired 2.257894 seconds ago"),
    ),
    (
        "memory is corrupted",
        "nothing alarming is logged",
        lambda: quiet().log("director1", 5.0, "malloc(): corrupted top size"),
    ),
]
