"""What came of a bundle's scenarios where it was made and here: verdicts, timelines, versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness import received
from harness.counting import counted
from harness.kernels.host.interrupts import INTERRUPTED
from harness.received import plain
from harness.repeating.determinism import differences, drift
from harness.report import artifacts
from harness.report.bundle import Bundle, earlier_of


def compare(bundle: Bundle, run: Path, interrupted: bool = False) -> int:
    """Print what came of each scenario there and here; 0 if the verdicts are the same.

    Of a run that was interrupted only those scenarios count that had ended.
    """
    here = {scenario.name: scenario for scenario in artifacts.read_run(run).scenarios}
    there = {scenario["test"]: scenario for scenario in bundle.manifest["scenarios"]}
    if interrupted:
        everything = len(there)
        there = {
            name: one
            for name, one in there.items()
            if name in here and here[name].outcome != "unfinished"
        }
    timelines = {name: bundle.timeline(scenario) for name, scenario in there.items()}
    repeated = {name: _timeline(run, here[name]) for name in there if name in here}
    differing = differences(timelines, repeated)
    nearly = {name: drift(timelines[name], repeated.get(name, b"")) for name in differing}
    for name, seconds in nearly.items():
        if seconds is not None:
            differing[name] = f"of the same events, their times up to {seconds * 1e6:.3g} µs apart"
    verdicts = {name: here[name].outcome if name in here else "did not run" for name in there}
    for name, scenario in there.items():
        was, now = plain(scenario["outcome"]), verdicts[name]
        verdict = f"{now}, as before" if was == now else f"{now}, and was {was}"
        timeline = plain(differing.get(name, "identical"), keep="\n")
        print(f"{name}: {verdict}; timeline {timeline}")
        before = earlier_of(scenario)
        if was != now and name in here and before != earlier_of(here[name].about):
            print(
                f"  its cluster had lived through {counted(before, 'other scenario')} there, and"
                f" through {earlier_of(here[name].about)} here: what those left may be the cause,"
                " and a bundle of the whole run repeats them"
            )
    same = sum(verdicts[name] == scenario["outcome"] for name, scenario in there.items())
    print(
        f"lvs-harness: {same} of {len(there)} verdicts are the same,"
        f" {len(there) - len(differing)} timelines identical,"
        f" {sum(seconds is not None for seconds in nearly.values())} more of the same events"
    )
    if interrupted:
        print(
            "lvs-harness: interrupted: that is what was found until then;"
            f" {everything - len(there)} of {everything}"
            " tests had not ended"
        )
        return INTERRUPTED
    return 0 if same == len(there) else 1


def other_versions(there: dict[str, Any], here: dict[str, Any]) -> list[str]:
    """What is not as it was where the bundle comes from, which may be why a timeline differs; a
    line each.
    """
    found = []
    for of in ("versions", "images"):
        was, now = there.get(of) or {}, here.get(of) or {}
        found += [
            f"{plain(name)} is {plain(now[name])} here, and was {plain(was[name])}"
            for name in was
            if name in now and now[name] != was[name]
        ]
    if there.get("commit") and here.get("commit") and there["commit"] != here["commit"]:
        found.append(
            f"the harness is of commit {here['commit']} here, and was of {plain(there['commit'])}"
        )
    return found


def _timeline(run: Path, scenario: artifacts.Scenario) -> bytes:
    try:
        return received.read(run, f"{scenario.folder.name}/{artifacts.TIMELINE}")
    except OSError:  # which its problems tell of
        return b""
