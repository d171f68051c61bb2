"""The exact quota split: with owners and training settled, quotas are quantiles at one common level, clipped.

Where nobody is at a bound, dE/dq = P(S + g > q) is the same for all: maximising expected attainment of a given total
*is* giving everybody the same chance. The level is found by bisection, without a programme.
"""

from __future__ import annotations

import numpy as np

from optimize.problem import AllocationProblem, Floats, Ints


def split(samples: Floats, gain: Floats, low: Floats, high: Floats, total: float) -> Floats:
    """Quotas that maximise the sample average of ``sum_r min(S_r + g_r, q_r)`` for a given sum.

    ``q_r(k) = clip(g_r + the sample of r that k of N samples exceed, low_r, high_r)`` falls in k; between two
    neighbouring k the marginal value of every rep that moves is k / N, so that any way to share the rest is optimal:
    it is shared in proportion to the room.

    Args:
        samples: [N, R]; gain, low, high: [R], in the unit of the samples.

    Returns:
        Quotas [R]. Where the bounds leave no room for the total, the nearest: all at one of their bounds.
    """
    ordered = np.sort(samples, axis=0)
    count = len(ordered)
    spare = np.maximum(ordered.mean(axis=0) + gain, 0.0)
    spare = spare + max(float(spare.mean()), 1.0) * 1e-3

    def quotas(above: int) -> Floats:
        """Quotas that ``above`` of the N samples exceed; -1 stands for no limit but the bounds."""
        if above == count:
            return np.array(low)
        if above >= 0:
            return np.asarray(np.clip(ordered[count - above - 1] + gain, low, high))
        # Where no bound holds, what is beyond the largest sample is shared like expected sales.
        open_end = np.maximum(ordered[-1] + gain, low) + abs(total) * spare / spare.sum()
        return np.asarray(np.where(np.isfinite(high), high, open_end))

    low_k, high_k = count, -1
    if quotas(low_k).sum() >= total:
        return quotas(low_k)
    if quotas(high_k).sum() <= total:
        return quotas(high_k)
    while low_k - high_k > 1:
        middle = (low_k + high_k) // 2
        if quotas(middle).sum() <= total:
            low_k = middle
        else:
            high_k = middle
    lower, upper = quotas(low_k), quotas(high_k)
    room = upper - lower
    return np.asarray(lower + room * ((total - lower.sum()) / room.sum()))


def proportional(weights: Floats, low: Floats, high: Floats, total: float) -> Floats:
    """Quotas in proportion to weights, clipped to the bounds, with a given sum; [R].

    Where the bounds leave no room, all are at one of their bounds.
    """
    scale_low, scale_high = 0.0, 1.0
    if np.clip(np.zeros_like(weights), low, high).sum() >= total:
        return low.copy()
    heavy = np.maximum(weights, 1e-12 * max(float(weights.max(initial=0.0)), 1.0))
    for _ in range(200):
        if np.clip(scale_high * heavy, low, high).sum() >= total:
            break
        scale_high *= 2
    else:
        return np.asarray(np.where(np.isfinite(high), high, low))
    for _ in range(200):
        middle = (scale_low + scale_high) / 2
        if np.clip(middle * heavy, low, high).sum() < total:
            scale_low = middle
        else:
            scale_high = middle
    lower, upper = np.clip(scale_low * heavy, low, high), np.clip(scale_high * heavy, low, high)
    room = upper - lower
    rest = total - lower.sum()
    return np.asarray(lower + room * (rest / room.sum()) if room.sum() > 0 else lower)


def groups(problem: AllocationProblem) -> list[tuple[str, Ints, float]]:
    """Reps whose quotas have a sum of their own: each team with a target, and all others together."""
    rest = np.ones(len(problem.reps), dtype=np.bool_)
    left = problem.total
    out: list[tuple[str, Ints, float]] = []
    for team, total in problem.team_totals.items():
        members = problem.members(team)
        out.append((team, members, total))
        rest[members] = False
        left -= total
    if rest.any():
        out.append(("company", np.flatnonzero(rest), left))
    return out


def split_in_groups(problem: AllocationProblem, samples: Floats, gain: Floats, low: Floats, high: Floats) -> Floats:
    """The exact split with team totals kept: one level per group; [R]."""
    out = np.zeros(len(problem.reps))
    for _, members, total in groups(problem):
        out[members] = split(samples[:, members], gain[members], low[members], high[members], total)
    return out


def proportional_in_groups(problem: AllocationProblem, weights: Floats, low: Floats, high: Floats) -> Floats:
    """Proportional quotas with team totals kept; [R]."""
    out = np.zeros(len(problem.reps))
    for _, members, total in groups(problem):
        out[members] = proportional(weights[members], low[members], high[members], total)
    return out


def attained(samples: Floats, gain: Floats, quotas: Floats) -> float:
    """Exact sample average of ``sum_r min(S_r + g_r, q_r)``."""
    return float(np.minimum(samples + gain, quotas).sum(axis=1).mean())
