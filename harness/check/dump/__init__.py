"""What keepalived says it has read: the text of ``keepalived --dump-conf`` to typed objects (pure).

So what is tested is what keepalived reads, with its includes, conditions, variables and defaults,
and not what a second parser would make of the file. The text is that of keepalived's
``vrrp_data.c``, ``check_data.c``, ``check_api.c`` and the checkers, 2.1.5 and newer: one fact a
line, belonging to the line above that is indented less.
"""

from __future__ import annotations

from harness.check.dump.lines import Line, sections
from harness.check.dump.services import services
from harness.check.dump.vrrp import instance, script, sync_groups, track_file
from harness.check.facts import Reading


def parse(vrrp: str, check: str) -> Reading:
    """What the VRRP process and the checker process have dumped."""
    found = {**sections(check), **sections(vrrp)}
    scripts = tuple(map(script, found.get("VRRP Scripts", Line("")).below("VRRP Script = ")))
    files = map(track_file, found.get("VRRP Track files", Line("")).below("Track file = "))
    lines = [*found.get("VRRP Topology", Line("")).below("VRRP Instance = ")]
    tracked = {each.name: each for each in scripts}, {each.name: each for each in files}
    instances = tuple(instance(line, *tracked) for line in lines)
    return Reading(
        instances,
        scripts,
        tuple(services(found)),
        sync_groups=tuple(sync_groups(lines)),
        startup_delay=found.get("Global definitions", Line("")).number("vrrp_startup_delay"),
    )
