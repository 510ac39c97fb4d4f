"""The page in a real browser: 150 scenarios of it, filtered, opened, hovered and read, with
nothing on the console.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from harness.events import Event, make
from harness.report import artifacts, distributions, page
from harness.report.distributions import Distribution
from tests import browsers
from tests.browsers import Browser, Element, draw, hover, phone, scenario, wait
from tests.runs import EVENTS, RECEIVED, make_run

pytestmark = pytest.mark.slow

SCENARIOS = 150
LARGEST = 4_000_000
LOST = range(20, 80)
"""The numbers of the requests that are not answered."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if (why := browsers.lacking()) is not None:
        pytest.skip(why)
    with browsers.browser() as started:
        yield started


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose scenarios are as full of events as real ones are: a minute of load in each."""
    folder = make_run(tmp_path_factory.mktemp("browser") / "run", EVENTS)
    (folder / "test_it" / "director1").mkdir()
    (folder / "test_it" / "director1" / "keepalived.log").write_text("<b>what it said</b>")
    requests = [_request(number) for number in range(1000)]
    logs = [
        make("log", 11 + n / 50, "director1", daemon="keepalived", line=f"line {n} of it")
        for n in range(200)
    ]
    events = sorted([*EVENTS, *requests, *logs], key=lambda event: event.at)
    text = "".join(event.as_json() + "\n" for event in events)
    about = artifacts.read_about(folder / "test_it" / artifacts.ABOUT)
    for number in range(1, SCENARIOS):
        scenario = folder / f"test_{number}"
        scenario.mkdir()
        outcome = "failed" if number % 10 == 0 else "passed"
        marks = ["odd" if number % 2 else "even"]
        own = {
            "test": f"t.py::test_number[{number}]",
            "outcome": outcome,
            "seconds": number / 10,
            "marks": marks,
        }
        artifacts.update(scenario / artifacts.ABOUT, {**about, **own})
        (scenario / artifacts.TIMELINE).write_text(
            text.replace('"measured": 14.6', f'"measured": {_came(number)}')
        )
    page.write(folder)
    return folder


def _request(number: int) -> Event:
    """One of twenty a second, in turn answered by one of two servers, but for a while by none."""
    ended = {"status": 0, "latency": 1.0, "error": "timed out"}
    if number not in LOST:
        ended = {"status": 200, "latency": 0.0004 + number / 1e7, "server": f"web{number % 2 + 1}"}
    return make("request", 10.5 + number / 20, "client", port=30000 + number, **ended)


def _came(number: int) -> float:
    """When what was due from 13.6 to 14.7 has come: of one scenario at the very edge."""
    return 14.6999 if number == 7 else 14.1


@pytest.fixture
def opened(browser: Browser, run: Path) -> Browser:
    browser.get((run / artifacts.PAGE).as_uri())
    return browser


@pytest.fixture(autouse=True)
def _nothing_on_the_console(browser: Browser) -> Iterator[None]:
    browser.get_log("browser")
    yield
    assert browser.get_log("browser") == []


def shown(browser: Browser) -> list[Element]:
    return [
        each for each in browser.find_elements(By.CSS_SELECTOR, ".scenario") if each.is_displayed()
    ]


def test_it_is_small_and_shows_all(browser: Browser, run: Path) -> None:
    """How soon it is painted, ``make bench ARGS=whole`` says."""
    assert (run / artifacts.PAGE).stat().st_size < LARGEST
    browser.get((run / artifacts.PAGE).as_uri())
    assert len(shown(browser)) == SCENARIOS


def names(browser: Browser) -> list[str]:
    return [each.get_attribute("data-name") for each in shown(browser)]


def test_it_is_filtered_by_words_and_outcomes(opened: Browser) -> None:
    text, count = opened.find_element(By.ID, "text"), opened.find_element(By.ID, "shown")
    text.send_keys("NUMBER [12")
    assert set(names(opened)) == {
        f"t.py::test_number[{number}]" for number in (12, *range(120, 130))
    }
    assert count.text == "11 of 150 shown"
    opened.find_element(By.CSS_SELECTOR, "input[value=passed]").click()
    assert names(opened) == ["t.py::test_number[120]"]
    text.send_keys(Keys.CONTROL, "a", Keys.DELETE)
    assert len(shown(opened)) == 15


def test_what_failed_is_first_and_open_and_says_why(opened: Browser) -> None:
    first = shown(opened)[:15]
    assert {each.get_attribute("data-outcomes") for each in first} == {"failed"}
    assert [each.get_attribute("open") is not None for each in shown(opened)[:16]] == [
        True
    ] * 10 + [False] * 6
    row = scenario(opened, "script").find_element(By.CSS_SELECTOR, "summary")
    assert row.find_element(By.CSS_SELECTOR, ".why").text == "<i>no</i>"
    bullet = row.find_element(By.CSS_SELECTOR, ".bullet").get_attribute("aria-label")
    assert (
        bullet == "director2 takes 172.16.10.50: due after 2600.0 to 3700.0 ms, 3600.0 ms, on time"
    )


def choose(browser: Browser, name: str, value: str) -> None:
    browser.find_element(By.CSS_SELECTOR, f"#{name} option[value='{value}']").click()


def test_it_is_sorted_and_grouped(opened: Browser) -> None:
    choose(opened, "sort", "lasted")
    assert names(opened)[0] == "t.py::test_number[149]"
    choose(opened, "sort", "margin")
    assert names(opened)[0] == "t.py::test_number[7]"
    choose(opened, "group", "marker")
    headings = opened.find_elements(By.CSS_SELECTOR, ".group")
    assert [each.text for each in headings] == [
        "odd: 75",
        "no marker: 1, 1 not passed",
        "even: 74, 14 not passed",
    ]


def test_an_address_leads_to_a_scenario_and_an_instant(browser: Browser, run: Path) -> None:
    browser.get("about:blank")
    browser.get((run / artifacts.PAGE).as_uri() + "#scenario=t.py%3A%3Atest_number%5B77%5D&at=3600")
    wanted = scenario(browser, "number[77]")
    wait(browser, lambda _: wanted.find_elements(By.CSS_SELECTOR, ".instant"))
    assert wanted.get_attribute("open") is not None
    assert abs(wanted.rect["y"] - browser.execute_script("return scrollY")) < 200
    wait(browser, lambda _: wanted.find_elements(By.CSS_SELECTOR, ".rung"))


def test_an_event_is_told_when_hovered(opened: Browser) -> None:
    drawn = draw(opened, "script")
    assert "timed out after 1000.0 ms" in hover(opened, drawn, "failed request")


def test_the_first_view_shows_the_fault_and_the_window(opened: Browser) -> None:
    drawn = draw(opened, "script")
    texts = [each.text for each in drawn.find_elements(By.CSS_SELECTOR, ".chart .tick")]
    assert {"0", "2,500"} <= set(texts)
    assert "5,000" not in texts  # where the scenario ends
    assert drawn.find_element(By.CSS_SELECTOR, ".fault-name").text == "PowerOff on director1"


def ticks(drawn: Element) -> list[str]:
    return [each.text for each in drawn.find_elements(By.CSS_SELECTOR, ".chart .tick")]


def test_it_is_zoomed_by_buttons_and_keys(opened: Browser) -> None:
    drawn = draw(opened, "script")
    first = ticks(drawn)
    drawn.find_element(By.CSS_SELECTOR, "[aria-label='Show all of it']").click()
    whole = wait(opened, lambda _: ticks(drawn) != first and ticks(drawn))
    assert "5,000" in whole
    drawn.find_element(By.CSS_SELECTOR, "[aria-label='Zoom in']").send_keys(Keys.ENTER)
    wait(opened, lambda _: "5,000" not in ticks(drawn))
    drawn.find_element(By.CSS_SELECTOR, "[aria-label='Zoom to what was due']").send_keys(Keys.SPACE)
    wait(opened, lambda _: ticks(drawn) == first)
    drawn.find_element(By.CSS_SELECTOR, ".chart svg").send_keys(Keys.HOME)
    wait(opened, lambda _: ticks(drawn) == whole)


def test_rates_and_latencies_are_plotted_on_the_axis_of_the_timeline(opened: Browser) -> None:
    drawn = draw(opened, "number[77]")
    rows = [
        each.get_attribute("textContent")
        for each in drawn.find_elements(By.CSS_SELECTOR, ".row title")
    ]
    assert rows[-3:] == ["client requests", "client latency in ms", "client requests a second"]
    kinds = {"answered by web1", "answered by web2", "failed request"}
    for what in (".latency", ".rate"):
        found = drawn.find_elements(By.CSS_SELECTOR, what)
        assert {each.get_attribute("data-kind") for each in found} == kinds
    label = drawn.find_element(By.CSS_SELECTOR, ".chart [role=img]").get_attribute("aria-label")
    assert "client: 1002 requests, 941 answered in 0.400 ms to 1.000 ms, 61 failed." in label
    assert told_of_rate(opened, drawn, "failed request") == "20 requests a second\n5 failed request"

    first = len(drawn.find_elements(By.CSS_SELECTOR, ".rate"))
    drawn.find_element(By.CSS_SELECTOR, ".chart svg").send_keys(Keys.HOME)
    wait(opened, lambda _: len(drawn.find_elements(By.CSS_SELECTOR, ".rate")) != first)
    assert (
        told_of_rate(opened, drawn, "failed request") == "20 requests a second\n10 failed request"
    )


def told_of_rate(browser: Browser, drawn: Element, kind: str) -> str:
    """What is told of a bar of rates, but for its times."""
    bars = drawn.find_elements(By.CSS_SELECTOR, f'.rate[data-kind="{kind}"]')
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", bars[0])
    ActionChains(browser).move_to_element(bars[len(bars) // 2]).perform()
    tip = wait(browser, lambda _: drawn.find_elements(By.CSS_SELECTOR, ".tip:not([hidden])"))
    said: str = tip[0].text
    return said.partition(": ")[2]


def test_a_click_shows_the_packets_around_it_with_their_display_filter(opened: Browser) -> None:
    drawn = draw(opened, "script")
    hover(opened, drawn, "gratuitous ARP")
    ActionChains(opened).click().perform()
    rungs = wait(opened, lambda _: drawn.find_elements(By.CSS_SELECTOR, ".rung"))
    assert [each.get_attribute("class") for each in rungs] == ["rung vrrp", "rung arp"]
    faults = [each.text for each in drawn.find_elements(By.CSS_SELECTOR, ".struck-name")]
    assert faults == ["PowerOff on director1", "PowerOff on director1 ends"]
    aloud = drawn.find_elements(By.CSS_SELECTOR, ".rungs table.aloud tbody tr")
    cells = [
        each.get_attribute("textContent") for each in aloud[2].find_elements(By.TAG_NAME, "td")
    ]
    assert cells == ["3600.000", "director2", "director1, web1", "gratuitous ARP 172.16.10.50"]
    assert "at=3600.000" in opened.current_url
    wanted = drawn.find_element(By.CSS_SELECTOR, ".display-filter").get_attribute("value")
    assert wanted.startswith("frame.time_epoch >= 10.4")


def test_the_machines_of_the_ladder_stay_in_view_while_it_is_scrolled(opened: Browser) -> None:
    drawn = draw(opened, "script")
    hover(opened, drawn, "gratuitous ARP")
    ActionChains(opened).click().perform()
    frame = wait(opened, lambda _: drawn.find_elements(By.CSS_SELECTOR, ".rungs"))[0]
    machines = frame.find_element(By.CSS_SELECTOR, ".machines")
    assert machines.text.split() == ["director1", "director2", "web1"]

    scrolled = opened.execute_script(
        "arguments[0].style.maxHeight = '60px'; arguments[0].scrollTop = 50;"
        "return arguments[0].scrollTop",
        frame,
    )

    assert scrolled == 50
    assert 0 <= machines.rect["y"] - frame.rect["y"] < 2


def test_events_are_narrowed_down_and_a_broadcast_is_one_line(opened: Browser) -> None:
    drawn = draw(opened, "script")
    drawn.find_element(By.CSS_SELECTOR, ".events summary").send_keys(Keys.ENTER)
    rows = wait(opened, lambda _: drawn.find_elements(By.CSS_SELECTOR, ".events tbody tr"))
    summary = drawn.find_element(By.CSS_SELECTOR, ".events summary").text
    count = drawn.find_element(By.CSS_SELECTOR, ".events output").text
    assert summary.split()[0] == count.split()[0]
    assert [row.text.partition("arp ")[2] for row in rows if " arp " in row.text] == [
        "gratuitous ARP 172.16.10.50 → director1, web1"
    ]
    drawn.find_element(
        By.CSS_SELECTOR, "[aria-label='Events of which machine'] option[value=web1]"
    ).click()
    wait(opened, lambda _: len(drawn.find_elements(By.CSS_SELECTOR, ".events tbody tr")) == 1)
    drawn.find_element(By.CSS_SELECTOR, "[aria-label='Words of events']").send_keys(
        "nothing like it"
    )
    wait(opened, lambda _: not drawn.find_elements(By.CSS_SELECTOR, ".events tbody tr"))


def test_files_are_by_machine_and_looked_at_in_the_page(opened: Browser) -> None:
    drawn = draw(opened, "script")
    drawn.find_element(By.CSS_SELECTOR, ".files summary").send_keys(Keys.ENTER)
    look = wait(opened, lambda _: drawn.find_elements(By.CSS_SELECTOR, ".files .look"))
    rows = [each.text for each in drawn.find_elements(By.CSS_SELECTOR, ".files th")]
    assert rows == ["all machines", "director1"]
    look[0].click()
    assert drawn.find_element(By.CSS_SELECTOR, ".preview").text == "<b>what it said</b>"


def test_nothing_is_wider_than_a_phone(browser: Browser, run: Path) -> None:
    with phone(browser):
        browser.get((run / artifacts.PAGE).as_uri())
        drawn = draw(browser, "script")
        for each in drawn.find_elements(
            By.CSS_SELECTOR, ".ladder > summary, .events > summary, .files > summary"
        ):
            each.send_keys(Keys.ENTER)
        wait(browser, lambda _: drawn.find_elements(By.CSS_SELECTOR, ".rung"))
        assert browser.execute_script("return document.documentElement.scrollWidth") == 390


def test_it_is_used_by_keys_and_read_aloud(opened: Browser) -> None:
    wanted = scenario(opened, "script")
    wanted.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    wait(opened, lambda _: wanted.find_elements(By.CSS_SELECTOR, ".picture[data-drawn]"))
    label = wanted.find_element(By.CSS_SELECTOR, ".chart [role=img]").get_attribute("aria-label")
    assert "PowerOff on director1 from 0.000 ms to 4000.0 ms" in label
    assert "takes 172.16.10.50 after 3600.0 ms: in 2600.0 to 3700.0 ms" in label
    wanted.find_element(By.CSS_SELECTOR, ".events summary").send_keys(Keys.ENTER)
    rows = wait(opened, lambda _: wanted.find_elements(By.CSS_SELECTOR, ".events tbody tr"))
    assert len(rows) == len(EVENTS) - len(RECEIVED)
    assert opened.find_element(By.ID, "shown").get_attribute("aria-live") == "polite"
    for control in wanted.find_elements(By.CSS_SELECTOR, "button, input, select"):
        assert control.accessible_name


def test_markup_in_names_is_text(opened: Browser) -> None:
    drawn = draw(opened, "script")
    assert "<script>alert(1)</script>" in drawn.find_element(By.CSS_SELECTOR, ".name").text
    assert drawn.find_element(By.CSS_SELECTOR, ".message").text == "<i>no</i>"


def test_it_is_dark_and_light(opened: Browser) -> None:
    drawn = draw(opened, "script")

    def colours() -> tuple[str, str]:
        axis = drawn.find_element(By.CSS_SELECTOR, ".chart .tick").value_of_css_property("fill")
        return opened.find_element(By.TAG_NAME, "body").value_of_css_property(
            "background-color"
        ), axis

    before = colours()
    opened.find_element(By.ID, "theme").click()
    wait(opened, lambda _: all(now != then for now, then in zip(colours(), before, strict=True)))


def test_distributions_are_drawn_light_and_dark_and_on_a_phone(
    browser: Browser, tmp_path: Path
) -> None:
    rows = [
        Distribution("test_takeover[PowerOff]", "takes 172.16.10.50", [0.0, 0.5, 0.99], 0.99, True),
        Distribution("test_" + "long_" * 30, "adds web1", [0.4, 1.4], 0.0, False),
    ]
    target = distributions.write(tmp_path / "seeds.html", "20 seeds", "told", rows)
    browser.get(target.as_uri())
    spreads = browser.find_elements(By.CSS_SELECTOR, ".spread")
    bars = [each.find_elements(By.CSS_SELECTOR, "b") for each in spreads]
    window = spreads[0].find_element(By.CSS_SELECTOR, "i").rect
    first, last = bars[0][0].rect, bars[0][-1].rect
    assert first["x"] == pytest.approx(window["x"], abs=1.5)
    assert last["x"] + last["width"] == pytest.approx(window["x"] + window["width"], abs=1.5)
    (late,) = (each for each in bars[1] if "outside" in each.get_attribute("class"))
    assert late.rect["x"] > window["x"] + window["width"]
    room = spreads[1].rect
    assert late.rect["x"] + late.rect["width"] <= room["x"] + room["width"] + 1
    before = late.value_of_css_property("background-color")
    browser.find_element(By.ID, "theme").click()
    wait(browser, lambda _: late.value_of_css_property("background-color") != before)
    with phone(browser):
        browser.get(target.as_uri())
        assert browser.execute_script("return document.documentElement.scrollWidth") == 390


def test_two_runs_are_side_by_side(browser: Browser, tmp_path: Path) -> None:
    first, second = make_run(tmp_path / "a"), make_run(tmp_path / "b", EVENTS[:6])
    artifacts.update(second / "test_it" / artifacts.ABOUT, {"outcome": "passed"})
    browser.get(page.write_comparison(first, second, tmp_path / "compare.html").as_uri())
    wanted = draw(browser, "script")
    pictures = wait(
        browser, lambda _: _two(wanted.find_elements(By.CSS_SELECTOR, ".picture[data-drawn]"))
    )
    assert abs(pictures[0].location["y"] - pictures[1].location["y"]) < 200
    assert pictures[0].location["x"] + 300 < pictures[1].location["x"]


def _two(found: list[Element]) -> list[Element] | None:
    return found if len(found) == 2 else None
