"""A real browser, without a screen, and a report in it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
)
WAITING = 30.0

Browser = Any
Element = Any


def lacking() -> str | None:
    """What there is to install before there is a browser; None if there is one."""
    there = all(shutil.which(program) for program in ("chromium", "chromedriver"))
    return None if there else "no browser: apt-get install chromium chromium-driver"


@contextmanager
def browser(width: int = 1400, height: int = 1100) -> Iterator[Browser]:
    """Chromium, which keeps what its console says."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for option in (*OPTIONS, f"--window-size={width},{height}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(shutil.which("chromedriver"))
    )
    try:
        yield started
    finally:
        started.quit()


def wait(browser: Browser, found: Callable[[Browser], Any]) -> Any:
    """Wait until there is something, and return it."""
    return WebDriverWait(browser, WAITING, poll_frequency=0.02).until(found)


def scenario(browser: Browser, name: str) -> Element:
    """The one scenario with this in its name."""
    (found,) = (
        each
        for each in browser.find_elements(By.CSS_SELECTOR, ".scenario")
        if name.lower() in each.get_attribute("data-name").lower()
    )
    return found


def draw(browser: Browser, name: str) -> Element:
    """Open a scenario and wait for its picture."""
    wanted = scenario(browser, name)
    if wanted.get_attribute("open") is None:
        wanted.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    browser.execute_script("arguments[0].scrollIntoView()", wanted)
    wait(browser, lambda _: wanted.find_elements(By.CSS_SELECTOR, ".picture[data-drawn] .marks"))
    return wanted


@contextmanager
def phone(browser: Browser, width: int = 390, height: int = 844) -> Iterator[Browser]:
    """The same browser as wide as a phone, for as long as the block lasts."""
    size = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        yield browser
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def hover(browser: Browser, chart: Element, kind: str, last: bool = True) -> str:
    """Point at the last, or the middle, mark of a kind, and return what is told of it."""
    path = chart.find_element(By.CSS_SELECTOR, f'.marks[data-kind="{kind}"]')
    places = re.findall(r"M([\d.-]+) ([\d.-]+)", path.get_attribute("d"))
    x, y = places[-1 if last else len(places) // 2]
    picture = chart.find_element(By.CSS_SELECTOR, ".chart svg")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", picture)
    size = picture.size
    move = ActionChains(browser)
    move.move_to_element_with_offset(
        picture, float(x) - size["width"] / 2 + 2, float(y) - size["height"] / 2 + 3
    )
    move.perform()
    tip = wait(browser, lambda _: chart.find_elements(By.CSS_SELECTOR, ".tip:not([hidden])"))
    told: str = tip[0].text
    return told
