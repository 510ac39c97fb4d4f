"""What a search leaves of a failure, and how small that is."""

from __future__ import annotations

import pytest

from harness.search import leaving
from harness.search.engine import Failure
from harness.search.invariants import INVARIANTS
from harness.search.judging import AS_BEFORE, AT_REST, Signature
from harness.search.observed import Violation
from harness.search.sequence import step
from harness.search.shrinking import smallest, taken
from harness.spec import Origin


def test_a_scenario_of_three_steps_has_fifteen_lines_and_is_python() -> None:
    steps = tuple(step(1, "Reload", f"director{number}") for number in (1, 2, 1))
    violation = Violation("as before", 3.0, 'director1 says "no" \\ twice')
    failure = Failure(Signature.of(violation), steps, violation, steps)

    text = leaving.scenario(
        failure, Origin(("from topologies.director_pair import DirectorPair",), "DirectorPair")
    )

    compile(text, "test_found.py", "exec")
    assert len(text.splitlines()) == 15
    assert 'step(1, "Reload", "director2"),' in text


def test_a_scenario_declares_a_script_that_its_directors_leave_out() -> None:
    violation = Violation("as before", 3.0, "so it is")
    failure = Failure(Signature.of(violation), (), violation, ())

    text = leaving.scenario(failure, Origin((), "Any"), "script not executable")

    compile(text, "test_found.py", "exec")
    assert text.startswith("import pytest\n\nfrom harness.cluster import Cluster\n")
    assert "\n@pytest.mark.diagnosis('script not executable')\n@fresh_topology(Any)\n" in text


@pytest.mark.parametrize("invariant", [*INVARIANTS, AT_REST, AS_BEFORE])
def test_a_scenario_is_python_whatever_its_invariant_is_called(invariant: str) -> None:
    violation = Violation(invariant, 3.0, "so it is")
    steps = (step(1, "Reload", "director1"),)
    failure = Failure(Signature.of(violation), steps, violation, steps)

    compile(leaving.scenario(failure, Origin((), "Any")), "test_found.py", "exec")


def test_a_text_for_a_tracker_says_what_was_done_and_seen_and_where() -> None:
    violation = Violation("as before", 3.0, "so it is")
    steps, before = (step(1, "Reload", "director1"),), (step(0.5, "Restart", "director1", 2),)
    failure = Failure(Signature.of(violation), steps, violation, steps, False, (), (before,))

    text = leaving.report(
        failure,
        {"keepalived": "2.3.3"},
        {"director1": "global_defs {\n}\n"},
        "10 | up",
        {"sid": "shown"},
    )

    told = [
        "so it is",
        "- keepalived: 2.3.3",
        "- on sid: shown",
        "At 0.5 s: Restart(director1), until 2.5 s.",
    ]
    told += ["when it was at rest again", "At 1 s: Reload(director1).", "10 | up", "global_defs {"]
    places = [text.index(each) for each in told]
    assert places == sorted(places)


def test_what_comes_only_after_others_names_few_of_them() -> None:
    reload, restart, cut = (
        (step(1, name, "director1"),) for name in ("Reload", "Restart", "CrashVrrp")
    )
    earlier = (reload, cut, restart, reload, restart)

    assert taken(earlier, lambda after: cut in after and restart in after) == (cut, restart)
    assert taken(earlier, lambda after: False) == taken((), lambda after: True) == ()

    violation = Violation("as before", 3.0, "so it is")
    failure = Failure(Signature.of(violation), reload, violation, reload, False, (), (cut, restart))
    text = leaving.scenario(failure, Origin((), "Any"))
    compile(text, "test_found.py", "exec")
    assert text.index('"CrashVrrp"') < text.index('"Restart"') < text.index('"Reload"')
    assert text.count("    broken(cluster, ") == 2


def test_what_fails_by_itself_has_no_step() -> None:
    steps = (step(1, "Reload", "director1"), step(0.5, "Restart", "director1"))

    assert smallest(steps, lambda candidate: True) == ()
    assert smallest(steps, lambda candidate: len(candidate) > 0) == (
        step(0, "Reload", "director1"),
    )
