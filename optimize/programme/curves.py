"""Concave pieces: expected attainment from samples, training, care and their concave envelopes.

``f(u) = E[min(S, u)]`` is concave in one variable with slope P(S > u), so an expectation over samples becomes one
bounded column per quantile segment. With as many segments as samples it is the exact sample average.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scenarios import physics

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pieces:
    """A concave piecewise-linear function on ``[start, start + sum(width)]``.

    Attributes:
        start, level: first argument and the value there.
        width, slope: of each piece, slopes not rising.
        error: how far the function may differ from the one it stands for.
    """

    start: float
    level: float
    width: Floats
    slope: Floats
    error: float = 0.0


def attainment_pieces(samples: Floats, segments: int | None = None) -> Pieces:
    """f(u) = E[min(S, u)] between the least and the largest sample.

    Below the least sample the slope is 1, above the largest it is 0.

    Args:
        samples: one rep's sales, [N].
        segments: how many pieces of equal mass; None gives one per distinct sample, which is exact.
    """
    ordered = np.sort(samples)
    knots = np.unique(ordered)
    if segments is not None and len(knots) > segments + 1:
        knots = np.unique(ordered[np.round(np.linspace(0, len(ordered) - 1, segments + 1)).astype(np.int64)])
    values = _minimum_at(ordered, knots)
    if len(knots) == 1:
        return Pieces(float(knots[0]), float(values[0]), np.zeros(0), np.zeros(0))
    width = np.diff(knots)
    exact = _minimum_at(ordered, ordered)
    error = float(np.max(exact - np.interp(ordered, knots, values)))
    return Pieces(float(knots[0]), float(values[0]), width, np.diff(values) / width, max(error, 0.0))


TOGETHER = 256


@dataclass(frozen=True)
class PieceTable:
    """The pieces of many functions: those of function 0 first.

    Attributes:
        start, level, error: of each function, as in :class:`Pieces`.
        of: which function a piece belongs to; width, slope: of each piece.
    """

    start: Floats
    level: Floats
    error: Floats
    of: NDArray[np.int64]
    width: Floats
    slope: Floats


def attainment_table(samples: Floats, segments: int | None = None) -> PieceTable:
    """:func:`attainment_pieces` of every rep at once; samples [N, R]."""
    # By so many that what is worked on stays in the processor's cache.
    starts = range(0, max(samples.shape[1], 1), TOGETHER)
    parts = [_attainment_table(samples[:, at : at + TOGETHER], segments) for at in starts]
    of = [part.of + at for part, at in zip(parts, starts, strict=True)]
    names = ("start", "level", "error", "width", "slope")
    return PieceTable(of=np.concatenate(of), **{n: np.concatenate([getattr(part, n) for part in parts]) for n in names})


def _attainment_table(samples: Floats, segments: int | None) -> PieceTable:
    ordered = np.sort(np.ascontiguousarray(samples.T), axis=1)
    reps, count = ordered.shape
    above = (count - np.arange(count)) / count
    # E[min(S, s)] at each ordered sample s: the mean of all below it, and s itself for the rest.
    sums = np.cumsum(ordered, axis=1) - ordered
    exact = sums / count + above * ordered
    rank = np.arange(count)
    if segments is not None and count > segments + 1:
        rank = np.unique(np.round(np.linspace(0, count - 1, segments + 1)).astype(np.int64))
    ranks = np.broadcast_to(rank, (reps, len(rank))).copy()
    few = np.flatnonzero((np.diff(ordered, axis=1) > 0).sum(axis=1) < len(rank))
    for r in few.tolist():
        own = np.unique(ordered[r], return_index=True)[1]
        ranks[r] = np.concatenate([own, np.full(len(rank) - len(own), own[-1])])
    knots, values = np.take_along_axis(ordered, ranks, 1), np.take_along_axis(exact, ranks, 1)
    width = np.diff(knots, axis=1)
    slope = np.divide(np.diff(values, axis=1), width, out=np.zeros_like(width), where=width > 0)
    error = np.zeros(reps)
    if len(rank) < count:
        samples_in = np.diff(np.append(rank[:-1], count))
        chord = ordered - np.repeat(knots[:, :-1], samples_in, axis=1)
        chord *= np.repeat(slope, samples_in, axis=1)
        chord += np.repeat(values[:, :-1], samples_in, axis=1)
        error = np.maximum((exact - chord).max(axis=1), 0.0)
        error[few] = 0.0
    of, piece = np.nonzero(width > 0)
    return PieceTable(knots[:, 0], values[:, 0], error, of, width[of, piece], slope[of, piece])


def _minimum_at(ordered: Floats, u: Floats) -> Floats:
    count = len(ordered)
    below = np.searchsorted(ordered, u, side="right")
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    return np.asarray((sums[below] + (count - below) * u) / count)


def envelope(knots: Floats, values: Floats) -> Pieces:
    """The least concave function above the points, by pooling adjacent violators on the slopes.

    ``error`` is the largest distance between the envelope and the points: 0 where they are concave already. A plan on
    a pooled stretch is judged by the curve itself, never by the envelope.
    """
    width = np.diff(knots)
    slope = np.diff(values) / width
    pooled: list[list[float]] = []
    for w, s in zip(width.tolist(), slope.tolist(), strict=True):
        pooled.append([s, w])
        while len(pooled) > 1 and pooled[-2][0] < pooled[-1][0]:
            s2, w2 = pooled.pop()
            s1, w1 = pooled.pop()
            pooled.append([(s1 * w1 + s2 * w2) / (w1 + w2), w1 + w2])
    out_slope = np.array([s for s, _ in pooled])
    out_width = np.array([w for _, w in pooled])
    corners = knots[0] + np.concatenate([[0.0], np.cumsum(out_width)])
    heights = values[0] + np.concatenate([[0.0], np.cumsum(out_slope * out_width)])
    error = float(np.max(np.interp(knots, corners, heights) - values)) if len(knots) else 0.0
    return Pieces(float(knots[0]), float(values[0]), out_width, out_slope, max(error, 0.0))


@dataclass(frozen=True)
class CareCurve:
    """Sales of an account in a year as a function of care hours a year, minor units, at the reference owner.

    Attributes:
        form: ``elasticity`` (level, owed, elasticity, cap of the ratio), ``exponential`` (ceiling, rate) or ``adbudg``
            (low, high, shape, half, hours now).
        useful: hours beyond which more care changes nothing.
    """

    form: Literal["elasticity", "exponential", "adbudg"]
    parameters: tuple[float, ...]
    useful: float = float("inf")

    def sales(self, hours: float) -> float:
        """Sales in a year at these care hours, minor units."""
        p = self.parameters
        if self.form == "exponential":
            return physics.exponential_care(hours, p[0], p[1])
        if self.form == "adbudg":
            return physics.adbudg_care(hours, p[0], p[1], p[2], p[3], p[4])
        return p[0] * physics.care_factor(hours, p[1], p[2], p[3])


def care_pieces(sales: Callable[[float], float], knots: Floats) -> Pieces:
    """Concave pieces of a care curve through its values at the knots; S-shaped stretches get their envelope."""
    return envelope(knots, np.array([sales(float(hours)) for hours in knots]))


BENDS = 16
"""Pieces into which convex runs of a curve are cut at most, under its envelope where it is told as it is."""
STRAIGHT = 1e-5
"""Share of a curve's rise by which chords over its convex runs may lie above it."""
UNDER = 1e-4
"""Share of a curve's rise by which it lies under its envelope where the two are told apart."""


