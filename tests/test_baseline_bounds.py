"""Simple rules that are clipped to the rules: whose bounds they keep, whose give way, and how far."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from allocation_worlds import changed, lognormal, responses_of, world
from optimize.baselines.plans import SIMPLE_RULES, judged_baselines
from optimize.formulate import formulate
from optimize.rules import bounds
from scenarios.errors import InputRefused

CLIPPED = ("waterfall", "mean_clipped", "greedy_owners", "uniform_training", "chain_training", "strong")


def company(seed):
    """Five reps, rules whose bounds may cross, now and then a lock, a team total or a coarse step."""
    rng = np.random.default_rng(seed)
    last = rng.choice([40, 80, 100, 130, 260], 5)
    rows = [{"id": f"A{i}", "owner": f"R{1 + i % 5}", "sales_last": 0} for i in range(5)]
    people = [
        {"id": f"R{i + 1}", "team": "T1" if i < 3 else "T2", "last_sales": float(sold)} for i, sold in enumerate(last)
    ]
    rules = [
        {"rule": "potential_band", "tolerance": float(rng.choice([0.1, 0.3, 0.6]))},
        {"rule": "growth", "floor": float(rng.choice([-0.5, -0.1, 0.1])), "cap": float(rng.choice([0.3, 1.0, 5.0]))},
        {"rule": "min_expected_attainment", "share": float(rng.choice([0.5, 0.9]))},
    ]
    locks = [
        {"path": f"quota.R{rng.integers(1, 6)}", "value": float(rng.integers(50, 150))},
        {"path": f"floor.R{rng.integers(1, 6)}", "value": float(rng.integers(50, 150))},
        {"path": f"stretch.R{rng.integers(1, 6)}", "value": float(rng.integers(80, 150))},
    ]
    settings = {
        "rules": [rule for rule in rules if rng.random() < 0.7],
        "training": {"budget_hours": 16, "per_rep_hours": 12, "skills": ["negotiation"]},
        "accounts": {"max_moves": 2},
        "rounding_step": float(rng.choice([0.01, 10.0])),
        "locks": [lock for lock in locks if rng.random() < 0.25],
    }
    total = float(rng.choice([300, 500, 700]))
    targets = [{"metric": "revenue", "target": total, "floor": 0.5 * total, "stretch": 2 * total}]
    if rng.random() < 0.5:
        targets.append({"metric": "revenue", "team": "T1", "target": round(total * rng.uniform(0.4, 0.8), 2)})
    scenario = changed(world(5, rows, **settings), reps=people, goals={"targets": targets})
    found = responses_of(
        scenario,
        lognormal(rng, (30, 5)),
        account_unit=rng.uniform(0.1, 0.5, (5, 5)),
        account_displaced=rng.uniform(0, 300, (5, 5)),
        account_potential=np.full(5, 500.0),
        territory=rng.uniform(6000, 14000, 5),
    )
    steps = np.arange(found.training.steps + 1.0)
    gain = np.sqrt(steps)[None, None, :] * rng.uniform(100, 900, (5, 1, 1))
    return scenario, replace(found, training=replace(found.training, gain=gain))


def ends(problem, decisions):
    """The least and the most that rules and locks leave each rep, and whether they leave anything."""
    least, most, crossed = [], [], []
    for r in range(len(problem.reps)):
        mine = [one for one in bounds(problem, decisions) if one.rep == r]
        low = max([0.0, *(one.value for one in mine if one.side == "lower")])
        high = min([np.inf, *(one.value for one in mine if one.side == "upper")])
        crossed.append(low > high)
        low, high = min(low, high), max(low, high)
        if r in problem.locks.quota:
            low = high = problem.locks.quota[r]
            crossed[-1] = False
        least.append(low)
        most.append(high)
    return np.array(least), np.array(most), np.array(crossed)


def of_groups(problem):
    """Who has a sum of their own, and that sum."""
    everybody, mine = np.arange(5), problem.team_totals.get("T1")
    if mine is None:
        return [(everybody, problem.total)]
    return [(everybody[:3], mine), (everybody[3:], problem.total - mine)]


@pytest.mark.parametrize("block", range(4))
def test_only_who_has_no_quota_within_the_rules_gives_way(block):
    seen = {"crossed": 0, "kept": 0, "too much asked": 0, "too little allowed": 0}
    for seed in range(40 * block, 40 * block + 40):
        try:
            scenario, found = company(seed)
            problem = formulate(scenario, found)
        except InputRefused:
            continue  # locks that contradict each other
        for name in CLIPPED:
            decisions, quotas = SIMPLE_RULES[name].make(problem)
            low, high, crossed = ends(problem, decisions)
            ranged = np.isin(np.arange(5), [*problem.locks.least, *problem.locks.most])
            step = max(problem.rounding_step, 1)
            assert quotas.sum() == problem.total, (seed, name)
            for members, total in of_groups(problem):
                assert quotas[members].sum() == pytest.approx(total, abs=0.5)
                if ranged[members].any():
                    continue  # what locks on floors and stretches leave has tests of its own
                within = (quotas >= low - step) & (quotas <= high + step)
                if low[members].sum() > total + len(members):
                    seen["too much asked"] += 1
                    assert (quotas <= low + step)[members].all(), (seed, name)
                    free = [r for r in members if r not in problem.locks.quota and low[r] > 0]
                    shares = quotas[free] / low[free]
                    assert np.ptp(shares) <= (2 * step / low[free]).max(), (seed, name)
                elif high[members].sum() < total - len(members):
                    seen["too little allowed"] += 1
                    assert (quotas >= high - step)[members].all(), (seed, name)
                else:
                    seen["kept"] += 1
                    seen["crossed"] += int(crossed[members].any())
                    assert within[members].all(), (seed, name)
    assert all(seen.values()), seen


def test_one_rep_whose_bounds_cross_takes_nothing_from_the_others():
    rules = [{"rule": "growth", "floor": 0.0, "cap": 0.25}, {"rule": "potential_band", "tolerance": 0.1}]
    people = [{"id": f"R{i}", "team": "T1", "last_sales": 95 if i < 4 else 150} for i in (1, 2, 3, 4)]
    targets = [{"metric": "revenue", "target": 420}]
    scenario = changed(world(4, rules=rules), reps=people, goals={"targets": targets})
    found = responses_of(scenario, [[30, 100, 150, 100], [40, 110, 160, 90]], territory=np.full(4, 10500.0))
    for name, one in judged_baselines(scenario, found, CLIPPED).items():
        quotas = one.plan.quotas()
        # Bounds of R4: at least 150 by growth, at most 115.50 by potential; of the others 95 to 115.50.
        assert all(95_00 <= quotas[rep] <= 115_50 for rep in ("R1", "R2", "R3")), name
        assert 115_50 <= quotas["R4"] <= 150_00
        assert sum(quotas.values()) == 420_00
        assert {rep for reps in one.breaks.values() for rep in reps} == {"R4"}
        assert any("R4" in note for note in one.plan.notes)
