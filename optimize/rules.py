"""The rules as numbers: with owners, training and care settled, most rules on quotas are a bound on one quota.

Those that tie people together are in :mod:`optimize.fairness_measures`.

The linear rows of the same rules are in :mod:`optimize.parts.fairness`; tests hold the two equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from optimize.parts.fairness import chance_quantile
from optimize.parts.fairness_together import parity_name
from optimize.problem import AllocationProblem, Decisions, Floats, company_ratio, gains, histories, potentials
from scenarios.goals import (
    FairnessRule,
    GroupParity,
    GrowthLimits,
    MinimumAttainment,
    MinimumChance,
    PotentialBand,
    Workload,
)

Side = Literal["upper", "lower"]


@dataclass(frozen=True)
class Bound:
    """A rule's bound on the quota of one rep, minor units."""

    rule: str
    rep: int
    side: Side
    value: float


def bounds(problem: AllocationProblem, decisions: Decisions) -> list[Bound]:
    """Every rule's bound on every quota under these decisions."""
    gain, potential = gains(problem, decisions), potentials(problem, decisions.owner, decisions.shares)
    last = histories(problem, decisions.owner)
    return [bound for rule in problem.rules for bound in _bounds_of(problem, rule, gain, potential, last)]


def box(problem: AllocationProblem, found: list[Bound], *, locked: bool = True) -> tuple[Floats, Floats]:
    """Lowest and highest quota of each rep, minor units; at least zero.

    Args:
        locked: hold locked quotas at their values; else open the bounds of locked reps so far that the lock fits.
    """
    count = len(problem.reps)
    low, high = np.zeros(count), np.full(count, np.inf)
    for bound in found:
        if bound.side == "upper":
            high[bound.rep] = min(high[bound.rep], bound.value)
        else:
            low[bound.rep] = max(low[bound.rep], bound.value)
    for r, value in problem.locks.quota.items():
        low[r], high[r] = (value, value) if locked else (min(low[r], value), max(high[r], value))
    for r, value in problem.locks.least.items() if locked else ():
        low[r] = max(low[r], value)
        # A rule that gives way leaves room for a whole step, so that rounding does not end below what is locked.
        high[r] = high[r] if high[r] >= value else value + problem.rounding_step
    return low, high


def rule_name(rule: FairnessRule) -> tuple[str, ...]:
    """Names of the row blocks that a rule makes."""
    if isinstance(rule, GrowthLimits):
        return ("growth_cap", "growth_floor")
    if isinstance(rule, Workload):
        return ("workload_maximum", "workload_minimum")
    if isinstance(rule, GroupParity):
        return (parity_name(rule),)
    return (rule.rule,)


def _bounds_of(
    problem: AllocationProblem, rule: FairnessRule, gain: Floats, potential: Floats, last: Floats
) -> Iterator[Bound]:
    concerned = problem.concerned(rule)
    reps = range(len(problem.reps))
    match rule:
        case PotentialBand():
            ratio = company_ratio(problem)
            for r in (r for r in reps if concerned[r]):
                yield Bound("potential_band", r, "upper", (1 + rule.tolerance) * ratio * potential[r])
                yield Bound("potential_band", r, "lower", (1 - rule.tolerance) * ratio * potential[r])
        case GrowthLimits():
            for r in (r for r in reps if concerned[r] and not np.isnan(last[r])):
                if rule.cap is not None:
                    yield Bound("growth_cap", r, "upper", float(last[r]) * (1 + rule.cap))
                if rule.floor is not None:
                    yield Bound("growth_floor", r, "lower", float(last[r]) * (1 + rule.floor))
        case MinimumAttainment():
            for r in (r for r in reps if concerned[r]):
                yield Bound(
                    "min_expected_attainment", r, "upper", attainable(problem.samples[:, r], gain[r], rule.share)
                )
        case MinimumChance():
            at = chance_quantile(problem.samples, rule.chance) + gain
            for r in (r for r in reps if concerned[r] and not problem.ramping[r]):
                yield Bound("min_chance", r, "upper", float(at[r]))
        case _:
            return


def attainable(samples: Floats, gain: float, share: float) -> float:
    """The largest quota whose capped attainment is at least ``share``; capped attainment falls as quotas rise."""
    sales = np.sort(np.maximum(samples + gain, 0.0))
    if share <= 0.0:
        return float("inf")
    if share >= 1.0:
        return float(sales[0])

    def attained(q: float) -> float:
        return float(np.minimum(sales, q).mean() - share * q)

    # Between two samples the excess is linear in q, so the crossing is exact once its segment is known.
    if attained(float(sales[-1])) >= 0:
        return float(sales.mean() / share)
    low, high = 0, len(sales) - 1
    if attained(float(sales[0])) < 0:
        return 0.0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if attained(float(sales[middle])) >= 0 else (low, middle)
    left, right = float(sales[low]), float(sales[high])
    at_left, at_right = attained(left), attained(right)
    return left + (right - left) * at_left / (at_left - at_right) if at_left > at_right else left
