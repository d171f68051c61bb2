"""Simple rules: what each does in worlds where one can say it, what each keeps, and what it is honest about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocation_worlds import changed, lognormal, responses_of, world
from optimize.allocate import allocate
from optimize.baselines.plans import SIMPLE_RULES, judged_baselines
from optimize.formulate import formulate
from optimize.plans import decisions_of, quotas_of
from optimize.problem import gains
from optimize.split import attained
from scenarios.errors import InfeasiblePlan, InputRefused


def company(seed=1, **allocation):
    """Four reps, six accounts, training, two rules, one locked quota, and responses with something to gain."""
    rng = np.random.default_rng(seed)
    rows = [{"id": f"A{i}", "owner": f"R{1 + i % 4}", "sales_last": 0} for i in range(6)]
    people = [{"id": f"R{i}", "team": "T1" if i < 3 else "T2", "last_sales": 100} for i in (1, 2, 3, 4)]
    settings = {
        "rules": [{"rule": "potential_band", "tolerance": 0.25}, {"rule": "growth", "floor": -0.4, "cap": 0.4}],
        "training": {"budget_hours": 16, "per_rep_hours": 12, "skills": ["negotiation"]},
        "accounts": {"max_moves": 2},
        "locks": [{"path": "quota.R2", "value": 98.76, "author": "王"}],
        **allocation,
    }
    scenario = changed(
        world(4, rows, **settings), reps=people, goals={"targets": [{"metric": "revenue", "target": 420}]}
    )
    found = responses_of(
        scenario,
        lognormal(rng, (40, 4)),
        account_unit=rng.uniform(0.1, 0.5, (6, 4)),
        account_displaced=rng.uniform(0, 300, (6, 4)),
        account_potential=np.full(6, 500.0),
        territory=rng.uniform(9000, 11000, 4),
    )
    steps = np.arange(found.training.steps + 1.0)
    gain = np.sqrt(steps)[None, None, :] * np.array([[[900.0]], [[500.0]], [[300.0]], [[100.0]]])
    return scenario, replace(found, training=replace(found.training, gain=gain))


@pytest.mark.parametrize("seed", range(3))
def test_every_rule_keeps_total_and_locks_and_names_exactly_what_it_breaks(seed):
    scenario, found = company(seed)
    problem = formulate(scenario, found)
    plans = judged_baselines(scenario, found)
    assert set(plans) == set(SIMPLE_RULES)
    for name, one in plans.items():
        quotas = one.plan.quotas()
        assert sum(quotas.values()) == 420_00
        assert quotas["R2"] == 98_76
        decisions = decisions_of(problem, one.plan)
        assert decisions.training.sum() <= 16
        assert (decisions.owner != problem.accounts.today).sum() <= 2
        value = attained(problem.samples, gains(problem, decisions), quotas_of(problem, one.plan))
        assert one.model_value == pytest.approx(value)
        growth = {rep for rep, quota in quotas.items() if not 59_99 <= quota <= 140_01}
        assert set(one.breaks.get("growth_cap", ())) | set(one.breaks.get("growth_floor", ())) == growth, name
        assert len(one.plan.notes) == len(one.breaks)


@pytest.mark.parametrize("seed", range(3))
def test_the_plan_is_worth_at_least_every_rule_within_the_same_rules(seed):
    scenario, found = company(seed)
    best = allocate(scenario, found, gap=1e-9)
    for name, one in judged_baselines(scenario, found).items():
        if one.best_split_value is not None:
            assert best.model_value >= one.best_split_value * (1 - 1e-4), name
            assert one.breaks or one.best_split_value >= one.model_value * (1 - 1e-4), name
    free = judged_baselines(scenario, found, ["utilitarian"])["utilitarian"]
    unruled = allocate(
        changed(scenario, allocation={**scenario.document()["allocation"], "rules": []}), found, gap=1e-9
    )
    assert unruled.model_value >= best.model_value * (1 - 1e-4)
    assert free.breaks or free.model_value == pytest.approx(best.model_value, rel=1e-4)


def test_waterfall_fills_the_largest_first_and_keeps_what_others_must_have():
    people = [{"id": f"R{i}", "team": "T1", "last_sales": 100} for i in (1, 2, 3)]
    rules = [{"rule": "growth", "floor": -0.2, "cap": 0.3}]
    scenario = changed(world(3, rules=rules), reps=people)
    found = responses_of(scenario, [[90, 200, 110], [95, 210, 115]])
    quotas = judged_baselines(scenario, found, ["waterfall"])["waterfall"].plan.quotas()
    assert quotas == {"R2": 130_00, "R3": 90_00, "R1": 80_00}


def test_waterfall_without_caps_asks_nobody_for_more_than_was_ever_sold():
    found = responses_of(world(3), [[90, 200, 110], [95, 190, 115]])
    quotas = judged_baselines(world(3), found, ["waterfall"])["waterfall"].plan.quotas()
    assert quotas == {"R2": 200_00, "R3": 100_00, "R1": 0}
    short = changed(world(3), goals={"targets": [{"metric": "revenue", "target": 820}]})
    over = judged_baselines(short, replace(found, scenario=short.fingerprint()), ["waterfall"])[
        "waterfall"
    ].plan.quotas()
    assert sum(over.values()) == 820_00
    assert over["R1"] > 95_00


def test_training_goes_step_by_step_where_it_gains_most():
    scenario, found = company(locks=[])
    plans = judged_baselines(scenario, found, ["chain_training", "uniform_training"])
    hours = {rep: h for (rep, _), h in plans["chain_training"].plan.training_hours().items()}
    # Steps of sqrt: R1 gains 900, 373, 286; R2 500, 207; R3 300. The fourth step is R3's 300 against R1's 286.
    assert hours == {"R1": 8.0, "R2": 4.0, "R3": 4.0}
    even = {rep: h for (rep, _), h in plans["uniform_training"].plan.training_hours().items()}
    assert even == {"R1": 4.0, "R2": 4.0, "R3": 4.0, "R4": 4.0}
    assert plans["chain_training"].model_sales > plans["uniform_training"].model_sales


def test_owners_move_only_where_they_sell_more():
    rows = [{"id": f"A{i}", "owner": "R1", "eligible": ["R2"]} for i in range(3)]
    scenario = world(2, rows, accounts={"max_moves": 2})
    unit = np.array([[0.2, 0.5], [0.2, 0.9], [0.2, 0.3]])
    found = responses_of(scenario, [[100, 100], [120, 90]], account_unit=unit, account_displaced=np.zeros((3, 2)))
    plan = judged_baselines(scenario, found, ["greedy_owners"])["greedy_owners"].plan
    assert plan.owner_of() == {"A0": "R2", "A1": "R2", "A2": "R1"}
    assert plan.training == ()


def test_a_request_without_a_plan_leaves_the_simple_rules_that_need_none():
    scenario, found = company(rules=[{"rule": "growth", "floor": 0.0, "cap": 0.01}])
    with pytest.raises(InfeasiblePlan):
        judged_baselines(scenario, found)
    plans = judged_baselines(scenario, found, [name for name in SIMPLE_RULES if name != "two_stage"])
    assert all(one.breaks and one.best_split_value is None for one in plans.values())


def test_unknown_names_are_refused_with_the_known_ones():
    scenario, found = company()
    with pytest.raises(InputRefused, match=r"eqal.*equal, history"):
        judged_baselines(scenario, found, ["eqal"])


@pytest.mark.parametrize(
    ("locks", "expected"),
    [
        ((), {}),
        (({"path": "floor.R1", "value": 60},), {("floor", "R1"): 60_00}),
        (({"path": "floor.R4", "value": 130},), {("floor", "R4"): 130_00}),
        (({"path": "stretch.R1", "value": 70},), {("stretch", "R1"): 70_00}),
        (({"path": "floor.R4", "value": 130}, {"path": "stretch.R1", "value": 70}), {("floor", "R4"): 130_00}),
    ],
)
def test_every_rule_has_floors_and_stretches_around_its_quotas_and_keeps_locked_ones(locks, expected):
    scenario, _ = company()
    target = {"metric": "revenue", "target": 420, "floor": 300, "stretch": 600}
    scenario, found = company(locks=[*locks, {"path": "quota.R2", "value": 98.76}])
    scenario = changed(scenario, goals={"targets": [target]})
    found = replace(found, scenario=scenario.fingerprint())
    plans = judged_baselines(scenario, found)
    for one in plans.values():
        plan, quotas = one.plan, one.plan.quotas()
        floors, stretches = (plan.level_quotas(level) for level in ("floor", "stretch"))
        assert (sum(floors.values()), sum(quotas.values()), sum(stretches.values())) == (300_00, 420_00, 600_00)
        assert all(floors[rep] <= quotas[rep] <= stretches[rep] for rep in quotas)
        for (level, rep), value in expected.items():
            assert {"floor": floors, "stretch": stretches}[level][rep] == value
        assert "floors and stretches" not in one.breaks
    if not locks:
        allocated = allocate(scenario, found).plan
        assert sum(allocated.level_quotas("floor").values()) == 300_00


def test_levels_of_teams_that_a_rule_leaves_no_room_are_named():
    scenario, found = company(locks=[])
    targets = [
        {"metric": "revenue", "target": 420, "floor": 300},
        {"metric": "revenue", "team": "T1", "target": 240, "floor": 239},
    ]
    scenario = changed(scenario, goals={"targets": targets})
    one = judged_baselines(scenario, replace(found, scenario=scenario.fingerprint()), ["equal"])["equal"]
    assert "floors and stretches" not in one.breaks
    short = [{**targets[0]}, {"metric": "revenue", "team": "T1", "target": 240, "floor": 100}]
    short[0]["floor"] = 400
    scenario = changed(scenario, goals={"targets": short})
    one = judged_baselines(scenario, replace(found, scenario=scenario.fingerprint()), ["equal"])["equal"]
    assert one.breaks["floors and stretches"] == ("company",)
    assert not one.plan.levels
    assert "breaks floors and stretches for company" in one.plan.notes
