"""Two emitters, one model: the same canonical matrix, the same value, duals of one sign on every solver."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimize.formulate import formulate
from optimize.model import build, segments_for
from optimize.parts.accounts import OWNER
from optimize.problem import held
from optimize.programme.blocks import Blocks, Linear, Programme
from optimize.programme.emit_highs import HighsModel
from optimize.programme.emit_pulp import emit, matrix_of
from optimize.programme.matrix import Matrix, matrix
from optimize.programme.solve import Solution, Warm, solve
from scenarios.errors import InputRefused
from test_baselines import company

SOLVERS = ("highs", "pulp:HiGHS", "pulp:PULP_CBC_CMD")


def random_programme(seed: int, integers: bool) -> Programme:
    """Blocks of columns and rows of every kind, repeated and vanishing entries, constants, rows that give way.

    Every row is satisfied at a point inside the bounds, so that there is an optimum.
    """
    rng = np.random.default_rng(seed)
    blocks = Blocks()
    cols = []
    inside = np.zeros(0)
    for block in range(int(rng.integers(2, 5))):
        count = int(rng.integers(1, 6))
        low = rng.choice([0.0, -1.0, -3.0], count)
        whole = bool(integers and block == 0)
        high = low + np.floor(rng.uniform(2, 6, count))
        worth = np.round(rng.normal(size=count), 3)
        cols.append(blocks.columns(f"c{block}", [(block, i) for i in range(count)], low, high, worth, integer=whole))
        point = rng.uniform(low, high)
        inside = np.concatenate([inside, np.floor(point) if whole else point])
    every = np.concatenate(cols)
    for block in range(int(rng.integers(2, 5))):
        count = int(rng.integers(1, 5))
        entries = int(rng.integers(1, 4 * count))
        row, col = rng.integers(0, count, entries), rng.choice(every, entries)
        expression = Linear.of(count, row, col, np.round(rng.normal(size=entries), 2), rng.normal(size=count))
        if block == 1:  # entries that cancel
            expression = expression + Linear.of(count, row[:1], col[:1], 1.5) - Linear.of(count, row[:1], col[:1], 1.5)
        at = expression.at(np.concatenate([inside, np.zeros(blocks.programme().size - len(inside))]))
        kind = rng.integers(0, 3)
        lower = at - rng.uniform(0, 1, count) if kind != 0 else -np.inf
        upper = at + rng.uniform(0, 1, count) if kind != 1 else np.inf
        soft = rng.random(count) < 0.3 if block == 0 else None
        blocks.rows(f"r{block}", [f"s{i}" for i in range(count)], expression, lower, upper, giving_way=soft)
    # Columns without bounds, that equations tie to the others.
    free = blocks.columns("free", ["x", "y"], -np.inf, np.inf, np.round(rng.normal(size=2), 3))
    row, col = rng.integers(0, 2, 6), rng.choice(every, 6)
    tied = Linear.columns(free) + Linear.of(2, row, col, np.round(rng.normal(size=6), 2), rng.normal(size=2))
    blocks.rows("equations", ["x", "y"], tied, 0.0, 0.0)
    # A row without entries limits nothing, and takes no place from the others.
    blocks.rows("nothing", ["none"], Linear.constants(np.zeros(1)), -1.0, 1.0)
    blocks.add_constant(float(rng.normal()))
    return blocks.programme()


def made_unique(programme: Programme, seed: int) -> Programme:
    """The objective moved by a keyed hair, so that no two plans are equally good."""
    rng = np.random.default_rng(seed)
    return replace(programme, objective=programme.objective + 1e-4 * rng.uniform(0.5, 1.5, programme.size))


def assert_same(one: Matrix, other: Matrix) -> None:
    assert one.same_pattern(other)
    assert np.array_equal(one.value, other.value)
    assert np.array_equal(one.lower, other.lower)
    assert np.array_equal(one.upper, other.upper)


def assert_agree(one: Solution, other: Solution) -> None:
    assert one.status == other.status == "optimal"
    assert one.objective == pytest.approx(other.objective, rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("seed", range(25))
def test_emitters_hand_over_the_same_matrix(seed: int) -> None:
    programme = random_programme(seed, integers=seed % 2 == 1)
    canonical = matrix(programme)
    model = emit(programme)
    assert_same(canonical, matrix_of(model))
    held = HighsModel(programme).highs.getLp()
    starts, rows = np.array(held.a_matrix_.start_), np.array(held.a_matrix_.index_)
    assert_same(
        canonical,
        Matrix(starts, rows, np.array(held.a_matrix_.value_), np.array(held.row_lower_), np.array(held.row_upper_)),
    )
    for name, mine in (("col_cost_", "objective"), ("col_lower_", "lower"), ("col_upper_", "upper")):
        assert np.array_equal(np.array(getattr(held, name)), getattr(programme, mine))
    costs = {variable.name: value for variable, value in model.problem.objective.items()}
    assert [-costs[variable.name] for variable in model.variables] == pytest.approx(programme.objective.tolist())
    assert [variable.cat == "Integer" for variable in model.variables] == programme.integer.tolist()


@pytest.mark.parametrize("seed", range(12))
def test_solvers_agree_on_value_plan_and_duals(seed: int) -> None:
    programme = made_unique(random_programme(seed, integers=False), seed)
    found = {name: solve(programme, solver=name) for name in SOLVERS}
    for name in SOLVERS[1:]:
        assert_agree(found["highs"], found[name])
        assert found[name].values == pytest.approx(found["highs"].values, abs=1e-6)
    base = found["highs"]
    for block, rows in enumerate(programme.rows):
        for at in range(len(rows.subjects)):
            rates = [_rate(programme, block, at, step, base.objective) for step in (-1e-5, 1e-5)]
            # At a kink a dual lies between the slopes of both sides.
            for name in SOLVERS:
                assert min(rates) - 1e-4 <= found[name].duals[block][at] <= max(rates) + 1e-4, (name, rows.rule, at)


def _rate(programme: Programme, block: int, at: int, step: float, base: float) -> float:
    rows = programme.rows[block]
    moved = np.where(np.arange(len(rows.subjects)) == at, step, 0.0)
    shifted = replace(rows, lower=rows.lower + moved, upper=rows.upper + moved)
    changed = replace(programme, rows=(*programme.rows[:block], shifted, *programme.rows[block + 1 :]))
    return (solve(changed).objective - base) / step


@pytest.mark.parametrize("seed", range(8))
def test_solvers_agree_on_integers(seed: int) -> None:
    programme = made_unique(random_programme(seed, integers=True), seed)
    found = {name: solve(programme, gap=0.0, solver=name) for name in SOLVERS}
    for name in SOLVERS[1:]:
        assert_agree(found["highs"], found[name])
        assert found[name].bound >= found["highs"].objective - 1e-7
        assert found[name].bound == pytest.approx(found["highs"].objective, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_a_warm_solve_is_a_solve(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = random_programme(seed, integers=seed % 3 == 0)
    warm = Warm(first)
    assert_agree(warm.solve(gap=0.0), solve(first, gap=0.0))
    rows = list(first.rows)
    rows[0] = replace(rows[0], expression=rows[0].expression.times(1.01), upper=rows[0].upper + 0.2)
    costs = np.where(rng.random(first.size) < 0.3, first.objective + 0.5, first.objective)
    others = [
        replace(first, objective=costs, constant=first.constant + 1.0),
        replace(first, upper=first.upper + 1.0, rows=tuple(rows)),
        replace(first, rows=(replace(rows[0], expression=rows[0].expression.times(0.0)), *rows[1:])),
        first.without([rows[-1].rule]),
        first,
    ]
    statuses = []
    for other in others:
        again, anew = warm.again(other, gap=0.0), solve(other, gap=0.0)
        statuses.append(again.status)
        assert again.status == anew.status
        if again.status == "optimal":
            assert_agree(again, anew)
    assert statuses[0] == statuses[-1] == "optimal"


def test_a_warm_solve_takes_fewer_steps() -> None:
    rng = np.random.default_rng(5)
    blocks = Blocks()
    x = blocks.columns("x", list(range(60)), 0.0, 1.0, rng.uniform(1, 2, 60))
    for r in range(30):
        blocks.rows(f"cap {r}", ["all"], Linear.total(x, rng.uniform(0, 1, 60)), upper=12.0, loosen=None)
    programme = blocks.programme()
    warm = Warm(programme)
    warm.solve()
    first = warm.steps
    looser = [replace(rows, upper=rows.upper * 1.01) for rows in programme.rows]
    warm.again(replace(programme, rows=tuple(looser)))
    assert 0 <= warm.steps < first / 2


@pytest.mark.parametrize("solver", SOLVERS)
def test_statuses_are_those_of_the_solution(solver: str) -> None:
    blocks = Blocks()
    x = blocks.columns("x", ["x"], 0.0, 5.0, 1.0)
    blocks.rows("up", ["x"], Linear.columns(x), lower=2.0)
    blocks.rows("down", ["x"], Linear.columns(x), upper=1.0)
    assert solve(blocks.programme(), solver=solver).status == "infeasible"
    assert solve(blocks.programme().without(["up"]), solver=solver).objective == pytest.approx(1.0)


@pytest.mark.parametrize("solver", SOLVERS)
def test_no_solver_calls_a_time_limit_optimal(solver: str) -> None:
    rng = np.random.default_rng(1)
    blocks = Blocks()
    worth = rng.integers(100, 1000, 120).astype(float)
    x = blocks.columns("x", list(range(120)), 0.0, 1.0, worth, integer=True)
    for row in rng.integers(100, 1000, (30, 120)).astype(float):
        blocks.rows("knapsack", ["row"], Linear.total(x, row), upper=float(row.sum() / 3))
    solution = solve(blocks.programme(), gap=0.0, time_limit=0.5, solver=solver)
    assert solution.status == "stopped"
    assert not solution.reproducible
    assert solution.bound > solution.objective


def test_an_unknown_solver_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputRefused, match="one of highs, cbc, PULP_CBC_CMD"):
        solve(random_programme(0, integers=False), solver="pulp:NOBODY")


def test_what_a_rule_s_room_is_worth_is_the_same_on_every_solver_and_by_differences() -> None:
    """With owners held: duals times the room that a unit of loosening gives, against solving with a hair more room."""
    scenario, found = company(rules=[{"rule": "growth", "floor": -0.2, "cap": 0.1}], locks=[])
    problem = formulate(scenario, found)
    programme = build(held(problem, problem.today_decisions(), care=True), segments=segments_for(problem)).programme
    assert not programme.has(OWNER)
    programme = replace(programme, integer=np.zeros_like(programme.integer))
    base = solve(programme)
    seen = 0.0
    for rule in ("growth_cap", "growth_floor"):
        less, more = (
            (solve(programme.loosened(rule, step)).objective - base.objective) / step for step in (-1e-5, 1e-5)
        )
        for name in SOLVERS:
            worth = _worth_of_room(programme, solve(programme, solver=name), rule)
            # At a kink a dual lies between the slopes of both sides.
            assert more - 1e-3 <= worth <= less + 1e-3, (rule, name)
        seen = max(seen, less)
    assert seen > 1e-2


def _worth_of_room(programme: Programme, solution: Solution, rule: str) -> float:
    out = 0.0
    for rows, duals in zip(programme.rows, solution.duals, strict=True):
        if rows.rule == rule and rows.loosen is not None:
            # More is worth something: an upper side's dual is positive, a lower side's negative.
            out += float(np.where(np.isfinite(rows.upper), duals, -duals) @ rows.loosen.at(solution.values))
    return out
