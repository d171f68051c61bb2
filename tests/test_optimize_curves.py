"""Concave pieces, the exact split, whole steps and phasing: identities, properties and printed tables."""

from __future__ import annotations

import itertools
import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import linprog

from optimize.parts.fairness import chance_quantile
from optimize.phasing import Period, laid_out, training_left, training_periods
from optimize.programme.curves import as_it_is, attainment_pieces, attainment_table, envelope
from optimize.split import attained, proportional, split

SAMPLES = st.lists(st.integers(0, 1000), min_size=1, max_size=30)


def piece_value(pieces, u):
    """The pieces' function at u, slope 1 below and 0 above."""
    if u <= pieces.start:
        return pieces.level - (pieces.start - u)
    filled = np.clip(u - pieces.start - np.concatenate([[0.0], np.cumsum(pieces.width)[:-1]]), 0, pieces.width)
    return pieces.level + float(pieces.slope @ filled) if len(pieces.width) else pieces.level


@given(SAMPLES, st.floats(-100, 1500))
def test_exact_pieces_are_the_sample_average(values, u):
    samples = np.array(values, dtype=float)
    pieces = attainment_pieces(samples)
    assert piece_value(pieces, u) == pytest.approx(float(np.minimum(samples, u).mean()), abs=1e-9)
    assert (np.diff(pieces.slope) <= 1e-12).all()
    assert pieces.error <= 1e-9


@given(SAMPLES, st.floats(-50, 50), st.floats(0, 1200))
def test_identity_of_a_deterministic_shift(values, g, q):
    samples = np.array(values, dtype=float)
    pieces = attainment_pieces(samples)
    shifted = float(np.minimum(samples + g, q).mean())
    assert g + piece_value(pieces, q - g) == pytest.approx(shifted, abs=1e-9)


def test_thirty_two_segments_are_within_the_stated_error_and_ten_thousandths():
    samples = np.random.default_rng(5).lognormal(0.0, 0.47, 4000) * 1000
    pieces = attainment_pieces(samples, 32)
    grid = np.linspace(samples.min(), samples.max(), 999)
    off = np.minimum(samples[:, None], grid).mean(axis=0) - np.array([piece_value(pieces, u) for u in grid])
    assert len(pieces.width) == 32
    assert off.min() >= -1e-9
    assert off.max() <= pieces.error + 1e-9
    # Quotas lie where the chance to hit is between .15 and .85; there the pieces are within 1e-4 of the mean.
    usual = (grid > np.quantile(samples, 0.15)) & (grid < np.quantile(samples, 0.85))
    assert off[usual].max() <= 3e-4 * samples.mean()


@given(st.lists(st.floats(0, 100), min_size=2, max_size=12))
def test_envelope_is_the_least_concave_majorant(values):
    heights = np.array(values)
    knots = np.arange(len(heights), dtype=float)
    pieces = envelope(knots, heights)
    above = np.array(
        [pieces.level + float(pieces.slope @ np.clip(x - _starts(pieces), 0, pieces.width)) for x in knots]
    )
    assert (above >= heights - 1e-9).all()
    assert (np.diff(pieces.slope) <= 1e-9).all()
    chords = [
        (heights[i] * (k - j) + heights[k] * (j - i)) / (k - i)
        for j in range(len(knots))
        for i in range(j)
        for k in range(j + 1, len(knots))
    ]
    assert pieces.error == pytest.approx(float(np.max(above - heights)), abs=1e-9)
    assert above.max() == pytest.approx(heights.max(), abs=1e-9)
    assert not chords or max(chords) <= above.max() + 1e-9


def _starts(pieces):
    return np.concatenate([[0.0], np.cumsum(pieces.width)[:-1]])


# The exact split


