"""Quotas in whole steps, and shares of leads in decimals, whose sums tie exactly."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import numpy as np

from optimize.problem import AllocationProblem, Floats, Ints
from optimize.split import groups

TOLERANCE = 0.5
"""Half a minor unit: what floating point may be off."""
SHARE_DIGITS = 9
"""Decimals of a share of leads: a billionth of a large company's leads is still no hour of work."""
NEAR = 1e-3
"""Of a last decimal, by which a share may miss it and still count as on it."""


def rounded_quotas(problem: AllocationProblem, quotas: Floats, low: Floats, high: Floats) -> Ints:
    """Whole minor units [R]: multiples of the rounding step, inside the bounds where the step allows it.

    Locked quotas stay as they are. Each group's sum ties exactly; where it is no multiple of the step, the largest
    unlocked quota with room carries the odd rest. Unless bounds ask for more, nobody moves by more than a step.
    """
    out = np.zeros(len(quotas), dtype=np.int64)
    for r, value in problem.locks.quota.items():
        out[r] = round(value)
    for _, members, total in groups(problem):
        free = np.array([r for r in members if r not in problem.locks.quota], dtype=np.int64)
        if not len(free):
            continue
        taken = sum(int(out[r]) for r in members if r in problem.locks.quota)
        out[free] = _under_locks(problem, free, quotas, (low, high), round(total) - taken)
    return out


def _under_locks(
    problem: AllocationProblem, free: Ints, quotas: Floats, ends: tuple[Floats, Floats], rest: int
) -> Ints:
    """Quotas of those free in whole steps, nobody beyond what locked periods, floors and stretches leave, [free].

    Whoever a step would take beyond it gets what is locked to the cent, and the others carry what that leaves.
    """
    step = problem.rounding_step
    out = in_steps(quotas[free], ends[0][free], ends[1][free], rest, step)
    least = np.array([problem.locks.least.get(r, 0.0) for r in free.tolist()])
    most = np.array([problem.locks.most.get(r, np.inf) for r in free.tolist()])
    off = (out < least - TOLERANCE) | (out > most + TOLERANCE)
    if not off.any():
        return out
    out[off] = np.round(np.clip(out[off], least[off], most[off])).astype(np.int64)
    others, left = free[~off], rest - int(out[off].sum())
    if len(others) and least[~off].sum() <= left <= most[~off].sum():
        out[~off] = _under_locks(problem, others, quotas, ends, left)
        return out
    return in_steps(quotas[free], ends[0][free], ends[1][free], rest, 1)


def within_bounds(problem: AllocationProblem, quotas: Ints, low: Floats, high: Floats) -> Ints:
    """Whole quotas lifted or cut to bounds that hold whatever the step, sums of groups kept, [R].

    What that takes from some is spread over those of the group who have room: whole steps as long as there are any,
    then what is left to the bounds. Locked quotas have no room.

    Args:
        quotas: whole minor units; the bounds leave each group room for its sum.
        low, high: [R], whole minor units or infinite.
    """
    out = np.clip(quotas, low, np.minimum(high, 2.0**62)).astype(np.int64)
    for _, members, _ in groups(problem):
        rest = int(quotas[members].sum() - out[members].sum())
        for step in dict.fromkeys((max(int(problem.rounding_step), 1), 1)):
            for r in sorted(members.tolist(), key=lambda one: -int(out[one])) if rest else ():
                room = (high[r] - out[r]) if rest > 0 else (out[r] - low[r])
                moved = int(min(abs(rest), max(room, 0.0))) // step * step
                out[r] += moved if rest > 0 else -moved
                rest -= moved if rest > 0 else -moved
    return out


def whole_shares(shares: Mapping[str, float], locked: Collection[str]) -> dict[str, float]:
    """Shares with :data:`SHARE_DIGITS` decimals that sum to exactly 1: the largest remainders are rounded up.

    Args:
        shares: of one source, by rep; they sum to 1 within what floating point is off.
        locked: reps whose share stays as it is.
    """
    whole = 10**SHARE_DIGITS
    exact = {rep: share * whole for rep, share in shares.items()}
    steps = {rep: round(value) if rep in locked else math.floor(value + NEAR) for rep, value in exact.items()}
    order = sorted((rep for rep in shares if rep not in locked), key=lambda rep: steps[rep] - exact[rep])
    rest = whole - sum(steps.values())
    for place in range(abs(rest) if order else 0):
        # On the way down, which only what floating point is off can ask for, from the other end.
        rep = order[place % len(order)] if rest > 0 else max(order, key=lambda one: steps[one])
        steps[rep] += 1 if rest > 0 else -1
    return {rep: value / whole for rep, value in steps.items()}


def in_steps(quotas: Floats, low: Floats, high: Floats, total: int, step: int) -> Ints:
    """Multiples of the step near quotas with a given sum, inside the bounds where these leave room for it, [R].

    What the total has beyond whole steps is set apart for one quota, so that nobody moves by more than a step.
    """
    step = max(int(step), 1)
    odd = np.zeros(len(quotas), dtype=np.int64)
    odd[_with_odd_rest(quotas, low, high, total % step, step)] = total % step
    quotas, low, high = quotas - odd, low - odd, high - odd
    down = np.maximum(np.floor((quotas + TOLERANCE) / step).astype(np.int64), 0)
    lifted = (down * step < low - TOLERANCE) & ((down + 1) * step <= high + TOLERANCE)
    steps = down + lifted
    rest = total // step - int(steps.sum())
    part = quotas / step - steps
    while rest != 0:
        way = 1 if rest > 0 else -1
        after = (steps + way) * step
        inside = (after <= high + TOLERANCE) if way > 0 else (after >= low - TOLERANCE)
        possible = np.ones_like(inside) if way > 0 else steps > 0
        # Bounds first, then the largest remainder (the smallest, on the way down), then the order of the reps.
        order = np.lexsort((np.arange(len(steps)), -way * part, ~inside, ~possible))
        batch = order[: min(abs(rest), max(int((inside & possible).sum()), 1))]
        steps[batch] += way
        part[batch] -= way
        rest -= way * len(batch)
    return np.asarray(steps * step + odd, dtype=np.int64)


def _with_odd_rest(quotas: Floats, low: Floats, high: Floats, odd: int, step: int) -> int:
    """Who carries the odd rest of a total: the largest quota with a figure of that rest near it, within its bounds."""
    below = np.floor((quotas - odd + TOLERANCE) / step) * step + odd
    fits = (below >= np.maximum(low, 0.0) - TOLERANCE) & (below <= high + TOLERANCE)
    above = below + step
    fits |= (above >= low - TOLERANCE) & (above <= high + TOLERANCE)
    return int(np.lexsort((np.arange(len(quotas)), -quotas, ~fits))[0])
