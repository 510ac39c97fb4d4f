"""What is made of a run's folder: the picture, the table, the page, whatever state the folder
is in.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from harness import cli
from harness.errors import HarnessError
from harness.events import Event, make
from harness.report import artifacts, page, panel, picture, summary, table
from tests.runs import EVENTS, NODES, VIP, make_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run")


def drawn(run: Path) -> picture.Picture:
    return picture.draw(artifacts.read_scenario(run / "test_it"))


def bars(drawing: picture.Picture, node: str, label: str) -> list[tuple[float, float, str]]:
    row = drawing.rows.index((node, label))
    return [(start, end, kind) for number, start, end, kind, _ in drawing.bars if number == row]


def test_a_machine_that_is_director_and_real_server_has_the_rows_of_both(tmp_path: Path) -> None:
    both = [
        {**node, "role": "DirectorAndRealServer"} if node["name"] == "director1" else node
        for node in NODES
    ]
    drawing = drawn(make_run(tmp_path / "both", nodes=both))
    assert bars(drawing, "director1", "VRRP") == [(-1000, 1, "MASTER"), (1, 5000, "off")]
    assert {"VRRP", "VIP", "httpd"} <= {
        label for node, label in drawing.rows if node == "director1"
    }
    assert bars(drawing, "web1", "in director1's pool") == [(-1000, 1, "pool")]


def test_bars_last_from_event_to_event_and_from_before_to_the_end(run: Path) -> None:
    drawing = drawn(run)
    assert drawing.span == (-1000, 5000)
    assert bars(drawing, "director1", "VRRP") == [(-1000, 1, "MASTER"), (1, 5000, "off")]
    assert bars(drawing, "director2", "VRRP") == [(-1000, 3600, "BACKUP"), (3600, 5000, "MASTER")]
    assert bars(drawing, "director1", "VIP") == [(-1000, 1, "VIP")]
    assert bars(drawing, "director2", "VIP") == [(3600, 5000, "VIP")]
    assert bars(drawing, "web1", "in director1's pool") == [(-1000, 1, "pool")]
    assert bars(drawing, "director2", f"due: takes {VIP}") == [(2600, 3700, "window")]


def test_marks_and_faults_are_where_they_happened(run: Path) -> None:
    drawing = drawn(run)
    assert [(at, kind) for _, at, kind, _ in drawing.marks] == [
        (-500, "advertisement"),
        (3600, "gratuitous ARP"),
        (3600, "on time"),
        (-400, "answered by web1"),
        (100, "failed request"),
    ]
    assert drawing.spans == [(0, 4000, "director1", "PowerOff")]


def test_a_fault_that_was_never_healed_lasts_to_the_end(tmp_path: Path) -> None:
    assert drawn(make_run(tmp_path / "run", EVENTS[:6])).spans == [
        (0, 5000, "director1", "PowerOff")
    ]


def told(text: str, heading: int) -> list[tuple[float, str]]:
    """The lines of a table below its heading: when, and what."""
    return [(float(line[:12]), line[12:].strip(" |")) for line in text.splitlines()[heading:]]


def test_the_table_has_a_line_an_event_and_marks_fault_and_window() -> None:
    text = table.render(EVENTS, NODES, width=120)
    assert text.splitlines()[0].split() == ["ms", "|", "director1", "|", "director2", "|", "client"]
    lines = told(text, heading=2)
    assert lines[2] == (0, "= director1: PowerOff injected ========")
    assert lines[3] == (1, "power off")
    assert (2600, f"/ director2: takes {VIP}: due from here --------") in lines
    assert (3700, f"\\ director2: takes {VIP}: due until here --------") in lines
    assert lines[-1][1].startswith(
        f"= director2: takes {VIP} after 3600.0 ms: in 2600.0 to 3700.0 ms"
    )
    assert [at for at, _ in lines] == sorted(at for at, _ in lines)
    assert all(len(line) <= 120 for line in text.splitlines())


@pytest.mark.parametrize(
    ("width", "columns"),
    [(120, ["director1", "director2", "client"]), (90, []), (30, []), (None, None)],
)
def test_the_table_fits_and_says_everything(width: int | None, columns: list[str] | None) -> None:
    """Where there is no room for a column each, every line names its node; what is longer goes
    on in the next line.
    """
    text = table.render(EVENTS, NODES, width=width)
    heads = text.splitlines()[0].split("|")[1:]
    if columns is not None:
        assert [head.strip() for head in heads] == columns
    if width is not None:
        assert max(map(len, text.splitlines())) <= width
    said = " ".join(text.split())
    assert "timed out after 1000.0 ms" in said
    assert "advert 51, priority 100" in said


def test_machines_that_are_no_directors_share_a_column_before_all_do() -> None:
    served = [make("daemon", 12, "web1", name="httpd", action="started"), *EVENTS]
    events = sorted(served, key=lambda event: event.at)
    heads = {
        width: table.render(events, NODES, width=width).splitlines()[0] for width in (160, 110, 80)
    }
    assert [each.split("|")[-1].strip() for each in heads.values()] == [
        "client",
        "other nodes",
        "ms",
    ]
    assert "web1: httpd started" in table.render(events, NODES, width=110)


def requests(failed: range, until: int = 12) -> list[Event]:
    return [
        make(
            "request",
            n / 10,
            "client",
            status=0 if n in failed else 200,
            server=None if n in failed else f"w{n % 2}",
            error="refused" if n in failed else None,
            latency=n / 1000,
        )
        for n in range(until)
    ]


def test_repetition_is_one_line_that_says_how_often_and_how_long() -> None:
    garps = [
        make("arp", 2 + n / 1e6, "d", sent=True, gratuitous=True, sender=VIP) for n in range(5)
    ]
    lines = told(table.render([*requests(range(3, 8)), *garps], ["client", "d"]), heading=2)
    assert lines == [
        (0, "3 x GET: w0, w1 in up to 2.000 ms, over 200.0 ms"),
        (300, "5 x GET: refused after up to 7.000 ms, over 400.0 ms"),
        (800, "4 x GET: w0, w1 in up to 11.0 ms, over 300.0 ms"),
        (2000, f"5 x gratuitous ARP {VIP}"),
    ]


def test_what_happens_in_between_ends_a_repetition() -> None:
    fault = make("fault", 0.55, "d", name="Unplug", action="injected")
    events = sorted([*requests(range(0)), fault], key=lambda event: event.at)
    lines = told(table.render(events, ["client"]), heading=2)
    assert [text.partition(":")[0] for _, text in lines] == ["6 x GET", "= d", "6 x GET"]


def test_colours_are_for_faults_masters_and_what_came_too_late() -> None:
    painted = []

    def paint(text: str, style: str) -> str:
        painted.extend([(style, text.split(":")[-1].strip(" =-"))] if style else [])
        return text

    late = make(
        "judged",
        15.2,
        "director2",
        what="late",
        since=11,
        earliest=11,
        latest=12,
        measured=14,
        met=False,
    )
    never = make("missed", 15.3, "director2", what="never", since=11, latest=13)
    table.render([*EVENTS, late, never], NODES, paint=paint)
    assert painted == [
        ("fault", "PowerOff injected"),
        ("missed", "due from here"),
        ("missed", "due until here"),
        ("missed", "due until here"),
        ("master", "VI_1 MASTER"),
        ("fault", "PowerOff healed"),
        ("missed", "NOT IN 0.000 to 1000.0 ms"),
        ("missed", "NOT within 2000.0 ms"),
    ]


def test_of_the_logs_the_table_has_the_health_checks_alone() -> None:
    stamp = "Thu Jan  1 00:00:01 2026: "
    said = [
        "TCP_CHECK on service [10.0.0.1]:tcp:80 failed.",
        "VRRP_Script(x) succeeded",
        "Initializing ipvs",
    ]
    logs = [
        make("log", n, "d", daemon="keepalived", line=stamp + line) for n, line in enumerate(said)
    ]
    assert [text for _, text in told(table.render(logs, ["d"]), heading=2)] == said[:2]


def test_the_table_has_what_keepalived_tells_in_its_words() -> None:
    event = make("notification", 1.0, "d", channel="fifo", text='INSTANCE "VI_1" MASTER 100')
    assert 'tells by fifo: INSTANCE "VI_1" MASTER 100' in table.render([event], ["d"])


def test_faults_stay_in_the_table_however_much_follows() -> None:
    many = [
        make(
            "address", 20 + n, "d", action="added", address=f"10.0.0.{n}", prefix=32, interface="e"
        )
        for n in range(50)
    ]
    assert "PowerOff injected" in table.render([*EVENTS, *many], NODES)


def test_nothing_is_no_table() -> None:
    assert table.render([]) == "nothing happened"


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


def test_two_runs_are_compared_by_name(tmp_path: Path) -> None:
    first, second = make_run(tmp_path / "a"), make_run(tmp_path / "b")
    artifacts.update(second / "test_it" / artifacts.ABOUT, {"outcome": "passed"})
    text = page.write_comparison(first, second, tmp_path / "compare.html").read_text()
    assert 'data-outcomes="failed passed"' in text
    assert 'href="b/test_it/timeline.jsonl"' in text


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


def test_an_outage_is_a_bar_from_the_last_answer_to_the_next(tmp_path: Path) -> None:
    answered = make("request", 14.7, "client", status=200, server="web1", latency=0.001, error=None)
    drawing = drawn(make_run(tmp_path / "run", [*EVENTS[:-2], answered, *EVENTS[-2:]]))
    assert [bar for bar in bars(drawing, "client", "requests") if bar[2] == "outage"] == [
        (-400, 3700, "outage")
    ]
    assert [bar[2] for bar in bars(drawn(make_run(tmp_path / "never")), "client", "requests")] == [
        "outage"
    ]


def test_the_requests_of_a_load_are_plotted_and_a_few_are_not(tmp_path: Path) -> None:
    few, many = requests(range(2, 4), until=19), requests(range(2, 4), until=20)
    assert drawn(make_run(tmp_path / "few", few)).plots == []
    drawing = drawn(make_run(tmp_path / "many", many))
    (plot,) = drawing.plots
    assert [drawing.rows[row] for row in (plot.requests, plot.latency, plot.rate)] == [
        ("client", "requests"),
        ("client", "latency in ms"),
        ("client", "requests a second"),
    ]
    assert plot.took == [float(number) for number in range(20)]
    assert len([mark for mark in drawing.marks if mark[0] == plot.requests]) == 20


def test_the_first_view_is_of_the_fault_and_what_was_due(run: Path, tmp_path: Path) -> None:
    start, end = drawn(run).view
    assert start < 0 < 3700 < end < 5000
    nothing_due = drawn(make_run(tmp_path / "run2", EVENTS[:6]))
    assert nothing_due.view == nothing_due.span


@pytest.mark.parametrize(
    ("measured", "margin"),
    [(13.6, 0), (14.15, 50), (14.7, 0), (14.8, -9.09), (12.5, -100), (None, -100)],
)
def test_the_margin_is_how_near_it_was_to_an_edge_of_its_window(
    tmp_path: Path, measured: float | None, margin: float
) -> None:
    due = {"what": "x", "since": 11, "latest": 14.7}
    event = (
        make("missed", 15.1, "director2", **due)
        if measured is None
        else make(
            "judged", 15.1, "director2", earliest=13.6, measured=measured, met=margin >= 0, **due
        )
    )
    scenario = artifacts.read_scenario(make_run(tmp_path / "run", [event]) / "test_it")
    assert panel.margin(scenario) == pytest.approx(margin, abs=0.01)
    (bullet,) = panel.bullets(scenario)
    assert bullet.met == (margin >= 0)
    assert 0 <= bullet.opens <= bullet.closes <= 100
    assert (bullet.at is None) == (measured is None)


def test_the_reason_is_the_cause_or_the_window_or_what_was_raised(tmp_path: Path) -> None:
    late = make(
        "judged",
        15.1,
        "d",
        what="comes",
        since=11,
        earliest=12,
        latest=13,
        measured=14.6,
        met=False,
    )
    said = {
        "E   looks like: VRID mismatch (d): x; y\nE  assert 3 in Due(earliest=1,"
        " latest=2)": "looks like: VRID",
        "> assert\nE  AssertionError: assert 3.6 in Due(earliest=1,"
        " latest=2)": "d comes after 3600.0 ms: NOT IN",
        "> assert\nE  assert d comes after 3600.0 ms: NOT IN 1000.0 to 2000.0"
        " ms": "d comes after 3600.0 ms: NOT IN",
        "> assert\nE  AssertionError: assert 'a' == 'b'": "AssertionError: assert 'a' == 'b'",
        "d comes: due within 3 s, and it has not\n\n>"
        " line": "d comes: due within 3 s, and it has not",
        "": "",
    }
    for number, (message, reason) in enumerate(said.items()):
        folder = make_run(tmp_path / str(number), [late])
        artifacts.update(folder / "test_it" / artifacts.ABOUT, {"message": message})
        found = artifacts.read_scenario(folder / "test_it").reason
        assert found.startswith(reason)
        assert bool(found) == bool(reason)


@pytest.mark.parametrize(
    ("selection", "images", "told"),
    [
        ({}, {}, "2.2.7"),
        ({"image": ["trixie"]}, {"trixie": "2.3.3"}, "2.3.3 (trixie)"),
        (
            {"image": ["director2=trixie"]},
            {"trixie": "2.3.3"},
            "2.2.7 (this machine), 2.3.3 (trixie)",
        ),
    ],
)
def test_a_comparison_says_which_keepalived_ran(
    selection: dict[str, list[str]], images: dict[str, str], told: str, tmp_path: Path
) -> None:
    first, second = make_run(tmp_path / "a"), make_run(tmp_path / "b")
    artifacts.update(first / artifacts.RUN, {"versions": {"keepalived": "2.1.5"}})
    about = {"versions": {"keepalived": "2.2.7"}, "selection": selection, "images": images}
    artifacts.update(second / artifacts.RUN, about)
    text = page.write_comparison(first, second, tmp_path / "both.html").read_text()
    assert "A: a, keepalived 2.1.5<" in text
    assert f"B: b, keepalived {told}<" in text


def test_a_router_that_is_played_has_its_advertisements_and_no_requests(tmp_path: Path) -> None:
    nodes = [*NODES, {"name": "phantom", "role": "PhantomRouter", "addresses": {}}]
    said = make("advertisement", 12, "phantom", sent=True, vrid=51, priority=200)
    drawing = drawn(make_run(tmp_path / "run", [*EVENTS[:3], said], nodes=nodes))
    assert [label for node, label in drawing.rows if node == "phantom"] == ["advertisements"]


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


def test_what_shows_a_cause_is_below_it(run: Path) -> None:
    message = (
        "E   looks like: a (d): x; y\nE       at 3.609 s d: advert 51\nE   looks like: b"
        " (e): z\n\n    def test_it():"
    )
    artifacts.update(run / "test_it" / artifacts.ABOUT, {"message": message})
    drawn_panel = panel.panel(artifacts.read_scenario(run / "test_it"), run)
    assert drawn_panel["causes"] == [("a (d): x; y", ["at 3.609 s d: advert 51"]), ("b (e): z", [])]
    assert "<li>at 3.609 s d: advert 51</li>" in page.write(run).read_text()


def test_the_reason_of_a_bug_that_was_shown_is_the_bug(run: Path) -> None:
    message = "bug shown in 2.2.7: it is old (abc)\n\n> assert\nE  assert 1 == 2"
    artifacts.update(
        run / "test_it" / artifacts.ABOUT, {"message": message, "outcome": "bug-shown"}
    )
    assert artifacts.read_scenario(run / "test_it").reason == "bug shown in 2.2.7: it is old (abc)"


def test_a_comparison_shows_behaviours_that_differ_first_and_folds_the_others(
    tmp_path: Path,
) -> None:
    """Case by case would hide that it is one behaviour."""
    first, second = tmp_path / "a", tmp_path / "b"
    for folder, outcomes in ((first, "ppp"), (second, "pff")):
        make_run(folder)
        for number, outcome in enumerate(outcomes):
            scenario = folder / f"test_{number}"
            scenario.mkdir()
            name = "t.py::test_same" if number == 0 else f"t.py::test_it[{number}]"
            ended = {
                "test": name,
                "outcome": {"p": "passed", "f": "failed"}[outcome],
                "message": "E   why" * (outcome == "f"),
            }
            artifacts.write_json(scenario / artifacts.ABOUT, ended)
            (scenario / artifacts.TIMELINE).write_text("")
    text = page.write_comparison(first, second, tmp_path / "compare.html").read_text()
    assert "<h2>1 behaviour differs, the others are equal</h2>" in text
    assert "2 of 2" in text
    assert "2 scenarios ended alike in both runs" in text
    assert (
        text.index("t.py::test_it[1]")
        < text.index("ended alike")
        < text.index('data-name="t.py::test_same"')
    )


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
