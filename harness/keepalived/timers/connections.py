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
    """From a connection's packet at the master to the backup's entry for the connection.

    That packet is the client's third (``net.ipv4.vs.sync_threshold``). The kernel holds messages
    that do not fill a frame back, and looks at them from time to time (``ip_vs_sync.c``,
    ``next_sync_buff``).
    """
    return Window(0.0, _FLUSH_AFTER + _CHECK_EVERY + 2 * _TICK)
