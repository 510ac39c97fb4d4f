"""The files that a run leaves behind, written and read: docs/artifacts.md describes them.

What is read may be half written, or made by somebody else: it is checked, and what is wrong with it is said.
"""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from harness.errors import HarnessError
from harness.timeline import Event

FORMAT: Final = 1
"""The version of the layout; those that are not known are refused."""

RUN, ABOUT, TIMELINE, CAPTURE, PAGE = "run.json", "scenario.json", "timeline.jsonl", "capture.pcapng", "report.html"
OUTCOMES = ("failed", "error", "unfinished", "inconclusive", "skipped", "passed")
"""How a scenario can have ended, the worst first. ``unfinished``: the run ended before it did."""


@dataclass
class Scenario:
    """What is known of one scenario: ``about`` its scenario.json; ``problems`` is what is missing or unreadable."""

    folder: Path
    about: dict[str, Any]
    before: list[Event] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What the test is called."""
        return str(self.about.get("test") or self.folder.name)

    @property
    def outcome(self) -> str:
        """One of :data:`OUTCOMES`."""
        outcome = self.about.get("outcome")
        return outcome if outcome in OUTCOMES else "unfinished"

    @property
    def files(self) -> list[Path]:
        """Everything in its folder, but for what is still being written."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".new")


@dataclass
class Run:
    """A run: ``about`` is its run.json, ``scenarios`` are in the order in which they ran."""

    folder: Path
    about: dict[str, Any]
    scenarios: list[Scenario]
    problems: list[str]


def read_run(folder: Path) -> Run:
    """Read a run's folder. Raises HarnessError if it is none, or of an unknown format."""
    problems: list[str] = []
    about = _read_json(folder / RUN, problems) if folder.is_dir() else {}
    about = _checked(about, RUN, _OF_RUN, problems)
    found = [read_scenario(path.parent) for path in sorted(folder.glob(f"*/{ABOUT}"))]
    found += [
        read_scenario(path.parent)
        for path in sorted(folder.glob(f"*/{TIMELINE}"))
        if not (path.parent / ABOUT).exists()
    ]
    if not found and not about:
        raise HarnessError(f"{folder} is no run's folder: name one that has {RUN} or scenarios: artifacts/<run>")
    if about.get("format", FORMAT) != FORMAT:
        raise HarnessError(f"{folder} has format {about['format']!r}, and this harness reads {FORMAT}: use its own")
    if "status" not in about:
        problems.append("the run ended before it could say how: it was killed, or is still running")
    order = {name: number for number, name in enumerate(about.get("order", ()))}
    found.sort(key=lambda scenario: order.get(scenario.name, len(order)))
    return Run(folder, about, found, problems)


def read_scenario(folder: Path) -> Scenario:
    """Read one scenario's folder, whatever state it is in."""
    problems: list[str] = []
    about = _read_json(folder / ABOUT, problems)
    if about.get("format", FORMAT) != FORMAT:
        problems.append(f"{ABOUT} has format {about['format']!r}, and this harness reads {FORMAT}")
        about = {}
    about = _checked(about, ABOUT, _OF_SCENARIO, problems)
    before = _events([(f"{ABOUT}, before", line) for line in about.get("before", ())], problems)
    scenario = Scenario(folder, about, before, [], problems)
    path = folder / TIMELINE
    if path.exists():
        lines = path.read_bytes().splitlines()
        scenario.events = _events([(f"{TIMELINE}, line {n}", line) for n, line in enumerate(lines, 1)], problems)
        scenario.events.sort(key=lambda event: event.at)
    elif "began" in about:
        problems.append(f"{TIMELINE} is missing")
    if scenario.outcome == "unfinished":
        problems.append("the scenario had not ended: what follows is what was written until then")
    return scenario


def _are_nodes(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(node, dict)
        and isinstance(node.get("name"), str)
        and isinstance(node.get("role"), str)
        and isinstance(node.get("addresses", {}), dict)
        and all(isinstance(addresses, list) for addresses in node.get("addresses", {}).values())
        for node in value
    )


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))


