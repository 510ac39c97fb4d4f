"""The page: one file that shows a run, or two side by side, in any browser and without a
network.
"""

from __future__ import annotations

import importlib.resources
import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from harness.counting import counted
from harness.errors import HarnessError
from harness.report.artifacts import OUTCOMES, PAGE, Run, Scenario, read_run, replacing
from harness.report.panel import GOOD, panel, seconds

if TYPE_CHECKING:
    import jinja2

_ASSETS = importlib.resources.files("harness.report") / "assets"
_SCRIPTS: Final = (
    "drawing.js",
    "plots.js",
    "chart.js",
    "ladder.js",
    "events.js",
    "theme.js",
    "page.js",
)
"""In the order in which they are put into the page: each uses those before it."""

_LIVE: Final = "live.js"
"""What keeps the page up to date while the cluster lives."""

_MOST_OPEN: Final = 10
"""So many scenarios that did not pass are open at first."""

_MOST_WHOLE: Final = 50
"""Of so many that did not pass packets and logs are in the page itself; a page of megabytes opens
slowly.
"""

Progress = Callable[[str], None]
"""Is told what begins now, in a line."""


def _unheard(line: str) -> None:
    pass


def write(folder: Path, progress: Progress = _unheard) -> Path:
    """Render a run's folder into its report.html; returns where that is. Raises HarnessError."""
    return _write(folder / PAGE, [folder], folder, progress)


def write_comparison(
    first: Path, second: Path, target: Path, progress: Progress = _unheard
) -> Path:
    """Render two runs side by side into ``target``. Raises HarnessError."""
    return _write(target, [first, second], target.parent, progress)


def _write(target: Path, folders: Sequence[Path], base: Path, progress: Progress) -> Path:
    runs = []
    for folder in folders:
        progress(f"reading {folder}")
        runs.append(read_run(folder))
    progress(f"drawing {counted(sum(len(run.scenarios) for run in runs), 'scenario')}")
    return save(target, render(runs, base))


def save(target: Path, text: str) -> Path:
    """Write a page where it is to be, as a whole or not at all; returns that. Raises
    HarnessError.
    """
    try:
        with replacing(target) as file:
            file.write(text)
    except OSError as problem:
        raise HarnessError(
            f"cannot write {target}: {problem.strerror}; make room or mend it"
        ) from None
    return target


@dataclass(frozen=True)
class Live:
    """What the page has beside its scenarios while they run: ``since`` counts the changes that it
    knows, ``nonce`` marks the scripts that a browser may run. There are buttons for ``faults`` of
    ``nodes`` where somebody can be told.
    """

    since: int
    nonce: str
    nodes: Sequence[str] = ()
    faults: Sequence[str] = ()


@cache
def environment() -> jinja2.Environment:
    """The templates of pages. Raises HarnessError where there is no jinja2."""
    try:
        import jinja2
    except ImportError:
        raise HarnessError("the report needs jinja2, which is not installed: make setup") from None
    loader = jinja2.FunctionLoader(asset)
    made = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    made.filters["urlencode"] = partial(
        quote, errors="replace"
    )  # jinja2's own takes no lone surrogates
    return made


def entry(scenario: Scenario, number: str, base: Path) -> str:
    """The entry of one scenario of a run that is still going on; ``number`` tells it from all
    others.
    """
    drawn = panel(scenario, base)
    row = Row(scenario.name, [drawn], opened=scenario.outcome not in GOOD)
    module: Any = environment().get_template("entry.html.j2").module
    return str(module.entry(row, number, live=True))


def summaries(runs: Sequence[Run]) -> str:
    """How many scenarios ended in which way so far, and on what they run."""
    template = environment().get_template("summaries.html.j2")
    return template.render(runs=[_summary(run) for run in runs], live=True)


def render(runs: Sequence[Run], base: Path, live: Live | None = None) -> str:
    """The page's text; ``base`` is the folder in which it will lie, for its links. Raises
    HarnessError.
    """
    rows = _rows(runs, base)
    compared = len(runs) > 1
    scripts = _SCRIPTS if live is None else (*_SCRIPTS, _LIVE)
    return (
        environment()
        .get_template("page.html.j2")
        .render(
            live=live,
            title=" and ".join(run.folder.resolve().name for run in runs),
            runs=[_summary(run) for run in runs],
            rows=[row for row in rows if row.differs] if compared else rows,
            equal=[row for row in rows if not row.differs] if compared else [],
            differences=_differences(rows) if compared else [],
            outcomes=OUTCOMES if live is not None else _that_came(rows),
            style=asset("page.css"),
            script="\n".join(map(asset, scripts)),
        )
    )


def _that_came(rows: Sequence[Row]) -> list[str]:
    """The outcomes that a row has, in the usual order."""
    came = set(itertools.chain.from_iterable(row.outcomes for row in rows))
    return [outcome for outcome in OUTCOMES if outcome in came]


