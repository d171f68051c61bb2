"""What prices leave open, closed by branch and bound: small requests under any mix of rules against the programme."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.allocation_instances import Shape, instance
from optimize.bent_curves import evenly_bent
from optimize.by_prices import closing
from optimize.by_prices.closing import Closing
from optimize.by_prices.method import GAP, by_prices
from optimize.by_prices.refit import ALLOWED, Refitting
from optimize.by_prices.relaxation import Relaxation
from optimize.by_prices.request import request_of
from optimize.found import NoStepError, Optimum
from optimize.model import Model, build, read_decisions
from optimize.optimum import optimise
from optimize.problem import AllocationProblem, Decisions, gains
from optimize.programme.curves import CareCurve, as_it_is
from optimize.programme.solve import Searched, searched
from priced_worlds import caring, drawn, owned, tight
from scenarios.errors import InfeasiblePlan

QUICK = (*((drawn, seed) for seed in (8, 9, 28, 34, 84)), *((tight, seed) for seed in (3, 13, 16, 21)))
"""Each of them had no plan, a wide gap, or a plan far below the best by prices and search alone."""


def exact(problem: AllocationProblem) -> Optimum | None:
    try:
        return optimise(problem, gap=1e-7, method="exact")
    except (NoStepError, InfeasiblePlan):
        return None


def held_to_branch_and_bound(problem: AllocationProblem) -> bool:
    """Whether there is a plan: then that by prices is within the gap that it says, and that is small."""
    known, priced = exact(problem), by_prices(problem)
    assert (known is None) == (priced is None)
    if known is None or priced is None:
        return False
    # What the programme's decisions come to above what is simulated, on the care curves themselves.
    fit = Refitting(problem, request_of(problem)).of(known.decisions)
    above = known.value - priced.simulated
    value = above if fit is None else min(fit.value, above)
    size = abs(value + priced.simulated)
    assert priced.plan.breach <= ALLOWED
    assert priced.bound >= value - 2e-6 * size
    assert priced.plan.value <= known.bound - priced.simulated + 2e-6 * size
    assert priced.plan.value >= value - (GAP + 2e-6) * size
    assert priced.gap <= GAP
    return True


@pytest.mark.parametrize(("world", "seed"), QUICK, ids=lambda value: getattr(value, "__name__", value))
def test_small_requests_are_solved_within_the_gap(world: Callable[[int], AllocationProblem], seed: int) -> None:
    assert held_to_branch_and_bound(world(seed))


@pytest.mark.slow
@pytest.mark.parametrize("world", [drawn, tight])
def test_a_hundred_small_requests_are_solved_within_the_gap(world: Callable[[int], AllocationProblem]) -> None:
    assert sum(held_to_branch_and_bound(world(seed)) for seed in range(100)) >= 40


@pytest.mark.parametrize("seed", range(4, 9))
def test_no_owner_of_a_better_plan_is_closed(seed: int) -> None:
    """At any prices, all owners of the best plan stay open below its value, and some others do not."""
    problem = owned(instance(Shape(5, 14, samples=20, eligible=3), seed))
    request = request_of(problem)
    best = exact(problem)
    assert best is not None
    relaxation, arcs = Relaxation(request), request.arcs
    found, _ = relaxation.solve()
    mine = best.decisions.owner[arcs.free][arcs.account] == arcs.rep
    rng = np.random.default_rng(seed)
    closed = 0
    for scale in (0.0, 0.01, 0.1, 1.0):
        z = np.clip(found + scale * rng.normal(size=found.size), relaxation.lower, relaxation.upper)
        open_ = Closing(problem, Refitting(problem, request), relaxation.evaluate(z)).open(best.value * (1 - 1e-7))
        assert open_[mine].all()
        closed += int((~open_).sum())
    assert closed > 0


def test_what_is_left_of_a_larger_request_is_closed_and_the_bound_holds() -> None:
    """Owners are fixed by prices here: the plan and the bound hold against the whole programme's."""
    problem = instance(Shape(6, 40, samples=20, eligible=4, room=0.6, effort=2.0), 5)
    priced = by_prices(problem, gap=2e-4)
    assert priced is not None
    assert priced.bound_type == "closed"
    assert priced.gap <= 2e-4
    best = optimise(problem, gap=1e-5, method="exact")
    assert priced.bound >= best.value * (1 - 1e-6)
    assert priced.plan.value >= best.value * (1 - 2e-4)


