"""Quotas in whole steps whose sums tie exactly."""

from __future__ import annotations

import numpy as np

from optimize.problem import AllocationProblem, Floats, Ints
from optimize.split import groups

TOLERANCE = 0.5
"""Half a minor unit: what floating point may be off."""


def rounded_quotas(problem: AllocationProblem, quotas: Floats, low: Floats, high: Floats) -> Ints:
    """Whole minor units [R]: multiples of the rounding step, inside the bounds where the step allows it.

    Locked quotas stay as they are. Each group's sum ties exactly; where it is no multiple of the step, the largest
    unlocked quota with room carries the odd rest.
    """
    out = np.zeros(len(quotas), dtype=np.int64)
    for r, value in problem.locks.quota.items():
        out[r] = round(value)
    for _, members, total in groups(problem):
        free = np.array([r for r in members if r not in problem.locks.quota], dtype=np.int64)
        if not len(free):
            continue
        taken = sum(int(out[r]) for r in members if r in problem.locks.quota)
        out[free] = _in_steps(quotas[free], low[free], high[free], round(total) - taken, problem.rounding_step)
    return out


def _in_steps(quotas: Floats, low: Floats, high: Floats, total: int, step: int) -> Ints:
    step = max(int(step), 1)
    down = np.floor((quotas + TOLERANCE) / step).astype(np.int64)
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
    values = steps * step
    odd = total - int(values.sum())
    if odd:
        fits = values + odd <= high + TOLERANCE
        order = np.lexsort((np.arange(len(values)), -values, ~fits))
        values[order[0]] += odd
    return np.asarray(values, dtype=np.int64)
