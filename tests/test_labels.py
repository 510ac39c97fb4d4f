"""A label names one statement of a scenario, or of a function that it calls; what names none, or
two, is refused before anything runs.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from harness.errors import HarnessError
from harness.scenario.labels import named_by

HELPER = """
def wait(seconds):
    if seconds > 1:
        raise ValueError(  # label: waits
            "too long"
        )


def unrelated():
    assert False  # label: unrelated
"""
SCENARIO = '''
import contextlib
import helper


def twice(value):
    return value * 2  # label: doubled


def test_it(value):
    """A text with a  # label: in a text"""
    assert value > 0  # label: positive
    helper.wait(value)
    pair = (
        twice(value),
        1 / (value - 0.25),
    )  # an ordinary remark  # label: divided
    with contextlib.closing({}[value]):  # label: known
        assert value == 7  # an ordinary remark


def test_other(value):
    assert value  # label: positive


def test_ambiguous(value):
    assert value  # label: it
    assert value < 9  # label: it
'''


def _module(folder: Path, name: str, text: str) -> ModuleType:
    file = folder / f"{name}.py"
    file.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def scenarios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setitem(sys.modules, "helper", _module(tmp_path, "helper", HELPER))
    return _module(tmp_path, "scenario", SCENARIO)


def _label_of(scenario: Callable[[float], None], value: float, *labels: str) -> str | None:
    """The first of the labels whose statement failed."""
    statements = named_by(scenario, labels, "test_it")
    with pytest.raises((ArithmeticError, AssertionError, KeyError, ValueError)) as failure:
        scenario(value)
    failed = [statement.label for statement in statements if statement.failed_in(failure.tb)]
    return failed[0] if failed else None


@pytest.mark.parametrize(
    ("value", "failed"), [(-1, "positive"), (2, "waits"), (0.25, "divided"), (0.5, "known")]
)
def test_the_statement_that_failed_is_found_by_its_label(
    scenarios: ModuleType, value: float, failed: str
) -> None:
    assert _label_of(scenarios.test_it, value, "positive", "waits", "divided", "known") == failed
    assert _label_of(scenarios.test_it, value, "doubled") is None


def test_what_fails_in_the_body_did_not_fail_in_the_with(scenarios: ModuleType) -> None:
    (statement,) = named_by(scenarios.test_it, ["known"], "test_it")
    assert statement.first == statement.last


def test_each_scenario_has_labels_of_its_own(scenarios: ModuleType) -> None:
    (own,) = named_by(scenarios.test_it, ["positive"], "test_it")
    (other,) = named_by(scenarios.test_other, ["positive"], "test_other")
    assert own != other


@pytest.mark.parametrize(
    ("scenario", "label", "said"),
    [
        ("test_it", "positiv", "no statement has the label 'positiv'; did you mean 'positive'?"),
        ("test_it", "unrelated", "no statement has the label 'unrelated': put it behind the"),
        ("test_it", "in a text", "no statement has the label"),
        ("test_other", "known", "The scenario has 'positive'."),
        ("test_ambiguous", "it", "'it' stands behind more than one statement, scenario.py:27 and"),
    ],
)
def test_a_label_that_names_no_statement_or_two_is_refused(
    scenarios: ModuleType, scenario: str, label: str, said: str
) -> None:
    with pytest.raises(HarnessError) as problem:
        named_by(getattr(scenarios, scenario), [label], "test_it: control 'x'")
    assert str(problem.value).startswith("test_it: control 'x': ")
    assert said in str(problem.value)


def test_a_label_on_a_line_of_its_own_is_refused(tmp_path: Path) -> None:
    module = _module(tmp_path, "alone", "def test_it():\n    # label: lost\n    assert False\n")
    with pytest.raises(HarnessError, match=r"alone\.py:2: the label 'lost' stands behind no"):
        named_by(module.test_it, ["lost"], "test_it")
