"""The page of a run in a real browser: how large it is, and how soon it is seen."""

from __future__ import annotations

from pathlib import Path

from benchmarks.table import Figure
from harness.errors import HarnessError
from harness.report.artifacts import PAGE
from tests import browsers

ROUNDS = 5
_PAINTED = """
const [painted] = performance.getEntriesByName("first-contentful-paint");
return painted ? painted.startTime : null;
"""
"""When the browser first drew something of the page, in milliseconds after it began to load it
(W3C Paint Timing).
"""


def figures(artifacts: Path) -> list[Figure]:
    """Size and first paint of the page that is in a folder of artifacts or below it.

    Each round has a browser of its own, so that none has anything in its cache. Raises
    HarnessError where there is no browser or no page.
    """
    if (why := browsers.lacking()) is not None:
        raise HarnessError(why)
    page = next(artifacts.rglob(PAGE), None)
    if page is None:
        raise HarnessError(f"no {PAGE} below {artifacts}")
    paints = []
    for _ in range(ROUNDS):
        with browsers.browser() as browser:
            browser.get(page.as_uri())
            paints.append(browsers.wait(browser, lambda shown: shown.execute_script(_PAINTED)))
    return [
        Figure.count("size of its page", round(page.stat().st_size / 1e6, 2), "MB", most=4),
        Figure("first paint of its page", tuple(paints), "ms", most=1000),
    ]
