"""How far sums of quotas would have to move for a plan to be possible: the company's, those of teams, locked ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from optimize.loosening import answered, precedence, question, suffices
from optimize.problem import AllocationProblem, Floats, with_owners
from optimize.programme.blocks import Columns, Linear, Programme, Rows
from optimize.sums_under_locks import with_total

HALVINGS = 8
"""How finely a total is found between one that is possible with the simulated owners and the company's own."""
FEW_WHOLE = 100
"""Whole decisions up to which it is found to the rounding step."""
HAIR = 0.02
"""Minor units that count as the solver's tolerance."""
NUDGES = 3


@dataclass(frozen=True)
class NearestTotal:
    """A total for which there is a plan.

    Attributes:
        total: minor units.
        nearest: whether none nearer to the company's is known to be left out, to the rounding step.
    """

    total: int
    nearest: bool


def nearest_total(problem: AllocationProblem) -> NearestTotal | None:
    """The total nearest to the company's for which there is a plan; None where none was found.

    Rules that measure quotas against the company's quota over its potential move with the total, as they do for a
    planner who changes the target. Where owners are free this makes products of decisions: there the answer begins at
    the owners that were simulated, and goes on by halves.
    """
    free = problem
    found = _best(problem)
    if found is None:
        free = with_owners(problem, problem.base_decisions())
        found = _best(free)
    if found is None:
        return None
    total = _enough(problem, found)
    if total is None or free is problem:
        return None if total is None else NearestTotal(total, nearest=True)
    # Totals between the one that is possible and the one that is not.
    possible, wanted = float(total), problem.total
    few = int(question(problem).integer.sum()) <= FEW_WHOLE
    most = math.ceil(math.log2(max(abs(wanted - possible) / problem.rounding_step, 1.0))) if few else HALVINGS
    for _ in range(most):
        middle = (possible + wanted) / 2
        if suffices(question(with_total(problem, middle))):
            possible = middle
        else:
            wanted = middle
    total = _enough(problem, possible)
    return None if total is None else NearestTotal(total, nearest=few)


def _enough(problem: AllocationProblem, found: float) -> int | None:
    """The total in whole minor units, away from the company's by no more than rounding asks."""
    down = found < problem.total
    total = int(np.floor(found + HAIR)) if down else int(np.ceil(found - HAIR))
    for _ in range(NUDGES):
        if suffices(question(with_total(problem, float(total)))):
            return total
        total += -1 if down else 1
    return None


def _best(problem: AllocationProblem) -> float | None:
    """The nearest total by one programme in which it is a column; None where rows are no such function of it."""
    natural = max(float(problem.samples.mean(axis=0).sum()), 1.0)
    unit = min(natural, problem.total) / len(problem.reps) / 100.0
    scale = unit * len(problem.reps) * 100.0
    once, twice = (question(replace(problem, total=by * scale), unit=unit) for by in (1.0, 2.0))
    rows = list(_affine(once, twice))
    if any(block is None for block in rows) or not _same_bounds(once, twice):
        return None
    wanted = problem.total / scale
    for sign, low, high in ((1.0, 0.0, wanted), (-1.0, wanted, np.inf)):
        made = Programme(
            (*once.columns, Columns("total", ("company",), np.array([once.size]))),
            np.append(once.lower, low),
            np.append(once.upper, high),
            np.append(np.zeros(once.size), sign),
            np.zeros(once.size + 1, dtype=np.bool_),
            tuple(block for block in rows if block is not None),
            0.0,
        )
        solution = answered(made)
        if solution is not None:
            return float(solution.values[-1]) * scale
    return None


def _same_bounds(once: Programme, twice: Programme) -> bool:
    same = np.array_equal(once.lower, twice.lower) and np.array_equal(once.upper, twice.upper)
    return same and not once.ordered


def _affine(once: Programme, twice: Programme) -> Iterator[Rows | None]:
    """Each block with the total as one more column, in units of the first; None where its entries hang on the total."""
    for one, two in zip(once.rows, twice.rows, strict=True):
        a, b = one.expression, two.expression
        alike = np.array_equal(a.col, b.col) and np.allclose(a.coef, b.coef, rtol=1e-9, atol=1e-12)
        moves = [_difference(one.lower, two.lower), _difference(one.upper, two.upper)]
        sides = [np.isfinite(one.lower), np.isfinite(one.upper)]
        both = sides[0] & sides[1]
        if not alike or not np.allclose(moves[0][both], moves[1][both]):
            yield None
            continue
        by = b.constant - a.constant - np.where(sides[1], moves[1], moves[0])
        count = len(one.subjects)
        at = np.full(count, once.size)
        # The first programme is the one at a total of 1.
        expression = a + Linear.columns(at, by) + Linear.constants(-by)
        yield replace(one, expression=expression)


def _difference(one: Floats, two: Floats) -> Floats:
    known = np.isfinite(one)
    return np.where(known, np.where(known, two, 0.0) - np.where(known, one, 0.0), 0.0)


def nearest_sum(programme: Programme, rule: str) -> float | None:
    """The value nearest to the one that a sum must have for which the other rows hold, in the programme's unit.

    Accounts shared: see :func:`optimize.loosening.suffices` for whether the value is enough.
    """
    block = next(rows for rows in programme.rows if rows.rule == rule)
    solution = answered(programme.elastic(rule))
    return None if solution is None else float(block.expression.at(solution.values)[0])


def with_sum(programme: Programme, rule: str, value: float) -> Programme:
    """The programme with another value of a sum, in its unit."""

    def moved(side: Floats) -> Floats:
        return np.where(np.isfinite(side), value, side)

    rows = [
        replace(one, lower=moved(one.lower), upper=moved(one.upper)) if one.rule == rule else one
        for one in programme.rows
    ]
    return replace(programme, rows=tuple(rows))


def is_sum(rule: str) -> bool:
    """Whether a block says what quotas sum to: all of them, a team's, or a locked one."""
    return precedence(rule) > 0
