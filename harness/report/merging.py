"""Several runs' folders made one: the shards of a suite that ran as jobs of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from harness import received
from harness.errors import HarnessError
from harness.report import artifacts
from harness.report.artifacts import Run


def merge(folders: Sequence[Path], artifacts_folder: Path) -> Path:
    """Copy the scenarios of runs into the folder of a new run, which is returned.

    Raises HarnessError if they do not fit together: shards of different divisions, which overlap
    and miss scenarios, or a shard that is missing or there twice.
    """
    runs = [artifacts.read_run(folder) for folder in folders]
    _check_shards(runs)
    merged = artifacts.new_run(artifacts_folder)
    left_out = []
    for run in runs:
        for scenario in run.scenarios:
            name = scenario.folder.name
            left_out += received.copy(run.folder, name, artifacts.new_folder(merged, name))
        if artifacts.SOURCES in received.folders(run.folder):
            (merged / artifacts.SOURCES).mkdir(exist_ok=True)  # of each run the same
            left_out += received.copy(run.folder, artifacts.SOURCES, merged / artifacts.SOURCES)
    about = dict(runs[0].about)
    for name in ("shard", "division"):
        about.pop(name, None)
    about |= {
        "order": [one for run in runs for one in run.about.get("order", ())],
        "merged": [str(folder) for folder in folders],
        "left_out": left_out,
        "wall": max(run.about.get("wall", 0) for run in runs),
        "seconds": round(sum(run.about.get("seconds", 0) for run in runs), 3),
    }
    about.pop("status", None)
    statuses = [
        int(run.about["status"]) for run in runs if isinstance(run.about.get("status"), int)
    ]
    if len(statuses) == len(runs):
        about["status"] = max(statuses)
    artifacts.update(merged / artifacts.RUN, about)
    return merged


def adopt(written: Path, run: Path, console: Path) -> None:
    """Copy what a worker on another machine has written into the run's folder, and what it said
    last to ``console``.
    """
    for name in received.folders(written):
        new = received.has(
            written, f"{name}/{artifacts.ABOUT}"
        )  # a scenario's; clusters lie below the worker's name
        target = artifacts.new_folder(run, name) if new else run / name
        target.mkdir(exist_ok=True)
        received.copy(written, name, target)
    for name in received.files(written):
        if "/" not in name:
            with received.replacing(console.parent, console.name, "wb") as file:
                file.write(received.read(written, name))


def _check_shards(runs: Sequence[Run]) -> None:
    shards = [(run.folder, str(run.about["shard"])) for run in runs if "shard" in run.about]
    if not shards:
        return
    divisions = {run.about.get("division") for run in runs}
    if len(divisions) > 1 or len(shards) < len(runs):
        raise HarnessError(
            "these runs are shards of different divisions, so some scenarios ran twice"
            " and some not at all: give every"
            " shard the same tests, options and recorded durations (.pytest_cache), or none"
        )
    count = _count(shards[0][1])
    for number in range(1, count + 1):
        having = [str(folder) for folder, shard in shards if shard == f"{number}/{count}"]
        if len(having) != 1:
            what = f"is there twice: {' and '.join(having)}" if having else "is missing"
            raise HarnessError(f"shard {number}/{count} {what}; name the folder of each shard once")


def _count(shard: str) -> int:
    """How many shards there are, by ``K/N`` in a run.json."""
    count = shard.partition("/")[2]
    if not re.fullmatch(r"[1-9][0-9]{0,2}|1000", count):
        raise HarnessError(f"run.json says that it is shard {shard[:20]!r}, which is none: K/N")
    return int(count)
