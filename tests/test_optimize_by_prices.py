"""The method by prices: bounds at any prices, plans that keep every rule, against programmes solved exactly."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.allocation_instances import HELD_OUT, Shape, instance
from optimize.by_prices.descent import descend
from optimize.by_prices.feasibility import worst_breach
from optimize.by_prices.kernels import knapsack
from optimize.by_prices.method import GAP, by_prices
from optimize.by_prices.refit import ALLOWED
from optimize.by_prices.relaxation import Relaxation
from optimize.by_prices.request import request_of
from optimize.metrics import Metric, Metrics, Rates
from optimize.model import build, money_unit, segments_for
from optimize.optimum import NOT_FOUND, optimise
from optimize.pairs import ByPair, as_table
from optimize.problem import AllocationProblem, Locks, gains
from optimize.programme.matrix import matrix
from optimize.programme.solve import solve
from optimize.quotas import best_quotas
from optimize.split import attained
from optimize.training_offer import TrainingOffer
from priced_worlds import owned
from scenarios.errors import Unsupported
from scenarios.goals import PotentialBand

TINY = Shape(5, 15, samples=20, eligible=3)
TINIER = Shape(4, 12, samples=20, eligible=3)


def requests() -> list[tuple[str, AllocationProblem]]:
    return [
        *((f"house {seed}", instance(TINY, seed)) for seed in (1, 2)),
        *((f"owned {seed}", owned(instance(TINIER, seed))) for seed in (3, 4, 6)),
    ]


REQUESTS = requests()
NAMES = [name for name, _ in REQUESTS]
PROBLEMS = [problem for _, problem in REQUESTS]


@pytest.mark.parametrize("problem", PROBLEMS, ids=NAMES)
def test_any_prices_give_a_bound(problem: AllocationProblem) -> None:
    model = build(problem)
    free = solve(replace(model.programme, integer=np.zeros_like(model.programme.integer)))
    assert free.status == "optimal"
    relaxation = Relaxation(request_of(problem))
    best, found = relaxation.solve()
    assert free.objective - 1e-6 <= found.value <= free.objective * 1.002
    rng = np.random.default_rng(0)
    for scale in (0.01, 0.1, 0.5, 3.0):
        for _ in range(25):
            z = np.clip(best + scale * rng.normal(size=best.size), relaxation.lower, relaxation.upper)
            assert relaxation.evaluate(z).value >= free.objective - 1e-6


@pytest.mark.parametrize("problem", PROBLEMS, ids=NAMES)
def test_the_gradient_is_that_of_finite_differences(problem: AllocationProblem) -> None:
    relaxation = Relaxation(request_of(problem))
    best, _ = relaxation.solve()
    rng = np.random.default_rng(1)
    # Away from kinks of prices that may not be negative.
    z = np.where(relaxation.lower == 0.0, np.abs(best) + rng.uniform(0.02, 0.1, best.size), best)
    z = np.clip(z + 0.01 * rng.normal(size=best.size), relaxation.lower, relaxation.upper)
    gradient = relaxation.evaluate(z, 0.1).gradient
    step = 1e-6
    for i in range(best.size):
        if relaxation.upper[i] == relaxation.lower[i]:
            continue
        ends = [relaxation.evaluate(z + sign * step * np.eye(best.size)[i], 0.1).value for sign in (1.0, -1.0)]
        name = next(name for name, part in relaxation.at.items() if part.start <= i < part.stop)
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(gradient[i], rel=2e-4, abs=2e-3), name


@pytest.mark.parametrize("seed", range(20))
def test_knapsacks_are_those_of_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 11))
    value, hours = rng.uniform(0.1, 5, n), rng.uniform(0.5, 4, n)
    order = np.argsort(-value / hours)
    value, hours = value[order], hours[order]
    room, most = float(rng.uniform(1, 10)), int(rng.integers(1, n + 1))
    best = max(
        float(value[list(chosen)].sum())
        for size in range(most + 1)
        for chosen in itertools.combinations(range(n), size)
        if hours[list(chosen)].sum() <= room
    )
    taken = np.zeros(n, dtype=np.int8)
    found, bound = knapsack(value, hours, n, room, most, 100_000, taken)
    assert found == pytest.approx(best)
    assert bound == pytest.approx(best)
    assert value[taken == 1].sum() == pytest.approx(best)
    assert hours[taken == 1].sum() <= room
    cut, above = knapsack(value, hours, n, room, most, 0, taken)
    assert cut <= best + 1e-9 <= above + 2e-9


@pytest.mark.parametrize("problem", PROBLEMS, ids=NAMES)
def test_bounds_enclose_the_optimum_of_the_programme_and_the_plan_reaches_it(problem: AllocationProblem) -> None:
    model = build(problem)
    exact = solve(model.programme, gap=1e-6)
    assert exact.status == "optimal"
    optimum = exact.objective * model.unit
    priced = by_prices(problem, gap=1e-6, closing=False)
    assert priced is not None
    assert priced.bound >= optimum * (1 - 2e-6)
    assert priced.plan.value == pytest.approx(optimum, rel=1e-4)
    assert priced.plan.value <= optimum * (1 + 2e-6)
    assert priced.plan.breach <= ALLOWED


@pytest.mark.parametrize("seed", range(10, 16))
def test_a_plan_is_never_promised_more_than_there_is(seed: int) -> None:
    problem = instance(TINIER, seed)
    model = build(problem)
    exact = solve(model.programme, gap=1e-6)
    priced = by_prices(problem, gap=1e-6, closing=False)
    assert priced is not None
    assert priced.plan.value <= exact.objective * model.unit * (1 + 2e-6)
    assert priced.bound >= exact.objective * model.unit * (1 - 2e-6)
    assert priced.plan.value >= exact.objective * model.unit * (1 - 5e-3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_larger_plans_reach_what_branch_and_bound_finds(seed: int) -> None:
    problem = instance(Shape(12, 60, samples=50, eligible=5), seed)
    model = build(problem)
    exact = solve(model.programme, gap=1e-4, time_limit=40.0)
    priced = by_prices(problem, gap=1e-6, closing=False)
    assert priced is not None
    assert priced.plan.value >= exact.objective * model.unit * (1 - 1e-4)
    assert priced.bound >= exact.objective * model.unit
    assert priced.plan.value <= exact.bound * model.unit * (1 + 1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", HELD_OUT.values(), ids=HELD_OUT.keys())
def test_instances_that_nothing_was_tuned_on_are_solved_as_closely(seed: int) -> None:
    priced = by_prices(instance(Shape(500, 5_000), seed))
    assert priced is not None
    assert priced.gap <= 1e-3
    assert priced.plan.breach <= ALLOWED


SHAPES = {
    "plain": Shape(30, 300, samples=60),
    "clustered": Shape(30, 300, samples=60, clustered=True),
    "tight": Shape(30, 300, samples=60, room=0.5),
    "roomy": Shape(30, 300, samples=60, room=1.5),
    "few big accounts": Shape(30, 300, samples=60, effort=2.0, room=0.6),
    "rich accounts": Shape(30, 300, samples=60, value=2.5),
    "saturated": Shape(30, 300, samples=60, value=7.0, gain=4.0),
    "one rep": Shape(1, 8, samples=40, eligible=1),
    "two reps": Shape(2, 12, samples=40, eligible=2),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_plan_keeps_the_rules_and_its_gap_is_proven(name: str) -> None:
    problem = instance(SHAPES[name], 7)
    priced = by_prices(problem, closing=False)
    assert priced is not None
    plan = priced.plan
    unit = money_unit(problem)
    assert worst_breach(problem, plan.decisions, plan.quotas, unit) <= ALLOWED
    assert plan.quotas.sum() == pytest.approx(problem.total, rel=1e-12)
    model = build(problem, segments=None)
    free = solve(replace(model.programme, integer=np.zeros_like(model.programme.integer)))
    assert priced.bound <= free.objective * model.unit * (1 + 1e-3)
    assert plan.value <= free.objective * model.unit * (1 + 1e-6)
    assert priced.gap <= (3e-3 if len(problem.reps) < 10 else 1e-3)


def test_the_value_is_the_exact_sample_average_of_the_plan() -> None:
    problem = instance(TINY, 1)
    best = optimise(problem, method="prices")
    exact = optimise(problem, method="exact")
    assert best.bound_type in ("knapsack", "linear", "total", "closed")
    assert exact.bound_type == "programme"
    priced = by_prices(problem)
    assert priced is not None
    sales = problem.samples.copy()
    offer, owner = problem.accounts, priced.plan.decisions.owner
    for a in np.flatnonzero(owner >= 0):
        sales[:, owner[a]] += offer.unit[a, owner[a]]
    sales += problem.training.gain_at(priced.plan.decisions.training)
    assert priced.plan.value == pytest.approx(
        float(np.minimum(sales, priced.plan.quotas).sum(axis=1).mean()), rel=1e-12
    )


def test_branch_and_bound_too_tells_the_sample_average_where_segments_stand_for_samples() -> None:
    problem = instance(Shape(102, 6, samples=200, eligible=2), 6)
    problem = replace(problem.with_rules(()), training=replace(problem.training, budget=80.0))
    assert segments_for(problem) is not None
    found = optimise(problem, gap=1e-2, method="exact")
    quotas = best_quotas(problem, found.decisions)
    assert quotas is not None
    sales = problem.samples + gains(problem, found.decisions)
    average = float(np.minimum(sales, quotas).sum(axis=1).mean())
    assert found.value == pytest.approx(average, rel=1e-9)
    assert found.bound >= found.value
    programme = solve(found.model.programme, gap=1e-4).objective * found.model.unit
    assert programme == pytest.approx(average, rel=2e-3)
    assert abs(programme - average) > 1e-6 * average, "segments hide nothing here: the test proves nothing"


def test_locks_hold() -> None:
    problem = owned(instance(TINY, 5))
    pairs = problem.accounts.allowed
    account = 5
    other = next(int(r) for r in pairs.rep[pairs.start[5] : pairs.start[6]] if r != problem.accounts.today[5])
    quota = float(np.round(problem.total / 5))
    locks = Locks(quota={0: quota}, owner={account: other}, training={(1, 2): 40.0})
    priced = by_prices(replace(problem, locks=locks))
    assert priced is not None
    plan = priced.plan
    assert plan.quotas[0] == pytest.approx(quota, rel=1e-9)
    assert plan.decisions.owner[account] == other
    assert plan.decisions.training[1, 2] == 40.0
    model = build(replace(problem, locks=locks))
    exact = solve(model.programme, gap=1e-6)
    assert priced.bound >= exact.objective * model.unit * (1 - 2e-6)
    assert plan.value >= exact.objective * model.unit * (1 - 2e-3)


def test_relabelling_and_scaling_leave_lower_and_upper_bound_within_the_gap() -> None:
    problem = instance(SHAPES["plain"], 9)
    first = by_prices(problem)
    assert first is not None
    scale = 10.0
    offer, training = problem.accounts, problem.training
    scaled = replace(
        problem,
        samples=(samples := problem.samples * scale),
        basis=samples,
        total=problem.total * scale,
        potential=problem.potential * scale,
        last_sales=problem.last_sales * scale,
        training=replace(training, gain=training.gain * scale),
        accounts=replace(offer, unit=ByPair(offer.unit.pairs, offer.unit.values * scale)),
    )
    order = np.random.default_rng(0).permutation(len(problem.reps))
    place = np.argsort(order)
    pairs = offer.allowed
    of = type(pairs).of(pairs.account, place[pairs.rep], pairs.shape)
    tables = {name: as_table(getattr(offer, name))[:, order] for name in ("unit", "displaced", "order_hours", "kept")}
    shuffled = replace(
        problem,
        reps=tuple(problem.reps[r] for r in order),
        teams=tuple(problem.teams[r] for r in order),
        samples=(mixed := problem.samples[:, order]),
        basis=mixed,
        **{
            name: getattr(problem, name)[order]
            for name in ("potential", "opportunity", "ramp", "last_sales", "hours", "load")
        },
        training=replace(training, gain=training.gain[order], base=training.base[order]),
        accounts=replace(
            offer,
            allowed=of,
            care_load=offer.care_load[order],
            hour_price=offer.hour_price[order],
            **{name: ByPair(of, table[of.account, of.rep]) for name, table in tables.items()},
        ),
    )
    for other, factor in ((scaled, scale), (shuffled, 1.0)):
        found = by_prices(other)
        assert found is not None
        assert found.plan.value / factor <= first.bound * (1 + 1e-9)
        assert first.plan.value <= found.bound / factor * (1 + 1e-9)


def test_the_same_request_gives_the_same_plan() -> None:
    first, second = (by_prices(instance(SHAPES["tight"], 2)) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.plan.decisions.owner.tobytes() == second.plan.decisions.owner.tobytes()
    assert first.plan.quotas.tobytes() == second.plan.quotas.tobytes()
    assert first.history == second.history


def test_pairs_and_tables_are_one_programme() -> None:
    problem = instance(TINY, 4)
    offer = problem.accounts
    pairs = offer.allowed
    allowed = np.zeros(pairs.shape, dtype=np.bool_)
    allowed[pairs.account, pairs.rep] = True
    tables = {name: as_table(getattr(offer, name)) for name in ("unit", "displaced", "order_hours", "kept")}
    dense = replace(problem, accounts=replace(offer, allowed=allowed, **tables))
    one, other = (matrix(build(request).programme) for request in (problem, dense))
    assert one.same_pattern(other)
    assert np.array_equal(one.value, other.value)
    assert np.array_equal(one.upper, other.upper)
    with pytest.raises(KeyError, match="account 0 and rep"):
        offer.unit[0, int(np.flatnonzero(~allowed[0])[0])]


def test_what_prices_cannot_decide_is_refused_by_name_and_left_to_the_programme_otherwise() -> None:
    problem = instance(TINY, 1)
    moved = Metrics((other_metric(problem, "new_customers", lead=1e-4), other_metric(problem, "cash", floor=1.0)))
    asked = replace(problem, metrics=moved, training=trained_apart(problem.training))
    words = r"training move \(new_customers\)[\s\S]*floors of other metrics \(cash\)[\s\S]*trainers' hours"
    with pytest.raises(Unsupported, match=words):
        optimise(asked, method="prices")
    with pytest.raises(Unsupported, match="without revenue"):
        optimise(replace(problem, metrics=Metrics(revenue_weight=0.0)), method="prices")
    assert optimise(replace(problem, metrics=moved)).bound_type == "programme"


def other_metric(problem: AllocationProblem, name: str, lead: float = 0.0, floor: float | None = None) -> Metric:
    """A metric of its own samples, of which a minor unit of revenue from leads brings so much."""
    rng = np.random.default_rng(3)
    reps = len(problem.reps)
    samples = rng.gamma(4.0, 5.0, (30, reps))
    return Metric(
        name=name,
        samples=samples,
        periods=np.ones((reps, 1), dtype=np.bool_),
        season=np.ones((reps, 1)),
        rates=Rates(np.full(reps, lead), 0.0),
        total=int(samples.mean(axis=0).sum() * 1.1),
        team_totals={},
        windows=(),
        weight=0.4,
        floor=floor,
        firm=True,
        step=1,
    )


@pytest.mark.parametrize("two_stage", [False, True], ids=["joint", "two stages"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_weight_of_revenue_and_metrics_that_nothing_moves_stand_apart(seed: int, two_stage: bool) -> None:
    problem = replace(owned(instance(TINIER, seed + 2)), two_stage=two_stage)
    asked = replace(problem, metrics=Metrics((other_metric(problem, "new_customers"),), revenue_weight=0.6))
    priced, known = optimise(asked, method="prices"), optimise(asked, gap=1e-7, method="exact")
    assert priced.bound_type != "programme"
    assert priced.bound >= known.value * (1 - 1e-6)
    assert priced.value <= known.bound * (1 + 1e-6)
    assert priced.status == "optimal"
    # The other metric is part of the value: without it that would be smaller.
    alone = optimise(replace(problem, metrics=Metrics(revenue_weight=0.6)), method="prices")
    assert two_stage or priced.value > 1.05 * alone.value


def test_who_decided_instead_of_prices_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = instance(TINY, 1)
    monkeypatch.setattr("optimize.optimum.LARGE", 10)
    assert optimise(problem).notes == ()
    left = optimise(replace(problem, training=trained_apart(problem.training)))
    assert left.bound_type == "programme"
    assert left.notes == (
        "decided by branch and bound, large as it is: the method by prices does not decide "
        "trainers' hours where people can be trained at different times",
    )
    monkeypatch.setattr("optimize.by_prices.method.priced_or_bound", lambda *_, **__: 0.0)
    assert optimise(problem, method="prices").notes == (NOT_FOUND,)


def trained_apart(offer: TrainingOffer) -> TrainingOffer:
    slots = tuple((r % 2,) for r in range(len(offer.base)))
    return replace(offer, periods=("first", "second"), slots=slots, capacity=100.0)


def test_large_requests_are_priced_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = instance(TINY, 1)
    assert optimise(problem).bound_type == "programme"
    monkeypatch.setattr("optimize.optimum.LARGE", 10)
    found = optimise(problem)
    assert found.bound_type != "programme"
    assert found.value <= found.bound
    assert attained(problem.basis, np.zeros(len(problem.reps)), np.full(len(problem.reps), np.inf)) > 0


def test_descent_finds_the_constrained_minimum_of_a_quadratic() -> None:
    rng = np.random.default_rng(2)
    root = rng.normal(size=(40, 40))
    bend, pull = root.T @ root + 0.1 * np.eye(40), rng.normal(size=40)
    lower, upper = np.where(rng.random(40) < 0.5, -0.05, -np.inf), np.where(rng.random(40) < 0.5, 0.05, np.inf)

    def bowl(x):
        return float(0.5 * x @ bend @ x - pull @ x), bend @ x - pull

    found = descend(bowl, np.zeros(40), lower, upper, steps=2_000, memory=20, tolerance=0.0)
    gradient = bowl(found)[1]
    assert ((found >= lower) & (found <= upper)).all()
    assert np.abs(gradient[(found > lower) & (found < upper)]).max() < 1e-4
    assert (gradient[found == lower] > 0).all()
    assert (gradient[found == upper] < 0).all()


def test_a_search_that_begins_where_another_ended_proves_its_own_gap() -> None:
    problem = instance(SHAPES["tight"], 3)
    looser = problem.with_rules((PotentialBand(tolerance=0.3), *problem.rules[1:]))
    before, cold = by_prices(looser), by_prices(problem)
    assert before is not None
    assert cold is not None
    warm = by_prices(problem, start=before.end)
    assert warm is not None
    assert warm.plan.breach <= ALLOWED
    # Neither bound lies below the other's plan, and a start of another size is no start.
    assert min(warm.bound, cold.bound) >= max(warm.plan.value, cold.plan.value) * (1 - 1e-9)
    assert warm.gap <= max(cold.gap, GAP)
    # What is known of looser requests bounds stricter ones: the search ends by it, and claims no more than it.
    known = by_prices(problem, start=before.end, ceiling=before.bound)
    assert known is not None
    assert max(warm.plan.value, cold.plan.value) <= known.bound * (1 + 1e-9) <= before.bound * (1 + 2e-9)
    told = by_prices(problem, 0.5, ceiling=1.2 * cold.bound)
    assert told is not None
    assert told.bound <= 1.2 * cold.bound
    other = by_prices(instance(SHAPES["tight"], 3), start=replace(before.end, accounts=before.end.accounts[1:]))
    assert other is not None
    assert (other.plan.value, other.bound) == (cold.plan.value, cold.bound)
