"""What VRRP instances track: scripts, files, processes, BFD sessions."""

from __future__ import annotations

from harness.keepalived.config.blocks import block, seconds
from harness.topology.tracking import (
    Tracked,
    TrackedBfd,
    TrackedFile,
    TrackedProcess,
    VrrpScript,
)


def _weight(tracked: Tracked | TrackedFile) -> str:
    return f"weight {tracked.weight:d}{' reverse' if tracked.reverse else ''}"


def named(tracked: Tracked) -> str:
    """What has no block of its own, with its weight, in an instance."""
    return f"{tracked.name} {_weight(tracked)}"


def vrrp_script(script: VrrpScript) -> list[str]:
    """The block ``vrrp_script``."""
    body = [f'script "{script.script}"', f"interval {seconds(script.interval)}"]
    if script.timeout is not None:
        body.append(f"timeout {seconds(script.timeout)}")
    body += [_weight(script), f"fall {script.fall:d}", f"rise {script.rise:d}"]
    return block(f"vrrp_script {script.name}", body)


def track_file(file: TrackedFile) -> list[str]:
    """The block ``track_file``."""
    return block(
        f"track_file {file.name}",
        [f"file {file.path}", _weight(file), f"init_file {file.value}"],
    )


def vrrp_track_process(process: TrackedProcess) -> list[str]:
    """The block ``vrrp_track_process``."""
    body = [f"process {process.process}", _weight(process), f"quorum {process.quorum}"]
    if process.delay:
        body.append(f"delay {seconds(process.delay)}")
    return block(f"vrrp_track_process {process.name}", body)


def bfd_instance(bfd: TrackedBfd) -> list[str]:
    """The block ``bfd_instance``, whose times are in milliseconds."""
    body = [f"neighbor_ip {bfd.neighbour}"]
    if bfd.source is not None:
        body.append(f"source_ip {bfd.source}")
    for word in ("min_rx", "min_tx", "idle_tx"):
        body.append(f"{word} {round(getattr(bfd, word) * 1000)}")
    body.append(f"multiplier {bfd.multiplier:d}")
    return block(f"bfd_instance {bfd.name}", body)
