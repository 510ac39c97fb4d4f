"""Hypothesis comes with the harness, and costs nobody anything who does not use it."""

from __future__ import annotations

import pytest

IMPORTED = """
    import sys

    def pytest_unconfigure():
        print("imported", "hypothesis" in sys.modules)
"""
USED = """
    from hypothesis import given, strategies

    @given(strategies.booleans())
    def test_it(drawn): pass
"""


def test_a_run_that_does_not_use_hypothesis_does_not_import_it(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(IMPORTED)
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest_subprocess()
    result.stdout.fnmatch_lines(["*1 passed*", "imported False"])


@pytest.mark.parametrize("workers", ["0", "1"])
def test_what_hypothesis_has_to_tell_is_told(pytester: pytest.Pytester, workers: str) -> None:
    pytester.makepyfile(USED)
    result = pytester.runpytest_subprocess("--hypothesis-show-statistics", "-n", workers)
    result.stdout.fnmatch_lines(["*Hypothesis Statistics*", "*2 passing, 0 failing*"])
