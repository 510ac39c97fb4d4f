"""Stories of :mod:`tests.story` about routes, about what a reload adds and tells, and about who is
sent where.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.events import DestinationChanged, Notification, Request, RouteChanged, RuleChanged
from harness.search.edits import edits_of
from harness.topology import SyncGroup
from tests.story import VIP, Story, quiet

FURTHER = "172.16.10.60"
ROUTE, RULE = "10.9.0.0/24 via 172.16.10.21 dev eth0", "from 172.16.10.99 lookup 100 priority 1000"


def with_instance(story: Story, **changed: Any) -> Story:
    """The same with other instances."""
    directors = {
        name: replace(each, instances=tuple(replace(own, **changed) for own in each.instances))
        for name, each in story.setting.directors.items()
    }
    story.setting = replace(story.setting, directors=directors)
    return story


def route(node: str, at: float, action: Any) -> RouteChanged:
    """It gets or loses the virtual route."""
    return RouteChanged(at, node, action=action, destination="10.9.0.0/24", table=254)


def rule(node: str, at: float, action: Any) -> RuleChanged:
    """It gets or loses the virtual rule."""
    return RuleChanged(
        at, node, action=action, preference=1000, source="172.16.10.99/32", table=100
    )


def routed(*events: RouteChanged | RuleChanged) -> Story:
    """The master has a route and a rule at first."""
    story = with_instance(quiet(), virtual_routes=(ROUTE,), virtual_rules=(RULE,))
    story.before += [route("director1", -4, "added"), rule("director1", -4, "added")]
    story.events += events
    return story


def joined(at_once: int, again: int) -> Story:
    """A reload at 5 s gives the master its second VIP back, which it announces so often."""
    story = with_instance(Story(20), vip=(VIP, FURTHER), garp_master_delay=2)
    story.advertises("director1", 0.5, 20, addresses=f"{VIP} {FURTHER}")
    config = story.setting.directors["director1"].config
    name = next(each.name for each in edits_of(config) if each.name.startswith("priority 95"))
    story.act("Reconfigure", "director1", 2.0, 5.0, edit=name)
    story.log("director1", 2.0, "Reloading").log("director1", 5.0, "Reloading")
    story.address("director1", 5.01, "added", FURTHER)
    for at, count in ((5.01, at_once), (7.5, again)):
        for _ in range(count):
            story.announces("director1", at, FURTHER)
    return story


def with_own_text(story: Story, text: str) -> Story:
    """The same with a text of the user's own in each keepalived.conf."""
    directors = {
        name: replace(each, config=each.config + text, own_text=True)
        for name, each in story.setting.directors.items()
    }
    story.setting = replace(story.setting, directors=directors)
    return story


def told(text: str) -> Story:
    """The master, whose instance is a sync group, reloads at 5 s, and the FIFO hears this."""
    story = Story(20, notifications=True).advertises("director1", 0.5, 20)
    story.act("Reload", "director1", 5.0, 5.0).log("director1", 5.0, "Reloading")
    group = SyncGroup(name="G", members=("VI_1",))
    directors = {
        name: replace(each, sync_groups=(group,)) for name, each in story.setting.directors.items()
    }
    story.setting = replace(story.setting, directors=directors)
    story.events.append(Notification(5.01, "director1", channel="fifo", text=text))
    return story


def asked(*servers: str, scheduler: str = "rr", persistence: int | None = None) -> Story:
    """A client is answered by these, one after the other, ten times a second."""
    story = quiet()
    directors = {}
    for name, each in story.setting.directors.items():
        tables = tuple(
            replace(
                table,
                service=replace(
                    table.service, scheduler=scheduler, persistence_timeout=persistence
                ),
            )
            for table in each.tables
        )
        directors[name] = replace(each, tables=tables)
    story.setting = replace(story.setting, directors=directors)
    for number, server in enumerate(servers):
        answer = Request(
            5 + number / 10,
            "client",
            status=200,
            server=story.setting.servers[server],
            address=VIP,
            port=4000 + number,
        )
        story.events.append(answer)
    return story


def at_two_ports() -> Story:
    """The first real server answers at a port of a weight, and not at one of weight 0."""
    story = asked(*["web1", "web2"] * 6)
    directors = {}
    for name, each in story.setting.directors.items():
        (table,) = each.tables
        first = table.destinations[0]
        more = (*table.destinations, replace(first, port=81, weight=0))
        directors[name] = replace(each, tables=(replace(table, destinations=more),))
        story.before.append(
            DestinationChanged(
                -8,
                name,
                action="added",
                service=table.name,
                address=f"{first.address}:81",
                weight=0,
            )
        )
    story.setting = replace(story.setting, directors=directors)
    return story


def tracked(moves: bool) -> Story:
    """The master stops tracking its script from 5 s to 12 s, and loses the VIP when that is back,
    or does not.
    """
    story = Story(30).advertises("director1", 0.5, 30)
    config = story.setting.directors["director1"].config
    name = next(each.name for each in edits_of(config) if each.name.startswith("no track_script"))
    story.act("Reconfigure", "director1", 5.0, 12.0, edit=name)
    story.log("director1", 5.0, "Reloading").log("director1", 12.0, "Reloading")
    if moves:
        story.address("director1", 12.1, "removed").address("director1", 12.2, "added")
    return story
