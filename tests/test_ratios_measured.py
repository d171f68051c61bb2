"""Rules on quota over potential where there is no potential: refused in words, or no quota."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import quotalab as ql
from allocation_worlds import changed, outcome_of, responses_of, world
from optimize.allocate import allocate
from optimize.audit import audit, broken
from optimize.formulate import formulate
from optimize.plans import decisions_of, quotas_of
from optimize.response.estimate import estimate
from optimize.whole_quotas import told_apart
from scenarios.errors import InputRefused
from scenarios.scenario import Scenario

RATIOS = ("potential_band", "spread", "gini", "group_parity")
TIED = ({"rule": "gini", "maximum": 0.1}, {"rule": "spread", "maximum": 0.3})


def people(*potentials: float) -> dict[str, Any]:
    return {"reps": [{"id": f"R{i + 1}", "team": "T1", "potential": p} for i, p in enumerate(potentials)]}


def sold(scenario: Scenario) -> np.ndarray:
    return np.random.default_rng(3).uniform(60, 140, (20, len(scenario.reps)))


@pytest.mark.parametrize("rule", RATIOS)
def test_potentials_of_nothing_are_refused_in_words(rule):
    scenario = changed(world(3, rules=[{"rule": rule}]), **people(0, 0, 0))
    with pytest.raises(InputRefused, match=rf"{rule} measures .* against potential, which is zero here") as caught:
        formulate(scenario, estimate(scenario, outcome_of(scenario, sold(scenario)), carriers=["R1", "R2", "R3"]))
    for rep in ("R1", "R2", "R3"):
        assert rep in str(caught.value), "all are named at once"


@pytest.mark.parametrize(("rule", "method"), [*((rule, "quotas") for rule in RATIOS), ("group_parity", "plans")])
def test_a_frontier_over_potentials_of_nothing_is_refused_in_words(rule, method):
    scenario = ql.load("starter", ["allocation.rules=[]"])
    document = scenario.document()
    reps = [{**rep, "potential": 0} for rep in document["reps"]]
    accounts = [{**account, "potential": 0} for account in document["accounts"]]
    scenario = changed(scenario, reps=reps, accounts=accounts)
    with pytest.raises(InputRefused, match=rf"{rule} measures .* which is zero here"):
        ql.frontier(scenario, rule, values=[0.1, 0.5], method=method, plan=ql.today_plan(scenario), replications=2)


def test_a_group_without_potential_is_refused_though_others_have_some():
    reps = people(1000, 1000, 0)["reps"]
    reps[2]["team"] = "T2"
    scenario = changed(world(3, rules=[{"rule": "group_parity", "by": "team"}]), reps=reps)
    responses = estimate(scenario, outcome_of(scenario, sold(scenario)))
    with pytest.raises(InputRefused, match=r"the quotas of team T2 .* give R3 potentials, or exempt them"):
        formulate(scenario, responses)
    exempt = [{"rule": "group_parity", "by": "team", "exempt": ["R3"]}]
    assert formulate(changed(scenario, allocation={"rules": exempt, "rounding_step": 1}), responses)


def test_potentials_below_those_of_the_accounts_in_them_are_refused_all_together():
    owned = [{"id": f"A{i}", "owner": f"R{1 + i // 2}", "potential": 400} for i in range(6)]
    scenario = changed(world(3, owned), **people(799.99, 800, 500))
    with pytest.raises(InputRefused) as caught:
        formulate(scenario, estimate(scenario, outcome_of(scenario, sold(scenario))))
    found = [(problem.where, problem.value) for problem in caught.value.problems]
    assert found == [("reps.R1.potential", "799.99"), ("reps.R3.potential", "500.00")]
    assert "less than the 800.00" in str(caught.value)


def emptied(rule: dict[str, Any], mode: str, **over: Any):
    """All that R1's territory holds is an account that keeps R2 from less work on leads."""
    scenario = changed(
        world(3, [{"id": "A", "owner": "R1", "eligible": ["R2"], "potential": 1000}], rules=[rule], mode=mode, **over),
        **people(1000, 1000, 1000),
    )
    return scenario, responses_of(scenario, sold(scenario), account_displaced=np.array([[3000.0, 0.0, 3000.0]]))


