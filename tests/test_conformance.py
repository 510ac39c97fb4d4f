"""The tables of the conformance scenarios, and the page that is made of what they showed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HarnessError
from scenarios.conformance import page
from scenarios.conformance.declared import FINDINGS, FRR
from scenarios.conformance.sending import duties
from scenarios.conformance.vectors import KINDS, Kind, vectors

PAGE = Path(__file__).resolve().parent.parent / "docs" / "conformance.md"
ROW: dict[str, Any] = {
    "implementation": "2.2.7",
    "kind": "IPv4 version 2",
    "state": "master",
    "packet": "TTL 254",
    "rule": "RFC 3768 5.2.3: one whose TTL is not 255 is discarded",
    "level": "MUST",
    "due": "discarded",
    "did": "discarded",
    "how": "discarded, counted and logged",
    "logs": True,
    "counted": ["Packet Errors: TTL"],
    "said": ["(VI_1) invalid TTL"],
    "answered": False,
    "shown": ["  0.00  phantom advertises priority 200, interval 1.00 s"],
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_packets_have_names_of_their_own_and_rules(kind: Kind) -> None:
    found = vectors(kind)
    assert len({vector.name for vector in found}) == len(found)
    for vector in found:
        assert vector.rule.startswith("RFC ")
        assert vector.level in ("MUST", "SHOULD", "MAY")


def test_packets_are_as_many_as_the_page_promises() -> None:
    assert sum(len(vectors(kind)) for kind in KINDS) >= 150


@pytest.mark.parametrize("finding", [*FINDINGS, *FRR], ids=lambda finding: finding.name)
def test_findings_are_about_packets_that_there_are(finding: Any) -> None:
    kinds = {kind.name: kind for kind in KINDS}
    for name in finding.kinds:
        known = {vector.name for vector in vectors(kinds[name])} | {
            duty.name for duty in duties(kinds[name])
        }
        assert {*finding.packets} <= known


def test_page_has_every_packet_and_every_finding() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for kind in KINDS:
        part = text.partition(f"\n## {kind.name}\n")[2].partition("\n## ")[0]
        for vector in vectors(kind):
            assert f"| {vector.name} |" in part, "run make conformance"
            assert vector.rule in part, "run make conformance"
        for duty in duties(kind):
            assert f"| {duty.name} | master | {duty.rule} |" in part, "run make conformance"
    for finding in (*FINDINGS, *FRR):
        assert f". {finding.name}\n" in text, "run make conformance"


@pytest.mark.parametrize(
    ("changed", "cell"),
    [
        ({}, "yes (c, l)"),
        ({"counted": []}, "yes (l)"),
        ({"counted": [], "said": []}, "yes, not logged"),
        ({"counted": [], "said": [], "logs": False}, "yes"),
        (
            {"counted": ["the kernel's count of packets that the socket did not get"], "said": []},
            "yes, not logged (k)",
        ),
        ({"did": "obeyed"}, "**no**: obeyed (c, l)"),
        ({"due": "obeyed"}, "stricter (c, l)"),
        ({"due": "obeyed", "did": "hurried", "counted": [], "said": []}, "**no**: hurried"),
    ],
)
def test_cell_says_what_was_done(changed: dict[str, Any], cell: str) -> None:
    assert page.cell({**ROW, **changed}) == cell


def test_states_that_are_alike_are_one_line_and_versions_are_in_order() -> None:
    rows = [
        {**ROW, "state": state, "implementation": each}
        for state in ("master", "backup")
        for each in ("2.10.0", "2.9.1")
    ]
    (line,) = page.lines(rows, ["2.9.1", "2.10.0"])
    assert line.state == "both"
    assert "| 2.9.1 | 2.10.0 |" in page.render(json.dumps(rows))


def test_states_that_differ_are_two_lines() -> None:
    rows = [ROW, {**ROW, "state": "backup", "did": "obeyed"}]
    assert [line.state for line in page.lines(rows, ["2.2.7"])] == ["master", "backup"]


def test_what_differs_between_versions_comes_first() -> None:
    rows = [ROW, {**ROW, "implementation": "2.3.4", "did": "obeyed"}]
    part = (
        page.render(json.dumps(rows))
        .partition("## What differs between versions")[2]
        .partition("\n## ")[0]
    )
    assert "| TTL 254 | master |" in part
    alike = [ROW, {**ROW, "implementation": "2.3.4"}]
    part = (
        page.render(json.dumps(alike))
        .partition("## What differs between versions")[2]
        .partition("\n## ")[0]
    )
    assert "TTL 254" not in part


def test_another_implementation_is_a_column_of_its_own_and_what_it_does_otherwise_is_told() -> None:
    theirs = {**ROW, "implementation": "FRR 10.3", "counted": [], "said": []}
    text = page.render(json.dumps([ROW]), json.dumps([theirs]))
    assert "| 2.2.7 | FRR 10.3 | log line of 2.2.7 |" in text
    assert "yes, not logged" in text.partition("## IPv4 version 2\n")[2]
    assert (
        "TTL 254" not in text.partition("do otherwise\n")[2].partition("\n## ")[0]
    )  # only that it says nothing
    text = page.render(json.dumps([ROW]), json.dumps([{**theirs, "did": "obeyed"}]))
    assert (
        "TTL 254"
        in text.partition("## What 2.2.7 and FRR 10.3 do otherwise\n")[2].partition("\n## ")[0]
    )
    assert (
        "TTL 254" not in text.partition("between versions of keepalived\n")[2].partition("\n## ")[0]
    )


def test_a_finding_names_its_scenario_and_shows_what_happened() -> None:
    row = {
        **ROW,
        "kind": "IPv6 version 3",
        "packet": "interval 0",
        "did": "obeyed",
        "implementation": "2.3.4",
    }
    part = page.render(json.dumps([row])).partition("An advertisement with interval 0 is obeyed")[2]
    assert (
        "test_conformance_a_master_discards[IPv6 version 3: interval 0]`\n\n```text\n  0.00 "
        " phantom" in part
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not what pytest"),
        ("[]", "no conformance scenario"),
        ("[1]", "lacks everything"),
        ('[{"kind": 1}]', "lacks"),
    ],
)
def test_other_files_are_refused(text: str, reason: str) -> None:
    with pytest.raises(HarnessError, match=reason):
        page.read(text)
