"""What the rules that tie people together measure, on any quotas: the definitions, apart from any programme.

The linear rows of the same rules are in :mod:`optimize.parts.fairness_together`; tests hold the two equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from optimize.parts.fairness_together import parity_name
from optimize.problem import AllocationProblem, Bools, Decisions, Floats, company_ratio, gains, potentials
from scenarios.goals import EqualOdds, FairnessRule, GiniBound, GroupParity, Spread, WorstOff

Together = EqualOdds | GiniBound | GroupParity | Spread | WorstOff
"""Rules that are no bound on one quota."""
Unit = Literal[
    "minor",
    "currency",
    "x company ratio",
    "quota/potential",
    "Gini",
    "growth",
    "share of quota",
    "chance",
    "share of hours",
    "share of leads",
    "hours",
    "hours a year",
    "accounts",
]
"""What a rule's limit and figure are told in: ``minor`` is money in minor units, ``currency`` in currency units."""
KEPT_WITHIN = 1e-6
"""How far a figure without a unit may be beyond its limit: what a solver's tolerances leave open."""


@dataclass(frozen=True)
class Standing:
    """Where a rule stands on some quotas.

    Attributes:
        subject: ``company`` or a group.
        limit, actual: in ``unit``.
        upper: whether the limit is a highest value.
        step: by how much one rounding step on every quota may move the figure.
        grain: by how much half a minor unit on every quota may: so much is no breach.
    """

    rule: str
    subject: str
    limit: float
    actual: float
    unit: Unit
    upper: bool
    step: float
    grain: float

    @property
    def room(self) -> float:
        """How far the figure is inside its limit; negative where the rule is broken."""
        return self.limit - self.actual if self.upper else self.actual - self.limit

    @property
    def kept(self) -> bool:
        """Whether the rule holds."""
        return self.room >= -max(self.grain, KEPT_WITHIN)


def tied(problem: AllocationProblem) -> tuple[Together, ...]:
    """The request's rules that tie people together."""
    return tuple(rule for rule in problem.rules if isinstance(rule, Together))


def standings(
    problem: AllocationProblem, decisions: Decisions, quotas: Floats, rule: FairnessRule
) -> Iterator[Standing]:
    """Where a rule that ties people together stands; nothing for other rules or where nobody is concerned."""
    keep, step = problem.concerned(rule), float(max(problem.rounding_step, 1))
    half = 0.5 / step
    sales = problem.samples + gains(problem, decisions)
    match rule:
        case Spread() | GiniBound():
            potential = potentials(problem, decisions.owner, decisions.shares)
            keep &= potential > 0
            if not keep.any():
                return
            ratio, moved = quotas[keep] / potential[keep], step / potential[keep]
            if isinstance(rule, Spread):
                by = float(moved[ratio.argmax()] + moved[ratio.argmin()])
                yield Standing(
                    "spread", "company", rule.maximum, float(np.ptp(ratio)), "quota/potential", True, by, by * half
                )
                return
            by = 2 * float(moved.sum()) / max(float(ratio.sum()), 1e-12)
            yield Standing("gini", "company", rule.maximum, gini(ratio), "Gini", True, by, by * half)
        case WorstOff():
            if keep.any():
                expected = np.minimum(sales, quotas).mean(axis=0)
                actual, carried = worst_off(expected[keep], quotas[keep], rule.share)
                by = step * int(keep.sum()) * rule.share / max(carried, 1e-12)
                yield Standing("worst_off", "company", rule.minimum, actual, "share of quota", False, by, by * half)
        case EqualOdds():
            if keep.any():
                near = [chances(sales, quotas + way)[keep] for way in (0.0, step, -step)]
                by = 2 * float(max(np.abs(near[1] - near[0]).max(), np.abs(near[2] - near[0]).max()))
                yield Standing("equal_odds", "company", rule.width, float(np.ptp(near[0])), "chance", True, by, 0.0)
        case GroupParity():
            yield from _parity(problem, potentials(problem, decisions.owner, decisions.shares), quotas, rule)


def _parity(problem: AllocationProblem, potential: Floats, quotas: Floats, rule: GroupParity) -> Iterator[Standing]:
    name, ratio = parity_name(rule), company_ratio(problem)
    for group, members in problem.members_by(rule.by, problem.concerned(rule)).items():
        whole = ratio * float(potential[members].sum())
        if whole <= 0:
            continue
        actual = float(quotas[members].sum()) / whole
        upper = actual >= 1
        limit = 1 + rule.tolerance if upper else 1 - rule.tolerance
        step = max(problem.rounding_step, 1) / whole
        yield Standing(
            name, group, limit, actual, "x company ratio", upper, len(members) * step, len(members) * 0.5 / whole
        )


def gini(values: Floats) -> float:
    """Gini index: the sum over pairs of absolute differences over n times the sum of all; 0 where all are zero."""
    total = float(values.sum())
    if total <= 0:
        return 0.0
    count = len(values)
    weights = 2.0 * np.arange(count) - count + 1.0
    return float(weights @ np.sort(values)) / (count * total)


def worst_off(expected: Floats, quotas: Floats, share: float) -> tuple[float, float]:
    """Capped attainment of the worst-off share of reps, and the quotas that they carry.

    The lowest value of ``sum w e / sum w q`` over weights between 0 and 1 that sum to ``share`` of the heads: no
    group of this size does worse. Found by Dinkelbach's iteration: the k smallest of ``e - c q`` at the last value c.

    Args:
        expected: capped sales of each rep, [R].
    """
    heads = max(share * len(quotas), 1e-9)
    level, carried = 1.0, 0.0
    for _ in range(100):
        order = np.argsort(expected - level * quotas, kind="stable")
        weights = np.zeros(len(quotas))
        weights[order] = np.clip(heads - np.arange(len(quotas)), 0.0, 1.0)
        carried = float(weights @ quotas)
        if carried <= 0:
            return 1.0, 0.0
        lower = float(weights @ expected) / carried
        if lower >= level - 1e-15:
            break
        level = lower
    return min(level, 1.0), carried


def chances(sales: Floats, quotas: Floats) -> Floats:
    """Share of simulated horizons in which sales make the quota, by rep; money within half a minor unit is equal."""
    return np.asarray((sales >= quotas - 0.5).mean(axis=0))


def group_ratio(values: Floats, weight: Floats, inside: Bools) -> float:
    """Weighted mean of a group: of ratios by their bottoms it is the ratio of sums."""
    return float(values[inside] @ weight[inside]) / float(weight[inside].sum())
