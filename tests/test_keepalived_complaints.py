"""What keepalived says against a configuration, and how it ends. Pure."""

from __future__ import annotations

import signal
import subprocess
from typing import cast

import pytest

from harness.daemons import keepalived
from harness.errors import HarnessError
from harness.lab.machine import Machine


class Answering:
    """A machine on which keepalived ends with a status, having said something."""

    name = "lb1"

    def __init__(self, status: int, said: str) -> None:
        self._result = subprocess.CompletedProcess([], status, said, "")

    def run(self, *_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return self._result


def answering(status: int, said: str) -> Machine:
    return cast(Machine, Answering(status, said))


def test_a_keepalived_that_crashes_is_told_with_what_it_said_before() -> None:
    """As 2.2.7 does where an HTTP_GET has no url."""
    said = "(Line 4) HTTP/SSL_GET checker has no urls specified - ignoring\n"
    crash = (
        r"^lb1: keepalived crashes reading lb1\.conf \(SIGSEGV\); what it says before:"
        r" \(lb1\.conf: Line 4\) HTTP/SSL_GET checker has no urls specified - ignoring$"
    )
    with pytest.raises(HarnessError, match=crash):
        keepalived.complaints(answering(-signal.SIGSEGV, said), "lb1.conf")


def test_a_status_is_no_crash() -> None:
    said = "(Line 4) Unknown keyword 'colour'\n"
    told = keepalived.complaints(answering(5, said), "lb1.conf")
    assert told == (5, ["(lb1.conf: Line 4) Unknown keyword 'colour'"])
