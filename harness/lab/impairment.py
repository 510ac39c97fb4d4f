"""Wires that lose, delay or reorder frames: the kernel's netem, on all of what passes one way or on
one kind of it.

One kind is told apart by a ``prio`` queueing discipline of two bands: a ``u32`` filter leads it to
the band where netem is, and everything else passes by the other one.
"""

from __future__ import annotations

import errno
import socket
import struct
from dataclasses import dataclass
from typing import Any

from harness.errors import HarnessError
from harness.lab.netlink import NLM_F_CREATE, NLM_F_EXCL, Batch, nla, nlmsg

# include/uapi/linux/rtnetlink.h and pkt_sched.h
RTM_NEWQDISC, RTM_DELQDISC, RTM_NEWTFILTER, RTM_DELTFILTER = 36, 37, 44, 45
_ROOT = 0xFFFFFFFF
_TOP, _IMPAIRED_BAND = 0x10000, 0x10001
_QUEUE = 1 << 16  # frames; netem drops what does not fit
_ALL = 0xFFFFFFFF  # netem's shares are of 2^32 - 1
U32_TERMINAL = 1

KINDS = {
    "advertisements": ((0x0800, 0x00FF0000, 0x00700000, 8), (0x86DD, 0x0000FF00, 0x00007000, 4)),
    "ARP": ((0x0806, 0, 0, 0),),
}
"""Kinds of frames: ethertypes, each with mask, value and offset of a word behind the Ethernet
header (VRRP is 112).
"""


class tcmsg(nlmsg):  # type: ignore[misc]  # pyroute2 has no types
    """``struct tcmsg`` with attributes as the kernel has them; pyroute2's own knows neither
    ``prio`` nor the seed.
    """

    fields = (
        ("family", "B"),
        ("pad", "3x"),
        ("index", "i"),
        ("handle", "I"),
        ("parent", "I"),
        ("info", "I"),
    )
    nla_map = ((1, "TCA_KIND", "asciiz"), (2, "TCA_OPTIONS", "cdata"))


class _netem(nla):  # type: ignore[misc]
    """``struct tc_netem_qopt`` and the attributes behind it."""

    fields = tuple(
        (name, "I") for name in ("latency", "limit", "loss", "gap", "duplicate", "jitter")
    )
    nla_map = ((10, "TCA_NETEM_LATENCY64", "int64"), (11, "TCA_NETEM_JITTER64", "int64"),
               (14, "TCA_NETEM_PRNG_SEED", "uint64"))  # fmt: skip


@dataclass(frozen=True)
class Impairment:
    """What happens to frames on their way.

    ``loss`` is the share that is lost, from 0 to 1. ``delay`` is in seconds; each frame's differs
    from it by up to ``jitter``, evenly either way, so frames may overtake each other. ``only`` is
    one of :data:`KINDS`, or None for all frames. ``seed`` decides which frames are lost and how
    late each is.
    """

    loss: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0
    only: str | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.loss <= 1:
            raise HarnessError(f"Impairment: loss is a share from 0 to 1, not {self.loss}")
        if not 0 <= self.jitter <= self.delay:
            raise HarnessError(
                f"Impairment: jitter {self.jitter} s is to be from 0 to the delay, {self.delay} s"
            )
        if self.only is not None and self.only not in KINDS:
            raise HarnessError(
                f"Impairment: only takes {', '.join(KINDS)} or None, not {self.only!r}"
            )


def impair(batch: Batch, index: int, impairment: Impairment, wire: str) -> None:
    """Have the interface with an index send impaired from now on. It may not be impaired
    already.
    """
    if impairment.only is None:
        _queue(batch, index, _ROOT, _TOP, "netem", _netem_options(impairment), wire)
        return
    _queue(batch, index, _ROOT, _TOP, "prio", struct.pack("=i16B", 2, *[1] * 16), wire)
    _queue(batch, index, _IMPAIRED_BAND, 2 * _TOP, "netem", _netem_options(impairment), wire)
    for priority, (ethertype, mask, value, offset) in enumerate(KINDS[impairment.only], start=1):
        selector = struct.pack("=BBBxHHhhI", U32_TERMINAL, 0, 1, 0, 0, 0, 0, 0)
        selector += struct.pack("!II", mask, value) + struct.pack("=ii", offset, 0)
        options = (
            struct.pack("=HHI", 8, 1, _IMPAIRED_BAND)
            + struct.pack("=HH", 4 + len(selector), 5)
            + selector
        )
        message = _message(index, _TOP, 0, "u32", options)
        message["info"] = priority << 16 | socket.htons(ethertype)
        batch.add(
            RTM_NEWTFILTER,
            NLM_F_CREATE | NLM_F_EXCL,
            message,
            f"filter {impairment.only} on {wire} (module cls_u32)",
        )


def mend(batch: Batch, index: int, wire: str) -> None:
    """Have the interface send as usual again, if it is still there."""
    message = tcmsg()
    message["index"], message["parent"] = index, _ROOT
    batch.add(RTM_DELQDISC, 0, message, f"mend {wire}", errno.ENODEV, errno.ENOENT)


def _queue(
    batch: Batch, index: int, parent: int, handle: int, kind: str, options: bytes, wire: str
) -> None:
    message = _message(index, parent, handle, kind, options)
    batch.add(
        RTM_NEWQDISC,
        NLM_F_CREATE | NLM_F_EXCL,
        message,
        f"impair {wire} by {kind} (module sch_{kind})",
    )


def _message(index: int, parent: int, handle: int, kind: str, options: bytes) -> Any:
    message = tcmsg()
    message["index"], message["parent"], message["handle"] = index, parent, handle
    message["attrs"] = [("TCA_KIND", kind), ("TCA_OPTIONS", options)]
    return message


def _netem_options(impairment: Impairment) -> bytes:
    options = _netem()
    options["limit"], options["loss"] = _QUEUE, round(impairment.loss * _ALL)
    options["attrs"] = [
        ("TCA_NETEM_LATENCY64", round(impairment.delay * 1e9)),
        ("TCA_NETEM_JITTER64", round(impairment.jitter * 1e9)),
        ("TCA_NETEM_PRNG_SEED", impairment.seed),
    ]
    options.encode()
    return bytes(options.data)[4:]
