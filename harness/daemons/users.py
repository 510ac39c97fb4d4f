"""Users that a keepalived.conf names (``script_user haproxy``) and that a bare machine does not
have.
"""

from __future__ import annotations

from collections.abc import Collection

from harness.lab.machine import Machine

PASSWD, GROUP = "/etc/passwd", "/etc/group"
_FIRST = 900
"""From which number on they are numbered, where distributions have their own daemons' users."""


def prepare(machine: Machine, names: Collection[str]) -> None:
    """Make those users and groups that are not there, each user with a group of its name."""
    if not names:
        return
    for place, line in ((PASSWD, "{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n"),
                        (GROUP, "{name}:x:{number}:\n")):  # fmt: skip
        text = machine.read(place)
        known = {each.partition(":")[0] for each in text.splitlines()}
        missing = [
            (number, name)
            for number, name in enumerate(sorted(names), start=_FIRST)
            if name not in known
        ]
        if missing:
            text = text if text.endswith("\n") else f"{text}\n"
            machine.write(
                place,
                text + "".join(line.format(name=name, number=number) for number, name in missing),
            )