def by_rows(samples, gain, low, high, total):
    """The same problem with one row a sample, by another solver."""
    count, reps = samples.shape
    cost = np.concatenate([np.zeros(reps), -np.ones(count * reps) / count])
    upper = np.hstack([-np.tile(np.eye(reps), (count, 1)), np.eye(count * reps)])
    bounds = [(lo, hi) for lo, hi in zip(low, high, strict=True)]
    bounds += [(None, value) for value in (samples + gain).ravel()]
    total_row = np.concatenate([np.ones(reps), np.zeros(count * reps)])[None, :]
    found = linprog(cost, upper, np.zeros(count * reps), total_row, [total], bounds)
    assert found.status == 0
    return -found.fun


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_split_equals_the_programme_with_a_row_per_sample(seed):
    rng = np.random.default_rng(seed)
    count, reps = int(rng.integers(1, 9)), int(rng.integers(1, 5))
    samples = np.round(rng.lognormal(3, 0.6, (count, reps)), 2)
    gain = np.round(rng.normal(0, 3, reps), 2)
    low = np.round(samples.mean(axis=0) * rng.uniform(0, 0.9, reps), 2)
    high = np.round(samples.mean(axis=0) * rng.uniform(1.0, 2.0, reps), 2)
    total = float(low.sum() + rng.uniform() * (high.sum() - low.sum()))
    quotas = split(samples, gain, low, high, total)
    assert quotas.sum() == pytest.approx(total, rel=1e-12)
    assert (quotas >= low - 1e-9).all()
    assert (quotas <= high + 1e-9).all()
    assert attained(samples, gain, quotas) == pytest.approx(by_rows(samples, gain, low, high, total), rel=1e-9)


@given(st.integers(0, 10_000), st.floats(0.1, 10))
def test_split_scales_and_permutes(seed, factor):
    rng = np.random.default_rng(seed)
    samples = rng.lognormal(3, 0.5, (12, 4))
    zero, top = np.zeros(4), np.full(4, np.inf)
    quotas = split(samples, zero, zero, top, 90.0)
    assert split(samples * factor, zero, zero, top, 90.0 * factor) == pytest.approx(quotas * factor)
    order = rng.permutation(4)
    assert split(samples[:, order], zero, zero, top, 90.0) == pytest.approx(quotas[order])


@given(st.integers(0, 10_000))
def test_more_total_never_lowers_a_quota_and_never_the_value(seed):
    rng = np.random.default_rng(seed)
    samples = rng.lognormal(3, 0.5, (15, 4))
    zero, top = np.zeros(4), np.full(4, np.inf)
    totals = np.sort(rng.uniform(5, 200, 6))
    plans = [split(samples, zero, zero, top, float(total)) for total in totals]
    values = [attained(samples, zero, plan) for plan in plans]
    assert all((b >= a - 1e-9).all() for a, b in itertools.pairwise(plans))
    assert all(b >= a - 1e-9 for a, b in itertools.pairwise(values))


def test_without_bounds_everybody_has_the_same_chance():
    rng = np.random.default_rng(3)
    samples = rng.lognormal(3, 0.5, (400, 6)) * np.array([1, 2, 3, 4, 5, 6])
    zero, top = np.zeros(6), np.full(6, np.inf)
    quotas = split(samples, zero, zero, top, float(samples.mean(axis=0).sum()) * 1.05)
    chances = (samples >= quotas).mean(axis=0)
    assert np.ptp(chances) <= 1 / 400 + 1e-12


def test_split_beyond_all_samples_still_ties():
    samples = np.array([[1.0, 3.0], [2.0, 4.0]])
    quotas = split(samples, np.zeros(2), np.zeros(2), np.full(2, np.inf), 100.0)
    assert quotas.sum() == pytest.approx(100.0)
    assert (quotas > 4).all()


@given(st.lists(st.floats(0.0, 50), min_size=1, max_size=6), st.floats(1, 300))
def test_proportional_split_ties_or_is_at_its_bounds(weights, total):
    low, high = np.full(len(weights), 1.0), np.full(len(weights), 60.0)
    quotas = proportional(np.array(weights), low, high, total)
    wanted = min(max(total, low.sum()), high.sum())
    assert quotas.sum() == pytest.approx(wanted, rel=1e-9)
    assert (quotas >= low).all()
    assert (quotas <= high + 1e-9).all()


# Printed tables: lognormal results with mean 1


def lognormal(cv, count=40_001):
    sigma = math.sqrt(math.log1p(cv**2))
    middle = (np.arange(count) + 0.5) / count
    return np.exp(-(sigma**2) / 2 + sigma * stats.norm.ppf(middle))


@pytest.mark.parametrize(("cv", "share"), [(0.2, 46.1), (0.4, 42.4), (0.5, 40.7), (0.6, 39.1)])
def test_hit_rate_when_the_quota_is_the_mean(cv, share):
    hit = float((lognormal(cv) >= 1.0).mean()) * 100
    assert f"{hit:.1f}" == f"{share:.1f}"


