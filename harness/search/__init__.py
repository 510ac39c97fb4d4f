"""Search: sequences of deeds on a living cluster that nobody wrote, and what is wrong with what
came of them.

Scenarios that a search has left import :func:`broken` and :func:`step` from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.search.sequence import Step, step

if TYPE_CHECKING:
    from harness.cluster import Cluster

__all__ = ["broken", "step"]


def broken(cluster: Cluster, steps: Sequence[Step], invariant: str | None = None) -> list[str]:
    """Perform a sequence; what is wrong with what came of it, by one invariant or by any, in words.

    Raises HarnessError for a deed that this cluster has not.
    """
    from harness.search import canonical
    from harness.search.judging import judged
    from harness.search.performing import perform, unsettled

    lived, left = unsettled(cluster), None
    if lived is None:
        before = canonical.state(cluster)
        lived = perform(cluster, tuple(steps))
        left = None if lived.amiss else canonical.changed(before, cluster)
    found = judged(lived, left)
    return [
        f"{each.invariant}: {each.text}" for each in found if invariant in (None, each.invariant)
    ]
