"""The page while its cluster lives: who may see it and ask something of it, what it tells, and
that nothing is left.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.by import By

from harness.console import naming
from harness.errors import HarnessError
from harness.live import Served, words
from harness.report import artifacts
from tests import browsers
from tests.browsers import Browser, wait
from tests.runs import make_run

POWER_OFF = {"word": "fault", "fault": "PowerOff", "node": "director1"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = make_run(tmp_path / "run")
    (folder / "test_it" / "director1").mkdir()
    (folder / "test_it" / "director1" / "keepalived.log").write_text("what it said")
    (folder / "test_it" / "link.log").symlink_to("/etc/passwd")
    return folder


@pytest.fixture
def served(run: Path) -> Iterator[Served]:
    page = Served(run, prompt=True)
    try:
        yield page
    finally:
        page.close()


def ask(
    served: Served, path: str, method: str = "GET", body: Any = None, **headers: str
) -> tuple[int, str, dict[str, str]]:
    """The answer to a request below the page's address; ``headers`` as names of Python's have
    them.
    """
    address = urlsplit(served.url)
    connection = http.client.HTTPConnection(address.netloc, timeout=20)
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    content = None if body is None else json.dumps(body)
    connection.request(
        method, path if path.startswith("/") else address.path + path, content, given
    )
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, dict(answer.getheaders())


def own(served: Served) -> dict[str, str]:
    """The headers of a request that the page itself makes."""
    return {"Origin": f"http://{urlsplit(served.url).netloc}", "Content_Type": "application/json"}


def test_it_is_on_loopback_only(served: Served) -> None:
    port = urlsplit(served.url).port
    listening = [
        line.split()[1]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if " 0A " in line
    ]
    assert [address for address in listening if address.endswith(f":{port:04X}")] == [
        f"0100007F:{port:04X}"
    ]


def test_the_page_is_there_for_who_knows_the_token(served: Served) -> None:
    status, text, headers = ask(served, "")
    assert status == 200
    assert 'id="live"' in text
    assert "<option>PowerOff" in text
    assert "script-src 'nonce-" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_what_is_not_posted_changes_nothing(served: Served, method: str) -> None:
    for path in ("", "do", "run.json"):
        ask(served, f"{path}?word=fault&fault=PowerOff&node=director1", method, **own(served))
    assert typed(served) == ""


@pytest.mark.parametrize(
    "name", ["attacker.example", "127.0.0.1.attacker.example", "[::1]", "0.0.0.0", ""]
)
def test_a_name_that_leads_here_is_no_way_in(served: Served, name: str) -> None:
    """A page elsewhere may have its own name resolved to 127.0.0.1, once it is open."""
    port = urlsplit(served.url).port
    asked = {**own(served), "Host": f"{name}:{port}", "Origin": f"http://{name}:{port}"}
    assert ask(served, "do", "POST", POWER_OFF, **asked)[0] in (400, 403)
    assert ask(served, "", Host=f"{name}:{port}")[0] == 400
    assert typed(served) == ""


@pytest.mark.parametrize(
    "path", ["/", "/wrong/", "/wrong/events?since=0", "/wrong/test_it/scenario.json"]
)
def test_without_the_token_there_is_nothing(served: Served, path: str) -> None:
    assert ask(served, path)[:2] in ((404, "there is nothing"), (404, "Not Found"))


def test_another_host_s_name_is_refused(served: Served) -> None:
    assert ask(served, "", Host="attacker.example")[0] == 400


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"Origin": "http://attacker.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content_Type": "text/plain"}, 403),
    ],
)
def test_only_the_page_may_ask_for_something(
    served: Served, change: dict[str, str], status: int
) -> None:
    assert ask(served, "do", "POST", POWER_OFF, **{**own(served), **change})[0] == status
    assert ask(served, "do", "POST", POWER_OFF, Content_Type="application/json")[0] == 403
    assert ask(served, "do")[0] == 404
    assert typed(served) == ""


def typed(served: Served) -> str:
    os.set_blocking(served.commands, False)
    try:
        return os.read(served.commands, 4096).decode()
    except BlockingIOError:
        return ""


def test_a_button_has_a_line_typed(served: Served) -> None:
    assert ask(served, "do", "POST", POWER_OFF, **own(served))[:2] == (
        200,
        "typed: poweroff director1",
    )
    assert typed(served) == "poweroff director1\n"


@pytest.mark.parametrize(
    "asked",
    [
        None,
        [],
        {},
        {"word": "fault"},
        {**POWER_OFF, "fault": "Reconfigure"},
        {**POWER_OFF, "node": "director1; reboot"},
        {**POWER_OFF, "node": "director1\nexit"},
        {**POWER_OFF, "node": "-x"},
        {**POWER_OFF, "word": "exit"},
        {**POWER_OFF, "node": ["director1"]},
    ],
)
def test_nothing_else_is_typed(asked: Any) -> None:
    assert words.line(asked) is None


def test_a_request_that_is_too_long_is_refused(served: Served) -> None:
    assert ask(served, "do", "POST", {**POWER_OFF, "more": "x" * 2000}, **own(served))[0] == 413


def test_the_prompt_knows_all_that_buttons_say() -> None:
    assert {name.lower() for name in words.FAULTS} <= naming.FAULTS.keys()
    assert words.line({**POWER_OFF, "word": "heal"}) == "heal director1 poweroff"
    assert words.line({"word": "pass"}) == "pass 1"


def test_a_file_is_text_and_no_link_is_followed(served: Served) -> None:
    status, text, headers = ask(served, "test_it/director1/keepalived.log")
    assert (status, text) == (200, "what it said")
    assert headers["content-type"].startswith("text/plain")
    assert headers["content-security-policy"].startswith("sandbox")
    for path in (
        "test_it/link.log",
        "test_it/../../x",
        "../passwd",
        "%2e%2e/%2e%2e/etc/passwd",
        "nothing",
    ):
        assert ask(served, path)[0] == 404


def test_what_a_browser_would_run_is_for_saving(served: Served, run: Path) -> None:
    (run / "test_it" / "page.html").write_text("<script>alert(1)</script>")
    _, _, headers = ask(served, "test_it/page.html")
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"] == "attachment"


def finish(run: Path, name: str, outcome: str | None) -> None:
    """Write a scenario as a run does."""
    about = artifacts.read_about(run / "test_it" / artifacts.ABOUT)
    (run / name).mkdir(exist_ok=True)
    (run / name / artifacts.TIMELINE).write_bytes(
        (run / "test_it" / artifacts.TIMELINE).read_bytes()
    )
    artifacts.update(
        run / name / artifacts.ABOUT, {**about, "test": f"t.py::{name}", "outcome": outcome}
    )


def test_changes_are_told_as_they_come(served: Served, run: Path) -> None:
    address = urlsplit(served.url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=20) as line:
        line.sendall(
            f"GET {address.path}events?since=0 HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode()
        )
        lines = line.makefile("rb")
        assert b"200" in lines.readline()
        while lines.readline().strip() != b": it begins":
            pass
        finish(run, "test_new", "passed")
        while not (said := lines.readline()).startswith(b"data: "):
            pass
    told = json.loads(said.removeprefix(b"data: "))
    assert told["name"] == "t.py::test_new"
    assert 'data-outcomes="passed"' in told["markup"]
    assert "1 passed" in told["summaries"]


def test_nothing_is_left_of_it(run: Path) -> None:
    served = Served(run)
    served.close()
    address = urlsplit(served.url)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname or "", address.port or 0))
    served.close()


def test_what_cannot_be_served_is_told(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [path for path in sys.path if "site-packages" not in path])
    monkeypatch.setattr("sys.executable", "/usr/bin/false")
    with pytest.raises(HarnessError, match="cannot serve the page \\(--web\\)"):
        Served(run)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if (why := browsers.lacking()) is not None:
        pytest.skip(why)
    with browsers.browser() as started:
        yield started


@pytest.mark.slow
def test_it_keeps_up_in_a_browser(browser: Browser, served: Served, run: Path) -> None:
    """Entries come and change without a reload, in each tab, what is open stays open, and a button
    reaches the prompt.
    """
    browser.get_log("browser")
    browser.get(served.url)
    browser.execute_script("window.loaded = 'once'")
    finish(run, "test_new", None)
    fresh = wait(
        browser, lambda _: browser.find_elements(By.CSS_SELECTOR, "[data-name='t.py::test_new']")
    )
    assert fresh[0].find_element(By.CSS_SELECTOR, ".badge").text == "running"
    wait(browser, lambda _: fresh[0].find_elements(By.CSS_SELECTOR, ".picture[data-drawn] .marks"))
    browser.execute_script("arguments[0].querySelector('.events').open = true", fresh[0])

    finish(run, "test_new", "passed")
    wait(
        browser,
        lambda _: browser.find_elements(
            By.CSS_SELECTOR,
            "[data-name='t.py::test_new'][data-outcomes=passed] .events[open] tbody tr",
        ),
    )
    assert len(browser.find_elements(By.CSS_SELECTOR, "[data-name='t.py::test_new']")) == 1

    browser.find_element(By.CSS_SELECTOR, "#do button[value=fault]").click()
    done = wait(browser, lambda _: browser.find_element(By.ID, "done").text)
    assert done == "typed: poweroff director1"
    assert typed(served) == "poweroff director1\n"
    assert browser.execute_script("return window.loaded") == "once"

    first = browser.current_window_handle
    browser.switch_to.new_window("tab")
    browser.get(served.url)
    finish(run, "test_for_both", "passed")
    wait(
        browser,
        lambda _: browser.find_elements(By.CSS_SELECTOR, "[data-name='t.py::test_for_both']"),
    )
    browser.close()
    browser.switch_to.window(first)
    wait(
        browser,
        lambda _: browser.find_elements(By.CSS_SELECTOR, "[data-name='t.py::test_for_both']"),
    )
    finish(run, "test_for_one", "passed")
    wait(
        browser,
        lambda _: browser.find_elements(By.CSS_SELECTOR, "[data-name='t.py::test_for_one']"),
    )

    served.close()
    wait(browser, lambda _: "It has ended" in browser.find_element(By.ID, "pulse").text)
    errors = [each for each in browser.get_log("browser") if "events?since" not in each["message"]]
    assert errors == []
