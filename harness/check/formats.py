"""The verdict for machines: JSON of our own, and SARIF, which code scanning shows on the files'
lines (pure).

SARIF is OASIS's "Static Analysis Results Interchange Format", version 2.1.0; of it only what a
finding has is written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness.check.finding import Finding
from harness.check.kinds import FINDING, KINDS
from harness.check.verdict import BREAKS, Outcome

FORMAT = 1
"""The version of the JSON; it changes when a field is removed or means something else."""

_SARIF = "2.1.0"
_PLACE = re.compile(r"(?P<file>.+):(?P<line>\d+)")
_LEVELS = {FINDING: "error"}
_BROKEN = "breaks"
_BROKEN_MEANING = (
    "Something that any cluster has to do does not work; the message says what,"
    " and how that is known."
)


def to_json(
    outcomes: Iterable[Outcome], findings: Iterable[Finding], silent: Mapping[str, str]
) -> str:
    """``{"format": 1, "findings": [...], "outcomes": [...]}``; ``silenced`` is the reason, or
    null.
    """
    document = {
        "format": FORMAT,
        "findings": [_described(finding, silent) for finding in findings],
        "outcomes": [asdict(outcome) for outcome in outcomes],
    }
    return json.dumps(document, indent=2) + "\n"


def _described(finding: Finding, silent: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": finding.name,
        "level": finding.kind.level,
        "text": finding.text,
        "places": _places(finding),
        "cure": finding.remedy,
        "silenced": silent.get(finding.name),
    }


def to_sarif(
    outcomes: Sequence[Outcome],
    findings: Sequence[Finding],
    silent: Mapping[str, str],
    version: str,
) -> str:
    """A log of one run: a result for each finding, and for each thing that breaks."""
    results = [_result(finding, silent) for finding in findings]
    results += [_broken(outcome) for outcome in outcomes if outcome.verdict == BREAKS]
    rules = [_rule(name, kind.meaning, kind.cure) for name, kind in KINDS.items()]
    rules.append(
        _rule(_BROKEN, _BROKEN_MEANING, "Look at the evidence in the folder that is named.")
    )
    driver = {"name": "lvs-harness", "version": version, "rules": rules}
    log = {"version": _SARIF, "runs": [{"tool": {"driver": driver}, "results": results}]}
    return json.dumps(log, indent=2) + "\n"


def _rule(name: str, meaning: str, cure: str) -> dict[str, Any]:
    return {"id": name, "shortDescription": {"text": meaning}, "help": {"text": cure}}


def _result(finding: Finding, silent: Mapping[str, str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.name,
        "level": _LEVELS.get(finding.kind.level, "note"),
        "message": {"text": f"{finding.text}. {finding.remedy}"},
        "locations": [_location(place) for place in _places(finding)],
    }
    if finding.name in silent:
        result["suppressions"] = [{"kind": "external", "justification": silent[finding.name]}]
    return result


def _broken(outcome: Outcome) -> dict[str, Any]:
    why = f" {outcome.why}" if outcome.why else ""
    evidence = f" Evidence: {outcome.evidence}" if outcome.evidence else ""
    return {
        "ruleId": _BROKEN,
        "level": "error",
        "message": {"text": f"{outcome.about}{why}{evidence}"},
    }


def _places(finding: Finding) -> list[str]:
    """Each with its file, and the line where that is known."""
    return [place for place in finding.where.split(", ") if place]


def _location(place: str) -> dict[str, Any]:
    found = _PLACE.fullmatch(place)
    physical: dict[str, Any] = {"artifactLocation": {"uri": found["file"] if found else place}}
    if found:
        physical["region"] = {"startLine": int(found["line"])}
    return {"physicalLocation": physical}
