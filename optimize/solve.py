"""The one place where a solver is called: HiGHS through PuLP, one thread, a fixed seed, stopped by gap or nodes."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pulp
from numpy.typing import NDArray

from optimize.blocks import Programme
from optimize.emit_pulp import PulpModel, emit
from scenarios.errors import QuotalabError

Floats = NDArray[np.float64]
Status = Literal["optimal", "infeasible", "stopped"]

SAFETY_NET_SECONDS = 600.0
"""A wall-clock limit ends a solve that went astray; a result that used it says so and is not reproducible."""


class SolverError(QuotalabError):
    """The solver gave neither a solution nor a proof that there is none."""


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


def solve(programme: Programme, gap: float = 1e-6, time_limit: float = SAFETY_NET_SECONDS) -> Solution:
    """Solve a programme.

    Args:
        gap: relative MIP gap at which to stop.

    Raises:
        SolverError: unbounded, or no answer at all.
    """
    model = emit(programme)
    solver = pulp.HiGHS(
        msg=False,
        threads=1,
        gapRel=gap,
        gapAbs=1e-9,
        timeLimit=time_limit,
        random_seed=0,
        primal_feasibility_tolerance=1e-9,
    )
    with quiet():
        model.problem.solve(solver)
    status = int(model.problem.status)
    if status == pulp.LpStatusInfeasible:
        return _without_solution(programme)
    proven = int(model.problem.sol_status) == pulp.LpSolutionOptimal
    highs: Any = model.problem.solverModel
    values = np.array([variable.value() for variable in model.variables], dtype=object)
    if status != pulp.LpStatusOptimal or any(value is None for value in values):
        raise SolverError(f"the solver ended with {highs.getModelStatus()}; no plan was made")
    found = np.clip(values.astype(np.float64), programme.lower, programme.upper)
    mixed = bool(programme.integer.any())
    objective = float(programme.objective @ found) + programme.constant
    bound = objective
    if mixed:
        dual_bound = float(highs.getInfo().mip_dual_bound)
        bound = max(objective, programme.constant - dual_bound) if math.isfinite(dual_bound) else math.inf
    elif not proven:
        bound = math.inf
    return Solution(
        "optimal" if proven else "stopped",
        found,
        objective,
        bound,
        _no_duals(programme) if mixed else _duals(model),
        reproducible=proven,
    )


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


@contextmanager
def quiet() -> Iterator[None]:
    """The solver's library writes a banner to file descriptor 1 whatever it is told; keep it off standard output."""
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)
