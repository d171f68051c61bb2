"""Moments: exact against whole numbers of any size, one result for every way to cut and join, no growth."""

from __future__ import annotations

import pickle
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import inf, isnan, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from scenarios.errors import InputRefused
from sim import exact
from sim.moments import Moments, cube_moments, moments, united
from sim.moments_cube import PAIRS
from sim.outcome import Cube, Outcome
from sim.run import simulate
from sim.statistics import mean_interval, ratio_of_means_interval

INT64 = st.integers(-(2**63), 2**63 - 1)
EXTREMES = np.array([-(2**63), -(2**63) + 1, -(2**32), -(2**31), -1, 0, 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1])


def cube(values: np.ndarray, kind: str = "rep") -> Cube:
    metrics = tuple(f"m{place}" for place in range(len(values)))
    keys = tuple(f"k{place}" for place in range(values.shape[2]))
    return Cube(kind, metrics, keys, tuple(f"p{place}" for place in range(values.shape[3])), values)


def block(table: Cube, start: int, end: int) -> Cube:
    return replace(table, values=table.values[:, start:end])


def outcome(values: np.ndarray, first: int = 0) -> Outcome:
    return Outcome(
        "world", "plan", "today", 7, first, "simpy", 1, {"rep": cube(values), "stage": cube(values, "stage")}
    )


