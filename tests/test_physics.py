"""The physics: monotone, bounded and concave where the planner relies on it."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios import physics

Skill = st.floats(0, 100)
Logit = st.floats(-10, 10)
Hours = st.floats(0, 2000)
Rate = st.floats(0, 0.05)


def close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)


@given(st.floats(1e-12, 1 - 1e-12))
def test_expit_inverts_logit(p: float) -> None:
    assert physics.expit(physics.logit(p)) == pytest.approx(p, rel=1e-9)


@given(st.floats(-1e308, 1e308))
def test_a_chance_stays_a_chance_and_never_overflows(x: float) -> None:
    p = physics.conversion(0.3, x)
    assert 0 <= p <= 1
    assert close(p + physics.conversion(-0.3, -x), 1)


@pytest.mark.parametrize("sure", [0.0, 1.0])
def test_certainty_stays_certain(sure: float) -> None:
    assert physics.conversion(physics.logit(sure), 5.0) == sure
    assert physics.conversion(physics.logit(sure), -5.0) == sure


@given(Logit, Skill, Skill, Rate)
def test_more_skill_never_converts_less(base: float, one: float, two: float, rate: float) -> None:
    low, high = sorted((one, two))
    chances = [physics.conversion(base, physics.skill_shift(s, 60, rate)) for s in (low, 60, high)]
    assert chances[0] <= chances[2]
    assert close(chances[1], physics.expit(base))


def test_one_point_is_one_hundredth_of_a_logit() -> None:
    """The odds at ten points above the reference are exp(.1) times those at the reference."""
    odds = [p / (1 - p) for p in (physics.conversion(0.0, physics.skill_shift(s, 60, 0.010)) for s in (60, 70))]
    assert odds[1] / odds[0] == pytest.approx(math.exp(0.1), rel=1e-12)


@given(Skill, Skill, Rate)
def test_more_skill_never_takes_longer_and_bounds_hold(one: float, two: float, rate: float) -> None:
    low, high = sorted((one, two))
    slow, fast = (physics.effort_factor(s, 60, rate) for s in (low, high))
    assert 0.5 <= fast <= slow <= 2
    assert physics.effort_factor(60, 60, rate) == 1


@given(Skill, st.floats(0, 100))
def test_learning_is_bounded_and_one_at_the_reference(skill: float, reference: float) -> None:
    assert 0 <= physics.learning_factor(skill, reference) <= 1.5
    assert physics.learning_factor(60, 60) == 1


@given(st.floats(0, 500), st.floats(0.1, 500), st.floats(0.5, 50), st.floats(1, 300), st.floats(0, 1.5))
def test_training_is_concave_rising_and_bounded(
    start: float, step: float, most: float, scale: float, learning: float
) -> None:
    gains = [physics.training_gain(start + k * step, most, scale, learning) for k in range(4)]
    rises = [after - before for before, after in pairwise(gains)]
    assert all(rise >= 0 for rise in rises)
    assert all(later <= earlier + 1e-12 * most for earlier, later in pairwise(rises))
    assert 0 <= gains[-1] <= learning * most
    assert physics.training_gain(0, most, scale, learning) == 0


def test_twenty_four_hours_bring_three_points() -> None:
    assert physics.training_gain(24, 12, 83, 1.0) == pytest.approx(3.0, abs=0.02)


@given(Skill, Hours)
def test_no_skill_exceeds_one_hundred(start: float, hours: float) -> None:
    assert start <= physics.trained_skill(start, hours, 12, 83, 1.5) <= 100


@given(Hours, Hours, st.floats(0.1, 500), st.floats(0, 1), st.floats(1, 3))
def test_more_care_never_orders_less_and_as_owed_is_neutral(
    one: float, two: float, owed: float, elasticity: float, cap: float
) -> None:
    low, high = sorted((one, two))
    little, much = (physics.care_factor(h, owed, elasticity, cap) for h in (low, high))
    assert 0 < little <= much <= cap**elasticity * (1 + 1e-12)
    assert physics.care_factor(owed, owed, elasticity, cap) == 1
    assert physics.care_factor(one, 0, elasticity, cap) == 1


@given(Hours, Hours, st.floats(1, 1e9), st.floats(1e-6, 1))
def test_exponential_care_rises_towards_its_ceiling(one: float, two: float, ceiling: float, rate: float) -> None:
    low, high = sorted((one, two))
    assert 0 <= physics.exponential_care(low, ceiling, rate) <= physics.exponential_care(high, ceiling, rate) <= ceiling


@given(Hours, Hours, st.floats(0.2, 4), st.floats(0.05, 20), st.floats(1, 500))
def test_adbudg_runs_from_low_to_high(one: float, two: float, shape: float, half: float, now: float) -> None:
    less, more = sorted((one, two))
    values = [physics.adbudg_care(h, 10, 90, shape, half, now) for h in (0, less, more)]
    assert values[0] == 10
    assert values == sorted(values)
    assert values[2] <= 90
    assert physics.adbudg_care(now, 10, 90, shape, half, now) == pytest.approx(10 + 80 / (half + 1), rel=1e-12)


@given(Skill, Skill, st.floats(0, 0.05))
def test_a_better_owner_never_sells_less(one: float, two: float, rate: float) -> None:
    low, high = sorted((one, two))
    assert 0 <= physics.owner_factor(low, 60, rate) <= physics.owner_factor(high, 60, rate)
    assert physics.owner_factor(60, 60, rate) == 1


def test_a_handover_costs_one_year() -> None:
    assert physics.handover_factor(-1, 0.15) == 1
    assert physics.handover_factor(0, 0.15) == 0.85
    assert physics.handover_factor(364.9, 0.15) == 0.85
    assert physics.handover_factor(365, 0.15) == 1
