"""The files that a run leaves behind, written and read: docs/artifacts.md describes them.

What is read may be half written, or made by somebody else: it is opened by :mod:`harness.received`
alone and checked, and what is wrong with it is said.
"""

from __future__ import annotations

import contextlib
import datetime
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

from harness import received
from harness.errors import HarnessError
from harness.events import Event, Judged, from_dict
from harness.report.words import words

FORMAT: Final = 1
"""The version of the layout; those that are not known are refused."""

RUN, ABOUT, TIMELINE, CAPTURE, PAGE = (
    "run.json",
    "scenario.json",
    "timeline.jsonl",
    "capture.pcapng",
    "report.html",
)
GOING_ON = "the run ended before it could say how: it was killed, or is still running"
"""What is wrong with a run that does not say how it ended."""

SOURCES = "sources"
"""The folder, in a run's, with copies of the files that it was made of."""

OUTCOMES = ("failed", "error", "unfinished", "inconclusive", "bug-shown", "skipped", "passed")
"""How a scenario can have ended, the worst first. ``unfinished``: the run ended before it did."""


@dataclass
class Scenario:
    """What is known of one scenario: ``about`` its scenario.json; ``problems`` is what is missing
    or unreadable.
    """

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
    def reason(self) -> str:
        """Why it did not pass, in a line: the cause where one is known, the window that was missed,
        or what was raised; of a bug that was shown, which one.

        Empty if it passed.
        """
        lines = [line for line in str(self.about.get("message") or "").splitlines() if line.strip()]
        raised = [line[1:].strip() for line in lines if line.startswith("E ")]
        if self.outcome == "bug-shown":
            return lines[0] if lines else ""
        first = (raised or [line.strip() for line in lines] or [""])[0]
        late = [event for event in self.events if isinstance(event, Judged) and not event.met]
        missed = f"{late[-1].node} {words(late[-1])}" if late else ""
        return missed if late and (missed in first or " in Due(" in first) else first

    @property
    def files(self) -> list[Path]:
        """Everything in its folder, but for links and the like, and for what is still being
        written.
        """
        try:
            names = received.files(self.folder.parent, self.folder.name)
        except OSError:  # which its problems tell of
            return []
        return [self.folder.parent / name for name in names if not name.endswith(received.NEW)]


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
    about = _read_json(folder, RUN, problems) if folder.is_dir() else {}
    about = _checked(about, RUN, _OF_RUN, problems)
    names = received.folders(folder) if folder.is_dir() else []
    found = [read_scenario(folder / name) for name in names if _is_scenario(folder, name)]
    if not found and not about:
        raise HarnessError(
            f"{folder} is no run's folder: name one that has {RUN} or scenarios: artifacts/<run>"
        )
    if about.get("format", FORMAT) != FORMAT:
        raise HarnessError(
            f"{folder} has format {about['format']!r}, and this harness reads {FORMAT}: use its own"
        )
    if "status" not in about:
        problems.append(GOING_ON)
    problems += about.get("left_out", ())
    order = {name: number for number, name in enumerate(about.get("order", ()))}
    found.sort(key=lambda scenario: order.get(scenario.name, len(order)))
    return Run(folder, about, found, problems)


def read_scenario(folder: Path) -> Scenario:
    """Read one scenario's folder, whatever state it is in."""
    problems: list[str] = []
    run, name = folder.parent, folder.name
    about = _read_json(run, f"{name}/{ABOUT}", problems)
    if about.get("format", FORMAT) != FORMAT:
        problems.append(f"{ABOUT} has format {about['format']!r}, and this harness reads {FORMAT}")
        about = {}
    about = _checked(about, ABOUT, _OF_SCENARIO, problems)
    before = _events([(f"{ABOUT}, before", line) for line in about.get("before", ())], problems)
    scenario = Scenario(folder, about, before, [], problems)
    try:
        lines = received.read(run, f"{name}/{TIMELINE}").splitlines()
        scenario.events = _events(
            [(f"{TIMELINE}, line {n}", line) for n, line in enumerate(lines, 1)], problems
        )
        scenario.events.sort(key=lambda event: event.at)
    except FileNotFoundError:
        if "began" in about:
            problems.append(f"{TIMELINE} is missing")
    except OSError as problem:
        problems.append(f"{TIMELINE} cannot be read: {problem.strerror}")
    if scenario.outcome == "unfinished":
        problems.append("the scenario had not ended: what follows is what was written until then")
    return scenario


def _is_scenario(run: Path, name: str) -> bool:
    return received.has(run, f"{name}/{ABOUT}") or received.has(run, f"{name}/{TIMELINE}")


def _are_nodes(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_node, value))


def _is_node(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    addresses = value.get("addresses", {})
    return (
        isinstance(value.get("name"), str)
        and isinstance(value.get("role"), str)
        and isinstance(addresses, dict)
        and all(isinstance(each, list) for each in addresses.values())
    )


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _are_named_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and received.is_number(value)


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, kinds)


