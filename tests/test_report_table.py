"""The table of a run's events: its lines and columns, what repeats, and what is painted."""

from __future__ import annotations

import pytest

from harness.events import make
from harness.report import table
from tests.runs import EVENTS, NODES, VIP, requests


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
