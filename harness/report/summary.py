"""A run in Markdown, short: for ``$GITHUB_STEP_SUMMARY``."""

from __future__ import annotations

from collections import Counter

from harness.report.artifacts import OUTCOMES, Run, Scenario
from harness.report.words import words

_SHOWN = 50


def markdown(run: Run) -> str:
    """Counts, what the run ran on, and a table of what did not pass."""
    counts = Counter(scenario.outcome for scenario in run.scenarios)
    told = ", ".join(
        f"{counts[outcome]} {outcome}" for outcome in reversed(OUTCOMES) if counts[outcome]
    )
    lines = [
        f"### LVS harness: {told or 'no scenarios'}",
        "",
        f"{plain(run.about.get('kernel', 'unknown kernel'))}",
    ]
    versions = run.about.get("versions")
    if isinstance(versions, dict):
        lines[-1] += "; " + ", ".join(
            f"{plain(name)} {plain(version)}" for name, version in versions.items()
        )
    lines += ["", *(f"> Incomplete: {plain(problem)}" for problem in run.problems)]
    amiss = [
        scenario
        for scenario in run.scenarios
        if scenario.outcome not in ("passed", "skipped", "bug-shown")
    ]
    if amiss:
        lines += [
            "",
            "| outcome | scenario | measured | why |",
            "|---|---|---|---|",
            *map(_row, amiss[:_SHOWN]),
        ]
    if len(amiss) > _SHOWN:
        lines += ["", f"... and {len(amiss) - _SHOWN} more"]
    return "\n".join(lines) + "\n"


def _row(scenario: Scenario) -> str:
    measured = [words(event) for event in scenario.events if event.kind == "judged"]
    cells = (
        scenario.outcome,
        scenario.name,
        "; ".join(measured),
        scenario.reason or "; ".join(scenario.problems),
    )
    return f"| {' | '.join(map(plain, cells))} |"


def plain(text: object) -> str:
    """Text that Markdown and HTML show as it is, on one line of a table."""
    escaped = "".join(
        f"\\{char}" if char in r"\`*_[]|#~" else char for char in " ".join(str(text).split())
    )
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
