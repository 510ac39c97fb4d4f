"""Several runs' folders made one: the shards of a suite that ran as jobs of their own."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from harness.errors import HarnessError
from harness.report import artifacts
from harness.report.artifacts import Run


def merge(folders: Sequence[Path], artifacts_folder: Path) -> Path:
    """Copy the scenarios of runs into the folder of a new run, which is returned.

    Raises HarnessError if they do not fit together: shards of different divisions, which overlap and miss scenarios,
    or a shard that is missing or there twice.
    """
    runs = [artifacts.read_run(folder) for folder in folders]
    _check_shards(runs)
    merged = artifacts.new_run(artifacts_folder)
    for run in runs:
        for scenario in run.scenarios:
            target = artifacts.new_folder(merged, scenario.folder.name)
            shutil.copytree(scenario.folder, target, dirs_exist_ok=True)
    about = dict(runs[0].about)
    for name in ("shard", "division"):
        about.pop(name, None)
    about |= {
        "order": [one for run in runs for one in run.about.get("order", ())],
        "merged": [str(folder) for folder in folders],
        "wall": max(run.about.get("wall", 0) for run in runs),
        "seconds": round(sum(run.about.get("seconds", 0) for run in runs), 3),
    }
    about.pop("status", None)
    statuses = [int(run.about["status"]) for run in runs if isinstance(run.about.get("status"), int)]
    if len(statuses) == len(runs):
        about["status"] = max(statuses)
    artifacts.update(merged / artifacts.RUN, about)
    return merged


def adopt(written: Path, run: Path, console: Path) -> None:
    """Copy what a worker on another machine has written into the run's folder, and what it said last to ``console``."""
    for path in sorted(written.iterdir()):
        if path.is_file():
            shutil.copyfile(path, console)
        else:
            new = (path / artifacts.ABOUT).exists()  # a scenario's; clusters lie below the worker's name
            target = artifacts.new_folder(run, path.name) if new else run / path.name
            shutil.copytree(path, target, dirs_exist_ok=True)


def _check_shards(runs: Sequence[Run]) -> None:
    shards = [(run.folder, str(run.about["shard"])) for run in runs if "shard" in run.about]
    if not shards:
        return
    divisions = {run.about.get("division") for run in runs}
    if len(divisions) > 1 or len(shards) < len(runs):
        raise HarnessError(
            "these runs are shards of different divisions, so some scenarios ran twice and some not at all: give every"
            " shard the same tests, options and recorded durations (.pytest_cache), or none"
        )
    count = int(shards[0][1].partition("/")[2])
    for number in range(1, count + 1):
        having = [str(folder) for folder, shard in shards if shard == f"{number}/{count}"]
        if len(having) != 1:
            what = f"is there twice: {' and '.join(having)}" if having else "is missing"
            raise HarnessError(f"shard {number}/{count} {what}; name the folder of each shard once")
