"""The same sequence on two versions: where they behave differently, and by more than the protocols
leave open (pure).

No invariant is asked. What is compared is who held which address from when to when, and which real
servers stood in which table: checks run at times of their own, so a table may differ by as much as
it takes a checker to notice.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.events import AddressChanged, DestinationChanged, Log, ServiceChanged
from harness.keepalived.timers.checking import BOOTSTRAP_DELAY
from harness.search.observed import Observed, Violation
from harness.search.performing import Lived

BEHAVES = "behaves the same"
TOLERANCE = 0.1
"""Seconds by which an address may move earlier or later."""

Change = tuple[str, str, str]
"""The node, what changes, and how: ``director1``, ``address 10.0.0.1``, ``added``."""


def differences(one: Lived, other: Lived, names: tuple[str, str]) -> list[Violation]:
    """The first difference between two lives of a sequence, if there is one; ``names`` are the
    versions.
    """
    ended = one.observed.ended
    if (one.amiss is None) != (other.amiss is None):
        amiss, well = (names[0], names[1]) if one.amiss else (names[1], names[0])
        return [
            Violation(
                BEHAVES, ended, (f"{amiss}: {one.amiss or other.amiss}; {well} comes to rest")
            )
        ]
    return list(_different(one.observed, other.observed, names))[:1]


def _different(one: Observed, other: Observed, names: tuple[str, str]) -> Iterator[Violation]:
    mine, theirs = _changes(one), _changes(other)
    for what in sorted(mine.keys() | theirs.keys()):
        first, second = mine.get(what, []), theirs.get(what, [])
        words = f"{what[1]} is {what[2]} on {what[0]}"
        if len(first) != len(second):
            text = f"{words} {_times(first)} with {names[0]}, {_times(second)} with {names[1]}"
            yield Violation(BEHAVES, one.ended, text)
            continue
        for here, there in zip(first, second, strict=True):
            if abs(here - there) > _tolerance(one, what):
                text = (
                    f"{words} after {here:.3f} s with {names[0]}, and after {there:.3f} s"
                    f" with {names[1]}"
                )
                yield Violation(BEHAVES, one.began + here, text)
                break


def _changes(observed: Observed) -> dict[Change, list[float]]:
    """When what changed, in seconds from the beginning."""
    found: dict[Change, list[float]] = {}
    claimed = {
        vip for director in observed.setting.directors.values() for each in director.instances
        for vip in (*each.vips, *each.excluded_vips)
    }  # fmt: skip
    what: Change
    for event in observed.events:
        if isinstance(event, AddressChanged) and event.address in claimed:
            what = (event.node, f"address {event.address}", event.action)
        elif isinstance(event, DestinationChanged):
            what = (
                event.node,
                f"{event.address} of {event.service}",
                f"{event.action} {_weight(event)}".strip(),
            )
        elif isinstance(event, ServiceChanged):
            what = (event.node, f"service {event.service}", event.action)
        elif isinstance(event, Log) and "exited due to" in event.line:
            what = (event.node, "a child of keepalived", "lost")
        else:
            continue
        if event.node in observed.setting.directors:
            found.setdefault(what, []).append(event.at - observed.began)
    return found


def _weight(event: DestinationChanged) -> str:
    return "" if event.weight is None else f"with weight {event.weight}"


def _tolerance(observed: Observed, what: Change) -> float:
    """By how much a change may come earlier or later: one of a table by the pace of its checker."""
    paces = [TOLERANCE]
    for table in observed.setting.directors[what[0]].tables:
        if table.name in what[1] and table.service.checks:
            check = table.service.checks[0]
            pace = check.pace(table.service.delay_loop)
            paces.append(
                TOLERANCE
                + 2 * pace.delay_loop
                + (pace.retry + 1) * (pace.timeout + pace.delay_before_retry)
            )
            paces[-1] += BOOTSTRAP_DELAY
    return max(paces)


def _times(when: list[float]) -> str:
    return "never" if not when else "once" if len(when) == 1 else f"{len(when)} times"
