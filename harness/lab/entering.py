"""Entering the network namespaces of machines. Errors are ``OSError``."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from harness.kernels.calls import linux


@contextlib.contextmanager
def inside_netns(netns: int) -> Iterator[None]:
    """Work in another network namespace, given as a file descriptor; only the calling thread moves
    there.
    """
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        linux.setns(netns, linux.CLONE_NEWNET)
        try:
            yield
        finally:
            linux.setns(own, linux.CLONE_NEWNET)
    finally:
        os.close(own)
