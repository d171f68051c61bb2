"""Working time: intervals in which somebody works, and the conversions between work and the clock.

An interval is half-open, [open, close) in ticks. A list of intervals is sorted, disjoint and never touches or
holds an empty one: a closed day has no interval, since one of length zero would let work begin in it. A rep's
effort is worked inside the rep's intervals, a customer's delay and patience inside the customer's; both use the
functions below. Work may end exactly when the interval closes; the next work then starts at the next opening.

Two layers: interval lists as arrays of shape (n, 2) with set operations (:func:`from_intervals` and the
functions after it), and compiled conversions on the three columns of a :class:`WorkClock`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import Problem, refuse_if
from scenarios.ticks import NEVER
from sim.compile import scalar

Ticks = NDArray[np.int64]
Inside = NDArray[np.bool_]
Intervals = NDArray[np.int64]
"""Shape (n, 2): opening and closing tick of sorted, disjoint, non-empty, non-touching intervals."""

ALWAYS: Final[Intervals] = np.array([[-NEVER, NEVER]], dtype=np.int64)
"""The clock of whoever never closes."""
ALWAYS.flags.writeable = False


class WorkClock(NamedTuple):
    """One interval list as columns of length n, in ticks: what the compiled functions take."""

    opens: Ticks
    closes: Ticks
    cum: Ticks  # work before each opening


class WorkClocks(NamedTuple):
    """Many interval lists end to end; equal lists are stored once.

    List c is ``opens[first[c]:last[c]]`` and likewise for ``closes`` and ``cum``; see :meth:`clock`.
    """

    first: Ticks
    last: Ticks
    opens: Ticks
    closes: Ticks
    cum: Ticks

    def clock(self, c: int) -> WorkClock:
        """List ``c`` as views into the columns."""
        here = slice(int(self.first[c]), int(self.last[c]))
        return WorkClock(self.opens[here], self.closes[here], self.cum[here])


def from_intervals(pairs: Iterable[tuple[int, int]] | Intervals) -> Intervals:
    """The interval list that covers the same ticks: sorted, joined where they touch, without empty ones.

    Raises:
        InputRefused: an interval closes before it opens, or lies beyond ``NEVER``.
    """
    given = np.array(pairs if isinstance(pairs, np.ndarray) else list(pairs), dtype=np.int64).reshape(-1, 2)
    opens, closes = given[:, 0], given[:, 1]
    wrong = np.flatnonzero((opens < -NEVER) | (opens > closes) | (closes > NEVER))
    refuse_if(
        Problem(f"intervals[{row}]", f"[{opens[row]}, {closes[row]})", "-NEVER <= open <= close <= NEVER must hold")
        for row in wrong.tolist()
    )
    given = given[given[:, 0] < given[:, 1]]
    given = given[np.argsort(given[:, 0], kind="stable")]
    if not len(given):
        return given
    reach = np.maximum.accumulate(given[:, 1])
    begins = np.append(True, given[1:, 0] > reach[:-1])
    ends = np.append(begins[1:], True)
    return np.column_stack([given[begins, 0], reach[ends]])


def union(a: Intervals, b: Intervals) -> Intervals:
    """Ticks in ``a`` or ``b``; both are interval lists."""
    return _combined(a, b, np.logical_or)


def intersect(a: Intervals, b: Intervals) -> Intervals:
    """Ticks in ``a`` and ``b``; both are interval lists."""
    return _combined(a, b, np.logical_and)


def subtract(intervals: Intervals, blocks: Intervals) -> Intervals:
    """Ticks in ``intervals`` that are not in ``blocks`` (leave, training, holidays); both are interval lists."""
    return _combined(intervals, blocks, lambda inside, blocked: inside & ~blocked)


def clock(intervals: Intervals) -> WorkClock:
    """Columns of one interval list."""
    opens = np.ascontiguousarray(intervals[:, 0])
    closes = np.ascontiguousarray(intervals[:, 1])
    length = closes - opens
    return WorkClock(opens, closes, np.cumsum(length) - length)


def flatten(lists: Sequence[Intervals]) -> WorkClocks:
    """Columns of many interval lists; thousands of reps who share hours share their storage."""
    places: dict[bytes, tuple[int, int]] = {}
    kept = [clock(np.empty((0, 2), dtype=np.int64))]
    bounds = []
    total = 0
    for intervals in lists:
        content = intervals.tobytes()
        if content not in places:
            places[content] = (total, total + len(intervals))
            total += len(intervals)
            kept.append(clock(intervals))
        bounds.append(places[content])
    edges = np.array(bounds, dtype=np.int64).reshape(-1, 2)
    opens, closes, cum = (np.concatenate(column) for column in zip(*kept, strict=True))
    return WorkClocks(edges[:, 0].copy(), edges[:, 1].copy(), opens, closes, cum)


@scalar
def interval_at(closes: Ticks, t: int, hint: int = 0) -> int:
    """Index of the first interval that closes after ``t``; n where there is none.

    Args:
        closes: closing ticks, ascending.
        t: a tick.
        hint: an index to search outward from. The last answer is a good hint where time advances; any integer
            gives the same answer.
    """
    n = len(closes)
    low = min(max(hint, 0), n)
    step = 1
    if low == n or closes[low] > t:
        high = low
        low -= 1
        while low >= 0 and closes[low] > t:
            high = low
            low -= step
            step *= 2
        low = max(low, -1)
    else:
        high = low + 1
        while high < n and closes[high] <= t:
            low = high
            high += step
            step *= 2
        high = min(high, n)
    while high - low > 1:
        middle = (low + high) >> 1
        if closes[middle] > t:
            high = middle
        else:
            low = middle
    return high


@scalar
def next_open(opens: Ticks, closes: Ticks, t: int, hint: int = 0) -> int:
    """The first open tick at or after ``t``; ``NEVER`` where no opening is left. ``hint``: :func:`interval_at`."""
    i = interval_at(closes, t, hint)
    if i == len(closes):
        return NEVER
    return int(max(t, opens[i]))


@scalar
def add_work(opens: Ticks, closes: Ticks, cum: Ticks, t: int, work: int, hint: int = 0) -> int:
    """When ``work`` ticks of work end that begin at the first open tick at or after ``t``.

    The earliest such time: work that fills an interval ends as it closes. No work ends where it begins.

    Args:
        opens, closes, cum: columns of a :class:`WorkClock`.
        t: a tick, open or not.
        work: ticks of work, 0 to ``NEVER``.
        hint: see :func:`interval_at`.

    Returns:
        A tick, or ``NEVER`` where the intervals run out.

    Raises:
        ValueError: ``work`` is outside its range.
    """
    if work < 0 or work > NEVER:
        raise ValueError("0 <= work <= NEVER must hold")
    n = len(closes)
    i = interval_at(closes, t, hint)
    if i == n:
        return NEVER
    target = cum[i] + max(t - opens[i], 0) + work
    j = _interval_of_work(cum, target, i)
    end = opens[j] + (target - cum[j])
    return end if end <= closes[j] else NEVER


@scalar
def work_between(opens: Ticks, closes: Ticks, cum: Ticks, a: int, b: int, hint: int = 0) -> int:
    """Ticks of work from ``a`` to ``b``; negative where ``b`` comes first. Columns of a :class:`WorkClock`."""
    return _work_before(opens, closes, cum, b, hint) - _work_before(opens, closes, cum, a, hint)


@scalar
def _work_before(opens: Ticks, closes: Ticks, cum: Ticks, t: int, hint: int) -> int:
    n = len(closes)
    i = interval_at(closes, t, hint)
    if i < n:
        return int(cum[i] + max(t - opens[i], 0))
    return int(cum[n - 1] + closes[n - 1] - opens[n - 1]) if n > 0 else 0


@scalar
def _interval_of_work(cum: Ticks, target: int, i: int) -> int:
    """The last interval from ``i`` on before which less than ``target`` is done; ``i`` itself where none is."""
    n = len(cum)
    step = 1
    low = i
    high = i + 1
    while high < n and cum[high] < target:
        low = high
        high += step
        step *= 2
    high = min(high, n)
    while high - low > 1:
        middle = (low + high) >> 1
        if cum[middle] < target:
            low = middle
        else:
            high = middle
    return low


def _combined(a: Intervals, b: Intervals, keep: Callable[[Inside, Inside], Inside]) -> Intervals:
    # Edges may come twice: what lies between the two is empty and falls out below.
    edges = np.sort(np.concatenate([a.ravel(), b.ravel()]))
    begins, ends = edges[:-1], edges[1:]
    kept = keep(_inside(a, begins), _inside(b, begins))
    return from_intervals(np.column_stack([begins[kept], ends[kept]]))


def _inside(intervals: Intervals, t: Ticks) -> Inside:
    opened = np.searchsorted(intervals[:, 0], t, side="right")
    closed = np.searchsorted(intervals[:, 1], t, side="right")
    return opened > closed
