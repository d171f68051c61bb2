"""Requests beyond one programme: what is told without asking about all owners is true of all of them."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.allocation_instances import Shape, instance
from optimize.by_prices.feasibility import worst_breach
from optimize.by_prices.method import priced_or_bound
from optimize.found import NoPlanError, Optimum
from optimize.infeasible import OWNERS_AS_SIMULATED
from optimize.optimum import BY_SIMULATED_OWNERS, UNBOUNDED, decided, optimise
from optimize.pairs import Pairs, as_pairs
from optimize.planned import planned
from optimize.problem import AllocationProblem
from optimize.quotas import NoQuotasError
from optimize.reach import open_pairs, within_reach
from optimize.whole_quotas import kept_quotas
from priced_worlds import owned
from scenarios.errors import InfeasiblePlan
from scenarios.goals import GrowthLimits, MinimumChance, PotentialBand, Spread, Workload


def tight(seed: int) -> AllocationProblem:
    """A request of a few reps whose rules on single quotas leave a plan or not, accounts with owners of today."""
    rng = np.random.default_rng([seed, 17])
    reps, accounts = int(rng.integers(3, 6)), int(rng.integers(6, 12))
    problem = owned(instance(Shape(reps, accounts, samples=20, eligible=3), seed), seed, moves=int(rng.integers(1, 5)))
    rules = (
        PotentialBand(tolerance=float(rng.uniform(0.2, 0.9))),
        GrowthLimits(floor=float(rng.uniform(-0.7, -0.2)), cap=None),
        MinimumChance(chance=float(rng.uniform(0.02, 0.3))),
        Workload(maximum=float(rng.uniform(0.97, 0.999))),
    )
    return replace(problem, rules=rules, two_stage=bool(rng.random() < 0.5))


def exact(problem: AllocationProblem) -> Optimum | None:
    try:
        return decided(problem, method="exact")
    except (NoPlanError, NoQuotasError):
        return None


def answer(problem: AllocationProblem) -> Optimum | InfeasiblePlan:
    try:
        return optimise(problem)
    except InfeasiblePlan as refused:
        return refused


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Every company is beyond one programme, and prices lead to no plan."""
    monkeypatch.setattr("optimize.optimum.LARGE", 1)
    monkeypatch.setattr("optimize.reach.OUT_OF_REACH", 1)
    return monkeypatch


def without_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prices end with their bound alone."""

    def ended(problem: AllocationProblem, gap: float) -> float:
        found = priced_or_bound(problem, gap)
        return found if isinstance(found, float) else found.bound

    monkeypatch.setattr("optimize.by_prices.method.priced_or_bound", ended)


def test_owners_stay_as_simulated_but_for_whom_they_may_not(far: pytest.MonkeyPatch) -> None:
    problem = owned(instance(Shape(4, 9, samples=20, eligible=3), 3), 3)
    offer, pairs = problem.accounts, as_pairs(problem.accounts.allowed)
    barred = (pairs.account == 2) & (pairs.rep == offer.base[2])
    allowed = Pairs.of(pairs.account[~barred], pairs.rep[~barred], pairs.shape)
    held = within_reach(replace(problem, accounts=replace(offer, allowed=allowed)))
    left = as_pairs(held.accounts.allowed)
    others = left.account != 2
    assert np.array_equal(left.rep[others], offer.base[left.account[others]])
    assert set(left.rep[~others].tolist()) == set(pairs.rep[(pairs.account == 2) & ~barred].tolist())
    assert open_pairs(held) == int((~others).sum())


def test_a_large_request_without_a_plan_by_prices_gets_one_with_the_owners_at_hand_or_a_true_refusal(
    far: pytest.MonkeyPatch,
) -> None:
    """Held to branch and bound over all owners: plans keep the rules below the bound, proofs are none too many."""
    problems = [tight(seed) for seed in range(14)]
    best = []
    with pytest.MonkeyPatch.context() as near:
        near.setattr("optimize.reach.OUT_OF_REACH", 10**9)
        best = [exact(problem) for problem in problems]
    without_plans(far)
    found = {"plan": 0, "proven": 0, "open": 0}
    for problem, most in zip(problems, best, strict=True):
        told = answer(problem)
        if isinstance(told, InfeasiblePlan):
            refused = told
            found["proven" if refused.proven else "open"] += 1
            assert most is None or not refused.proven
            assert OWNERS_AS_SIMULATED.english in refused.conflict
            assert ("no proof" in str(refused)) is not refused.proven
            continue
        found["plan"] += 1
        assert most is not None
        assert told.notes == (BY_SIMULATED_OWNERS,)
        assert told.value <= most.bound * (1 + 1e-9)
        assert told.bound >= most.value * (1 - 1e-6)
        quotas = kept_quotas(problem, told.decisions).exact
        assert worst_breach(problem, told.decisions, quotas, problem.total / len(problem.reps) / 100) <= 1e-5
    assert min(found.values()) >= 2, found


def test_one_round_of_prices_proves_that_the_sums_of_bounds_miss_the_total_by_far(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = owned(instance(Shape(40, 200, samples=20, eligible=3), 1), 1, moves=50)
    rules = (PotentialBand(tolerance=0.3), GrowthLimits(floor=-0.3, cap=None), MinimumChance(chance=0.5))
    monkeypatch.setattr("optimize.by_prices.two_stages.ROUNDS", 1)
    assert priced_or_bound(replace(problem, two_stage=True).with_rules(rules)) == -math.inf


def test_without_a_bound_by_prices_none_is_claimed(far: pytest.MonkeyPatch) -> None:
    far.setattr("optimize.by_prices.method.priced_or_bound", lambda *_: math.inf)
    plans = [told for seed in range(14) if isinstance(told := answer(tight(seed)), Optimum)]
    assert plans
    for told in plans:
        assert np.isnan([told.bound, told.gap]).all()
        assert (told.bound_type, told.status, told.notes) == ("none", "stopped", (UNBOUNDED,))


def test_ways_out_of_a_large_request_lead_to_plans_by_the_owners_at_hand(far: pytest.MonkeyPatch) -> None:
    """A total far too high: what is told is put to the request with owners held, and is a way out with all of them."""
    problem = tight(0)
    problem = replace(problem, total=8.0 * problem.total, rules=(problem.rules[1], problem.rules[2]))
    with pytest.raises(InfeasiblePlan) as caught:
        planned(problem)
    assert caught.value.proven
    assert caught.value.loosening
    assert "not proven" not in str(caught.value)


@pytest.mark.slow
def test_ways_out_of_rules_that_tie_people_are_true_of_a_large_request(far: pytest.MonkeyPatch) -> None:
    """By how much a range of ratios is told to give way is enough for branch and bound over all owners, too."""
    tried = 0
    for seed in range(14):
        problem = tight(seed)
        rules = (problem.rules[1], problem.rules[2], Spread(maximum=0.001))
        with pytest.MonkeyPatch.context() as context:
            without_plans(context)
            refused = refusal(problem.with_rules(rules))
        amount = re.search(r"difference in quota / potential: loosen by ([\d.]+)", str(refused))
        if amount is None:
            continue
        tried += 1
        wider = Spread(maximum=0.001 + 0.01 * float(amount[1]))
        with pytest.MonkeyPatch.context() as near:
            near.setattr("optimize.reach.OUT_OF_REACH", 10**9)
            assert exact(problem.with_rules((*rules[:2], wider))) is not None
    assert tried >= 2


def refusal(problem: AllocationProblem) -> InfeasiblePlan | None:
    try:
        planned(problem)
    except InfeasiblePlan as refused:
        return refused
    return None