def test_a_limit_on_nodes_leaves_a_bound_that_holds_and_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = tight(3)
    whole = by_prices(problem, gap=1e-7)
    monkeypatch.setattr(closing, "EFFORT", 1)
    monkeypatch.setattr(closing, "LEAST_NODES", 1)
    first, second = by_prices(problem, gap=1e-7), by_prices(problem, gap=1e-7)
    assert whole is not None
    assert first is not None
    assert second is not None
    assert first.bound >= whole.plan.value * (1 - 1e-9)
    assert first.plan.value <= whole.bound * (1 + 1e-9)
    assert first.plan.quotas.tobytes() == second.plan.quotas.tobytes()
    assert first.history == second.history


S_SHAPED = {
    "adbudg": CareCurve("adbudg", (0.2, 2.2, 3.0, 1.5, 20.0)),
    "elasticity": CareCurve("elasticity", (1.0, 10.0, 0.6, 1.5), 15.0),
}


SMOOTHED = (("adbudg", 1.0), ("adbudg", 1.2))
"""Where envelopes promise more."""


@pytest.mark.parametrize("share", [0.6, 1.0, 1.2])
@pytest.mark.parametrize("name", S_SHAPED)
def test_care_on_a_curve_that_bends_is_told_as_it_is(name: str, share: float) -> None:
    """Two accounts share a budget: a grid of what one of them gets knows the best; envelopes promise more."""
    shape, hours = S_SHAPED[name], 40.0 if name == "adbudg" else 15.0
    problem = caring(instance(Shape(1, 2, samples=20, eligible=1, room=5.0), 1), 1)
    offer = replace(problem.accounts, curves=(shape, shape), care_budget=share * hours, house=None)
    problem = replace(problem, accounts=offer, rules=(), two_stage=True)
    knots = closing._knots(problem)
    bent, smooth = (build(problem, knots=knots, sales=True, bends=bends) for bends in (True, False))
    found, promised = (searched(one.programme, 0.0, 1_000) for one in (bent, smooth))
    owner, training = np.zeros(2, dtype=np.int64), found_training(problem, bent, found)
    each = np.linspace(0.0, share * hours, 201)
    sold = [
        float(gains(problem, Decisions(owner, training, np.array([one, other]))).sum())
        for one in each
        for other in (0.0, 0.5 * (share * hours - one), share * hours - one)
    ]
    best = max(sold)
    assert found.bound * bent.unit + bent.error >= best - 1e-6 * abs(best)
    assert found.bound * bent.unit == pytest.approx(best, rel=2e-3)
    assert promised.bound * smooth.unit + smooth.error >= best - 1e-6 * abs(best)
    if (name, share) in SMOOTHED:
        assert promised.bound * smooth.unit > best * (1 + 5e-3), "the envelope promises no more: this proves nothing"


def found_training(problem: AllocationProblem, model: Model, found: Searched) -> np.ndarray:
    assert found.values is not None
    return read_decisions(problem, model, found.values).training


@pytest.mark.parametrize("name", S_SHAPED)
def test_pieces_follow_a_bent_curve_within_their_error(name: str) -> None:
    shape = S_SHAPED[name]
    knots = evenly_bent(shape, 15.0, closing.CARE_KNOTS)
    cut = as_it_is(shape.sales, knots)
    at = cut.pieces.start + np.concatenate([[0.0], np.cumsum(cut.pieces.width)])
    height = cut.pieces.level + np.concatenate([[0.0], np.cumsum(cut.pieces.slope * cut.pieces.width)])
    fine = np.linspace(0.0, 15.0, 5_000)
    curve = np.array([shape.sales(float(h)) for h in fine])
    above = curve - np.interp(fine, at, height)
    assert above.max() <= cut.pieces.error + 1e-9
    assert cut.pieces.error < 0.01 * np.ptp(curve)
    assert cut.full.any()
    beyond = cut.pieces.slope[np.flatnonzero(cut.full)[-1] + 1 :]
    assert (np.diff(beyond) <= 1e-9).all()
