"""Feasibility where care is decided: curves reach what is useful, and decisions leave exact quotas."""

from __future__ import annotations

import pickle

import pytest

import quotalab as ql
from scenarios.errors import InfeasiblePlan

RULES = (
    "allocation.rules=[{rule: potential_band},{rule: growth, floor: -0.1},{rule: min_chance},{rule: workload},"
    "{rule: equal_odds, width: %s}]"
)


def test_a_care_budget_that_is_too_small_is_named_and_what_is_told_of_it_is_enough():
    def found(hours: float) -> object:
        scenario = ql.load("starter", [f"allocation.accounts.care_hours_budget={hours}"])
        return ql.allocate(scenario, outcome=ql.simulate(scenario, replications=20))

    with pytest.raises(InfeasiblePlan) as caught:
        found(0)
    assert any(name.startswith("care hours to hand out: 0 hours") for name in caught.value.conflict)
    told = next(text for text in caught.value.loosening if text.startswith("care hours to hand out"))
    assert found(float(told.split("loosen by ")[1].split()[0])) is not None


@pytest.mark.parametrize("width", [0.1, 0.115])
def test_hours_of_care_are_those_that_the_programme_counted(width: float):
    """Lower gains serve the rule: the programme fills flat pieces of a care curve before steep ones."""
    scenario = ql.load("starter", [RULES % width])
    plan = ql.allocate(scenario, outcome=ql.simulate(scenario, replications=100))
    assert sum(plan.plan.quotas().values()) == 27_000_000_00
    assert all(quota % 10_000_00 == 0 for quota in plan.plan.quotas().values())
    assert not [row for row in plan.rule_rows if not row.kept], "other owners and training leave whole steps"
    assert sum(plan.plan.care_hours().values()) < 1374


def test_a_search_without_an_end_is_no_proof():
    error = pickle.loads(pickle.dumps(InfeasiblePlan(["range of the chances to make quota: 5 %"], proven=False)))
    assert not error.proven
    assert str(error).startswith("found no plan under these rules, and no proof that there is none")