def asset(name: str) -> str:
    """The text of a file that is put into pages, by its name."""
    return (_ASSETS / name).read_text(encoding="utf-8")


@dataclass
class Row:
    """A scenario in one run, or in both: ``panels`` has None for a run that does not have it."""

    name: str
    panels: list[dict[str, Any] | None]
    order: int = 0
    opened: bool = False

    @property
    def outcomes(self) -> list[str]:
        """How it ended in each run, ``missing`` where it was not."""
        return [panel["outcome"] if panel else "missing" for panel in self.panels]

    @property
    def differs(self) -> bool:
        """Whether it did not end in each run alike."""
        return len(set(self.outcomes)) > 1

    @property
    def behaviour(self) -> str:
        """The test without its case."""
        return self.name.partition("[")[0]

    @property
    def file(self) -> str:
        """Where the test is."""
        return self.name.partition("::")[0]

    @property
    def first(self) -> dict[str, Any]:
        """What the first run that has it knows of it."""
        return next(panel for panel in self.panels if panel)


def _rows(runs: Sequence[Run], base: Path) -> list[Row]:
    """The worst first, each kind in the order in which it ran."""
    found: dict[str, list[Scenario | None]] = {}
    for number, run in enumerate(runs):
        for scenario in run.scenarios:
            found.setdefault(scenario.name, [None] * len(runs))[number] = scenario
    rows = []
    amiss = 0
    for order, (name, both) in enumerate(found.items()):
        amiss += any(each is not None and each.outcome not in GOOD for each in both)
        panels = [panel(each, base, whole=amiss <= _MOST_WHOLE) if each else None for each in both]
        rows.append(Row(name, panels, order))
    rows.sort(
        key=lambda row: min(OUTCOMES.index(each) for each in row.outcomes if each in OUTCOMES)
    )
    expected = {*GOOD, "bug-shown", "missing"}
    for row in [row for row in rows if not set(row.outcomes) <= expected][:_MOST_OPEN]:
        row.opened = True
    return rows


def _differences(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The behaviours that did not end alike in both runs: for each run how its cases ended, and why
    the first of them.

    Those that differ in more of their cases come first.
    """
    behaviours: dict[str, list[Row]] = {}
    for row in rows:
        behaviours.setdefault(row.behaviour, []).append(row)
    found = []
    for name, cases in behaviours.items():
        differing = [row for row in cases if row.differs]
        if differing:
            runs = range(len(cases[0].panels))
            found.append(
                {
                    "behaviour": name,
                    "differing": len(differing),
                    "cases": len(cases),
                    "first": differing[0].name,
                    "runs": [_ended(differing, number) for number in runs],
                }
            )
    return sorted(found, key=lambda each: -each["differing"])


def _ended(rows: Sequence[Row], number: int) -> dict[str, Any]:
    counts = Counter(row.outcomes[number] for row in rows)
    why = [panel["reason"] for row in rows if (panel := row.panels[number]) and panel["reason"]]
    return {"counts": counts.most_common(), "why": why[0] if why else ""}


def _keepalived(about: dict[str, Any]) -> str:
    """Which keepalived the directors ran: those of the images that were asked for, and this
    machine's where some of them had none, or where none were asked for.
    """
    own = str((about.get("versions") or {}).get("keepalived", ""))
    images = about.get("images") or {}
    selection = about.get("selection") or {}
    asked = [*(selection.get("image") or ()), *(selection.get("keepalived") or ())]
    found = [f"{version} ({image})" for image, version in images.items()]
    everywhere = any("=" not in str(value) for value in asked) or not asked
    if not found:
        return own
    return ", ".join(found if everywhere or not own else [f"{own} (this machine)", *found])


def _summary(run: Run) -> dict[str, Any]:
    about = run.about
    counts = Counter(scenario.outcome for scenario in run.scenarios)
    return {
        "name": run.folder.resolve().name,
        "problems": run.problems,
        "counts": [(outcome, counts[outcome]) for outcome in reversed(OUTCOMES) if counts[outcome]],
        "kernel": about.get("kernel") or "",
        "keepalived": _keepalived(about),
        "facts": [(name, str(value)) for name, value in _facts(run) if value not in (None, "")],
    }


def _facts(run: Run) -> Iterator[tuple[str, Any]]:
    """What is told of a run, by name; some of it is not known of every run."""
    about = run.about
    yield "kernel and clock", about.get("kernel")
    yield "seed", about.get("seed")
    yield "simulated", seconds(about.get("seconds"))
    yield "wall time", seconds(about.get("wall"))
    versions = about.get("versions")
    if isinstance(versions, dict):
        yield from versions.items()
    yield "commit", about.get("commit")
    for image, version in about.get("images", {}).items():
        yield f"keepalived of {image}", version
    yield "arguments", " ".join(map(str, about.get("arguments", ())))
    yield "exit status", about.get("status")
    yield "frames dropped", sum(int(one.about.get("dropped") or 0) for one in run.scenarios)
