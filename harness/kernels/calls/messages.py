"""Messages between processes that import C modules only: one marshalled dict, and descriptors
beside it.
"""

from __future__ import annotations

import _socket
import marshal
import sys

TYPE_CHECKING = False  # that of `typing` takes 15 ms to import
if TYPE_CHECKING:
    from typing import Any

LIMIT = 1 << 17
MOST_DESCRIPTORS = 253  # beside a message (kernel, SCM_MAX_FD)
_DESCRIPTOR = 4  # bytes that each takes


def send(control: _socket.socket, answer: dict[str, Any], fds: list[int] | None = None) -> None:
    """Send one message, with descriptors beside it."""
    numbers = b"".join(fd.to_bytes(_DESCRIPTOR, sys.byteorder) for fd in fds or ())
    beside = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, numbers)] if fds else []
    control.sendmsg([marshal.dumps(answer)], beside)


def receive(control: _socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """One message, and the descriptors beside it; None if the other end is closed."""
    data, beside, _, _ = control.recvmsg(LIMIT, _socket.CMSG_LEN(MOST_DESCRIPTORS * _DESCRIPTOR))
    descriptors: list[int] = []
    for _, _, numbers in beside:
        descriptors += memoryview(numbers).cast("i")
    return marshal.loads(data) if data else None, descriptors
