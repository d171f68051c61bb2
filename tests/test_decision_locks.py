"""Locks on owners, training, care and shares of leads are named where they conflict; taking one off is a way out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocation_worlds import changed, lognormal, responses_of, world
from lead_worlds import asked_of, three_reps
from optimize.allocate import allocate
from optimize.decision_locks import LOCKS, decision_locks, standing_locks
from optimize.formulate import formulate
from optimize.loosening import conflicting, question
from scenarios.errors import InfeasiblePlan

FLOOR = {"rule": "growth", "floor": 0.0, "cap": None}
TRAINING = {"budget_hours": 16, "step_hours": 8, "per_rep_hours": 16, "skills": ["negotiation"]}
ACCOUNTS = [{"id": f"A{i}", "owner": "R3", "eligible": ["R1", "R2", "R3"], "sales_last": 30} for i in range(3)]
TEAM = [{"metric": "revenue", "target": 400}, {"metric": "revenue", "team": "T1", "target": 210}]


def request(rules, locks, accounts=(), targets=TEAM, **allocation):
    paths = [{"path": path, "value": value, "author": "m", "reason": "r"} for path, value in locks.items()]
    scenario = world(3, accounts, rules=rules, locks=paths, **allocation)
    people = [{**rep, "last_sales": 100} for rep in scenario.document()["reps"]]
    scenario = changed(scenario, reps=people, goals={"targets": targets})
    sales = lognormal(np.random.default_rng(4), (20, 3))
    return scenario, responses_of(scenario, sales, territory=np.full(3, 10000.0))


CASES = {
    "owner": ([FLOOR], {"owner.A0": "R1"}, {"accounts": ACCOUNTS}),
    "owner, a rule on ratios": (
        [FLOOR, {"rule": "spread", "maximum": 5.0}],
        {"owner.A0": "R1"},
        {"accounts": ACCOUNTS},
    ),
    "owner beside locks that do nothing": (
        [FLOOR],
        {"owner.A1": "R3", "owner.A0": "R1", "owner.A2": "R3", "training.R3.negotiation": 8},
        {"accounts": ACCOUNTS, "training": TRAINING},
    ),
    "training": (
        [{"rule": "training_floor", "hours": 8, "exempt": ["R3"]}],
        {"training.R1.negotiation": 16},
        {"training": TRAINING},
    ),
}


@pytest.mark.parametrize("mode", ["joint", "two_stage"])
@pytest.mark.parametrize("name", CASES)
def test_a_lock_in_the_way_is_named_and_taking_it_off_leads_to_a_plan(name, mode):
    rules, locks, more = CASES[name]
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(*request(rules, locks, mode=mode, **more))
    error = caught.value
    path = "training.R1.negotiation" if name == "training" else "owner.A0"
    value = "16" if name == "training" else "R1"
    named = [text for text in error.conflict if text.startswith(("owner.", "training.R"))]
    assert named == [f"{path} = {value}, locked by m (r)"]
    assert f"the lock {path}: remove it" in error.loosening
    assert f"{path} = {value}，锁定人：m (r)" in error.text("zh")
    without = {other: value for other, value in locks.items() if other != path}
    assert len(error.conflict) > 1
    assert allocate(*request(rules, without, mode=mode, **more)).plan


def test_no_lock_is_named_that_a_contradiction_does_without():
    rules = [{**FLOOR, "floor": 0.2}]
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(*request(rules, {"owner.A0": "R3"}, accounts=ACCOUNTS))
    assert not [text for text in caught.value.conflict if text.startswith("owner.")]
    assert not [text for text in caught.value.loosening if "lock" in text]


def test_two_locks_that_conflict_only_together_are_both_named_and_either_is_enough():
    targets = [TEAM[0], {**TEAM[1], "target": 240}]
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(*request([FLOOR], {"owner.A0": "R1", "owner.A1": "R2"}, accounts=ACCOUNTS, targets=targets))
    assert {text.partition(" ")[0] for text in caught.value.conflict} >= {"owner.A0", "owner.A1"}
    for path in ("owner.A0", "owner.A1"):
        assert f"the lock {path}: remove it" in caught.value.loosening
        left = {"owner.A0": "R1", "owner.A1": "R2"}
        del left[path]
        assert allocate(*request([FLOOR], left, accounts=ACCOUNTS, targets=targets)).plan


def test_a_locked_share_of_leads_is_named():
    scenario, found, _ = three_reps()
    document = scenario.document()
    locks = [{"path": "share.web.R1", "value": 0.9, "author": "m"}]
    rules = [{"rule": "potential_band", "tolerance": 0.1}, {"rule": "growth", "floor": None, "cap": 0.05}]
    people = [{**rep, "last_sales": 1000} for rep in document["reps"]]
    free = {"decide": True, "most_share": 1.0, "most_change": 1.0}
    asked = changed(scenario, reps=people, goals={"targets": [{"metric": "revenue", "target": 3000}]})
    asked, responses = asked_of(asked, found, leads=free, rules=rules, locks=locks)
    with pytest.raises(InfeasiblePlan) as caught:
        allocate(asked, responses)
    assert "share.web.R1 = 0.9, locked by m" in caught.value.conflict
    assert "the lock share.web.R1: remove it" in caught.value.loosening


def test_locks_of_care_are_taken_off_one_by_one():
    scenario, found = request([FLOOR], {"care.A0": 5, "care.A1": 6}, accounts=ACCOUNTS)
    problem = formulate(scenario, found)
    first, second = decision_locks(problem)
    assert (first.named.english, second.named.english) == (
        "care.A0 = 5, locked by m (r)",
        "care.A1 = 6, locked by m (r)",
    )
    assert set(first.change(problem).locks.care) == {1}


def test_of_too_many_locks_it_is_said_that_some_are_in_the_way(monkeypatch):
    problem = formulate(*request([FLOOR], {"owner.A0": "R1"}, accounts=ACCOUNTS))
    problem = replace(problem, firm=False)
    conflict = conflicting(question(problem))
    ((lock,), said) = standing_locks(problem, conflict)
    assert (lock.path, said) == ("owner.A0", [])
    monkeypatch.setattr("optimize.decision_locks.MOST", 0)
    assert standing_locks(problem, conflict) == ([], [LOCKS])
