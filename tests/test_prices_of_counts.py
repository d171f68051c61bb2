"""Counts of accounts by tier and by team in the method by prices: bounds, gradients, plans that keep them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.allocation_instances import Shape, instance
from optimize.by_prices.feasibility import worst_breach
from optimize.by_prices.method import GAP, by_prices
from optimize.by_prices.refit import ALLOWED
from optimize.by_prices.relaxation import Relaxation
from optimize.by_prices.request import request_of
from optimize.model import build, money_unit
from optimize.optimum import optimise
from optimize.problem import AllocationProblem, Locks
from optimize.programme.solve import solve
from priced_worlds import numbered, owned
from scenarios.errors import InfeasiblePlan


def small(seed: int) -> AllocationProblem:
    return numbered(owned(instance(Shape(4, 14, samples=20, eligible=3), seed), seed), seed, most=2, crossing=2)


@pytest.mark.parametrize("seed", range(6))
def test_any_prices_of_counts_bound_the_relaxation_and_have_its_gradient(seed: int) -> None:
    problem = small(seed)
    model = build(problem)
    free = solve(replace(model.programme, integer=np.zeros_like(model.programme.integer)))
    relaxation = Relaxation(request_of(problem))
    best, found = relaxation.solve()
    if free.status == "infeasible":
        assert by_prices(problem) is None
        return
    assert free.objective - 1e-6 <= found.value <= free.objective * 1.003
    rng, counted = np.random.default_rng(seed), relaxation.at["counted"]
    for scale in (0.1, 1.0):
        for _ in range(20):
            z = np.clip(best + scale * rng.normal(size=best.size), relaxation.lower, relaxation.upper)
            assert relaxation.evaluate(z).value >= free.objective - 1e-6
    z = np.where(relaxation.lower == 0.0, np.abs(best) + 0.05, best)
    gradient, step = relaxation.evaluate(z, 0.1).gradient, 1e-6
    for i in range(counted.start, counted.stop):
        ends = [relaxation.evaluate(z + sign * step * np.eye(z.size)[i], 0.1).value for sign in (1.0, -1.0)]
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(gradient[i], rel=1e-3, abs=2e-3)


@pytest.mark.parametrize("seed", range(8))
def test_plans_keep_counts_and_are_the_best(seed: int) -> None:
    problem = small(seed)
    try:
        known = optimise(problem, gap=1e-6, method="exact")
    except InfeasiblePlan:
        assert by_prices(problem) is None
        return
    free = optimise(replace(problem, accounts=replace(problem.accounts, limits=())), gap=1e-6, method="exact")
    assert known.value <= free.value * (1 + 2e-6)
    for closing in (False, True):
        priced = by_prices(problem, closing=closing)
        if priced is None:
            assert not closing
            continue
        assert worst_breach(problem, priced.plan.decisions, priced.plan.quotas, money_unit(problem)) <= ALLOWED
        assert priced.bound >= known.value * (1 - 2e-6)
        assert priced.plan.value <= known.value * (1 + 2e-6)
        assert not closing or priced.gap <= GAP


@pytest.mark.parametrize(("seed", "closing"), [(1, True), (2, False)])
def test_counts_bind_and_are_kept_beyond_small_requests(seed: int, closing: bool) -> None:
    plain = owned(instance(Shape(30, 300, samples=60, room=1.5), seed), seed, moves=120, most=40)
    plain = plain.with_rules(plain.rules[:1])
    problem = numbered(plain, seed, most=5, crossing=9)
    priced, free = by_prices(problem, closing=closing), by_prices(plain)
    assert priced is not None
    assert free is not None
    assert any((limit.beyond(free.plan.decisions.owner) > 0).any() for limit in problem.accounts.limits)
    assert all((limit.beyond(priced.plan.decisions.owner) <= 0).all() for limit in problem.accounts.limits)
    assert priced.gap <= GAP


def test_a_count_gives_way_to_a_locked_owner_and_to_nothing_else() -> None:
    problem = small(1)
    offer = problem.accounts
    upper = np.flatnonzero(offer.limits[0].counts[:, 0])
    pairs = offer.allowed
    mine = [int(a) for a in upper if 0 in pairs.rep[pairs.start[a] : pairs.start[a + 1]]][:3]
    locked = replace(problem, locks=Locks(owner=dict.fromkeys(mine, 0)), rules=())
    locked = replace(locked, accounts=replace(offer, max_moves=14, limits=offer.limits[:1]))
    priced = by_prices(locked)
    assert priced is not None
    assert (priced.plan.decisions.owner[mine] == 0).all()
    beyond = offer.limits[0].beyond(priced.plan.decisions.owner)
    assert beyond[0] == len(mine) - 2
    assert (beyond[1:] <= 0).all()
