"""The verdict for machines: JSON and SARIF, from findings and outcomes. Pure."""

from __future__ import annotations

import json

from harness.check.finding import Finding
from harness.check.formats import to_json, to_sarif
from harness.check.kinds import KINDS
from harness.check.verdict import BREAKS, WORKS, Outcome

OUTCOMES = [
    Outcome(
        BREAKS, "The VIP moves.", "7.0 s, due 3.6 s", "artifacts/run/test_moves", "test_election"
    ),
    Outcome(WORKS, "keepalived runs."),
]
FINDINGS = [
    Finding(
        "vips-differ", "VRID 60 has the VIP 192.0.2.88 on lb2 only", "lb1.conf:5, sub/lb2.conf:12"
    ),
    Finding("keepalived-ignored", "keepalived does not know nat_mask", "lb1"),
]
SILENT = {"vips-differ": "being moved"}


def test_json_has_findings_with_places_and_cures_and_all_outcomes() -> None:
    document = json.loads(to_json(OUTCOMES, FINDINGS, SILENT))
    assert document["format"] == 1
    assert document["findings"][0] == {
        "name": "vips-differ",
        "level": "finding",
        "text": "VRID 60 has the VIP 192.0.2.88 on lb2 only",
        "places": ["lb1.conf:5", "sub/lb2.conf:12"],
        "cure": KINDS["vips-differ"].cure,
        "silenced": "being moved",
    }
    assert document["findings"][1]["silenced"] is None
    assert [outcome["verdict"] for outcome in document["outcomes"]] == [BREAKS, WORKS]


def test_sarif_names_file_and_line_and_what_is_silenced() -> None:
    log = json.loads(to_sarif(OUTCOMES, FINDINGS, SILENT, "1.2"))
    (run,) = log["runs"]
    first, second, broken = run["results"]
    assert log["version"] == "2.1.0"
    assert (first["ruleId"], first["level"]) == ("vips-differ", "error")
    places = [location["physicalLocation"] for location in first["locations"]]
    assert places[1] == {"artifactLocation": {"uri": "sub/lb2.conf"}, "region": {"startLine": 12}}
    assert first["suppressions"] == [{"kind": "external", "justification": "being moved"}]
    assert second["level"] == "note"
    assert second["locations"] == [{"physicalLocation": {"artifactLocation": {"uri": "lb1"}}}]
    assert broken["ruleId"] == "breaks"


def test_every_result_has_its_rule() -> None:
    (run,) = json.loads(to_sarif(OUTCOMES, FINDINGS, {}, "1.2"))["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    assert {result["ruleId"] for result in run["results"]} <= set(rules)
    assert {"suppressions"} & {key for result in run["results"] for key in result} == set()
