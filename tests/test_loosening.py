"""Requests without a plan: what conflicts is minimal, what is told suffices, rules may have to give way together."""

from __future__ import annotations

import re

import numpy as np
import pytest

from allocation_worlds import changed, lognormal, responses_of, world
from optimize.allocate import allocate
from optimize.formulate import formulate
from optimize.loosening import conflicting, question, relaxed
from optimize.programme.blocks import Blocks, Linear
from optimize.programme.solve import feasible, settled
from scenarios.errors import InfeasiblePlan


def request(rules, target=400, owned=(), **allocation):
    people = [{"id": f"R{i}", "team": "T1" if i < 3 else "T2", "last_sales": 100} for i in (1, 2, 3, 4)]
    goals = {"targets": [{"metric": "revenue", "target": target}]}
    scenario = changed(world(4, owned, rules=rules, **allocation), reps=people, goals=goals)
    sales = lognormal(np.random.default_rng(4), (60, 4)) * np.array([1.3, 1.1, 0.9, 0.7])
    return scenario, responses_of(scenario, sales, territory=np.full(4, 10000.0))


def amounts(texts):
    return [float(re.search(r"loosen by ([\d.]+)", text)[1]) for text in texts]


def test_rules_give_way_together_where_one_alone_cannot():
    """Two conflicts apart from each other: floors above what chances allow, and hours without a budget."""
    rules = [
        {"rule": "growth", "floor": 0.3, "cap": None},
        {"rule": "min_chance", "chance": 0.7},
        {"rule": "training_floor", "hours": 4},
    ]
    training = {"training": {"budget_hours": 4, "skills": ["negotiation"]}}
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(*request(rules, target=560, **training))
    error = caught.value
    assert error.loosening == ()
    assert "all of these together would make it feasible" in str(error)
    assert len(error.together) >= 2
    eased, hours = [dict(rule) for rule in rules], dict(training["training"])
    places = {"growth floor": (0, "floor"), "minimum chance": (1, "chance"), "training hours": (2, "hours")}
    for text, amount in zip(error.together, amounts(error.together), strict=True):
        if text.startswith("training budget"):
            hours["budget_hours"] += amount
            continue
        place, field = next(value for name, value in places.items() if text.startswith(name))
        eased[place][field] -= amount if field == "hours" else amount / 100
    training = {"training": hours}
    assert sum(allocate(*request(eased, target=560, **training)).plan.quotas().values()) == 560_00


@pytest.mark.parametrize("seed", range(6))
def test_a_conflict_cannot_hold_and_every_part_of_it_is_needed(seed):
    rng = np.random.default_rng(seed)
    rules = [
        {"rule": "growth", "floor": float(rng.uniform(-0.1, 0.2)), "cap": float(rng.uniform(0.0, 0.4))},
        {"rule": "potential_band", "tolerance": float(rng.uniform(0, 0.2))},
        {"rule": "min_chance", "chance": float(rng.uniform(0.4, 0.8))},
        {"rule": "min_expected_attainment", "share": float(rng.uniform(0.7, 0.95))},
    ]
    locks = [{"path": "quota.R1", "value": 120}] if seed % 2 else []
    scenario, found = request(rules, target=float(rng.integers(380, 520)), locks=locks)
    programme = question(formulate(scenario, found))
    if feasible(programme):
        pytest.skip("this one has a plan")
    names = {rows.rule for rows in programme.rows if not rows.kept}
    conflict = conflicting(programme)
    assert not feasible(programme.without([name for name in names if name not in conflict]))
    for name in conflict:
        assert feasible(programme.without([other for other in names if other not in conflict] + [name]))


def test_what_is_told_suffices_with_whole_accounts_too():
    owned = [{"id": f"A{i}", "owner": "R1", "eligible": ["R2", "R3"], "sales_last": 0} for i in range(6)]
    scenario, found = request([], owned=owned, accounts={"max_accounts_per_rep": 1, "max_moves": 2})
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(scenario, found)
    told = {
        text.partition(":")[0]: amount
        for text, amount in zip(caught.value.loosening, amounts(caught.value.loosening), strict=True)
    }
    assert told == {"most accounts of a rep": 3.0}
    eased, again = request([], owned=owned, accounts={"max_accounts_per_rep": 4, "max_moves": 2})
    assert len(allocate(eased, again).moves) == 2
    assert feasible(relaxed(question(formulate(eased, again))))


def test_a_question_is_left_open_at_its_limit_and_answered_without():
    rng = np.random.default_rng(1)
    blocks = Blocks()
    weights = rng.integers(100, 1000, 40)
    x = blocks.columns("x", list(range(40)), 0.0, 1.0, integer=True)
    blocks.rows("half", ["half"], Linear.total(x, weights * 2.0), float(weights.sum() | 1), float(weights.sum() | 1))
    assert settled(blocks.programme(), nodes=1) is not True
    easy = Blocks()
    y = easy.columns("y", ["y"], 0.0, 1.0, integer=True)
    easy.rows("some", ["y"], Linear.total(y), 0.5, 2.0)
    assert settled(easy.programme()) is True
    easy.rows("none", ["y"], Linear.total(y), -1.0, 0.4)
    assert settled(easy.programme()) is False
