"""Values of loosening: totals against solving anew with owners held, on every solver; what a near figure is called."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocation_worlds import changed
from optimize.allocate import allocate
from optimize.audit import RuleRow
from optimize.explanation import explain_plan
from optimize.formulate import formulate
from optimize.loosening_worth import HAIR, NOTHING, total_prices, with_values
from optimize.plans import decisions_of
from optimize.prices import Price, with_owners_held
from optimize.programme.solve import solve
from scenarios.base import MINOR_PER_MAJOR
from test_explanation import RULES, found, split_world

BAND = [{"rule": "potential_band", "tolerance": 0.12}]


def one(seed=3, rules=RULES, solver="highs", **goals):
    scenario, arrays = split_world(seed, rules=rules)
    scenario = changed(scenario, goals=goals) if goals else scenario
    responses = found(scenario, arrays)
    problem = replace(formulate(scenario, responses), solver=solver)
    return problem, decisions_of(problem, allocate(scenario, responses).plan)


def value(problem, decisions, solver):
    """The model value in minor units with owners held, by a programme built anew."""
    model, _ = with_owners_held(problem, decisions)
    free = replace(model.programme, integer=np.zeros_like(model.programme.integer))
    solution = solve(free, solver=solver)
    return None if solution.status == "infeasible" else solution.objective * model.unit


@pytest.mark.parametrize("solver", ["highs", "pulp:HiGHS"])
@pytest.mark.parametrize(("seed", "rules"), [(3, RULES), (0, BAND), (2, [])])
def test_a_total_is_worth_what_another_unit_of_it_brings(seed, rules, solver):
    problem, decisions = one(seed, rules, solver)
    now, step = value(problem, decisions, solver), HAIR * problem.total / len(problem.reps)
    told = total_prices(problem, decisions)
    for name, price in told.items():
        for subject, worth in price.by_subject.items():
            sides = []
            for by in (step, -step):
                if name == "company_total":
                    moved = replace(problem, total=problem.total + by)
                else:
                    totals = problem.team_totals | {subject: problem.team_totals[subject] + by}
                    moved = replace(problem, team_totals=totals)
                there = value(moved, decisions, solver)
                sides.append(-np.inf if there is None else (there - now) / step)
            best = max(sides)
            sign = 1 if best == sides[0] else -1
            expected = 0.0 if best <= NOTHING else sign * best * MINOR_PER_MAJOR
            assert worth == pytest.approx(expected, abs=0.05), (name, subject, sides)
            assert price.unit == "of the currency"
    assert told["company_total"].value > 1
    assert abs(told["team_total"].by_subject["T1"]) > 0.1


def test_a_total_that_asks_too_much_of_a_team_has_a_value_below_zero():
    scenario, arrays = split_world(2, rules=[])
    values = []
    for of_team in (150, 190, 230):
        targets = [{"metric": "revenue", "target": 470}, {"metric": "revenue", "team": "T1", "target": of_team}]
        world = changed(scenario, goals={"targets": targets})
        result = allocate(world, found(world, arrays))
        row = next(row for row in result.rule_rows if row.rule == "team_total")
        assert (row.binding, row.value_of_loosening) == (True, result.prices["team_total"].by_subject["T1"])
        values.append(row.value_of_loosening)
    assert values[0] > 0 > values[2]
    assert values == sorted(values, reverse=True)


def test_totals_that_cannot_move_alone_have_no_value():
    """Where every team has a total, none of them and not the company's can be otherwise alone."""
    scenario, arrays = split_world(3, rules=[])
    both = [{"metric": "revenue", "team": team, "target": of_team} for team, of_team in (("T1", 190), ("T2", 280))]
    world = changed(scenario, goals={"targets": [{"metric": "revenue", "target": 470}, *both]})
    result = allocate(world, found(world, arrays))
    assert not {"company_total", "team_total"} & result.prices.keys()
    rows = [row for row in result.rule_rows if row.rule in ("company_total", "team_total")]
    assert [(row.binding, row.value_of_loosening) for row in rows] == [(True, None)] * 3


@pytest.mark.parametrize("mode", ["maximin", "alpha"])
def test_modes_that_do_not_maximise_the_sum_have_no_values_in_plans_nor_in_explanations(mode):
    settings = {"mode": mode, **({"alpha": 2.0} if mode == "alpha" else {})}
    scenario, arrays = split_world(3, **settings)
    responses = found(scenario, arrays)
    result = allocate(scenario, responses)
    told = explain_plan(scenario, responses, result.plan, reps=[])
    assert (result.prices, told.prices) == ({}, {})
    assert all(row.value_of_loosening is None for row in (*result.rule_rows, *told.rules))


def test_an_explanation_tells_the_values_of_the_plan_that_it_explains():
    for rules in (RULES, [{"rule": "equal_odds", "width": 0.1}]):
        scenario, arrays = split_world(3, rules=rules)
        responses = found(scenario, arrays)
        result = allocate(scenario, responses)
        told = explain_plan(scenario, responses, result.plan, reps=[])
        # Whose accounts move is no question of an explanation, which holds owners.
        assert told.prices.keys() | {"account_moves"} == result.prices.keys() | {"account_moves"}
        for name, price in told.prices.items():
            assert price.value == pytest.approx(result.prices[name].value, rel=1e-6, abs=1e-3), name
        assert [row.binding for row in told.rules] == [row.binding for row in result.rule_rows]


def test_a_figure_near_its_limit_binds_where_loosening_is_worth_something_or_it_is_there():
    near = RuleRow("gini", "company", 0.05, 0.0466, "Gini", True)
    there = replace(near, actual=0.05)
    rows = [near, there, replace(near, binding=False)]
    by_nothing = with_values(rows, {"gini": Price("gini", 0.0, "", {"company": 0.0})})
    assert [(row.binding, row.value_of_loosening) for row in by_nothing] == [(False, 0.0), (True, 0.0), (False, 0.0)]
    by_some = with_values(rows, {"gini": Price("gini", 700.0, "", {"company": 700.0})})
    assert [(row.binding, row.value_of_loosening) for row in by_some] == [(True, 700.0), (True, 700.0), (False, 0.0)]
    assert [row.binding for row in with_values(rows, {})] == [True, True, False]
