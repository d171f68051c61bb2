"""The other emitter: the arrays of a programme straight to HiGHS, and solved again from the last basis."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np

from optimize.programme.blocks import Floats, Programme, Rows
from optimize.programme.matrix import Matrix, matrix

OPTIONS: dict[str, Any] = {
    "output_flag": False,
    "threads": 1,
    "random_seed": 0,
    "primal_feasibility_tolerance": 1e-9,
    "mip_abs_gap": 1e-9,
}
"""One thread, a fixed seed: the same programme gives the same bytes."""


class HighsModel:
    """A programme inside HiGHS that can become another of the same shape without starting from nothing."""

    def __init__(self, programme: Programme, **options: Any) -> None:
        made: Any = highspy.Highs  # untyped where its package is
        self.highs = made()
        for name, value in (OPTIONS | options).items():
            if self.highs.setOptionValue(name, value) != highspy.HighsStatus.kOk:
                raise ValueError(f"HiGHS has no option {name} = {value!r}")
        self._programme = programme
        self._matrix = matrix(programme)
        self._pass()

    @property
    def programme(self) -> Programme:
        """The programme as it stands."""
        return self._programme

    def become(self, programme: Programme) -> None:
        """Change costs, bounds, sides and entries to those of another programme; the basis is kept where it fits.

        The same columns and rows in the same places are changed in place; anything else is passed anew, with the last
        basis as its start where the numbers of columns and rows still agree.
        """
        before, old, new = self._programme, self._matrix, matrix(programme)
        in_place = (
            programme.size == before.size
            and len(new.lower) == len(old.lower)
            and old.same_pattern(new)
            and np.array_equal(programme.integer, before.integer)
        )
        self._programme, self._matrix = programme, new
        if in_place:
            self._change(before, old)
            return
        basis = self.highs.getBasis()
        fits = programme.size == before.size and len(new.lower) == len(old.lower) and basis.valid
        self._pass()
        if fits and not programme.integer.any():
            self.highs.setBasis(basis)

    def _pass(self) -> None:
        programme, held = self._programme, self._matrix
        # As arrays, all in one call: the fields of a HighsLp take a Python number an entry.
        status = self.highs.passModel(
            programme.size,
            len(held.lower),
            len(held.value),
            int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMaximize),
            programme.constant,
            programme.objective,
            programme.lower,
            programme.upper,
            held.lower,
            held.upper,
            held.start,
            held.row,
            held.value,
            programme.integer.astype(np.int32),
        )
        self._expect(status)

    def _change(self, before: Programme, old: Matrix) -> None:
        programme, new, highs = self._programme, self._matrix, self.highs
        cost = np.flatnonzero(programme.objective != before.objective).astype(np.int32)
        if len(cost):
            self._expect(highs.changeColsCost(len(cost), cost, programme.objective[cost]))
        if programme.constant != before.constant:
            self._expect(highs.changeObjectiveOffset(programme.constant))
        moved = (programme.lower != before.lower) | (programme.upper != before.upper)
        cols = np.flatnonzero(moved).astype(np.int32)
        if len(cols):
            self._expect(highs.changeColsBounds(len(cols), cols, programme.lower[cols], programme.upper[cols]))
        for r in np.flatnonzero((new.lower != old.lower) | (new.upper != old.upper)).tolist():
            self._expect(highs.changeRowBounds(r, new.lower[r], new.upper[r]))
        entries = np.flatnonzero(new.value != old.value)
        of_column = np.searchsorted(new.start, entries, side="right") - 1
        for entry, col in zip(entries.tolist(), of_column.tolist(), strict=True):
            self._expect(highs.changeCoeff(int(new.row[entry]), col, float(new.value[entry])))

    def cut(self, rows: Rows) -> None:
        """Add one row from which the next run goes on; it is no row of the programme, and has no dual in it."""
        expression = rows.expression
        columns, place = np.unique(expression.col, return_inverse=True)
        entries = np.bincount(place, weights=expression.coef)
        sides = (float(side[0] - expression.constant[0]) for side in (rows.lower, rows.upper))
        self._expect(self.highs.addRow(*sides, len(columns), columns.astype(np.int32), entries))

    def leave_root_within(self, rounds: int) -> None:
        """End a search that has not left its first node after so many rounds of cuts and heuristics there.

        HiGHS asks once a round, and once a node, whether to go on; with one thread the count is the same every time.
        """
        asked = 0

        def ask(event: Any) -> None:
            nonlocal asked
            asked += event.data_out.mip_node_count == 0
            if asked > rounds:
                event.interrupt()

        self.highs.cbMipInterrupt += ask

    def begin(self, values: Floats) -> None:
        """Columns from which the next run of a programme with integers begins; they may break rows."""
        solution = highspy.HighsSolution()
        solution.col_value = values.tolist()
        self._expect(self.highs.setSolution(solution))

    def _expect(self, status: Any) -> None:
        # HiGHS warns where it drops entries that are all but zero; an error means that nothing was taken over.
        if status == highspy.HighsStatus.kError:
            raise ValueError("HiGHS refused the programme: a bound, cost or entry is not a number")

    def run(self, **options: Any) -> Any:
        """Solve under these options; returns the status of HiGHS' model."""
        for name, value in options.items():
            self.highs.setOptionValue(name, value)
        self.highs.run()
        return self.highs.getModelStatus()

    def infeasible(self, status: Any) -> bool:
        """Whether it is proven that no values satisfy the programme.

        Presolve may leave open whether a programme is infeasible or unbounded: then the question is asked without the
        objective.
        """
        kinds = highspy.HighsModelStatus
        if status != kinds.kUnboundedOrInfeasible:
            return bool(status == kinds.kInfeasible)
        return bool(HighsModel(self._programme.relaxed_objective()).run() == kinds.kInfeasible)

    def proven(self, status: Any) -> bool:
        """Whether the solution is optimal within the asked gap; a limit is never called optimal."""
        return bool(status == highspy.HighsModelStatus.kOptimal)

    def values(self) -> Floats | None:
        """Values of the columns; None where there is no feasible solution, or no best one."""
        feasible = self.highs.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        endless = (highspy.HighsModelStatus.kUnbounded, highspy.HighsModelStatus.kUnboundedOrInfeasible)
        if not feasible or self.highs.getModelStatus() in endless:
            return None
        return np.array(self.highs.getSolution().col_value, dtype=np.float64)

    def bound(self) -> float:
        """Proven upper bound of a programme with integers; infinite where there is none yet."""
        return float(self.highs.getInfo().mip_dual_bound)

    def steps(self) -> int:
        """Simplex steps of the last run."""
        return int(self.highs.getInfo().simplex_iteration_count)

    def duals(self) -> tuple[Floats, ...]:
        """d(objective) / d(side) of every row, block after block, for the maximisation."""
        every = np.array(self.highs.getSolution().row_dual, dtype=np.float64)
        ends = np.cumsum([len(rows.lower) for rows in self._programme.rows])
        return tuple(np.split(every, ends[:-1])) if len(ends) else ()

    def ray(self) -> tuple[Floats, ...] | None:
        """Multipliers of every row, block after block, that prove a linear programme infeasible (Farkas 1902).

        None where HiGHS has none. Rows with a multiplier of zero are no part of the proof.
        """
        _, known, every = self.highs.getDualRay()
        if not known:
            return None
        ends = np.cumsum([len(rows.lower) for rows in self._programme.rows])
        return tuple(np.split(np.asarray(every, dtype=np.float64), ends[:-1])) if len(ends) else ()