@pytest.mark.parametrize(("cv", "ratio"), [(0.2, 0.933), (0.4, 0.842), (0.5, 0.794), (0.6, 0.745)])
def test_quota_over_mean_for_sixty_percent(cv, ratio):
    quota = chance_quantile(lognormal(cv).reshape(-1, 1), 0.6)[0]
    assert f"{quota:.3f}" == f"{ratio:.3f}"


@pytest.mark.parametrize(("reps", "printed"), [(10, (0.466, 0.701, 0.862)), (50, (0.485, 0.906, 0.995))])
def test_chance_of_the_company_under_over_assignment(reps, printed):
    """Everybody sells the quota on average: quotas total plan x (1 + h), so the plan is the mean over 1 + h."""
    runs = 60_000
    sigma = math.sqrt(math.log1p(0.25))
    rng = np.random.default_rng(11)
    company = np.zeros(runs)
    for _ in range(reps):
        company += np.exp(-(sigma**2) / 2 + sigma * rng.standard_normal(runs))
    for over, chance in zip((0.0, 0.1, 0.2), printed, strict=True):
        found = float((company >= reps / (1 + over)).mean())
        error = math.sqrt(chance * (1 - chance) / runs)
        assert abs(found - chance) <= 4 * error + 0.0005


# Steps and periods


def months():
    firsts = [date(2026, month, 1) for month in range(1, 13)] + [date(2027, 1, 1)]
    return [Period(f"{a:%Y-%m}", a, b) for a, b in itertools.pairwise(firsts)]


def test_training_lies_in_the_first_half_evenly():
    periods = months()
    early = training_periods(periods)
    assert early == [0, 1, 2, 3, 4, 5]
    left, days = training_left(periods, early, date(2026, 1, 1), date(2027, 1, 1))
    assert (left, days) == (pytest.approx(365 - (15.5 + 45 + 74.5 + 105 + 135.5 + 166) / 6), 365)
    assert training_periods([Period("all", date(2026, 1, 1), date(2027, 1, 1))]) == [0]
    hours = np.array([[24.0, 0.0], [10.0, 14.0]])
    laid = laid_out(hours, 4.0, np.full((2, len(periods)), 160.0), [early, early])
    assert laid.sum(axis=2) == pytest.approx(hours)
    assert laid[:, :, [p for p in range(12) if p not in early]].sum() == 0
    assert np.ptp(laid.sum(axis=(0, 1))[early]) <= 4.0 + 1e-9


@pytest.mark.parametrize("segments", [None, 1, 7, 32])
def test_the_table_of_pieces_is_the_pieces_of_each_rep(segments):
    rng = np.random.default_rng(3)
    samples = np.round(rng.lognormal(3.0, 0.6, (60, 5)))  # many ties
    samples[:, 4] = 17.0
    table = attainment_table(samples, segments)
    for r in range(5):
        pieces, mine = attainment_pieces(samples[:, r], segments), table.of == r
        assert table.start[r] == pieces.start
        assert table.level[r] == pytest.approx(pieces.level, rel=1e-12)
        assert table.error[r] == pytest.approx(pieces.error, abs=1e-9)
        ends = [np.cumsum(pieces.width), np.cumsum(table.width[mine])]
        heights = [np.cumsum(pieces.slope * pieces.width), np.cumsum((table.slope * table.width)[mine])]
        at = np.linspace(0, ends[0][-1] if len(ends[0]) else 0.0, 40)
        curves = [np.interp(at, [0.0, *end], [0.0, *height]) for end, height in zip(ends, heights, strict=True)]
        assert curves[0] == pytest.approx(curves[1], abs=1e-9)


@pytest.mark.parametrize("span", [1e-9, 1.0, 1e4])
def test_a_curve_is_cut_alike_however_few_hours_it_goes_to(span):
    knots = np.concatenate([np.linspace(0, 1, 33) ** 3, np.linspace(0.1, 0.9, 9)])
    knots = np.unique(knots)
    cut = as_it_is(lambda share: share**2 / (0.2 + share**2), knots)
    same = as_it_is(lambda hours: (hours / span) ** 2 / (0.2 + (hours / span) ** 2), span * knots)
    assert same.full.any()
    assert same.full.tolist() == cut.full.tolist()
    assert same.pieces.width == pytest.approx(span * cut.pieces.width)
    flat = as_it_is(lambda _: 7.0, span * knots)
    assert np.isfinite(flat.pieces.slope).all()
    assert flat.pieces.slope == pytest.approx(0)
