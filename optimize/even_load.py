"""No more care than floors need, evenly borne: the busiest person as little busy as can be, then the next.

Owners, training and shares of leads are settled; hours of care are the decision. The largest workload is minimised,
then the next of those who can still be relieved, and so on: lexicographic min-max (:mod:`optimize.leximin`) of hours
asked for over hours left, under all floors and rules. Care curves enter by chords below them, cut finer around each
solution. Where a curve is S-shaped, whole columns say which of its stretches are used: they are chosen for the least
largest load, and the levels after it are found with them held, since fixing levels one after the other is not valid
with whole decisions.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimize.leximin import leximin
from optimize.model import build, first_knots, read_decisions, segments_for
from optimize.problem import AllocationProblem, Decisions, Floats, held
from optimize.programme.blocks import Columns, Linear, Programme, Rows
from optimize.programme.curves import zoom
from optimize.programme.solve import solve
from optimize.quotas import NoQuotasError, giving_way_no_further

MOST_REPS = 300
"""Beyond it as many programmes one after the other as there are levels take too long."""
REFINEMENTS, PIECES = 6, 16
GAP = 1e-6
"""Of the least largest load, where stretches of curves are chosen."""


def evenly_loaded(problem: AllocationProblem, decisions: Decisions) -> Decisions:
    """The same owners, training and shares of leads, with the least and most evenly borne hours of care.

    Raises:
        NoQuotasError: floors cannot be reached beside the rules with these owners and training.
    """
    fixed = replace(held(problem, decisions, care=False), trust=None)
    knots, found = first_knots(fixed), decisions
    for _ in range(REFINEMENTS):
        care = _least_care(fixed, knots)
        if care is None:
            raise NoQuotasError(fixed)
        found = replace(decisions, care=care)
        knots = tuple(zoom(k, float(hours), PIECES) for k, hours in zip(knots, care.tolist(), strict=True))
    return found


def _least_care(problem: AllocationProblem, knots: tuple[Floats, ...]) -> Floats | None:
    """Hours of care by account, [A]; None where floors and rules leave none."""
    model = build(problem, segments=segments_for(problem), knots=knots, sales=True, bends=True)
    first = solve(model.programme)
    if first.status == "infeasible" or model.load is None or model.left is None:
        return None
    programme = giving_way_no_further(model.programme, first.values)
    whole = np.flatnonzero(programme.integer)
    if len(whole):
        values = solve(_largest_least(programme, model.load, model.left), GAP).values
        programme = programme.fixed(whole, np.round(values[whole]))
        programme = replace(programme, integer=np.zeros_like(programme.integer))
    levels = leximin(programme, model.load.times(-1.0), model.left)
    return None if levels is None else read_decisions(problem, model, levels.values).care


def _largest_least(programme: Programme, load: Linear, left: Linear) -> Programme:
    """The programme whose objective is the largest load, to be made least; the column of its level comes last."""
    count, level = load.count, programme.size
    over = load + Linear.of(count, np.arange(count), np.full(count, level), -left.constant)
    names = tuple(str(r) for r in range(count))
    rows = Rows("largest load", names, over, np.full(count, -np.inf), np.zeros(count), None, kept=True)
    return replace(
        programme,
        columns=(*programme.columns, Columns("largest load", ("all",), np.array([level]))),
        lower=np.append(programme.lower, -np.inf),
        upper=np.append(programme.upper, np.inf),
        objective=np.append(np.zeros(programme.size), -1.0),
        integer=np.append(programme.integer, False),
        rows=(*programme.rows, rows),
        constant=0.0,
    )
