"""Quotas by simple rules: weights to split a total by, and two that need none."""

from __future__ import annotations

import numpy as np

from optimize.problem import AllocationProblem, Decisions, Floats, Ints, gains, potentials
from optimize.rounding import TOLERANCE, rounded_quotas
from optimize.rules import bounds, box
from optimize.split import groups, proportional, proportional_in_groups


def history_weights(problem: AllocationProblem) -> Floats:
    """Last sales; who has no full last period is placed by potential at the company's ratio of the two, [R]."""
    today = problem.today_decisions()
    potential = potentials(problem, today.owner, today.shares)
    known = ~np.isnan(problem.last_sales)
    if not known.any() or np.nansum(problem.last_sales) <= 0:
        return potential
    measure = float(potential[known].sum())
    ratio = float(problem.last_sales[known].sum()) / measure if measure > 0 else 0.0
    return np.where(known, np.nan_to_num(problem.last_sales), ratio * potential)


def fair_share_weights(problem: AllocationProblem, decisions: Decisions) -> Floats:
    """Half by last sales, half by potential, each as shares, [R]."""
    history, potential = history_weights(problem), potentials(problem, decisions.owner, decisions.shares)
    shares = [w / w.sum() if w.sum() > 0 else np.full(len(w), 1 / len(w)) for w in (history, potential)]
    return np.asarray(shares[0] + shares[1])


def in_proportion(problem: AllocationProblem, weights: Floats) -> Ints:
    """Quotas in proportion to weights; only locks and totals are kept, [R]."""
    low, high = box(problem, [])
    return rounded_quotas(problem, proportional_in_groups(problem, weights, low, high), low, high)


def by_mean(problem: AllocationProblem, decisions: Decisions) -> Ints:
    """Quotas in proportion to expected sales, clipped to the rules on single quotas, [R]."""
    low, high = _limits(problem, decisions)
    exact = proportional_in_groups(problem, expected_sales(problem, decisions), low, high)
    return rounded_quotas(problem, exact, low, high)


def by_priority(problem: AllocationProblem, decisions: Decisions) -> Ints:
    """Quotas filled one rep after the other, whoever is expected to sell most first, [R].

    Each takes as much as the rules allow, where they set no limit the largest simulated sales, while the least that
    the rules ask of all later ones is kept free for them. What is left in the end is shared like expected sales.
    """
    low, high = _limits(problem, decisions)
    sales = expected_sales(problem, decisions)
    most = np.maximum(
        np.where(np.isfinite(high), high, problem.basis.max(axis=0) + np.maximum(gains(problem, decisions), 0)), low
    )
    exact = np.zeros(len(low))
    for _, members, total in groups(problem):
        quotas, left = low[members].copy(), total - float(low[members].sum())
        for place in np.lexsort((np.arange(len(members)), -sales[members])):
            taken = min(max(left, 0.0), float(most[members][place] - quotas[place]))
            quotas[place] += taken
            left -= taken
        if left > 0:
            quotas = proportional(sales[members], quotas, high[members], total)
        exact[members] = quotas
    return rounded_quotas(problem, exact, low, high)


def expected_sales(problem: AllocationProblem, decisions: Decisions) -> Floats:
    """Mean simulated sales with the model's gains, not below zero, minor units, [R]."""
    return np.asarray(np.maximum(problem.basis.mean(axis=0) + gains(problem, decisions), 0.0))


def _limits(problem: AllocationProblem, decisions: Decisions) -> tuple[Floats, Floats]:
    """Lowest and highest quotas under the rules, and under locks, with room for every total, [R].

    Rules give way to locks and totals, and no further than they have to. Whose bounds cross has a quota between the
    two, as near to both as there is one; bounds of all others hold. Where a team or the company asks for less than the
    least of its reps, or for more than the most, all of these give way by the same share as far as locks let them.
    """
    found, locked = box(problem, bounds(problem, decisions)), box(problem, [])
    low, high = np.minimum(*found), np.maximum(*found)
    for _, members, total in groups(problem):
        if low[members].sum() > total + TOLERANCE:
            kept = proportional(low[members], locked[0][members], low[members], total)
        elif high[members].sum() < total - TOLERANCE:
            kept = proportional(high[members], high[members], locked[1][members], total)
        else:
            continue
        low[members] = high[members] = kept
    return low, high
