"""Programs of the user's own: started on a machine, watched and logged like the daemons that the
harness knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from harness.errors import HarnessError
from harness.topology import fields


@dataclass(frozen=True)
class Program:
    """What ``argv`` runs, in the foreground: ``Program(["haproxy", "-db", "-f", CONFIG],
    ready="polling")``.

    ``ready`` is a regular expression for the line by which it says that it serves (None: it serves
    as soon as it runs); one that never says so fails the set-up. ``files`` are put in place before,
    path -> text; ``name`` is what it is called in logs and on the timeline, by default the file's;
    ``package`` is what installs it. ``serves`` are ports of a real server's services that it
    answers at, in place of httpd.
    """

    argv: Sequence[str]
    ready: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    package: str = ""
    serves: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if (
            isinstance(self.argv, str)
            or not self.argv
            or not all(isinstance(word, str) for word in self.argv)
        ):
            raise HarnessError(
                f'Program: argv is a list of words such as ["haproxy", "-db"], not {self.argv!r}'
            )
        object.__setattr__(self, "argv", tuple(self.argv))
        if not self.name:
            object.__setattr__(self, "name", PurePosixPath(self.argv[0]).name)
        try:
            re.compile(self.ready or "")
        except re.error as problem:
            raise HarnessError(
                f"Program {self.name}: ready={self.ready!r} is no regular expression: {problem}"
            ) from None
        for port in self.serves:
            fields.whole(f"Program {self.name}", "serves", port, 1, 65535)
        if relative := [path for path in self.files if not path.startswith("/")]:
            raise HarnessError(f"Program {self.name}: files need full paths, not {relative[0]}")
