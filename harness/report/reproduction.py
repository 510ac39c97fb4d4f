"""One failure to send to somebody: a small bundle with a page of its own, and a text for an issue
tracker beside it.

The bundle is one as :mod:`harness.report.bundle` makes of a whole run, of a single scenario and
with the files that it was made of; so ``lvs-harness reproduce`` runs it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Final

from harness.errors import HarnessError
from harness.report import artifacts, bundle, issue, page, secrets
from harness.report.artifacts import PAGE, Run, Scenario, read_run
from harness.report.bundle import RUN, SOURCES

ISSUE: Final = "issue.md"
_SUITE = re.compile(r"test_.*\.py|.*_test\.py")
_SHOWN: Final = 10


def make(
    folder: Path, wanted: str, target: Path | None = None, with_secrets: bool = False
) -> tuple[Path, list[str]]:
    """Bundle the one scenario of a run that ``wanted`` names, or a part of its name.

    Returns where the archive is (default: named after the scenario, in this folder), and what
    should be known of it; the text is beside it, with ``.md`` as its ending. Raises HarnessError.
    """
    run = read_run(folder)
    scenario = choose(run, wanted)
    target = Path(f"{scenario.folder.name}.zip") if target is None else target
    notes = [*scenario.problems]
    kept = (f"{RUN}/{scenario.folder.name}/", f"{SOURCES}/")
    contents = bundle.contents(run, notes, lambda name: name.startswith(kept))
    contents = _needed(contents, scenario)
    contents[_ABOUT] = _about(run, scenario, contents)
    if not with_secrets:
        found = secrets.find(contents.values())
        contents = {name: secrets.mask(data, found) for name, data in contents.items()}
        notes.append(f"passwords masked: {len(found)}" if found else "no passwords found")
    contents |= _shown(contents, target.name)
    one = Run(run.folder, run.about, [scenario], [])
    bundle.write(target, one, contents, masked=not with_secrets)
    try:
        with artifacts.replacing(target.with_suffix(".md")) as file:
            file.write(contents[f"{RUN}/{ISSUE}"].decode())
    except OSError as problem:
        raise HarnessError(
            f"cannot write {target.with_suffix('.md')}: {problem.strerror}"
        ) from None
    return target, notes


_ABOUT: Final = f"{RUN}/{artifacts.RUN}"


def choose(run: Run, wanted: str) -> Scenario:
    """The scenario with that name, or with it in its name; of several the only one that did not
    pass. HarnessError.
    """
    exact = [scenario for scenario in run.scenarios if scenario.name == wanted]
    found = exact or [
        scenario for scenario in run.scenarios if wanted.lower() in scenario.name.lower()
    ]
    if len(found) > 1:
        amiss = [scenario for scenario in found if scenario.outcome not in ("passed", "skipped")]
        found = amiss if len(amiss) == 1 else found
    if len(found) == 1:
        return found[0]
    what = (
        f"{len(found)} scenarios with {wanted!r} in their names"
        if found
        else f"no scenario called {wanted!r}"
    )
    raise HarnessError(f"{run.folder} has {what}: say which of {_names(found or run.scenarios)}")


def _names(scenarios: Iterable[Scenario]) -> str:
    ordered = sorted(scenarios, key=lambda each: artifacts.OUTCOMES.index(each.outcome))
    names = [f"{each.name!r} ({each.outcome})" for each in ordered[:_SHOWN]]
    more = len(ordered) - len(names)
    return (
        ", ".join(names) + (f" and {more} more" if more else "")
        if names
        else "those in it: there is none"
    )


def _needed(contents: dict[str, bytes], scenario: Scenario) -> dict[str, bytes]:
    """Without the other files of tests, unless the scenario's own names them."""
    own = f"{SOURCES}/{scenario.name.partition('::')[0]}"
    said = contents.get(own, b"").decode(errors="replace")

    def needed(name: str) -> bool:
        path = PurePosixPath(name)
        is_other = name.startswith(f"{SOURCES}/") and name != own and _SUITE.fullmatch(path.name)
        return not is_other or path.stem in said

    return {name: data for name, data in contents.items() if needed(name)}


def _about(run: Run, scenario: Scenario, contents: dict[str, bytes]) -> bytes:
    """The run.json of a run of this scenario alone."""
    sources = {
        name: of
        for name, of in run.about.get("sources", {}).items()
        if f"{SOURCES}/{name}" in contents
    }
    return json.dumps(
        {**run.about, "order": [scenario.name], "sources": sources}, indent=1
    ).encode()


def _shown(contents: dict[str, bytes], archive: str) -> dict[str, bytes]:
    """The page and the text, of what the archive itself has: so no password is in them that is not
    in it.
    """
    with TemporaryDirectory(prefix="lvs-harness-") as place:
        for name, data in contents.items():
            path = Path(place, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        drawn = page.write(Path(place, RUN)).read_bytes()
        run = read_run(Path(place, RUN))
    (scenario,) = run.scenarios
    configurations = {
        name.removeprefix(f"{RUN}/{scenario.folder.name}/"): data.decode(errors="replace")
        for name, data in contents.items()
        if name.startswith(f"{RUN}/") and name.endswith("keepalived.conf")
    }
    text = issue.text(run, scenario, archive, configurations)
    return {f"{RUN}/{PAGE}": drawn, f"{RUN}/{ISSUE}": text.encode()}
