"""How much better or worse the worst-off fares under one plan than under another, where it is not sure who that is.

The smallest of several means is no smooth figure: where two people fare almost alike, the sample decides which of them
is the worst-off, and an interval that takes that for settled is far too narrow. So half of the error allowed is spent
on the question who may be the worst-off (all whose mean is not proven above the smallest, by paired Student intervals
with Bonferroni's correction), half on the paired difference; the interval spans every pair of people who may be it. If
both answers hold, the true difference is inside.
"""

from __future__ import annotations

from math import isfinite

import numpy as np
from numpy.typing import NDArray

from experiments.measures import Floats
from experiments.pairs import difference
from sim.interval import Interval, student_interval
from sim.statistics import paired_difference

METHOD = "span over all who may be the worst-off"


def least_mean_difference(first: Floats, second: Floats, confidence: float = 0.95, comparisons: int = 1) -> Interval:
    """Smallest mean of the first less smallest mean of the second, with an interval that holds for either worst-off.

    Args:
        first: shares in [0, 1], ``[years, people]``.
        second: the same years under another plan; other people are allowed.
        comparisons: intervals that hold together (Bonferroni).
    """
    estimate = float(first.mean(axis=0).min() - second.mean(axis=0).min())
    spans = [
        difference(first[:, a], second[:, b], "share", confidence, 2 * comparisons)[0]
        for a in may_be_least(first, confidence, comparisons)
        for b in may_be_least(second, confidence, comparisons)
    ]
    low, high = min(span.low for span in spans), max(span.high for span in spans)
    return Interval(estimate, low, high, confidence, len(first), METHOD, None, comparisons)


def may_be_least(values: Floats, confidence: float, comparisons: int) -> NDArray[np.intp]:
    """Columns whose mean is not proven above the smallest; a quarter of the error is spent on it."""
    people = values.shape[1]
    least = int(values.mean(axis=0).argmin())
    kept = [least]
    for column in range(people):
        if column == least:
            continue
        above = paired_difference(values[:, column], values[:, least], confidence)
        error = float("inf") if above.standard_error is None else above.standard_error
        # One-sided, so that half of a two-sided interval's error would do; the other half is left unused.
        tests = 4 * comparisons * (people - 1)
        apart = student_interval(above.estimate, error, above.n, confidence, METHOD, tests)
        if not isfinite(apart.low) or apart.low <= 0:
            kept.append(column)
    return np.array(sorted(kept))
