"""Intervals of means and ratios: textbook values, exactness, and coverage counted in thousands of simulated studies."""

from __future__ import annotations

import subprocess
import sys
from math import inf, sqrt

import numpy as np
import pytest
from scipy import stats

from coverage_counts import SIGMAS, STUDIES, assert_rate, covered
from scenarios.errors import InputRefused
from sim.statistics import (
    Interval,
    mean_bounds,
    mean_interval,
    mser5,
    paired_difference,
    quantile_interval,
    ratio_of_means_bounds,
    ratio_of_means_interval,
    replications_needed,
    simultaneous,
    strength,
    variance_ratio,
    wilson,
)

# Interval


def test_interval_shows_two_digits_of_its_half_width():
    assert str(Interval(1234.567, 1230.0, 1239.0, 0.95, 40, "Student")) == "1,234.6 [1,230.0, 1,239.0] (95 %, n = 40)"
    assert str(Interval(0.5, 0.45, 0.55, 0.8, 9, "Wilson")) == "0.500 [0.450, 0.550] (80 %, n = 9)"
    assert str(Interval(2.7e6, 2.5e6, 2.9e6, 0.95, 5, "x")) == "2,700,000 [2,500,000, 2,900,000] (95 %, n = 5)"
    assert str(Interval(0.0, 0.0, 0.0, 0.95, 9, "Student")) == "0 [0, 0] (95 %, n = 9)"
    assert "for 3 together" in str(simultaneous([[1, 2, 3], [2, 2, 4]])[0])
    assert str(mean_interval([7.0])) == "7.00 (no interval: Student, too few replications, n = 1)"


def test_interval_excludes_strictly():
    touching = Interval(1.0, 0.0, 2.0, 0.95, 9, "Student")
    assert not touching.excludes_zero
    assert not touching.excludes(2.0)
    assert touching.excludes(2.0000001)
    assert touching.half_width == 1.0
    assert Interval(-1.0, -2.0, -0.1, 0.95, 9, "Student").excludes_zero


def test_a_level_changes_only_where_there_is_a_standard_error():
    sample = [1.0, 4.0, 2.0, 8.0]
    moved, direct = mean_interval(sample, 0.5).at(0.99), mean_interval(sample, 0.99)
    assert moved == direct
    for other in (wilson(3, 9), quantile_interval(sample, 0.5)):
        with pytest.raises(InputRefused, match="standard error"):
            other.at(0.9)


# Student


def test_mean_interval_is_students():
    sample = np.array([9.1, 10.4, 8.8, 11.3, 10.0, 9.6])
    found = mean_interval(sample, 0.9)
    low, high = stats.t.interval(0.9, 5, sample.mean(), stats.sem(sample))
    assert found.estimate == pytest.approx(sample.mean(), rel=1e-14)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)
    assert (found.n, found.confidence, found.method) == (6, 0.9, "Student")


def test_ratio_bounds_are_ratio_intervals_of_each_column():
    rng = np.random.default_rng(3)
    above, below = rng.gamma(2, 3, (12, 5)), rng.gamma(3, 2, (12, 5))
    below[1:, 4] = 0  # one replication alone has a denominator
    for confidence in (0.8, 0.95):
        columns = zip(*ratio_of_means_bounds(above, below, confidence), strict=True)
        for column, (estimate, low, high) in enumerate(columns):
            interval = ratio_of_means_interval(above[:, column], below[:, column], confidence)
            assert (estimate, low, high) == pytest.approx((interval.estimate, interval.low, interval.high), rel=1e-12)
    _, low, high = ratio_of_means_bounds([[1.0, 2.0]], [[2.0, 5.0]])
    assert np.isinf([low, high]).all(), "one replication says nothing of the spread"


@pytest.mark.parametrize(("num", "den"), [([[1.0], [2.0]], [[0.0], [0.0]]), ([[1.0], [2.0]], [[-1.0], [2.0]]),
                                          ([[1.0], [2.0]], [[1.0]])])  # fmt: skip
def test_ratio_bounds_refuse_what_a_ratio_interval_refuses(num, den):
    with pytest.raises(InputRefused):
        ratio_of_means_bounds(num, den)


