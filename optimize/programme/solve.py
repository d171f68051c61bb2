"""The one place where a solver is called: one thread, a fixed seed, stopped by gap or nodes.

One model, two ways out: its arrays straight to HiGHS, or through PuLP to any solver.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import highspy
import numpy as np
import pulp
from numpy.typing import NDArray

from optimize.programme.blocks import BROKEN, Columns, Linear, Programme
from optimize.programme.emit_highs import HighsModel
from optimize.programme.emit_pulp import PulpModel, emit
from optimize.programme.solvers import HIGHS, pulp_solver, quiet
from scenarios.errors import QuotalabError

Floats = NDArray[np.float64]
Status = Literal["optimal", "infeasible", "stopped"]

SAFETY_NET_SECONDS = 600.0
"""A wall-clock limit ends a solve that went astray; a result that used it says so and is not reproducible."""


class SolverError(QuotalabError):
    """The solver gave neither a solution nor a proof that there is none."""


class OutOfTimeError(SolverError):
    """The wall-clock limit came before any solution."""


@dataclass(frozen=True)
class Solution:
    """What a solve came to.

    Attributes:
        status: "optimal" within the asked gap, "infeasible" (proven), or "stopped" at a limit with a solution.
        values: of the columns.
        objective: of the programme (maximised), constant included.
        bound: proven upper bound on the objective.
        duals: per block of rows, d(objective) / d(right-hand side); zeros where the programme has integers.
        reproducible: False where the wall-clock limit ended the solve.
    """

    status: Status
    values: Floats
    objective: float
    bound: float
    duals: tuple[Floats, ...]
    reproducible: bool = True

    @property
    def gap(self) -> float:
        """Proven relative distance to the bound."""
        return max(0.0, self.bound - self.objective) / max(abs(self.objective), 1e-12)


def solve(
    programme: Programme, gap: float = 1e-6, time_limit: float = SAFETY_NET_SECONDS, solver: str = HIGHS
) -> Solution:
    """Solve a programme.

    Args:
        gap: relative MIP gap at which to stop.
        solver: "highs" hands the arrays straight to HiGHS; any other name that
            :func:`optimize.programme.solvers.known_solver` takes goes through PuLP.

    Raises:
        InputRefused: no such solver, or it is not installed.
        OutOfTimeError: no solution before the wall-clock limit.
        SolverError: unbounded, or no answer at all.
    """
    if solver == HIGHS:
        return Warm(programme).solve(gap, time_limit)
    return _through_pulp(programme, solver, gap, time_limit)


class Warm:
    """A programme that is solved again and again with other figures, each time from where the last solve ended."""

    def __init__(self, programme: Programme) -> None:
        with quiet():
            self._model = HighsModel(programme)

    @property
    def steps(self) -> int:
        """Simplex steps of the last solve."""
        return self._model.steps()

    def again(
        self,
        programme: Programme,
        gap: float = 1e-6,
        time_limit: float = SAFETY_NET_SECONDS,
        begin: Floats | None = None,
    ) -> Solution:
        """Solve another programme of the same columns and rows from the last basis; see :meth:`HighsModel.become`.

        Args:
            begin: of a programme with integers: columns to begin with, which may break rows; left out where there are
                not as many as columns.
        """
        with quiet():
            self._model.become(programme)
            if begin is not None and len(begin) == programme.size:
                self._model.begin(begin)
        return self.solve(gap, time_limit)

    def solve(self, gap: float = 1e-6, time_limit: float = SAFETY_NET_SECONDS) -> Solution:
        """Solve the programme as it stands; arguments and errors as of :func:`solve`."""
        programme, model = self._model.programme, self._model
        with quiet():
            status = model.run(mip_rel_gap=gap, time_limit=time_limit)
        if model.infeasible(status):
            return _without_solution(programme)
        values = model.values()
        if values is None:
            if status == highspy.HighsModelStatus.kTimeLimit:
                raise OutOfTimeError(f"no plan was found within {time_limit:g} seconds")
            raise SolverError(f"the solver ended with {status}; no plan was made")
        proven = model.proven(status)
        found = np.clip(values, programme.lower, programme.upper)
        mixed = bool(programme.integer.any())
        objective = float(programme.objective @ found) + programme.constant
        bound = max(objective, model.bound()) if mixed else objective if proven else math.inf
        duals = _no_duals(programme) if mixed else model.duals()
        return Solution("optimal" if proven else "stopped", found, objective, bound, duals, reproducible=proven)


def _through_pulp(programme: Programme, solver: str, gap: float, time_limit: float) -> Solution:
    model = emit(programme)
    with quiet():
        model.problem.solve(pulp_solver(solver, gap, time_limit))
    status = int(model.problem.status)
    if status == pulp.LpStatusInfeasible:
        return _without_solution(programme)
    # PuLP calls a solve that a time limit ended "Optimal"; only the status of the solution tells.
    proven = int(model.problem.sol_status) == pulp.LpSolutionOptimal
    values = np.array([variable.value() for variable in model.variables], dtype=object)
    if status != pulp.LpStatusOptimal or any(value is None for value in values):
        raise SolverError(f"{solver} ended with status {pulp.LpStatus[status]}; no plan was made")
    found = np.clip(values.astype(np.float64), programme.lower, programme.upper)
    mixed = bool(programme.integer.any())
    objective = float(programme.objective @ found) + programme.constant
    bound = objective if proven else math.inf
    if mixed:
        bound = max(objective, _pulp_bound(model, programme, objective if proven else math.nan, gap))
    duals = _no_duals(programme) if mixed else _duals(model)
    return Solution("optimal" if proven else "stopped", found, objective, bound, duals, reproducible=proven)


def _pulp_bound(model: PulpModel, programme: Programme, objective: float, gap: float) -> float:
    """The bound that the solver itself tells, else what stopping at the gap proves; infinite where nothing does.

    Args:
        objective: of a solution proven within the gap, else NaN.
    """
    highs: Any = getattr(model.problem, "solverModel", None)
    if hasattr(highs, "getInfo"):
        told = float(highs.getInfo().mip_dual_bound)
        return programme.constant - told if math.isfinite(told) else math.inf
    return math.inf if math.isnan(objective) else objective + max(1e-9, gap * abs(objective - programme.constant))


MANY_COLUMNS = 10_000
"""Columns beyond which a proof comes from rows that may be broken at a cost, not from a ray."""
LEAST_BREACH, SLIGHT = 1e-6, 1e-9
"""By how much rows have to be broken at least for a proof, and the multiplier below which a row is none of it."""
MOST_NODES = 50
"""Nodes after which the question whether there is a plan at all is left open."""


def settled(programme: Programme, nodes: int = MOST_NODES) -> bool | None:
    """Whether any values satisfy the programme; None where the search ends at its limit on nodes before it is known."""
    with quiet():
        model = HighsModel(programme.relaxed_objective(), mip_max_nodes=nodes)
        status = model.run(mip_rel_gap=1.0, time_limit=SAFETY_NET_SECONDS)
    if model.infeasible(status):
        return False
    return None if model.values() is None else True


def refuted(programme: Programme) -> dict[str, frozenset[str]] | None:
    """Rules, with their subjects, whose rows prove together that no values satisfy a programme without its integers.

    None where some do, or where the solver has no proof in rows. All else may be left out: the rest still conflicts.
    """
    asked = replace(programme.relaxed_objective(), integer=np.zeros_like(programme.integer))
    with quiet():
        model = HighsModel(asked)
        known = model.infeasible(model.run(time_limit=SAFETY_NET_SECONDS))
        ray = _proof(model, asked) if known else None
    if ray is None:
        return None
    found: dict[str, frozenset[str]] = {}
    for rows, multipliers in zip(programme.rows, ray, strict=True):
        part = frozenset(rows.subjects[i] for i in np.flatnonzero(multipliers).tolist())
        if part:
            found[rows.rule] = found.get(rows.rule, frozenset()) | part
    return found


def _proof(model: HighsModel, programme: Programme) -> tuple[Floats, ...] | None:
    """Multipliers of the rows that prove together that no values satisfy a programme without its integers.

    Those of a ray take a solve without presolve, which with many columns lasts a hundred times as long as one with
    rows that may be broken at a cost: the duals of the least that they are broken by prove the same.
    """
    if programme.size > MANY_COLUMNS:
        least = Warm(_breakable(programme)).solve()
        if least.objective < -LEAST_BREACH:
            return tuple(np.where(np.abs(duals) > SLIGHT, duals, 0.0) for duals in least.duals)
    return model.ray()


def _breakable(programme: Programme) -> Programme:
    """Minimise by how much all rows are broken; the objective is minus the sum."""
    columns, first, rows = list(programme.columns), programme.size, []
    for block in programme.rows:
        expression = block.expression
        for sign, side in ((1.0, block.lower), (-1.0, block.upper)):
            at = np.flatnonzero(np.isfinite(side))
            slack = first + np.arange(len(at))
            expression = expression + Linear.of(len(side), at, slack, sign)
            columns.append(Columns(BROKEN + block.rule, [block.subjects[i] for i in at.tolist()], slack))
            first += len(at)
        rows.append(replace(block, expression=expression))
    more = first - programme.size
    return Programme(
        tuple(columns),
        np.append(programme.lower, np.zeros(more)),
        np.append(programme.upper, np.full(more, np.inf)),
        np.append(np.zeros(programme.size), np.full(more, -1.0)),
        np.append(programme.integer, np.zeros(more, dtype=np.bool_)),
        tuple(rows),
        0.0,
    )


@dataclass(frozen=True)
class Searched:
    """Where a search that may end at its limit on nodes came to.

    Attributes:
        values: of the columns; None where it found none.
        bound: proven upper bound on the objective; minus infinity where nothing satisfies the programme.
        reproducible: False where the wall-clock limit ended it.
    """

    values: Floats | None
    bound: float
    reproducible: bool = True


def searched(
    programme: Programme,
    room: float,
    nodes: int,
    begin: Floats | None = None,
    *,
    rounds: int | None = None,
    gap: float = 0.0,
) -> Searched:
    """Search a programme with integers until the bound is within ``room`` of the best values, or nodes run out.

    Args:
        begin: columns to begin with; integers count, the others are completed.
        rounds: of cuts and heuristics at the first node, after which the search ends there; None sets no limit.
        gap: relative to the objective, at which the search ends as well.
    """
    with quiet():
        model = HighsModel(programme, mip_max_nodes=nodes, mip_abs_gap=max(room, 1e-9))
        if rounds is not None:
            model.leave_root_within(rounds)
        if begin is not None:
            model.begin(begin)
        status = model.run(mip_rel_gap=gap, time_limit=SAFETY_NET_SECONDS)
    if model.infeasible(status):
        return Searched(None, -math.inf)
    steady = status != highspy.HighsModelStatus.kTimeLimit
    values = model.values()
    mixed = bool(programme.integer.any())
    bound = model.bound() if mixed else math.inf
    if values is None:
        return Searched(None, bound, steady)
    found = np.clip(values, programme.lower, programme.upper)
    objective = float(programme.objective @ found) + programme.constant
    bound = max(objective, bound) if mixed or not model.proven(status) else objective
    return Searched(found, bound, steady)


def feasible(programme: Programme) -> bool:
    """Whether any values satisfy the programme."""
    return solve(programme.relaxed_objective(), gap=1.0).status != "infeasible"


def _duals(model: PulpModel) -> tuple[Floats, ...]:
    """Duals of the maximisation: those of the emitted minimisation with the sign turned."""
    return tuple(
        np.array([-sum(float(constraint.pi or 0.0) for constraint in held) for held in block])
        for block in model.constraints
    )


def _no_duals(programme: Programme) -> tuple[Floats, ...]:
    return tuple(np.zeros(len(rows.subjects)) for rows in programme.rows)


def _without_solution(programme: Programme) -> Solution:
    nothing = np.full(programme.size, np.nan)
    return Solution("infeasible", nothing, -math.inf, -math.inf, _no_duals(programme))