@dataclass(frozen=True)
class Stretch:
    """A curve as it is: pieces in order, each of those marked full before anything beyond it is used.

    Attributes:
        pieces: ``error`` is how far they may lie below the curve.
        full: the marked pieces.
    """

    pieces: Pieces
    full: NDArray[np.bool_]


def enveloped(sales: Callable[[float], float], knots: Floats) -> Stretch:
    """:func:`care_pieces`: slopes fall, so that nothing need be full before something else."""
    pieces = care_pieces(sales, knots)
    return Stretch(pieces, np.zeros(len(pieces.width), dtype=np.bool_))


def as_it_is(sales: Callable[[float], float], knots: Floats, *, above: bool = False) -> Stretch:
    """Pieces that follow a curve where it lies under its envelope: S-shaped ones are not concave there.

    Only pieces before steeper ones need be full before anything beyond: of falling slopes the steeper comes first.

    Args:
        above: raise the pieces, each by what it misses, until they lie nowhere below the curve: what is bounded by
            them needs no allowance for where they miss most, but only for where the solution lies.
    """
    values = np.array([sales(float(hours)) for hours in knots])
    top = envelope(knots, values)
    # Relative to what is cut: the hours of an account that is owed no care end at next to nothing.
    near = 1e-12 * float(knots[-1] - knots[0])
    corners = np.searchsorted(knots, top.start + np.concatenate([[0.0], np.cumsum(top.width)]) - near)
    corners[-1] = len(knots) - 1
    rise = max(float(np.ptp(values)), 1e-12)
    kept = [0]
    ordered = []
    for begin, end in pairwise(corners.tolist()):
        chord = np.interp(knots[begin : end + 1], knots[[begin, end]], values[[begin, end]])
        under = float(np.max(chord - values[begin : end + 1])) > UNDER * rise
        inner = _followed(knots, values, begin, end, STRAIGHT * rise) if under else [end]
        slope = np.diff(values[[kept[-1], *inner]]) / np.diff(knots[[kept[-1], *inner]])
        steepest = np.maximum.accumulate(slope[::-1])[::-1]
        kept += inner
        ordered += [*(slope[:-1] < steepest[1:]).tolist(), False]
    at, height, full = knots[kept], values[kept], np.array(ordered, dtype=np.bool_)
    fine = np.unique(np.concatenate([np.linspace(a, b, 17) for a, b in pairwise(knots)]))
    below = np.array([sales(float(hours)) for hours in fine]) - np.interp(fine, at, height)
    # A cut sixteen times finer misses the largest distance by less than a hundredth.
    error = 1.01 * max(float(below.max()), 0.0)
    if above:
        missed = np.zeros(len(full))
        np.maximum.at(missed, np.clip(np.searchsorted(at, fine, side="right") - 1, 0, len(full) - 1), 1.01 * below)
        at, height, full = _raised(at, height, full, missed)
        error = 0.0
    width = np.diff(at)
    return Stretch(Pieces(float(at[0]), float(height[0]), width, np.diff(height) / width, error), full)


