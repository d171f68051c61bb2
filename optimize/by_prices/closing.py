"""What prices leave open, closed by branch and bound over the owners that may still be better.

At dual prices, an owner worth less to an account than the best one by more than the dual bound lies above a value
cannot be part of a plan of more than that value (reduced-cost fixing). What is left is a programme of its own, solved
on all samples; with the value that was fixed by, its bound is one on every plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimize.bent_curves import evenly_bent
from optimize.by_prices.arcs import Arcs
from optimize.by_prices.assignment import Assignment
from optimize.by_prices.refit import ALLOWED, Refit, Refitting
from optimize.by_prices.relaxation import Response
from optimize.model import EXACT_COLUMNS, Model, build, given_way, read_decisions
from optimize.pairs import PairLabels
from optimize.parts.accounts import OWNER
from optimize.parts.training import HOURS
from optimize.problem import AllocationProblem, Decisions, held
from optimize.programme.blocks import BROKEN, Programme
from optimize.programme.curves import zoom
from optimize.programme.solve import searched, solve

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MOST_ARCS = 3_000
"""Owners left open beyond which branch and bound would not end either."""
AT_ONCE = 400
"""So few arcs in all are closed before any ruin and recreate."""
CARED = 6
"""As how many an arc counts, open or not, where its care is to be decided: it has many columns then."""
EFFORT = 1.5e8
"""Nodes, times the power 1.5 of columns, after which branch and bound stops: as a linear programme's time grows."""
LEAST_NODES = 20
NEGLIGIBLE = 1e-9
"""Rules that locks break by less, in the objective, are not broken."""
CARE_KNOTS = 44
"""Pieces of a care curve, cut where it bends."""
REFINEMENTS, FINER_PIECES = 6, 16
"""Turns in which care is cut finer, and pieces around the last hours in each."""


@dataclass(frozen=True)
class Closed:
    """What branch and bound came to.

    Attributes:
        plan: the best that it found; None where it found none.
        bound: on every plan that breaks rules for locks by no more, minor units; minus infinity where there is none.
        broken: whether locks break rules: then no plan that breaks them further takes the place of this one.
        reproducible: False where the safety net of time ended it.
    """

    plan: Refit | None
    bound: float
    broken: bool
    reproducible: bool


class Closing:
    """Branch and bound over what the prices of one response leave open."""

    def __init__(self, problem: AllocationProblem, refitting: Refitting, response: Response) -> None:
        self.problem, self.refitting, self.response = problem, refitting, response
        arcs = refitting.request.arcs
        score = response.lam[arcs.rep] * response.sold - response.mu[arcs.rep] * response.hours + response.extra
        best = response.rest.copy()
        np.maximum.at(best, arcs.account, score)
        self.regret = best[arcs.account] - score

    def open(self, above: float | None) -> Bools:
        """Arcs that a plan of more than this value may have, [P]; all where there is no value yet.

        Args:
            above: minor units.
        """
        if above is None or self.problem.locks:
            # Which plan breaks rules least for locks is no question of prices.
            return np.ones(len(self.regret), dtype=np.bool_)
        return np.asarray(self.regret <= self.response.value - above / self.refitting.request.unit)

    def within_reach(self, above: float | None, most: int = MOST_ARCS) -> bool:
        """Whether so little is open that branch and bound may end."""
        cared = self.refitting.request.arcs.care is not None
        arcs = CARED * len(self.regret) if cared else int(self.open(above).sum())
        return self.problem.basis.size <= EXACT_COLUMNS and arcs <= most

    def run(self, best: Refit | None, above: float | None, room: float) -> Closed:
        """Solve it.

        Args:
            best: the best plan so far; above: the value that owners are fixed by, at least its own, minor units.
            room: distance of bound and value at which to stop, minor units.
        """
        problem = self.problem
        model = build(problem, knots=_knots(problem), sales=problem.two_stage, bends=True)
        programme = self._fixed(model.programme, self.open(above))
        nodes = max(LEAST_NODES, int(EFFORT / programme.size**1.5))
        begin = None if best is None else _columns(problem, programme, best.decisions)
        found = searched(programme, room / model.unit, nodes, begin)
        floor = -np.inf if above is None else above
        if found.values is None:
            return Closed(None, max(found.bound * model.unit + model.error, floor), False, found.reproducible)
        lost = given_way(model, found.values)
        broken = lost > NEGLIGIBLE * model.unit
        if broken:
            # The price of breaking rules drowns everything else: what is broken is settled, and the rest comes again.
            again = searched(_as_broken(programme, found.values), room / model.unit, nodes, found.values)
            if again.values is not None:
                found, lost = again, 0.0
        bound = max(found.bound * model.unit + lost + model.error, floor)
        plan = None if found.values is None else self._plan(model, found.values)
        return Closed(plan, bound, broken, found.reproducible)

    def _fixed(self, programme: Programme, open_: Bools) -> Programme:
        if open_.all() or not programme.has(OWNER):
            return programme
        block = programme.block(OWNER)
        account, rep = _labelled(block.labels)
        arcs, reps = self.refitting.request.arcs, self.refitting.request.reps
        closed = arcs.free[arcs.account[~open_]] * reps + arcs.rep[~open_]
        upper = programme.upper.copy()
        upper[block.index[np.isin(account * reps + rep, closed)]] = 0.0
        return replace(programme, upper=upper)

    def _plan(self, model: Model, values: Floats) -> Refit | None:
        """The decisions with care and quotas settled on the curves and samples themselves."""
        decisions = read_decisions(self.problem, model, values)
        plans = [self.refitting.of(decisions)]
        if self.refitting.request.arcs.care is not None:
            around = self.refitting.around(_assigned(self.refitting, decisions), decisions)
            plans.append(self._finer(decisions, model.knots) if around is None else around)
        counted = [plan for plan in plans if plan is not None and plan.breach <= ALLOWED]
        return max(counted, key=lambda plan: (plan.in_steps, plan.value), default=None)

    def _finer(self, decisions: Decisions, knots: tuple[Floats, ...]) -> Refit | None:
        """Care cut finer and finer around these decisions, where rules that give way to locks are for the programme."""
        fixed = held(self.problem, decisions, care=False)
        care = decisions.care
        for _ in range(REFINEMENTS):
            knots = tuple(zoom(k, float(hours), FINER_PIECES) for k, hours in zip(knots, care, strict=True))
            model = build(fixed, knots=knots, sales=fixed.two_stage)
            solution = solve(model.programme)
            if solution.status == "infeasible":
                return None
            care = read_decisions(fixed, model, solution.values).care
        return self.refitting.of(replace(decisions, care=care))


