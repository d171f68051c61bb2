"""Floors and stretches of each rep over the horizon: as far from the own quota in odds as everybody's are.

Where rules, locks or steps hold quotas, chances differ; levels that started from one chance for all would lie at the
quotas of some and far from those of others.
"""

from __future__ import annotations

import math

import numpy as np

from optimize.metrics import Floats, Ints
from optimize.problem import AllocationProblem
from optimize.split import groups
from scenarios.goals import Level

LEAST = 0.5
"""Of the distance in proportion to the quota, what a level lies off the quota at least, where locks leave room."""
DOUBLINGS = 60
HALVINGS = 60
STIFF = 1e-3
"""Of a quota, by which a level moves at least for each unit of log odds beyond all samples."""


def levels_in_groups(
    problem: AllocationProblem, samples: Floats, gain: Floats, level: Level, quotas: Ints, low: Floats, high: Floats
) -> Floats:
    """Floors or stretches with totals of the company and of teams kept, [R].

    Within each group, the log odds to reach a level are those to reach the quota, shifted by one amount for all, but
    the level is off the quota by at least :data:`LEAST` of what would be in proportion to the quota.

    Args:
        problem: its totals are those of the level.
        samples: [N, R]; ``gain``: on top of them, [R].
        quotas: that the levels go with, [R].
        low, high: of each level, [R]; they leave room for the totals.
    """
    out = np.zeros(len(quotas))
    for _, members, total in groups(problem):
        around = quotas[members].astype(np.float64)
        apart = _Apart(samples[:, members] + gain[members], around, level, (low[members], high[members]), total)
        out[members] = apart.tied()
    return out


class _Apart:
    """Levels of a group by how far they reach from the quotas.

    Figures go with the log odds of staying below them: samples at their middle ranks, beyond all samples a logistic
    tail of the same spread.
    """

    def __init__(self, values: Floats, quotas: Floats, level: Level, ends: tuple[Floats, Floats], total: float) -> None:
        from scipy.stats import rankdata

        self.quotas, self.way, self.ends, self.total = quotas, -1.0 if level == "floor" else 1.0, ends, total
        self.least = LEAST * abs(total - quotas.sum()) / max(float(quotas.sum()), 1.0) * quotas
        self.values = np.sort(values, axis=0)
        below = (rankdata(self.values, axis=0) - 0.5) / len(values)
        self.odds = np.log(below / (1.0 - below))
        # A logistic distribution of this spread moves by this for each unit of log odds.
        spread = values.std(axis=0) * math.sqrt(3) / math.pi
        self.slope = np.maximum(spread, STIFF * np.maximum(quotas, np.maximum(np.abs(self.values[-1]), 1.0)))
        self.start = _along(quotas, self.values, self.odds, 1.0 / self.slope)

    def at(self, reach: float) -> Floats:
        """Levels of a reach: up to 1 by that share of the least distances, beyond it by shifted odds, [R]."""
        shifted = _along(self.start + self.way * max(reach - 1.0, 0.0), self.odds, self.values, self.slope)
        apart = np.maximum(np.abs(shifted - self.quotas), min(reach, 1.0) * self.least)
        return np.asarray(np.clip(self.quotas + self.way * apart, *self.ends))

    def beyond(self, reach: float) -> bool:
        """Whether the levels of a reach are as far off the quotas, together, as they have to be."""
        return bool(self.way * (self.at(reach).sum() - self.total) >= 0)

    def tied(self) -> Floats:
        """Levels whose sum is the total, between those of two neighbouring reaches; the nearest where none is, [R]."""
        near, far = 0.0, 1.0
        for _ in range(DOUBLINGS):
            if self.beyond(far):
                break
            near, far = far, 2 * far
        for _ in range(HALVINGS):
            middle = (near + far) / 2
            near, far = (near, middle) if self.beyond(middle) else (middle, far)
        first, last = self.at(near), self.at(far)
        moved = float(last.sum() - first.sum())
        share = min(max((self.total - float(first.sum())) / moved, 0.0), 1.0) if moved else 0.0
        return np.asarray(first + share * (last - first))


def _along(at: Floats, known: Floats, wanted: Floats, slope: Floats) -> Floats:
    """What goes with figures by straight lines between known ones, by a slope beyond them, [R].

    Args:
        known, wanted: pairs in rising order, [N, R].
    """
    place = (known <= at).sum(axis=0)
    column = np.arange(len(at))
    lower, upper = np.clip(place - 1, 0, len(known) - 1), np.clip(place, 0, len(known) - 1)
    first, last = known[lower, column], known[upper, column]
    share = np.divide(at - first, last - first, out=np.zeros(len(at)), where=last > first)
    inside = wanted[lower, column] + share * (wanted[upper, column] - wanted[lower, column])
    off = np.where(place == 0, at - known[0], np.where(place == len(known), at - known[-1], 0.0))
    return np.asarray(np.where(off < 0, wanted[0], np.where(off > 0, wanted[-1], inside)) + off * slope)