def sample(shape: tuple[int, ...], size: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(-size, size, shape)


# ---- exact sums --------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(arrays.arrays(np.int64, arrays.array_shapes(min_dims=2, max_dims=3, max_side=6), elements=INT64), st.data())
def test_sums_and_products_are_exact(a: np.ndarray, data: st.DataObject) -> None:
    b = data.draw(arrays.arrays(np.int64, a.shape, elements=INT64))
    wide = a.astype(object), b.astype(object)
    assert np.array_equal(exact.whole(exact.sums(a, 0)), wide[0].sum(axis=0))
    assert np.array_equal(exact.whole(exact.products(a, b, 1)), (wide[0] * wide[1]).sum(axis=1))


def test_the_largest_products_are_exact() -> None:
    a, b = np.meshgrid(EXTREMES, EXTREMES)
    wanted = a.astype(object) * b.astype(object)
    assert np.array_equal(exact.whole(exact.products(a[None], b[None], 0)), wanted)
    many = np.full((1000, 1), -(2**63))
    assert exact.whole(exact.products(many, many, 0))[0] == 1000 * 2**126


@settings(deadline=None)
@given(st.lists(INT64, min_size=1, max_size=30), st.data())
def test_a_sum_has_one_form(values: list[int], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(values))
    cut = data.draw(st.integers(0, len(values)))
    once = exact.products(np.array(values)[:, None], np.array(values)[:, None], 0)
    parts = [np.array(part, dtype=np.int64)[:, None] for part in (shuffled[:cut], shuffled[cut:])]
    joined = exact.added(*(exact.products(part, part, 0) for part in parts))
    assert once.tobytes() == joined.tobytes()


def test_quotients_are_rounded_once() -> None:
    # The nearest doubles of top and bottom have another quotient.
    top, bottom = 10**30 + 7, 3 * 10**14 + 1
    assert exact.divided(np.array([top], dtype=object), bottom)[0] == float(Fraction(top, bottom))


# ---- one table ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [10, 2**31, 2**40, 2**52])
def test_moments_are_those_of_the_sample(size: int) -> None:
    table = cube(sample((3, 40, 5, 4), size))
    found = cube_moments(table, (("m0", "m2"),))
    for place, metric in enumerate(table.metrics):
        horizon = table.values[place].sum(axis=2)
        assert found.mean(metric) == pytest.approx(horizon.mean(axis=0), rel=1e-11, abs=1e-9)
        assert found.variance(metric) == pytest.approx(horizon.var(axis=0, ddof=1), rel=1e-9)
        assert found.mean_by_period(metric) == pytest.approx(table.values[place].mean(axis=0), rel=1e-9, abs=1e-9)
        assert np.array_equal(found.range(metric), (horizon.min(axis=0), horizon.max(axis=0)))
    a, b = (table.values[place].sum(axis=2) for place in (0, 2))
    wanted = [np.cov(a[:, key], b[:, key], ddof=1)[0, 1] for key in range(5)]
    spread = np.sqrt(a.var(axis=0) * b.var(axis=0)).max()
    assert found.covariance("m0", "m2") == pytest.approx(wanted, abs=1e-9 * spread)
    assert np.array_equal(found.covariance("m2", "m0"), found.covariance("m0", "m2"))
    assert np.array_equal(found.covariance("m1", "m1"), found.variance("m1"))


def test_a_small_spread_of_large_figures_keeps_its_digits() -> None:
    """Where sums of squares in floats cancel to nothing."""
    values = 10**15 + np.array([1, 2, 3, 4])
    found = cube_moments(cube(values.reshape(1, 4, 1, 1)))
    assert found.variance("m0")[0] == 5 / 3
    floats = values.astype(float)
    naive = ((floats**2).sum() - floats.sum() ** 2 / 4) / 3
    assert abs(naive - 5 / 3) > 1


def test_what_stands_open_is_not_summed_over_periods() -> None:
    values = np.array([[3, 5, 4], [2, 2, 8]]).reshape(1, 2, 1, 3)
    found = cube_moments(Cube("stage", ("open",), ("talk",), ("a", "b", "c"), values))
    assert found.mean("open")[0] == 6.0
    assert found.mean_by_period("open").tolist() == [[2.5, 3.5, 6.0]]


def test_intervals_are_those_of_the_sample() -> None:
    rng = np.random.default_rng(3)
    below = rng.integers(50, 150, 60)
    above = rng.binomial(below, 0.3)
    table = cube(np.stack([above, below]).reshape(2, 60, 1, 1))
    found = cube_moments(table, (("m0", "m1"),))
    mean, direct = found.interval("m0", "k0", 0.9), mean_interval(above, 0.9)
    assert (mean.low, mean.high) == pytest.approx((direct.low, direct.high), rel=1e-12)
    ratio, jackknife = found.ratio_interval("m0", "m1", "k0"), ratio_of_means_interval(above, below)
    assert ratio.estimate == jackknife.estimate == above.sum() / below.sum()
    residual = above - ratio.estimate * below
    assert ratio.standard_error == pytest.approx(residual.std(ddof=1) / sqrt(60) / below.mean(), rel=1e-10)
    assert ratio.half_width == pytest.approx(jackknife.half_width, rel=0.02)


def test_one_replication_says_nothing_of_the_spread() -> None:
    found = cube_moments(cube(np.arange(1, 7).reshape(2, 1, 3, 1)), (("m0", "m1"),))
    assert all(map(isnan, found.variance("m0")))
    for interval in (found.interval("m0", "k1"), found.ratio_interval("m0", "m1", "k1")):
        assert interval.high == inf
        assert "too few" in interval.method


def test_what_is_not_kept_is_refused_by_name() -> None:
    found = cube_moments(cube(np.zeros((2, 3, 1, 1), dtype=np.int64)), (("m0", "m1"),))
    with pytest.raises(InputRefused, match="known: m0, m1"):
        found.mean("m9")
    with pytest.raises(InputRefused, match="known: k0"):
        found.interval("m0", "k9")
    with pytest.raises(InputRefused, match="adds up to 0"):
        found.ratio_interval("m0", "m1", "k0")
    with pytest.raises(InputRefused, match="known: m0 with m1"):
        cube_moments(cube(np.zeros((3, 3, 1, 1), dtype=np.int64)), (("m0", "m1"),)).covariance("m0", "m2")


def test_a_large_table_is_worked_on_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    table = cube(sample((7, 6, 5, 3), 2**40))
    once = cube_moments(table)
    monkeypatch.setattr("sim.moments_cube._WORKING_CELLS", 200)
    parts = cube_moments(table)
    assert [a.tobytes() for a in parts.arrays()] == [a.tobytes() for a in once.arrays()]


def test_a_table_without_keys_has_moments_of_nothing() -> None:
    found = cube_moments(cube(np.zeros((2, 4, 0, 3), dtype=np.int64)))
    assert found.mean("m0").shape == found.variance("m1").shape == (0,)


# ---- all tables --------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.lists(st.integers(1, 23), max_size=6, unique=True), st.randoms(use_true_random=False))
def test_no_way_to_cut_and_join_shows(cuts: list[int], random: object) -> None:
    values = sample((3, 24, 2, 2), 2**45)
    edges = [0, *sorted(cuts), 24]
    parts = [moments(outcome(values[:, a:b], first=a)) for a, b in pairwise(edges)]
    random.shuffle(parts)  # type: ignore[attr-defined]
    while len(parts) > 1:
        parts.append(parts.pop(random.randrange(len(parts))).merged(parts.pop()))  # type: ignore[attr-defined]
    whole = moments(outcome(values))
    assert parts[0].content_hash() == whole.content_hash()
    assert parts[0].ranges == ((0, 24),)


def test_the_hash_sees_every_figure() -> None:
    values = sample((2, 6, 2, 2), 100)
    seen = {moments(outcome(values)).content_hash(), moments(outcome(values, first=1)).content_hash()}
    for place in np.ndindex(2, 6, 2, 2):
        other = values.copy()
        other[place] += 1
        seen.add(moments(outcome(other)).content_hash())
    assert len(seen) == 2 + 2 * 6 * 2 * 2


def test_merging_refuses_what_does_not_belong_together() -> None:
    here = moments(outcome(sample((2, 4, 1, 1), 9)))
    with pytest.raises(ValueError, match="replication 2 is counted twice"):
        here.merged(moments(outcome(sample((2, 4, 1, 1), 9), first=2)))
    with pytest.raises(ValueError, match="different worlds"):
        here.merged(replace(moments(outcome(sample((2, 4, 1, 1), 9), first=4)), seed=8))
    with pytest.raises(ValueError, match="different rep and rep tables"):
        here["rep"].merged(cube_moments(cube(sample((3, 4, 1, 1), 9))))
    assert here.merged(moments(outcome(sample((2, 4, 1, 1), 9), first=9))).ranges == ((0, 4), (9, 13))
    with pytest.raises(InputRefused, match="known: rep, stage"):
        here["people"]


def test_ranges_join_where_they_touch() -> None:
    assert united(((4, 8),), ((0, 4), (9, 10)), ((8, 9),)) == ((0, 10),)
    assert united() == ()


def test_moments_of_a_simulated_world(tiny) -> None:
    years = simulate(tiny, replications=12)
    found = moments(years)
    assert found.replications == 12
    assert found["rep"].mean("revenue") == pytest.approx(years["rep"].total("revenue").mean(axis=0))
    assert set(found["rep"].pairs) == set(PAIRS["rep"])
    halves = [moments(simulate(tiny, replications=6, first=first)) for first in (6, 0)]
    assert halves[0].merged(halves[1]).content_hash() == found.content_hash()


def test_memory_does_not_grow_with_replications() -> None:
    def weight(found: Moments) -> int:
        return len(pickle.dumps(found))

    total = moments(outcome(sample((3, 10, 4, 2), 2**40)))
    once = weight(total)
    for start in range(10, 2000, 10):
        total = total.merged(moments(outcome(sample((3, 10, 4, 2), 2**40, start), first=start)))
    assert total.replications == 2000
    assert weight(total) <= once + 8
