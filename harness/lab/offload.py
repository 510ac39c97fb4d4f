"""Interfaces that leave no work to hardware: every checksum is on the wire, and no packet is larger
than the MTU.

A veth pair hands packets over unfinished otherwise, and a capture would show neither what a network
card sends nor whether a director that rewrites addresses gets the checksums right.
"""

from __future__ import annotations

import array
import fcntl
import socket
import struct

_SIOCETHTOOL = 0x8946  # include/uapi/linux/sockios.h
_ETHTOOL_STXCSUM = (
    0x17  # include/uapi/linux/ethtool.h; without checksums there is no segmentation offload either
)


def switch_off(interface: str) -> None:
    """Have the kernel finish what leaves by ``interface``, in the calling thread's network
    namespace.
    """
    request = array.array("B", struct.pack("=II", _ETHTOOL_STXCSUM, 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(
            control, _SIOCETHTOOL, struct.pack("16sP", interface.encode(), request.buffer_info()[0])
        )