def _raised(
    at: Floats, height: Floats, full: NDArray[np.bool_], missed: Floats
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Points of pieces raised by what the pieces beside them miss; runs without order stay concave, by pooling."""
    height = height + np.maximum(np.append(missed, 0.0), np.append(0.0, missed))
    kept = np.ones(len(at), dtype=np.bool_)
    begin = 0
    while begin < len(full):
        end = begin + 1
        if not full[begin]:
            while end < len(full) and not full[end]:
                end += 1
            top = envelope(at[begin : end + 1], height[begin : end + 1])
            corners = top.start + np.cumsum(top.width)
            kept[begin + 1 : end] = False
            kept[np.searchsorted(at, corners[:-1] - 1e-12 * at[-1])] = True
        begin = end
    return at[kept], height[kept], full[np.flatnonzero(kept[1:])]


def _followed(knots: Floats, values: Floats, begin: int, end: int, above: float) -> list[int]:
    """The knots after ``begin`` up to ``end`` that follow a curve: all but of convex runs, where it bends most."""
    slope = np.diff(values[begin : end + 1]) / np.diff(knots[begin : end + 1])
    rising = slope[:-1] < np.maximum.accumulate(slope[::-1])[::-1][1:]
    convex = begin + np.flatnonzero(rising) + 1
    kept = np.ones(len(values), dtype=np.bool_)
    kept[convex[:-1]] = False  # the last of them is where the curve turns
    for _ in range(BENDS):
        at = np.flatnonzero(kept)
        over = np.interp(knots, knots[at], values[at]) - values
        worst = begin + int(np.argmax(over[begin : end + 1]))
        if over[worst] <= above:
            break
        kept[worst] = True
    return (begin + 1 + np.flatnonzero(kept[begin + 1 : end + 1])).tolist()


def chord_error(sales: Callable[[float], float], knots: Floats) -> float:
    """How far pieces through these knots may lie below the curve's concave envelope (by a sixteenfold finer cut)."""
    fine = np.unique(np.concatenate([np.linspace(a, b, 17) for a, b in pairwise(knots)]))
    exact, coarse = care_pieces(sales, fine), care_pieces(sales, knots)
    at = [piece.start + np.concatenate([[0.0], np.cumsum(piece.width)]) for piece in (exact, coarse)]
    up = [piece.level + np.concatenate([[0.0], np.cumsum(piece.slope * piece.width)]) for piece in (exact, coarse)]
    return float(np.max(np.interp(fine, at[0], up[0]) - np.interp(fine, at[1], up[1]), initial=0.0))


def zoom(knots: Floats, around: float, pieces: int) -> Floats:
    """Knots with the neighbourhood of ``around`` cut finer; the ends and the outer knots stay."""
    at = int(np.searchsorted(knots, around))
    low, high = knots[max(at - 2, 0)], knots[min(at + 1, len(knots) - 1)]
    return np.unique(np.concatenate([knots, np.linspace(low, high, pieces + 1)]))
