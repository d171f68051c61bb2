"""How each quota came about: successive splits of the same total, one factor at a time switched from neutral to actual.

Order of the bars (each the difference of two splits, so that together they are the quota):

1. ``equal share``: the total by heads.
2. ``potential``: in proportion to the opportunity of the territory with today's accounts.
3. ``skill``: times what the person (and the person's workload) makes of it.
4. ``ramp``: times the share of full pace.
5. ``spread``: the exact split instead of the proportional one: who sells more evenly can carry more.
6. ``accounts``: plus expected sales from accounts that move or get other care.
7. ``training``: plus expected sales from training.
8. ``new leads``: plus expected sales from other shares of new leads; only where these are handed out.
9. ``history``: the growth floor and cap against last sales.
10. ``fairness``: all other rules and team totals.
11. ``locks``: quotas fixed by people.
12. ``rounding``: whole steps, at most one of them. Where a quota moves further because its bounds hold no whole step,
    that is the rules' doing and stands in their bar.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimize.problem import AllocationProblem, Decisions, Floats, Ints, gains
from optimize.quotas import best_quotas, plain
from optimize.rules import bounds, box
from optimize.split import split, split_in_groups
from scenarios.goals import GrowthLimits

LEADS = "new leads"
FACTORS = (
    "equal share",
    "potential",
    "skill",
    "ramp",
    "steadiness",
    "accounts",
    "training",
    LEADS,
    "growth limits",
    "other rules",
    "locked values",
    "rounding",
)


def waterfall(
    problem: AllocationProblem, decisions: Decisions, exact: Floats, quotas: Ints, *, rounded: bool = True
) -> dict[str, list[tuple[str, int]]]:
    """Bars of each rep in minor units; they sum to the quota exactly.

    Args:
        exact: quotas before rounding, [R].
        quotas: the plan's, [R]; ``rounded``: whether they are the exact ones in whole steps, not chosen otherwise.
    """
    levels = [
        *_proportional_levels(problem),
        *_exact_levels(problem, decisions),
        _grown(problem, decisions),
        _ruled(problem, decisions) if problem.locks.bound else exact,
        exact,
    ]
    if rounded:
        step = max(problem.rounding_step, 1)
        further = np.clip(exact, quotas - step, quotas + step) - exact
        levels[-2:] = [level + further for level in levels[-2:]]
    whole = [np.round(level).astype(np.int64) for level in levels] + [quotas.astype(np.int64)]
    steps = np.diff(np.array([np.zeros_like(quotas), *whole]), axis=0)
    shown = [factor for factor in FACTORS if factor != LEADS or problem.leads]
    return {rep: [(f, int(steps[i, r])) for i, f in enumerate(shown)] for r, rep in enumerate(problem.reps)}


def _proportional_levels(problem: AllocationProblem) -> list[Floats]:
    """Splits in proportion to expected sales as the factors of territory and person are switched on."""
    mean = problem.basis.mean(axis=0)
    skilled = np.divide(mean, problem.ramp, out=np.zeros_like(mean), where=problem.ramp > 0)
    weights = [np.ones_like(mean), problem.opportunity, skilled, mean]
    return [_shared(problem.total, np.maximum(weight, 0.0)) for weight in weights]


def _shared(total: float, weights: Floats) -> Floats:
    if weights.sum() <= 0:
        return np.full(len(weights), total / len(weights))
    return np.asarray(total * weights / weights.sum())


def _exact_levels(problem: AllocationProblem, decisions: Decisions) -> list[Floats]:
    """Exact splits without rules: of the simulated plan, with account moves, with training, with shares of leads."""
    count = len(problem.reps)
    free = np.zeros(count), np.full(count, np.inf)
    taught = replace(decisions, shares=None)
    still = replace(taught, training=problem.training.base)
    shifts = [np.zeros(count), gains(problem, still), gains(problem, taught)]
    if problem.leads:
        shifts.append(gains(problem, decisions))
    return [split(problem.basis, shift, *free, problem.total) for shift in shifts]


def _grown(problem: AllocationProblem, decisions: Decisions) -> Floats:
    """The exact split with the rules on growth; locks left out."""
    growth = problem.with_rules(tuple(rule for rule in problem.rules if isinstance(rule, GrowthLimits)))
    limits = box(growth, bounds(growth, decisions), locked=False)
    return split(problem.basis, gains(problem, decisions), *limits, problem.total)


def _ruled(problem: AllocationProblem, decisions: Decisions) -> Floats:
    """The quotas of all rules, team totals and the mode without locked quotas; bounds opened so far that locks fit.

    Where the rules that tie people together leave no quotas without the locks, those on single quotas alone.
    """
    free = replace(problem, locks=replace(problem.locks, quota={}, least={}))
    found = None if plain(problem) else best_quotas(free, decisions)
    if found is not None:
        return found
    limits = box(problem, bounds(problem, decisions), locked=False)
    return split_in_groups(problem, problem.basis, gains(problem, decisions), *limits)
