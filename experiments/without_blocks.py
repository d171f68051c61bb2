"""Intervals of figures that exist only over all years at once: leave out one block of years at a time.

The delete-a-group jackknife (Shao and Tu 1995, The Jackknife and Bootstrap, section 2.3). Years are independent, so
blocks of neighbours are as good as any.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray

from sim.interval import Interval, student_interval

BLOCKS = 20
"""Blocks that are left out in turn."""

Years = NDArray[np.int64]


def leave_blocks_out(
    value: Callable[[Years], float], years: int, confidence: float = 0.95, comparisons: int = 1
) -> Interval:
    """The figure over all years with its interval; infinite ends for fewer than two years.

    Args:
        value: the figure over the years whose positions it is given.
        comparisons: intervals that hold together (Bonferroni).
    """
    everything = np.arange(years)
    whole = value(everything)
    blocks = np.array_split(everything, min(BLOCKS, years))
    count = len(blocks)
    method = f"jackknife, {count} blocks of years"
    if count < 2:
        return student_interval(whole, inf, years, confidence, method, comparisons)
    without = np.array([value(np.delete(everything, block)) for block in blocks])
    error = sqrt((count - 1) / count * float(np.square(without - without.mean()).sum()))
    found = student_interval(whole, error, count, confidence, method, comparisons)
    return Interval(found.estimate, found.low, found.high, confidence, years, method, error, comparisons)
