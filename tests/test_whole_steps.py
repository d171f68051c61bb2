"""Rules that tie people together in whole steps of quotas: found wherever brute force finds any, else told."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from optimize import optimum_in_steps, whole_quotas
from optimize.allocate import allocate
from optimize.audit import audit, broken
from optimize.formulate import formulate
from optimize.problem import AllocationProblem, Locks, gains
from optimize.quotas import best_quotas
from optimize.split import attained
from optimize.whole_quotas import kept_quotas
from optimize.whole_steps import in_whole_steps
from test_optimize_allocate import changed, lognormal, responses_of, world
from test_optimize_fairness import keeps, request

RULES = [
    {"rule": "spread", "maximum": 0.4},
    {"rule": "gini", "maximum": 0.06},
    {"rule": "worst_off", "share": 1 / 3, "minimum": 0.79},
    {"rule": "equal_odds", "width": 0.1},
    {"rule": "group_parity", "by": "team", "tolerance": 0.02},
]


def tables(problem: AllocationProblem) -> np.ndarray:
    """All quotas of three reps in whole steps that sum to the totals, an odd rest with any of a group, minor units."""
    step, total = problem.rounding_step, round(problem.total)
    odds = itertools.product([0, total % step], repeat=3)
    rows = [
        (a * step + odd[0], b * step + odd[1])
        for odd in odds
        if sum(odd) == total % step
        for a in range(total // step + 1)
        for b in range(total // step + 1 - a)
    ]
    first = np.array(rows)
    return np.unique(np.column_stack([first, total - first.sum(axis=1)]), axis=0)


@pytest.mark.parametrize("step", [10, 30, 14])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["rule"])
def test_whole_steps_are_found_wherever_there_are_any(rule, step):
    told = set()
    for seed in range(6):
        scenario, responses = request([rule], seed, rounding_step=step)
        problem = formulate(scenario, responses)
        decisions, every = problem.base_decisions(), tables(problem)
        exact = best_quotas(problem, decisions)
        if exact is None:
            continue
        sales, potential = problem.samples / 100, responses.territory / 100
        kept = every[keeps(rule, every / 100, sales, potential, problem.teams)]
        found = in_whole_steps(problem, decisions, exact)
        assert (found.quotas is not None) == (len(kept) > 0)
        told.add(len(kept) > 0)
        if found.quotas is None:
            assert found.proven
            continue
        assert (kept == found.quotas).all(axis=1).any()
        if rule["rule"] == "equal_odds":
            best = max(attained(problem.samples, gains(problem, decisions), row.astype(float)) for row in kept)
            assert attained(problem.samples, gains(problem, decisions), found.quotas.astype(float)) >= best * 0.995
    assert told


def test_both_ends_are_met_by_these_requests():
    """Some of them have whole steps that rounding alone misses, and some have none."""
    missed = none = 0
    for rule, step, seed in itertools.product(RULES, (10, 30, 14), range(6)):
        scenario, responses = request([rule], seed, rounding_step=step)
        problem = formulate(scenario, responses)
        exact = best_quotas(problem, problem.base_decisions())
        if exact is None:
            continue
        low, high = np.zeros(3), np.full(3, np.inf)
        rounded = whole_quotas.rounded_quotas(problem, exact, low, high).astype(float)
        if broken(audit(problem, problem.base_decisions(), rounded)):
            found = in_whole_steps(problem, problem.base_decisions(), exact)
            missed += found.quotas is not None
            none += found.quotas is None
    assert missed >= 5
    assert none >= 5


def test_totals_of_teams_and_locks_are_kept_along_with_the_rule():
    rules = [{"rule": "spread", "maximum": 0.9}]
    targets = [{"metric": "revenue", "target": 300}, {"metric": "revenue", "team": "T1", "target": 225}]
    scenario, responses = request(rules, 1, rounding_step=10)
    scenario = changed(scenario, goals={"targets": targets})
    problem = formulate(scenario, responses)
    decisions = problem.base_decisions()
    exact = best_quotas(problem, decisions)
    assert exact is not None
    found = in_whole_steps(problem, decisions, exact)
    assert found.quotas is not None
    assert found.quotas[:2].sum() == 225_00
    assert (found.quotas % 1000 == 0).sum() == 1, "two groups, each with an odd rest of 5"
    locked = replace(problem, locks=Locks(quota={0: 131_23.0}))
    exact = best_quotas(locked, decisions)
    assert exact is not None
    found = in_whole_steps(locked, decisions, exact)
    assert found.quotas is not None
    assert found.quotas[0] == 131_23
    assert found.quotas[:2].sum() == 225_00


def moving(rule: dict[str, object], step: float, mode: str = "two_stage"):
    """Four reps whose six accounts may move, so that other owners leave whole steps."""
    rng = np.random.default_rng(5)
    owned = [
        {"id": f"A{a}", "owner": f"R{1 + a % 3}", "eligible": [f"R{1 + (a + 1) % 3}"], "potential": 10 + 7 * a}
        for a in range(6)
    ]
    scenario = world(3, owned, rules=[rule], rounding_step=step, mode=mode)
    people = [{"id": f"R{i}", "team": "T1" if i < 3 else "T2", "potential": 90 + 10 * i} for i in (1, 2, 3)]
    scenario = changed(scenario, reps=people)
    unit = np.array([[0.05 + 0.02 * ((a + r) % 3) for r in range(3)] for a in range(6)])
    return scenario, responses_of(scenario, lognormal(rng, (40, 3)), account_unit=unit)


@pytest.mark.parametrize("mode", ["joint", "two_stage"])
@pytest.mark.parametrize(
    ("rule", "number", "values"),
    [("spread", "maximum", (0.02, 0.05, 0.1, 0.15, 0.2)), ("equal_odds", "width", (0.05, 0.075, 0.1, 0.15, 0.2))],
)
def test_a_looser_rule_gives_no_worse_plan(rule, number, values, mode):
    """Nor a broken one where a tighter one is kept."""
    before, kept = -np.inf, False
    for value in values:
        scenario, responses = moving({"rule": rule, number: value}, 10, mode)
        plan = allocate(scenario, responses)
        now = not [row for row in plan.rule_rows if not row.kept]
        assert now or not kept
        assert now or any("in whole steps of 10" in note for note in plan.notes)
        worth = plan.model_sales if mode == "two_stage" else plan.model_value
        if kept:
            assert worth >= before * (1 - 2e-4)
        before, kept = worth, now
    assert kept


def test_what_no_whole_steps_keep_is_told_with_the_way_out():
    scenario, responses = request([{"rule": "spread", "maximum": 0.005}], 1, rounding_step=30)
    plan = allocate(scenario, responses)
    row = next(row for row in plan.rule_rows if row.rule == "spread")
    assert not row.kept
    note = next(note for note in plan.notes if "in whole steps of 30" in note)
    assert "no whole steps keep it under these owners" in note
    enough = float(note.split("a limit of ")[1].split()[0])
    wider = changed(scenario, allocation={**scenario.document()["allocation"], "rules": [
        {"rule": "spread", "maximum": enough * 1.001}
    ]})  # fmt: skip
    assert not [row for row in allocate(wider, responses).rule_rows if not row.kept]


def test_rules_are_tightened_where_the_search_in_whole_steps_ends_without_a_plan(monkeypatch):
    """As of large requests: prices decide owners anew under a tighter rule."""
    scenario, responses = moving({"rule": "spread", "maximum": 0.3}, 10)
    problem = formulate(scenario, responses)
    monkeypatch.setattr(optimum_in_steps, "_by_steps", lambda *_: None)
    own = replace(kept_quotas(problem, problem.base_decisions()), broken={0: 0.02})
    found = optimum_in_steps.kept_in_steps(problem, own)
    assert found is not None
    assert found.quotas.kept
    assert not broken(audit(problem, found.decisions, found.quotas.quotas.astype(float)))
