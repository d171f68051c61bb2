"""Where along one number something first moves as far as asked for, and how far it can be moved at all.

What is searched is known only by asking: a value of the number gives how far the thing moves there, or None where there
is nothing. Two ways lead outwards from the present value, each a list of places. Between neighbouring places the search
takes what it asks about to rise, fall, stay or turn once, and to begin or to cease once; what comes and goes between
two places is not seen. Ends of what there is, turns and crossings are then found to a millionth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from math import sqrt

_HALVINGS = 60
CLOSE = 1e-6
"""Relative width at which a search ends."""
STILL = 1e-12
"""A move that is none."""
_INWARD = 1e-3
"""Share of a piece by which its end is left to see whether the thing turns before it."""
_GOLDEN = (sqrt(5) - 1) / 2

Point = tuple[float, float]
"""A value of the number, and how far the thing moves there."""
Piece = tuple[Point, Point]
"""Two values between which there is something, the nearer one first."""


@dataclass
class Line:
    """How far something moves along one number; each value is asked for once.

    Attributes:
        moved: how far it moves at a value; None where there is nothing.
    """

    moved: Callable[[float], float | None]
    _known: dict[float, float | None] = field(default_factory=dict)

    def at(self, value: float) -> float | None:
        """How far it moves there, remembered."""
        if value not in self._known:
            self._known[value] = self.moved(value)
        return self._known[value]

    def pieces(self, places: Sequence[float]) -> Iterator[Piece]:
        """Pieces between neighbouring places in which there is something, cut off where it ceases or begins."""
        for before, after in pairwise(places):
            first, last = self.at(before), self.at(after)
            if first is not None and last is not None:
                yield (before, first), (after, last)
            elif first is not None:
                yield (before, first), self._edge(before, after)
            elif last is not None:
                yield self._edge(after, before), (after, last)

    def _edge(self, inside: float, outside: float) -> Point:
        """The last value at which there is something, between one where there is and one where there is not."""
        value = _narrowed(inside, outside, lambda tried: self.at(tried) is not None)
        return value, self.at(value) or 0.0


def nearest(line: Line, share: float, now: float, ways: Sequence[Sequence[float]]) -> tuple[float, float, bool] | None:
    """The value nearest to the present one at which something has moved by ``share``.

    Args:
        share: how far, with its sign.
        ways: places outwards from ``now``, one list each way, the nearest first.

    Returns:
        The value, how far it moves there, and whether that is enough; where it is not, the value that moves it most.
        None where nothing moves it this way at all.
    """
    crossings: list[Point] = []
    best: Point | None = None
    for way in ways:
        found = _along(line, share, [now, *way])
        if found is None:
            continue
        if (found[1] - share) * share >= 0:
            crossings.append(found)
        elif best is None or abs(found[1]) > abs(best[1]):
            best = found
    if crossings:
        return (*min(crossings, key=lambda found: abs(found[0] - now)), True)
    return None if best is None else (*best, False)


def _along(line: Line, share: float, places: Sequence[float]) -> Point | None:
    """The first point of one way that is enough, else the one that moves furthest; None where none moves at all."""
    sign = 1.0 if share > 0 else -1.0
    best: Point | None = None
    before: Piece | None = None
    for piece in chain(line.pieces(places), (None,)):
        for short, tried in _candidates(line, sign, before, piece):
            if (tried[1] - share) * share >= 0:
                return _first(line, share, short, tried)
            if tried[1] * sign > STILL and (best is None or tried[1] * sign > best[1] * sign):
                best = tried
        before = piece
    return best


def _candidates(line: Line, sign: float, before: Piece | None, piece: Piece | None) -> Iterator[tuple[float, Point]]:
    """Where it may move furthest up to the end of the next piece, each with a nearer value that moves it less.

    These are turns, in a piece that ends or between two that meet, and ends of pieces.
    """
    joined = before is not None and piece is not None and before[1] == piece[0]
    if before is not None and piece is not None and joined:
        low, middle, high = (point[1] * sign for point in (before[0], before[1], piece[1]))
        if abs(middle - high) <= STILL < middle - low:
            # As high at both ends: it stays, or it turns half-way.
            between = line.at((piece[0][0] + piece[1][0]) / 2)
            high = middle if between is None else 2 * middle - between * sign
        if middle > low + STILL and middle > high + STILL:
            yield before[0][0], _turn(line, sign, before[0][0], piece[1][0])
    elif before is not None:
        (start, _), (end, moves) = before
        short = line.at(end + _INWARD * (start - end))
        if short is not None and short * sign > moves * sign + STILL:
            yield start, _turn(line, sign, start, end)
    if piece is not None:
        yield piece[0][0], piece[0]
        yield piece[0][0], piece[1]


def _turn(line: Line, sign: float, start: float, end: float) -> Point:
    """The point between two values that moves furthest, where it turns once between them (golden section)."""

    def worth(value: float) -> float:
        moves = line.at(value)
        return float("-inf") if moves is None else moves * sign

    one, other = end - _GOLDEN * (end - start), start + _GOLDEN * (end - start)
    for _ in range(_HALVINGS):
        if _close(start, end):
            break
        if worth(one) >= worth(other):
            end, other = other, one
            one = end - _GOLDEN * (end - start)
        else:
            start, one = one, other
            other = start + _GOLDEN * (end - start)
    value = max((start, one, other, end), key=worth)
    return value, line.at(value) or 0.0


def _first(line: Line, share: float, short: float, enough: Point) -> Point:
    """The first value that is enough, between one that is not, or is this one, and one that is."""

    def suffices(value: float) -> bool:
        moves = line.at(value)
        return moves is not None and (moves - share) * share >= 0

    value = _narrowed(enough[0], short, suffices)
    return value, line.at(value) or 0.0


def _narrowed(holds: float, fails: float, test: Callable[[float], bool]) -> float:
    """The value nearest to one that fails a test at which it holds; both ends are known."""
    for _ in range(_HALVINGS):
        if _close(holds, fails):
            break
        middle = (holds + fails) / 2
        if test(middle):
            holds = middle
        else:
            fails = middle
    return holds


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= CLOSE * max(abs(one), 1e-3)
