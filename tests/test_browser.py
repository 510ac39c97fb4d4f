"""The page in a real browser: 150 scenarios of it, filtered, opened, hovered and read, with nothing on the console."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from harness.events import make
from harness.report import artifacts, page
from tests import browsers
from tests.browsers import Browser, Element, draw, scenario, wait
from tests.runs import EVENTS, make_run

pytestmark = pytest.mark.slow

SCENARIOS = 150
LARGEST = 15_000_000
OPENS_WITHIN = 2.0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if (why := browsers.lacking()) is not None:
        pytest.skip(why)
    with browsers.browser() as started:
        yield started


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose scenarios are as full of events as real ones are: a minute of load in each."""
    folder = make_run(tmp_path_factory.mktemp("browser") / "run")
    requests = [
        make("request", 10.5 + n / 20, "client", status=200, server=f"web{n % 2 + 1}", latency=0.0004 + n / 1e7,
             error=None, port=30000 + n)
        for n in range(1000)
    ]  # fmt: skip
    logs = [make("log", 11 + n / 50, "director1", daemon="keepalived", line=f"line {n} of it") for n in range(200)]
    events = sorted([*EVENTS, *requests, *logs], key=lambda event: event.at)
    text = "".join(event.as_json() + "\n" for event in events)
    about = artifacts.read_about(folder / "test_it" / artifacts.ABOUT)
    for number in range(1, SCENARIOS):
        scenario = folder / f"test_{number}"
        scenario.mkdir()
        outcome = "failed" if number % 10 == 0 else "passed"
        artifacts.update(
            scenario / artifacts.ABOUT, {**about, "test": f"t.py::test_number[{number}]", "outcome": outcome}
        )
        (scenario / artifacts.TIMELINE).write_text(text)
    page.write(folder)
    return folder


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
    return [each for each in browser.find_elements(By.CSS_SELECTOR, ".scenario") if each.is_displayed()]


def test_it_is_small_and_opens_at_once(browser: Browser, run: Path) -> None:
    assert (run / artifacts.PAGE).stat().st_size < LARGEST
    began = time.monotonic()
    browser.get((run / artifacts.PAGE).as_uri())
    assert time.monotonic() - began < OPENS_WITHIN
    assert len(shown(browser)) == SCENARIOS


def test_it_is_filtered_by_words_and_outcomes(opened: Browser) -> None:
    text, count = opened.find_element(By.ID, "text"), opened.find_element(By.ID, "shown")
    text.send_keys("NUMBER [12")
    assert {each.get_attribute("data-name") for each in shown(opened)} == {
        f"t.py::test_number[{number}]" for number in (12, *range(120, 130))
    }
    assert count.text == "11 of 150 shown"
    opened.find_element(By.CSS_SELECTOR, "input[value=passed]").click()
    assert [each.get_attribute("data-name") for each in shown(opened)] == ["t.py::test_number[120]"]
    text.send_keys(Keys.CONTROL, "a", Keys.DELETE)
    assert len(shown(opened)) == 15


def test_an_event_is_told_when_hovered(opened: Browser) -> None:
    drawn = draw(opened, "script")
    mark = drawn.find_elements(By.CSS_SELECTOR, ".scatterlayer .trace .points path")[-1]  # the request that failed
    opened.execute_script("arguments[0].scrollIntoView({block: 'center'})", mark)
    ActionChains(opened).move_to_element(mark).perform()
    wait(opened, lambda _: drawn.find_elements(By.CSS_SELECTOR, ".hoverlayer .hovertext"))
    assert "timed out after 1000.0" in drawn.find_element(By.CSS_SELECTOR, ".hoverlayer .hovertext").text


def test_a_faults_name_and_the_toolbar_are_apart(opened: Browser) -> None:
    """They are in one corner where the fault is at the end."""
    chart = draw(opened, "script").find_element(By.CSS_SELECTOR, "[role=img]")
    ActionChains(opened).move_to_element(chart).perform()
    boxes = [chart.find_element(By.CSS_SELECTOR, wanted).rect for wanted in (".modebar", ".annotation-text")]
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"]


