"""Intervals of shares and quantiles: textbook values, exactness, and coverage by enumeration."""

from __future__ import annotations

from fractions import Fraction
from math import comb, inf, isfinite, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from coverage_counts import STUDIES, assert_rate, covered
from scenarios.errors import InputRefused
from sim.statistics import (
    quantile_bounds,
    quantile_interval,
    quantile_ranks,
    wilson,
    wilson_bounds,
)

# Shares


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, "0.2553", "0.3662"),
        (15, 148, "0.0624", "0.1605"),
        (0, 20, "0.0000", "0.1611"),
        (1, 29, "0.0061", "0.1718"),
    ],
)
def test_wilson_against_newcombe_1998_table_1(successes, n, low, high):
    found = wilson(successes, n)
    assert (f"{found.low:.4f}", f"{found.high:.4f}") == (low, high)
    assert found.estimate == successes / n


def test_wilson_ends_exactly_at_zero_and_one():
    for n in range(1, 200):
        none, every = wilson(0, n), wilson(n, n)
        assert none.low == 0.0
        assert every.high == 1.0
        assert none.high == pytest.approx(1 - every.low, rel=1e-12)


def test_wilson_solves_the_score_equation():
    z = stats.norm.ppf(0.95)
    found = wilson(37, 90, 0.9)
    for end in (found.low, found.high):
        assert abs(37 / 90 - end) == pytest.approx(z * sqrt(end * (1 - end) / 90), rel=1e-10)


def test_wilson_mean_coverage_by_enumeration():
    n, counts = 50, np.arange(51)
    _, low, high = wilson_bounds(counts, n)
    truths = np.linspace(0.1, 0.9, 801)
    coverage = [stats.binom.pmf(counts[(low <= p) & (p <= high)], n, p).sum() for p in truths]
    assert 0.945 <= np.mean(coverage) <= 0.955
    assert min(coverage) >= 0.92


def test_wilson_bounds_broadcast_and_leave_an_empty_share_open():
    estimate, low, high = wilson_bounds([0, 0, 3], [0, 4, 4])
    assert np.isnan(estimate[0])
    assert (low[0], high[0]) == (0.0, 1.0)
    assert (estimate[2], low[2], high[2]) == (0.75, wilson(3, 4).low, wilson(3, 4).high)


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (5, 4), (-1, 4), (1.5, 4), (float("nan"), 4), (2, inf)])
def test_wilson_refuses_counts_that_are_none(successes, n):
    with pytest.raises(InputRefused, match="successes"):
        wilson_bounds([1, successes], [2, n])


# Quantiles


def binomial_cdf(k: int, n: int, p: Fraction) -> Fraction:
    return sum((comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k + 1)), Fraction(0))


def test_median_ranks_of_the_textbook():
    assert quantile_ranks(6, 0.5)[:2] == (1, 6)
    assert quantile_ranks(10, 0.5)[:2] == (2, 9)
    assert quantile_ranks(20, 0.5)[:2] == (6, 15)
    assert f"{quantile_ranks(10, 0.5)[2]:.4f}" == "0.9785"
    assert f"{quantile_ranks(20, 0.5)[2]:.4f}" == "0.9586"


@pytest.mark.parametrize("n", [1, 5, 13, 40, 101])
@pytest.mark.parametrize("share", [Fraction(1, 10), Fraction(1, 4), Fraction(1, 2), Fraction(9, 10)])
@pytest.mark.parametrize("level", [Fraction(4, 5), Fraction(19, 20)])
def test_ranks_are_exact_and_the_tightest(n, share, level):
    lower, upper, coverage = quantile_ranks(n, float(share), float(level))
    tail = (1 - level) / 2
    below, above = binomial_cdf(lower - 1, n, share), 1 - binomial_cdf(upper - 1, n, share)
    assert below <= tail < binomial_cdf(lower, n, share)
    assert above <= tail < 1 - binomial_cdf(upper - 2, n, share)
    assert coverage == pytest.approx(float(1 - below - above), abs=1e-13)


@pytest.mark.parametrize(("n", "p"), [(30, 0.5), (60, 0.1), (60, 0.9)])
def test_quantile_coverage_is_the_exact_one(n, p):
    data = np.random.default_rng(17).exponential(size=(n, STUDIES))
    _, low, high = quantile_bounds(data, p)
    assert_rate(covered(low, high, float(stats.expon.ppf(p))), quantile_ranks(n, p)[2])


def test_quantile_interval_takes_its_order_statistics():
    data = np.random.default_rng(18).permutation(np.arange(1.0, 21.0))
    found = quantile_interval(data, 0.5)
    assert (found.estimate, found.low, found.high, found.n) == (10.5, 6.0, 15.0, 20)
    assert found.method == "order statistics 6 and 15 (covers 0.9586)"
    assert (found.standard_error, found.confidence) == (None, 0.95)


def test_quantile_interval_says_which_end_is_open():
    ten = np.arange(10.0)
    assert quantile_interval(ten, 0.1).low == -inf
    assert isfinite(quantile_interval(ten, 0.1).high)
    assert "too few replications for the lower end" in quantile_interval(ten, 0.1).method
    assert "for the upper end" in quantile_interval(ten, 0.9).method
    assert "for the lower and upper end" in quantile_interval(ten[:5], 0.5).method
    assert "too few" not in quantile_interval(ten[:6], 0.5).method


@settings(max_examples=80, deadline=None)
@given(
    sample=st.lists(st.integers(-50, 50), min_size=1, max_size=60),
    p=st.floats(0.02, 0.98),
    confidence=st.sampled_from([0.8, 0.9, 0.95, 0.99]),
)
def test_quantile_interval_holds_its_estimate_and_nests(sample, p, confidence):
    found = quantile_interval(sample, p, confidence)
    assert found.low <= found.estimate <= found.high
    wider = quantile_interval(sample, p, (1 + confidence) / 2)
    assert wider.low <= found.low
    assert found.high <= wider.high
