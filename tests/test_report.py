"""The page of a run's folder, whatever state that is in, the command that makes it, and the summary
for GitHub.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness import cli
from harness.errors import HarnessError
from harness.report import artifacts, page, summary
from tests.runs import run

__all__ = ["run"]


def test_the_page_escapes_every_name_and_needs_no_network(run: Path) -> None:
    text = page.write(run).read_text()
    without_scripts = text.replace('<script type="text/plain"', "").replace(
        "<script>// biome-ignore-all", ""
    )
    assert "<script>" not in without_scripts
    assert "alert(1)</script>" not in text
    assert "&lt;i&gt;no&lt;/i&gt;" in text
    assert "&lt;b&gt;7&lt;/b&gt;" in text
    assert 'src="' not in text


def test_links_lead_to_the_files(run: Path) -> None:
    odd = run / "test_it" / "a b#c.log"
    odd.write_text("")
    assert 'href="test_it/a%20b%23c.log"' in page.write(run).read_text()


@pytest.mark.parametrize(
    ("outcome", "opened"), [("failed", True), ("bug-shown", False), ("passed", False)]
)
def test_what_is_amiss_is_open(run: Path, outcome: str, opened: bool) -> None:
    artifacts.update(run / "test_it" / artifacts.ABOUT, {"outcome": outcome})
    entry = (
        page.write(run)
        .read_text()
        .partition('<details class="scenario"')[2]
        .partition(">\n<summary>")[0]
    )
    assert entry.endswith(" open") == opened


def test_the_command_says_what_it_does_beside_where_the_page_is(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["report", str(run)]) == 0
    told = capsys.readouterr()
    assert told.out == f"{run / artifacts.PAGE}\n"
    assert told.err == f"lvs-harness: reading {run}...\nlvs-harness: drawing 1 scenario...\n"
    assert (
        cli.main(
            ["report", "--compare", str(run), str(run), "--output", str(tmp_path / "both.html")]
        )
        == 0
    )
    assert capsys.readouterr().err.splitlines()[1:] == [
        told.err.splitlines()[0],
        "lvs-harness: drawing 2 scenarios...",
    ]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda run: (run / "run.json").unlink(), "run.json is missing"),
        (
            lambda run: (run / "run.json").write_text('{"format": 1, "see'),
            "run.json is cut short or damaged",
        ),
        (
            lambda run: (run / "run.json").write_text('{"format": 1}'),
            "was killed, or is still running",
        ),
        (lambda run: (run / "test_it" / "scenario.json").unlink(), "scenario.json is missing"),
        (
            lambda run: (run / "test_it" / "scenario.json").write_text("{"),
            "scenario.json is cut short or damaged",
        ),
        (
            lambda run: (run / "test_it" / "scenario.json").write_text('{"format": 99}'),
            "has format 99",
        ),
        (lambda run: (run / "test_it" / "timeline.jsonl").unlink(), "timeline.jsonl is missing"),
        (
            lambda run: _cut(run / "test_it" / "timeline.jsonl"),
            "timeline.jsonl, line 12: cut short or damaged",
        ),
        (
            lambda run: (run / "test_it" / "timeline.jsonl").write_bytes(b"\xff\xfe\n[]\n{}\n"),
            "line 1 and 2 more",
        ),
        (
            lambda run: artifacts.update(run / "test_it" / "scenario.json", {"outcome": None}),
            "had not ended",
        ),
    ],
)
def test_a_damaged_run_is_shown_and_what_is_missing_is_said(
    run: Path, harm: Any, said: str
) -> None:
    harm(run)
    text = page.write(run).read_text()
    assert f"Incomplete: {said}" in text or said in text
    assert "Incomplete: " in text
    summary.markdown(artifacts.read_run(run))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


@pytest.mark.parametrize(
    "field", ["nodes", "before", "began", "ended", "parameters", "outcome", "message", "frames"]
)
@pytest.mark.parametrize("value", [None, 3, "x", [], ["x"], {"x": 1}, [{"x": 1}], True])
def test_no_value_in_a_scenario_keeps_the_page_from_being_made(
    run: Path, field: str, value: Any
) -> None:
    artifacts.update(run / "test_it" / "scenario.json", {field: value})
    assert page.write(run).exists()


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="is no run's folder"):
        page.write(tmp_path)


def test_an_unknown_format_is_refused(run: Path) -> None:
    (run / "run.json").write_text(json.dumps({"format": 2}))
    with pytest.raises(HarnessError, match="format 2"):
        page.write(run)


def test_folders_of_scenarios_have_safe_names_of_their_own(tmp_path: Path) -> None:
    names = [
        artifacts.new_folder(tmp_path, name).name
        for name in ("a/../b", "a/../b", "..", "x" * 500, "ü[1]")
    ]
    assert names == ["a_.._b", "a_.._b_2", "_", "x" * 100, "ü_1_"]


def test_the_summary_for_github_shows_names_as_they_are(run: Path) -> None:
    text = summary.markdown(artifacts.read_run(run))
    assert "1 failed" in text
    assert "\\[&lt;script&gt;alert(1)&lt;/script&gt; &amp;" in text


TEXTS = (
    "text",
    "soft",
    "accent",
    "passed",
    "failed",
    "error",
    "inconclusive",
    "bug-shown",
    "skipped",
    "unfinished",
    "missing",
)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("colour", TEXTS)
def test_every_text_can_be_read_on_what_is_behind_it(theme: str, colour: str) -> None:
    """WCAG 2.2, 1.4.3: a contrast of 4.5."""
    style = (Path(page.__file__).parent / "assets/page.css").read_text()
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w+);", block)) for block in style.split("}")[:2]
    )
    colours = light if theme == "light" else light | dark
    for behind in ("card", "back"):
        one, other = sorted((luminance(colours[colour]), luminance(colours[behind])), reverse=True)
        assert (one + 0.05) / (other + 0.05) >= 4.5, behind


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it, of ``#123`` or ``#112233``."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
