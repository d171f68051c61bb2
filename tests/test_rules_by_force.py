"""Rules on work, training and regions against every plan there is, each rule judged by the test's own reading of it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog

from allocation_worlds import changed, lognormal, responses_of, world
from optimize.allocate import allocate
from optimize.formulate import formulate
from optimize.problem import Decisions, gains
from scenarios.errors import InfeasiblePlan

RULES = {
    "workload maximum": lambda rng: {"rule": "workload", "maximum": round(float(rng.uniform(0.62, 0.8)), 3)},
    "workload minimum": lambda rng: {
        "rule": "workload",
        "maximum": 1.0,
        "minimum": round(float(rng.uniform(0.48, 0.6)), 3),
    },
    "training floor": lambda rng: {"rule": "training_floor", "hours": float(rng.choice([4, 8]))},
    "parity by region": lambda rng: {
        "rule": "group_parity",
        "by": "region",
        "tolerance": round(float(rng.uniform(0.0, 0.06)), 3),
    },
}
REGIONS = ("N", "S", "S")


def tiny(seed, rule):
    """Three people in two regions, two or three accounts, a few hours of training, and one rule beside a wide band."""
    rng = np.random.default_rng(9000 + seed)
    reps, accounts = 3, int(rng.integers(2, 4))
    rows = [{"id": f"A{i}", "owner": f"R{1 + int(rng.integers(reps))}"} for i in range(accounts)]
    for row in rows:
        row["eligible"] = [f"R{r + 1}" for r in range(reps) if rng.random() < 0.6] or [row["owner"]]
    asked = RULES[rule](rng)
    scenario = world(
        reps,
        rows,
        rules=[{"rule": "potential_band", "tolerance": 0.4}, asked],
        training={"budget_hours": 12.0, "per_rep_hours": 8, "skills": ["negotiation"]},
    )
    scenario = changed(
        scenario,
        regions=[{"id": "N"}, {"id": "S"}],
        reps=[{"id": f"R{r + 1}", "team": "T1", "region": REGIONS[r]} for r in range(reps)],
        goals={"targets": [{"metric": "revenue", "target": float(rng.integers(90, 130) * reps)}]},
    )
    found = responses_of(
        scenario,
        lognormal(rng, (int(rng.integers(2, 9)), reps), cv=float(rng.uniform(0.3, 0.8))),
        account_unit=rng.uniform(0.02, 0.4, (accounts, reps)),
        account_displaced=rng.uniform(0, 300, (accounts, reps)),
        account_potential=rng.uniform(300, 2500, accounts),
        account_order_hours=rng.uniform(3, 16, (accounts, reps)),
        # So few hours that those of training tell.
        hours=np.full(reps, 60.0),
        load=rng.uniform(20, 37, reps),
        territory=rng.uniform(5000, 9000, reps),
    )
    gain = np.cumsum(np.sort(rng.uniform(0, 900, (reps, 1, found.training.steps)))[:, :, ::-1], axis=2)
    offer = replace(found.training, gain=np.concatenate([np.zeros((reps, 1, 1)), gain], axis=2))
    return scenario, replace(found, training=offer), asked


def best_split(sales, low, high, total, groups):
    """The most that quotas attain on average: a programme with a row for each person and year.

    Args:
        groups: members, least and most of the sum of their quotas.
    """
    years, reps = sales.shape
    value = np.concatenate([np.zeros(reps), np.full(years * reps, -1.0 / years)])
    rows, most = [], []
    for members, least, largest in groups:
        for sign, bound in ((1.0, largest), (-1.0, -least)):
            row = np.zeros(len(value))
            row[members] = sign
            rows.append(row)
            most.append(bound)
    within = np.hstack([-np.tile(np.eye(reps), (years, 1)), np.eye(years * reps)])
    found = linprog(
        value,
        A_ub=np.vstack([within, *rows]),
        b_ub=np.concatenate([np.zeros(years * reps), most]),
        A_eq=np.concatenate([np.ones(reps), np.zeros(years * reps)])[None],
        b_eq=[total],
        bounds=[*zip(low, high, strict=True), *((None, cell) for cell in sales.ravel())],
    )
    return -found.fun if found.status == 0 else -np.inf


def enumerated(problem, rule):
    """The best value over all owners and steps of training that keep the rule; -inf where none does."""
    offer, training, best = problem.accounts, problem.training, -np.inf
    reps = len(problem.reps)
    potential_of_all = problem.potential.sum() + offer.potential.sum()
    for owner in itertools.product(*(np.flatnonzero(row).tolist() for row in offer.allowed)):
        held = [np.array([a for a, of in enumerate(owner) if of == r], dtype=int) for r in range(reps)]
        potential = problem.potential + [offer.potential[mine].sum() for mine in held]
        for steps in itertools.product(range(training.steps + 1), repeat=reps):
            hours = np.array(steps) * training.step
            if hours.sum() > training.budget + 1e-9 or hours.max() > training.cap + 1e-9:
                continue
            if rule["rule"] == "training_floor" and hours.min() < rule["hours"]:
                continue
            if rule["rule"] == "workload":
                asked = problem.load + [offer.order_hours[mine, r].sum() for r, mine in enumerate(held)]
                load, power = asked / (problem.hours - hours), problem.sharpness
                busy = load / (1 + load**power) ** (1 / power)
                if busy.max() > rule["maximum"] + 1e-9 or busy.min() < rule.get("minimum", 0.0) - 1e-9:
                    continue
            middle = problem.total / potential_of_all * potential
            groups = []
            if rule["rule"] == "group_parity":
                for region in ("N", "S"):
                    members = [r for r in range(reps) if REGIONS[r] == region]
                    share, off = middle[members].sum(), rule["tolerance"]
                    groups.append((members, (1 - off) * share, (1 + off) * share))
            decisions = Decisions(np.array(owner), hours.reshape(training.base.shape), offer.care_base)
            sales = problem.samples + gains(problem, decisions)
            # What nobody's quota allows above its end, no split attains.
            if min(problem.total, np.minimum(sales, 1.4 * middle).sum(axis=1).mean()) > best:
                best = max(best, best_split(sales, 0.6 * middle, 1.4 * middle, problem.total, groups))
    return best


def agrees(seed, rule):
    """Whether there is a plan; if so, that both methods reach or bound the best of all."""
    scenario, found, asked = tiny(seed, rule)
    best = enumerated(formulate(scenario, found), asked)
    if best == -np.inf:
        for method in ("exact", "prices"):
            with pytest.raises(InfeasiblePlan):
                allocate(scenario, found, gap=1e-9, method=method)
        return False
    exact = allocate(scenario, found, gap=1e-9, method="exact")
    assert exact.model_value == pytest.approx(best, abs=5.0)
    assert all(row.kept for row in exact.rule_rows)
    priced = allocate(scenario, found, method="prices")
    assert priced.model_value <= best + 5.0
    assert priced.bound >= best - 5.0
    assert all(row.kept for row in priced.rule_rows)
    return True


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("block", [pytest.param(range(3)), pytest.param(range(3, 18), marks=pytest.mark.slow)])
def test_plans_under_each_rule_are_those_of_brute_force(rule, block):
    assert sum(agrees(seed, rule) for seed in block) >= len(block) / 3


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_costs_something_somewhere(rule):
    """A rule that never bites would be told as kept by a programme that had forgotten it."""
    costs = []
    for seed in range(6):
        scenario, found, _ = tiny(seed, rule)
        free = changed(
            scenario,
            allocation={
                **scenario.document()["allocation"],
                "rules": [{"rule": "potential_band", "tolerance": 0.4}],
            },
        )
        try:
            costs.append(
                allocate(free, replace(found, scenario=free.fingerprint())).model_value
                - allocate(scenario, found).model_value
            )
        except InfeasiblePlan:
            continue
    assert max(costs) > 10.0
