"""The page: one file that shows a run, or two side by side, in any browser and without a network."""

from __future__ import annotations

import base64
import functools
import gzip
import importlib.resources
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness.errors import HarnessError
from harness.events import Judged
from harness.report import picture, table
from harness.report.artifacts import OUTCOMES, PAGE, Run, Scenario, read_run, replacing
from harness.report.words import milliseconds, words

_ASSETS = importlib.resources.files("harness.report") / "assets"


Progress = Callable[[str], None]
"""Is told what begins now, in a line."""


def _unheard(line: str) -> None:
    pass


def write(folder: Path, progress: Progress = _unheard) -> Path:
    """Render a run's folder into its report.html; returns where that is. Raises HarnessError."""
    return _write(folder / PAGE, [folder], folder, progress)


def write_comparison(first: Path, second: Path, target: Path, progress: Progress = _unheard) -> Path:
    """Render two runs side by side into ``target``. Raises HarnessError."""
    return _write(target, [first, second], target.parent, progress)


def _write(target: Path, folders: Sequence[Path], base: Path, progress: Progress) -> Path:
    runs = []
    for folder in folders:
        progress(f"reading {folder}")
        runs.append(read_run(folder))
    progress(f"drawing {sum(len(run.scenarios) for run in runs)} scenarios")
    text = render(runs, base)
    try:
        with replacing(target) as file:
            file.write(text)
    except OSError as problem:
        raise HarnessError(f"cannot write {target}: {problem.strerror}; make room or mend it") from None
    return target


def render(runs: Sequence[Run], base: Path) -> str:
    """The page's text; ``base`` is the folder in which it will lie, for its links. Raises HarnessError."""
    try:
        import jinja2
    except ImportError:
        raise HarnessError("the report needs jinja2 and plotly, which are not installed: make setup") from None
    loader = jinja2.FunctionLoader(lambda name: (_ASSETS / name).read_text(encoding="utf-8"))
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    rows = _rows(runs, base)
    return environment.get_template("page.html.j2").render(
        title=" and ".join(run.folder.resolve().name for run in runs),
        runs=[_summary(run) for run in runs],
        rows=rows,
        outcomes=[outcome for outcome in OUTCOMES if any(outcome in row.outcomes for row in rows)],
        style=(_ASSETS / "page.css").read_text(encoding="utf-8"),
        script=(_ASSETS / "page.js").read_text(encoding="utf-8"),
        plotly=_plotly(),
    )


@functools.cache
def _plotly() -> str:
    """The plotting library as its Python package carries it; importing that would take longer than all the rest."""
    try:
        return _pack((importlib.resources.files("plotly") / "package_data" / "plotly.min.js").read_bytes())
    except (ImportError, OSError):
        raise HarnessError("the report needs jinja2 and plotly, which are not installed: make setup") from None


def _pack(data: bytes) -> str:
    """For the page's script, which unpacks it with the browser's own DecompressionStream."""
    return base64.b64encode(gzip.compress(data, mtime=0)).decode()


@dataclass
class Row:
    """A scenario in one run, or in both: ``panels`` has None for a run that does not have it."""

    name: str
    panels: list[dict[str, Any] | None]

    @property
    def outcomes(self) -> list[str]:
        """How it ended in each run, ``missing`` where it was not."""
        return [panel["outcome"] if panel else "missing" for panel in self.panels]


def _rows(runs: Sequence[Run], base: Path) -> list[Row]:
    found: dict[str, list[Scenario | None]] = {}
    for number, run in enumerate(runs):
        for scenario in run.scenarios:
            found.setdefault(scenario.name, [None] * len(runs))[number] = scenario
    return [Row(name, [_panel(each, base) if each else None for each in both]) for name, both in found.items()]


def _panel(scenario: Scenario, base: Path) -> dict[str, Any]:
    zero = picture.zero(scenario)
    data = {
        **picture.draw(scenario).as_json(),
        "events": [[round((e.at - zero) * 1000, 3), e.node, e.kind, words(e)] for e in scenario.events],
    }
    about = scenario.about
    return {
        "outcome": scenario.outcome,
        "says": about.get("says") or "",
        "message": about.get("message") or "",
        "problems": scenario.problems,
        "seconds": _seconds(about.get("seconds")),
        "topology": _topology(about),
        "recorded": _recorded(about),
        "judged": _judged(scenario),
        "files": [(str(path.relative_to(scenario.folder)), _link(path, base)) for path in scenario.files],
        "table": table.render(scenario.events, about.get("nodes", ())) if scenario.outcome not in ("passed",) else "",
        "description": f"{len(scenario.events)} events on {len({e.node for e in scenario.events})} nodes",
        "data": _pack(json.dumps(data, separators=(",", ":")).encode()),
    }


def _link(path: Path, base: Path) -> str:
    return quote(os.fsencode(os.path.relpath(path, base)))  # a name may be no text


def _topology(about: dict[str, Any]) -> str:
    parameters = about.get("parameters")
    named = ", ".join(f"{name}={value}" for name, value in parameters.items()) if isinstance(parameters, dict) else ""
    return f"{about.get('topology') or 'unknown topology'}({named})"


def _recorded(about: dict[str, Any]) -> str:
    if "frames" not in about:
        return ""
    return f"{about['frames']} frames captured, {about.get('dropped', 0)} dropped by the kernel"


def _seconds(value: Any) -> str:
    return f"{value:.3f} s" if isinstance(value, int | float) else ""


def _judged(scenario: Scenario) -> list[dict[str, Any]]:
    """What was due and what came of it, in milliseconds after the beginning of the wait."""
    found = []
    for event in scenario.events:
        if isinstance(event, Judged):
            since = event.since
            found.append(
                {
                    "node": event.node, "what": event.what, "met": event.met,
                    "due": f"{milliseconds(event.earliest - since)} to {milliseconds(event.latest - since)}",
                    "measured": milliseconds(event.measured - since),
                }
            )  # fmt: skip
    return found


def _summary(run: Run) -> dict[str, Any]:
    about = run.about
    counts = Counter(scenario.outcome for scenario in run.scenarios)
    versions = about.get("versions")
    return {
        "name": run.folder.resolve().name,
        "problems": run.problems,
        "counts": [(outcome, counts[outcome]) for outcome in reversed(OUTCOMES) if counts[outcome]],
        "facts": [
            (name, str(value))
            for name, value in (
                ("kernel and clock", about.get("kernel")),
                ("seed", about.get("seed")),
                ("simulated", _seconds(about.get("seconds"))),
                ("wall time", _seconds(about.get("wall"))),
                *(versions.items() if isinstance(versions, dict) else ()),
                ("commit", about.get("commit")),
                *((f"keepalived of {image}", version) for image, version in about.get("images", {}).items()),
                ("arguments", " ".join(map(str, about.get("arguments", ()))) or None),
                ("exit status", about.get("status")),
                ("frames dropped", sum(int(s.about.get("dropped") or 0) for s in run.scenarios)),
            )
            if value not in (None, "")
        ],
    }
