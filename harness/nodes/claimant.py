"""What a director has because it speaks VRRP: its instances, their VIPs, and when it takes them."""

from __future__ import annotations

from harness.clock import Instant, Window
from harness.daemons import keepalived
from harness.daemons.frr import Frr
from harness.daemons.speaker import Speaker
from harness.due import Took
from harness.errors import HarnessError
from harness.events import AddressChanged, Link, State, StateChanged
from harness.keepalived.statistics import Statistics
from harness.nodes.balancer import Balancer
from harness.nodes.context import STARTING
from harness.topology import VrrpInstance

IMPLEMENTATIONS: dict[str, Speaker] = {"keepalived": keepalived.Keepalived(), "frr": Frr()}
"""The VRRP implementations, by what the topology calls them (``by=``)."""


class Claimant(Balancer):
    """A balancer that claims VIPs by VRRP, whoever speaks that for it: keepalived or another
    implementation.
    """

    @property
    def speaker(self) -> Speaker:
        """Its VRRP implementation. Raises HarnessError if it has none."""
        if self.role.by not in IMPLEMENTATIONS:
            raise HarnessError(f"{self.name}: {self.role.by} speaks no VRRP")
        return IMPLEMENTATIONS[self.role.by]

    @property
    def vrrp(self) -> VrrpInstance:
        """Its (first) VRRP instance."""
        if not self.role.instances:
            raise HarnessError(f"{self.name} has no VRRP instance in the topology")
        return self.role.instances[0]

    def claim(self, vip: str) -> VrrpInstance:
        """Its VRRP instance that claims a VIP."""
        for instance in self.role.instances:
            if vip in (*instance.vips, *instance.excluded_vips):
                return instance
        raise HarnessError(f"{self.name} has no VRRP instance for {vip}")

    def due(self, window: Window, master_advert_int: float | None = None) -> Window:
        """When this implementation does what the RFCs have a router do in such a window, which has
        the skew in it.

        ``master_advert_int`` as for :func:`harness.keepalived.timers.takeover`.
        """
        return self.speaker.due(window, self.vrrp, master_advert_int)

    def device_of(self, vip: str) -> str:
        """The interface on which it holds a VIP, while it does."""
        return self.speaker.device_of(self.claim(vip), vip)

    def hardware_address(self, vip: str) -> str:
        """At which hardware address it answers for a VIP; its own where it claims that otherwise
        than by VRRP.
        """
        if not any(vip in (*each.vips, *each.excluded_vips) for each in self.role.instances):
            return self.mac
        return self.speaker.hardware_address(self.claim(vip), self.mac)

    def entered(self, line: str) -> tuple[str, State] | None:
        """The instance that a line of its log says has changed its state, and that state; None if
        it says no such.
        """
        return (
            self.speaker.entered(line, self.role.instances)
            if self.role.by in IMPLEMENTATIONS
            else None
        )

    # -- what it is due to do ----------------------------------------------------------------------

    def takes(self, vip: str, *, since: Instant, until: float) -> Took:
        """Wait until it gets a VIP; returns how long that took after ``since``, in seconds.

        ``until`` is the longest that it may take, after ``since``; TooLate is raised a little after
        it.
        """
        return self._changes_address("takes", "added", vip, since, until)

    def announces(self, vip: str, *, since: Instant, until: float) -> Took:
        """Wait until it :meth:`takes` a VIP, and then until the others on its LANs have heard of
        it; returns how long the taking took.
        """
        took = self.takes(vip, since=since, until=until)
        self.context.let_slack_pass()
        return took

    def resigns(self, vip: str, *, since: Instant, until: float) -> Took:
        """Wait until it gives a VIP up; else as :meth:`takes`."""
        return self._changes_address("gives up", "removed", vip, since, until)

    def _changes_address(
        self, what: str, action: str, vip: str, since: Instant, until: float
    ) -> Took:
        wait_for, words, device = self.context.wait_for, f"{what} {vip}", self.device_of(vip)
        if self.speaker.holding == "carrier":
            up = action == "added"
            return wait_for(self.name, words, Link, since, until, interface=device, up=up)
        return wait_for(
            self.name, words, AddressChanged, since, until,
            action=action, address=vip, interface=device,
        )  # fmt: skip

    def candidate_since(self, since: Instant | None = None) -> Window:
        """Between which instants keepalived became a candidate and began to wait for a master: from
        ``since`` (when it was last started) to its own word in the log, which on a busy machine
        comes a little after the fact.
        """
        began = self.last_started() if since is None else since
        said = self.context.timeline.wait_for(
            StateChanged, node=self.name, since=began, until=began + STARTING, state="BACKUP"
        )
        return Window(began, said.at)

    def statistics(self, instance: str | None = None) -> Statistics:
        """The implementation's own counters of a VRRP instance, the first one by default, as they
        are now.
        """
        wanted = next(each for each in self.role.instances if instance in (None, each.name))
        self.speaker.ask_counters(self.machine, wanted)
        self.context.let_slack_pass()
        return self.speaker.counters(self.machine, wanted)
