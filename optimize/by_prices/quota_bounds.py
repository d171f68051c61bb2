"""Bounds on single quotas as the method by prices sees them."""

from __future__ import annotations

import numpy as np

from optimize.by_prices.arcs import Arcs
from optimize.pairs import Bools, Floats
from optimize.parts.fairness import chance_quantile
from optimize.problem import AllocationProblem, company_ratio
from scenarios.goals import GrowthLimits, MinimumAttainment, MinimumChance, PotentialBand


class QuotaBounds:
    """Bounds on quotas by the rules that prices know; rules give way to a locked quota (its bounds are the lock).

    Attributes:
        low, high: whatever accounts move, [R]; shift: most of quota less gain; share: least expected attainment, [R].
        band, growth: factors of potential and history that bound quotas where accounts move them, [2, R].
    """

    def __init__(self, problem: AllocationProblem, unit: float, arcs: Arcs, potential: Floats, history: Floats) -> None:
        count = len(problem.reps)
        self.low, self.high = np.zeros(count), np.full(count, problem.total / unit)
        self.shift, self.share = np.full(count, np.inf), np.zeros(count)
        self.band, self.growth = np.full((2, count), np.nan), np.full((2, count), np.nan)
        firm = np.array([r not in problem.locks.first for r in range(count)])
        for rule in problem.rules:
            keep = firm & problem.concerned(rule)
            if isinstance(rule, PotentialBand):
                ratio = company_ratio(problem)
                band = (ratio * (1 + rule.tolerance), ratio * (1 - rule.tolerance))
                self._between(arcs, arcs.potential, potential, self.band, band, keep)
            elif isinstance(rule, GrowthLimits):
                known = keep & ~np.isnan(problem.last_sales)
                ends = (None if rule.cap is None else 1 + rule.cap, None if rule.floor is None else 1 + rule.floor)
                self._between(arcs, arcs.history, np.nan_to_num(history), self.growth, ends, known)
            elif isinstance(rule, MinimumChance):
                at = chance_quantile(problem.samples, rule.chance) / unit
                self.shift = np.where(keep & ~problem.ramping, np.minimum(self.shift, at), self.shift)
            elif isinstance(rule, MinimumAttainment) and problem.basis is problem.samples:
                self.share = np.where(keep, np.maximum(self.share, rule.share), self.share)
        for r, value in problem.locks.quota.items():
            self.low[r] = self.high[r] = value / unit
        for r, value in problem.locks.least.items():
            self.low[r] = max(self.low[r], value / unit)
        for r, value in problem.locks.most.items():
            self.high[r] = min(self.high[r], value / unit)
        self.low = np.minimum(self.low, self.high)

    def _between(
        self,
        arcs: Arcs,
        each: Floats,
        settled: Floats,
        factors: Floats,
        ends: tuple[float | None, float | None],
        keep: Bools,
    ) -> None:
        """Quotas between two factors of a measure that accounts may carry with them."""
        moving = bool((each != 0.0).any())
        carried = np.maximum(each, 0.0)[arcs.account]
        reach = np.bincount(arcs.rep, carried, arcs.reps) if moving else np.zeros(arcs.reps)
        top, bottom = ends
        if top is not None:
            self.high = np.where(keep, np.minimum(self.high, top * (settled + reach)), self.high)
            factors[0] = np.where(keep & moving, np.fmin(factors[0], top), factors[0])
        if bottom is not None:
            self.low = np.where(keep, np.maximum(self.low, bottom * settled), self.low)
            factors[1] = np.where(keep & moving, np.fmax(factors[1], bottom), factors[1])
