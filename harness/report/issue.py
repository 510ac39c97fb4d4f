"""One scenario as a Markdown text for an issue tracker: expected, by which rule, what happened, how
to run it. Pure.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Final

from harness.clock import duration, milliseconds
from harness.events import Judged, Missed
from harness.report import table
from harness.report.artifacts import Run, Scenario
from harness.report.summary import plain
from harness.topology.machines import SPEAKERS

LAST_LINES: Final = 60
"""So many lines of its timeline are in the text; the archive has all of it."""


def text(run: Run, scenario: Scenario, archive: str, configurations: Mapping[str, str]) -> str:
    """``archive`` is the name of the file that goes with it, ``configurations`` are by their names
    in it.
    """
    parts = [
        f"# {plain(scenario.reason or scenario.name)}",
        f"Scenario `{_code(scenario.name)}`: {scenario.outcome}.",
        *_expected(scenario),
        *_happened(scenario),
        *_versions(run),
        *_how(run, scenario, archive),
        *_configurations(configurations),
    ]
    return "\n\n".join(parts) + "\n"


def _expected(scenario: Scenario) -> Iterator[str]:
    yield "## What was expected"
    if says := scenario.about.get("says"):
        yield plain(says)
    for name, rule in scenario.about.get("rules", {}).items():
        yield f"By the rule `{_code(name)}`: {plain(rule.replace('``', ''))}"
    rows = [_row(event) for event in scenario.events if isinstance(event, Judged | Missed)]
    if rows:
        yield "\n".join(
            ["| machine | what | due after | came after | |", "|---|---|---|---|---|", *rows]
        )


def _row(event: Judged | Missed) -> str:
    latest = duration(event.latest - event.since)
    if isinstance(event, Missed):
        cells = [f"up to {latest}", "not at all", "**missed**"]
    else:
        cells = [
            f"{milliseconds(event.earliest - event.since)} to {latest}",
            duration(event.measured - event.since),
        ]
        cells.append("in time" if event.met else "**missed**")
    return f"| {' | '.join([plain(event.node), plain(event.what), *cells])} |"


def _happened(scenario: Scenario) -> Iterator[str]:
    yield "## What happened"
    if message := scenario.about.get("message"):
        yield _fenced(message)
    shown = table.render(scenario.events, scenario.about.get("nodes", ()), last=LAST_LINES)
    faults = any(event.kind == "fault" for event in scenario.events)
    yield (
        "The last events, in milliseconds after the"
        f" {'last fault' if faults else 'first event'}:\n\n{_fenced(shown)}"
    )


def _versions(run: Run) -> Iterator[str]:
    about = run.about
    known = {"kernel": about.get("kernel"), "clock": about.get("clock"), "seed": about.get("seed")}
    known |= about.get("versions", {})
    known |= {
        f"keepalived of {image}": version for image, version in about.get("images", {}).items()
    }
    known["commit of the harness"] = about.get("commit")
    yield "## Versions"
    yield "\n".join(
        f"- {plain(name)}: {plain(value)}" for name, value in known.items() if value is not None
    )


def _how(run: Run, scenario: Scenario, archive: str) -> Iterator[str]:
    about = run.about
    options = []
    for option, values in about.get("selection", {}).items():
        options += [f"--{option}={value}" for value in values or ()]
    if (speaker := about.get("speaker")) not in (None, SPEAKERS[0]):
        options.append(f"--speaker={speaker}")
    command = [
        "pytest",
        scenario.name,
        "--seed",
        str(about.get("seed", 0)),
        "--clock",
        str(about.get("clock", "auto")),
    ]
    yield "## How to run it"
    yield (
        f"`{_code(archive)}` has the scenario, the configuration, the capture, the"
        " timeline and a page"
        " (`run/report.html`) that needs no network. With the LVS harness:"
    )
    yield _fenced(f"lvs-harness reproduce {shlex.quote(archive)}")
    yield "Or in a checkout that has the scenario:"
    yield _fenced(shlex.join([*command, *options]))


def _configurations(found: Mapping[str, str]) -> Iterator[str]:
    if found:
        yield "## Configuration"
    for name, content in found.items():
        yield f"<details><summary>{plain(name)}</summary>\n\n{_fenced(content)}\n\n</details>"


def _fenced(content: str) -> str:
    """A block of text as it is, whatever backticks are in it."""
    longest = max(map(len, re.findall(r"`+", content)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{content.rstrip()}\n{fence}"


def _code(name: str) -> str:
    return " ".join(name.replace("`", "'").split())
