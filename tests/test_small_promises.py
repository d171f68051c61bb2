"""Promises of the documents that a single line of the allocator keeps: each test fails where that line is gone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimize.allocate import allocate
from optimize.baselines.decisions import even_training
from optimize.formulate import formulate
from optimize.response.estimate import estimate
from target_worlds import drawn, outcome_of, responses_of, world
from test_optimize_training import trained


@pytest.mark.parametrize(
    ("ratio", "numerator", "denominator"),
    [("key_product_share", "key_product_revenue", "revenue"), ("collection_rate", "cash_collected", "cash_due")],
)
def test_nobodys_share_is_above_one_however_uneven_people_are(ratio, numerator, denominator):
    scenario = world([{"metric": ratio, "target": 0.8}])
    figures = drawn(3, scenario)
    share = np.array([0.9, 0.2, 0.3, 0.25]).reshape(1, 4, 1)
    figures[numerator] = np.round(figures[denominator] * share).astype(np.int64)
    found = estimate(scenario, outcome_of(scenario, figures))
    plan = allocate(scenario, found).plan
    above, below = plan.quotas(numerator), plan.quotas(denominator)
    assert sum(above.values()) == pytest.approx(0.8 * sum(below.values()), abs=1)
    assert all(above[rep] <= below[rep] for rep in above)
    assert above["R1"] == below["R1"], "at the bound, which is why it is needed"


def test_even_training_leaves_locked_people_as_locked_and_gives_the_rest_to_others():
    locks = ({"path": "training.R1.negotiation", "value": 10}, {"path": "training.R2.negotiation", "value": 0})
    problem = formulate(*trained(reps=4, locks=locks, budget_hours=34))
    assert even_training(problem).training.sum(axis=1).tolist() == [10, 0, 12, 12]


@pytest.mark.parametrize("weight", [0.5, 4.0])
def test_a_weighted_metric_counts_in_the_value_by_its_factor(weight):
    """Capped units of the metric, times its weight, times the company's total over the metric's."""
    scenario = world([{"metric": "orders", "target": 90, "weight": weight}])
    found = responses_of(scenario, seed=5)
    result = allocate(scenario, found)
    problem = formulate(scenario, found)
    [orders] = problem.metrics.others
    quotas = [np.array([result.plan.quotas(name)[rep] for rep in problem.reps]) for name in ("revenue", "orders")]
    value = float(np.minimum(problem.samples, quotas[0]).sum(axis=1).mean())
    value += weight * problem.total / 90 * float(np.minimum(orders.samples, quotas[1]).sum(axis=1).mean())
    assert result.bound * (1 - result.gap) <= value * (1 + 1e-9)
    assert result.gap == pytest.approx(max(0.0, result.bound - value) / value, abs=1e-9)
    assert result.gap < 0.05, "a third of a whole order at most is lost by rounding"


@pytest.mark.parametrize("hours", [4, 8, 12, 16, 20, 24])
def test_one_more_hour_at_a_kink_is_worth_what_the_next_step_brings(hours):
    """R2's steps gain twice what R1's do: at a whole step the slope below is another than that above."""
    scenario, found = trained(reps=2, budget_hours=hours)
    slopes = sorted([size * rep for rep in (1, 2) for size in (9_000, 7_000, 5_000, 3_000)], reverse=True)
    result = allocate(scenario, found)
    assert sum(result.plan.training_hours().values()) == hours
    assert result.prices["training_budget"].value == pytest.approx(slopes[hours // 4] / 4, rel=1e-3)


@pytest.mark.parametrize("hours", [4, 8, 12])
def test_an_hour_less_of_a_floor_at_a_kink_is_worth_what_the_last_step_costs(hours):
    rules = ({"rule": "training_floor", "hours": hours},)
    scenario, found = trained(reps=2, rules=rules)
    costs = np.array([0.0, 1_000.0, 3_000.0, 6_000.0, 10_000.0])
    gain = -costs[None, None, : found.training.steps + 1] * np.array([1.0, 2.0]).reshape(2, 1, 1)
    result = allocate(scenario, replace(found, training=replace(found.training, gain=gain)))
    last = float(np.diff(costs)[hours // 4 - 1])
    assert result.prices["training_floor"].by_subject == pytest.approx({"R1": last / 4, "R2": 2 * last / 4}, rel=1e-3)


@pytest.mark.parametrize("hours", [4, 8, 12])
def test_an_hour_more_of_a_cap_at_a_kink_is_worth_what_the_next_step_brings(hours):
    scenario, found = trained(reps=2, per_rep_hours=hours)
    result = allocate(scenario, found)
    following = [9_000, 7_000, 5_000, 3_000][hours // 4]
    expected = {"R1": following / 4, "R2": 2 * following / 4}
    assert result.prices["training_cap"].by_subject == pytest.approx(expected, rel=1e-3)
    assert all(given == hours for given in result.plan.training_hours().values())


def test_of_two_limits_that_bind_at_once_neither_is_worth_anything_alone():
    """Money pays for exactly the hours that there are: one more hour could not be paid, more money finds no hour."""
    scenario, found = trained(reps=2, budget_hours=16, budget_money=160)
    result = allocate(scenario, found)
    assert sum(result.plan.training_hours().values()) == 16
    for rule in ("training_budget", "training_money"):
        assert result.prices[rule].value == pytest.approx(0.0, abs=1e-6)


def test_a_cap_beside_a_budget_is_worth_what_the_hour_brings_less_what_it_brought_elsewhere():
    scenario, found = trained(reps=2, budget_hours=8, per_rep_hours=4)
    result = allocate(scenario, found)
    assert result.plan.training_hours() == {("R1", "negotiation"): 4, ("R2", "negotiation"): 4}
    assert result.prices["training_cap"].value == pytest.approx((2 * 7_000 - 9_000) / 4, rel=1e-3)
