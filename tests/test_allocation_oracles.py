"""Published cases and brute force through the public allocation path."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from allocation_worlds import care_world, changed, lognormal, outcome_of, responses_of, world
from optimize.allocate import allocate
from optimize.formulate import formulate
from optimize.optimum import optimise
from optimize.problem import Decisions, gains, potentials
from optimize.response.estimate import estimate
from optimize.rules import bounds, box
from optimize.split import attained, split_in_groups
from scenarios.errors import InfeasiblePlan

NORTH = {"form": "adbudg", "low": 4.8, "high": 36, "shape": 2.6119, "half": 0.625, "hours_now": 8}
SOUTH = {"form": "adbudg", "low": 4.5, "high": 21, "shape": 1.63025, "half": 0.57143, "hours_now": 8}
"""CALLPLAN (Lodish 1971): two accounts, calls of two hours, four calls each now; margins folded into the curves."""


def test_best_whole_calls_of_callplan_are_those_of_the_published_case():
    """Every whole plan of eight calls is asked for by locks; (5, 3) is best and worth 41.0527."""
    worth = {}
    for north in range(9):
        scenario = care_world([NORTH, SOUTH], [8.0, 8.0], 16.0, 500)
        locks = [{"path": "care.north", "value": 2.0 * north}, {"path": "care.south", "value": 2.0 * (8 - north)}]
        scenario = changed(scenario, allocation={**scenario.document()["allocation"], "locks": locks})
        result = allocate(scenario, estimate(scenario, outcome_of(scenario, [[39.0]])))
        worth[north, 8 - north] = result.model_sales / 100
    assert worth[4, 4] == pytest.approx(39.0, abs=1e-4)
    best = max(worth, key=lambda calls: worth[calls])
    assert best == (5, 3)
    assert worth[best] == pytest.approx(41.0527, abs=1e-4)


def split_by_breakpoints(samples, shift, low, high, total):
    """The best split by filling unit after unit where most samples still exceed it; no bisection, no programme."""
    quotas = low.copy()
    ends = np.sort(samples, axis=0) + shift
    while total - quotas.sum() > 1e-9:
        chance = [
            (ends[:, r] > quotas[r] + 1e-9).mean() if quotas[r] < high[r] - 1e-9 else -1.0 for r in range(len(low))
        ]
        r = int(np.argmax(chance))
        if chance[r] < 0:
            return None
        above = ends[ends[:, r] > quotas[r] + 1e-9, r]
        upto = min(float(above.min()) if len(above) else np.inf, high[r])
        quotas[r] += min(upto - quotas[r], total - quotas.sum())
    return quotas


def enumerated(problem, tolerance=0.25):
    """Best value over all owners and all steps of training; -inf where there is no plan."""
    offer, training, best = problem.accounts, problem.training, -np.inf
    reps = len(problem.reps)
    choices = [np.flatnonzero(row).tolist() for row in offer.allowed]
    cells = [
        np.array(cell, dtype=float).reshape(training.base.shape) * training.step
        for cell in itertools.product(range(training.steps + 1), repeat=training.base.size)
        if sum(cell) * training.step <= training.budget + 1e-9
    ]
    cells = [hours for hours in cells if (hours.sum(axis=1) <= training.cap + 1e-9).all()]
    for owner in itertools.product(*choices):
        held = np.array(owner, dtype=np.int64)
        if (held != offer.today).sum() > offer.max_moves:
            continue
        if offer.max_per_rep is not None and np.bincount(held, minlength=reps).max() > offer.max_per_rep:
            continue
        middle = problem.total / (problem.potential.sum() + offer.potential.sum()) * potentials(problem, held)
        for hours in cells:
            gain = gains(problem, Decisions(held, hours, offer.care_base))
            low, high = (1 - tolerance) * middle, (1 + tolerance) * middle
            if low.sum() > problem.total + 1e-6 or high.sum() < problem.total - 1e-6:
                continue
            quotas = split_by_breakpoints(problem.samples, gain, low, high, problem.total)
            if quotas is not None:
                best = max(best, attained(problem.samples, gain, quotas))
    return best


def tiny_case(seed):
    rng = np.random.default_rng(1000 + seed)
    reps, accounts = int(rng.integers(1, 5)), int(rng.integers(0, 5 if seed % 3 else 4))
    rows = [{"id": f"A{i}", "owner": f"R{1 + int(rng.integers(reps))}"} for i in range(accounts)]
    for row in rows:
        row["eligible"] = [f"R{r + 1}" for r in range(reps) if rng.random() < 0.7] or [row["owner"]]
    most = int(rng.integers(1, accounts + 2)) if seed % 4 == 0 else None
    scenario = world(
        reps,
        rows,
        rules=[{"rule": "potential_band", "tolerance": 0.25}],
        training={"budget_hours": 4.0 * int(rng.integers(0, 3)), "per_rep_hours": 8, "skills": ["negotiation"]},
        accounts={"max_moves": int(rng.integers(0, accounts + 1)), "max_accounts_per_rep": most},
    )
    target = float(rng.integers(70, 140) * reps)
    scenario = changed(scenario, goals={"targets": [{"metric": "revenue", "target": target}]})
    found = responses_of(
        scenario,
        lognormal(rng, (int(rng.integers(1, 9)), reps), cv=float(rng.uniform(0.1, 0.8))),
        account_unit=rng.uniform(0.02, 0.4, (accounts, reps)),
        account_displaced=rng.uniform(0, 300, (accounts, reps)),
        account_potential=rng.uniform(300, 2500, accounts),
        territory=rng.uniform(3000, 9000, reps),
    )
    steps = found.training.steps
    gain = np.cumsum(np.sort(rng.uniform(0, 400, (reps, 1, steps)))[:, :, ::-1], axis=2)
    offer = replace(found.training, gain=np.concatenate([np.zeros((reps, 1, 1)), gain], axis=2))
    return scenario, replace(found, training=offer)


def agrees(seed):
    scenario, found = tiny_case(seed)
    problem = formulate(scenario, found)
    best = enumerated(problem)
    if best == -np.inf:
        with pytest.raises(InfeasiblePlan):
            allocate(scenario, found, gap=1e-9)
        return False
    # Whole cents: at most half of one a rep.
    assert allocate(scenario, found, gap=1e-9).model_value == pytest.approx(best, abs=2.0 + len(problem.reps)), seed
    return True


def test_tiny_plans_are_those_of_brute_force():
    assert sum(agrees(seed) for seed in range(24)) >= 15


@pytest.mark.slow
def test_hundreds_of_tiny_plans_are_those_of_brute_force():
    assert sum(agrees(seed) for seed in range(24, 324)) >= 200


def split_and_programme(seed):
    """Value of the programme and of the exact split for its decisions, under random rules, teams and locks."""
    rng = np.random.default_rng(5000 + seed)
    reps = int(rng.integers(2, 8))
    every = [
        {"rule": "potential_band", "tolerance": float(rng.uniform(0.1, 0.6))},
        {"rule": "growth", "floor": float(rng.uniform(-0.6, -0.1)), "cap": float(rng.uniform(0.2, 0.9))},
        {"rule": "min_chance", "chance": float(rng.uniform(0.05, 0.35))},
        {"rule": "min_expected_attainment", "share": float(rng.uniform(0.4, 0.75))},
    ]
    rules = [rule for rule in every if rng.random() < 0.6]
    people = [
        {"id": f"R{i + 1}", "team": "T1" if i < 2 else "T2", "last_sales": float(rng.integers(70, 130))}
        for i in range(reps)
    ]
    target = float(rng.integers(80, 120) * reps)
    targets = [{"metric": "revenue", "target": target}]
    if rng.random() < 0.4 and reps > 2:
        targets.append({"metric": "revenue", "team": "T1", "target": round(2 * target / reps)})
    locks = [{"path": "quota.R1", "value": round(target / reps)}] if rng.random() < 0.3 else []
    scenario = changed(world(reps, rules=rules, locks=locks), reps=people, goals={"targets": targets})
    sales = lognormal(rng, (int(rng.integers(1, 80)), reps), cv=float(rng.uniform(0.1, 0.9)))
    found = responses_of(scenario, sales, territory=rng.uniform(8000, 12000, reps))
    problem = formulate(scenario, found)
    try:
        best = optimise(problem)
    except InfeasiblePlan:
        return None
    low, high = box(problem, bounds(problem, best.decisions))
    gain = gains(problem, best.decisions)
    return best.value, attained(problem.samples, gain, split_in_groups(problem, problem.basis, gain, low, high))


@pytest.mark.parametrize("block", [pytest.param(range(25)), pytest.param(range(25, 325), marks=pytest.mark.slow)])
def test_the_exact_split_agrees_with_the_programme_on_random_requests(block):
    found = [pair for seed in block if (pair := split_and_programme(seed)) is not None]
    assert len(found) >= 0.5 * len(block)
    for programme, split in found:
        assert split == pytest.approx(programme, rel=1e-5)


def test_bound_and_gap_of_a_plan_with_a_broken_rule_are_in_the_money_of_attained_sales():
    """The price at which a rule gives way to a lock steers the solver; it is no part of any figure that is told."""
    locks = [{"path": "quota.R1", "value": 115, "author": "王"}]
    scenario = world(3, rules=[{"rule": "potential_band", "tolerance": 0.1}], locks=locks)
    found = responses_of(scenario, lognormal(np.random.default_rng(2), (50, 3)), territory=np.full(3, 10000.0))
    result = allocate(scenario, found)
    assert any("potential_band of R1" in text for text in result.exceptions)
    assert result.bound == pytest.approx(result.model_value, rel=1e-4)
    assert 0 <= result.gap <= 1e-4


def sold(curve, hours):
    """Sales of a response of care, in currency units, by its formula."""
    if curve["form"] == "exponential":
        return curve["ceiling"] * (1 - np.exp(-curve["rate_per_hour"] * hours))
    power = (hours / curve["hours_now"]) ** curve["shape"]
    return curve["low"] + (curve["high"] - curve["low"]) * power / (curve["half"] + power)


def best_hours(curves, budget):
    """Hours by the allocator for one rep who owns all these accounts, with what they sell and the result."""
    now = budget / len(curves)
    owned = [
        {"id": f"A{i}", "owner": "R1", "care_hours": now, "care_response": curve} for i, curve in enumerate(curves)
    ]
    scenario = world(1, owned, accounts={"max_moves": 0, "care_hours_budget": budget})
    scenario = changed(scenario, goals={"targets": [{"metric": "revenue", "target": 100_000}]})
    sales = sum(sold(curve, now) for curve in curves)
    result = allocate(scenario, estimate(scenario, outcome_of(scenario, [[sales]])))
    hours = np.array([result.plan.care_hours()[f"A{i}"] for i in range(len(curves))])
    return hours, sum(sold(curve, h) for curve, h in zip(curves, hours, strict=True)), result


@pytest.mark.parametrize("seed", range(4))
def test_hours_on_concave_responses_are_those_of_the_first_order_conditions(seed):
    """Mantrala's split at random: marginal sales ``k b exp(-b x)`` of all who get hours are one price."""
    rng = np.random.default_rng(600 + seed)
    curves = [
        {
            "form": "exponential",
            "ceiling": float(rng.integers(20, 200)),
            "rate_per_hour": float(rng.integers(5, 60)) / 100,
        }
        for _ in range(int(rng.integers(2, 7)))
    ]
    budget = float(rng.integers(3, 40))
    top, rate = (np.array([curve[name] for curve in curves]) for name in ("ceiling", "rate_per_hour"))
    low, high = 1e-12, float((top * rate).max())
    for _ in range(200):
        price = (low * high) ** 0.5
        wanted = np.maximum(np.log(top * rate / price) / rate, 0.0)
        low, high = (price, high) if wanted.sum() > budget else (low, price)
    hours, worth, result = best_hours(curves, budget)
    assert hours == pytest.approx(wanted, abs=2e-3)
    assert worth == pytest.approx(sum(sold(c, h) for c, h in zip(curves, wanted, strict=True)), rel=1e-7)
    assert result.status == "optimal", "the bound does not allow for where cuts miss most"
    assert result.bound >= result.model_value * (1 - 1e-9)


