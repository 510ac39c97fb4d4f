"""Whether this machine's own kernel can carry a cluster: root, namespaces and IPVS."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from harness.kernels.calls import linux

_NEIGHBOURS = "/proc/sys/net/ipv4/neigh/default/gc_thresh3"
_NEIGHBOURS_EACH = 5


def lacking() -> str | None:
    """What this machine lacks for native runs, in words; None if nothing. Loads the module
    ``ip_vs`` if it can.
    """
    if os.geteuid() != 0:
        return "not root"
    if not may_make_namespaces():
        return "root may not make namespaces here (an unprivileged container?)"
    load_ipvs()
    if not os.path.exists("/proc/net/ip_vs"):
        return "no IPVS in its kernel"
    return None


def too_small(machines: int) -> str | None:
    """Which limit of this kernel, that all its network namespaces share, is too low for a cluster;
    None if none is.

    Each real server knows both directors and the client, and they know it (kernel, ip-sysctl.rst).
    """
    wanted = _NEIGHBOURS_EACH * machines
    try:
        most = int(Path(_NEIGHBOURS).read_text())
    except OSError:
        return None  # the setting is the first namespace's alone
    if most >= wanted:
        return None
    return (
        f"{machines} machines share this kernel's table of neighbours, which holds"
        f" {most}, so ARP would fail:"
        f" sysctl -w net.ipv4.neigh.default.gc_thresh3={wanted}"
    )


def load_ipvs() -> None:
    """Load the module ``ip_vs`` if there is one and it is missing, as keepalived and ipvsadm do."""
    modprobe = shutil.which("modprobe", path="/usr/sbin:/sbin")
    if modprobe is not None and not os.path.exists("/proc/net/ip_vs"):
        subprocess.run([modprobe, "-q", "ip_vs"], check=False, stderr=subprocess.DEVNULL)


def may_make_namespaces() -> bool:
    """Whether this process can make a network, a mount and a pid namespace."""
    child = os.fork()
    if child == 0:
        try:
            linux.unshare(linux.CLONE_NEWNET | linux.CLONE_NEWNS | linux.CLONE_NEWPID)
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0