def _assigned(refitting: Refitting, decisions: Decisions) -> Assignment:
    """Owners of the free accounts by their arcs."""
    request = refitting.request
    arcs: Arcs = request.arcs
    arc = np.full(len(arcs.free), -1, dtype=np.int64)
    mine = np.flatnonzero(decisions.owner[arcs.free][arcs.account] == arcs.rep)
    arc[arcs.account[mine]] = mine
    out = Assignment(request, np.zeros(request.reps, dtype=np.int64))
    out.load(arc)
    return out


def _as_broken(programme: Programme, values: Floats) -> Programme:
    """The programme in which rules give way to locks for nothing, but no further than in a solution."""
    at = np.concatenate([block.index for block in programme.columns if block.name.startswith(BROKEN)])
    upper, objective = programme.upper.copy(), programme.objective.copy()
    upper[at], objective[at] = np.maximum(values[at], programme.lower[at]), 0.0
    return replace(programme, upper=upper, objective=objective)


def _labelled(labels: object) -> tuple[Ints, Ints]:
    if not isinstance(labels, PairLabels):
        raise TypeError("the labels of owners are pairs")
    return labels.first, labels.second


def _columns(problem: AllocationProblem, programme: Programme, decisions: Decisions) -> Floats:
    """Integer columns of these decisions, zero elsewhere: the solver completes them."""
    out = np.zeros(programme.size)
    if programme.has(OWNER):
        block = programme.block(OWNER)
        account, rep = _labelled(block.labels)
        out[block.index] = decisions.owner[account] == rep
    place = {rep: r for r, rep in enumerate(problem.reps)}
    for k, skill in enumerate(problem.training.skills):
        name = f"{HOURS} {skill}"
        if programme.has(name):
            block = programme.block(name)
            rows = [place[str(label[0])] for label in block.labels if isinstance(label, tuple)]
            out[block.index] = np.round(decisions.training[rows, k] / problem.training.step)
    return out


def _knots(problem: AllocationProblem) -> tuple[Floats, ...]:
    """Cuts of the care curves, empty where care is not decided."""
    budget = problem.accounts.care_budget
    if budget is None:
        return ()
    curves = problem.accounts.curves
    return tuple(evenly_bent(curve, max(min(budget, curve.useful), 1e-9), CARE_KNOTS) for curve in curves)
