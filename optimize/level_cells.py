"""Floors and stretches by rep and period, so that floor <= quota <= stretch holds in every cell, all totals tied.

A stretch is the quota plus an increment that is never negative, with ties of its own. A floor is rounded under the
quota: its exact cells lie within whole numbers of steps that fit below the quotas, so that neither of the two steps
beside an exact cell lies above the quota.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from optimize.controlled import controlled, in_whole_steps, tied
from optimize.metrics import Floats, Ints, Window
from optimize.tables import nearest_table
from optimize.windows_told import no_table
from scenarios.errors import InfeasiblePlan

FAINT = 1e-6
"""Share of a row that a cell weighs at least where it has a quota but no season."""

OPEN = 0.05
"""Share of a stretch that its increment weighs at least in each period where windows are to be met."""


def stretched(
    exact: Floats, rows: Ints, quotas: Ints, step: int, teams: Sequence[str], windows: Sequence[Window] = ()
) -> Ints:
    """A table at or above quotas in every cell, [R, P].

    Args:
        exact: what the cells would be without steps, [R, P]; only proportions within a row count.
        rows: what each row sums to, [R], at least what its quotas do.
        quotas: of each cell, [R, P].
        step, teams, windows: as in :func:`optimize.controlled.controlled`.

    Raises:
        InfeasiblePlan: no such table keeps the windows.
    """
    season = exact / np.maximum(exact.sum(axis=1, keepdims=True), FAINT)
    smooth = season * rows[:, None]
    # Where parts of the horizon have sums, each period must be able to take some of the increment.
    beyond = np.maximum(smooth - quotas, OPEN * smooth if windows else 0.0)
    inside = [quotas[window.mask(teams, quotas.shape[1])].sum() for window in windows]
    left = [replace(window, total=window.total - int(held)) for window, held in zip(windows, inside, strict=True)]
    try:
        if all(window.total >= 0 for window in left):
            return quotas + controlled(beyond, rows - quotas.sum(axis=1), step, teams, left)
    except InfeasiblePlan:
        pass  # told with what the windows ask of stretches, not with what is left of it above the quotas
    raise no_table(windows, teams, rows, quotas.astype(np.float64), np.where(exact > 0, np.inf, quotas))


def floored(
    exact: Floats, rows: Ints, quotas: Ints, step: int, teams: Sequence[str], windows: Sequence[Window] = ()
) -> Ints:
    """A table at or below quotas in every cell, [R, P].

    Args:
        rows: what each row sums to, [R], at most what its quotas do.
        exact, quotas, step, teams, windows: as in :func:`stretched`. Where no table in this step keeps all, a smaller
            one serves.

    Raises:
        InfeasiblePlan: no such table keeps the windows.
    """
    weights = np.where(quotas > 0, np.maximum(exact, FAINT * np.maximum(rows, 1)[:, None]), 0.0)
    unit = math.gcd(step, *(window.total for window in windows)) if windows else step
    for size in dict.fromkeys((max(unit, 1), 1)):
        odd = _odd_rests(exact, rows, quotas, size, teams, windows)
        most = (quotas - odd) // size * size
        left = rows - odd.sum(axis=1)
        if (left > most.sum(axis=1)).any() or (most < 0).any():
            continue
        outside = [odd[window.mask(teams, odd.shape[1])].sum() for window in windows]
        asked = [replace(window, total=window.total - int(held)) for window, held in zip(windows, outside, strict=True)]
        try:
            table: Floats | None = tied(weights, left, teams, asked, most)
        except InfeasiblePlan:
            table = nearest_table(weights, left, teams, asked, np.where(weights > 0, most, 0).astype(np.float64))
        whole = None if table is None else in_whole_steps(table, left, size, teams, asked)
        if whole is not None:
            return whole + odd
    raise no_table(windows, teams, rows, np.zeros(quotas.shape), quotas.astype(np.float64))


def _odd_rests(
    exact: Floats, rows: Ints, quotas: Ints, step: int, teams: Sequence[str], windows: Sequence[Window]
) -> Ints:
    """What each row has beyond whole steps, in one cell that has room for it, [R, P].

    Outside all windows if it can be, where it costs no whole step below the quota, in the largest such cell.
    """
    odd = np.zeros(quotas.shape, dtype=np.int64)
    rest = rows % step
    inside = np.zeros(quotas.shape, dtype=np.bool_)
    for window in windows:
        inside |= window.mask(teams, quotas.shape[1])
    for r in np.flatnonzero(rest).tolist():
        costs = quotas[r] // step - (quotas[r] - rest[r]) // step
        order = np.lexsort((-exact[r], costs, inside[r], quotas[r] < rest[r]))
        odd[r, order[0]] = rest[r]
    return odd
