"""Lexicographic max-min: the worst-off as well off as can be, then the next, and so on.

Each outcome is a ratio of two linear expressions, ``top_r / bottom_r``, so that attainment (what is sold within a quota
over the quota) is one, and a plain linear outcome is one over 1. The largest smallest ratio is found by Dinkelbach's
iteration for several ratios (Crouzeix, Ferland and Schaible 1985); outcomes whose rows have a price there can be raised
by nobody without lowering somebody who is no better off, so they are fixed and the rest goes on (Ogryczak, Pioro and
Tomaszewski 2005). Valid without integers only: a fixed outcome of a whole decision may be fixed for the wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimize.programme.blocks import Bools, Columns, Floats, Linear, Programme, Rows
from optimize.programme.solve import Solution, SolverError, Warm, solve

TOLERANCE = 1e-8
"""Of a level, relative to the bottoms; finer than a solver's own is no use."""
BLOCKED = 1e-5
"""Share of a level's price from which an outcome counts as one that cannot be raised."""
STEPS = 100
LEAST_WEIGHT = 0.1
FEWEST = 1e-6
"""A bottom below this share of the mean asks for nothing; its outcome counts as 1."""


@dataclass(frozen=True)
class Levels:
    """A lexicographically largest solution.

    Attributes:
        values: of the programme's columns.
        outcomes: the ratios, in order of the expressions.
        rounds: how many levels were found one after the other.
    """

    values: Floats
    outcomes: Floats
    rounds: int


def leximin(programme: Programme, top: Linear, bottom: Linear, highest: float = np.inf) -> Levels | None:
    """The solution whose sorted ratios ``top / bottom`` are lexicographically largest; None where there is none.

    Args:
        programme: its rows and bounds; the best by its objective is only where the search begins.
        top, bottom: as many expressions each; bottoms not negative.
        highest: a value that no outcome exceeds; whoever is there is done.

    Raises:
        ValueError: the programme has integers.
    """
    if programme.integer.any():
        raise ValueError("outcomes can be fixed one after the other only where nothing is whole")
    found = solve(programme)
    if found.status == "infeasible":
        return None
    values = found.values
    free = np.ones(top.count, dtype=np.bool_)
    floors = np.full(top.count, -np.inf)
    stage, rounds = _Stage(programme, top, bottom), 0
    while free.any():
        values, level, blocked = stage.raised(values, free, floors)
        done = free & (_ratios(top, bottom, values) >= highest - TOLERANCE) if level >= highest - TOLERANCE else blocked
        floors[done] = level
        free &= ~done
        rounds += 1
    return Levels(values, _ratios(top, bottom, values), rounds)


def _ratios(top: Linear, bottom: Linear, values: Floats) -> Floats:
    above, below = top.at(values), bottom.at(values)
    asked = below > FEWEST * max(float(below.mean()), 1e-300)
    return np.divide(above, below, out=np.ones_like(above), where=asked)


class _Stage:
    """The largest smallest outcome of those still free, others at their floors; solved again from the last basis."""

    def __init__(self, programme: Programme, top: Linear, bottom: Linear) -> None:
        self._top, self._bottom, self._column = top, bottom, programme.size
        self._base = programme
        self._warm: Warm | None = None

    def raised(self, values: Floats, free: Bools, floors: Floats) -> tuple[Floats, float, Bools]:
        """Values, level and who cannot be raised above it."""
        # With nobody free below it, the smallest ratio at hand is a level that can be kept.
        level = float(_ratios(self._top, self._bottom, values)[free].min())
        for _ in range(STEPS):
            below = self._bottom.at(values)
            # A small bottom may grow: its weight must not let the others run ahead.
            weight = np.maximum(below, LEAST_WEIGHT * float(below.mean()))
            solution, duals = self._solve(np.where(free, level, floors), free, weight)
            better = solution.values[:-1]
            reached = float(_ratios(self._top, self._bottom, better)[free].min())
            if reached > level:
                values, level = better, reached
            if solution.values[-1] <= TOLERANCE * max(1.0, abs(level)):
                break
        price = np.where(free, duals * weight, 0.0)
        blocked = price > BLOCKED * max(float(price.sum()), 1e-300)
        if not blocked.any():
            blocked = free & (_ratios(self._top, self._bottom, values) <= level + 10 * TOLERANCE * max(1.0, abs(level)))
        return values, level, blocked

    def _solve(self, levels: Floats, free: Bools, weight: Floats) -> tuple[Solution, Floats]:
        """Maximise s with ``top - level * bottom >= s * weight`` for the free, ``>= 0`` for the others."""
        count, base = len(levels), self._base
        known = np.isfinite(levels)
        rows = self._top - self._bottom.times(np.where(known, levels, 0.0))
        rows = rows + Linear.of(count, np.arange(count), np.full(count, self._column), np.where(free, -weight, 0.0))
        lower = np.where(known, -1e-9, -np.inf)
        names = tuple(str(r) for r in range(count))
        block = Rows("levels", names, rows, lower, np.full(count, np.inf), None, kept=True)
        programme = replace(
            base,
            columns=(*base.columns, Columns("raise", ("all",), np.array([self._column]))),
            lower=np.append(base.lower, -np.inf),
            upper=np.append(base.upper, np.inf),
            objective=np.append(np.zeros(base.size), 1.0),
            integer=np.append(base.integer, False),
            rows=(*base.rows, block),
            constant=0.0,
        )
        solution = self._solved(programme)
        return solution, np.abs(solution.duals[-1]) if len(solution.duals) else np.zeros(count)

    def _solved(self, programme: Programme) -> Solution:
        """From the last basis; from the start where the solver ends a hair outside the rows there."""
        if self._warm is not None:
            try:
                return self._warm.again(programme)
            except SolverError:
                pass
        self._warm = Warm(programme)
        return self._warm.solve()
