"""What an upgrade changes for the same files: verdicts on two versions and on pairs of both (pure).

A verdict is the document that :func:`harness.check.formats.to_json` writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.check.verdict import DOES_NOT_APPLY, WORKS

ABSENT = "-"
"""What a verdict does not speak of."""

Verdicts = Mapping[str, Mapping[str, Any]]
"""By column (``bookworm``, ``trixie``, ``bookworm+trixie``) the verdict on it; the first is
what there is today.
"""


def rows(verdicts: Verdicts) -> list[tuple[str, list[str]]]:
    """What each verdict says of each finding and behaviour, those that differ first."""
    found: dict[str, dict[str, str]] = {}
    for column, document in verdicts.items():
        for finding in document.get("findings", []):
            about = f"{finding['level']} {finding['name']}: {finding['text']}"
            found.setdefault(about, {})[column] = finding["level"]
    for column, document in verdicts.items():
        for outcome in document.get("outcomes", []):
            found.setdefault(outcome["about"], {})[column] = outcome["verdict"]
    table = []
    for about, said in found.items():
        table.append((about, [said.get(column, ABSENT) for column in verdicts]))
    return sorted(table, key=lambda row: len(set(row[1])) == 1)


def worse(verdicts: Verdicts) -> list[str]:
    """What works today and does not with some column, and findings that only the others have."""
    found = []
    for about, (today, *others) in rows(verdicts):
        fine = (WORKS, DOES_NOT_APPLY, ABSENT)
        if today in fine and any(other not in (*fine, "note") for other in others):
            found.append(about)
    return found


def report(verdicts: Verdicts) -> Iterator[str]:
    """The lines: what differs, with what each column says, and how much is the same."""
    table = rows(verdicts)
    differing = [row for row in table if len(set(row[1])) > 1]
    columns = list(verdicts)
    for about, said in differing:
        yield about
        for column, word in zip(columns, said, strict=True):
            yield f"    {column:<{max(map(len, columns))}}  {word}"
    same = len(table) - len(differing)
    yield f"{len(differing)} differ, {same} are the same with {', '.join(columns)}"


def columns(before: str, after: str, directors: Sequence[str]) -> dict[str, list[str]]:
    """By column the ``--image`` values: all of the one, all of the other, and rolling pairs in
    both orders.
    """
    whole = {release: [f"director={release}"] for release in (before, after)}
    if len(directors) != 2:
        return whole
    first, second = directors
    return {
        **whole,
        f"{before}+{after}": [f"{first}={before}", f"{second}={after}"],
        f"{after}+{before}": [f"{first}={after}", f"{second}={before}"],
    }
