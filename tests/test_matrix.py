"""The matrix: its axes, its grid, and regressions, which must fail exactly where their bug is
declared.
"""

from __future__ import annotations

import pytest

from harness.plugin.matrix import _spelled_out, without_kernels
from harness.report.grid import Grid

CONFTEST = """
    import pytest
    from harness.plugin import matrix, needs, regressions
    from harness.keepalived.version import parse

    VERSIONS = {"old": "2.1.5", "new": "2.3.4"}

    def versions_of(item):
        return {parse(VERSIONS[name]) for name in item.callspec.params["_column"].split("+")}

    regressions.versions_of = needs.versions_of = versions_of
    matrix._version = VERSIONS.get

    @pytest.fixture
    def cluster(_column):
        return _column
"""
SCENARIOS = """
    import pytest

    @pytest.mark.regression("abc", "it is old", present="<2.3", caught="not old")
    @pytest.mark.parametrize("case", ["one-two", "three"])
    def test_declared_well(cluster, case):
        assert cluster != 'old', case  # label: not old

    @pytest.mark.regression("abc", "it is old", present="", caught="not old")
    def test_declared_too_widely(cluster):
        assert cluster != 'old'  # label: not old

    @pytest.mark.regression("abc", "it is old", present="<2", caught="not old")
    def test_declared_too_narrowly(cluster):
        assert cluster != 'old'  # label: not old

    @pytest.mark.regression("abc", "it is old", present="<2.3", caught="another")
    def test_other_reason(cluster):
        assert cluster != 'old'
        assert cluster  # label: another

    @pytest.mark.needs("novelty", keepalived="2.3")
    def test_needs(cluster):
        pass

    @pytest.mark.known_defect("abc", "it is old", present="<2.3")
    def test_defect(cluster):
        pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setattr("harness.plugin.where._make_images", lambda config: None)
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_it=SCENARIOS)
    return pytester


def test_a_regression_fails_where_it_should_not_show_and_where_it_should_and_does_not(
    project: pytest.Pytester,
) -> None:
    result = project.runpytest("--matrix", "keepalived=old,new,old+new", "--grid", "grid.json")
    cells = Grid.load((project.path / "grid.json").read_text()).cells
    shown, failed, skipped = "bug, as declared", "FAILED", "skipped"
    assert cells == {
        "test_it.py::test_declared_well[one-two]": {
            "old": shown,
            "new": "passed",
            "old+new": skipped,
        },
        "test_it.py::test_declared_well[three]": {
            "old": shown,
            "new": "passed",
            "old+new": skipped,
        },
        "test_it.py::test_declared_too_widely": {"old": shown, "new": failed, "old+new": skipped},
        "test_it.py::test_declared_too_narrowly": {
            "old": failed,
            "new": "passed",
            "old+new": skipped,
        },
        "test_it.py::test_other_reason": {"old": failed, "new": "passed", "old+new": skipped},
        "test_it.py::test_needs": {"old": skipped, "new": "passed", "old+new": skipped},
        "test_it.py::test_defect": {"old": "passed", "new": skipped, "old+new": skipped},
    }
    text = result.stdout.str()
    assert "is declared for all versions, and is missing in 2.3.4" in text
    assert "is declared for <2, and seems to be in 2.1.5 too" in text
    assert "but what failed is not 'another'" in text
    assert "7 of 7 behaviours differ" in text


def test_a_bug_that_shows_is_an_outcome_of_its_own(project: pytest.Pytester) -> None:
    result = project.runpytest(
        "--matrix", "keepalived=old", "-v", "-k", "well", "--junit-xml", "junit.xml"
    )
    result.assert_outcomes()
    result.stdout.fnmatch_lines(["*test_declared_well*BUG SHOWN*", "*, 2 bug shown*"])
    assert result.ret == pytest.ExitCode.OK
    assert (
        'message="bug shown in 2.1.5: it is old (abc)"' in (project.path / "junit.xml").read_text()
    )


def test_for_bisect_a_bug_fails_wherever_it_shows(project: pytest.Pytester) -> None:
    result = project.runpytest("--matrix", "keepalived=old", "--bugs-fail", "-k", "well")
    result.assert_outcomes(failed=2)


def test_each_kernels_run_has_the_other_arguments() -> None:
    given = [
        "--matrix",
        "kernel=a,b",
        "x.py",
        "--matrix=kernel=c",
        "--matrix",
        "keepalived=d",
        "-q",
    ]
    assert without_kernels(given) == ["x.py", "--matrix", "keepalived=d", "-q"]


def test_mixed_means_every_ordered_pair() -> None:
    assert _spelled_out(["a", "b", "mixed"]) == ["a", "b", "a+b", "b+a"]
    assert _spelled_out(["a", "a+c"]) == ["a", "a+c"]


def test_the_differences_come_first() -> None:
    grid = Grid()
    for behaviour, outcomes in {
        "same": ("passed", "passed"),
        "other": ("passed", "FAILED"),
    }.items():
        for column, outcome in zip(("old", "new"), outcomes, strict=True):
            grid.put(behaviour, column, outcome)
    assert grid.render({"old": "2.1.5", "new": "2.3.4"}) == [
        "       old     new",
        "       2.1.5   2.3.4",
        "other  passed  FAILED",
        "",
        "same   passed  passed",
        "1 of 2 behaviours differ",
    ]


def test_grids_of_several_kernels_are_put_side_by_side() -> None:
    whole = Grid()
    for kernel in ("uml", "built"):
        one = Grid()
        one.put("it", "", "passed")
        whole.merge(one, kernel)
    assert whole.columns == ["uml", "built"]


@pytest.mark.parametrize("option", ["keepalived", "keepalived=", "keepalived=a,,b", "libc=6"])
def test_a_matrix_that_is_not_understood_is_refused(project: pytest.Pytester, option: str) -> None:
    result = project.runpytest("--matrix", option)
    assert (
        f"--matrix {option}: say keepalived=bullseye,trixie"
        in result.stderr.str() + result.stdout.str()
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
