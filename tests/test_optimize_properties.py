"""Properties of exact optima and of the values of loosening."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from allocation_worlds import changed, lognormal, responses_of, world
from optimize.allocate import allocate
from optimize.formulate import formulate
from optimize.model import build
from optimize.problem import gains
from optimize.programme.solve import solve
from optimize.rules import attainable, bounds, box
from optimize.split import attained, split_in_groups

# Values


def test_the_reported_value_is_the_sample_average_of_the_returned_plan():
    rng = np.random.default_rng(8)
    sales = lognormal(rng, (70, 4))
    scenario = world(4, rounding_step=7, over_assignment=0.05)
    result = allocate(scenario, responses_of(scenario, sales))
    quotas = np.array([result.plan.quotas()[f"R{i}"] for i in (1, 2, 3, 4)]) / 100
    assert quotas.sum() == pytest.approx(315.0)
    assert result.model_value / 100 == pytest.approx(float(np.minimum(sales, quotas).sum(axis=1).mean()), rel=1e-9)
    assert result.attained_share_model == pytest.approx(result.model_value / 31500)


def finite_difference(problem, decisions, loosened, step):
    gain = gains(problem, decisions)
    values = []
    for request in (problem, loosened):
        limits = box(request, bounds(request, decisions))
        values.append(attained(problem.samples, gain, split_in_groups(request, problem.basis, gain, *limits)))
    return (values[1] - values[0]) / step


@pytest.mark.parametrize("seed", range(5))
def test_values_of_loosening_are_finite_differences(seed):
    rng = np.random.default_rng(40 + seed)
    reps = 5
    people = [{"id": f"R{i}", "team": "T1", "last_sales": float(rng.integers(75, 125))} for i in range(reps)]
    rules = [{"rule": "growth", "floor": -0.4, "cap": 0.5}, {"rule": "potential_band", "tolerance": 0.25}]
    scenario = changed(world(reps, rules=rules), reps=people, goals={"targets": [{"metric": "revenue", "target": 500}]})
    found = responses_of(
        scenario, lognormal(rng, (80, reps)) * rng.uniform(0.5, 1.6, reps), territory=rng.uniform(9500, 10500, reps)
    )
    problem = formulate(scenario, found)
    result = allocate(scenario, found)
    decisions = problem.today_decisions()
    growth, band = problem.rules
    step = 1e-5
    tests = {
        "growth_cap": problem.with_rules((growth.model_copy(update={"cap": growth.cap + step}), band)),
        "growth_floor": problem.with_rules((growth.model_copy(update={"floor": growth.floor - step}), band)),
        "potential_band": problem.with_rules((growth, band.model_copy(update={"tolerance": band.tolerance + step}))),
    }
    bite = 0
    for rule, loosened in tests.items():
        slope = finite_difference(problem, decisions, loosened, step) * 0.01
        assert result.prices[rule].value == pytest.approx(slope, rel=1e-4, abs=1e-4)
        bite += slope > 0
    assert bite >= 1


# Properties of exact optima


@pytest.mark.parametrize("seed", range(3))
def test_value_scales_with_money_and_does_not_depend_on_the_order_of_reps(seed):
    rng = np.random.default_rng(seed)
    sales, territory = lognormal(rng, (30, 4)), rng.uniform(8000, 12000, 4)
    rules = [{"rule": "potential_band", "tolerance": 0.2}]

    def value(factor, order):
        goals = {"targets": [{"metric": "revenue", "target": 420 * factor}]}
        scenario = changed(world(4, rules=rules), goals=goals)
        found = responses_of(scenario, sales[:, order] * factor, territory=territory[order] * factor)
        return allocate(scenario, found).model_value

    base = value(1, np.arange(4))
    assert value(7, np.arange(4)) == pytest.approx(7 * base, rel=1e-5)
    assert value(1, rng.permutation(4)) == pytest.approx(base, rel=1e-5)


RULES = [
    ({"rule": "growth", "floor": -0.1, "cap": 0.05}, "cap", 1),
    ({"rule": "min_chance", "chance": 0.4}, "chance", -1),
    ({"rule": "min_expected_attainment", "share": 0.76}, "share", -1),
    ({"rule": "spread", "maximum": 0.3}, "maximum", 1),
    ({"rule": "worst_off", "share": 0.5, "minimum": 0.74}, "minimum", -1),
    ({"rule": "gini", "maximum": 0.06}, "maximum", 1),
    ({"rule": "group_parity", "by": "team", "tolerance": 0.05}, "tolerance", 1),
]


@pytest.mark.parametrize(("rule", "field", "way"), RULES, ids=lambda value: str(value)[:30])
def test_under_each_rule_values_scale_do_not_know_the_order_and_rise_as_it_loosens(rule, field, way):
    rng = np.random.default_rng(77)
    sales = lognormal(rng, (24, 4)) * np.array([1.5, 1.1, 0.9, 0.7])
    territory, last = rng.uniform(8000, 12000, 4), np.array([100.0, 100, 100, 100])
    teams = np.array(["T1", "T1", "T2", "T2"])

    def value(asked, factor=1, order=(0, 1, 2, 3)):
        at = list(order)
        reps = [
            {"id": f"R{i + 1}", "team": str(teams[who]), "last_sales": round(last[who] * factor, 2)}
            for i, who in enumerate(at)
        ]
        goals = {"targets": [{"metric": "revenue", "target": 400 * factor}]}
        scenario = changed(world(4, rules=[asked]), reps=reps, goals=goals)
        found = responses_of(scenario, sales[:, at] * factor, territory=territory[at] * factor)
        return allocate(scenario, found, gap=1e-9).model_value

    base = value(rule)
    # Whole cents, four people.
    assert value(rule, 8) == pytest.approx(8 * base, abs=40)
    assert value(rule, 1, (2, 0, 3, 1)) == pytest.approx(base, abs=5)
    looser = [value({**rule, field: round(rule[field] + way * more, 6)}) for more in (0.02, 0.1, 0.3)]
    values = [base, *looser]
    assert all(later >= earlier - 5 for earlier, later in itertools.pairwise(values))
    # Without bounds the best quotas give everybody the same chance, which limits on people's chances ask for anyway.
    assert values[-1] > base + 5 or rule["rule"] in ("min_chance", "min_expected_attainment", "worst_off")


def test_looser_rules_and_more_budget_never_lower_the_value():
    rng = np.random.default_rng(21)
    sales, territory = lognormal(rng, (30, 3)), np.array([12000.0, 9000, 9000])
    rows = [{"id": f"A{i}", "owner": f"R{1 + i % 3}"} for i in range(4)]
    unit = rng.uniform(0.1, 0.5, (4, 3))
    values = []
    for tolerance, moves, hours in ((0.05, 0, 0), (0.1, 0, 0), (0.1, 1, 0), (0.1, 2, 0), (0.1, 2, 8), (0.4, 4, 16)):
        scenario = world(
            3,
            rows,
            rules=[{"rule": "potential_band", "tolerance": tolerance}],
            accounts={"max_moves": moves},
            training={"budget_hours": hours, "skills": ["negotiation"]},
        )
        found = responses_of(scenario, sales, territory=territory, account_unit=unit)
        gain = np.broadcast_to(np.sqrt(np.arange(found.training.steps + 1.0)) * 100, found.training.gain.shape)
        found = replace(found, training=replace(found.training, gain=gain.copy()))
        values.append(allocate(scenario, found, gap=1e-9).model_value)
    assert all(later >= earlier - 3 for earlier, later in itertools.pairwise(values))
    assert values[-1] > values[0]


def test_value_of_a_training_hour_is_that_of_one_more_hour():
    rng = np.random.default_rng(22)
    values = {}
    for hours in (8.0, 8.001):
        scenario = world(3, training={"budget_hours": hours, "per_rep_hours": 8, "skills": ["negotiation"]})
        found = responses_of(scenario, lognormal(rng if hours == 8.0 else np.random.default_rng(22), (40, 3)))
        steps = found.training.steps
        gain = np.broadcast_to(np.array([0.0, 400, 700, 900])[: steps + 1], (3, 1, steps + 1)) * np.array(
            [[[1]], [[2]], [[3]]]
        )
        found = replace(found, training=replace(found.training, gain=gain))
        model = build(formulate(scenario, found))
        relaxed = replace(model.programme, integer=np.zeros_like(model.programme.integer))
        values[hours] = solve(relaxed).objective * model.unit
        if hours == 8.0:
            price = allocate(scenario, found).prices["training_budget"].value
    assert price == pytest.approx((values[8.001] - values[8.0]) / 0.001, rel=1e-3)


def test_workload_rule_moves_an_account_away():
    rows = [{"id": f"A{i}", "owner": "R1" if i < 3 else "R2"} for i in range(4)]
    rules = [{"rule": "workload", "maximum": 0.6}]
    scenario = world(2, rows, rules=rules)
    found = responses_of(
        scenario,
        lognormal(np.random.default_rng(3), (20, 2)),
        load=np.array([500.0, 500.0]),
        account_order_hours=np.full((4, 2), 250.0),
        account_unit=np.array([[0.5, 0.4]] * 3 + [[0.4, 0.5]]),
    )
    result = allocate(scenario, found)
    assert len(result.moves) == 1
    assert result.moves[0].source == "R1"
    rows_of = {row.subject: row for row in result.rule_rows if row.rule == "workload_maximum"}
    assert all(row.kept for row in rows_of.values())
    free = allocate(world(2, rows), replace(found, scenario=found.scenario))
    assert not free.moves


def test_no_more_accounts_move_than_allowed_and_protected_ones_stay():
    rows = [{"id": f"A{i}", "owner": "R1", "eligible": ["R2"]} for i in range(5)]
    rows[4]["protected_until"] = "2026-06-01"
    for most in (0, 2, 5):
        scenario = world(2, rows, accounts={"max_moves": most})
        found = responses_of(
            scenario, [[10, 10], [20, 15]], account_unit=np.array([[0.1, 0.5 + i / 10] for i in range(5)])
        )
        result = allocate(scenario, found)
        assert len(result.moves) == min(most, 4)
        assert {move.account for move in result.moves} == {f"A{i}" for i in range(4 - min(most, 4), 4)}
        assert list(result.immovable) == ["A4"]
        assert all(move.gain > 0 for move in result.moves)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.7, 0.95])
def test_a_little_more_than_is_attainable_is_attained_too_little(share):
    rng = np.random.default_rng(61)
    sales = np.where(rng.random((30, 40)) < 0.25, 0.0, lognormal(rng, (30, 40)))
    gain = rng.uniform(-0.2, 0.4, 40)

    def excess(quotas):
        return np.minimum(np.maximum(sales + gain, 0.0), quotas).mean(axis=0) - share * quotas

    most = attainable(sales, gain, share)
    assert np.all(excess(most) >= -1e-12)
    assert np.all(excess(most * (1 + 1e-6) + 1e-9) < 0.0)


def test_no_share_at_all_is_attainable_by_any_quota_and_all_of_it_by_the_worst_year():
    sales = np.array([[3.0, 0.0], [5.0, 0.0], [4.0, 0.0]])
    assert np.all(np.isinf(attainable(sales, np.zeros(2), 0.0)))
    assert attainable(sales, np.array([1.0, 0.0]), 1.0).tolist() == [4.0, 0.0]
    assert attainable(sales, np.zeros(2), 0.5).tolist() == [8.0, 0.0]
