"""Processors shared out among embedded kernels, those of other runs and users too.

An embedded kernel is fastest on one processor (every system call of the guest switches between
processes of the host), and two on the same processor take twice as long. So a guard claims a
processor for its kernel. A claim is an abstract address of a Unix socket (unix(7)): it needs no
folder and no permissions, only one process at a time can have it, and when that process ends,
however it does, Linux gives it back.
"""

from __future__ import annotations

import _socket
import os
from contextlib import contextmanager

TYPE_CHECKING = False  # that of `typing` takes 15 ms to import
if TYPE_CHECKING:
    from collections.abc import Iterator

TURNS = 64
"""How many kernels may claim one processor. Whoever comes after them shares the first one without a
claim.
"""


@contextmanager
def claimed() -> Iterator[int]:
    """The number of a processor, claimed while the block lasts.

    Of the processors that this process may use it is the one with the fewest embedded kernels, and
    the one with the lowest number where several have equally few.
    """
    processors = sorted(os.sched_getaffinity(0))
    for turn in range(TURNS):
        for processor in processors:
            claim = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
            try:
                claim.bind(f"\0lvs-harness/processor/{processor}/{turn}".encode())
            except OSError:  # another process has it
                claim.close()
                continue
            try:
                yield processor
            finally:
                claim.close()
            return
    yield processors[0]
