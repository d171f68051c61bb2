"""Limits on the Gini index of many values: cuts in place of a row for each pair.

The sum of ``|x_i - x_j|`` over pairs is the largest of ``sum w_k x_(k)`` over all orders of the values, with weights
``w_k = 2k - n + 1``: one row for each order, of which a few dozen matter. Each is found where the last solution breaks
the limit most, by sorting it. Such a programme is a relaxation, so that its bound is valid; the last hair of the limit,
which would take hundreds of cuts, is left to :func:`within_limits`: in a given order of the values the index is linear.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimize.programme.blocks import Floats, Ints, Linear, OrderedLimit, Programme, Rows
from optimize.programme.emit_highs import HighsModel
from optimize.programme.solve import Solution, solve
from optimize.programme.solvers import quiet

MOST_CUTS = 25
NEAR = 1e-3
"""Share of the limit by which cuts may leave it broken."""
MOST_ORDERS = 8
ENOUGH = 1e-8
"""Relative rise of the value below which no other order is tried."""


def with_cuts(programme: Programme) -> Programme:
    """The programme with rows for those orders of the values that its relaxation would take otherwise."""
    for limit in programme.ordered:
        with quiet():
            model = HighsModel(replace(programme, integer=np.zeros_like(programme.integer)))
        made: list[Rows] = []
        for _ in range(MOST_CUTS):
            model.run()
            values = model.values()
            if values is None:
                break  # nothing is left, or nothing bounds the objective: that is for the programme itself to say
            found = limit.ratios.at(values)
            if uneven(found) <= limit.most * len(found) * float(found.sum()) * (1 + NEAR) + _given_way(limit, values):
                break
            made.append(_cut(limit, np.argsort(found, kind="stable")))
            model.cut(made[-1])
        programme = replace(programme, rows=(*programme.rows, *made))
    return programme


def within_limits(programme: Programme, values: Floats) -> Floats:
    """A solution that keeps the limits to the last digit: the best in the order of its values, order after order.

    In a given order the index is linear. Values that are equal in the best solution of an order may part the other way
    round: those that press upwards most come last in the next order.
    """
    if _kept(programme, values):
        return values
    orders = [np.argsort(limit.ratios.at(values), kind="stable") for limit in programme.ordered]
    best, worth = values, -np.inf
    for _ in range(MOST_ORDERS):
        found = solve(_in_order(programme, orders))
        if found.status == "infeasible" or found.objective - worth <= ENOUGH * abs(found.objective):
            break
        best, worth = found.values[: programme.size], found.objective
        forces = _forces(programme, found)
        orders = [_parted(limit, best, forces) for limit in programme.ordered]
    return best


def worth_of_room(programme: Programme, rule: str, step: float) -> float | None:
    """What one more unit of an ordered limit's number adds to the objective, by solving with ``step`` more of it.

    None without a plan.

    Duals of cuts would overstate it: cuts leave out how the values' order resists.

    Args:
        programme: without integers.
    """
    worth = []
    for more in (0.0, step):
        limits = tuple(replace(one, most=one.most + more) if one.rule == rule else one for one in programme.ordered)
        wider = replace(programme.loosened(rule, more), ordered=limits)
        solution = solve(wider)
        if solution.status == "infeasible":
            return None
        worth.append(float(programme.objective @ within_limits(wider, solution.values)))
    return max(worth[1] - worth[0], 0.0) / step


def _parted(limit: OrderedLimit, values: Floats, forces: Floats) -> Ints:
    """Order of the values, equal ones by the force on them."""
    ratio = limit.ratios.at(values)
    level = np.round(ratio / max(float(np.abs(ratio).max()), 1e-300), 9)
    force = np.zeros(len(ratio))
    force[limit.ratios.row] = forces[limit.ratios.col] / limit.ratios.coef
    return np.lexsort((force, level))


def _forces(programme: Programme, found: Solution) -> Floats:
    """What another unit of each column is worth by the objective and all rows but the limits, by column."""
    own = {limit.rule for limit in programme.ordered}
    forces = programme.objective.copy()
    for rows, duals in zip(programme.rows, found.duals, strict=False):
        if rows.rule not in own:
            np.add.at(forces, rows.expression.col, -duals[rows.expression.row] * rows.expression.coef)
    return forces


def _in_order(programme: Programme, orders: list[Ints]) -> Programme:
    """The programme with every limit exact for values in a given order, which they must keep."""
    rows = list(programme.rows)
    for limit, order in zip(programme.ordered, orders, strict=True):
        rising = limit.ratios.pick(order[1:]) - limit.ratios.pick(order[:-1])
        names, none = ("",) * rising.count, np.full(rising.count, np.inf)
        rows.append(Rows("order of ratios", names, rising, np.zeros(rising.count), none, None, kept=True))
        rows.append(_cut(limit, order))
    return replace(programme, rows=tuple(rows))


def _kept(programme: Programme, values: Floats) -> bool:
    """Whether a solution keeps every limit, to what a solver's tolerances leave open."""
    found = [(limit, limit.ratios.at(values)) for limit in programme.ordered]
    return all(
        uneven(x) <= (limit.most + 1e-9) * len(x) * float(x.sum()) + _given_way(limit, values) for limit, x in found
    )


def uneven(values: Floats) -> float:
    """The sum over pairs of absolute differences."""
    return float(_weights(len(values)) @ np.sort(values))


def _given_way(limit: OrderedLimit, values: Floats) -> float:
    return float(values[limit.slack]) / limit.size if limit.slack >= 0 else 0.0


def _weights(count: int) -> Floats:
    return np.arange(1.0 - count, count, 2.0)


def _cut(limit: OrderedLimit, order: Ints) -> Rows:
    count = len(order)
    weight = np.empty(count)
    weight[order] = _weights(count)
    room = limit.ratios.summed().times(count * limit.size)
    row = limit.ratios.times(weight * limit.size).summed() - room.times(limit.most)
    if limit.slack >= 0:
        row = row - Linear.total(np.array([limit.slack]))
    return Rows(limit.rule, ("company",), row, np.array([-np.inf]), np.zeros(1), room, kept=False)
