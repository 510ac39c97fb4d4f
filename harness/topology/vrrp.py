"""What elects the owner of the VIPs: VRRP instances, and the scripts that they track."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from harness.topology import fields

OWNER_PRIORITY = 255
STATES = ("BACKUP", "MASTER")
VERSIONS = ("2", "3")


@dataclass(frozen=True, kw_only=True)
class VrrpScript:
    """A command whose exit status keepalived turns into priority (keepalived.conf(5), ``vrrp_script``).

    ``interval`` and ``timeout`` (None: the interval) are whole seconds, since keepalived reads fractions
    only from 2.3 on. ``weight`` 0 sends the tracking instance into FAULT state while the script fails; a
    negative one is added to its priority while the script fails, a positive one while it succeeds.
    """

    name: str
    script: str
    interval: int = 1
    weight: int = 0
    fall: int = 1
    rise: int = 1
    timeout: int | None = None

    def __post_init__(self) -> None:
        fields.word("VrrpScript", "name", self.name)
        owner = f"VrrpScript {self.name}"
        fields.command(owner, "script", self.script)
        fields.whole(owner, "interval", self.interval, 1, 4294)
        fields.whole(owner, "weight", self.weight, -253, 253)
        fields.whole(owner, "fall", self.fall, 1, 2**31 - 1)
        fields.whole(owner, "rise", self.rise, 1, 2**31 - 1)
        if self.timeout is not None:
            fields.whole(owner, "timeout", self.timeout, 1, 4294)


def maintenance_switch(*, weight: int = -20, interval: int = 1) -> VrrpScript:
    """The script that fails while ``/etc/keepalived/down`` exists: how an operator retires a director."""
    return VrrpScript(
        name="maintenance",
        script="/usr/bin/test ! -e /etc/keepalived/down",
        interval=interval,
        weight=weight,
    )


@dataclass(frozen=True, kw_only=True)
class VrrpInstance:
    """One director's part in the election of the owner of ``vip`` (one address or several, held as /32).

    ``advert_int`` is in seconds: whole ones in version 2 (RFC 3768 section 5.3.7), hundredths up to 40.95
    in version 3 (RFC 5798 section 5.2.7). ``auth_pass`` is used by version 2 only: RFC 5798 section 9
    removed authentication. ``preempt_delay`` and ``garp_master_delay`` are in seconds. ``state`` is what
    keepalived is told; it shortens nothing, since keepalived starts every instance but the address owner's
    (priority 255) as a backup.
    """

    vrid: int
    vip: str | tuple[str, ...]
    priority: int = 100
    name: str = "VI_1"
    interface: str = "eth0"
    state: str = "BACKUP"
    advert_int: float = 1.0
    version: int = 2
    auth_pass: str | None = "lvs-dr"
    track_scripts: tuple[VrrpScript, ...] = ()
    nopreempt: bool = False
    preempt_delay: float = 0.0
    garp_master_delay: int = 5

    def __post_init__(self) -> None:
        fields.word("VrrpInstance", "name", self.name)
        owner = f"VrrpInstance {self.name}"
        fields.whole(owner, "vrid", self.vrid, 1, 255)
        fields.whole(owner, "priority", self.priority, 1, OWNER_PRIORITY)
        fields.word(owner, "interface", self.interface)
        fields.one_of(owner, "state", self.state, STATES)
        fields.one_of(owner, "version", str(self.version), VERSIONS)
        self._check_advert_int(owner)
        fields.number(owner, "preempt_delay", self.preempt_delay, 0, 1000)
        fields.whole(owner, "garp_master_delay", self.garp_master_delay, 0, 4294)
        if self.auth_pass is not None:
            fields.word(owner, "auth_pass", self.auth_pass)
            fields.number(owner, "length of auth_pass", len(self.auth_pass), 1, 8)
        if self.nopreempt:  # with either of these keepalived only warns, and goes its own way
            fields.one_of(owner, "state with nopreempt", self.state, ("BACKUP",))
            fields.number(owner, "preempt_delay with nopreempt", self.preempt_delay, 0, 0)
        fields.number(owner, "number of VIPs", len(self.vips), 1, 255)
        for vip in self.vips:
            fields.address(owner, "vip", vip)

    def _check_advert_int(self, owner: str) -> None:
        if self.version == 2:
            fields.whole(owner, "advert_int (version 2)", self.advert_int, 1, 255)
        else:
            fields.number(owner, "advert_int (version 3)", self.advert_int, 0.01, 40.95)
            fields.whole(owner, "advert_int in hundredths", round(self.advert_int * 100, 6), 1, 4095)

    @property
    def vips(self) -> tuple[str, ...]:
        """The VIPs, always as a tuple."""
        return (self.vip,) if isinstance(self.vip, str) else tuple(self.vip)

    def effective_priority(self, failing: Collection[VrrpScript] = ()) -> int:
        """The priority advertised while the tracked scripts in ``failing`` fail and the others succeed.

        0 while one without weight fails: the instance is in FAULT state and has resigned. The address
        owner's priority never changes (keepalived, ``vrrp_track.c``, ``vrrp_set_effective_priority``).
        """
        failed = [script for script in self.track_scripts if script in failing]
        if any(script.weight == 0 for script in failed):
            return 0
        if self.priority == OWNER_PRIORITY:
            return OWNER_PRIORITY
        lost = sum(script.weight for script in failed if script.weight < 0)
        gained = sum(script.weight for script in self.track_scripts if script.weight > 0 and script not in failed)
        return min(max(self.priority + gained + lost, 1), OWNER_PRIORITY - 1)
