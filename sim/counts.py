"""Counts, such as a day's leads: the inverse of their distribution at one uniform number.

At a fixed uniform number a higher mean gives a count at least as high, so a higher arrival rate only appends leads
(rule R2). Only +, * and / occur, which every processor rounds alike.
"""

from __future__ import annotations

import math
from typing import Final

from sim.compile import scalar

MAX_COUNT_MEAN: Final = 1e6

_NEGLIGIBLE: Final = 2.0**-90  # of the likeliest count's probability; draws end at 2**-53


@scalar("float64(float64, float64, int64)")
def _ratio(mean: float, excess: float, k: int) -> float:
    """p(k+1) / p(k)."""
    return (mean + k * excess) / ((k + 1.0) * (1.0 + excess))


@scalar("Tuple((float64, int64, float64))(float64, float64, int64)")
def _sum_down(mean: float, excess: float, mode: int) -> tuple[float, int, float]:
    """Mass below the mode relative to the mode's, the lowest count that matters, and its mass."""
    k, mass, total = mode, 1.0, 0.0
    while k > 0 and mass > _NEGLIGIBLE:
        k -= 1
        mass /= _ratio(mean, excess, k)
        total += mass
    return total, k, mass


@scalar("Tuple((float64, int64, float64))(float64, float64, int64)")
def _sum_up(mean: float, excess: float, mode: int) -> tuple[float, int, float]:
    """Mass above the mode relative to the mode's, the highest count that matters, and its mass."""
    k, mass, total = mode, 1.0, 0.0
    while mass > _NEGLIGIBLE:
        mass *= _ratio(mean, excess, k)
        k += 1
        total += mass
    return total, k, mass


@scalar("int64(float64, float64, int64, float64, float64)")
def _search_up(mean: float, excess: float, k: int, mass: float, wanted: float) -> int:
    """The first count at which the mass up to it reaches ``wanted``."""
    reached = mass
    while reached < wanted:
        mass *= _ratio(mean, excess, k)
        k += 1
        reached += mass
    return k


@scalar("int64(float64, float64, int64, float64, float64)")
def _search_down(mean: float, excess: float, k: int, mass: float, allowed: float) -> int:
    """The first count with at most ``allowed`` mass above it."""
    above = mass
    while k > 0 and above <= allowed:
        k -= 1
        mass /= _ratio(mean, excess, k)
        above += mass
    return k


@scalar("int64(float64, float64, float64)")
def negbin_quantile(mean: float, dispersion: float, u: float) -> int:
    """The smallest k with P(N <= k) >= u for a negative binomial count; rises with ``u`` and with ``mean``.

    Probabilities follow from the likeliest count by the ratio of neighbours,
    ``p(k+1) / p(k) = (mean + k (D-1)) / ((k+1) D)``, and are summed from the tail on u's side, where
    small terms come first and nothing cancels.

    Args:
        mean: expected count, 0 to ``MAX_COUNT_MEAN``.
        dispersion: D, variance divided by mean, at least 1; 1 is Poisson.
        u: inside (0, 1).

    Raises:
        ValueError: an argument is outside its range.
    """
    if not (0.0 <= mean <= MAX_COUNT_MEAN and 1.0 <= dispersion <= MAX_COUNT_MEAN and 0.0 < u < 1.0):
        raise ValueError("0 <= mean <= 1e6, 1 <= dispersion <= 1e6 and 0 < u < 1 must hold")
    if mean == 0.0:
        return 0
    excess = dispersion - 1.0
    mode = max(math.ceil(mean - dispersion), 0)
    below, lowest, lowest_mass = _sum_down(mean, excess, mode)
    above, highest, highest_mass = _sum_up(mean, excess, mode)
    total = below + 1.0 + above
    if u < 0.5:
        return _search_up(mean, excess, lowest, lowest_mass, u * total)
    return _search_down(mean, excess, highest, highest_mass, (1.0 - u) * total)


@scalar("int64(float64, float64)")
def poisson_quantile(mean: float, u: float) -> int:
    """The smallest k with P(N <= k) >= u for a Poisson count; rises with ``u`` and with ``mean``.

    Raises:
        ValueError: as :func:`negbin_quantile`.
    """
    return negbin_quantile(mean, 1.0, u)
