"""Small searches for whole owners: what they find keeps every row, and is as good as what a full search finds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocation_worlds import lognormal, responses_of, world
from optimize.formulate import formulate
from optimize.frontier_rounding import _gates, _hours, by_largest_part, by_settled_hours, worth_at_prices
from optimize.model import build
from optimize.parts.accounts import CARE, OWNER
from optimize.problem import AllocationProblem
from optimize.programme.blocks import Blocks, Linear, Programme
from optimize.programme.following import following
from optimize.programme.solve import solve
from test_baselines import company


def _cared(rules: list[dict[str, object]], two_stage: bool) -> AllocationProblem:
    """Three reps with six accounts whose care is decided, of which every owner makes something else."""
    rng = np.random.default_rng(3)
    curve = {"form": "adbudg", "low": 1, "high": 30, "shape": 0.9, "half": 0.6, "hours_now": 8}
    owned = [{"id": f"A{a}", "owner": f"R{1 + a % 3}", "care_hours": 8.0, "care_response": curve} for a in range(6)]
    scenario = world(3, owned, rules=rules, accounts={"max_moves_share": 1.0, "care_hours_budget": 30.0})
    unit = rng.uniform(0.5, 1.5, (6, 3))
    found = responses_of(scenario, lognormal(rng, (60, 3)), account_unit=unit, territory=np.full(3, 9000.0))
    return replace(formulate(scenario, found), two_stage=two_stage)


def _random(number: int) -> Programme:
    """Eight columns, four of them whole, under rows that leave the zeros."""
    rng = np.random.default_rng(number)
    blocks = Blocks()
    whole = blocks.columns("whole", ["a", "b", "c", "d"], 0.0, 3.0, rng.uniform(1, 5, 4), integer=True)
    others = blocks.columns("others", ["e", "f", "g", "h"], 0.0, 6.0, rng.uniform(-2, 5, 4))
    every = np.concatenate([whole, others])
    rows, cols = np.repeat(np.arange(3), 8), np.tile(every, 3)
    limits = Linear.of(3, rows, cols, rng.uniform(0, 4, 24))
    blocks.rows("limits", ["x", "y", "z"], limits, upper=rng.uniform(4, 20, 3))
    return blocks.programme()


@pytest.mark.parametrize("number", range(20))
def test_columns_that_follow_are_a_restriction(number: int) -> None:
    """The same as rows that say so: what is found is a solution of the programme itself."""
    programme, ratio = _random(number), np.array([0.5, 2.0, 0.0])
    columns, leaders = np.array([4, 5, 6]), np.array([0, 1, 1])
    found = solve(following(programme, columns, leaders, ratio))
    told = Linear.columns(columns) - Linear.columns(leaders, ratio)
    tie = replace(programme.rows[0], rule="tie", expression=told, lower=np.zeros(3), upper=np.zeros(3))
    by_rows = solve(replace(programme, rows=(*programme.rows, tie)))
    assert found.objective == pytest.approx(by_rows.objective, abs=1e-6)
    values = found.values.copy()
    assert (values[columns] == 0.0).all()
    values[columns] = ratio * values[leaders]
    assert programme.violation(values) <= 1e-6
    assert programme.objective @ values == pytest.approx(found.objective, abs=1e-6)


@pytest.mark.parametrize("tolerance", [0.1, 0.15, 0.3])
@pytest.mark.parametrize("mode", [True, False])
def test_owners_under_settled_hours_make_a_plan(tolerance: float, mode: bool) -> None:
    problem = _cared([{"rule": "potential_band", "tolerance": tolerance}], mode)
    model = build(problem, sales=mode)
    programme = model.programme
    assert programme.has(OWNER)
    assert programme.has(CARE)
    relaxed = solve(replace(programme, integer=np.zeros_like(programme.integer)))
    best = solve(programme, 1e-7)
    columns = by_settled_hours(model, relaxed, 0.0, 1e-7)
    if best.status == "infeasible":
        assert columns is None
        assert by_largest_part(model, relaxed, 1e-7) is None
        return
    assert columns is not None
    assert programme.violation(columns) <= 1e-6
    whole = columns[programme.integer]
    assert np.abs(whole - np.round(whole)).max() <= 1e-6
    value = float(programme.objective @ columns) + programme.constant
    assert value <= best.objective + 1e-6
    # A hundredth of a unit is a ten thousandth of a mean quota.
    assert value >= best.objective - 0.01
    largest = by_largest_part(model, relaxed, 1e-7)
    assert largest is None or programme.objective @ largest + programme.constant <= best.objective + 1e-6


@pytest.mark.parametrize("mode", [True, False])
def test_the_relaxation_s_prices_call_for_the_hours_that_it_gives(mode: bool) -> None:
    """Of accounts with one owner, pieces are full or empty by their worth; so settled, nothing of the value is lost."""
    programme = build(_cared([], mode), sales=mode).programme
    free = replace(programme, integer=np.zeros_like(programme.integer))
    relaxed = solve(free)
    care, owner = _gates(programme)
    assert len(care) == sum(len(block.index) for block in programme.columns if block.name == CARE)
    whole, worth = relaxed.values[owner] > 1 - 1e-9, worth_at_prices(programme, relaxed)[care]
    hours, width = relaxed.values[care], programme.upper[care]
    full, empty = whole & (worth > 1e-7), whole & (worth < -1e-7)
    assert full.any()
    assert empty.any()
    assert hours[full] == pytest.approx(width[full], abs=1e-7)
    assert hours[empty] == pytest.approx(0.0, abs=1e-7)
    settled = solve(following(free, care, owner, _hours(programme, relaxed, care, owner)))
    assert settled.objective == pytest.approx(relaxed.objective, abs=1e-6)


def test_without_care_there_are_no_hours_to_settle() -> None:
    scenario, responses = company(locks=[])
    model = build(formulate(scenario, responses))
    relaxed = solve(replace(model.programme, integer=np.zeros_like(model.programme.integer)))
    assert by_settled_hours(model, relaxed, 0.0, 1e-3) is None
