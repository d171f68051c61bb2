"""Explanations held to random worlds: bars to the cent, prices by both emitters, levers pulled, ways out tried."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from allocation_worlds import changed
from optimize.allocate import allocate
from optimize.explanation import explain_plan
from optimize.formulate import formulate
from optimize.parameters import PARAMETERS
from optimize.parts.accounts import OWNER
from optimize.plans import decisions_of
from optimize.prices import NUDGE, prices, with_owners_held
from optimize.programme.blocks import Programme
from optimize.programme.solve import solve
from optimize.rule_words import UNITS, WORDS
from scenarios.errors import InfeasiblePlan
from scenarios.scenario import Scenario
from test_explanation import found, solved_anew, split_world

SOLVERS = ("highs", "pulp:HiGHS")
FEW, MANY = (0, 1), range(2, 30)


def drawn(seed: int) -> tuple[Scenario, dict[str, Any]]:
    """Five reps under rules drawn by the seed, some with a rule that ties people together."""
    rng = np.random.default_rng([seed, 5])
    rules: list[dict[str, Any]] = [
        {"rule": "potential_band", "tolerance": round(float(rng.uniform(0.1, 0.3)), 3)},
        {
            "rule": "growth",
            "floor": round(float(rng.uniform(-0.3, -0.1)), 3),
            "cap": round(float(rng.uniform(0.2, 0.4)), 3),
        },
        {"rule": "min_chance", "chance": round(float(rng.uniform(0.15, 0.3)), 2)},
    ]
    tying: list[dict[str, Any] | None] = [
        None,
        {"rule": "gini", "maximum": 0.04},
        {"rule": "spread", "maximum": 0.25},
        {"rule": "group_parity", "by": "team", "tolerance": 0.05},
        {"rule": "min_expected_attainment", "share": 0.7},
    ]
    more = tying[int(rng.integers(len(tying)))]
    return split_world(seed, rules=rules if more is None else [*rules, more])


def explained(seed: int) -> bool:
    """Hold one world; whether its rules leave a plan."""
    scenario, arrays = drawn(seed)
    responses = found(scenario, arrays)
    try:
        result = allocate(scenario, responses)
    except InfeasiblePlan:
        return False
    quotas = result.plan.quotas()
    for rep, bars in result.waterfall.items():
        assert sum(minor for _, minor in bars) == quotas[rep]
    told = explain_plan(scenario, responses, result.plan, reps=[f"R{1 + seed % 5}"])
    for rep, bars in told.waterfall.items():
        assert sum(minor for _, minor in bars) == quotas[rep]
    problem = formulate(scenario, responses)
    model, values = with_owners_held(problem, decisions_of(problem, result.plan))
    prices_hold(model.programme, values, {name: one.value / model.unit for name, one in prices(model, values).items()})
    pulled = 0
    for row in told.levers:
        if row.needed is not None and pulled < 6:
            moved = solved_anew(scenario, arrays, row) / quotas[row.rep] - 1
            assert moved == pytest.approx(row.share, abs=3e-4), row
            pulled += 1
    return True


def prices_hold(programme: Programme, values: np.ndarray, told: dict[str, float]) -> None:
    """Every price is the difference that loosening makes, owners held, whoever solves."""
    held = replace(programme, integer=np.zeros_like(programme.integer))
    if programme.has(OWNER):
        chosen = programme.block(OWNER).index
        held = replace(programme.fixed(chosen, np.round(values[chosen])), integer=np.zeros_like(programme.integer))
    for rule, price in told.items():
        size = UNITS[rule.partition(" ")[0]][1]
        near, far = (held.loosened(rule, amount * size) for amount in (NUDGE, 3 * NUDGE))
        for solver in SOLVERS:
            rise = solve(far, solver=solver).objective - solve(near, solver=solver).objective
            slope = rise / (2 * NUDGE)
            # Between the two a kink may lie: the price is at most the slope on the near side.
            assert slope <= price + 1e-4 * (1 + abs(price)), (rule, solver)
            assert price >= -1e-9
            assert slope == pytest.approx(price, rel=0.05, abs=2e-3), (rule, solver)


def loosened(seed: int) -> int:
    """Hold what is told of a world whose rules conflict; how many ways out were tried."""
    rng = np.random.default_rng([seed, 9])
    hard: list[dict[str, Any]] = [
        {"rule": "potential_band", "tolerance": round(float(rng.uniform(0.1, 0.3)), 3)},
        {"rule": "growth", "floor": -0.4, "cap": round(float(rng.uniform(0.1, 0.4)), 3)},
        {"rule": "min_chance", "chance": round(float(rng.uniform(0.5, 0.7)), 2)},
    ]
    scenario, arrays = split_world(seed, rules=hard)
    responses = found(scenario, arrays)
    try:
        allocate(scenario, responses)
    except InfeasiblePlan as refused:
        ways = refused.loosening
    else:
        return 0
    tried = 0
    for one in (known for known in PARAMETERS if known.name in WORDS):
        pattern = re.escape(WORDS[one.name]) + r": loosen by ([0-9.]+) "
        amounts = [re.match(pattern, text) for text in ways]
        amount = next((float(match[1]) for match in amounts if match), None)
        if amount is None:
            continue
        tried += 1
        size = UNITS[one.name][1]
        for by, possible in ((amount, True), (amount - 0.02, False)):
            assert works(scenario, responses, one.rule, one.field, one.looser * by * size) is possible, (one.name, by)
    return tried


def works(scenario: Scenario, responses: Any, rule: str, field: str, by: float) -> bool:
    document = scenario.document()
    rules = [
        {**given, field: given[field] + by} if given["rule"] == rule else given
        for given in document["allocation"]["rules"]
    ]
    try:
        allocate(changed(scenario, allocation={**document["allocation"], "rules": rules}), responses)
    except InfeasiblePlan:
        return False
    return True


def test_explanations_hold_in_random_worlds() -> None:
    assert sum(map(explained, FEW)) >= 1


@pytest.mark.slow
def test_explanations_hold_in_many_random_worlds() -> None:
    assert sum(map(explained, MANY)) >= 15


def test_the_least_loosening_of_random_conflicts_suffices_and_less_does_not() -> None:
    assert sum(map(loosened, FEW)) >= 1


@pytest.mark.slow
def test_the_least_loosening_of_many_random_conflicts_suffices_and_less_does_not() -> None:
    assert sum(map(loosened, MANY)) >= 15
