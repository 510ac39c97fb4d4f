"""The verdict on a configuration: what works, what breaks in which situation and how that is known (pure)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from harness.check import findings

WORKS, BREAKS, UNCLEAR, DOES_NOT_APPLY = "works", "BREAKS", "unclear", "does not apply"
NOT_EMULATED = "not emulated"
HARNESS_FAILED = "harness failed"
"""The harness's own mistake, which says nothing of the cluster."""
_ORDER: Final = (WORKS, DOES_NOT_APPLY, NOT_EMULATED, UNCLEAR, HARNESS_FAILED, BREAKS)
"""What matters most comes last, where a terminal shows it."""

_MARGIN = " " * 16
_WIDTH = 110


@dataclass(frozen=True)
class Finding:
    """What one scenario has shown: ``about`` is what it says of the cluster, ``evidence`` the folder with its proof."""

    verdict: str
    about: str
    why: str = ""
    evidence: str = ""


def report(outcomes: Iterable[Finding]) -> Iterator[str]:
    """Its lines; those that do not apply for one reason are told together."""
    known = sorted(dict.fromkeys(outcomes), key=lambda finding: _ORDER.index(finding.verdict))
    reasons = dict.fromkeys(finding.why for finding in known if finding.verdict == DOES_NOT_APPLY)
    for finding in known:
        if finding.verdict == DOES_NOT_APPLY:
            continue
        if finding.verdict != WORKS:
            yield from _grouped(known, reasons)
            reasons = {}
        yield f"{finding.verdict:<15} {finding.about}"
        if finding.why:
            yield from _hanging("because", finding.why)
        if finding.evidence:
            yield f"{_MARGIN}evidence: {finding.evidence}"
    yield from _grouped(known, reasons)
    counts = {verdict: sum(finding.verdict == verdict for finding in known) for verdict in _ORDER}
    yield "in short: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)


def told(known: Iterable[findings.Finding]) -> Iterator[str]:
    """The lines of findings and notes: each with its place, its name and its cure."""
    for each in known:
        yield f"{each.level:<15} {each.where} [{each.name}]"
        yield from _hanging("what", each.text)
        if each.level == findings.FINDING:
            yield from _hanging("cure", each.cure or each.kind.cure)


def _grouped(outcomes: list[Finding], reasons: Iterable[str]) -> Iterator[str]:
    for reason in reasons:
        mine = [each.about for each in outcomes if each.verdict == DOES_NOT_APPLY and each.why == reason]
        yield f"{DOES_NOT_APPLY:<15} {reason or 'for no reason that is given'}:"
        yield from (f"{_MARGIN}- {about}" for about in mine)


def _hanging(title: str, text: str) -> list[str]:
    indent = _MARGIN + " " * (len(title) + 2)
    return textwrap.wrap(f"{title}: {text}", _WIDTH, initial_indent=_MARGIN, subsequent_indent=indent)
