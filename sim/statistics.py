"""Which interval belongs to which figure, and the Student intervals among them.

A replication is one simulated horizon; replications are independent of each other, what happens inside one is
not. So every function takes *one number a replication*, never one a lead or a rep.

==================================  ===========================================================
figure                              interval
==================================  ===========================================================
mean over replications              :func:`mean_interval`, Student
difference between two plans        :func:`paired_difference`, Student on common random numbers
several differences shown together  :func:`simultaneous`, Bonferroni
ratio of two means                  :func:`ratio_of_means_interval`, jackknife
share of replications, probability  :func:`wilson`
mean of shares, other bounded ones  :func:`held_within`, Student on the scale of log-odds
quantile (an end of a year range)   :func:`quantile_interval`, order statistics, distribution-free
==================================  ===========================================================

What cannot be inferred from so few replications gets an infinite end and a ``method`` that says so; empty
samples and values that are not finite are refused. Functions named ``*_bounds`` take many samples at once.
"""

from __future__ import annotations

from math import inf

import numpy as np
from numpy.typing import ArrayLike

from scenarios.errors import InputRefused, Problem
from sim.binomial import quantile_bounds, quantile_interval, quantile_ranks, wilson, wilson_bounds
from sim.interval import (
    Floats,
    Interval,
    Strength,
    check_confidence,
    held_within,
    one_pair,
    one_sample,
    replications,
    strength,
    student_interval,
    student_quantile,
)
from sim.precision import replications_needed, variance_ratio
from sim.warmup import WarmUp, mser5

__all__ = [
    "Interval",
    "Strength",
    "WarmUp",
    "held_within",
    "mean_bounds",
    "mean_interval",
    "mser5",
    "paired_difference",
    "quantile_bounds",
    "quantile_interval",
    "quantile_ranks",
    "ratio_of_means_bounds",
    "ratio_of_means_interval",
    "replications_needed",
    "simultaneous",
    "strength",
    "variance_ratio",
    "wilson",
    "wilson_bounds",
]

TOO_FEW = "too few replications"


def mean_interval(x: ArrayLike, confidence: float = 0.95) -> Interval:
    """Student interval of the mean of ``x``, one value a replication.

    Fewer than two replications give infinite ends. The interval tells how well the *mean* is known and
    shrinks with replications; the range in which a year falls is a pair of quantiles and does not.

    Raises:
        InputRefused: no replications, values that are not finite, a confidence outside (0, 1).
    """
    return _mean_interval(one_sample(x, "sample"), confidence, "Student")


def mean_bounds(samples: ArrayLike, confidence: float = 0.95, axis: int = 0) -> tuple[Floats, Floats, Floats]:
    """Means along ``axis`` (the replications) with the ends of their Student intervals: estimate, low, high.

    Each interval holds at ``confidence`` alone, not all of them together. Infinite ends where n < 2.

    Raises:
        InputRefused: see :func:`mean_interval`.
    """
    values = replications(samples, "samples", axis)
    check_confidence(confidence)
    estimate, error = values.mean(axis=0), _standard_error(values)
    reach = student_quantile(confidence, len(values) - 1) * error if len(values) > 1 else error
    return estimate, estimate - reach, estimate + reach


def paired_difference(a: ArrayLike, b: ArrayLike, confidence: float = 0.95) -> Interval:
    """Student interval of mean(a - b), where ``a[i]`` and ``b[i]`` share replication i's random numbers.

    Positive means that ``a`` is larger. Both have shape [n].

    Raises:
        InputRefused: lengths differ, or see :func:`mean_interval`.
    """
    first, second = one_pair(a, b, "paired samples")
    return _mean_interval(first - second, confidence, "paired Student")


