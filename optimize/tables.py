"""Tables of quotas by rep and period as linear programmes: which sums of parts of the horizon one keeps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from optimize.metrics import Floats, Ints, Window
from optimize.programme.blocks import Blocks, Linear
from optimize.programme.solve import solve

HAIR = 1e-3
"""Minor units or counts that count as the solver's tolerance."""


def nearest_sum(
    windows: Sequence[Window], moved: int, teams: Sequence[str], rows: Ints, low: Floats, high: Floats
) -> int | None:
    """The sum of one part nearest to what it is to be, all others kept; None where it cannot give way alone.

    Args:
        moved: position of the part; ``teams``: of each row; ``rows``: what each sums to, [R].
        low, high: between what the cells lie, [R, P].
    """
    blocks, q, scale = _cells(windows, teams, rows, low, high)
    solution = solve(blocks.programme().elastic(_name(moved)))
    if solution.status == "infeasible":
        return None
    cells = np.flatnonzero(windows[moved].mask(teams, low.shape[1]))
    value = float(solution.values[q[cells]].sum()) * scale
    return math.floor(value + HAIR) if value < windows[moved].total else math.ceil(value - HAIR)


def nearest_table(
    exact: Floats, rows: Ints, teams: Sequence[str], windows: Sequence[Window], high: Floats
) -> Floats | None:
    """The table that keeps rows and parts with the least absolute difference from another, [R, P]; None for none.

    Args:
        exact: only its proportions within a row count.
    """
    blocks, q, scale = _cells(windows, teams, rows, np.zeros(exact.shape), high)
    labels = [str(i) for i in range(len(q))]
    apart = Linear.columns(q) - Linear.columns(blocks.columns("more", labels, 0.0, np.inf, -1.0))
    apart = apart + Linear.columns(blocks.columns("less", labels, 0.0, np.inf, -1.0))
    weights = np.maximum(exact, 0.0)
    share = np.divide(rows, weights.sum(axis=1), out=np.zeros(len(rows)), where=weights.sum(axis=1) > 0)
    at = (weights * share[:, None]).ravel() / scale
    blocks.rows("apart", labels, apart, at, at)
    solution = solve(blocks.programme())
    return None if solution.status == "infeasible" else solution.values[q].reshape(exact.shape) * scale


def _cells(
    windows: Sequence[Window], teams: Sequence[str], rows: Ints, low: Floats, high: Floats
) -> tuple[Blocks, Ints, float]:
    """Cells with the sums of rows and parts, the columns of the cells, and how much one unit of them is."""
    scale = max(float(rows.max(initial=0)) / 100.0, 1e-9)
    blocks, (count, periods) = Blocks(), low.shape
    labels = [f"{r} {p}" for r in range(count) for p in range(periods)]
    q = blocks.columns("cell", labels, low.ravel() / scale, high.ravel() / scale)
    reps = np.repeat(np.arange(count), periods)
    wanted = rows / scale
    blocks.rows("row", [str(r) for r in range(count)], Linear.of(count, reps, q, 1.0), wanted, wanted)
    for i, window in enumerate(windows):
        total = window.total / scale
        inside = Linear.total(q[np.flatnonzero(window.mask(teams, periods))])
        blocks.rows(_name(i), ["part"], inside, total, total)
    return blocks, q, scale


def _name(window: int) -> str:
    return f"part {window}"
