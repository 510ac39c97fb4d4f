"""What a search leaves of a failure: a scenario that fails, ready to commit, and a text for a
tracker (pure).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from harness.search.engine import Failure
from harness.search.sequence import as_python
from harness.search.site import Steps
from harness.spec import Origin

_WIDTH = 100


def name_of(failure: Failure) -> str:
    """A name for the scenario: the same for the same failure in every run."""
    words = re.sub(r"\W+", "_", failure.signature.invariant)
    digest = hashlib.sha256(str(failure.signature).encode()).hexdigest()[:6]
    return f"{words}_{digest}"


def scenario(failure: Failure, origin: Origin, unrun: str | None = None) -> str:
    """The text of a scenario that fails by this, where the failure is there.

    ``unrun`` is what it looks like where a director leaves a script out: a scenario has to declare
    that, and ends at its beginning otherwise.
    """
    before = []
    for number, earlier in enumerate(failure.earlier):
        before += [f"    earlier{number} = [", *as_python(earlier), "    ]"]
        before += [f"    broken(cluster, earlier{number})"]
    steps = ["    steps = [", *as_python(failure.steps), "    ]"] if failure.steps else []
    named = "steps" if steps else "[]"  # which a cluster that fails by itself has none of
    imports = [
        "from harness.cluster import Cluster",
        "from harness.scenario import fresh_topology",
        f"from harness.search import broken{', step' if steps else ''}",
        *origin.imports,
    ]
    declared = [] if unrun is None else [f"@pytest.mark.diagnosis({unrun!r})"]
    lines = [
        *(["import pytest", ""] if declared else []),
        *sorted(imports),
        "",
        "",
        *declared,
        f"@fresh_topology({origin.expression})",
        f"def test_{name_of(failure)}(cluster: Cluster) -> None:",
        f'    """{_shortened(failure.violation.text)}"""',
        *before,
        *steps,
        f'    assert not broken(cluster, {named}, "{failure.signature.invariant}")',
    ]
    return "\n".join(lines) + "\n"


def _shortened(text: str) -> str:
    """One line that fits, in quotes that nothing in it ends."""
    line = " ".join(text.split()).replace("\\", "/").replace('"', "'")
    return line if len(line) <= _WIDTH else line[: _WIDTH - 3] + "..."


def report(
    failure: Failure,
    about: Mapping[str, str],
    configs: Mapping[str, str],
    seen: str,
    versions: Mapping[str, str],
) -> str:
    """A text for a tracker. ``about`` says on what it was seen, ``configs`` has the directors'
    keepalived.conf, ``seen`` is a table of the last events, ``versions`` says what came of the
    same on others.
    """
    lines = [f"# {_shortened(failure.violation.text)}", ""]
    lines += [f"Invariant: {failure.signature.invariant}.", ""]
    lines += [f"- {name}: {value}" for name, value in about.items()]
    lines += [f"- on {version}: {outcome}" for version, outcome in versions.items()]
    lines += [
        "",
        "## What was done",
        "",
        "Seconds from the beginning, on a cluster that had been at rest:",
        "",
    ]
    for earlier in failure.earlier:
        lines += [f"1. {line}" for line in in_words(earlier)]
        lines += ["", "And then, when it was at rest again:", ""]
    lines += [f"1. {line}" for line in in_words(failure.steps)]
    lines += ["", "## What was seen", "", failure.violation.text, ""]
    lines += ["The last events, in milliseconds from the beginning:", "", "```text"]
    lines += [seen, "```", ""]
    for director, text in configs.items():
        lines += [f"## keepalived.conf of {director}", "", "```text", text.rstrip(), "```", ""]
    return "\n".join(lines)


def in_words(steps: Steps) -> list[str]:
    """What is done when, a line for each step."""
    lines, now = [], 0.0
    for each in steps:
        now += each.after
        until = f", until {now + each.lasts:g} s" if each.lasts else ""
        lines.append(f"At {now:g} s: {each.deed}{until}.")
    return lines
