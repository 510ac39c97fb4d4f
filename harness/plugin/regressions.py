"""Bugs of keepalived as scenarios: each asserts what should be, and says in which versions it is
not.

Where the bug is declared, the scenario must fail, and at the statement that is named; everywhere
else it must pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from harness.errors import HarnessError
from harness.plugin.judge import Bug
from harness.plugin.marks import as_labels
from harness.plugin.specs import versions_of

if TYPE_CHECKING:
    from harness.keepalived.version import Version


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.getgroup("lvs-harness").addoption(
        "--bugs-fail",
        action="store_true",
        help=(
            "let regression scenarios fail wherever their bug shows, be it declared there or"
            " not (as bisect wants it)"
        ),
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers",
        'regression(reference, what, present="<2.3.3", caught=LABEL): a bug of keepalived,'
        " the versions that have it, and the label of the statement at which the scenario fails"
        " there, and must (# label: ...)",
    )


def bug_of(item: pytest.Item) -> Bug | None:
    """The bug that a scenario is about. HarnessError if it is declared wrongly."""
    if (mark := item.get_closest_marker("regression")) is None:
        return None
    try:
        reference, what = mark.args
        present, caught = SpecifierSet(mark.kwargs["present"]), mark.kwargs["caught"]
        return Bug(reference, what, present, as_labels(caught))
    except (ValueError, KeyError, InvalidSpecifier) as problem:
        raise HarnessError(
            f"{item.nodeid}: {type(problem).__name__} {problem}: say"
            ' pytest.mark.regression("commit or issue", "what misbehaves",'
            ' present=">=2.1.5,<2.3.3", caught="a label")'
        ) from None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a bug's scenario where the cluster mixes versions: it says nothing about one of them."""
    if bug_of(item) is not None and len(versions := versions_of(item)) > 1:
        pytest.skip(
            f"a bug's case needs one version, not {', '.join(map(str, sorted(versions)))} in one"
            f" cluster"
        )


def expected(item: pytest.Item) -> Bug | None:
    """The bug that decides how a scenario is judged; None under --bugs-fail and --controls."""
    if item.config.getoption("bugs_fail") or item.config.getoption("controls"):
        return None
    return bug_of(item)


def version_of(item: pytest.Item) -> Version:
    """The one version that all directors of a regression scenario run."""
    (version,) = versions_of(item)
    return version
