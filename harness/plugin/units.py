"""Which scenarios are run one after the other by one worker, and which shard runs what: pure, and
the same everywhere.

A *unit* is a list of scenarios, by node id, that share a cluster. Scenarios that share none are
units of one.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError

DURATIONS = "lvs-harness/durations"
"""In pytest's cache: seconds of real time for each scenario by node id."""

UNKNOWN = 1.0
"""How many seconds a scenario is taken to last that has never been run, if nothing else is
known either.
"""

BUILD = 2.0
"""How many seconds it takes until the cluster of a unit runs."""

MOST_SHARDS = 1000

_PARTS = 2
"""So many units at least, for each who can work on them, are made of what would be one."""


@dataclass(frozen=True)
class Shard:
    """The ``number``-th of ``count`` parts of a suite."""

    number: int
    count: int

    @classmethod
    def of(cls, text: str) -> Shard:
        """From ``K/N``. Raises HarnessError."""
        found = re.fullmatch(r"([0-9]{1,4})/([0-9]{1,4})", text)
        number, count = (int(found[1]), int(found[2])) if found else (0, 0)
        if not 1 <= number <= count <= MOST_SHARDS:
            raise HarnessError(
                f"--shard {text[:40]}: give K/N, the number of this part and of how many,"
                f" {MOST_SHARDS} at most:"
                " 1/3, 2/3, 3/3"
            )
        return cls(number, count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def lasts(durations: Mapping[str, float], ids: Iterable[str]) -> dict[str, float]:
    """Seconds of each scenario: the recorded ones, and for the others the mean of those."""
    ids = list(ids)
    known = [durations[one] for one in ids if one in durations]
    mean = sum(known) / len(known) if known else UNKNOWN
    return {one: durations.get(one, mean) for one in ids}


def units(
    clusters: Mapping[str, str], durations: Mapping[str, float], parts: int
) -> list[list[str]]:
    """Divide scenarios (node id -> the cluster it wants, in their order) among ``parts`` who work
    at the same time.

    Each unit is for one cluster, and in order. One that is so long that the others would be idle
    meanwhile is cut.
    """
    seconds = lasts(durations, clusters)
    limit = sum(seconds.values()) / (parts * _PARTS) if parts > 1 else float("inf")
    of_cluster: dict[str, list[list[str]]] = {}
    for one, cluster in clusters.items():
        made = of_cluster.setdefault(cluster, [[]])
        if made[-1] and sum(seconds[other] for other in made[-1]) + seconds[one] > limit:
            made.append([])
        made[-1].append(one)
    return [unit for made in of_cluster.values() for unit in made]


def longest_first(
    made: Iterable[Sequence[str]], durations: Mapping[str, float]
) -> list[Sequence[str]]:
    """Units by how long they last; those that last the same stay in their order."""
    made = list(made)
    seconds = lasts(durations, (one for unit in made for one in unit))
    return sorted(made, key=lambda unit: -_together(unit, seconds))


def _together(unit: Iterable[str], seconds: Mapping[str, float]) -> float:
    return BUILD + sum(seconds[one] for one in unit)


def shards(
    clusters: Mapping[str, str], durations: Mapping[str, float], count: int
) -> list[list[str]]:
    """Divide scenarios into ``count`` shards that last about the same: the longest unit to the
    emptiest shard.
    """
    seconds = lasts(durations, clusters)
    made: list[tuple[float, list[str]]] = [(0, []) for _ in range(count)]
    for unit in longest_first(units(clusters, durations, count), durations):
        emptiest = min(range(count), key=lambda number: made[number][0])
        lasting, shard = made[emptiest]
        made[emptiest] = lasting + _together(unit, seconds), [*shard, *unit]
    return [shard for _, shard in made]


def fingerprint(made: Iterable[Iterable[str]]) -> str:
    """Twelve letters that differ for different divisions, whose shards must not be put together."""
    text = "\n\n".join("\n".join(sorted(shard)) for shard in made)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def gather(target: Path, caches: Iterable[Path]) -> None:
    """Write to the folder ``target``, a pytest cache, all durations that other caches have
    recorded.
    """
    found: dict[str, float] = {}
    for cache in caches:
        path = cache / "v" / DURATIONS
        if path.exists():
            found |= json.loads(path.read_text(encoding="utf-8"))
    (target / "v" / DURATIONS).parent.mkdir(parents=True, exist_ok=True)
    (target / "v" / DURATIONS).write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":  # python -m harness.plugin.units TARGET CACHE...
    gather(Path(sys.argv[1]), map(Path, sys.argv[2:]))
