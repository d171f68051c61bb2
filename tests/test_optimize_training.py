"""Training as a decision: concave gains, budgets of hours and money, trainers by period, floors, caps, selling time."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from optimize.allocate import allocate
from optimize.by_prices.scope import unsupported
from optimize.formulate import formulate
from optimize.split import split
from scenarios.errors import InfeasiblePlan
from scenarios.files import from_document
from target_worlds import responses_of, world

STEP = 4.0


def trained(reps: int = 3, hired: dict[str, str] | None = None, rules: Any = (), locks: Any = (), **training: Any):
    """A scenario with training on offer, and responses in which a step gains 90, 70, 50 ... times the rep's number.

    The target is out of reach, so that every gain counts.
    """
    offer = {"budget_hours": 100, "per_rep_hours": 16, "step_hours": STEP, "skills": ["negotiation"], **training}
    allocation = {"training": offer, "rules": list(rules), "locks": list(locks)}
    goals = {"targets": [{"metric": "revenue", "target": 5000 * reps}]}
    scenario = world([], reps=reps, goals=goals, allocation=allocation)
    document = scenario.document()
    document["skills"]["training"]["cost_per_hour"] = 10
    for rep in document["reps"]:
        if hired and rep["id"] in hired:
            rep["hired"] = hired[rep["id"]]
    scenario = from_document(document)
    found = responses_of(scenario)
    steps = found.training.steps
    gain = np.cumsum([0.0, 9_000, 7_000, 5_000, 3_000][: steps + 1]) * np.arange(1.0, reps + 1).reshape(-1, 1, 1)
    return scenario, replace(found, training=replace(found.training, gain=gain))


def hours_by(plan, key) -> Counter:
    found: Counter = Counter()
    for row in plan.training:
        found[key(row)] += row.hours
    return found


def test_trainers_are_never_asked_for_more_than_they_give_in_a_period():
    scenario, found = trained(reps=4, trainer_hours_per_period=9, per_rep_hours=16)
    result = allocate(scenario, found)
    by_month = hours_by(result.plan, lambda row: row.start)
    assert sum(by_month.values()) == 6 * 8, "two steps a month in the first half of the year"
    assert max(by_month.values()) <= 8
    rows = [row for row in result.rule_rows if row.rule == "trainer_capacity"]
    assert len(rows) == 6
    assert all(row.kept and row.binding and row.limit == 8 for row in rows)
    assert result.prices["trainer_capacity"].value > 0


def test_a_new_hire_is_trained_only_while_there_and_within_the_capacity_of_that_time():
    scenario, found = trained(reps=3, hired={"R3": "2026-06-01"}, trainer_hours_per_period=4)
    assert found.training.slots[2] == (5,)
    result = allocate(scenario, found)
    hours = result.plan.training_hours()
    assert hours["R3", "negotiation"] == 4, "the best of all by gain, but June has one step only"
    assert sum(hours.values()) == 24
    assert {row.start.month for row in result.plan.training if row.rep == "R3"} == {6}
    assert max(hours_by(result.plan, lambda row: row.start).values()) <= 4


@pytest.mark.parametrize("seed", range(5))
def test_the_best_hours_are_those_of_brute_force(seed):
    rng = np.random.default_rng(seed)
    hired = {"R3": "2026-06-01", "R2": "2026-05-01"}
    scenario, found = trained(reps=3, hired=hired, trainer_hours_per_period=4, per_rep_hours=12, budget_hours=28)
    gain = np.cumsum(np.sort(rng.uniform(0, 15_000, (3, 1, 3)))[:, :, ::-1], axis=2)
    gain = np.concatenate([np.zeros((3, 1, 1)), gain], axis=2)
    found = replace(found, training=replace(found.training, gain=gain))
    problem = formulate(scenario, found)

    def fits(steps):
        """Hall's condition over the nested months: June alone, May and June, all six."""
        return steps[2] <= 1 and steps[1] + steps[2] <= 2 and sum(steps) <= 6

    def value(steps):
        shift = np.array([gain[r, 0, m] for r, m in enumerate(steps)])
        quotas = split(problem.samples, shift, np.zeros(3), np.full(3, np.inf), problem.total)
        return float(np.minimum(problem.samples + shift, quotas).sum(axis=1).mean())

    best = max(value(steps) for steps in itertools.product(range(4), repeat=3) if fits(steps))
    result = allocate(scenario, found)
    assert result.model_value == pytest.approx(best, rel=2e-4)
    assert max(hours_by(result.plan, lambda row: row.start).values()) <= 4


def test_money_is_a_limit_of_its_own_and_is_named():
    scenario, found = trained(budget_money=250)
    result = allocate(scenario, found)
    assert sum(result.plan.training_hours().values()) == 24, "25 hours are paid for; a step has four"
    rows = {row.rule: row for row in result.rule_rows}
    assert (rows["training_money"].limit, rows["training_money"].actual) == (250, 240)
    assert rows["training_budget"].limit == 100
    assert result.prices["training_money"].value > 0
    assert result.prices["training_budget"].value == pytest.approx(0, abs=1e-6)


def test_floors_that_money_or_trainers_cannot_give_are_told():
    floor = ({"rule": "training_floor", "hours": 8},)
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(*trained(budget_money=200, rules=floor))
    assert any("money for training: 200.00" in text for text in caught.value.conflict)
    assert "money for training: loosen by 40.00 of the currency" in caught.value.loosening
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(*trained(hired={"R3": "2026-06-01"}, trainer_hours_per_period=4, rules=floor))
    assert any("hours that trainers can give in a period: 4 hours" in text for text in caught.value.conflict)
    assert "hours that trainers can give in a period: loosen by 4.00 hours" in caught.value.loosening


def test_a_lock_beyond_what_trainers_give_is_kept_and_named():
    locks = ({"path": "training.R3.negotiation", "value": 12, "author": "Li"},)
    scenario, found = trained(hired={"R3": "2026-06-01"}, trainer_hours_per_period=4, locks=locks)
    result = allocate(scenario, found)
    assert result.plan.training_hours()["R3", "negotiation"] == 12
    [june] = [row for row in result.rule_rows if row.rule == "trainer_capacity" and not row.kept]
    assert (june.subject, june.actual) == ("2026-06", 12)
    assert "Li" in june.exception


def test_what_training_costs_and_brings():
    scenario, found = trained()
    result = allocate(scenario, found)
    for one in result.training:
        number = int(one.rep[1:])
        steps = int(one.hours / STEP)
        assert one.cost == round(one.hours * 10_00)
        assert one.gain == round(sum([9_000, 7_000, 5_000, 3_000][:steps]) * number)
        assert one.share_of_hours == pytest.approx(one.hours / float(found.hours[number - 1]))


def test_without_trainers_in_short_supply_the_load_is_even():
    scenario, found = trained(reps=3)
    months = hours_by(allocate(scenario, found).plan, lambda row: row.start)
    assert max(months.values()) - min(months.values()) <= STEP
    assert len(months) == 6


def test_the_method_by_prices_leaves_to_the_programme_what_it_cannot_decide():
    together = formulate(*trained(trainer_hours_per_period=4, budget_money=170))
    apart = formulate(*trained(trainer_hours_per_period=4, hired={"R3": "2026-06-01"}))
    assert unsupported(together) == ()
    assert together.training.most == 17, "money is the tightest limit"
    assert any("trainers" in words for words in unsupported(apart))
