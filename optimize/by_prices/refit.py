"""Quotas for settled owners and training under *all* rules, whatever prices know of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimize.by_prices.arcs import planned_care
from optimize.by_prices.assignment import Assignment
from optimize.by_prices.feasibility import worst_breach
from optimize.by_prices.quota_room import highest_quotas
from optimize.by_prices.request import Request
from optimize.by_prices.steps import locked_hours
from optimize.model import build
from optimize.parts.targets import QUOTA
from optimize.problem import AllocationProblem, Decisions, gains, held
from optimize.programme.blocks import Programme
from optimize.programme.ordered import within_limits
from optimize.programme.solve import Solution, Warm
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
CARE_TURNS = 12
CARE_PARTS = (1.0, 0.5, 0.2)
"""How far care goes towards what the worths of sales at the last quotas ask for, in turn."""
STEP_TURNS = 6
"""How often sales of reps are made dearer whose bounds leave a quota no whole step."""
DEARER = 1.25
"""Factor on the worth of sales of a rep whose quota has no room, each turn."""
ENOUGH = 1e-7
"""Relative rise of a turn below which care is settled."""
BOX_ROWS = ("potential_band", "growth_cap", "growth_floor", "min_chance", "min_expected_attainment")


@dataclass(frozen=True)
class Refit:
    """A plan for settled owners and training.

    Attributes:
        quotas: minor units; value: exact sample average of what the request maximises, minor units: of capped sales, or
            in two stages of what sales gain over the simulated plan.
        breach: how far the worst rule is broken; see :data:`ALLOWED`.
        quota_price: what a unit of quota costs by the totals and by rules over several reps, [R].
        in_steps: whether bounds on single quotas leave room for whole steps.
    """

    decisions: Decisions
    quotas: Floats
    value: float
    breach: float
    quota_price: Floats
    in_steps: bool = True

    def better_than(self, other: Refit | None) -> bool:
        """Whether it keeps rules in whole steps that the other does not, or else is worth more."""
        return other is None or (self.in_steps, self.value) > (other.in_steps, other.value)


class Refitting:
    """Finds care and quotas again and again for other owners and training; programmes start from the last basis.

    Attributes:
        lam: what a unit of sales is worth to each rep, by the dual or the last quotas, [R].
    """

    def __init__(self, problem: AllocationProblem, request: Request) -> None:
        self.problem, self.request = problem, request
        known = all(isinstance(rule, BOXES) for rule in problem.rules)
        shares = any(isinstance(rule, MinimumAttainment) for rule in problem.rules)
        self.by_split = known and (problem.basis is problem.samples or not shares)
        self._warm: Warm | None = None
        self.lam = np.ones(request.reps)

    def fit(self, assignment: Assignment) -> Refit | None:
        """The best care and quotas for owners and training steps; None where rules leave none."""
        owner, training = self.everybody(assignment.owners()), self.training(assignment)
        return self.around(assignment, Decisions(owner, training, planned_care(self.problem)))

    def around(self, assignment: Assignment, decisions: Decisions) -> Refit | None:
        """The same for owners and training of decisions, whose free accounts are assigned likewise."""
        if self.request.arcs.care is None:
            return self.of(decisions)
        if self.request.counts > 0.0:
            return self._for_quotas(assignment, decisions.owner, decisions.training)
        return self._for_sales(assignment, decisions.owner, decisions.training)

    def _for_sales(self, assignment: Assignment, owner: Ints, training: Floats) -> Refit | None:
        """Care that sells most; where that leaves a quota no room, sales of the rep are worth more and more."""
        lam = np.full(self.request.reps, self.request.sells)
        dearer = np.maximum(self.lam, lam)
        for _ in range(CARE_TURNS):
            hours = self._care(assignment, training, lam)
            if hours is None:
                return None
            decisions = Decisions(owner, training, self._everywhere(hours))
            found = self.of(decisions)
            if found is not None:
                return self._into_steps(assignment, found, lam)
            low, high = self.box(owner, gains(self.problem, decisions) / self.request.unit)
            if not (low > high + ALLOWED).any():
                return None
            lam, dearer = dearer, np.where(low > high, DEARER * dearer, dearer)
        return None

    def _for_quotas(self, assignment: Assignment, owner: Ints, training: Floats) -> Refit | None:
        """Care towards what sales are worth at the last quotas, and quotas again, as long as that helps."""
        best: Refit | None = None
        hours: Floats | None = None
        lam = self.lam
        for _ in range(CARE_TURNS):
            lam = self.lam
            asked = self._care(assignment, training, self.lam)
            if asked is None:
                break
            before = best
            for part in CARE_PARTS if hours is not None else (1.0,):
                mixed = asked if hours is None else hours + part * (asked - hours)
                found = self.of(Decisions(owner, training, self._everywhere(mixed)))
                if found is not None and (best is None or found.value > best.value):
                    best, hours = found, mixed
                    break
            if best is None or (before is not None and best.value - before.value <= ENOUGH * abs(best.value)):
                break
            self.lam = self._worths(best)
        return None if best is None else self._into_steps(assignment, best, lam)

    def _into_steps(self, assignment: Assignment, found: Refit, lam: Floats) -> Refit:
        """The same with a little more care for whom bounds leave a quota but no whole step; as it is where that fails.

        Args:
            lam: worths of sales at which care was found, [R].
        """
        decisions = found.decisions
        for _ in range(0 if found.in_steps else STEP_TURNS):
            low, high = self.box(decisions.owner, gains(self.problem, decisions) / self.request.unit)
            short = self._lifted(low) > high + ALLOWED
            lam = np.where(short, DEARER * np.maximum(lam, self.lam), lam)
            hours = self._care(assignment, decisions.training, lam) if short.any() else None
            if hours is None:
                break
            decisions = replace(decisions, care=self._everywhere(hours))
            other = self.of(decisions)
            if other is not None and other.in_steps:
                return other
        return found

    def _care(self, assignment: Assignment, training: Floats, lam: Floats) -> Floats | None:
        """Best hours of care of the free accounts at these worths of sales, [F]; None where they do not fit."""
        request, arcs, care = self.request, self.request.arcs, self.request.arcs.care
        if care is None:
            return None
        owned = np.flatnonzero(assignment.held >= 0)
        arc = assignment.held[owned]
        rep, taken = arcs.rep[arc], (training - locked_hours(self.problem)).sum(axis=1)
        order = np.bincount(rep, care.order[arc], request.reps)
        rested = np.ones(len(arcs.free))
        rested[owned] = 0.0
        return care.of_owners(
            owned, arc, rep, lam,
            request.room - request.room_rate * taken - order, request.floor - request.floor_rate * taken - order,
            float((rested * care.counted * care.base).sum()),
        )  # fmt: skip

    def _everywhere(self, hours: Floats) -> Floats:
        """Care of all accounts from that of the free ones, [A]."""
        out = planned_care(self.problem)
        out[self.request.arcs.free] = hours
        return out

    def _worths(self, found: Refit) -> Floats:
        """What another unit of sales is worth to each rep: more where the quota is held below what she would take."""
        gain = gains(self.problem, found.decisions)
        unit = self.request.unit
        chance = (self.problem.basis + gain > found.quotas).mean(axis=0)
        along = found.quotas >= (self.request.most_shift * unit + gain) - 1e-6 * unit
        return np.asarray(np.clip(1.0 - np.where(along, np.minimum(found.quota_price, chance), chance), 1e-6, 1.0))

    def of(self, decisions: Decisions) -> Refit | None:
        """The best quotas for settled decisions."""
        gain, in_steps = gains(self.problem, decisions), True
        low, high = self.box(decisions.owner, gain / self.request.unit)
        if self.by_split:
            if (low > high + ALLOWED).any():
                return None
            unit = self.request.unit
            in_steps = self._leaves_steps(low, high)
            least = self._lifted(low) if in_steps else low
            quotas = split_in_groups(
                self.problem, self.problem.basis, gain, np.minimum(least, high) * unit, high * unit
            )
            price = self._levels(gain, quotas, low, high)
            breach = worst_breach(self.problem, decisions, quotas, self.request.unit)
        else:
            found = self._programmed(decisions)
            if found is None:
                return None
            quotas, price, breach = found
            breach = max(breach, worst_breach(self.problem, decisions, quotas, self.request.unit))
        value = self.request.counts * attained(self.problem.basis, gain, quotas)
        return Refit(decisions, quotas, value + self.request.sells * float(gain.sum()), breach, price, in_steps)

    def _lifted(self, low: Floats) -> Floats:
        """Lower bounds as quotas in whole steps meet them; those of locked quotas as they are, units, [R]."""
        step, locks = max(self.problem.rounding_step, 1) / self.request.unit, self.problem.locks.quota
        out = np.maximum(np.ceil(low / step - 1e-9) * step, low)
        out[list(locks)] = low[list(locks)]
        return out

    def _leaves_steps(self, low: Floats, high: Floats) -> bool:
        """Whether bounds leave everybody a whole step, and the totals room for them; units, [R]."""
        unit, step = self.request.unit, max(self.problem.rounding_step, 1) / self.request.unit
        least = self._lifted(low)
        locks = list(self.problem.locks.quota)
        most = np.where(np.isfinite(high), np.floor(high / step + 1e-9) * step, high)
        most[locks] = high[locks]
        return bool((least <= high + ALLOWED).all()) and all(
            # One of each group carries what its total has beyond whole steps.
            least[members].sum() <= total / unit + step and total / unit <= most[members].sum() + step
            for _, members, total in groups(self.problem)
        )

    def training(self, assignment: Assignment) -> Floats:
        """The first so many steps of each rep's order, and locked hours, [R, K]."""
        training = assignment.request.training
        hours = locked_hours(self.problem)
        rep, place = np.nonzero(training.taken(assignment.steps))
        np.add.at(hours, (rep, training.skill[rep, place]), training.hours)
        return hours

    def everybody(self, owner: Ints) -> Ints:
        """Owners of all accounts from those of the free ones, [A]."""
        out = self.request.settled.owner.copy()
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
        for r, value in self.problem.locks.least.items():
            high[r] = max(high[r], value / request.unit)
        for r, value in self.problem.locks.most.items():
            low[r] = min(low[r], value / request.unit)
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
        values = within_limits(programme, solution.values)
        quotas = values[programme.block(QUOTA).index] * model.unit
        return quotas, self._prices(programme, solution), programme.violation(values)

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
