"""Intervals that rest on the binomial distribution alone: shares of replications, and quantiles."""

from __future__ import annotations

from math import inf, isfinite

import numpy as np
from numpy.typing import ArrayLike

from scenarios.errors import InputRefused, Problem, refuse_if
from sim.interval import Floats, Interval, check_confidence, one_sample, replications


def wilson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Wilson score interval of the share ``successes / n``: honest at 0 and at n, where Student's is not.

    Raises:
        InputRefused: n < 1, or see :func:`wilson_bounds`.
    """
    if n < 1:
        raise InputRefused(Problem("share", f"{successes} of {n}", "a share needs at least one trial"))
    estimate, low, high = (float(part) for part in wilson_bounds(successes, n, confidence))
    return Interval(estimate, low, high, confidence, int(n), "Wilson")


def wilson_bounds(successes: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats, Floats]:
    """Shares ``successes / n``, broadcast together, with the ends of their Wilson intervals (Wilson 1927).

    Returns estimate, low, high. Where n is 0 nothing is known: the ends are 0 and 1 and the estimate is NaN.

    Raises:
        InputRefused: counts that are not whole numbers with 0 <= successes <= n; confidence outside (0, 1).
    """
    from scipy.special import ndtri

    check_confidence(confidence)
    hits, trials = np.broadcast_arrays(np.asarray(successes, np.float64), np.asarray(n, np.float64))
    whole = np.isfinite(trials) & (hits == np.floor(hits)) & (trials == np.floor(trials))
    valid = whole & (hits >= 0) & (hits <= trials)
    if not valid.all():
        first = int(np.argmin(valid))
        shown = f"{hits.flat[first]:g} of {trials.flat[first]:g}"
        raise InputRefused(Problem("share", shown, "must be whole numbers with 0 <= successes <= n"))
    misses = trials - hits
    square = float(ndtri((1 - confidence) / 2)) ** 2
    centre = (hits + square / 2) / (trials + square)
    spread = hits * misses / np.maximum(trials, 1)
    reach = np.sqrt(square * (spread + square / 4)) / (trials + square)
    estimate = np.divide(hits, trials, out=np.full(hits.shape, np.nan), where=trials > 0)
    # Without a hit the score interval starts exactly at 0, without a miss it ends exactly at 1; rounding must
    # not move the ends off them.
    return estimate, np.where(hits == 0, 0.0, centre - reach), np.where(misses == 0, 1.0, centre + reach)


def quantile_interval(x: ArrayLike, p: float, confidence: float = 0.95) -> Interval:
    """Interval of the p-quantile of ``x`` by order statistics, valid for any distribution.

    The estimate interpolates linearly between order statistics, and is held inside the interval in samples
    too small for that. An end is infinite, and ``method`` says so, where n is too small to bound that side.

    Raises:
        InputRefused: empty or not finite sample, p or confidence outside (0, 1).
    """
    sample = one_sample(x, "sample")
    estimate, low, high = (float(part) for part in quantile_bounds(sample, p, confidence))
    lower, upper, coverage = quantile_ranks(len(sample), p, confidence)
    if isfinite(low) and isfinite(high):
        method = f"order statistics {lower} and {upper} (covers {coverage:.4f})"
    else:
        open_ends = [name for name, end in (("lower", low), ("upper", high)) if not isfinite(end)]
        method = f"order statistics, too few replications for the {' and '.join(open_ends)} end"
    return Interval(estimate, low, high, confidence, len(sample), method)


def quantile_bounds(
    samples: ArrayLike, p: float, confidence: float = 0.95, axis: int = 0
) -> tuple[Floats, Floats, Floats]:
    """p-quantiles along ``axis`` (the replications) with the ends of their intervals: estimate, low, high.

    Raises:
        InputRefused: see :func:`quantile_interval`.
    """
    values = np.sort(replications(samples, "samples", axis), axis=0)
    count = len(values)
    lower, upper, _ = quantile_ranks(count, p, confidence)
    nothing = np.full(values.shape[1:], inf)
    low = values[lower - 1] if lower >= 1 else -nothing
    high = values[upper - 1] if upper <= count else nothing
    return np.clip(np.quantile(values, p, axis=0), low, high), low, high


def quantile_ranks(n: int, p: float, confidence: float = 0.95) -> tuple[int, int, float]:
    """Ranks l < u (from 1) of the order statistics that enclose the p-quantile, and their exact coverage.

    The number of observations below the quantile of a continuous distribution is binomial(n, p), so that the
    interval between ranks l and u covers with probability B(u - 1) - B(l - 1), B being that binomial's
    distribution function (David and Nagaraja 2003, section 7.1). The ranks are the tightest whose tails are
    at most (1 - confidence) / 2 each; l = 0 or u = n + 1 means that n is too small to bound that side. Ties
    and jumps of the distribution can only raise the coverage.

    Raises:
        InputRefused: n < 1; p or confidence outside (0, 1).
    """
    from scipy.special import bdtr

    check_confidence(confidence)
    faults = []
    if n < 1:
        faults.append(Problem("n", str(n), "must be at least 1"))
    if not 0 < p < 1:
        faults.append(Problem("p", str(p), "must lie strictly between 0 and 1", "write 0.9 for the P90"))
    refuse_if(faults)
    tail = (1 - confidence) / 2
    ranks = np.arange(1, n + 1)
    # bdtr and its reflection: each tail keeps its own digits.
    below = bdtr(ranks - 1, n, p)
    above = bdtr(n - ranks, n, 1 - p)
    lower = int(np.count_nonzero(below <= tail))
    upper = n + 1 - int(np.count_nonzero(above <= tail))
    outside = (below[lower - 1] if lower >= 1 else 0.0) + (above[upper - 1] if upper <= n else 0.0)
    return lower, upper, float(1 - outside)
