"""Whole plans at one value of a rule's number after another, from loose to strict, each from where the last ended.

Five things make a point cheaper than a plan of its own. What no plan of a looser point exceeds, no plan of a stricter
one does, and a plan of a looser point, its quotas split again, often still comes as close to that as is asked: then
nothing is solved. The relaxation, solved again from the last basis, bounds a point, and proves where no plan is left.
Small searches round it to whole owners (:mod:`optimize.frontier_rounding`). Where all that is not enough, branch and
bound begins with the best plan at hand, or the method by prices with the last prices and owners. A search ends at a
limit on nodes and on rounds at the first of them: what it leaves open is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from optimize.by_prices.feasibility import worst_breach
from optimize.by_prices.method import by_prices
from optimize.by_prices.priced import Start
from optimize.by_prices.refit import ALLOWED
from optimize.found import GAP
from optimize.frontier_rounding import by_largest_part, by_settled_hours
from optimize.model import (
    SEGMENTS,
    Model,
    build,
    care_error,
    first_knots,
    given_way,
    money_unit,
    read_decisions,
    segments_for,
)
from optimize.optimum import by_prices_where_free, optimise
from optimize.problem import AllocationProblem, Decisions, Floats, gains
from optimize.programme.solve import Searched, Solution, Warm, feasible, searched, solve
from optimize.quotas import possible_quotas
from optimize.split import attained

POINT_GAP = 1e-3
"""Proven gap at which a point is good enough: what is simulated at it is known far less exactly."""

FIRST_GAP = 0.75 * POINT_GAP
"""Gap of the first point by prices: what it leaves open, all later ones begin with."""
SPARED = POINT_GAP / 2
"""Gap to what looser points prove below which not even the relaxation is asked."""

SETTLED = 1 / 3
"""Share of what a point's gap leaves that a search of owners under settled hours may lose."""

NODES, ROUNDS = 200, 80
"""Where the search of a point ends: nodes, and rounds of cuts and heuristics at the first of them. Strict limits on a
Gini index leave relaxations so weak that no number of nodes within reason would close the gap."""


@dataclass(frozen=True)
class Open:
    """A value at which the search ended before it found a plan, or proved that there is none.

    Attributes:
        bound: proven, on every plan at this value, minor units.
    """

    bound: float


@dataclass(frozen=True)
class Point:
    """The best plan found at one value.

    Attributes:
        quotas: before rounding, minor units, [R].
        value: what is maximised, minor units; bound: proven, on every plan at this value; infinite where none is
            claimed.
        solved: whether it took a solve with whole owners, or a search by prices.
    """

    decisions: Decisions
    quotas: Floats
    value: float
    bound: float
    solved: bool

    @property
    def gap(self) -> float:
        """Proven relative distance to the bound."""
        return max(0.0, self.bound - self.value) / max(abs(self.value), 1e-9)


