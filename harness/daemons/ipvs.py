"""What IPVS a machine's kernel has: asked by making a virtual service of a kind and removing it
again.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterable

from harness.errors import HarnessError
from harness.kernels import native
from harness.lab.machine import Machine

# include/uapi/linux/ip_vs.h: IP_VS_SO_SET_ADD, IP_VS_SO_SET_DEL and struct ip_vs_service_user
_ADD, _DELETE = 1154, 1156
_SERVICE = struct.Struct("=H2x4sH2xI16sIII")
_MARK = 1


def require_schedulers(machine: Machine, schedulers: Iterable[str]) -> None:
    """Raises HarnessError that names the module which the kernel lacks, for a machine with no
    virtual services yet.

    A module that is not loaded is loaded by this, as it would be for keepalived
    (``ip_vs_scheduler_get``).
    """
    native.load_ipvs()
    with (
        machine.inside(),
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as kernel,
    ):
        for scheduler in dict.fromkeys(schedulers):
            service = _SERVICE.pack(
                socket.IPPROTO_TCP, bytes(4), 0, _MARK, scheduler.encode(), 0, 0, 0
            )
            try:
                kernel.setsockopt(socket.IPPROTO_IP, _ADD, service)
            except OSError as problem:
                lacking = {
                    errno.ENOENT: f"the scheduler {scheduler} (module ip_vs_{scheduler})",
                    errno.ENOPROTOOPT: "IPVS (module ip_vs)",
                }.get(problem.errno or 0)
                if lacking is None:
                    raise
                raise HarnessError(
                    f"{machine.name}: the kernel lacks {lacking}: load that module, take another"
                    f" kernel (--kernel),"
                    " or change the topology"
                ) from None
            kernel.setsockopt(socket.IPPROTO_IP, _DELETE, service)
