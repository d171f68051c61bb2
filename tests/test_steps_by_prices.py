"""Plans by prices leave every quota a whole step between its bounds wherever a little more care can see to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.allocation_instances import Shape, instance
from optimize.by_prices.method import by_prices
from optimize.problem import AllocationProblem
from optimize.rules import bounds, box
from optimize.whole_quotas import kept_quotas
from priced_worlds import caring, owned
from scenarios.goals import GrowthLimits, MinimumChance

SEEDS = range(1, 6)


def without_a_step(seed: int) -> AllocationProblem:
    """A request whose best decisions for sales leave the first rep's quota bounds, but no whole step between them."""
    shape = Shape(5, 30, samples=20, eligible=3)
    problem = caring(owned(instance(shape, seed), seed), seed, 0.4)
    still = replace(problem.accounts, history=np.zeros(30))
    rules = (GrowthLimits(floor=0.0, cap=None), MinimumChance(chance=0.3))
    total = float(round(0.9 * np.quantile(problem.basis, 0.7, axis=0).sum()))
    bare = replace(problem, accounts=still, rules=rules, last_sales=np.zeros(5), two_stage=True, total=total)
    found = by_prices(replace(bare, rounding_step=1))
    assert found is not None
    _, high = box(bare, bounds(bare, found.plan.decisions))
    last = 0.5 * high
    last[0] = 0.999 * high[0]
    return replace(bare, last_sales=last, rounding_step=round(high[0] / 150.5))


def test_care_makes_room_for_whole_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [without_a_step(seed) for seed in SEEDS]
    mended = 0
    for problem in requests:
        found = by_prices(problem)
        assert found is not None
        assert found.plan.in_steps
        assert kept_quotas(problem, found.plan.decisions).kept
        assert found.bound >= found.plan.value
    monkeypatch.setattr("optimize.by_prices.refit.STEP_TURNS", 0)
    for problem in requests:
        found = by_prices(problem)
        assert found is not None
        mended += not found.plan.in_steps
        # What is said to leave whole steps does.
        assert not found.plan.in_steps or kept_quotas(problem, found.plan.decisions).kept
    assert mended >= 2
