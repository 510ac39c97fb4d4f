"""Moments: seed 0 has one, every other seed spreads them, and nothing but seed, scenario and
count decides.
"""

from __future__ import annotations

from itertools import pairwise

import pytest

from harness.cluster.moments import FIXED, Moments, instant, pause_in_step, within


def drawn(seed: int, scenario: str, count: int = 1) -> list[float]:
    moments = Moments(seed)
    moments.begin(scenario)
    return [moments.draw() for _ in range(count)]


def test_seed_0_has_one_moment() -> None:
    assert drawn(0, "a", 3) == drawn(0, "b", 3) == [FIXED] * 3


def test_a_scenario_s_moments_depend_on_the_seed_and_not_on_what_ran_before() -> None:
    moments = Moments(7)
    moments.begin("something else")
    moments.draw()
    moments.begin("a")
    assert [moments.draw(), moments.draw()] == drawn(7, "a", 2)
    assert drawn(7, "a") != drawn(8, "a")
    assert drawn(7, "a") != drawn(7, "b")


def test_moments_fill_the_whole_period() -> None:
    found = sorted(moment for seed in range(1, 200) for moment in drawn(seed, "a"))
    assert found[0] < 0.05
    assert found[-1] > 0.95
    assert max(after - before for before, after in pairwise(found)) < 0.05


@pytest.mark.parametrize("number", range(4))
def test_few_seeds_in_a_row_fill_it_evenly(number: int) -> None:
    for scenario in "abc":
        found = sorted(drawn(seed, scenario, 4)[number] for seed in range(1, 21))
        gaps = [after - before for before, after in pairwise([*found, found[0] + 1])]
        assert max(gaps) < 0.15


def test_a_scenario_s_moments_do_not_move_in_step() -> None:
    both = [drawn(seed, "a", 2) for seed in range(1, 21)]
    apart = sorted((first - second) % 1 for first, second in both)
    assert max(after - before for before, after in pairwise(apart)) < 0.25


@pytest.mark.parametrize(
    ("anchor", "period", "moment", "earliest", "expected"),
    [
        (10.0, 1.0, 0.25, 10.0, 10.25),
        (10.0, 1.0, 0.25, 10.25, 10.25),
        (10.0, 1.0, 0.25, 10.26, 11.25),
        (10.0, 2.0, 0.5, 14.9, 15.0),
        (10.0, 1.0, 0.5, 3.0, 10.5),
    ],
)
def test_the_first_instant_of_a_moment(
    anchor: float, period: float, moment: float, earliest: float, expected: float
) -> None:
    assert instant(anchor, period, moment, earliest) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("pauses", "moment", "expected"),
    [
        ([(1.0, 2.0)], 0.25, 1.25),
        ([(1.0, 2.0), (4.0, 7.0)], 0.2, 1.8),
        ([(1.0, 2.0), (4.0, 7.0)], 0.5, 5.0),
        ([(1.0, 2.0), (4.0, 7.0)], 0.0, 1.0),
        ([(3.0, 2.9), (4.0, 7.0), (8.0, 7.0)], 0.5, 5.5),
    ],
)
def test_a_moment_lies_in_a_pause(
    pauses: list[tuple[float, float]], moment: float, expected: float
) -> None:
    assert within(pauses, moment) == pytest.approx(expected)


def test_where_every_pause_is_too_short_it_is_the_middle_of_the_longest() -> None:
    assert within([(3.0, 2.0), (5.0, 4.8)], 0.1) == pytest.approx(4.9)


@pytest.mark.parametrize("struck", [0.1, 0.5, 1.9])
@pytest.mark.parametrize("moment", [0.0, 0.4, 0.99])
def test_in_step_a_script_and_the_advertisement_after_it_are_waited_for_equally(
    struck: float, moment: float
) -> None:
    ran, interval, sent, advert_int = 3.2, 2.0, 10.7, 0.5
    pause = pause_in_step(ran, interval, sent, advert_int, struck, moment)
    look = struck + (ran + pause - struck) % interval
    assert 0 <= pause < interval
    assert (look - struck) / interval == pytest.approx((sent - look) % advert_int / advert_int)
