"""Accounts change hands, at the least loss, until no rep or team counts more or fewer of them than is allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optimize.pairs import Floats

if TYPE_CHECKING:
    from optimize.by_prices.assignment import Assignment

PASSES = 3
"""How often rows are gone through: mending one may take from another."""


def keep_counts(assignment: Assignment, worth: Floats) -> None:
    """Mend one row after the other; what finds no place stays as it is, and the plan does not count.

    Args:
        worth: of each arc, [P].
    """
    counted = assignment.arcs.counted
    for _ in range(PASSES if counted.binds.any() else 0):
        beyond = assignment.counts() - counted.most
        if not (beyond > 0.5).any():
            return
        for row in np.flatnonzero(beyond > 0.5):
            _mend(assignment, worth, int(row))


def _mend(assignment: Assignment, worth: Floats, row: int) -> None:
    arcs, counted, held = assignment.arcs, assignment.arcs.counted, assignment.held
    sign = counted.sign[row]
    owned = held >= 0
    counts = sign * (counted.row == row).any(axis=0)
    now = np.where(owned, counts[np.maximum(held, 0)], 0.0)
    kept = np.where(owned, worth[np.maximum(held, 0)], 0.0)
    # Each arc that an account could change to, and no owner at all where it may rest.
    better = np.flatnonzero(now[arcs.account] > counts)
    resting = np.flatnonzero(arcs.rests & owned & (now > 0.0))
    account = np.concatenate([arcs.account[better], resting])
    target = np.concatenate([better, np.full(len(resting), -1)])
    loss = kept[account] - np.concatenate([worth[better], np.zeros(len(resting))])
    total, moved = assignment.counts(), set()
    for i in np.argsort(loss, kind="stable"):
        if total[row] <= counted.most[row]:
            return
        a, j = int(account[i]), int(target[i])
        if a in moved or not assignment.fits(a, j):
            continue
        after = total.copy()
        for arc, way in ((int(held[a]), -1.0), (j, 1.0)):
            rows = counted.of(arc)
            after[rows] += way * counted.sign[rows]
        if ((after > counted.most) & (after > total)).any():
            continue
        assignment.give(a, j)
        moved.add(a)
        total = after