@pytest.mark.parametrize("method", ["exact", "prices"])
@pytest.mark.parametrize("mode", ["two_stage", "maximin"])
@pytest.mark.parametrize("rule", TIED, ids=str)
def test_whoever_is_left_without_potential_carries_no_quota_and_is_named(rule, mode, method):
    scenario, responses = emptied(rule, mode)
    plan = allocate(scenario, responses, method=method)
    assert plan.potentials["R1"] == 0
    assert plan.plan.quotas()["R1"] == 0
    row = next(row for row in plan.rule_rows if (row.rule, row.subject) == (rule["rule"], "R1"))
    assert row.kept
    note = next(note for note in plan.notes if note.startswith("no quota for R1"))
    assert note.endswith(": the plan's owners leave no potential for one")
    problem = formulate(scenario, responses)
    quotas = quotas_of(problem, plan.plan) + np.array([5000.0, -5000.0, 0.0])
    wrong = broken(audit(problem, decisions_of(problem, plan.plan), quotas))
    assert (rule["rule"], "R1") in {(row.rule, row.subject) for row in wrong}, "the audit of any plan says the same"


@pytest.mark.parametrize("mode", ["joint", "two_stage"])
@pytest.mark.parametrize("rule", TIED, ids=str)
def test_a_locked_quota_without_potential_is_an_exception_by_name(rule, mode):
    locks = [
        {"path": "owner.A", "value": "R2", "author": "Li"},
        {"path": "quota.R1", "value": 50, "author": "Wang"},
    ]
    scenario, responses = emptied(rule, mode, locks=locks)
    plan = allocate(scenario, responses)
    assert plan.plan.quotas()["R1"] == 5000
    assert any(text.startswith(f"{rule['rule']} of R1: ") and "Wang" in text for text in plan.exceptions)


def test_a_locked_quota_keeps_potential_where_owners_are_free():
    rule = {"rule": "gini", "maximum": 0.3}
    scenario, responses = emptied(rule, "two_stage", locks=[{"path": "quota.R1", "value": 50, "author": "Wang"}])
    plan = allocate(scenario, responses)
    assert plan.plan.quotas()["R1"] == 5000
    assert plan.potentials["R1"] > 0 or any(text.startswith("gini of R1: ") for text in plan.exceptions)


def test_figures_are_told_in_digits_that_tell_them_apart():
    assert told_apart(0.4567, 0.4) == ("0.4567", "0.4")
    assert told_apart(1.0000034, 1.0) == ("1.0000034", "1")
    assert told_apart(0.99999984, 1.0) == ("0.99999984", "1")
    assert told_apart(0.0500007846, 0.05) == ("0.05000079", "0.05"), "away from the limit, so that it suffices as one"
    assert told_apart(0.0499992154, 0.05) == ("0.04999921", "0.05")
    assert told_apart(0.3, 0.3) == ("0.3", "0.3")


def test_a_note_on_a_rule_that_whole_steps_break_tells_by_how_much():
    reps = [{"id": f"R{i + 1}", "team": "T1" if i < 2 else "T2", "potential": 1000 + 7 * i} for i in range(3)]
    rules = [{"rule": "group_parity", "by": "team", "tolerance": 0}]
    scenario = changed(world(3, rules=rules, rounding_step=1), reps=reps)
    plan = allocate(scenario, estimate(scenario, outcome_of(scenario, 1000 * sold(scenario))))
    rows = [row for row in plan.rule_rows if row.rule == "group_parity_team" and not row.kept]
    assert rows
    for row in rows:
        note = next(note for note in plan.notes if f"group_parity_team of {row.subject} is " in note)
        shown = float(note.split(" is ")[1].split()[0])
        assert shown != row.limit
        assert shown == pytest.approx(row.actual, abs=0.1 * abs(row.actual - row.limit))
