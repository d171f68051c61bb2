"""Care, two stages and steps near a simulated plan by prices: branch and bound, grids and finite differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.allocation_instances import Shape, instance
from optimize.by_prices.care import FORMS, PARAMETERS
from optimize.by_prices.care_curves import best, curve
from optimize.by_prices.method import by_prices
from optimize.by_prices.refit import ALLOWED, Refitting
from optimize.by_prices.relaxation import Relaxation
from optimize.by_prices.request import request_of
from optimize.found import NoStepError, Optimum
from optimize.loop.steps import first_region
from optimize.optimum import optimise, out_of_reach
from optimize.problem import AllocationProblem, TrustRegion, gains, held
from optimize.programme.curves import CareCurve
from priced_worlds import caring, drawn, owned
from scenarios.errors import InfeasiblePlan
from scenarios.goals import PotentialBand, Workload

QUICK = (48, 55, 57, 62, 87, 96)
"""Seeds of requests that branch and bound solves in a moment."""


def exact(problem: AllocationProblem) -> Optimum | None:
    try:
        return optimise(problem, gap=1e-7, method="exact")
    except (NoStepError, InfeasiblePlan):
        return None


def attainable(problem: AllocationProblem, found: Optimum) -> float:
    """What decisions of the programme come to on the curves themselves: its pieces of an S-shape lie above."""
    fit = Refitting(problem, request_of(problem)).of(found.decisions)
    value = found.value - sold(problem)
    return value if fit is None else min(fit.value, value)


def sold(problem: AllocationProblem) -> float:
    """Sales of the simulated plan, which prices leave out of what two stages maximise."""
    return float(problem.samples.mean(axis=0).sum()) if problem.two_stage else 0.0


def compared(seed: int) -> bool:
    """Hold one request by prices to branch and bound; whether both have a plan."""
    problem = drawn(seed)
    known, priced = exact(problem), by_prices(problem, gap=1e-6, closing=False)
    if known is None:
        assert priced is None
        return False
    if priced is None:
        return False  # prices may fail to find owners where only a few fit: then the programme decides
    value = attainable(problem, known)
    size = abs(value + priced.simulated)
    assert priced.bound >= value - 2e-6 * size
    assert priced.plan.value <= known.bound - sold(problem) + 2e-6 * size
    assert priced.plan.value >= value - (priced.gap + 2e-6) * size
    assert priced.plan.breach <= ALLOWED
    within(problem, priced.plan.decisions)
    return True


def within(problem: AllocationProblem, decisions) -> None:
    """The limits on a step and on care, written down once more."""
    offer, base = problem.accounts, problem.base_decisions()
    if offer.care_budget is not None and not problem.locks:
        assert decisions.care.sum() <= offer.care_budget * (1 + 1e-9)
        assert decisions.care.min() >= 0.0
    if problem.trust is not None and not problem.locks:
        assert (decisions.owner != base.owner).sum() <= problem.trust.moves
        assert np.abs(decisions.training - base.training).sum() <= problem.trust.hours + 1e-6
        assert np.abs(decisions.care - base.care).sum() <= problem.trust.care + 1e-6


def test_plans_and_bounds_hold_against_branch_and_bound() -> None:
    assert sum(compared(seed) for seed in QUICK) == len(QUICK)


@pytest.mark.slow
def test_plans_and_bounds_hold_against_branch_and_bound_on_many_requests() -> None:
    assert sum(compared(seed) for seed in range(200)) >= 90


def with_owners(seed: int, share: float = 1.0) -> AllocationProblem:
    shape = Shape(5, 14, samples=20, eligible=3, room=2.5)
    problem = caring(owned(instance(shape, seed), seed), seed, share)
    return problem.with_rules(tuple(rule for rule in problem.rules if isinstance(rule, PotentialBand | Workload)))


STEP = TrustRegion(60.0, 3, 40.0)
WORLDS = {
    "care": caring(instance(Shape(5, 14, samples=20, eligible=3), 1), 1),
    "care in two stages": replace(caring(instance(Shape(5, 14, samples=20, eligible=3), 2), 2), two_stage=True),
    "a step": replace(with_owners(11), trust=STEP),
    "a step in two stages": replace(with_owners(12), trust=STEP, two_stage=True),
}


@pytest.mark.parametrize("name", WORLDS)
def test_any_prices_bound_every_plan(name: str) -> None:
    problem = WORLDS[name]
    priced = by_prices(problem, gap=1e-6, closing=False)
    assert priced is not None
    request = request_of(problem)
    relaxation = Relaxation(request)
    found, _ = relaxation.solve()
    rng = np.random.default_rng(0)
    for scale in (0.01, 0.1, 1.0):
        for _ in range(25):
            z = np.clip(found + scale * rng.normal(size=found.size), relaxation.lower, relaxation.upper)
            assert relaxation.evaluate(z).value * request.unit >= priced.plan.value * (1 - 1e-9)


@pytest.mark.parametrize("name", WORLDS)
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    relaxation = Relaxation(request_of(WORLDS[name]))
    found, _ = relaxation.solve()
    rng = np.random.default_rng(1)
    z = np.where(relaxation.lower == 0.0, np.abs(found) + rng.uniform(0.02, 0.1, found.size), found)
    z = np.clip(z + 0.01 * rng.normal(size=found.size), relaxation.lower, relaxation.upper)
    gradient, step = relaxation.evaluate(z, 0.1).gradient, 1e-6
    for i in np.flatnonzero(relaxation.upper > relaxation.lower):
        ends = [relaxation.evaluate(z + sign * step * np.eye(found.size)[i], 0.1).value for sign in (1.0, -1.0)]
        which = next(kind for kind, part in relaxation.at.items() if part.start <= i < part.stop)
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(gradient[i], rel=1e-3, abs=5e-3), which


CURVES = {
    "elasticity": CareCurve("elasticity", (3.0, 20.0, 0.3, 1.5), 30.0),
    "elasticity of one": CareCurve("elasticity", (3.0, 20.0, 1.0, 1.5), 30.0),
    "nothing owed": CareCurve("elasticity", (3.0, 0.0, 0.3, 1.5), 30.0),
    "exponential": CareCurve("exponential", (4.0, 0.1)),
    "adbudg": CareCurve("adbudg", (0.5, 4.0, 0.8, 0.6, 20.0)),
    "adbudg, S-shaped": CareCurve("adbudg", (0.5, 4.0, 2.5, 0.6, 20.0)),
}


@pytest.mark.parametrize("name", CURVES)
def test_hours_of_care_at_prices_are_those_of_a_grid(name: str) -> None:
    shape = CURVES[name]
    form, parameters = FORMS[shape.form], np.zeros(PARAMETERS)
    parameters[: len(shape.parameters)] = shape.parameters
    rng = np.random.default_rng(3)
    for _ in range(60):
        worth, cost = float(rng.uniform(-0.5, 3)), float(rng.choice([-0.02, 0.0, *rng.uniform(0.0, 0.4, 4)]))
        change, base = float(rng.choice([0.0, 0.05, 0.3])), float(rng.uniform(0, 45))
        bottom, top = 0.0, float(rng.uniform(5, 40))
        ends = [shape.sales(bottom), shape.sales(top)]
        hours, sold = best(form, parameters, worth, cost, change, base, bottom, top, *ends)
        grid = np.linspace(bottom, top, 20_001)
        sales = np.array([shape.sales(float(h)) for h in grid])
        value = (worth * sales - cost * grid - change * np.abs(grid - base)).max()
        assert bottom <= hours <= top
        if worth > 0.0:
            assert sold == pytest.approx(shape.sales(hours), rel=1e-12)
            assert sold == pytest.approx(curve(form, parameters, hours), rel=1e-12)
        assert worth * sold - cost * hours - change * abs(hours - base) >= value - 1e-9


@pytest.mark.parametrize("region", [None, TrustRegion(1e9, 1_000, 30.0)], ids=["free", "near the simulated plan"])
@pytest.mark.parametrize("budget", [0.7, 0.95])
def test_care_of_settled_owners_is_that_of_the_programme(budget: float, region: TrustRegion | None) -> None:
    """Concave curves only: there both are the optimum."""
    problem = with_owners(14)
    offer = problem.accounts
    if region is not None:
        offer = replace(offer, care_base=offer.care_base * 0.9)
    rng = np.random.default_rng(0)
    curves = [
        CareCurve("exponential", (float(rng.uniform(0.5, 1.5)), float(rng.uniform(0.02, 0.1)))) for _ in offer.ids
    ]
    most = float(problem.accounts.care_base.sum()) * budget
    if region is not None:
        most = max(most, float(offer.care_base.sum()) - 20.0)
    problem = replace(
        problem, accounts=replace(offer, curves=tuple(curves), care_budget=most), rules=(), two_stage=True
    )
    fixed = held(replace(problem, trust=region), problem.base_decisions(), care=False)
    known, priced = optimise(fixed, gap=1e-7, method="exact"), by_prices(fixed, gap=1e-9)
    assert priced is not None
    assert priced.plan.breach <= ALLOWED
    assert priced.plan.value == pytest.approx(known.value - sold(fixed), rel=1e-6)


def test_large_steps_are_in_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = replace(
        caring(owned(instance(Shape(8, 60, samples=30, room=2.5), 4), 4, moves=20, most=30), 4), two_stage=True
    )
    problem = replace(problem, rules=(), trust=first_region(problem))
    monkeypatch.setattr("optimize.optimum.LARGE", 10)
    assert not out_of_reach(problem)
    found = optimise(problem)
    assert found.bound_type != "programme"
    assert found.status == "optimal"
    assert found.value - sold(problem) == pytest.approx(gains(problem, found.decisions).sum(), rel=1e-6)
    assert found.bound >= found.value