_NUMBER, _TEXT = _is(int, float), _is(str)
_OF_RUN = {
    "kernel": _TEXT, "clock": _TEXT, "seed": _is(int), "memory": _is(int), "arguments": _is(list),
    "versions": _is(dict), "order": _is(list), "sources": _is(dict), "root": _TEXT, "keep": _TEXT,
    "verbosity": _is(int), "controls": _is(bool), "bugs_fail": _is(bool), "selection": _is(dict), "commit": _TEXT,
    "images": _is(dict), "seconds": _NUMBER, "wall": _NUMBER, "status": _is(int),
}  # fmt: skip
_OF_SCENARIO = {
    "test": _TEXT, "says": _TEXT, "topology": _TEXT, "parameters": _is(dict), "cluster": _TEXT, "nodes": _are_nodes,
    "began": _NUMBER, "ended": _NUMBER, "before": _is(list), "outcome": _TEXT, "message": _TEXT, "seconds": _NUMBER,
    "frames": _is(int), "dropped": _is(int),
}  # fmt: skip


def _checked(
    about: dict[str, Any], name: str, kinds: Mapping[str, Callable[[Any], bool]], problems: list[str]
) -> dict[str, Any]:
    """What is known and of the right kind; None is as good as missing."""
    wrong = [key for key, fits in kinds.items() if about.get(key) is not None and not fits(about[key])]
    problems += [f"{name}: {key} is not what it should be, left out" for key in wrong]
    return {key: value for key, value in about.items() if value is not None and key not in wrong}


def read_about(path: Path) -> dict[str, Any]:
    """A run.json or scenario.json, empty where it cannot be read."""
    return _read_json(path, [])


def _read_json(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
        if isinstance(content, dict):
            return content
        problems.append(f"{path.name} is not what it should be")
    except FileNotFoundError:
        problems.append(f"{path.name} is missing")
    except OSError as problem:
        problems.append(f"{path.name} cannot be read: {problem.strerror}")
    except ValueError:
        problems.append(f"{path.name} is cut short or damaged")
    return {}


def _events(lines: list[tuple[str, Any]], problems: list[str]) -> list[Event]:
    found, damaged = [], []
    for where, line in lines:
        try:
            found.append(Event.from_dict(json.loads(line) if isinstance(line, bytes) else line))
        except (ValueError, TypeError, KeyError, AttributeError):
            damaged.append(where)
    if damaged:
        more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        problems.append(f"{damaged[0]}{more}: cut short or damaged, left out")
    return found


def new_run(below: Path) -> Path:
    """Make the folder of a run, named after the time, and see that it can be written. Raises HarnessError."""
    name = datetime.datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    for number in range(1, 1000):
        folder = below / (name if number == 1 else f"{name}_{number}")
        try:
            folder.mkdir(parents=True)
            (folder / ".writable").write_bytes(b"x" * 4096)
            (folder / ".writable").unlink()
        except FileExistsError:
            continue
        except OSError as problem:
            raise HarnessError(
                f"cannot write the artifacts folder {below}: {problem.strerror}; mend it or use --artifacts DIR"
            ) from None
        return folder
    raise HarnessError(f"{below}: a thousand runs in one second? name another folder with --artifacts")


def new_folder(run: Path, name: str) -> Path:
    """Make the folder of a scenario below a run's; ``name`` is any text. Raises HarnessError."""
    safe = "".join(char if char.isalnum() or char in "_.=-" else "_" for char in name)[:100].lstrip(".") or "_"
    for number in range(1, 10_000):
        folder = run / (safe if number == 1 else f"{safe}_{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        except OSError as problem:
            raise cannot_write(folder, problem) from None
        return folder
    raise HarnessError(f"{run}: there are too many scenarios called {safe}")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """Write a file as a whole: whoever reads it finds the old or the new one, and of one that fails nothing stays."""
    new = path.with_name(f"{path.name}.new")
    try:
        with open(new, "w", encoding="utf-8", errors="replace") as file:
            yield file
        new.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink()
        raise


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a file as a whole, a line for each value: indenting would be Python's work, not C's. Raises OSError."""
    lines = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in content.items())
    with replacing(path) as file:
        file.write("{\n " + ",\n ".join(lines) + "\n}\n")


def update(path: Path, more: Mapping[str, Any]) -> None:
    """Add to what a file of this kind says, or begin it. Raises HarnessError if it cannot be written."""
    try:
        write_json(path, {"format": FORMAT, **read_about(path), **more})
    except OSError as problem:
        raise cannot_write(path.parent, problem) from None


def cannot_write(folder: Path, problem: OSError) -> HarnessError:
    """What to raise when evidence cannot be written."""
    return HarnessError(
        f"cannot write the evidence below {folder}: {problem.strerror}; make room or mend it, or use --artifacts DIR"
    )
