"""The relay between a guest and its caller, with a guest that is nothing but its frames."""

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.kernels import wire
from harness.kernels.host.link import Ends
from harness.kernels.host.relay import Relay

STATUS = 3


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[tuple[Relay, socket.socket]]:
    """A relay whose guard has ended already, and the guest's end of its line."""
    gone = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, gone.pid, os.WEXITED | os.WNOWAIT)
    sending, receiving = socket.socketpair()
    with (
        open(os.devnull, "rb", buffering=0) as log,
        open(os.devnull, "wb", buffering=0) as control,
        receiving,
        sending,
    ):
        ends = Ends(sending, receiving, log, control, gone.pid)
        yield Relay(ends, ["null", "data", "data"], None, [tmp_path], tmp_path, None), sending
    gone.wait()


def test_all_that_a_guest_sent_before_its_end_counts(
    relay: tuple[Relay, socket.socket], tmp_path: Path
) -> None:
    """However much that is: the caller may have been busy meanwhile."""
    host, guest = relay
    content = b"x" * 50_000
    for name in ("one", "two"):
        guest.sendall(wire.frame(wire.FILE, wire.file(0, name, content)))
    guest.sendall(wire.frame(wire.EXIT, bytes([STATUS])))
    guest.shutdown(socket.SHUT_WR)

    assert host.run() == STATUS
    assert [(tmp_path / name).read_bytes() for name in ("one", "two")] == [content, content]


def test_a_guest_that_ends_without_a_status_has_died(relay: tuple[Relay, socket.socket]) -> None:
    """Its last frame is what says that it ended by itself."""
    host, guest = relay
    guest.shutdown(socket.SHUT_WR)

    with pytest.raises(HarnessError, match="the embedded kernel died"):
        host.run()
