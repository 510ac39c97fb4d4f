"""What may be written of what instances track."""

from __future__ import annotations

from harness.topology import fields
from harness.topology.rules.dispatch import check
from harness.topology.tracking import (
    Tracked,
    TrackedBfd,
    TrackedFile,
    TrackedProcess,
    VrrpScript,
)

LONGEST_BFD_NAME = 31
"""keepalived ``bfd.h``, BFD_INAME_MAX, with the final zero."""


@check.register
def _tracked(tracked: Tracked) -> None:
    _owner_of_tracked(tracked)


def _owner_of_tracked(tracked: Tracked) -> str:
    """What error messages call it, once what everything tracked has is checked."""
    kind = type(tracked).__name__
    fields.word(kind, "name", tracked.name)
    owner = f"{kind} {tracked.name}"
    fields.whole(owner, "weight", tracked.weight, -253, 253)
    return owner


@check.register
def _script(script: VrrpScript) -> None:
    owner = _owner_of_tracked(script)
    fields.command(owner, "script", script.script)
    fields.whole(owner, "interval", script.interval, 1, 4294)
    fields.whole(owner, "fall", script.fall, 1, 2**31 - 1)
    fields.whole(owner, "rise", script.rise, 1, 2**31 - 1)
    if script.timeout is not None:
        fields.whole(owner, "timeout", script.timeout, 1, 4294)


@check.register
def _process(process: TrackedProcess) -> None:
    owner = _owner_of_tracked(process)
    fields.word(owner, "process", process.process)
    fields.whole(owner, "quorum", process.quorum, 1, 65535)
    fields.number(owner, "delay", process.delay, 0, 3600)


@check.register
def _bfd(bfd: TrackedBfd) -> None:
    owner = _owner_of_tracked(bfd)
    fields.number(owner, "length of name", len(bfd.name), 1, LONGEST_BFD_NAME)
    fields.address(owner, "neighbour", bfd.neighbour)
    if bfd.source is not None:
        fields.address(owner, "source", bfd.source)
    for field in ("min_rx", "min_tx"):
        fields.number(owner, field, getattr(bfd, field), 0.001, 10)
    fields.number(owner, "idle_tx", bfd.idle_tx, 1, 10)
    fields.whole(owner, "multiplier", bfd.multiplier, 1, 10)


@check.register
def _file(file: TrackedFile) -> None:
    fields.word("TrackedFile", "name", file.name)
    owner = f"TrackedFile {file.name}"
    fields.word(owner, "path", file.path)
    fields.whole(owner, "weight", file.weight, -254, 254)
    fields.whole(owner, "value", file.value, -(2**31) + 1, 2**31 - 1)
