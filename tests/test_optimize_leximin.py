"""Lexicographic max-min and alpha fairness: a published case, brute force over quotas, limits of alpha."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from allocation_worlds import changed, lognormal, responses_of, world
from optimize import quotas
from optimize.allocate import allocate
from optimize.audit import broken
from optimize.formulate import formulate
from optimize.leximin import leximin
from optimize.problem import gains
from optimize.programme.blocks import Blocks, Linear
from optimize.programme.solve import solve
from optimize.quotas import best_quotas, exact_quotas
from optimize.rules import bounds, box
from optimize.welfare import attainments, equally_spread
from scenarios.errors import Unsupported
from test_optimize_fairness import keeps, request

NEEDS = (
    ((1, 2, 4, 7, 0, 0), 16),
    ((2.5, 3.5, 0, 0, 5.2, 0), 17.5),
    ((0, 0.4, 0, 1.3, 0, 7.2), 12),
    ((0, 2.5, 3.5, 0, 5.2, 0), 13.1),
    ((3.5, 0, 0, 3.5, 0, 5.2), 18.2),
)


def needs(**columns) -> tuple[Blocks, np.ndarray]:
    blocks = Blocks()
    x = blocks.columns("x", list(range(6)), 0.0, np.inf, **columns)
    for weights, least in NEEDS:
        blocks.rows("need", ["all"], Linear.total(x, np.array(weights, dtype=float)), lower=least)
    return blocks, x


def test_lexicographic_minimum_of_lindo():
    """Six shares that meet five needs, the largest as small as can be, then the next (an example of LINDO Systems)."""
    blocks, x = needs()
    found = leximin(blocks.programme(), Linear.columns(x, -1.0), Linear.constants(np.ones(6)))
    shares = np.sort(-found.outcomes)[::-1]
    assert shares == pytest.approx([1.5625] * 3 + [1.463362] * 2 + [0.305357], abs=2e-6)
    assert shares.sum() == pytest.approx(7.919581, abs=2e-6)
    assert found.rounds == 3
    blocks, x = needs()
    blocks.reward(Linear.columns(x, -1.0))
    assert -solve(blocks.programme()).objective == pytest.approx(7.377199, abs=2e-6), "the least sum is another plan"


def test_whole_outcomes_are_refused_and_nothing_feasible_is_none():
    blocks, x = needs(integer=True)
    with pytest.raises(ValueError, match="whole"):
        leximin(blocks.programme(), Linear.columns(x), Linear.constants(np.ones(6)))
    blocks, x = needs()
    blocks.rows("none", ["all"], Linear.total(x), upper=1.0)
    assert leximin(blocks.programme(), Linear.columns(x), Linear.constants(np.ones(6))) is None


def grid_of(sales, step=1.0):
    first, second = np.meshgrid(np.arange(20, 240, step), np.arange(20, 240, step), indexing="ij")
    grid = np.stack([first.ravel(), second.ravel(), 300 - first.ravel() - second.ravel()], axis=1)
    grid = grid[grid[:, 2] >= 5]
    return grid, np.stack([np.minimum(sales, q).mean(axis=0) for q in grid]) / grid


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    "rule", [None, {"rule": "spread", "maximum": 0.5}, {"rule": "group_parity", "tolerance": 0.05}]
)
def test_leximin_is_that_of_brute_force(seed, rule):
    scenario, found = request([rule] if rule else [], seed, mode="maximin")
    sales = found.samples / 100
    grid, shares = grid_of(sales)
    if rule:
        kept = keeps(rule, grid, sales, found.territory / 100, ("T1", "T1", "T2"))
        grid, shares = grid[kept], shares[kept]
    result = allocate(scenario, found)
    planned = np.array([result.plan.quotas()[rep] / 100 for rep in found.reps])
    mine = np.sort(np.minimum(sales, planned).mean(axis=0) / planned)
    ordered = np.sort(shares, axis=1)
    best = ordered[np.lexsort(ordered.T[::-1])[-1]]
    # One unit of the grid moves an attainment by less than a hundredth.
    assert mine[0] >= best[0] - 1e-4
    assert mine[0] <= best[0] + 0.01
    near = ordered[ordered[:, 0] >= mine[0] - 1e-3]
    assert mine[1] >= near[:, 1].max(initial=0.0) - 0.01
    assert not broken(list(result.rule_rows))


def test_leximin_between_bounds_is_one_attainment_clipped():
    rng = np.random.default_rng(3)
    targets = [{"metric": "revenue", "target": 1200}, {"metric": "revenue", "team": "T1", "target": 230}]
    scenario = world(12, rules=[{"rule": "potential_band", "tolerance": 0.25}], mode="maximin")
    scenario = changed(scenario, goals={"targets": targets})
    sales = lognormal(rng, (60, 12)) * rng.uniform(0.6, 1.5, 12)
    territory = rng.uniform(8000, 12000, 12)
    by_id = sorted(range(12), key=lambda row: scenario.reps[row].id)
    problem = formulate(scenario, responses_of(scenario, sales, territory=territory[by_id]))
    decisions = problem.base_decisions()
    gain, limits = gains(problem, decisions), box(problem, bounds(problem, decisions))
    programme = exact_quotas(problem, decisions)
    clipped = quotas._at_one_attainment(problem, gain, *limits)
    assert programme == pytest.approx(clipped, rel=1e-6)
    assert programme.sum() == pytest.approx(problem.total, rel=1e-9)
    assert len(set(np.round(attainments(problem, gain, programme), 6))) > 2


def power_mean(shares, weights, alpha):
    """Weighted power mean of order 1 - alpha, by rows."""
    weights = weights / weights.sum(axis=1, keepdims=True)
    if alpha == 1:
        return np.exp((weights * np.log(shares)).sum(axis=1))
    return (weights * shares ** (1 - alpha)).sum(axis=1) ** (1 / (1 - alpha))


@pytest.mark.parametrize("alpha", [0.5, 1.0, 3.0, 12.0])
@pytest.mark.parametrize("rule", [None, {"rule": "gini", "maximum": 0.15}])
def test_alpha_fairness_is_that_of_brute_force(alpha, rule):
    scenario, found = request([rule] if rule else [], 2, mode="alpha", alpha=alpha)
    sales = found.samples / 100
    grid, shares = grid_of(sales)
    if rule:
        kept = keeps(rule, grid, sales, found.territory / 100, ())
        grid, shares = grid[kept], shares[kept]
    best = power_mean(shares, grid, alpha).max()
    problem = formulate(scenario, found)
    decisions = problem.base_decisions()
    exact = exact_quotas(problem, decisions)
    worth = equally_spread(problem, gains(problem, decisions), exact, alpha) / problem.total
    mine = np.minimum(sales, exact / 100).mean(axis=0) / (exact / 100)
    assert worth == pytest.approx(power_mean(mine[None], exact[None], alpha)[0], rel=1e-9)
    assert best - 1e-6 <= worth <= best + 2e-3
    assert not broken(list(allocate(scenario, found).rule_rows))


def test_alpha_leads_from_the_largest_sum_to_the_best_worst_off():
    def shares(**mode):
        scenario, found = request([], 2, **mode)
        problem = formulate(scenario, found)
        decisions = problem.base_decisions()
        made = exact_quotas(problem, decisions)
        found_shares = attainments(problem, gains(problem, decisions), made)
        return made, found_shares.min(), float(found_shares @ made)

    path = [shares(mode="alpha", alpha=alpha) for alpha in (0.0, 0.5, 1.0, 2.0, 5.0, 20.0)]
    largest, fairest = shares(mode="two_stage"), shares(mode="maximin")
    assert path[0][0] == pytest.approx(largest[0])
    for (_, low, total), (_, higher, less) in itertools.pairwise([*path, fairest]):
        assert higher >= low - 1e-6
        assert less <= total + 1e-3 * total * 1e-3
    assert fairest[1] - path[-1][1] < 0.02
    assert fairest[1] - path[0][1] > 0.03


def test_locks_hold_in_every_mode_and_rules_give_way_no_further():
    locks = [{"path": "quota.R1", "value": 165, "author": "王"}]
    rules = [{"rule": "potential_band", "tolerance": 0.5}, {"rule": "spread", "maximum": 0.6}]
    gaps = {}
    for mode in ("two_stage", "maximin", "alpha"):
        scenario, found = request(rules, 2, mode=mode, locks=locks)
        result = allocate(scenario, found)
        assert result.plan.quotas()["R1"] == 165_00
        assert sum(result.plan.quotas().values()) == 300_00
        row = next(row for row in result.rule_rows if row.rule == "spread")
        assert "王" in row.exception
        gaps[mode] = row.actual
    assert gaps["maximin"] == pytest.approx(gaps["two_stage"], abs=1e-4)
    assert gaps["alpha"] == pytest.approx(gaps["two_stage"], abs=1e-4)


def test_max_min_with_levels_to_choose_from_is_refused_by_name():
    scenario, found = request([{"rule": "equal_odds"}], 2, mode="maximin")
    with pytest.raises(Unsupported, match="equal_odds"):
        allocate(scenario, found)
    scenario, found = request([{"rule": "equal_odds", "width": 0.25}], 2, mode="alpha", alpha=2)
    assert not broken(list(allocate(scenario, found).rule_rows))
    problem = formulate(scenario, found)
    assert best_quotas(problem, problem.base_decisions()) is not None
