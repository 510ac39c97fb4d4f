"""What elects the owner of the VIPs: VRRP instances and the groups in which they change state
together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address

from harness.topology.notification import Notify
from harness.topology.tracking import (
    FAULT,
    Tracked,
    TrackedBfd,
    TrackedFile,
    TrackedInterface,
    TrackedProcess,
    VrrpScript,
)

OWNER_PRIORITY = 255
AUTH_PASS = "lvs-dr"
"""The password of version 2, where nobody says another one."""
STATES = ("BACKUP", "MASTER")


@dataclass(frozen=True)
class Vip:
    """A virtual address as an instance has it: its prefix length, and the interface where it
    goes.
    """

    address: str
    prefix: int
    device: str

    def __str__(self) -> str:
        return f"{self.address}/{self.prefix} dev {self.device}"


@dataclass(frozen=True, kw_only=True)
class VrrpInstance:
    """One director's part in the election of the owner of its VIPs.

    - ``vip``: one address or several of one family; each is held as /32 or /128, or with
      ``vip_prefix``. IPv6 needs ``version`` 3.
    - ``excluded_vips``: addresses of either family that move along without being advertised.
    - ``elsewhere``: VIPs that are not held on ``interface``, each with its own interface;
      ``prefixes``: those that have a prefix length of their own.
    - ``source``: the address that it speaks from, where it is told one.
    - ``priority``: 1 to 255. ``state``: what the configuration says; keepalived starts every
      instance as a backup, unless it has both MASTER and priority 255.
    - ``advert_int``: seconds between advertisements: whole ones in version 2 (RFC 3768 section
      5.3.7), hundredths up to 40.95 in version 3 (RFC 5798 section 5.2.7).
    - ``down_timer_adverts``: after how many intervals without an advertisement, and the skew, a
      backup takes over (keepalived 2.2 and newer).
    - ``auth_pass``: None for no password. Version 3 has none (RFC 5798 section 9).
    - ``virtual_routes``, ``virtual_rules``: what only the master has, as ``ip route`` and ``ip
      rule`` take it: ``("10.9.0.0/24 via 172.16.10.1 dev eth0",)``.
    - ``unicast_peers``: addresses to which advertisements go instead of the multicast group.
    - ``track_scripts``, ``track_interfaces``, ``track_files``, ``track_processes``,
      ``track_bfds``: what changes the priority, or leads to FAULT state.
    - ``notify``, ``notify_priority_changes``, ``smtp_alert``: whom keepalived tells of changes.
    - ``nopreempt``: a higher priority does not take over from a master that is alive.
    - ``preempt_delay``: seconds for which it waits before it does.
    - ``garp_...``: gratuitous ARP, in seconds, or in numbers where the name ends with ``repeat``:
      keepalived.conf(5).
    - ``vmac``: the name of an interface with the virtual hardware address that keepalived makes for
      it (``use_vmac``) and has the VIPs of ``interface`` on.

    What is read from files and not written:

    - ``authentication``: its type, as keepalived calls it.
    - ``accepts``: whether a master takes what is sent to its VIPs; with ``vrrp_strict`` or
      ``no_accept`` it drops that.
    """

    vrid: int
    vip: str | tuple[str, ...]
    priority: int = 100
    name: str = "VI_1"
    interface: str = "eth0"
    state: str = "BACKUP"
    advert_int: float = 1.0
    down_timer_adverts: int = 3
    version: int = 2
    auth_pass: str | None = AUTH_PASS
    pseudo_header: bool = True
    excluded_vips: tuple[str, ...] = ()
    elsewhere: tuple[tuple[str, str], ...] = ()
    prefixes: tuple[tuple[str, int], ...] = ()
    source: str | None = None
    unicast_peers: tuple[str, ...] = ()
    vip_prefix: int | None = None
    virtual_routes: tuple[str, ...] = ()
    virtual_rules: tuple[str, ...] = ()
    track_scripts: tuple[VrrpScript, ...] = ()
    track_interfaces: tuple[TrackedInterface, ...] = ()
    track_files: tuple[TrackedFile, ...] = ()
    track_processes: tuple[TrackedProcess, ...] = ()
    track_bfds: tuple[TrackedBfd, ...] = ()
    notify: Notify = Notify()  # noqa: RUF009 - it is frozen
    notify_priority_changes: bool = False
    smtp_alert: bool = False
    nopreempt: bool = False
    preempt_delay: float = 0.0
    garp_master_delay: int = 5
    garp_master_repeat: int = 5
    garp_master_refresh: int = 0
    garp_master_refresh_repeat: int = 1
    garp_lower_prio_delay: int | None = None
    garp_lower_prio_repeat: int | None = None
    vmac: str | None = None
    authentication: str | None = None
    accepts: bool = True

    @property
    def vips(self) -> tuple[str, ...]:
        """The VIPs, always as a tuple."""
        return (self.vip,) if isinstance(self.vip, str) else tuple(self.vip)

    @property
    def family(self) -> int:
        """Of its VIPs: 4 or 6."""
        return 6 if any(":" in vip for vip in self.vips) else 4

    def device_of(self, vip: str) -> str:
        """The interface on which a VIP is held."""
        return dict(self.elsewhere).get(vip, self.vmac or self.interface)

    @property
    def advertised(self) -> tuple[Vip, ...]:
        """The VIPs, each with its prefix length and its interface in the configuration."""
        return self._placed(self.vips, self.vip_prefix)

    @property
    def excluded(self) -> tuple[Vip, ...]:
        """The same of those that move along without being advertised."""
        return self._placed(self.excluded_vips, None)

    @property
    def held(self) -> tuple[Vip, ...]:
        """All of them, the advertised ones first."""
        return (*self.advertised, *self.excluded)

    def with_vips(self, vips: Sequence[Vip], excluded: Sequence[Vip] = ()) -> VrrpInstance:
        """The same instance with these VIPs, each with its prefix length and its interface."""
        both = (*vips, *excluded)
        return replace(
            self,
            vip=tuple(vip.address for vip in vips),
            excluded_vips=tuple(vip.address for vip in excluded),
            elsewhere=tuple(
                (vip.address, vip.device) for vip in both if vip.device != self.interface
            ),
            prefixes=tuple((vip.address, vip.prefix) for vip in both),
        )

    def _placed(self, vips: tuple[str, ...], prefix: int | None) -> tuple[Vip, ...]:
        devices, prefixes = dict(self.elsewhere), dict(self.prefixes)
        return tuple(
            Vip(
                vip,
                prefixes.get(vip, prefix or ip_address(vip).max_prefixlen),
                devices.get(vip, self.interface),
            )
            for vip in vips
        )

    @property
    def tracked(self) -> tuple[Tracked, ...]:
        """All that it tracks and that is either well or not."""
        return (
            *self.track_scripts,
            *self.track_interfaces,
            *self.track_processes,
            *self.track_bfds,
        )

    def with_priority(self, priority: int) -> VrrpInstance:
        """The same instance as if its priority were another, 1 at the least, and it tracked
        nothing that changes it.
        """
        return replace(
            self,
            priority=max(priority, 1),
            track_scripts=(),
            track_interfaces=(),
            track_files=(),
            track_processes=(),
            track_bfds=(),
        )

    def effective_priority(
        self, failing: Collection[Tracked] = (), values: Mapping[TrackedFile, int] | None = None
    ) -> int:
        """The priority advertised while of what it tracks all in ``failing`` fails, the rest is
        well, and files hold ``values`` (else their own).

        0 in FAULT state: the instance has resigned. Nothing tracked changes the address owner's
        priority (keepalived, ``vrrp_track.c``, ``vrrp_set_effective_priority``). One that hears
        another owner lowers itself to 254 before 2.3.3 (``vrrp.c``, ``vrrp_state_master_rx``),
        which is a regression's matter and not counted here.
        """
        given = values or {}
        added = [each.contribution(each in failing) for each in self.tracked]
        added += [file.contribution(given.get(file, file.value)) for file in self.track_files]
        if min(added, default=0) <= FAULT:
            return 0
        if self.priority == OWNER_PRIORITY:
            return OWNER_PRIORITY
        return min(max(self.priority + sum(added), 1), OWNER_PRIORITY - 1)


@dataclass(frozen=True, kw_only=True)
class SyncGroup:
    """VRRP instances of one director, by name, that change state together: none is master unless
    all can be.
    """

    name: str
    members: tuple[str, ...]
    notify: Notify = Notify()  # noqa: RUF009 - it is frozen
    smtp_alert: bool = False
