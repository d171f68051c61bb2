"""Quotas for settled owners and training under *all* rules, whatever prices know of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimize.blocks import Programme
from optimize.by_prices.feasibility import worst_breach
from optimize.by_prices.recreate import highest_quotas
from optimize.by_prices.request import Request
from optimize.model import build
from optimize.parts.accounts import possible_pairs
from optimize.parts.targets import QUOTA
from optimize.problem import AllocationProblem, Decisions, gains, held
from optimize.solve import Solution, Warm
from optimize.split import attained, groups, split_in_groups
from scenarios.goals import (
    GrowthLimits,
    MinimumAttainment,
    MinimumChance,
    PotentialBand,
    TrainingFloor,
    Workload,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SEGMENTS = 40
EXACT_COLUMNS = 20_000
ALLOWED = 1e-6
"""A plan counts only where no rule is broken by more: money in units of which a mean quota has 100, hours as such."""
BOXES = (PotentialBand, GrowthLimits, MinimumAttainment, MinimumChance, Workload, TrainingFloor)
"""Rules that bound one quota, or none, once owners and training are settled: then the exact split is the optimum."""
BOX_ROWS = ("potential_band", "growth_cap", "growth_floor", "min_chance", "min_expected_attainment")


@dataclass(frozen=True)
class Refit:
    """A plan for settled owners and training.

    Attributes:
        quotas: minor units; value: exact sample average, minor units.
        breach: how far the worst rule is broken; see :data:`ALLOWED`.
        quota_price: what a unit of quota costs by the totals and by rules over several reps, [R].
    """

    decisions: Decisions
    quotas: Floats
    value: float
    breach: float
    quota_price: Floats


class Refitting:
    """Finds quotas again and again for other owners and training; programmes start from the last basis."""

    def __init__(self, problem: AllocationProblem, request: Request) -> None:
        self.problem, self.request = problem, request
        known = all(isinstance(rule, BOXES) for rule in problem.rules)
        shares = any(isinstance(rule, MinimumAttainment) for rule in problem.rules)
        self.by_split = known and (problem.basis is problem.samples or not shares)
        self._warm: Warm | None = None
        pairs = possible_pairs(problem)
        self._settled = problem.accounts.today.copy()
        only = np.flatnonzero(np.diff(pairs.start) == 1)
        self._settled[only] = pairs.rep[pairs.start[only]]

    def fit(self, owner: Ints, steps: Ints) -> Refit | None:
        """The best quotas for these owners of the free accounts and training steps; None where rules leave none."""
        decisions = self.decisions(owner, steps)
        gain = gains(self.problem, decisions)
        low, high = self.box(decisions.owner, gain / self.request.unit)
        if self.by_split:
            if (low > high + ALLOWED).any():
                return None
            unit = self.request.unit
            quotas = split_in_groups(self.problem, self.problem.basis, gain, np.minimum(low, high) * unit, high * unit)
            price = self._levels(gain, quotas, low, high)
            breach = worst_breach(self.problem, decisions, quotas, self.request.unit)
        else:
            found = self._programmed(decisions)
            if found is None:
                return None
            quotas, price, breach = found
            breach = max(breach, worst_breach(self.problem, decisions, quotas, self.request.unit))
        value = attained(self.problem.basis, gain, quotas)
        return Refit(decisions, quotas, value, breach, price)

    def decisions(self, owner: Ints, steps: Ints) -> Decisions:
        """The first so many steps of each rep's order, locked hours, and care as planned."""
        problem, training = self.problem, self.request.training
        everybody = self.everybody(owner)
        hours = np.zeros_like(problem.training.base)
        rep, place = np.nonzero(np.arange(training.gain.shape[1])[None, :] < steps[:, None])
        np.add.at(hours, (rep, training.skill[rep, place]), training.hours)
        for cell, value in problem.locks.training.items():
            hours[cell] = value
        care = problem.accounts.care_base.copy()
        care[list(problem.locks.care)] = list(problem.locks.care.values())
        return Decisions(everybody, hours, care)

    def everybody(self, owner: Ints) -> Ints:
        """Owners of all accounts from those of the free ones, [A]."""
        out = self._settled.copy()
        out[self.request.arcs.free] = owner
        return out

    def box(self, owner: Ints, gain: Floats) -> tuple[Floats, Floats]:
        """Bounds of quotas by the rules on one rep, units, [R]."""
        request, arcs = self.request, self.request.arcs
        mine = owner[arcs.free][arcs.account] == arcs.rep
        low, high = request.low.copy(), np.minimum(request.high, request.most_shift + gain)
        for factors, settled, each in (
            (request.band, request.potential, arcs.potential),
            (request.growth, request.history, arcs.history),
        ):
            measure = settled + np.bincount(arcs.rep[mine], each[arcs.account[mine]], request.reps)
            high = np.fmin(high, factors[0] * measure)
            low = np.fmax(low, factors[1] * measure)
        high = np.minimum(high, highest_quotas(request.ordered, request.sums, gain, request.share))
        for r, value in self.problem.locks.quota.items():
            low[r] = high[r] = value / request.unit
        return low, high

    def _levels(self, gain: Floats, quotas: Floats, low: Floats, high: Floats) -> Floats:
        """The common chance to sell more than the quota of those at no bound, by group of quotas with a sum, [R]."""
        unit = self.request.unit
        chance = (self.problem.basis + gain > quotas).mean(axis=0)
        price = np.zeros(len(quotas))
        inside = (quotas > low * unit + 1e-6 * unit) & (quotas < high * unit - 1e-6 * unit)
        for _, members, _ in groups(self.problem):
            free = members[inside[members]]
            price[members] = chance[free if len(free) else members].mean()
        return price

    def _programmed(self, decisions: Decisions) -> tuple[Floats, Floats, float] | None:
        """Quotas by the programme with everything else settled; price of a unit of quota; largest violation."""
        fixed = held(self.problem, decisions, care=True)
        rules = tuple(rule for rule in fixed.rules if not isinstance(rule, Workload | TrainingFloor))
        few = self.problem.basis.size <= EXACT_COLUMNS
        model = build(replace(fixed, rules=rules), segments=None if few else SEGMENTS)
        programme = replace(model.programme, integer=np.zeros_like(model.programme.integer))
        if self._warm is None:
            self._warm = Warm(programme)
            solution = self._warm.solve()
        else:
            solution = self._warm.again(programme)
        if solution.status == "infeasible":
            return None
        quotas = solution.values[programme.block(QUOTA).index] * model.unit
        return quotas, self._prices(programme, solution), programme.violation(solution.values)

    def _prices(self, programme: Programme, solution: Solution) -> Floats:
        """Price of a unit of quota by all rows but those on one rep, which bound it instead, [R]."""
        reps = len(self.problem.reps)
        price = np.zeros(reps)
        first = int(programme.block(QUOTA).index[0])
        for rows, duals in zip(programme.rows, solution.duals, strict=True):
            if rows.rule == "attainment" or rows.rule in BOX_ROWS or not duals.any():
                continue
            expression = rows.expression
            inside = (expression.col >= first) & (expression.col < first + reps)
            at = expression.col[inside] - first
            np.add.at(price, at, duals[expression.row[inside]] * expression.coef[inside])
        return price