@pytest.mark.parametrize("seed", [1, 3, 4, 8])
def test_hours_on_s_shaped_responses_are_those_of_a_fine_grid(seed):
    """Curves that begin convex, small budgets: account by account over two thousand amounts of hours."""
    rng = np.random.default_rng(700 + seed)
    curves = [
        {
            "form": "adbudg",
            "low": float(rng.integers(0, 20)),
            "high": float(rng.integers(30, 300)),
            "shape": float(rng.integers(12, 50)) / 10,
            "half": float(rng.integers(2, 20)) / 10,
            "hours_now": float(rng.integers(1, 15)),
        }
        for _ in range(int(rng.integers(2, 5)))
    ]
    budget, count = float(rng.integers(2, 30)), 2000
    grid = np.linspace(0.0, budget, count + 1)
    best = sold(curves[0], grid)
    for curve in curves[1:]:
        here = sold(curve, grid)
        best = np.array([np.max(best[: k + 1] + here[k::-1]) for k in range(count + 1)])
    _, worth, result = best_hours(curves, budget)
    assert worth >= best[-1] * (1 - 2e-6)
    assert worth <= best[-1] * (1 + 1e-4)
    assert result.status == "optimal", "the bound does not allow for where cuts miss most"
    assert result.bound >= result.model_value * (1 - 1e-9)
