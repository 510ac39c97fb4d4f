"""The picture of a run: its rows and bars, its marks and faults, its plots and its first view."""

from __future__ import annotations

from pathlib import Path

from harness.events import make
from harness.report import artifacts, picture
from tests.runs import EVENTS, NODES, VIP, make_run, requests, run

__all__ = ["run"]


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


def test_a_router_that_is_played_has_its_advertisements_and_no_requests(tmp_path: Path) -> None:
    nodes = [*NODES, {"name": "phantom", "role": "PhantomRouter", "addresses": {}}]
    said = make("advertisement", 12, "phantom", sent=True, vrid=51, priority=200)
    drawing = drawn(make_run(tmp_path / "run", [*EVENTS[:3], said], nodes=nodes))
    assert [label for node, label in drawing.rows if node == "phantom"] == ["advertisements"]
