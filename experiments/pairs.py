"""Differences between two plans over the same simulated years, and the words for how sure they are."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim.interval import LIKELY_CONFIDENCE, PROVEN_CONFIDENCE, student_interval
from sim.statistics import Interval, Strength, paired_difference, strength, wilson

Floats = NDArray[np.float64]
Word = Strength | Literal["equal"]
Kind = Literal["amount", "share", "yes_no"]


@dataclass(frozen=True)
class Difference:
    """One figure of one plan minus the same figure of another, year by year under common random numbers.

    Attributes:
        case: the plan.
        against: what it is compared with.
        measure: ``sales`` (minor units), ``attainment``, ``hit_rate`` or ``chance_of_target`` (shares).
        interval: of the mean difference; all intervals of one comparison hold together.
        word: *proven*, *likely*, *not proven*; *equal* where both plans are one simulation, so that the
            difference is zero by construction and nothing is inferred.
        variance_ratio: how many times as many years would be needed without common random numbers,
            (var a + var b) / var(a - b); infinite where all years differ alike, ``None`` where nothing is inferred.
    """

    case: str
    against: str
    measure: str
    interval: Interval
    word: Word
    variance_ratio: float | None = None


def difference(a: Floats, b: Floats, kind: Kind, confidence: float, comparisons: int) -> tuple[Interval, Word]:
    """Interval of mean(a - b) at ``confidence`` for ``comparisons`` intervals together, and its word.

    Args:
        a: one figure a replication, shape ``[n]``.
        b: the same replications of the other plan.
        kind: ``amount`` and ``share`` (inside [0, 1]) take Student's interval on the pairs; ``yes_no`` (0 or 1 a
            year) takes Newcombe's. Where all years of a ``share`` differ by the same amount Student's interval
            collapses to a point, and the exact bound on what was never seen takes its place.

    Raises:
        InputRefused: lengths differ, or values that are not finite.
    """
    if kind == "yes_no":
        interval = newcombe(a, b, confidence, comparisons)
        proven = newcombe(a, b, PROVEN_CONFIDENCE, comparisons).excludes_zero
        likely = newcombe(a, b, LIKELY_CONFIDENCE, comparisons).excludes_zero
        return interval, "proven" if proven else "likely" if likely else "not proven"
    alone = paired_difference(a, b, confidence)
    method = "paired Student" if comparisons == 1 else f"paired Student, Bonferroni over {comparisons}"
    error = float("inf") if alone.standard_error is None else alone.standard_error
    together = student_interval(alone.estimate, error, alone.n, confidence, method, comparisons)
    if kind == "share" and together.half_width == 0:
        return _never_seen(together), strength(together)
    return together, strength(together)


def same_simulation(n: int, confidence: float) -> Interval:
    """The interval of a difference that is zero by construction."""
    return Interval(0.0, 0.0, 0.0, confidence, n, "one simulation, no difference possible")


def newcombe(a: Floats, b: Floats, confidence: float, comparisons: int = 1) -> Interval:
    """Interval of the difference of two paired proportions, mean(a) - mean(b), with a and b of 0 and 1.

    Newcombe's hybrid score interval with continuity-corrected correlation (Newcombe 1998, Statistics in Medicine 17,
    2635-2650, method 10): unlike Student's it says something sensible where no year, or every year, succeeds.
    Bonferroni over ``comparisons``.
    """
    n = len(a)
    level = 1 - (1 - confidence) / comparisons
    both = float((a * b).sum())
    only_a, only_b = float(a.sum()) - both, float(b.sum()) - both
    neither = n - both - only_a - only_b
    first, second = wilson(round(a.sum()), n, level), wilson(round(b.sum()), n, level)
    product = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    excess = both * neither - only_a * only_b
    excess = max(excess - n / 2, 0.0) if excess > 0 else excess
    phi = excess / sqrt(product) if product > 0 else 0.0
    estimate = first.estimate - second.estimate
    below = _reach(first.estimate - first.low, second.high - second.estimate, phi)
    above = _reach(first.high - first.estimate, second.estimate - second.low, phi)
    low, high = max(-1.0, estimate - below), min(1.0, estimate + above)
    return Interval(estimate, low, high, confidence, n, "Newcombe paired score", None, comparisons)


def _reach(own: float, other: float, phi: float) -> float:
    return sqrt(max(own * own - 2 * phi * own * other + other * other, 0.0))


def _never_seen(interval: Interval) -> Interval:
    """Ends for a share whose difference was the same in all n years.

    At this confidence at most 1 - alpha**(1/n) of all years differ from what was seen (Clopper and Pearson's bound
    for an event that never occurred), each by no more than the distance to the far end of [-1, 1].
    """
    alpha = (1 - interval.confidence) / interval.comparisons
    reach = (1 - alpha ** (1 / interval.n)) * (1 + abs(interval.estimate))
    low, high = max(-1.0, interval.estimate - reach), min(1.0, interval.estimate + reach)
    method = "all years alike, bound on the unseen"
    return Interval(interval.estimate, low, high, interval.confidence, interval.n, method, None, interval.comparisons)
