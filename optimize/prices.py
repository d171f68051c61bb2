"""What the binding rules cost: values of loosening, as duals with the owners of accounts held (rule R19)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from optimize.model import Model, build, first_knots, segments_for
from optimize.parts.accounts import OWNER
from optimize.parts.fairness_together import LEVEL
from optimize.problem import AllocationProblem, Decisions, Floats, with_owners
from optimize.programme.curves import zoom
from optimize.programme.ordered import worth_of_room
from optimize.programme.solve import Warm, solve
from optimize.programme.solvers import HIGHS
from optimize.rule_words import unit_of

NUDGE = 1e-4
"""How far a rule is loosened before its duals are read, as a share of one point: at a kink this gives the side that
loosening goes to."""
STEP = 0.1
"""Share of a point by which a rule is loosened and solved again where its rows are cuts, whose duals are too large."""


CUTS, PIECES = 3, 16
"""How often, and into how many pieces, a care curve is cut finer around the plan's hours."""


@dataclass(frozen=True)
class Price:
    """Value of loosening one rule, told for one of its units (percentage point, hour, move), minor units.

    It is the rate at the limit, where it begins to give way; a whole unit usually brings less. Of sums of quotas see
    :mod:`optimize.loosening_worth`.

    Attributes:
        by_subject: each subject's part.
    """

    rule: str
    value: float
    unit: str
    by_subject: Mapping[str, float]


def with_owners_held(problem: AllocationProblem, decisions: Decisions) -> tuple[Model, Floats]:
    """The joint programme in which everything but the owners is a decision still, and the columns of its solution.

    What one more hour of training or care would bring cannot be read where these are held, nor where they were chosen
    for sales before there were quotas.

    Returns:
        The model, and values of its columns; NaN where owners leave no plan.
    """
    model = build_with_owners_held(problem, decisions)
    return model, solve(model.programme, solver=problem.solver).values


def build_with_owners_held(problem: AllocationProblem, decisions: Decisions, *, unit: float | None = None) -> Model:
    """The same programme unsolved.

    Args:
        unit: of money; see :func:`optimize.model.build`.
    """
    fixed = replace(with_owners(problem, decisions), two_stage=False, trust=None)
    knots = first_knots(fixed)
    for _ in range(CUTS):
        knots = tuple(zoom(k, float(hours), PIECES) for k, hours in zip(knots, decisions.care, strict=False))
    return build(fixed, segments=segments_for(fixed), knots=knots, unit=unit)


def prices(model: Model, values: Floats) -> dict[str, Price]:
    """Value of loosening of every rule with owners held; training hours move freely, not in whole steps.

    Each rule's rows are loosened by a hair, and the duals of the linear programme there give the derivative on the
    side to which loosening goes: ``sum over rows of |dual| x room per unit``. A Gini index told by cuts is
    loosened by a tenth of a point and solved again.

    Args:
        values: of all columns of a solution, whose owners are held.
    """
    if np.isnan(values).any():
        return {}
    programme = model.programme
    settled = [block.index for block in programme.columns if block.name in (OWNER, LEVEL)]
    chosen = np.concatenate([np.zeros(0, dtype=np.int64), *settled])
    held = replace(programme.fixed(chosen, np.round(values[chosen])), integer=np.zeros_like(programme.integer))
    out: dict[str, Price] = {}
    solver = model.problem.solver
    warm = Warm(held) if solver == HIGHS else None
    for rule in dict.fromkeys(rows.rule for rows in programme.rows if rows.loosen is not None):
        told = unit_of(rule)
        if told is None:
            continue
        unit, size = told
        if any(limit.rule == rule for limit in programme.ordered):
            worth = worth_of_room(held, rule, STEP * size)
            if worth is not None:
                value = worth * size * model.unit
                out[rule] = Price(rule, value, unit, {"company": value})
            continue
        nudged = held.loosened(rule, NUDGE * size)
        solution = solve(nudged, solver=solver) if warm is None else warm.again(nudged)
        if solution.status != "optimal":
            continue
        parts: dict[str, float] = {}
        for rows, duals in zip(nudged.rows, solution.duals, strict=True):
            if rows.rule != rule or rows.loosen is None:
                continue
            room = rows.loosen.at(solution.values)
            for subject, value in zip(rows.subjects, np.abs(duals) * room * size * model.unit, strict=True):
                parts[subject] = parts.get(subject, 0.0) + float(value)
        out[rule] = Price(rule, sum(parts.values()), unit, parts)
    return out
