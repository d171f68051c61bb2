"""Two-way controlled rounding: a table of quotas by rep and period in whole steps, every total tied at once.

Rows (reps), columns (periods), team x period and, where asked, parts of the horizon are all sums of the same cells.
Each cell goes to one of its two neighbouring steps, such that given totals hold exactly and all other totals are at one
of *their* two neighbouring steps (Bacharach 1966; Causey, Cox and Ernst 1985). As the totals form two trees over the
cells, the rounding is a flow in a network, so that a solution in whole steps exists wherever the exact table ties.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from optimize.metrics import Bools, Floats, Ints, Window
from optimize.programme.blocks import Blocks, Linear, Programme
from optimize.programme.solve import solve
from optimize.tables import nearest_table
from optimize.windows_told import no_table
from scenarios.errors import InfeasiblePlan

NEAR = 1e-6
"""Steps by which a cell may miss a whole step and still count as one."""
SWEEPS = 20_000
LAP = 100
SHRUNK = 0.9
"""Of what rows are off by, what may be left after a lap of so many sweeps: where no table ties, it stays."""
SETTLED = 1e-4
"""Minor units or counts by which rows may be off: far below one, so that rounding in steps of one finds its table."""
TIE = 1e-6
"""What the order of cells weighs against remainders, which are shares of a step: ties go to earlier cells."""


def controlled(exact: Floats, rows: Ints, step: int, teams: Sequence[str], windows: Sequence[Window] = ()) -> Ints:
    """The table in whole steps, [R, P].

    Args:
        exact: what the cells would be without steps, [R, P]; a cell of zero stays zero. Only the proportions within a
            row count: rows and windows are tied first.
        rows: what each row sums to, [R]; it need not be a multiple of the step, one cell then carries the odd rest.
        step: minor units, or 1 for counts.
        teams: of each row.
        windows: sums to keep within parts of the horizon. Where one of them is no multiple of the step, a smaller step
            serves.

    Raises:
        InfeasiblePlan: no table keeps the rows and windows.
    """
    some = np.where((exact > 0).any(axis=1, keepdims=True), exact > 0, True)
    open_end = np.where(some, np.inf, 0.0)
    try:
        table: Floats | None = tied(exact, rows, teams, windows)
    except InfeasiblePlan:
        # Scaling comes to cells of nothing only in the limit.
        table = nearest_table(exact, rows, teams, windows, open_end)
    unit = math.gcd(step, *(window.total for window in windows)) if windows else step
    for size in dict.fromkeys((max(unit, 1), 1)):
        whole = None if table is None else in_whole_steps(table, rows, size, teams, windows)
        if whole is not None:
            return whole
    raise no_table(windows, teams, rows, np.zeros(exact.shape), open_end)


def tied(
    exact: Floats, rows: Ints, teams: Sequence[str], windows: Sequence[Window], most: Ints | None = None
) -> Floats:
    """The table scaled until rows and windows sum to what they must (iterative proportional fitting), [R, P].

    Args:
        most: of each cell, [R, P]: those that scaling would lift above it stay there, and the others make up for them.
            Each such step is a projection by relative entropy, so that together they end where all totals hold
            (Bregman 1967), if they can.

    Raises:
        InfeasiblePlan: nothing that can be scaled in a window or outside it.
    """
    weights = np.maximum(exact, 0.0)
    if most is None:
        weights[(weights.sum(axis=1) <= 0) & (rows > 0)] = 1.0
    masks = []
    for window in windows:
        mask = window.mask(teams, weights.shape[1])
        mine, total = np.asarray(mask.any(axis=1)), window.total
        if total == int(rows[mine].sum()):
            # All of it lies within: scaling would come to nothing outside only in the limit.
            weights[mine[:, None] & ~mask] = 0.0
        # Rows that lie within as a whole bring their own sums; left in, they would only slow scaling down.
        whole = mine & ~np.asarray(((weights > 0) & ~mask).any(axis=1))
        masks.append((mask & ~whole[:, None], total - int(rows[whole].sum())))
    table = _scaled(weights, rows, most)
    if not windows:
        return table
    off, before, scale = 0.0, math.inf, max(float(rows.sum()), 1.0)
    for sweep in range(SWEEPS):
        for mask, total in masks:
            room = math.inf if most is None else int(most[mask].sum())
            if total > room or total < 0 or (float(table[mask].sum()) <= 0 and total > 0):
                raise no_table(windows)
            if mask.any():
                cells = None if most is None else most[mask][None, :]
                table[mask] = _scaled(table[mask][None, :], np.array([total]), cells)[0]
        off = float(np.abs(table.sum(axis=1) - rows).max())
        table = _scaled(table, rows, most)
        if off <= max(SETTLED, 1e-14 * scale):
            return table
        if sweep % LAP == 0:
            if off > SHRUNK * before:
                break
            before = off
    if off <= 1e-9 * scale:
        return table
    raise no_table(windows)


def _scaled(weights: Floats, wanted: Ints, most: Ints | None) -> Floats:
    """Each row in proportion to its weights, no cell above its most, with the wanted sum as far as there is room."""
    if most is None:
        held = weights.sum(axis=1)
        return np.asarray(weights * np.divide(wanted, held, out=np.zeros(len(held)), where=held > 0)[:, None])
    reached = np.divide(most, weights, out=np.zeros(weights.shape), where=weights > 0)
    order = np.argsort(reached, axis=1, kind="stable")
    reached, cell, weight = (np.take_along_axis(values, order, axis=1) for values in (reached, most, weights))
    # With the first k cells at their most, the others have what is left of the sum, in proportion to their weights.
    full = np.cumsum(np.where(weight > 0, cell, 0), axis=1) - np.where(weight > 0, cell, 0)
    loose = np.cumsum(weight[:, ::-1], axis=1)[:, ::-1]
    factor = np.divide(wanted[:, None] - full, loose, out=np.zeros(weights.shape), where=loose > 0)
    fits = factor <= reached
    first = np.where(fits.any(axis=1), fits.argmax(axis=1), weights.shape[1] - 1)
    return np.asarray(np.minimum(weights * np.take_along_axis(factor, first[:, None], axis=1), most))


def in_whole_steps(
    table: Floats, rows: Ints, step: int, teams: Sequence[str], windows: Sequence[Window]
) -> Ints | None:
    """The table in steps of this size, each cell at one of the two beside it; None where none keeps the windows."""
    odd = np.zeros(table.shape, dtype=np.int64)
    rest = rows % step
    smooth = table / step
    for r in np.flatnonzero(rest).tolist():
        p = _odd_cell(table[r], teams[r], windows)
        odd[r, p] = rest[r]
        beyond = float(rest[r]) / step
        if smooth[r, p] >= beyond:
            smooth[r, p] -= beyond
        else:
            smooth[r] *= (rows[r] // step) / max(smooth[r].sum(), NEAR)
    low = np.floor(smooth + NEAR).astype(np.int64)
    part = np.asarray(smooth - low)
    up = _rounded_up(part, np.asarray(part > NEAR), low, rows // step, odd, step, teams, windows)
    return None if up is None else (low + up) * step + odd


def _odd_cell(row: Floats, team: str, windows: Sequence[Window]) -> int:
    """Where the odd rest of a row goes: its largest cell, outside all windows if it can be, else in the last one."""
    mine = [window for window in windows if window.team in (None, team)]
    inside = {p for window in mine for p in window.periods}
    choice = [p for p in range(len(row)) if p not in inside and row[p] > 0]
    if mine and not choice:
        last = max(mine, key=lambda window: (window.periods[0], -len(window.periods)))
        choice = [p for p in last.periods if row[p] > 0]
    places = choice or list(range(len(row)))
    return max(places, key=lambda p: (row[p], -p))


def _rounded_up(
    part: Floats,
    open_cells: Bools,
    low: Ints,
    rows: Ints,
    odd: Ints,
    step: int,
    teams: Sequence[str],
    windows: Sequence[Window],
) -> Ints | None:
    """Which cells go up to the next step, [R, P] of 0 and 1."""
    up = np.zeros(part.shape, dtype=np.int64)
    fixed = [(window.mask(teams, part.shape[1]), window.total) for window in windows]
    needs = [(total - int(odd[mask].sum())) / step - int(low[mask].sum()) for mask, total in fixed]
    if any(need != int(need) for need in needs):
        return None
    if not open_cells.any():
        tied_rows = bool((low.sum(axis=1) == rows).all())
        return up if tied_rows and not any(needs) else None
    blocks = Blocks()
    r, p = np.nonzero(open_cells)
    remainder = part[open_cells]
    order = np.arange(len(r)) / len(r)
    cols = blocks.columns(
        "up", list(zip(r.tolist(), p.tolist(), strict=True)), 0.0, 1.0, 2 * remainder - 1 - TIE * order
    )

    def sums(group: Ints, count: int) -> Linear:
        return Linear.of(count, group, cols, 1.0)

    need = (rows - low.sum(axis=1)).astype(np.float64)
    blocks.rows("row", [str(i) for i in range(len(rows))], sums(r, len(rows)), need, need)
    names = list(dict.fromkeys(teams))
    team = np.array([names.index(name) for name in teams])
    periods = part.shape[1]
    _between(blocks, "team and period", sums(team[r] * periods + p, len(names) * periods), remainder)
    if not any(window.team is not None for window in windows) and len(names) > 1:
        _between(blocks, "period", sums(p, periods), remainder)
    for i, ((mask, _), exactly) in enumerate(zip(fixed, needs, strict=True)):
        inside = mask[open_cells]
        blocks.rows("window", [str(i)], Linear.total(cols[inside]), exactly, exactly)
    values = _whole(blocks.programme())
    if values is None:
        return None
    up[open_cells] = values
    return up


def _between(blocks: Blocks, name: str, sums: Linear, remainder: Floats) -> None:
    """Sums at one of the two whole numbers beside what their remainders come to."""
    exact = np.zeros(sums.count)
    np.add.at(exact, sums.row, remainder[sums.col])
    subjects = [str(i) for i in range(sums.count)]
    blocks.rows(name, subjects, sums, np.floor(exact + NEAR), np.ceil(exact - NEAR))


def _whole(programme: Programme) -> Ints | None:
    """A solution in whole numbers: a corner of a network programme is one; else integers are asked for."""
    for integer in (False, True):
        asked = replace(programme, integer=np.full(programme.size, integer))
        solution = solve(asked)
        if solution.status == "infeasible":
            return None
        values = np.round(solution.values)
        if np.abs(solution.values - values).max() <= 1e-5 and asked.violation(values) <= 1e-6:
            return values.astype(np.int64)
    return None