_NUMBER, _TEXT = received.is_number, _is(str)
_OF_RUN = {
    "kernel": _TEXT,
    "clock": _TEXT,
    "seed": _is_count,
    "memory": _is_count,
    "arguments": _are_texts,
    "versions": _is(dict),
    "order": _are_texts,
    "sources": _is(dict),
    "keep": _TEXT,
    "verbosity": _is_count,
    "controls": _is(bool),
    "bugs_fail": _is(bool),
    "selection": _is(dict),
    "speaker": _TEXT,
    "commit": _TEXT,
    "images": _is(dict),
    "seconds": _NUMBER,
    "wall": _NUMBER,
    "status": _is_count,
    "shard": _TEXT,
    "division": _TEXT,
    "merged": _are_texts,
    "left_out": _are_texts,
}
_OF_SCENARIO = {
    "test": _TEXT,
    "says": _TEXT,
    "marks": _are_texts,
    "rules": _are_named_texts,
    "topology": _TEXT,
    "parameters": _is(dict),
    "cluster": _TEXT,
    "nodes": _are_nodes,
    "began": _NUMBER,
    "ended": _NUMBER,
    "before": _is(list),
    "outcome": _TEXT,
    "message": _TEXT,
    "seconds": _NUMBER,
    "frames": _is_count,
    "dropped": _is_count,
}


def _checked(
    about: dict[str, Any],
    name: str,
    kinds: Mapping[str, Callable[[Any], bool]],
    problems: list[str],
) -> dict[str, Any]:
    """What is known and of the right kind; None is as good as missing."""
    wrong = [
        key for key, fits in kinds.items() if about.get(key) is not None and not fits(about[key])
    ]
    problems += [f"{name}: {key} is not what it should be, left out" for key in wrong]
    return {key: value for key, value in about.items() if value is not None and key not in wrong}


def read_about(path: Path) -> dict[str, Any]:
    """A run.json or scenario.json, empty where it cannot be read."""
    return _read_json(path.parent, path.name, [])


def _read_json(folder: Path, name: str, problems: list[str]) -> dict[str, Any]:
    file = name.rpartition("/")[2]
    try:
        content = received.parse(received.read(folder, name))
        if isinstance(content, dict):
            return content
        problems.append(f"{file} is not what it should be")
    except FileNotFoundError:
        problems.append(f"{file} is missing")
    except OSError as problem:
        problems.append(f"{file} cannot be read: {problem.strerror}")
    except ValueError:
        problems.append(f"{file} is cut short or damaged")
    return {}


def _events(lines: list[tuple[str, Any]], problems: list[str]) -> list[Event]:
    found, damaged = [], []
    for where, line in lines:
        try:
            found.append(_event(json.loads(line) if isinstance(line, bytes) else line))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
            damaged.append(where)
    if damaged:
        more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        problems.append(f"{damaged[0]}{more}: cut short or damaged, left out")
    return found


def _event(line: Any) -> Event:
    event = from_dict(line)
    for value in (event.at, *event.details.values()):
        if isinstance(value, dict | list) or (
            isinstance(value, int | float) and not _reckonable(value)
        ):
            raise ValueError(f"no detail of an event: {value!r:.100}")
    return event


def _reckonable(value: float) -> bool:
    return isinstance(value, bool) or received.is_number(value)


def new_run(below: Path) -> Path:
    """Make the folder of a run, named after the time, and see that it can be written. Raises
    HarnessError.
    """
    if below.is_symlink() and not below.exists():
        raise HarnessError(
            f"{below} is a symbolic link to {below.readlink()}, which is not there: make that"
            " folder, or use --artifacts DIR"
        )
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
                f"cannot write the artifacts folder {below}: {problem.strerror}; mend"
                " it or use --artifacts DIR"
            ) from None
        return folder
    raise HarnessError(
        f"{below}: a thousand runs in one second? name another folder with --artifacts"
    )


def new_folder(run: Path, name: str) -> Path:
    """Make the folder of a scenario below a run's; ``name`` is any text. Raises HarnessError."""
    safe = (
        "".join(char if char.isalnum() or char in "_.=-" else "_" for char in name)[:100].lstrip(
            "."
        )
        or "_"
    )
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
    """Write a file as a whole: whoever reads it finds the old or the new one, and of one that fails
    nothing stays.
    """
    with received.replacing(path.parent, path.name) as file:
        yield file


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Replace a file as a whole, a line for each value: indenting would be Python's work, not C's.
    Raises OSError.
    """
    lines = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in content.items())
    with replacing(path) as file:
        file.write("{\n " + ",\n ".join(lines) + "\n}\n")


def update(path: Path, more: Mapping[str, Any]) -> None:
    """Add to what a file of this kind says, or begin it. Raises HarnessError if it cannot be
    written.
    """
    try:
        write_json(path, {"format": FORMAT, **read_about(path), **more})
    except OSError as problem:
        raise cannot_write(path.parent, problem) from None


def cannot_write(folder: Path, problem: OSError) -> HarnessError:
    """What to raise when evidence cannot be written."""
    return HarnessError(
        f"cannot write the evidence below {folder}: {problem.strerror}; make room or"
        " mend it, or use --artifacts DIR"
    )
