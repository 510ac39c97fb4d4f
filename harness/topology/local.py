"""What runs on a director beside keepalived: the programs that its health scripts look for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from harness.errors import HarnessError
from harness.topology import fields


@dataclass(frozen=True, kw_only=True)
class LocalService:
    """A stand-in on a director: a process of the name, or with the path, ``process``; or what
    answers HTTP at ``port`` with ``path``, by ``tls`` or without.
    """

    process: str | None = None
    port: int | None = None
    tls: bool = False
    path: str = "/"

    def __post_init__(self) -> None:
        if (self.process is None) == (self.port is None):
            raise HarnessError("LocalService: give it a process or a port, one of both")
        if self.process is not None:
            fields.word("LocalService", "process", self.process)
        if self.port is not None:
            fields.whole("LocalService", "port", self.port, 1, 65535)

    @property
    def name(self) -> str:
        """What it is called: the program's name, or the port."""
        return PurePosixPath(self.process).name if self.process is not None else str(self.port)
