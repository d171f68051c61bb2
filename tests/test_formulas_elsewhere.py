"""Published formulas at other numbers than the published ones, through the public path of allocation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from allocation_worlds import care_world, changed, outcome_of, world
from optimize.allocate import allocate
from optimize.response.estimate import estimate


def allocated(scenario, now, locks=()):
    if locks:
        scenario = changed(scenario, allocation={**scenario.document()["allocation"], "locks": list(locks)})
    return allocate(scenario, estimate(scenario, outcome_of(scenario, [[round(now, 2)]])))


@pytest.mark.parametrize("seed", range(6))
def test_hours_over_two_saturating_accounts_are_those_of_lagrange(seed):
    """k (1 - exp(-b x)): slopes are the same, or one gets nothing (Mantrala, Sinha, Zoltners 1992)."""
    rng = np.random.default_rng(seed)
    k, b = np.round(rng.uniform(40, 140, 2), 1), np.round(rng.uniform(0.08, 0.5, 2), 3)
    budget = round(float(rng.uniform(4, 16)), 1)

    def hours(price):
        return np.maximum(np.log(k * b / price) / b, 0.0)

    price = brentq(lambda p: hours(p).sum() - budget, 1e-9, float((k * b).max()), xtol=1e-14)
    best = hours(price)
    curves = [
        {"form": "exponential", "ceiling": float(top), "rate_per_hour": float(rate)}
        for top, rate in zip(k, b, strict=True)
    ]
    now = k * (1 - np.exp(-b * budget / 2))
    result = allocated(care_world(curves, [budget / 2] * 2, budget, 1000), now.sum())
    care = result.plan.care_hours()
    assert [care.get("north", 0.0), care.get("south", 0.0)] == pytest.approx(best, abs=2e-3)
    gain = (k * (1 - np.exp(-b * best))).sum() - now.sum()
    assert result.model_sales / 100 - round(now.sum(), 2) == pytest.approx(gain, abs=1e-4)


def called(curve, hours):
    """Little's ADBUDG (1970): low + (high - low) x^c / (d + x^c), x the hours over those of now."""
    effort = (np.asarray(hours) / curve["hours_now"]) ** curve["shape"]
    return curve["low"] + (curve["high"] - curve["low"]) * effort / (curve["half"] + effort)


def two_accounts(seed):
    rng = np.random.default_rng(70 + seed)
    return [
        {
            "form": "adbudg",
            "low": round(float(rng.uniform(0, 6)), 2),
            "high": round(float(rng.uniform(18, 45)), 2),
            "shape": round(float(rng.uniform(0.7, 3.2)), 4),
            "half": round(float(rng.uniform(0.3, 1.2)), 4),
            "hours_now": 8,
        }
        for _ in range(2)
    ]


@pytest.mark.parametrize("seed", range(4))
def test_whole_calls_under_other_curves_are_worth_what_the_curves_say(seed):
    curves = two_accounts(seed)
    now = float(sum(called(curve, 8.0) for curve in curves))
    scenario = care_world(curves, [8.0, 8.0], 16.0, 500)
    worth, said = [], []
    for north in range(0, 9, 2):
        calls = (2.0 * north, 16.0 - 2.0 * north)
        locks = [
            {"path": f"care.{name}", "value": hours} for name, hours in zip(("north", "south"), calls, strict=True)
        ]
        worth.append(allocated(scenario, now, locks).model_sales / 100 - round(now, 2))
        said.append(float(sum(called(curve, hours) for curve, hours in zip(curves, calls, strict=True))) - now)
    assert worth == pytest.approx(said, abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_hours_under_other_s_shaped_curves_are_the_best_of_a_fine_grid(seed):
    curves = two_accounts(seed)
    now = float(sum(called(curve, 8.0) for curve in curves))
    grid = np.linspace(0.0, 16.0, 160_001)
    best = float((called(curves[0], grid) + called(curves[1], 16.0 - grid)).max()) - now
    result = allocated(care_world(curves, [8.0, 8.0], 16.0, 500), now)
    assert result.model_sales / 100 - round(now, 2) == pytest.approx(best, abs=2e-4)


@pytest.mark.parametrize(
    ("growth", "relief", "target"),
    [
        (0.10, 0.02, 1080),
        (0.02, 0.02, 1030),
        (-0.10, 0.0, 1050),
        (0.40, 0.02, 1230),
        (0.10, 0.09, 1050),
        (0.40, 0.09, 1200),
        (0.25, 0.05, 1200),
        (0.05, 0.0, 1050),
    ],
)
def test_a_target_by_formula_keeps_growth_and_relief_within_their_bounds(growth, relief, target):
    """1000 x (1 + growth - relief), growth kept between 5 and 25 %, relief at most 5 %."""
    reps = [{"id": "R1", "team": "T1", "last_sales": 600}, {"id": "R2", "team": "T1", "last_sales": 400}]
    formula = {"growth": growth, "growth_min": 0.05, "growth_max": 0.25, "attrition_relief": relief}
    goals = {"targets": [{"metric": "revenue", "formula": formula}]}
    scenario = changed(world(2), reps=reps, goals=goals)
    result = allocate(scenario, estimate(scenario, outcome_of(scenario, [[500, 500], [700, 450]])))
    assert sum(result.plan.quotas().values()) == target * 100
