"""Quotas of periods whose floor or stretch is locked: between the two, as near as can be to what the season asks for.

A floor or stretch that is locked over the horizon as well leaves its other periods a sum of their own. So quotas of
periods with a locked floor sum to no more than what keeps the others' at or above that, and quotas of periods with a
locked stretch to no less than what keeps the others' at or below it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from optimize.locked_quotas import LockedQuotas
from optimize.metrics import Bools, Floats, Ints
from scenarios.goals import Level

TURNS = 3
"""Raising, lowering and raising again settles a row: what one limit moves, only periods under both give back."""


def between_levels(cells: Ints, quotas: Ints, carried: Bools, held: Mapping[Level, LockedQuotas]) -> dict[int, Ints]:
    """Quotas of reps whose periods do not fit locked floors and stretches, in the locked periods that do fit.

    Args:
        cells: quotas by rep and period as they would be, [R, P]; quotas: over the horizon, [R].
        carried: periods in which each rep carries a quota, [R, P].
        held: locks of each level, whoever has all periods locked being locked over the horizon.

    Returns:
        By position of the rep, quotas of the periods with a locked floor or stretch, -1 elsewhere, [P].
    """
    out = {}
    for r in sorted(held["floor"].reps | held["stretch"].reps):
        row = _Row(cells[r], int(quotas[r]), carried[r], held, r)
        if not row.fits(row.cells):
            out[r] = row.mended()
    return out


class _Row:
    """One rep's periods: what is locked in them, and what the other periods of each level have to leave."""

    def __init__(self, cells: Ints, quota: int, carried: Bools, held: Mapping[Level, LockedQuotas], r: int) -> None:
        count = len(cells)
        floor, target, stretch = (held[level].row(r, count) for level in ("floor", "target", "stretch"))
        self.cells, self.quota = cells.astype(np.float64), float(quota)
        self.under, self.over, fixed = ~np.isnan(floor), ~np.isnan(stretch), ~np.isnan(target)
        self.low = np.where(self.under, floor, 0.0)
        self.high = np.where(self.over, stretch, np.where(carried | (floor > 0), np.inf, 0.0))
        self.low, self.high = np.where(fixed, target, self.low), np.where(fixed, target, self.high)
        self.mine = (self.under | self.over) & ~fixed
        self.free = carried & ~self.mine & ~fixed
        whole = held["floor"].whole.get(r), held["stretch"].whole.get(r)
        self.most_under, self.least_over = np.inf, -np.inf
        if whole[0] is not None:
            self.most_under = self.quota - (whole[0] - float(np.nansum(floor)))
        if whole[1] is not None:
            self.least_over = self.quota - (whole[1] - float(np.nansum(stretch)))

    def fits(self, cells: Floats) -> bool:
        """Whether every period is between its levels, and the others leave theirs what is locked."""
        inside = (cells >= self.low).all() and (cells <= self.high).all()
        return bool(inside and cells[self.under].sum() <= self.most_under and cells[self.over].sum() >= self.least_over)

    def mended(self) -> Ints:
        """Quotas of the locked periods, moved in whole minor units or counts, -1 elsewhere, [P]."""
        cells = np.where(self.mine, np.clip(self.cells, self.low, self.high), self.cells)
        fixed = ~self.mine & ~self.free
        for _ in range(TURNS):
            # Periods that only one limit is about come first.
            for group in (self.over & ~self.under, self.over & self.under):
                self._move(cells, group & self.mine, max(self.least_over - cells[self.over].sum(), 0.0))
            for group in (self.under & ~self.over, self.under & self.over):
                self._move(cells, group & self.mine, min(self.most_under - cells[self.under].sum(), 0.0))
            left = self.quota - cells[self.mine].sum() - cells[fixed].sum()
            self._move(cells, self.mine, left if left < 0 or not self.free.any() else 0.0)
        return np.where(self.mine, np.round(cells), -1).astype(np.int64)

    def _move(self, cells: Floats, group: Bools, amount: float) -> None:
        """Raise periods by an amount, or lower them by it, in proportion to the room and in whole units."""
        room = np.where(group, (self.high if amount > 0 else self.low) - cells, 0.0)
        room = np.abs(np.where(np.isfinite(room), room, abs(amount)))
        moved = min(abs(amount), float(room.sum()))
        if moved <= 0:
            return
        steps = np.floor(room * (moved / room.sum()))
        order = np.argsort(steps - room * (moved / room.sum()), kind="stable")
        rest = round(moved - steps.sum())
        steps[[p for p in order.tolist() if room[p] > steps[p]][:rest]] += 1
        cells += np.sign(amount) * steps
