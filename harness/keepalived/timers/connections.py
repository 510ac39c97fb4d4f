"""When the directors' IPVS tables learn of each other's connections: the kernel's synchronisation
daemon.
"""

from __future__ import annotations

from harness.clock import Window

# net/netfilter/ipvs/ip_vs_sync.c: IPVS_SYNC_FLUSH_TIME, IPVS_SYNC_CHECK_PERIOD
_FLUSH_AFTER, _CHECK_EVERY = 2.0, 1.0
# of the slowest kernels (CONFIG_HZ=100): both times are counted in ticks, and either begins within
# one
_TICK = 0.01


def synchronisation() -> Window:
    """From the packet with which a master tells of a connection to the backup's entry for it.

    That is the third of the client's (``net.ipv4.vs.sync_threshold``). Messages that do not fill a
    frame are kept back for so long and are looked at so often (kernel ``ip_vs_sync.c``,
    ``next_sync_buff``).
    """
    return Window(0.0, _FLUSH_AFTER + _CHECK_EVERY + 2 * _TICK)
