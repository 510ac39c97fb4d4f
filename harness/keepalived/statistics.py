"""keepalived's own counters, as it writes them to ``keepalived.stats`` when it gets a SIGUSR2
(pure).
"""

from __future__ import annotations

from harness.errors import HarnessError

Statistics = dict[str, int]
"""The counters of one VRRP instance by name, such as ``Packet Errors: TTL`` or ``Became master``.
"""

_INSTANCE = "VRRP Instance:"
LAST = "Priority Zero: Sent"
"""The counter that ends an instance's part of the file (keepalived ``vrrp_print.c``,
``vrrp_print_stats``).
"""


def parse(text: str) -> dict[str, Statistics]:
    """The counters of each VRRP instance by its name. Raises HarnessError if the file is not
    complete.
    """
    instances: dict[str, Statistics] = {}
    counters: Statistics = {}
    group = ""
    for line in text.splitlines():
        name, colon, value = line.strip().partition(":")
        if line.startswith(_INSTANCE):
            counters = instances.setdefault(value.strip(), {})
        elif colon and not value.strip():
            group = f"{name}: "
        elif colon:
            inner = line.startswith("    ")
            counters[f"{group}{name}" if inner else name] = _whole(line, value)
    if not instances or any(LAST not in each for each in instances.values()):
        raise HarnessError(f"keepalived's statistics are cut short: {text[-60:]!r}")
    return instances


def _whole(line: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise HarnessError(
            f"keepalived's statistics have a line without a number: {line!r}"
        ) from None


def difference(before: Statistics, after: Statistics) -> Statistics:
    """What has been counted between two readings: the counters that differ, with how much more they
    are.
    """
    return {name: more for name, count in after.items() if (more := count - before.get(name, 0))}
