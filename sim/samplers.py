"""Samplers: every draw becomes a value by one monotone inverse distribution function.

A larger uniform number gives a larger value, whatever the family, so common random numbers and antithetic
pairs work down to the single lead. Smooth families are read from quantile tables: the tail probability
min(u, 1 - u) is cut at each power of two, each octave into 8 equal parts (more where the quantile is steep), and
each part carries a polynomial of degree 5 through six Chebyshev-Lobatto points. Relative error at most 1e-8
wherever a value exceeds 1e-9 of the mean. The tables are built once by scipy, so no transcendental
function runs in a simulation and one code path serves all families.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scenarios.distributions import (
    Distribution,
    Empirical,
    Exponential,
    Fixed,
    Gamma,
    Lognormal,
    Triangular,
    Uniform,
    Weibull,
)
from scenarios.ticks import NEVER
from sim.compile import inlined

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Smooth = Exponential | Lognormal | Gamma | Weibull

FIXED: Final = 0
UNIFORM: Final = 1
TRIANGULAR: Final = 2
EMPIRICAL_STEP: Final = 3
EMPIRICAL_LINEAR: Final = 4
SMOOTH: Final = 5

_DEGREE: Final = 5
_WIDTH: Final = _DEGREE + 1
_OCTAVES: Final = 52  # tail probabilities from 2**-53, the smallest draw, to 2**-1
_FRACTION: Final = (1 << 52) - 1
_ONE: Final = 1023 << 52
_COARSEST: Final = 3  # 2**3 parts an octave
_TOLERANCE: Final = 2e-9  # at the points checked; leaves room for those between them


class SamplerTables(NamedTuple):
    """Distributions 0..n-1 as plain arrays; pass the whole tuple to :func:`quantile`.

    Two arrays only: numba counts references to each array of a tuple that it hands on, which takes longer than
    the sampling.

    Attributes:
        head: shape (n, 3): code of the kind, first row, and log2 of the parts of an octave (smooth) or the
            number of points (empirical).
        rows: shape (m, 6): a polynomial's coefficients, constant first, by part of an octave, lower tail then
            upper tail (smooth); a value and the probability up to it (empirical); value; low, high; low, mode,
            high.
    """

    head: Integers
    rows: Floats


def compile_distributions(distributions: Sequence[Distribution]) -> SamplerTables:
    """Tables of the distributions in their order; equal ones are stored once.

    The first table of a shape takes some milliseconds; the same shape with another mean takes none.
    """
    heads: dict[Distribution, tuple[int, int, int]] = {}
    rows = [np.empty((0, _WIDTH))]
    total = 0
    for distribution in distributions:
        if distribution not in heads:
            kind, size, block = _block(distribution)
            heads[distribution] = kind, total, size
            rows.append(block)
            total += len(block)
    head = np.array([heads[distribution] for distribution in distributions], dtype=np.int64)
    return SamplerTables(head.reshape(-1, 3), np.concatenate(rows))


def _block(distribution: Distribution) -> tuple[int, int, Floats]:
    """Kind, size and rows of one distribution."""
    match distribution:
        case Fixed():
            return FIXED, 1, _padded([distribution.value])
        case Uniform():
            return UNIFORM, 1, _padded([distribution.low, distribution.high])
        case Triangular():
            return TRIANGULAR, 1, _padded([distribution.low, distribution.mode, distribution.high])
        case Empirical():
            kind = EMPIRICAL_LINEAR if distribution.linear else EMPIRICAL_STEP
            points = distribution.knots() if distribution.linear else distribution.steps()
            return kind, len(points[0]), _padded(np.column_stack(points))
        case Exponential() | Lognormal() | Gamma() | Weibull():
            bits, unit = _unit_rows(distribution.model_copy(update={"mean": 1.0}))
            return SMOOTH, bits, unit * distribution.mean


def _padded(numbers: Sequence[float] | Floats) -> Floats:
    given = np.atleast_2d(np.asarray(numbers, dtype=np.float64))
    return np.pad(given, ((0, 0), (0, _WIDTH - given.shape[1])))


@inlined
def _smooth(rows: Floats, start: int, bits: int, u: float) -> float:
    upper = u > 0.5
    tail = 1.0 - u if upper else u
    tail = min(max(tail, 2.0**-53), 0.5 - 2.0**-54)
    pattern = np.float64(tail).view(np.int64)
    shift = 52 - bits
    row = start + (pattern >> shift) - ((1023 - 53) << bits)
    if upper:
        row += _OCTAVES << bits
    # The place within the part: its bits as those of a number in [1, 2), less 1, which is exact.
    x = np.int64(((pattern << bits) & _FRACTION) | _ONE).view(np.float64) - 1.0
    at = np.uint64(row)  # of a signed position, numba asks whether it counts from the end
    inner = rows[at, 3] + x * (rows[at, 4] + x * rows[at, 5])
    return float(rows[at, 0] + x * (rows[at, 1] + x * (rows[at, 2] + x * inner)))


@inlined
def _empirical(rows: Floats, start: int, size: int, linear: bool, u: float) -> float:
    low, high = start - 1, start + size - 1
    while high - low > 1:  # the first point that u does not exceed lies in (low, high]
        middle = (low + high) >> 1
        if rows[middle, 1] < u:
            low = middle
        else:
            high = middle
    if not linear or low < start:
        return float(rows[high, 0])
    share = (u - rows[low, 1]) / (rows[high, 1] - rows[low, 1])
    return float(min(rows[low, 0] + share * (rows[high, 0] - rows[low, 0]), rows[high, 0]))


@inlined("float64(float64, float64, float64, float64)")
def _triangular(low: float, mode: float, high: float, u: float) -> float:
    if u * (high - low) <= mode - low:
        return min(low + math.sqrt(u * (high - low) * (mode - low)), mode)
    return max(high - math.sqrt((1.0 - u) * (high - low) * (high - mode)), mode)


@inlined
def quantile(tables: SamplerTables, d: int, u: float) -> float:
    """Value of distribution ``d`` at probability ``u``, in the distribution's own unit.

    Args:
        tables: of :func:`compile_distributions`.
        d: index of the distribution; not checked.
        u: inside (0, 1); smooth families read values nearer to 0 or 1 than 2**-53 as 2**-53.
    """
    rows = tables.rows
    at = np.uint64(d)
    kind, start, size = tables.head[at, 0], tables.head[at, 1], tables.head[at, 2]
    if kind == SMOOTH:
        return _smooth(rows, start, size, u)
    if kind >= EMPIRICAL_STEP:
        return _empirical(rows, start, size, kind == EMPIRICAL_LINEAR, u)
    a, b = float(rows[start, 0]), float(rows[start, 1])
    if kind == FIXED:
        return a
    if kind == UNIFORM:
        return a + (b - a) * u
    return _triangular(a, b, float(rows[start, 2]), u)


@inlined("int64(float64, int64)")
def ticks(value: float, unit_ticks: int) -> int:
    """A duration as whole ticks: rounded once, half to even; at least 0 and at most ``NEVER``.

    Args:
        value: duration in units of ``unit_ticks`` ticks.
        unit_ticks: ticks in a unit, as ``scenarios.ticks.HOUR``.

    Raises:
        ValueError: the value is not a number.
    """
    exact = value * unit_ticks
    if math.isnan(exact):
        raise ValueError("a duration must be a number")
    if exact >= NEVER:
        return NEVER
    return int(np.rint(max(exact, 0.0)))


@lru_cache(maxsize=256)
def _unit_rows(distribution: Smooth) -> tuple[int, Floats]:
    """log2 of the parts of an octave, and the coefficients, of a distribution with mean 1."""
    bits = _COARSEST
    rows, error = _fitted(distribution, bits)
    if error > _TOLERANCE:
        # A part half as wide leaves 2**-6 of the error of a polynomial of degree 5.
        bits += math.ceil(math.log2(error / _TOLERANCE) / _WIDTH)
        rows, _ = _fitted(distribution, bits)
    rows.flags.writeable = False
    return bits, rows


def _fitted(distribution: Smooth, bits: int) -> tuple[Floats, float]:
    """Coefficients of both tails, and the largest relative error seen between the nodes."""
    row = np.arange(_OCTAVES << bits)
    left = np.ldexp(1 + (row & ((1 << bits) - 1)) / (1 << bits), (row >> bits) - 53)[:, None]
    width = np.ldexp(1.0, (row >> bits) - 53 - bits)[:, None]
    nodes, inverse = _lobatto()
    probes = np.array([0.05, 0.35, 0.95])
    tails, worst = [], 0.0
    for upper in (False, True):
        exact = distribution.tail_quantiles(left + width * nodes, upper=upper)
        # Far below any tick, powers underflow and would wiggle; there the sampler gives exact zeros.
        exact = np.where(exact.max(axis=1, keepdims=True) < 1e-30, 0.0, exact)
        rows = (exact.astype(np.longdouble) @ inverse).astype(np.float64)
        tails.append(rows)
        seen = distribution.tail_quantiles(left + width * probes, upper=upper)
        read = sum(rows[:, [power]] * probes**power for power in range(_WIDTH))
        worst = max(worst, float(np.max(np.abs(read - seen) / np.maximum(seen, 1e-9))))
    return np.concatenate(tails), worst


@lru_cache(maxsize=1)
def _lobatto() -> tuple[Floats, NDArray[np.longdouble]]:
    """Six points of [0, 1] with both ends, so that parts meet; and the matrix from values to coefficients."""
    count = _WIDTH
    nodes = 0.5 * (1 - np.array([math.cos(math.pi * i / _DEGREE) for i in range(count)]))
    powers = np.vander(nodes, increasing=True).astype(np.longdouble)
    inverse = np.linalg.inv(powers.astype(np.float64)).astype(np.longdouble)
    for _ in range(3):  # Newton's iteration for the inverse doubles the digits
        inverse = inverse @ (2 * np.eye(count, dtype=np.longdouble) - powers @ inverse)
    return nodes, inverse.T
