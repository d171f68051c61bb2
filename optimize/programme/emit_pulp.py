"""One emitter: the arrays of a programme as a PuLP model, for any solver that PuLP knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pulp

from optimize.programme.blocks import Programme
from optimize.programme.matrix import Matrix


@dataclass(frozen=True)
class PulpModel:
    """A PuLP model with its variables by column and its constraints by (rows, row)."""

    problem: Any
    variables: list[Any]
    constraints: list[list[list[Any]]]


def emit(programme: Programme) -> PulpModel:
    """The programme as a PuLP model.

    The objective is negated and minimised: PuLP 3.3 returns the duals of HiGHS with the sign of the minimisation
    whatever the sense of the model, so there is one sense only. A row with two sides becomes two constraints.
    """
    problem = pulp.LpProblem("allocation", pulp.LpMinimize)
    variables = [
        problem.add_variable(f"x{i}", _bound(low), _bound(high), pulp.LpInteger if whole else pulp.LpContinuous)
        for i, (low, high, whole) in enumerate(
            zip(programme.lower.tolist(), programme.upper.tolist(), programme.integer.tolist(), strict=True)
        )
    ]
    # Every variable is in the objective, zero or not, so that PuLP keeps the order and drops none.
    costs = (-programme.objective).tolist()
    problem.setObjective(pulp.LpAffineExpression(list(zip(variables, costs, strict=True))))
    constraints = []
    for block, rows in enumerate(programme.rows):
        entries: list[dict[int, float]] = [{} for _ in rows.subjects]
        expression = rows.expression
        for r, c, v in zip(expression.row.tolist(), expression.col.tolist(), expression.coef.tolist(), strict=True):
            entries[r][c] = entries[r].get(c, 0.0) + v
        made: list[list[Any]] = []
        for r, pairs in enumerate(entries):
            left = pulp.LpAffineExpression([(variables[c], v) for c, v in sorted(pairs.items()) if v != 0.0])
            low = rows.lower[r] - expression.constant[r]
            high = rows.upper[r] - expression.constant[r]
            sides = []
            if np.isfinite(low) and low == high:
                sides.append((pulp.LpConstraintEQ, low))
            else:
                sides += [(pulp.LpConstraintGE, low)] if np.isfinite(low) else []
                sides += [(pulp.LpConstraintLE, high)] if np.isfinite(high) else []
            held = []
            for number, (sense, side) in enumerate(sides):
                constraint = pulp.LpConstraint(left, sense, f"r{block}_{r}_{number}", float(side))
                problem.addConstraint(constraint)
                held.append(constraint)
            made.append(held)
        constraints.append(made)
    return PulpModel(problem, variables, constraints)


def _bound(value: float) -> float | None:
    return value if np.isfinite(value) else None


def matrix_of(model: PulpModel) -> Matrix:
    """The canonical matrix that a PuLP model stands for, read back from its own constraints."""
    place = {variable.name: i for i, variable in enumerate(model.variables)}
    by_column: list[list[tuple[int, float]]] = [[] for _ in model.variables]
    lower: list[float] = []
    upper: list[float] = []
    for held in (held for block in model.constraints for held in block):
        sides = [-np.inf, np.inf]
        for constraint in held:
            right = -float(constraint.constant)
            if constraint.sense in (pulp.LpConstraintGE, pulp.LpConstraintEQ):
                sides[0] = right
            if constraint.sense in (pulp.LpConstraintLE, pulp.LpConstraintEQ):
                sides[1] = right
        for variable, value in held[0].items() if held else ():
            by_column[place[variable.name]].append((len(lower), float(value)))
        lower.append(sides[0])
        upper.append(sides[1])
    start = np.concatenate([[0], np.cumsum([len(entries) for entries in by_column])]).astype(np.int32)
    entries = [entry for column in by_column for entry in sorted(column)]
    row, value = np.array([r for r, _ in entries], dtype=np.int32), np.array([v for _, v in entries])
    return Matrix(start, row, value, np.array(lower), np.array(upper))
