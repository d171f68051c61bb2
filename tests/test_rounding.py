"""Quotas in whole steps: totals tie, bounds hold where a step lies in them, and nobody moves by more than a step."""

from __future__ import annotations

import numpy as np
import pytest

from optimize.allocate import allocate
from optimize.formulate import formulate
from optimize.problem import AllocationProblem, Locks
from optimize.rounding import rounded_quotas, within_bounds
from optimize.waterfall import waterfall
from target_worlds import responses_of, world


def rounded(quotas, low, high, step, locked=()):
    """One group of all in whole steps, some of them locked."""
    return whole_group(quotas, low, high, step, locked)[1]


def whole_group(quotas, low, high, step, locked=()):
    """The group and its quotas in whole steps."""
    problem = AllocationProblem.__new__(AllocationProblem)
    values = {
        "reps": tuple(str(r) for r in range(len(quotas))),
        "teams": ("T",) * len(quotas),
        "total": float(np.sum(quotas)),
        "team_totals": {},
        "rounding_step": step,
        "locks": Locks(quota={r: float(quotas[r]) for r in locked}),
    }
    for name, value in values.items():
        object.__setattr__(problem, name, value)
    return problem, rounded_quotas(problem, quotas, low, high)


@pytest.mark.parametrize("seed", range(300))
def test_nobody_moves_by_more_than_a_step_whatever_odd_rest_a_total_or_lock_leaves(seed):
    rng = np.random.default_rng(seed)
    count, step, locks = int(rng.integers(1, 9)), int(rng.choice([1, 100, 1_000])), int(rng.integers(0, 3))
    quotas = np.round(np.exp(rng.uniform(7, 15, count)), 3)
    locked = list(range(min(locks, count - 1)))
    quotas[locked] = np.round(quotas[locked])
    quotas[-1] += round(quotas.sum()) - quotas.sum()
    whole = rounded(quotas, np.zeros(count), np.full(count, np.inf), step, locked)
    assert whole.sum() == round(quotas.sum())
    assert (np.abs(whole - quotas) <= step + 0.5).all()
    assert (whole >= 0).all()
    free = np.delete(whole, locked)
    assert (free % step != 0).sum() <= 1, "one odd rest"


def test_the_odd_rest_goes_where_bounds_have_room_for_it():
    quotas = np.array([1_050.0, 500.0, 300.0])
    low, high = np.array([1_050.0, 0.0, 0.0]), np.array([1_060.0, np.inf, np.inf])
    whole = rounded(quotas, low, high, 100)
    assert whole[0] == 1_050
    assert whole.sum() == 1_850


@pytest.mark.parametrize("seed", range(6))
def test_the_rounding_bar_is_at_most_one_step(seed):
    rng = np.random.default_rng(seed)
    total = 12_000.0
    team = round(float(rng.uniform(5_000, 7_000)), 2)
    targets = [{"metric": "revenue", "target": total}, {"metric": "revenue", "team": "T1", "target": team}]
    locks = [{"path": "quota.R6", "value": round(float(rng.uniform(500, 900)), 2)}] if seed % 2 else []
    rules = [{"rule": "min_expected_attainment", "share": 0.3}] if seed % 3 else []
    step = float(rng.choice([1, 10, 50]))
    scenario = world(
        [], reps=6, goals={"targets": targets}, allocation={"rounding_step": step, "rules": rules, "locks": locks}
    )
    result = allocate(scenario, responses_of(scenario, seed))
    quotas = result.plan.quotas()
    for rep, bars in result.waterfall.items():
        assert sum(minor for _, minor in bars) == quotas[rep]
        assert abs(dict(bars)["rounding"]) <= step * 100


def test_what_bounds_without_a_whole_step_move_further_stands_in_the_bar_of_the_rules():
    scenario = world([], reps=4, allocation={"rounding_step": 10})
    problem = formulate(scenario, responses_of(scenario))
    decisions, quotas = problem.today_decisions(), np.array([120_000, 120_000, 80_000, 80_000])
    exact = np.array([117_500.0, 120_000.0, 82_500.0, 80_000.0])
    bars = [dict(waterfall(problem, decisions, exact, quotas)[rep]) for rep in problem.reps]
    plain = [dict(waterfall(problem, decisions, exact, quotas, rounded=False)[rep]) for rep in problem.reps]
    assert [bar["rounding"] for bar in plain] == [2_500, 0, -2_500, 0]
    assert [bar["rounding"] for bar in bars] == [1_000, 0, -1_000, 0]
    assert [a["other rules"] - b["other rules"] for a, b in zip(bars, plain, strict=True)] == [1_500, 0, -1_500, 0]
    assert [sum(bar.values()) for bar in bars] == quotas.tolist()


@pytest.mark.parametrize("seed", range(300))
def test_floors_in_whole_steps_stay_below_quotas_that_are_none(seed):
    rng = np.random.default_rng(seed)
    count, step = int(rng.integers(1, 9)), int(rng.choice([1, 10, 1_000]))
    quotas = rng.integers(0, 30, count) * step + rng.integers(0, step, count) * (rng.random(count) < 0.4)
    total = int(quotas.sum() * rng.choice([0.3, 0.9, 0.99, 1.0]))
    high = quotas.astype(np.float64)
    exact = high * total / max(quotas.sum(), 1)
    problem, floors = whole_group(exact, np.zeros(count), high, step)
    kept = within_bounds(problem, floors, np.zeros(count), high)
    assert kept.sum() == floors.sum() == total
    assert (kept >= 0).all()
    assert (kept <= quotas).all()
    if ((floors >= 0) & (floors <= quotas)).all():
        assert (kept == floors).all(), "nothing moves that is in order"
    stretches = 2 * quotas - floors
    mirrored = within_bounds(problem, stretches, high, np.full(count, np.inf))
    assert mirrored.sum() == stretches.sum()
    assert (mirrored >= quotas).all()