class Sweep:
    """Requests that differ in the number of one rule, to be given from loose to strict."""

    def __init__(self) -> None:
        self._relaxed: Warm | None = None
        self._columns: Floats | None = None
        self._start: Start | None = None
        self._found: list[Decisions] = []
        self._cuts: float | None = None
        self._ceiling = np.inf

    def point(self, problem: AllocationProblem) -> Point | Open | None:
        """The best plan of the next request; None where it is proven that no plan keeps its rules."""
        if _of_its_own(problem):
            return _cold(problem)
        # Rules that give way to locks need not give way further where they are stricter: then no bound carries over.
        ceiling = np.inf if problem.locks else self._ceiling
        found: Point | Open | None
        if by_prices_where_free(problem):
            found = self._priced(problem, ceiling) or self._exact(problem, ceiling)
        else:
            found = self._exact(problem, ceiling)
        if isinstance(found, Point) and not any(found.decisions is known for known in self._found):
            self._found.append(found.decisions)
        if found is not None:
            self._ceiling = found.bound
        return found

    def _priced(self, problem: AllocationProblem, ceiling: float) -> Point | None:
        simulated = _simulated(problem) if problem.two_stage else 0.0
        gap = FIRST_GAP if self._start is None else POINT_GAP
        priced = by_prices(problem, gap, start=self._start, ceiling=ceiling - simulated)
        if priced is None:
            return None
        self._start = priced.end
        plan = priced.plan
        value, bound = plan.value + priced.simulated, priced.bound + priced.simulated
        return Point(plan.decisions, plan.quotas, value, bound, solved=True)

    def _exact(self, problem: AllocationProblem, ceiling: float) -> Point | Open | None:
        known = self._known(problem, ceiling) if np.isfinite(ceiling) else None
        if known is not None and known.gap <= SPARED:
            return known
        segments = SEGMENTS if problem.two_stage else segments_for(problem)
        model = build(problem, segments=segments, knots=first_knots(problem), sales=problem.two_stage)
        whole = model.programme
        free = replace(whole, integer=np.zeros_like(whole.integer))
        if self._relaxed is None:
            self._relaxed = Warm(free)
            solution = self._relaxed.solve()
        else:
            solution = self._relaxed.again(free)
        if solution.status == "infeasible":
            return None
        bound = min(ceiling, self._bound(model, solution))
        known = self._known(problem, bound)
        if known is not None and known.gap <= POINT_GAP:
            return known
        if whole.integer.any():
            rounded, begin = (None, None) if problem.locks else self._rounded(problem, model, solution, bound)
            if rounded is not None and rounded.gap <= POINT_GAP:
                return better(rounded, known)
            if begin is None and self._columns is not None and len(self._columns) == whole.size:
                begin = self._columns
            # Segments and cuts take their part of the gap; the solver measures the rest against its own objective,
            # which leaves the simulated plan's sales out.
            asked, own = POINT_GAP * abs(bound), abs(solution.objective) * model.unit
            gap = max(asked - self._hidden(model), asked / 2) / max(own, 1e-9)
            ended = searched(whole, 0.0, NODES, begin, rounds=ROUNDS, gap=gap)
            if ended.bound == -np.inf:
                return None
            known = better(known, rounded)
            if ended.values is None:
                # What gives way to locks is not known without values.
                bound = bound if problem.locks else min(bound, self._bound(model, ended))
                return Open(bound) if known is None else replace(known, bound=bound)
            self._columns = ended.values
            bound, values = min(bound, self._bound(model, ended)), ended.values
            known = None if known is None else replace(known, bound=bound)
        else:
            values = solution.values
        decisions = read_decisions(problem, model, values)
        return better(_split(problem, decisions, bound, solved=True), known)

    def _bound(self, model: Model, solution: Solution | Searched) -> float:
        """On every plan, minor units: segments and cuts of the care curves understate by no more than the error."""
        broken = 0.0 if solution.values is None else given_way(model, solution.values)
        bound = solution.bound * model.unit + broken + self._hidden(model)
        return bound + (_simulated(model.problem) if model.problem.two_stage else 0.0)

    def _hidden(self, model: Model) -> float:
        """How far the programme may understate a plan, minor units."""
        if self._cuts is None:
            self._cuts = care_error(model.problem, model.knots)  # curves and budget are those of all points
        # Sales are not cut into segments.
        return self._cuts + (0.0 if model.problem.two_stage else model.segment_error)

    def _rounded(
        self, problem: AllocationProblem, model: Model, relaxed: Solution, bound: float
    ) -> tuple[Point | None, Floats | None]:
        """The best plan that small searches find, and its columns; None where they find none."""
        best: tuple[Point | None, Floats | None] = None, None
        near = max(SETTLED * (POINT_GAP * abs(bound) - self._hidden(model)) / model.unit, 0.0)
        ways: tuple[Callable[[], Floats | None], ...] = (
            lambda: by_largest_part(model, relaxed, POINT_GAP),
            lambda: by_settled_hours(model, relaxed, near, POINT_GAP),
        )
        for way in ways:
            columns = way()
            found = None if columns is None else split_again(problem, read_decisions(problem, model, columns), bound)
            if found is not None and (best[0] is None or found.value > best[0].value):
                best = replace(found, solved=True), columns
            if best[0] is not None and best[0].gap <= POINT_GAP:
                break
        return best

    def _known(self, problem: AllocationProblem, bound: float) -> Point | None:
        """The best of the plans of looser points that keep the rules here."""
        best: Point | None = None
        # Locked figures may break rules by more here: whether by no more than need be is for a solve to say.
        for decisions in [] if problem.locks else self._found:
            best = better(split_again(problem, decisions, bound), best)
        return best


def most_capped(problem: AllocationProblem) -> float:
    """What capped sales no plan exceeds, minor units, whatever is maximised: by the joint programme's relaxation."""
    asked = replace(problem, two_stage=False, basis=problem.samples)
    model = build(asked, segments=segments_for(asked), knots=first_knots(asked))
    whole = model.programme
    solution = solve(replace(whole, integer=np.zeros_like(whole.integer)))
    if solution.status == "infeasible":
        return 0.0
    return min(solution.bound * model.unit + given_way(model, solution.values) + model.error, problem.total)


def better(one: Point | None, two: Point | None) -> Point | None:
    """The one of larger value; None where there is neither."""
    if one is None or (two is not None and two.value > one.value):
        return two
    return one


def split_again(problem: AllocationProblem, decisions: Decisions, bound: float) -> Point | None:
    """A plan with owners, training and care of another point; None where it breaks a rule here."""
    point = _split(problem, decisions, bound, solved=False)
    if point is None or worst_breach(problem, decisions, point.quotas, money_unit(problem)) > ALLOWED:
        return None
    return point


def _split(problem: AllocationProblem, decisions: Decisions, bound: float, *, solved: bool) -> Point | None:
    quotas = possible_quotas(problem, decisions)
    if quotas is None:
        return None
    gain = gains(problem, decisions)
    # In two-stage mode owners and training are for sales, and quotas only have to be possible.
    value = _simulated(problem) + float(gain.sum()) if problem.two_stage else attained(problem.basis, gain, quotas)
    return Point(decisions, quotas, value, bound, solved)


def _simulated(problem: AllocationProblem) -> float:
    """Expected sales of the simulated plan, minor units."""
    return float(problem.samples.mean(axis=0).sum())


def _of_its_own(problem: AllocationProblem) -> bool:
    """Whether something else than attainment or sales is maximised, so that plans and bounds do not carry over."""
    other = bool(problem.metrics.weighted) or problem.metrics.revenue_weight != 1.0
    return problem.maximin or problem.even_load or bool(problem.alpha) or other


def _cold(problem: AllocationProblem) -> Point | None:
    # Asked first, since finding out which rules conflict takes many solves that nobody would read.
    if not feasible(build(problem, segments=8).programme):
        return None
    return _split(problem, optimise(problem, GAP).decisions, float("inf"), solved=True)
