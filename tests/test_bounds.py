"""Bounds on a plan: of its quotas against the best split, and of all its decisions within the fitted programme."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import quotalab as ql
from experiments.bounds import Bounds, ProgrammeBound, bounds_of, programme_bound, quota_bound
from loop_worlds import company
from optimize.baselines.decisions import even_training, greedy_owners
from optimize.formulate import formulate
from optimize.plans import as_plan, quotas_of
from optimize.problem import AllocationProblem, gains
from optimize.quotas import exact_quotas
from optimize.response.estimate import estimate
from optimize.split import attained
from optimize.whole_quotas import whole_quotas
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from scenarios.today import today_plan

YEARS = 200


def request(scenario: Scenario) -> tuple[AllocationProblem, Plan]:
    """The request at today's decisions, and these with the best quotas of the same years."""
    plain = scenario.with_plan(today_plan(scenario))
    responses = estimate(plain, ql.simulate(plain, replications=YEARS))
    problem = formulate(plain, responses)
    decisions = problem.base_decisions()
    _, quotas = whole_quotas(problem, decisions)
    return problem, as_plan(plain, responses, problem, decisions, quotas, name="today", origin="by hand")


def found(problem: AllocationProblem, plan: Plan) -> ProgrammeBound:
    bound = programme_bound(problem, plan)
    assert bound is not None
    return bound


def test_no_plan_of_the_programme_sells_more_than_the_bound_says() -> None:
    problem, plan = request(company(4, 8, leads=160, mode="two_stage"))
    sold = float(problem.samples.sum(axis=1).mean())
    bound = found(problem, plan)
    assert (bound.sales, bound.batches) == (True, 1)
    rules = [even_training(problem), greedy_owners(problem, even_training(problem))]
    assert bound.upper >= max(float(gains(problem, rule).sum()) / sold for rule in rules) > 0.005
    assert bound.upper < 0.5


def test_no_plan_of_the_programme_attains_more_than_the_bound_says() -> None:
    problem, plan = request(company(4, 8, leads=160))
    quotas, nothing = quotas_of(problem, plan), np.zeros(len(problem.reps))
    bound = found(problem, plan)
    assert (bound.sales, bound.batches, bound.years) == (False, 10, YEARS // 10)
    for rule in (even_training(problem), greedy_owners(problem, even_training(problem))):
        best = attained(problem.samples, gains(problem, rule), exact_quotas(problem, rule))
        own = attained(problem.samples, nothing, quotas)
        assert bound.upper >= (best - own) / quotas.sum() > 0


def test_where_nothing_but_quotas_can_be_chosen_both_bounds_agree() -> None:
    problem, plan = request(company(4, 8, leads=160))
    still = {"training": replace(problem.training, budget=0.0), "accounts": replace(problem.accounts, max_moves=0)}
    problem = replace(problem, **still)
    quotas = quota_bound(problem, plan, problem.samples)
    assert quotas is not None
    assert found(problem, plan).upper == pytest.approx(quotas.upper, abs=2e-4)


def test_what_the_loop_put_right_counts_in_the_bound() -> None:
    scenario = company(4, 8, leads=160, mode="two_stage")
    outcome = ql.simulate(scenario.with_plan(today_plan(scenario)), replications=YEARS)

    def twice_the_sales(problem: AllocationProblem) -> AllocationProblem:
        return replace(problem, samples=2 * problem.samples)

    plain, changed = (bounds_of(scenario, today_plan(scenario), outcome, fitted=how) for how in (None, twice_the_sales))
    assert plain.programme is not None
    assert changed.programme is not None
    assert changed.programme.upper == pytest.approx(plain.programme.upper / 2, rel=0.01)


def test_where_people_respond_to_quotas_there_is_no_bound_and_it_says_why() -> None:
    scenario = company(motivation={})
    outcome = ql.simulate(scenario.with_plan(today_plan(scenario)), replications=20)
    assert bounds_of(scenario, today_plan(scenario), outcome) == Bounds.none("quotas_move_sales")


def test_too_few_years_bound_nothing() -> None:
    scenario = company(4, 8)
    outcome = ql.simulate(scenario.with_plan(today_plan(scenario)), replications=100)
    bounds = bounds_of(scenario, today_plan(scenario), outcome)
    assert (bounds.quotas, bounds.programme) == (None, None)
    assert (bounds.no_quotas, bounds.no_programme) == ("nothing_to_bound", "nothing_to_bound")
