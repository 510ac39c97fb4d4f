"""A control is declared in a line; --controls plants it, and only a failure for the stated
reason is its catching.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.errors import HarnessError
from harness.scenario.control import Control, explains

CONFTEST = """
    import pytest

    @pytest.fixture
    def cluster(_control):
        weight = _control.topology["weight"] if _control else 1
        assert weight < 100, "it does not settle"
        yield weight
"""
SCENARIOS = """
    import pytest

    @pytest.mark.control("weight 0", topology={"weight": 0}, caught="cluster > 0")
    @pytest.mark.control("weight 2", topology={"weight": 2}, caught="cluster > 0")
    @pytest.mark.parametrize("case", ["one"])
    def test_weight(cluster, case):
        assert cluster > 0
        assert cluster != 2, case

    @pytest.mark.control("weight 9", topology={"weight": 9}, caught="cluster")
    def test_blind(cluster):
        assert True

    @pytest.mark.control("weight 8", topology={"weight": 8}, caught="cluster")
    def test_elsewhere(cluster):
        pytest.skip("not here")

    @pytest.mark.control("weight 100", topology={"weight": 100}, caught="settle")
    def test_settled(cluster):
        assert cluster

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
            "test_weight[[]one[]]  weight 2    failed, but not for 'cluster > 0'",
            "test_weight[[]one[]]  weight 0    caught",
            "test_blind        weight 9    missed",
            "test_elsewhere    weight 8    skipped",
            "test_settled      weight 100  caught",
            "test_unproven     -           names no control",
            "6 controls of 5 scenarios: 3 missed",
        ]
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=3, failed=2, skipped=1, errors=1)


def test_all_caught_is_success(project: pytest.Pytester) -> None:
    result = project.runpytest("--controls", "-k", "weight and 0")
    result.stdout.fnmatch_lines(["2 controls of 2 scenarios: 0 missed"])
    assert result.ret == pytest.ExitCode.OK


@pytest.mark.parametrize(
    ("names", "how", "message"),
    [
        ((), {"caught": "x", "topology": {"a": 1}}, "give it one name, first"),
        (("a",), {"topology": {"a": 1}}, "caught= says for which reason"),
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


def test_the_reason_is_looked_for_in_statement_and_message() -> None:
    reason = r"took in|settles"
    assert explains(reason, "assert took in due", "assert 3 in Window(1, 2)")
    assert explains(reason, "", "the cluster settles: not until 5 s")
    assert not explains(reason, "assert other", "assert False")