def simultaneous(differences: ArrayLike, confidence: float = 0.95) -> tuple[Interval, ...]:
    """Intervals for k paired differences that *all* hold at ``confidence``.

    Bonferroni: each is a Student interval at level 1 - (1 - confidence) / k. This needs no assumption on how the
    differences depend on each other, which under common random numbers is strongly; it is then somewhat too
    wide, never too narrow.

    Args:
        differences: shape [n, k], one row a replication, one column a comparison.

    Raises:
        InputRefused: not two-dimensional, no columns, or see :func:`mean_interval`.
    """
    values = replications(differences, "differences")
    if values.ndim != 2 or values.shape[1] == 0:
        raise InputRefused(
            Problem("differences", f"shape {values.shape}", "must be replications x comparisons, one or more each")
        )
    comparisons = values.shape[1]
    method = "paired Student" if comparisons == 1 else f"paired Student, Bonferroni over {comparisons}"
    return tuple(_mean_interval(column, confidence, method, comparisons) for column in values.T)


def ratio_of_means_interval(num: ArrayLike, den: ArrayLike, confidence: float = 0.95) -> Interval:
    """Interval of mean(num) / mean(den), both one value a replication, by the jackknife (Miller 1974).

    The estimate is the ratio of the sums, so that it ties with the totals on a page; the standard error comes
    from leaving out one replication at a time, with Student's n - 1 degrees of freedom.

    Raises:
        InputRefused: a negative denominator (a ratio of differences has no such interval), all of them zero,
            lengths that differ, or see :func:`mean_interval`.
    """
    above, below = one_pair(num, den, "ratio")
    if np.any(below < 0) or not np.any(below > 0):
        raise InputRefused(
            Problem(
                "ratio",
                f"denominators from {below.min():g} to {below.max():g}",
                "denominators must not be negative, nor all zero",
                "show the two means apart, each with its own interval",
            )
        )
    count, total, whole = len(above), float(above.sum()), float(below.sum())
    if np.count_nonzero(below) < 2:
        return student_interval(total / whole, inf, count, confidence, f"jackknife ratio, {TOO_FEW}")
    without = (total - above) / (whole - below)
    error = np.sqrt((count - 1) / count * np.square(without - without.mean()).sum())
    return student_interval(total / whole, float(error), count, confidence, "jackknife ratio")


def ratio_of_means_bounds(num: ArrayLike, den: ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats, Floats]:
    """:func:`ratio_of_means_interval` of each column, shape [n, k] both: estimate, low, high.

    Each interval holds at ``confidence`` alone, not all of them together.

    Raises:
        InputRefused: shapes differ, a column of denominators is negative somewhere or zero throughout, or see
            :func:`mean_interval`.
    """
    above, below = replications(num, "ratio"), replications(den, "ratio")
    check_confidence(confidence)
    if above.shape != below.shape or (below < 0).any() or not (below > 0).any(axis=0).all():
        rule = "needs denominators of the same shape, not negative, and not all zero in any column"
        raise InputRefused(Problem("ratio", f"shapes {above.shape} and {below.shape}", rule))
    count, total, whole = len(above), above.sum(axis=0), below.sum(axis=0)
    alone = np.count_nonzero(below, axis=0) < 2
    without = (total - above) / np.where(alone, 1.0, whole - below)
    error = np.sqrt((count - 1) / count * np.square(without - without.mean(axis=0)).sum(axis=0))
    error = np.where(alone, inf, error)
    reach = student_quantile(confidence, count - 1) * error if count > 1 else error
    estimate = total / whole
    return estimate, estimate - reach, estimate + reach


def _mean_interval(sample: Floats, confidence: float, method: str, comparisons: int = 1) -> Interval:
    count = len(sample)
    check_confidence(confidence)
    described = method if count > 1 else f"{method}, {TOO_FEW}"
    error = float(_standard_error(sample))
    return student_interval(float(sample.mean()), error, count, confidence, described, comparisons)


def _standard_error(values: Floats) -> Floats:
    """Of the mean along the first axis; infinite where one replication says nothing about the spread."""
    count = len(values)
    if count < 2:
        return np.full(values.shape[1:], inf)
    return np.asarray(values.std(axis=0, ddof=1) / np.sqrt(count))
