"""A control is declared in a line; --controls plants it, and only a failure of the statement that
it names is its catching.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import HarnessError
from harness.scenario.control import Control

CONFTEST = """
    import pytest

    @pytest.fixture
    def cluster(_control):
        weight = _control.topology["weight"] if _control else 1
        assert weight < 100, "it does not run"
        yield weight
"""
SCENARIOS = """
    import pytest

    @pytest.mark.control("weight 0", topology={"weight": 0}, caught=("even", "positive"))
    @pytest.mark.control("weight 2", topology={"weight": 2}, caught="positive")
    @pytest.mark.parametrize("case", ["one"])
    def test_weight(cluster, case):
        assert cluster > 0  # label: positive
        assert cluster != 2, case  # label: even

    @pytest.mark.control("weight 9", topology={"weight": 9}, caught="blind")
    def test_blind(cluster):
        assert True  # label: blind

    @pytest.mark.control("weight 8", topology={"weight": 8}, caught="skipped")
    def test_elsewhere(cluster):
        pytest.skip("not here")  # label: skipped

    @pytest.mark.control("weight 100", topology={"weight": 100}, caught="weight")
    def test_never_begun(cluster):
        assert cluster  # label: weight

    def test_unproven(cluster):
        assert cluster

    def test_without_a_cluster():
        assert True
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(SCENARIOS)
    return pytester


def test_without_the_option_scenarios_run_as_they_are(project: pytest.Pytester) -> None:
    project.runpytest().assert_outcomes(passed=5, skipped=1)


def test_verdicts(project: pytest.Pytester) -> None:
    result = project.runpytest("--controls")

    result.stdout.fnmatch_lines(
        [
            "test_weight[[]one[]]  weight 2    failed, but not at 'positive'",
            "test_weight[[]one[]]  weight 0    caught at 'positive'",
            "test_blind        weight 9    missed",
            "test_elsewhere    weight 8    skipped",
            "test_never_begun  weight 100  failed, but not at 'weight'",
            "test_unproven     -           names no control",
            "6 controls of 5 scenarios: 4 missed, 1 skipped",
        ]
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=2, failed=2, skipped=1, errors=2)


def test_all_caught_is_success(project: pytest.Pytester) -> None:
    result = project.runpytest("--controls", "-k", "test_weight and 0")
    result.stdout.fnmatch_lines(["1 control of 1 scenario: 0 missed"])
    assert result.ret == pytest.ExitCode.OK


@pytest.mark.parametrize(
    ("names", "how", "message"),
    [
        ((), {"caught": "x", "topology": {"a": 1}}, "give it one name, first"),
        (("a",), {"topology": {"a": 1}}, "caught= says by its label which statement must fail"),
        (("a",), {"caught": "x"}, "say what is planted"),
        (("a",), {"caught": "x", "faults": 1}, "it has no faults; it takes name, caught, topology"),
        (("a",), {"caught": "x", "fault": print}, "fault= and node= go together"),
        (
            ("a",),
            {"caught": "x", "topology": {"a": 1}, "node": "web1"},
            "fault= and node= go together",
        ),
    ],
)
def test_a_control_that_is_not_declared_well_is_refused(
    names: tuple[str, ...], how: dict[str, Any], message: str
) -> None:
    with pytest.raises(HarnessError, match=f"test_it: control .*{message}"):
        Control.of("test_it", *names, **how)


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        (
            'control("weight 0", topology={"weight": 0}, caught="positve")',
            "*test_it: control 'weight 0': no statement has the label 'positve'; did you mean"
            " 'positive'?*",
        ),
        (
            'regression("#1", "it is old", present="<2", caught="odd")',
            "*test_it: regression '#1': no statement has the label 'odd'*",
        ),
        (
            'control("weight 0", topology={"weight": 0}, caught="twice")',
            "*test_it: control 'weight 0': the label 'twice' stands behind more than one statement,"
            " test_it.py:5 and test_it.py:6*",
        ),
    ],
)
@pytest.mark.parametrize("options", [(), ("--controls",), ("--collect-only",)])
def test_a_label_that_no_statement_bears_is_an_error_before_anything_runs(
    pytester: pytest.Pytester, mark: str, said: str, options: tuple[str, ...]
) -> None:
    pytester.makepyfile(
        test_it=f"""\
        import pytest
        @pytest.mark.{mark}
        def test_it():
            assert True  # label: positive
            assert True  # label: twice
            assert True  # label: twice
        """
    )

    result = pytester.runpytest(*options)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])
