"""Working time against a brute-force clock that ticks one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.errors import InputRefused
from scenarios.ticks import DAY, HOUR, NEVER
from sim.worktime import (
    ALWAYS,
    Intervals,
    add_work,
    clock,
    flatten,
    from_intervals,
    intersect,
    interval_at,
    next_open,
    subtract,
    union,
    work_between,
)

END = 60
TIME = st.integers(-5, END + 5)
PAIRS = st.lists(st.tuples(st.integers(0, END), st.integers(0, 8)).map(lambda p: (p[0], min(p[0] + p[1], END))))


def ticks_in(pairs: object) -> set[int]:
    return {t for opens, closes in np.asarray(pairs).reshape(-1, 2).tolist() for t in range(opens, closes)}


def assert_canonical(intervals: Intervals) -> None:
    edges = intervals.ravel()
    assert intervals.dtype == np.int64
    assert intervals.shape == (len(intervals), 2)
    assert (np.diff(edges) > 0).all()  # sorted, none empty, none touching


@settings(deadline=None)  # the first call may compile or import
@given(PAIRS)
def test_an_interval_list_covers_what_was_given(pairs: list[tuple[int, int]]) -> None:
    found = from_intervals(pairs)
    assert_canonical(found)
    assert ticks_in(found) == ticks_in(pairs)
    assert np.array_equal(from_intervals(found), found)


@settings(deadline=None)  # the first call may compile or import
@given(PAIRS, PAIRS)
def test_set_operations_are_those_of_sets(a: list[tuple[int, int]], b: list[tuple[int, int]]) -> None:
    one, two = from_intervals(a), from_intervals(b)
    for found, wanted in (
        (union(one, two), ticks_in(a) | ticks_in(b)),
        (intersect(one, two), ticks_in(a) & ticks_in(b)),
        (subtract(one, two), ticks_in(a) - ticks_in(b)),
    ):
        assert_canonical(found)
        assert ticks_in(found) == wanted


@settings(deadline=None)  # the first call may compile or import
@given(PAIRS, TIME, st.integers(0, 20), st.integers(-3, 40))
def test_work_is_done_in_open_ticks_only(pairs: list[tuple[int, int]], t: int, work: int, hint: int) -> None:
    intervals = from_intervals(pairs)
    opens, closes, cum = clock(intervals)
    ahead = sorted(tick for tick in ticks_in(pairs) if tick >= t)
    start = next_open(opens, closes, t, hint)
    end = add_work(opens, closes, cum, t, work, hint)
    assert start == (ahead[0] if ahead else NEVER)
    if work == 0:
        assert end == start
    else:
        assert end == (ahead[work - 1] + 1 if len(ahead) >= work else NEVER)
    if end != NEVER:
        assert work_between(opens, closes, cum, t, end, hint) == work
        assert add_work(opens, closes, cum, start, work) == end


@settings(deadline=None)  # the first call may compile or import
@given(PAIRS, TIME, TIME, TIME, st.integers(-3, 40))
def test_work_between_counts_open_ticks(pairs: list[tuple[int, int]], a: int, b: int, c: int, hint: int) -> None:
    columns = clock(from_intervals(pairs))
    low, high = sorted((a, b))
    wanted = sum(low <= tick < high for tick in ticks_in(pairs))
    assert work_between(*columns, low, high, hint) == wanted
    assert work_between(*columns, high, low) == -wanted
    assert work_between(*columns, a, b) + work_between(*columns, b, c) == work_between(*columns, a, c)


@settings(deadline=None)  # the first call may compile or import
@given(PAIRS, TIME, st.integers(0, 9), st.integers(0, 9))
def test_work_can_be_split_anywhere(pairs: list[tuple[int, int]], t: int, first: int, second: int) -> None:
    columns = clock(from_intervals(pairs))
    middle = add_work(*columns, t, first)
    whole = add_work(*columns, t, first + second)
    if second:
        assert whole == (NEVER if middle == NEVER else add_work(*columns, middle, second))


@settings(deadline=None)  # the first call may compile or import
@given(PAIRS, TIME, st.integers(-(2**62), 2**62))
def test_the_hint_never_changes_the_answer(pairs: list[tuple[int, int]], t: int, hint: int) -> None:
    closes = clock(from_intervals(pairs)).closes
    assert interval_at(closes, t, hint) == np.searchsorted(closes, t, side="right")


def test_hints_find_their_way_in_long_lists() -> None:
    closes = np.arange(10, 10_000, 10)
    for t in (0, 9, 10, 4_999, 5_000, 9_980, 9_990, 20_000):
        for hint in (-7, 0, 1, 400, 499, 500, 998, 999, 5_000):
            assert interval_at(closes, t, hint) == np.searchsorted(closes, t, side="right")


def test_long_work_finds_its_way_in_long_lists() -> None:
    columns = clock(from_intervals([(10 * i, 10 * i + 1 + i % 3) for i in range(300)]))
    open_ticks = [10 * i + k for i in range(300) for k in range(1 + i % 3)]
    for begin in (0, 1, 7, 50, 299, 598):
        for work in range(1, 601 - begin):
            assert add_work(*columns, open_ticks[begin], work) == open_ticks[begin + work - 1] + 1


def test_a_closed_day_does_not_open() -> None:
    """An interval of length zero on each weekend day must not let work begin there."""
    week = [(d * DAY + 9 * HOUR, d * DAY + (17 if d % 7 < 5 else 9) * HOUR) for d in range(70)]
    intervals = from_intervals(week)
    opens, closes, cum = clock(intervals)
    assert len(intervals) == 50
    saturday = 5 * DAY
    assert next_open(opens, closes, saturday + 9 * HOUR) == 7 * DAY + 9 * HOUR
    starts = {next_open(opens, closes, t) // DAY % 7 for t in range(0, 60 * DAY, HOUR)}
    ends = {add_work(opens, closes, cum, t, HOUR) // DAY % 7 for t in range(0, 60 * DAY, HOUR)}
    assert starts == ends == {0, 1, 2, 3, 4}


def test_work_may_end_as_the_day_closes() -> None:
    opens, closes, cum = clock(from_intervals([(9, 17), (33, 41)]))
    assert add_work(opens, closes, cum, 9, 8) == 17
    assert next_open(opens, closes, 17) == 33
    assert add_work(opens, closes, cum, 17, 8) == 41
    assert add_work(opens, closes, cum, 17, 0) == 33
    assert add_work(opens, closes, cum, 9, 16) == 41
    assert add_work(opens, closes, cum, 9, 17) == NEVER


def test_who_never_opens_and_who_never_closes() -> None:
    nobody = clock(from_intervals([(5, 5)]))
    assert next_open(nobody.opens, nobody.closes, 3) == NEVER
    assert add_work(*nobody, 3, 0) == NEVER
    assert work_between(*nobody, 0, 100) == 0
    everybody = clock(ALWAYS)
    assert add_work(*everybody, 7, 5) == 12
    assert add_work(*everybody, DAY, NEVER) == NEVER
    assert add_work(*everybody, NEVER, 1) == NEVER
    assert work_between(*everybody, -NEVER, NEVER) == 2 * NEVER


@pytest.mark.parametrize("work", [-1, NEVER + 1])
def test_work_outside_its_range_is_refused(work: int) -> None:
    with pytest.raises(ValueError, match="0 <= work <= NEVER must hold"):
        add_work(*clock(ALWAYS), 0, work)


def test_many_lists_are_stored_once_each() -> None:
    office, shop = from_intervals([(9, 12), (13, 17)]), from_intervals([(10, 20)])
    closed = from_intervals([])
    clocks = flatten([office, shop, office, closed, ALWAYS])
    assert len(clocks.opens) == 4
    for c, intervals in enumerate((office, shop, office, closed, ALWAYS)):
        for found, wanted in zip(clocks.clock(c), clock(intervals), strict=True):
            assert np.array_equal(found, wanted)
    assert len(flatten([]).first) == 0


def test_backward_intervals_are_refused_all_at_once() -> None:
    with pytest.raises(InputRefused) as refusal:
        from_intervals([(3, 1), (0, 5), (0, NEVER + 1)])
    assert len(refusal.value.problems) == 2
    assert "intervals[0] = [3, 1): -NEVER <= open <= close <= NEVER must hold" in str(refusal.value)
