"""Hand-made timelines of a pair of directors, for tests of what judges them: quiet lives, with
mistakes put in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness.events import (
    AddressChanged,
    Advertisement,
    Arp,
    DaemonChanged,
    DestinationChanged,
    Event,
    Link,
    Log,
    Power,
    Request,
    ServiceChanged,
    StateChanged,
)
from harness.search.observed import Act, Observed, Probe
from harness.search.setting import setting_of_plan
from harness.spec import ClusterSpec
from harness.topology.notification import Notify
from topologies.director_pair import VIP, DirectorPair

SLACK = 0.005
SERVICE = f"TCP {VIP}:80"
WEB1, WEB2 = "172.16.10.21:80", "172.16.10.22:80"
ADDRESSES = {"director1": "172.16.10.11", "director2": "172.16.10.12"}
DOWN = {"director1": 3 + 156 / 256, "director2": 3 + 166 / 256}
"""Master_Down_Interval of each."""
PRIORITIES = {"director1": 100, "director2": 90}


class Story:
    """A cluster that had settled at second 0, with ``director1`` as master. Each method adds
    what would be seen.
    """

    def __init__(self, ended: float, **parameters: Any) -> None:
        self.ended = ended
        self.events: list[Event] = []
        self.acts: list[Act] = []
        self.setting = setting_of_plan(ClusterSpec(DirectorPair, parameters).plan(), SLACK)
        self.before: list[Event] = []
        self.probes: list[Probe] | None = None
        for node in (*ADDRESSES, "web1", "web2"):
            self.before += [Power(-9, node, action="on"), Link(-9, node, interface="eth0", up=True)]
        self.before += [
            DaemonChanged(-9, web, name="httpd", action="started") for web in ("web1", "web2")
        ]
        for node in ADDRESSES:
            self.before.append(DaemonChanged(-8, node, name="keepalived", action="started"))
            self.before += self._table(-8, node)
        self.before.append(StateChanged(-4, "director1", instance="VI_1", state="MASTER"))
        self.before.append(
            AddressChanged(
                -4, "director1", action="added", address=VIP, prefix=32, interface="eth0"
            )
        )
        self.before.append(StateChanged(-8, "director2", instance="VI_1", state="BACKUP"))

    def _table(self, at: float, node: str) -> list[Event]:
        return [
            ServiceChanged(at, node, action="added", service=SERVICE),
            *(
                DestinationChanged(
                    at, node, action="added", service=SERVICE, address=each, weight=1
                )
                for each in (WEB1, WEB2)
            ),
        ]

    def advertises(
        self, node: str, since: float, until: float, heard: bool = True, **changed: Any
    ) -> Story:
        """It says each second what it should, or what is ``changed`` of that, before ``until``."""
        number = 0
        while since + number < until:
            self.advert(node, since + number, heard, **changed)
            number += 1
        return self

    def advert(self, node: str, at: float, heard: bool = True, **changed: Any) -> Story:
        said = Advertisement(
            at,
            node,
            interface="eth0",
            sent=True,
            vrid=51,
            priority=PRIORITIES[node],
            source=ADDRESSES[node],
            addresses=VIP,
        )
        said = replace(said, **changed)
        self.events.append(said)
        if heard:
            self.events += [
                replace(said, node=other, sent=False) for other in ADDRESSES if other != node
            ]
        return self

    def takes(
        self, node: str, at: float, garps: int = 5, later: int = 5, held: bool = True
    ) -> Story:
        """It becomes master, with all that belongs to that but its advertisements."""
        self.state(node, at, "MASTER")
        if held:
            self.address(node, at, "added")
        for instant, count in ((at, garps), (at + 5, later)):
            for _ in range(count):
                self.events.append(
                    Arp(
                        instant,
                        node,
                        interface="eth0",
                        sent=True,
                        operation="request",
                        sender=VIP,
                        target=VIP,
                        gratuitous=True,
                    )
                )
        return self

    def yields(self, node: str, at: float) -> Story:
        """It becomes backup."""
        return self.state(node, at, "BACKUP").address(node, at, "removed")

    def state(self, node: str, at: float, state: Any) -> Story:
        self.events.append(StateChanged(at, node, instance="VI_1", state=state))
        return self

    def address(
        self, node: str, at: float, action: Any, address: str = VIP, prefix: int = 32
    ) -> Story:
        said = AddressChanged(
            at, node, action=action, address=address, prefix=prefix, interface="eth0"
        )
        self.events.append(said)
        return self

    def log(self, node: str, at: float, line: str) -> Story:
        self.events.append(
            Log(at, node, daemon="keepalived", line=f"Thu Jan  1 00:00:55 2026: {line}")
        )
        return self

    def daemon(
        self, node: str, at: float, action: Any, name: str = "keepalived", status: int | None = None
    ) -> Story:
        self.events.append(DaemonChanged(at, node, name=name, action=action, status=status))
        return self

    def dies(self, node: str, at: float) -> Story:
        """The power of a director is cut."""
        self.events.append(Power(at, node, action="off"))
        return self.daemon(node, at, "ended", status=-9)

    def boots(self, node: str, at: float) -> Story:
        """A director is switched on, and its keepalived started."""
        self.events += [Power(at, node, action="on"), Link(at, node, interface="eth0", up=True)]
        self.daemon(node, at, "started").state(node, at, "BACKUP")
        self.events += self._table(at + 0.001, node)
        return self

    def act(
        self, name: str, node: str, at: float, healed_at: float | None, **parameters: Any
    ) -> Story:
        self.acts.append(Act(name, node, parameters, at, healed_at))
        return self

    def pool(
        self, node: str, at: float, action: Any, address: str = WEB1, weight: int | None = 1
    ) -> Story:
        weight = None if action == "removed" else weight
        self.events.append(
            DestinationChanged(
                at, node, action=action, service=SERVICE, address=address, weight=weight
            )
        )
        return self

    def checks(self, endpoint: str, *instants: float, by: str = "director1") -> Story:
        """It connects to a real server at these instants, and to others every two seconds."""
        if self.probes is None:
            self.probes = [
                Probe(at, director, each)
                for director in ADDRESSES
                for each in (WEB1, WEB2)
                for at in range(0, int(self.ended), 2)
                if (director, each) != (by, endpoint)
            ]
        self.probes += [Probe(at, by, endpoint) for at in instants]
        return self

    def request(
        self,
        at: float,
        server: str | None,
        port: int = 4000,
        status: int = 200,
        error: str | None = None,
    ) -> Story:
        self.events.append(
            Request(at, "client", status=status, server=server, address=VIP, port=port, error=error)
        )
        return self

    def announces(self, node: str, at: float, vip: str = VIP) -> Story:
        """It tells everybody where the VIP is, or another one."""
        said = Arp(
            at,
            node,
            interface="eth0",
            sent=True,
            operation="request",
            sender=vip,
            target=vip,
            gratuitous=True,
        )
        self.events.append(said)
        return self

    def notifying(self) -> Story:
        """Every instance has scripts that report its states."""
        changed = {
            name: replace(
                one,
                instances=tuple(replace(each, notify=Notify.reported()) for each in one.instances),
            )
            for name, one in self.setting.directors.items()
        }
        self.setting = replace(self.setting, directors=changed)
        return self

    def answers_arp(self, node: str, at: float) -> Story:
        """It names the VIP as its own."""
        said = Arp(at, node, interface="eth0", sent=True, sender=VIP, target="172.16.10.100")
        self.events.append(said)
        return self

    def without(self, drop: Callable[[Event], bool]) -> Story:
        """The same, without some of the events."""
        self.events = [event for event in self.events if not drop(event)]
        return self

    def observed(self) -> Observed:
        """What would be judged."""
        events = sorted(
            (each for each in self.events if each.at <= self.ended), key=lambda event: event.at
        )
        return Observed(
            tuple(events), 0.0, self.ended, tuple(self.acts), self.setting, tuple(self.before),
            None if self.probes is None else tuple(sorted(self.probes, key=lambda each: each.at)),
        )  # fmt: skip


def quiet(ended: float = 20.0) -> Story:
    """Nothing happens."""
    return Story(ended).advertises("director1", 0.5, ended)


def failover(ended: float = 60.0) -> Story:
    """``director1`` loses power at 5.87 s and is back at 12 s; meanwhile ``director2`` becomes
    master.
    """
    story = Story(ended).advertises("director1", 0.5, 5.87)
    story.act("PowerOff", "director1", 5.87, 12.0).dies("director1", 5.87)
    taken, back = 5.5 + DOWN["director2"], 12.0 + DOWN["director1"]
    story.takes("director2", taken).advertises("director2", taken, back)
    story.boots("director1", 12.0)
    story.takes("director1", back).advertises("director1", back, ended)
    return story.yields("director2", back)


__all__ = ["SERVICE", "VIP", "WEB1", "WEB2", "Story", "failover", "quiet"]
