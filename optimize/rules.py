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
    GiniBound,
    GroupParity,
    GrowthLimits,
    MinimumAttainment,
    MinimumChance,
    PotentialBand,
    Spread,
    Workload,
)

Side = Literal["upper", "lower"]

ROUNDED = 1e-13
"""Relative error of a mean of samples, within which an excess of nothing is no shortfall."""


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
    ranged = problem.locks.least.keys() | problem.locks.most.keys() if locked else ()
    for r in ranged:
        least, most = problem.locks.least.get(r, 0.0), problem.locks.most.get(r, np.inf)
        # A rule that gives way leaves room for a whole step, so that rounding does not end beyond what is locked.
        step = problem.rounding_step
        low[r], high[r] = (
            max(low[r], least) if low[r] <= most else max(most - step, least),
            min(high[r], most) if high[r] >= least else min(least + step, most),
        )
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
            at = attainable(problem.samples, gain, rule.share)
            for r in (r for r in reps if concerned[r]):
                yield Bound("min_expected_attainment", r, "upper", float(at[r]))
        case MinimumChance():
            at = chance_quantile(problem.samples, rule.chance) + gain
            for r in (r for r in reps if concerned[r] and not problem.ramping[r]):
                yield Bound("min_chance", r, "upper", float(at[r]))
        case Spread() | GiniBound():
            # Against no potential any quota would be infinitely much: whoever is left none carries none.
            for r in np.flatnonzero(concerned & (potential <= 0)).tolist():
                yield Bound(rule.rule, r, "upper", 0.0)
        case _:
            return


def attainable(samples: Floats, gain: Floats, share: float) -> Floats:
    """The largest quotas whose capped attainment is at least ``share``: it falls as a quota rises.

    Args:
        samples: sales of some people, [N, P]; gain: of their decisions, [P].

    Returns:
        By person, [P]; infinite at a share of nothing.
    """
    count, people = samples.shape
    if share <= 0.0:
        return np.full(people, np.inf)
    sales = np.sort(np.maximum(samples + gain, 0.0), axis=0)
    if share >= 1.0:
        return np.asarray(sales[0])
    reached, above = np.cumsum(sales, axis=0), np.arange(count - 1, -1, -1)[:, None]
    excess = (reached + above * sales) / count - share * sales
    # The excess over the share is concave in the quota and nothing at nothing: not negative up to one crossing, which
    # is exact once the two samples around it are known, since between them the excess is linear. Sums round.
    last = np.maximum((excess >= -ROUNDED * sales[-1]).sum(axis=0) - 1, 0)
    here, every = np.minimum(last, max(count - 2, 0)), np.arange(people)
    left, right = sales[here, every], sales[np.minimum(here + 1, count - 1), every]
    fall = excess[here, every] - excess[np.minimum(here + 1, count - 1), every]
    crossing = left + (right - left) * excess[here, every] / np.where(fall > 0.0, fall, 1.0)
    return np.asarray(np.where(last == count - 1, reached[-1] / count / share, crossing))
