"""The verdict on configurations: what is wrong, what breaks, what works, and what was not tried
(pure).

What was found in the files comes first, with cures, and what breaks because of it stands below it
in a line.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.check.finding import Finding
from harness.check.kinds import FINDING, NOTE
from harness.counting import counted

WORKS, BREAKS, UNCLEAR, DOES_NOT_APPLY = "works", "BREAKS", "unclear", "does not apply"
NOT_EMULATED = "not emulated"
HARNESS_FAILED = "harness failed"
"""The harness's own mistake, which says nothing of the cluster."""
_ORDER: Final = (BREAKS, HARNESS_FAILED, UNCLEAR, WORKS, DOES_NOT_APPLY, NOT_EMULATED)

_MARGIN = " " * 16
_WIDTH = 110
_PLACES = 2


@dataclass(frozen=True)
class Outcome:
    """What one scenario has shown: ``about`` is what it says of the cluster, ``evidence`` the
    folder with its proof, ``module`` the name of the module that it is in.
    """

    verdict: str
    about: str
    why: str = ""
    evidence: str = ""
    module: str = ""


def report(
    outcomes: Iterable[Outcome],
    findings: Sequence[Finding] = (),
    silent: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """The lines of the verdict.

    ``findings`` have been found in the files; those whose name is in ``silent`` are counted with
    the reason there.
    """
    silent = silent or {}
    told = [finding for finding in findings if finding.name not in silent]
    known = sorted(dict.fromkeys(outcomes), key=lambda outcome: _ORDER.index(outcome.verdict))
    follows = _following(known, told)
    for finding in told:
        if finding.kind.level == FINDING:
            yield from _finding(finding, follows.get(finding, []))
    explained = {outcome for caused in follows.values() for outcome in caused}
    for outcome in known:
        if outcome.verdict in (BREAKS, HARNESS_FAILED, UNCLEAR, WORKS) and outcome not in explained:
            yield from _outcome(outcome)
    for finding in told:
        if finding.kind.level == NOTE:
            yield from _finding(finding, [])
    yield from _grouped(known)
    yield from (
        f"{outcome.verdict:<15} {outcome.about}"
        for outcome in known
        if outcome.verdict == NOT_EMULATED
    )
    for name in dict.fromkeys(finding.name for finding in findings if finding.name in silent):
        yield f"{'silenced':<15} {name}: {silent[name]}"
    yield "in short: " + ", ".join(_counts(known, told))


def is_wrong(findings: Iterable[Finding], silent: Mapping[str, str]) -> bool:
    """Whether something that was found makes the exit status 1."""
    return any(finding.kind.level == FINDING and finding.name not in silent for finding in findings)


def _following(
    outcomes: Sequence[Outcome], findings: Sequence[Finding]
) -> dict[Finding, list[Outcome]]:
    """By finding what breaks because of it: each outcome belongs to the first finding that
    explains it.
    """
    found: dict[Finding, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.verdict not in (BREAKS, UNCLEAR):
            continue
        cause = next(
            (finding for finding in findings if outcome.module in finding.kind.explains), None
        )
        if cause is not None:
            found.setdefault(cause, []).append(outcome)
    return found


def _finding(finding: Finding, caused: Sequence[Outcome]) -> Iterator[str]:
    places = [place for place in finding.where.split(", ") if place]
    if len(places) > _PLACES:
        places = [*places[:_PLACES], f"{len(places) - _PLACES} more"]
    where = f" ({', '.join(places)})" if places else ""
    yield f"{finding.kind.level:<15} {finding.name}: {finding.text}{where}"
    yield from _hanging("cure", finding.remedy)
    if caused:
        evidence = next((outcome.evidence for outcome in caused if outcome.evidence), "")
        seen = next((outcome.why for outcome in caused if outcome.why), "")
        proof = [f"seen: {seen}"] * bool(seen) + [f"evidence: {evidence}"] * bool(evidence)
        shown = f" ({'; '.join(proof)})" if proof else ""
        abouts = "; ".join(outcome.about.rstrip(".") for outcome in caused)
        yield f"{_MARGIN}so this does not work: {abouts}{shown}"


def _outcome(outcome: Outcome) -> Iterator[str]:
    yield f"{outcome.verdict:<15} {outcome.about}"
    if outcome.why:
        yield from _hanging("because", outcome.why)
    if outcome.evidence:
        yield f"{_MARGIN}evidence: {outcome.evidence}"


def _grouped(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What does not apply, together where the reason is the same."""
    skipped = [outcome for outcome in outcomes if outcome.verdict == DOES_NOT_APPLY]
    for reason in dict.fromkeys(outcome.why for outcome in skipped):
        yield f"{DOES_NOT_APPLY:<15} {reason or 'for no reason that is given'}:"
        yield from (f"{_MARGIN}- {outcome.about}" for outcome in skipped if outcome.why == reason)


def _counts(outcomes: Sequence[Outcome], findings: Sequence[Finding]) -> Iterator[str]:
    for level in (FINDING, NOTE):
        count = sum(finding.kind.level == level for finding in findings)
        if count:
            yield counted(count, level)
    for verdict in _ORDER:
        count = sum(outcome.verdict == verdict for outcome in outcomes)
        if count:
            yield f"{count} {verdict}"


def _hanging(title: str, text: str) -> list[str]:
    indent = _MARGIN + " " * (len(title) + 2)
    return textwrap.wrap(
        f"{title}: {text}", _WIDTH, initial_indent=_MARGIN, subsequent_indent=indent
    )
