"""Where the start-up transient of a steady-state run ends.

For queues and other worlds that run on for ever. A sales horizon is a terminating simulation: it starts from today's
pipeline and ends with the year, so its first months are part of the answer and nothing must be cut off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scenarios.errors import InputRefused, Problem
from sim.interval import one_sample

BATCH = 5
FEWEST_BATCHES = 10


@dataclass(frozen=True)
class WarmUp:
    """Where the start-up transient of a series ends.

    Attributes:
        observations: how many leading observations to cut off; a multiple of 5.
        settled: False when the cut would fall in the second half: the series is too short to have settled,
            and neither the cut nor the rest can be trusted.
    """

    observations: int
    settled: bool


def mser5(series: ArrayLike) -> WarmUp:
    """Warm-up truncation by MSER-5 (White 1997; White, Cobb and Spratt 2000).

    Averages the series in batches of 5 (a rest of fewer is ignored) and cuts before the batch d that
    minimises sum over i >= d of (Y_i - mean)^2 / (m - d)^2, the squared standard error of the mean of what
    remains. The last 5 batches are no candidates, because a few batches can look steady by accident.

    Args:
        series: shape [n], observations in order of time (average replications first to see the transient
            clearly).

    Raises:
        InputRefused: fewer than 50 observations, or values that are not finite.
    """
    values = one_sample(series, "series")
    count = len(values) // BATCH
    if count < FEWEST_BATCHES:
        raise InputRefused(
            Problem(
                "series",
                f"{len(values)} observations",
                f"MSER-5 needs at least {BATCH * FEWEST_BATCHES}",
                "run longer, or report by shorter periods",
            )
        )
    batches = values[: count * BATCH].reshape(count, BATCH).mean(axis=1)
    # Centred on its settled part, so that the sums of squares keep their digits.
    centred = batches - batches[count // 2 :].mean()
    kept = np.arange(count, 0, -1)
    sums = np.cumsum(centred[::-1])[::-1]
    squares = np.cumsum(np.square(centred[::-1]))[::-1]
    score = np.maximum(squares - sums**2 / kept, 0.0) / kept**2
    cut = int(np.argmin(score[: count - BATCH]))
    return WarmUp(cut * BATCH, 2 * cut <= count)
