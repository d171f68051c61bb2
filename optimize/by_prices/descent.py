"""Descent of a smooth convex function inside bounds: limited-memory BFGS on the variables that are at no bound.

Sums are numpy's own, in one order and one thread: libraries of linear algebra divide a long sum among threads, so that
its last bits, and with them a plan, would depend on the machine's load.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SUFFICIENT = 1e-4
"""Share of the decrease that the slope promises and a step must bring (Armijo 1966)."""
HALVINGS = 20


def inner(a: Floats, b: Floats) -> float:
    """Sum of products."""
    return float((a * b).sum())


def descend(
    function: Callable[[Floats], tuple[float, Floats]],
    x: Floats,
    lower: Floats,
    upper: Floats,
    *,
    steps: int,
    memory: int,
    tolerance: float,
    flatness: float = 1.0,
    floor: float = -np.inf,
) -> Floats:
    """Where the function is low, from ``x`` on (Nocedal 1980, with steps projected onto the bounds).

    Args:
        function: value and gradient.
        tolerance: relative decrease of a step below which the descent ends.
        flatness: one over the curvature of the function, roughly: how far along the slope the first step goes.
        floor: value below which it ends: there is no least one.
    """
    value, gradient = function(x)
    pairs: list[tuple[Floats, Floats, float]] = []
    for _ in range(steps):
        held = ((x <= lower) & (gradient > 0)) | ((x >= upper) & (gradient < 0))
        slope = np.where(held, 0.0, gradient)
        direction = np.where(held, 0.0, -_bent(slope, pairs))
        if inner(direction, slope) >= 0.0:
            pairs.clear()
            direction = -slope
        size = 1.0 if pairs else min(flatness, 1.0 / max(float(np.abs(slope).max(initial=0.0)), 1e-300))
        step = _step(function, x, value, gradient, direction, size, lower, upper)
        if step is None:
            if not pairs:
                return x
            pairs.clear()
            continue
        new, new_value, new_gradient = step
        moved, turned = new - x, new_gradient - gradient
        bend = inner(moved, turned)
        if bend > 1e-14 * inner(turned, turned):
            pairs.append((moved, turned, bend))
            del pairs[:-memory]
        decrease = value - new_value
        x, value, gradient = new, new_value, new_gradient
        if decrease <= tolerance * max(abs(value), 1.0) or value < floor:
            return x
    return x


def _bent(slope: Floats, pairs: list[tuple[Floats, Floats, float]]) -> Floats:
    """The slope times the inverse curvature that the last steps showed, by two loops over them."""
    out = slope.copy()
    weights = []
    for moved, turned, bend in reversed(pairs):
        weight = inner(moved, out) / bend
        weights.append(weight)
        out -= weight * turned
    if pairs:
        _, turned, bend = pairs[-1]
        out *= bend / inner(turned, turned)
    for (moved, turned, bend), weight in zip(pairs, reversed(weights), strict=True):
        out += (weight - inner(turned, out) / bend) * moved
    return out


def _step(
    function: Callable[[Floats], tuple[float, Floats]],
    x: Floats,
    value: float,
    gradient: Floats,
    direction: Floats,
    size: float,
    lower: Floats,
    upper: Floats,
) -> tuple[Floats, float, Floats] | None:
    """The first of ever shorter steps that brings enough; None where none does."""
    for _ in range(HALVINGS):
        new = np.clip(x + size * direction, lower, upper)
        new_value, new_gradient = function(new)
        if new_value <= value + SUFFICIENT * inner(gradient, new - x):
            return new, new_value, new_gradient
        size *= 0.5
    return None
