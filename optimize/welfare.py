"""Quotas by alpha fairness: ``sum q U(e / q)`` is maximised, e what a rep is expected to sell within the quota q.

``U(a) = a**(1 - alpha) / (1 - alpha)``, the logarithm at 1 (Atkinson 1970; Mo and Walrand 2000). A rep weighs what the
quota weighs, so that alpha 0 is the sum of expected capped sales, and the objective is the perspective of a concave
function: concave in e and q together, hence a linear programme with a row for each tangent of U. Tangents are added
where solutions lie until the programme promises no more than :data:`WITHIN` of the target above the exact value.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimize.model import Model
from optimize.parts.targets import QUOTA
from optimize.problem import AllocationProblem
from optimize.programme.blocks import Columns, Floats, Ints, Linear, Programme, Rows
from optimize.programme.solve import SolverError, solve

WITHIN = 1e-6
"""How far, as a share of the target, the quotas may be from the best: in equally spread capped sales."""
ROUNDS = 80
STEEPEST = 1e6
"""Tangents are not drawn where U is this much steeper than at the reference: nobody stays there."""
FIRST_POINTS = 13


def welfare_quotas(problem: AllocationProblem, model: Model, programme: Programme, gain: Floats) -> Floats:
    """The best quotas, minor units, [R].

    Args:
        model: the programme of quotas.
        programme: the same with all that gives way to locks settled.

    Raises:
        SolverError: the tangents do not settle.
    """
    made = model.quotas
    if made is None:
        raise ValueError("welfare is of quotas")
    columns = programme.block(QUOTA).index
    values = solve(programme).values
    alpha, reference = problem.alpha, 0.0
    points: Floats = np.zeros((0, len(problem.reps)))
    best, floor = values[columns] * model.unit, -np.inf
    for _ in range(ROUNDS):
        quotas = values[columns] * model.unit
        shares = attainments(problem, gain, quotas)
        reference = max(reference, float(shares.min()), 1e-3)
        worth = equally_spread(problem, gain, quotas, alpha)
        if worth > floor:
            best, floor = quotas, worth
        points = np.vstack([points, shares])
        tangents = _with_tangents(programme, made.counted, columns, points, alpha, reference)
        solution = solve(tangents)
        values = solution.values[: programme.size]
        total = float(values[columns].sum())
        promised = float(solution.values[programme.size :].sum()) / total
        ceiling = problem.total * min(reference * _inverse(promised, alpha), 1.0)
        if ceiling - floor <= WITHIN * problem.total:
            return np.asarray(best)
    raise SolverError(f"quotas by alpha fairness did not settle in {ROUNDS} rounds; try a smaller alpha or maximin")


def attainments(problem: AllocationProblem, gain: Floats, quotas: Floats) -> Floats:
    """Capped attainment of each rep on the samples that quotas follow, [R]; 1 where nothing is asked."""
    expected = np.minimum(problem.basis + gain, quotas).mean(axis=0)
    out = np.ones_like(quotas)
    return np.asarray(np.clip(np.divide(expected, quotas, out=out, where=quotas > 0), 0.0, 1.0))


def equally_spread(problem: AllocationProblem, gain: Floats, quotas: Floats, alpha: float) -> float:
    """Capped sales that would be worth as much if everybody's attainment were the same, minor units."""
    shares = np.maximum(attainments(problem, gain, quotas), 1e-9)
    reference = float(shares.min())
    mean = float(quotas @ _utility(shares / reference, alpha)) / float(quotas.sum())
    return problem.total * reference * _inverse(mean, alpha)


def _utility(x: Floats, alpha: float) -> Floats:
    """U shifted and scaled so that it is 0 with slope 1 at x = 1."""
    return np.asarray(np.log(x) if alpha == 1.0 else (x ** (1.0 - alpha) - 1.0) / (1.0 - alpha))


def _inverse(value: float, alpha: float) -> float:
    """The x at which U is this; infinite beyond all values of U."""
    if alpha == 1.0:
        return float(np.exp(value))
    inside = 1.0 + (1.0 - alpha) * value
    return float(inside ** (1.0 / (1.0 - alpha))) if inside > 0 else (np.inf if alpha > 1 else 0.0)


def _with_tangents(
    programme: Programme, counted: Linear, quotas: Ints, points: Floats, alpha: float, reference: float
) -> Programme:
    """Maximise the sum of v with ``v <= (U(x) - x U'(x)) q + U'(x) e / reference`` at every point x of every rep."""
    count = counted.count
    least = STEEPEST ** (-1.0 / alpha)
    grid = np.geomspace(max(least, 0.2), max(1.0 / reference, 1.0 + 1e-9), FIRST_POINTS)
    x = np.vstack([np.repeat(grid[:, None], count, axis=1), np.maximum(points / reference, least)])
    slope, height = x**-alpha, _utility(x, alpha)
    v = np.arange(programme.size, programme.size + count)
    names = tuple(str(r) for r in range(count))
    q, below = Linear.columns(quotas), np.full(count, -np.inf)
    rows = [
        Rows(
            "tangents",
            names,
            Linear.columns(v) - q.times(height[i] - slope[i] * x[i]) - counted.times(slope[i] / reference),
            below,
            np.zeros(count),
            None,
            kept=True,
        )
        for i in range(len(x))
    ]
    return replace(
        programme,
        columns=(*programme.columns, Columns("welfare", names, v)),
        lower=np.append(programme.lower, below),
        upper=np.append(programme.upper, np.full(count, np.inf)),
        objective=np.append(np.zeros(programme.size), np.ones(count)),
        integer=np.append(programme.integer, np.zeros(count, dtype=np.bool_)),
        rows=(*programme.rows, *rows),
        constant=0.0,
    )
