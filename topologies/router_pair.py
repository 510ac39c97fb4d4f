"""Two directors between an outer and an inner LAN, as in front of NAT: a VRRP instance on each
LAN.
"""

from collections.abc import Sequence
from typing import Any

from mininet.topo import Topo

from harness.topology import Client, Director, Notify, SyncGroup, TrackedInterface, VrrpInstance

OUTER, INNER = "172.16.10.50", "172.16.11.50"


class RouterPair(Topo):
    """Directors at .11 and .12 of both LANs, a client at .100 of the outer and a machine at .100 of
    the inner one.
    """

    def build(
        self,
        priorities: Sequence[int] = (100, 90),
        grouped: bool = True,
        inner_instance: bool = True,
        track_inner: int | None = None,
        reported: bool = False,
        **vrrp: Any,
    ) -> None:
        """``grouped``: both instances change state together. ``track_inner``: the outer one tracks
        the inner interface with this weight. ``reported``: all notifications of group and instances
        are on the timeline.
        """
        outer = self.addSwitch("outer", subnet="172.16.10.0/24", dpid="1")
        inner = self.addSwitch("inner", subnet="172.16.11.0/24", dpid="2")
        if track_inner is not None:
            vrrp["track_interfaces"] = (TrackedInterface(name="eth1", weight=track_inner),)
        for number, priority in enumerate(priorities, start=1):
            notify = Notify.reported() if reported else Notify()
            own: dict[str, Any] = {"priority": priority, "notify": notify}
            instances = [VrrpInstance(name="OUTER", vrid=51, vip=OUTER, **own, **vrrp)]
            if inner_instance:
                instances.append(
                    VrrpInstance(name="INNER", vrid=52, vip=INNER, interface="eth1", **own)
                )
            group = SyncGroup(
                name="ROUTER",
                members=("OUTER", "INNER"),
                notify=Notify.reported(group=True) if reported else Notify(),
            )
            director = self.addHost(
                f"director{number}",
                cls=Director,
                vrrp=tuple(instances),
                sync_groups=(group,) if grouped and inner_instance else (),
                notify_fifo=reported,
            )
            self.addLink(outer, director, params2={"ip": f"172.16.10.{10 + number}/24"})
            self.addLink(inner, director, params2={"ip": f"172.16.11.{10 + number}/24"})
        self.addLink(outer, self.addHost("client", cls=Client, ip="172.16.10.100/24"))
        self.addLink(inner, self.addHost("inside", cls=Client, ip="172.16.11.100/24"))


topos = {"router_pair": RouterPair}
