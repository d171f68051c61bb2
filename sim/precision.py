"""How many replications: for a stated precision, and how many pairing saves."""

from __future__ import annotations

from math import inf, sqrt

from numpy.typing import ArrayLike

from scenarios.errors import InputRefused, Problem, refuse_if
from sim.interval import check_confidence, one_pair, one_sample, student_quantile

MOST_REPLICATIONS = 10**9


def variance_ratio(a: ArrayLike, b: ArrayLike) -> float:
    """How many times as many replications independent worlds would need: (var a + var b) / var(a - b).

    Above 1 pairing by common random numbers helps, below 1 it hurts. Infinite where all pairs differ by the
    same amount while the worlds themselves vary; 1 where nothing varies at all.

    Raises:
        InputRefused: fewer than two pairs, lengths that differ, values that are not finite.
    """
    first, second = one_pair(a, b, "paired samples")
    _check_two(len(first), "paired samples")
    apart = float(first.var(ddof=1) + second.var(ddof=1))
    paired = float((first - second).var(ddof=1))
    if paired == 0:
        return inf if apart > 0 else 1.0
    return apart / paired


def replications_needed(pilot: ArrayLike, half_width: float, confidence: float = 0.95) -> int:
    """Replications in all, the pilot included, for a mean known to plus or minus ``half_width``.

    Takes the pilot's standard deviation s for the true one and returns the least n >= 2 at which Student's interval
    is narrow enough: t(n - 1) s / sqrt(n) <= half_width. A small pilot knows s badly, so check the width that was
    reached.

    Raises:
        InputRefused: a pilot of fewer than two replications, a half-width that is not positive, or a
            precision beyond a billion replications.
    """
    sample = one_sample(pilot, "pilot")
    check_confidence(confidence)
    _check_two(len(sample), "pilot")
    spread = float(sample.std(ddof=1))

    def wide(count: int) -> bool:
        return student_quantile(confidence, count - 1) * spread > half_width * sqrt(count)

    if not 0 < half_width < inf or wide(MOST_REPLICATIONS):
        raise InputRefused(
            Problem(
                "half_width",
                f"{half_width:g}",
                f"must be positive and within reach at a standard deviation of {spread:g}",
                "ask for a wider interval",
            )
        )
    enough = 2
    while wide(enough):
        enough *= 2
    too_few = enough // 2
    while enough - too_few > 1:
        middle = (enough + too_few) // 2
        too_few, enough = (middle, enough) if wide(middle) else (too_few, middle)
    return enough


def _check_two(count: int, where: str) -> None:
    refuse_if([Problem(where, f"{count} replications", "needs at least two to know a spread")] if count < 2 else [])
