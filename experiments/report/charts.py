"""Geometry of the drawings of a report: numbers in, positions in a box of 100 units out; the templates draw."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

BOX = 100.0
_MARGIN = 2.0
_CUT = 1.0


@dataclass(frozen=True)
class Bar:
    """A horizontal bar with an optional whisker, all in units of the box.

    Attributes:
        left, width: of the bar.
        mark: where a tick stands (the mean), or None.
        whisker: left and right end of an interval, or None.
    """

    left: float
    width: float
    mark: float | None = None
    whisker: tuple[float, float] | None = None


@dataclass(frozen=True)
class Axis:
    """A linear scale from amounts to the box."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Where a value stands, held inside the box."""
        span = self.high - self.low
        inside = min(max(value, self.low), self.high)
        return round(_MARGIN + (BOX - 2 * _MARGIN) * ((inside - self.low) / span if span > 0 else 0.5), 2)

    def bar(self, start: float, stop: float, *, whisker: tuple[float, float] | None = None) -> Bar:
        """From one value to another, in whatever order."""
        left, right = sorted((self.at(start), self.at(stop)))
        ends = None if whisker is None else (self.at(whisker[0]), self.at(whisker[1]))
        return Bar(left, round(right - left, 2), whisker=ends)


def axis_around_zero(*values: float) -> Axis:
    """An axis that holds zero and every finite value."""
    finite = [value for value in values if isfinite(value)]
    return Axis(min(0.0, *finite), max(0.0, *finite))


def waterfall(steps: tuple[tuple[str, int], ...]) -> list[Bar]:
    """One bar a step from where the last one ended, and a last bar for the sum.

    The axis is cut off below the steps, so that small ones can be seen beside a large first one; where a level
    passes through zero it is not cut.
    """
    levels = [0]
    for _, value in steps:
        levels.append(levels[-1] + value)
    low, high = min(levels[1:]), max(levels[1:])
    cut = max(low - _CUT * (high - low), 0) if low > 0 else low
    axis = Axis(cut, high) if high > 0 else axis_around_zero(*levels)
    bars = [axis.bar(before, after) for before, after in pairwise(levels)]
    return [*bars, axis.bar(0, levels[-1])]
