"""What VRRP instances watch, and how it changes their claim: scripts, interfaces, files,
processes.
"""

from __future__ import annotations

from dataclasses import dataclass

FAULT = -254
"""A contribution to the priority as low as this is FAULT state (keepalived ``vrrp_track.c``)."""

CHECK = "/etc/keepalived/check.sh"
"""A script that every director has: it succeeds until a fault has it fail or hang, by a word in
:data:`VERDICT`.
"""

VERDICT = "/run/check"
PAUSE = "/run/check-pause"
"""For how many seconds :data:`CHECK` pauses before it looks at its verdict; none without this."""


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """Something that is either well or not. ``weight`` 0 sends whoever tracks it into FAULT state
    while it is not; a negative one is added to the priority while it is not, a positive one while
    it is. With ``reverse`` it is subtracted instead, and 0 is FAULT state while it is well.
    """

    name: str
    weight: int = 0
    reverse: bool = False

    def contribution(self, failing: bool) -> int:
        """What it adds to the priority; :data:`FAULT` if it ends the claim (``vrrp_track.c``,
        ``process_script_update_priority``).
        """
        if not self.weight:
            return FAULT if failing != self.reverse else 0
        added = self.weight if failing == (self.weight < 0) else 0
        return -added if self.reverse else added


@dataclass(frozen=True, kw_only=True)
class VrrpScript(Tracked):
    """A command whose exit status keepalived turns into priority (keepalived.conf(5),
    ``vrrp_script``).

    ``interval`` and ``timeout`` (None: the interval) are seconds; only whole ones are written,
    since keepalived reads fractions only from 2.3 on. ``fall`` failures in a row are a failure,
    ``rise`` successes in a row a recovery.
    """

    script: str
    interval: float = 1
    fall: int = 1
    rise: int = 1
    timeout: float | None = None


def maintenance_switch(*, weight: int = -20, interval: int = 1) -> VrrpScript:
    """The script that fails while ``/etc/keepalived/down`` exists: how an operator retires a
    director.
    """
    return VrrpScript(
        name="maintenance",
        script="/usr/bin/test ! -e /etc/keepalived/down",
        interval=interval,
        weight=weight,
    )


@dataclass(frozen=True, kw_only=True)
class TrackedInterface(Tracked):
    """An interface that must be up and have a carrier, ``name`` as the machine has it."""


@dataclass(frozen=True, kw_only=True)
class TrackedProcess(Tracked):
    """At least ``quorum`` processes of the name ``process`` must run (``vrrp_track_process``). With
    ``delay``, in seconds, a loss or a gain counts only if it lasts that long.
    """

    process: str
    quorum: int = 1
    delay: float = 0.0


@dataclass(frozen=True, kw_only=True)
class TrackedBfd(Tracked):
    """A BFD session with ``neighbour`` that must be up, as keepalived's own BFD process keeps it
    (``bfd_instance`` and ``track_bfd`` of keepalived.conf(5), RFC 5880).

    It sends every ``min_tx`` seconds, less up to a quarter (section 6.8.7), and wants to hear no
    more often than every ``min_rx``; while there is no session it sends every ``idle_tx``. The
    neighbour takes it for down when it has not heard it ``multiplier`` times. ``source`` is the
    address that it speaks from (None: the kernel's choice). Of one that is read from a file only
    the name and the weight are known, and ``neighbour`` is None.
    """

    neighbour: str | None = None
    source: str | None = None
    min_rx: float = 0.1
    min_tx: float = 0.1
    idle_tx: float = 1.0
    multiplier: int = 3


@dataclass(frozen=True, kw_only=True)
class TrackedFile:
    """A file with a number in it, which counts ``weight`` times; with weight 0 anything but 0 is
    FAULT state. With ``reverse`` it counts against the director, and with weight 0 0 is FAULT
    state.

    keepalived writes ``value`` into it at start if there is none (keepalived.conf(5),
    ``track_file``).
    """

    name: str
    path: str
    weight: int = 1
    value: int = 0
    reverse: bool = False

    def contribution(self, value: int) -> int:
        """What ``value`` adds to the priority; :data:`FAULT` or less ends the claim
        (``vrrp_track.c``).
        """
        if not self.weight:
            return FAULT if bool(value) != self.reverse else 0
        counted = -value * self.weight if self.reverse else value * self.weight
        return min(counted, -FAULT - 1)
