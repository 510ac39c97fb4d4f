"""Programs of the user's own as daemons: what the topology says of them, as the harness starts and
watches them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from harness.daemons.daemon import OPTIONAL_PROGRAMS, Daemon
from harness.errors import HarnessError
from harness.images.image import Image
from harness.topology.programs import Program

_NEVER = re.compile(r"(?!)")


def daemon_of(program: Program) -> Daemon:
    """What the harness starts."""
    ready = None if program.ready is None else re.compile(program.ready)
    package = program.package or OPTIONAL_PROGRAMS.get(program.argv[0], program.argv[0])
    return Daemon(program.name, tuple(program.argv), ready, _NEVER, package)


def require(host: str, programs: Iterable[Program], image: Image) -> None:
    """Raises HarnessError for one that the machine will not find, or for two of one name."""
    names: set[str] = set()
    for program in programs:
        if program.name in names:
            raise HarnessError(
                f"{host}: two programs are called {program.name}; give one another name="
            )
        names.add(program.name)
        file = program.argv[0]
        if file in program.files or image.program(file) is not None:
            continue
        where = f"the image {image.name} has no" if not image.is_host else "there is no"
        cure = f"install it: apt-get install {daemon_of(program).package}"
        if "/" in file:
            cure = "give it among files=, or install it"
        raise HarnessError(f"{host}: {where} program {file}; {cure}")