def test_no_button_sends_what_is_seen_elsewhere(opened: Browser) -> None:
    """Plotly's toolbar has one by default."""
    buttons = draw(opened, "script").find_elements(By.CSS_SELECTOR, ".modebar-btn")
    titles = [button.get_attribute("data-title") for button in buttons]
    assert "Pan" in titles
    assert not [title for title in titles if "share" in title.lower() or "cloud" in title.lower()]


def test_it_is_zoomed_by_buttons(opened: Browser) -> None:
    drawn = draw(opened, "script")

    def span() -> float:
        wide: float = opened.execute_script(
            "const range = arguments[0].querySelector('[role=img]').layout.xaxis.range; return range[1] - range[0]",
            drawn,
        )
        return wide

    whole = span()
    drawn.find_element(By.CSS_SELECTOR, "[aria-label='Zoom in']").send_keys(Keys.ENTER)
    wait(opened, lambda _: span() == pytest.approx(whole / 2))
    drawn.find_element(By.CSS_SELECTOR, "[aria-label='Zoom to what was due']").send_keys(Keys.SPACE)
    wait(opened, lambda _: span() == pytest.approx(1100 * 1.3))
    drawn.find_element(By.CSS_SELECTOR, "[aria-label='Show all of it']").click()
    wait(opened, lambda _: span() == pytest.approx(whole))


def test_it_is_used_by_keys_and_read_aloud(opened: Browser) -> None:
    wanted = scenario(opened, "script")
    wanted.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    wait(opened, lambda _: wanted.find_elements(By.CSS_SELECTOR, ".picture[data-drawn]"))
    label = wanted.find_element(By.CSS_SELECTOR, "[role=img]").get_attribute("aria-label")
    assert "PowerOff on director1 from 0.000 ms to 4000.0 ms" in label
    assert "takes 172.16.10.50 after 3600.0 ms: in 2600.0 to 3700.0 ms" in label
    wanted.find_element(By.CSS_SELECTOR, ".events summary").send_keys(Keys.ENTER)
    rows = wait(opened, lambda _: wanted.find_elements(By.CSS_SELECTOR, ".events tbody tr"))
    assert len(rows) == len(EVENTS)
    assert opened.find_element(By.ID, "shown").get_attribute("aria-live") == "polite"
    for control in opened.find_elements(By.CSS_SELECTOR, "main button, main input"):
        assert control.accessible_name


def test_markup_in_names_is_text(opened: Browser) -> None:
    drawn = draw(opened, "script")
    assert "<script>alert(1)</script>" in drawn.find_element(By.CSS_SELECTOR, ".name").text
    assert drawn.find_element(By.CSS_SELECTOR, ".message").text == "<i>no</i>"


def test_it_is_dark_and_light(opened: Browser) -> None:
    draw(opened, "script")

    def colours() -> tuple[str, str]:
        axis = opened.find_element(By.CSS_SELECTOR, ".xtick text").value_of_css_property("fill")
        return opened.find_element(By.TAG_NAME, "body").value_of_css_property("background-color"), axis

    before = colours()
    opened.find_element(By.ID, "theme").click()
    wait(opened, lambda _: all(now != then for now, then in zip(colours(), before, strict=True)))


def test_two_runs_are_side_by_side(browser: Browser, tmp_path: Path) -> None:
    first, second = make_run(tmp_path / "a"), make_run(tmp_path / "b", EVENTS[:6])
    artifacts.update(second / "test_it" / artifacts.ABOUT, {"outcome": "passed"})
    browser.get(page.write_comparison(first, second, tmp_path / "compare.html").as_uri())
    wanted = scenario(browser, "script")
    wanted.find_element(By.TAG_NAME, "summary").click()
    pictures = wait(browser, lambda _: _two(wanted.find_elements(By.CSS_SELECTOR, ".picture[data-drawn]")))
    assert abs(pictures[0].location["y"] - pictures[1].location["y"]) < 200
    assert pictures[0].location["x"] + 300 < pictures[1].location["x"]


def _two(found: list[Element]) -> list[Element] | None:
    return found if len(found) == 2 else None
