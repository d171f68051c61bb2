"""The solve adapter and the labelled arrays: signs, statuses, silence, elastic rows."""

from __future__ import annotations

import os

import numpy as np
import pytest

from optimize.programme.blocks import Blocks, Linear
from optimize.programme.solve import SolverError, feasible, solve


def production(integer=False):
    """Maximise 3x + 2y with x + y <= 4 and x + 3y <= 6: optimum 12 at (4, 0), dual 3 on the first row."""
    blocks = Blocks()
    x = blocks.columns("made", ["x", "y"], 0.0, np.inf, [3.0, 2.0], integer=integer)
    one = Linear.constants(np.ones(1))
    blocks.rows("hours", ["plant"], Linear.total(x), upper=4.0, loosen=one)
    blocks.rows("steel", ["plant"], Linear.total(x, np.array([1.0, 3.0])), upper=6.0, loosen=one)
    return blocks.programme()


def test_duals_of_a_maximisation_have_the_sign_of_more_room():
    programme = production()
    solution = solve(programme)
    assert solution.status == "optimal"
    assert solution.objective == pytest.approx(12.0)
    assert [duals.tolist() for duals in solution.duals] == [[pytest.approx(3.0)], [pytest.approx(0.0)]]
    more = solve(programme.loosened("hours", 0.5)).objective - solution.objective
    assert more == pytest.approx(0.5 * solution.duals[0][0])


def test_dual_of_a_lower_bound_is_not_positive():
    blocks = Blocks()
    x = blocks.columns("made", ["x", "y"], 0.0, np.inf, [3.0, 2.0])
    blocks.rows("hours", ["plant"], Linear.total(x), upper=4.0)
    blocks.rows("least y", ["y"], Linear.total(x[1:]), lower=1.0, loosen=Linear.constants(np.ones(1)))
    solution = solve(blocks.programme())
    assert solution.objective == pytest.approx(11.0)
    assert solution.duals[1][0] == pytest.approx(-1.0)
    loosened = solve(blocks.programme().loosened("least y", 0.25))
    assert loosened.objective - solution.objective == pytest.approx(0.25)


def test_two_sided_rows_and_constants_in_expressions():
    blocks = Blocks()
    x = blocks.columns("x", ["x"], -np.inf, np.inf, 1.0)
    blocks.rows("between", ["x"], Linear.columns(x, 2.0) + Linear.constants(np.array([1.0])), lower=-3.0, upper=5.0)
    blocks.add_constant(10.0)
    solution = solve(blocks.programme())
    assert solution.values[0] == pytest.approx(2.0)
    assert solution.objective == pytest.approx(12.0)


def test_integers_report_a_proven_bound_and_no_duals():
    solution = solve(production(integer=True))
    assert solution.bound >= solution.objective - 1e-9
    assert solution.gap <= 1e-6
    assert all((duals == 0).all() for duals in solution.duals)


def test_infeasible_is_a_status_and_unbounded_is_an_error():
    blocks = Blocks()
    x = blocks.columns("x", ["x"], 0.0, np.inf, 1.0)
    blocks.rows("up", ["x"], Linear.columns(x), lower=2.0)
    with pytest.raises(SolverError):
        solve(blocks.programme())
    blocks.rows("down", ["x"], Linear.columns(x), upper=1.0)
    assert solve(blocks.programme()).status == "infeasible"
    assert not feasible(blocks.programme())
    assert feasible(blocks.programme().without(["down"]))


def test_elastic_solve_gives_the_least_room():
    blocks = Blocks()
    x = blocks.columns("x", ["x"], 0.0, np.inf)
    blocks.rows("up", ["x"], Linear.columns(x), lower=2.0, loosen=Linear.constants(np.array([0.5])))
    blocks.rows("down", ["x"], Linear.columns(x), upper=1.0, loosen=Linear.constants(np.ones(1)))
    programme = blocks.programme()
    assert -solve(programme.elastic("down")).objective == pytest.approx(1.0)
    assert -solve(programme.elastic("up")).objective == pytest.approx(2.0)


def test_rows_that_give_way_break_only_where_they_must():
    blocks = Blocks()
    x = blocks.columns("x", ["a", "b"], 0.0, np.inf, 1.0)
    blocks.rows("cap", ["a", "b"], Linear.columns(x), upper=1.0, giving_way=np.array([True, False]))
    blocks.rows("lock", ["a"], Linear.total(x[:1]), 3.0, 3.0)
    solution = solve(blocks.programme())
    assert solution.values[x] == pytest.approx([3.0, 1.0])


def test_a_time_limit_is_never_called_optimal():
    rng = np.random.default_rng(1)
    blocks = Blocks()
    weights = rng.integers(100, 1000, (30, 120)).astype(float)
    x = blocks.columns("x", list(range(120)), 0.0, 1.0, rng.integers(100, 1000, 120).astype(float), integer=True)
    for row in weights:
        blocks.rows("knapsack", ["row"], Linear.total(x, row), upper=float(row.sum() / 3))
    solution = solve(blocks.programme(), gap=0.0, time_limit=0.4)
    assert solution.status == "stopped"
    assert not solution.reproducible
    assert solution.bound > solution.objective


def test_the_solver_writes_nothing_to_standard_output(capfd):
    solve(production())
    os.write(1, b"mark")
    assert capfd.readouterr().out == "mark"