def test_mean_bounds_are_mean_intervals_along_either_axis():
    samples = np.random.default_rng(5).normal(size=(7, 3, 2))
    for axis in (0, 1, 2, -1):
        estimate, low, high = mean_bounds(samples, 0.9, axis)
        moved = np.moveaxis(samples, axis, 0)
        assert estimate.shape == moved.shape[1:]
        for place in np.ndindex(estimate.shape):
            one = mean_interval(moved[(slice(None), *place)], 0.9)
            got = (estimate[place], low[place], high[place])
            assert got == pytest.approx((one.estimate, one.low, one.high), rel=1e-13)


def test_one_replication_bounds_nothing():
    for found in (mean_interval([3.0]), paired_difference([5.0], [2.0]), simultaneous([[3.0, 1.0]])[0]):
        assert (found.estimate, found.low, found.high) == (3.0, -inf, inf)
        assert "too few" in found.method
        assert found.half_width == inf
        assert strength(found) == "not proven"
    _, low, high = mean_bounds([[1.0, 2.0]])
    assert low.tolist() == [-inf, -inf]
    assert high.tolist() == [inf, inf]


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize("n", [2, 10])
def test_mean_coverage(n, confidence):
    data = np.random.default_rng(11).normal(3.0, 2.0, size=(n, STUDIES))
    _, low, high = mean_bounds(data, confidence)
    assert_rate(covered(low, high, 3.0), confidence)


def test_mean_coverage_of_skewed_sales_is_near_nominal():
    sigma = sqrt(np.log(1 + 0.3**2))
    data = np.random.default_rng(12).lognormal(-(sigma**2) / 2, sigma, size=(40, STUDIES))
    _, low, high = mean_bounds(data)
    assert 0.93 <= covered(low, high, 1.0) / STUDIES <= 0.97


def test_paired_difference_coverage_and_gain():
    rng = np.random.default_rng(13)
    hits, narrower = 0, 0
    for _ in range(STUDIES // 4):
        shared = rng.normal(0, 5, 12)
        plan, today = shared + rng.normal(1.0, 1, 12), shared + rng.normal(0, 1, 12)
        found = paired_difference(plan, today)
        hits += found.low <= 1.0 <= found.high
        narrower += found.half_width < mean_interval(plan).half_width
    assert_rate(hits, 0.95, STUDIES // 4)
    assert narrower >= 0.99 * STUDIES // 4


def test_paired_difference_is_antisymmetric_and_ignores_what_is_shared():
    plan, today = np.array([4.0, 7.0, 9.0]), np.array([3.0, 5.0, 8.5])
    there, back = paired_difference(plan, today), paired_difference(today, plan)
    assert (there.estimate, there.low, there.high) == pytest.approx((-back.estimate, -back.high, -back.low))
    luck = np.array([1024.0, -512.0, 64.0])
    assert paired_difference(plan + luck, today + luck) == there


def test_simultaneous_family_coverage():
    comparisons, n = 5, 8
    rng = np.random.default_rng(14)
    exact = (1 - 0.05 / comparisons) ** comparisons
    all_hit = {"independent": 0, "dependent": 0}
    for _ in range(STUDIES // 2):
        own = rng.normal(size=(n, comparisons))
        shared = own[:, :1] * 3 + rng.normal(size=(n, comparisons))
        for name, data in (("independent", own), ("dependent", shared)):
            all_hit[name] += all(each.low <= 0 <= each.high for each in simultaneous(data))
    assert_rate(all_hit["independent"], exact, STUDIES // 2)
    floor = exact * STUDIES / 2 - SIGMAS * sqrt(STUDIES / 2 * exact * (1 - exact))
    assert all_hit["dependent"] >= floor


def test_simultaneous_is_bonferroni():
    data = np.random.default_rng(15).normal(size=(9, 4))
    (alone,) = simultaneous(data[:, :1])
    assert alone == paired_difference(data[:, 0], np.zeros(9))
    for column, found in zip(data.T, simultaneous(data, 0.9), strict=True):
        wider = mean_interval(column, 1 - 0.1 / 4)
        assert (found.low, found.high) == pytest.approx((wider.low, wider.high), rel=1e-12)
        assert (found.confidence, found.comparisons) == (0.9, 4)
        assert found.at(0.9) == found


# Words


def test_strength_words_follow_the_95_and_80_percent_intervals():
    n = 21
    base = np.linspace(-1, 1, n)
    error = base.std(ddof=1) / sqrt(n)
    edge_95, edge_80 = stats.t.ppf(0.975, n - 1) * error, stats.t.ppf(0.9, n - 1) * error
    words = {
        edge_95 * 1.001: "proven",
        edge_95 * 0.999: "likely",
        edge_80 * 1.001: "likely",
        edge_80 * 0.999: "not proven",
    }
    for shift, word in words.items():
        for sign in (1, -1):
            for confidence in (0.5, 0.95, 0.999):
                assert strength(mean_interval(sign * (base + shift), confidence)) == word


def test_strength_counts_the_comparisons_made_together():
    n = 21
    sample = np.linspace(-1, 1, n)
    sample += 1.05 * stats.t.ppf(0.975, n - 1) * sample.std(ddof=1) / sqrt(n)
    assert strength(mean_interval(sample)) == "proven"
    assert strength(simultaneous(np.column_stack([sample] * 10))[0]) == "not proven"


def test_identical_differences_are_no_proof_until_the_sign_test_agrees():
    words = {2: "not proven", 3: "not proven", 4: "likely", 5: "likely", 6: "proven", 60: "proven"}
    for n, word in words.items():
        assert strength(paired_difference(np.full(n, 8.1), np.full(n, 8.0))) == word
    assert strength(simultaneous(np.ones((6, 3)))[0]) == "likely"
    assert strength(mean_interval(np.zeros(50))) == "not proven"


def test_words_are_for_differences_only():
    with pytest.raises(InputRefused, match="standard error"):
        strength(wilson(5, 10))


def test_false_proofs_are_as_rare_as_promised():
    rng = np.random.default_rng(16)
    words = [strength(mean_interval(sample)) for sample in rng.normal(size=(STUDIES, 10))]
    assert_rate(words.count("proven"), 0.05)
    assert_rate(words.count("proven") + words.count("likely"), 0.20)


# Ratios


def test_ratio_ties_with_the_totals():
    wins, leads = np.array([3.0, 8.0, 5.0]), np.array([10.0, 21.0, 9.0])
    found = ratio_of_means_interval(wins, leads)
    assert found.estimate == 16 / 40
    without = np.array([13 / 30, 8 / 19, 11 / 31])
    error = sqrt(2 / 3 * np.square(without - without.mean()).sum())
    assert found.standard_error == pytest.approx(error, rel=1e-13)
    assert found.half_width == pytest.approx(stats.t.ppf(0.975, 2) * error, rel=1e-12)


def test_ratio_to_a_constant_is_a_mean():
    num = np.random.default_rng(19).gamma(3, size=15)
    ratio, mean = ratio_of_means_interval(num, np.full(15, 4.0)), mean_interval(num / 4)
    assert (ratio.low, ratio.high) == pytest.approx((mean.low, mean.high), rel=1e-12)


def test_ratio_coverage():
    rng = np.random.default_rng(20)
    hits = 0
    for _ in range(STUDIES):
        leads = rng.gamma(20, size=40)
        found = ratio_of_means_interval(leads * 0.3 + rng.normal(0, 1, 40), leads)
        hits += found.low <= 0.3 <= found.high
    assert_rate(hits, 0.95)


def test_ratio_refuses_or_opens_where_it_knows_nothing():
    for bad in ([1.0, -1.0], [0.0, 0.0]):
        with pytest.raises(InputRefused, match="denominators"):
            ratio_of_means_interval([1.0, 2.0], bad)
    lonely = ratio_of_means_interval([1.0, 2.0, 0.0], [0.0, 4.0, 0.0])
    assert (lonely.estimate, lonely.low, lonely.high) == (0.75, -inf, inf)
    assert "too few" in lonely.method


# Precision and warm-up


def test_variance_ratio():
    assert variance_ratio([1, 2, 3], [1, 2, 4]) == pytest.approx(10.0)
    assert variance_ratio([1, 2, 3], [2, 3, 4]) == inf
    assert variance_ratio([2, 2], [5, 5]) == 1.0
    assert variance_ratio([1, 2, 3], [3, 2, 1]) == pytest.approx(0.5)


@pytest.mark.parametrize("half_width", [5.0, 1.0, 0.3, 0.1, 0.004])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_replications_needed_are_the_fewest(half_width, confidence):
    pilot = np.array([-1.0, 1.0, 0.5, -0.5, 1.5, -1.5])
    spread = pilot.std(ddof=1)

    def reached(n: int) -> float:
        return stats.t.ppf(0.5 + confidence / 2, n - 1) * spread / sqrt(n)

    needed = replications_needed(pilot, half_width, confidence)
    assert reached(needed) <= half_width
    assert needed == 2 or reached(needed - 1) > half_width


def test_replications_needed_edges():
    assert replications_needed([4.0, 4.0], 0.1) == 2
    for width in (0.0, -1.0, inf, float("nan"), 1e-9):
        with pytest.raises(InputRefused, match="half_width"):
            replications_needed([1.0, 2.0], width)
    with pytest.raises(InputRefused, match="at least two"):
        replications_needed([1.0], 1.0)


def naive_mser5(series: np.ndarray) -> int:
    batches = [float(np.mean(series[i : i + 5])) for i in range(0, len(series) - 4, 5)]
    scores = []
    for cut in range(len(batches) - 5):
        rest = np.array(batches[cut:])
        scores.append(np.square(rest - rest.mean()).sum() / len(rest) ** 2)
    return 5 * int(np.argmin(scores))


def test_mser5_is_the_published_statistic():
    rng = np.random.default_rng(21)
    for length in (50, 63, 200, 404):
        for _ in range(20):
            series = rng.normal(1e6, 1, length) + 8 * np.exp(-np.arange(length) / 15)
            assert mser5(series).observations == naive_mser5(series)


def test_mser5_cuts_a_planted_transient_and_little_more():
    rng = np.random.default_rng(22)
    cuts = []
    for _ in range(100):
        series = rng.normal(size=1000)
        series[:120] += 4
        warm_up = mser5(series)
        assert warm_up.settled
        cuts.append(warm_up.observations)
    assert min(cuts) >= 115
    assert np.median(cuts) <= 150


def test_mser5_tells_a_series_that_has_not_settled():
    assert not mser5(np.arange(400.0) + np.random.default_rng(23).normal(size=400)).settled
    still = mser5(np.full(100, 3.0))
    assert (still.observations, still.settled) == (0, True)
    with pytest.raises(InputRefused, match="at least 50"):
        mser5(np.zeros(49))


# What all refuse


@pytest.mark.parametrize("bad", [[], [1.0, float("nan")], [inf, 1.0], [[1.0, 2.0]], 3.0])
@pytest.mark.parametrize(
    "interval",
    [
        mean_interval,
        lambda x: quantile_interval(x, 0.5),
        lambda x: paired_difference(x, x),
        lambda x: ratio_of_means_interval(x, x),
        lambda x: variance_ratio(x, x),
        lambda x: replications_needed(x, 1.0),
        mser5,
    ],
)
def test_samples_that_are_no_samples_are_refused(interval, bad):
    with pytest.raises(InputRefused):
        interval(bad)


def test_pairs_must_match():
    for function in (paired_difference, ratio_of_means_interval, variance_ratio):
        with pytest.raises(InputRefused, match="2 and 3 replications"):
            function([1.0, 2.0], [1.0, 2.0, 3.0])
    for wrong in ([1.0, 2.0], [[], []]):
        with pytest.raises(InputRefused):
            simultaneous(wrong)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, -0.1, float("nan")])
def test_confidence_is_a_share(confidence):
    for function in (
        lambda: mean_interval([1.0, 2.0], confidence),
        lambda: mean_interval([1.0], confidence),
        lambda: mean_bounds([[1.0]], confidence),
        lambda: wilson(1, 2, confidence),
        lambda: quantile_interval([1.0, 2.0], 0.5, confidence),
        lambda: simultaneous([[1.0], [2.0]], confidence),
        lambda: replications_needed([1.0, 2.0], 1.0, confidence),
    ):
        with pytest.raises(InputRefused, match="confidence"):
            function()


def test_quantile_order_is_a_share():
    for p in (0.0, 1.0, 90, float("nan")):
        with pytest.raises(InputRefused, match="strictly between"):
            quantile_interval([1.0, 2.0], p)


def test_importing_statistics_does_not_import_scipy():
    code = "import sys, sim.statistics, sim.theory; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
