"""Samplers: tables against scipy, monotone in every argument, exact counts, one rounding to ticks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numba import njit
from scipy import stats

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
from scenarios.ticks import HOUR, NEVER
from sim.counts import negbin_quantile, poisson_quantile
from sim.samplers import compile_distributions, quantile, ticks

SMOOTH: list[Distribution] = [
    Exponential(mean=2.5),
    *(Lognormal(mean=3, cv=cv) for cv in (0.01, 0.3, 1, 3, 5)),
    *(Gamma(mean=40_000, cv=cv) for cv in (0.01, 0.3, 1, 2, 3, 5)),
    *(Weibull(mean=0.1, cv=cv) for cv in (0.01, 0.3, 1, 3, 5)),
]
PLAIN: list[Distribution] = [
    Fixed(value=4),
    Uniform(low=1, high=4),
    Triangular(low=1, mode=2, high=6),
    Triangular(low=2, mode=2, high=6),
    Triangular(low=2, mode=6, high=6),
    Empirical(values=(3, 1, 2, 2, 0.1), weights=(1, 0.5, 2, 0, 0.3)),
    Empirical(values=(3, 1, 2, 2, 0.1), linear=True),
    Empirical(values=(3, 1, 10), weights=(1, 5, 2), linear=True),
    Empirical(values=(7,), linear=True),
]
EVERY = SMOOTH + PLAIN
TABLES = compile_distributions(EVERY)

U32 = st.integers(0, 2**32 - 1)
U52 = st.integers(0, 2**52 - 1)


def uniform32(word: int) -> float:
    return (word + 0.5) * 2.0**-32


@njit
def read(tables, d, u):  # type: ignore[no-untyped-def]
    out = np.empty(len(u))
    for i in range(len(u)):
        out[i] = quantile(tables, d, u[i])
    return out


def peer(distribution: Distribution) -> object:
    """The same distribution by scipy's own parametrisation."""
    match distribution:
        case Exponential(mean=mean):
            return stats.expon(scale=mean)
        case Lognormal(mean=mean, cv=cv):
            return stats.lognorm(math.sqrt(math.log(1 + cv**2)), scale=mean / math.sqrt(1 + cv**2))
        case Gamma(mean=mean, cv=cv):
            return stats.gamma(1 / cv**2, scale=mean * cv**2)
        case Weibull(mean=mean):
            k = distribution.shape()
            return stats.weibull_min(k, scale=mean / math.gamma(1 + 1 / k))
    raise AssertionError(distribution)


@pytest.mark.parametrize("d", range(len(SMOOTH)), ids=[repr(x) for x in SMOOTH])
def test_tables_hold_their_accuracy(d: int) -> None:
    generator = np.random.default_rng(d)
    tails = np.exp2(-generator.uniform(1, 53, 6_000))
    exact = peer(SMOOTH[d])
    floor = 1e-9 * SMOOTH[d].mean_value()
    for u, wanted in ((tails, exact.ppf(tails)), (1 - tails, exact.isf(1 - (1 - tails)))):  # type: ignore[attr-defined]
        error = np.abs(read(TABLES, d, u) - wanted) / np.maximum(wanted, floor)
        assert error.max() <= 1e-8


@pytest.mark.parametrize("d", range(len(PLAIN)), ids=[repr(x) for x in PLAIN])
def test_closed_forms_are_the_models_quantiles(d: int) -> None:
    for u in (1e-9, 0.031, 0.2, 0.49999, 0.5, 0.7, 0.8, 0.93, 1 - 1e-12):
        assert quantile(TABLES, len(SMOOTH) + d, u) == pytest.approx(PLAIN[d].quantile(u), rel=1e-12)


@pytest.mark.parametrize("d", range(len(EVERY)), ids=[repr(x) for x in EVERY])
def test_table_moments_are_the_models(d: int) -> None:
    """Midpoint rule over 2**20 equal steps; the tail it cuts off is bounded by Cauchy and Schwarz."""
    n = 2**20
    sample = read(TABLES, d, (np.arange(n) + 0.5) / n)
    model = EVERY[d]
    cut = 2 * (model.sd() + model.mean_value()) / math.sqrt(n)
    assert abs(sample.mean() - model.mean_value()) <= cut
    if d >= len(SMOOTH) or model.sd() <= model.mean_value():
        assert sample.std() == pytest.approx(model.sd(), rel=2e-3, abs=1e-9)


@settings(deadline=None)  # the first call may compile or import
@given(st.integers(0, len(EVERY) - 1), U32, U32)
def test_samplers_rise_over_32_bit_draws(d: int, a: int, b: int) -> None:
    low, high = sorted((a, b))
    assert 0 <= quantile(TABLES, d, uniform32(low)) <= quantile(TABLES, d, uniform32(high))
    assert quantile(TABLES, d, uniform32(low)) <= quantile(TABLES, d, uniform32(min(low + 1, 2**32 - 1)))


@pytest.mark.parametrize("d", range(len(EVERY)), ids=[repr(x) for x in EVERY])
def test_samplers_rise_across_every_joint(d: int) -> None:
    parts = 1 << (int(TABLES.head[d, 2]) if d < len(SMOOTH) else 3)
    joints = np.array([(1 + m / parts) * 2.0**-e for e in range(2, 33) for m in range(parts)])
    words = np.unique(np.concatenate([np.floor(joints * 2**32), 2**32 - np.floor(joints * 2**32)]))
    words = np.unique(words[:, None] + np.arange(-2, 3)).clip(0, 2**32 - 1)
    assert (np.diff(read(TABLES, d, (words + 0.5) * 2.0**-32)) >= 0).all()


@settings(deadline=None)  # the first call may compile or import
@given(st.integers(0, len(EVERY) - 1), U52)
def test_52_bit_neighbours_fall_by_rounding_at_most(d: int, x: int) -> None:
    u, v = (x + 0.5) * 2.0**-52, (min(x + 1, 2**52 - 1) + 0.5) * 2.0**-52
    assert quantile(TABLES, d, u) <= quantile(TABLES, d, v) * (1 + 8e-16)


def test_samplers_answer_at_the_very_ends() -> None:
    for d in range(len(EVERY)):
        ends = [quantile(TABLES, d, u) for u in (0.0, 2.0**-53, 0.5, 1 - 2.0**-53, 1.0)]
        assert ends == sorted(ends)
        assert all(math.isfinite(value) and value >= 0 for value in ends)


def test_equal_distributions_share_their_tables() -> None:
    one = [Lognormal(mean=3, cv=1), Empirical(values=(1, 2))]
    shared = compile_distributions([*one, *one, Lognormal(mean=6, cv=1)])
    assert len(shared.rows) == 2 * len(compile_distributions(one[:1]).rows) + 2
    assert quantile(shared, 2, 0.3) == quantile(shared, 0, 0.3)
    assert [quantile(shared, 3, u) for u in (0.5, 0.5 + 2.0**-53, 0.9)] == [1, 2, 2]
    assert quantile(shared, 4, 0.3) == 2 * quantile(shared, 0, 0.3)


def test_no_distributions_make_empty_tables() -> None:
    assert compile_distributions([]).head.shape == (0, 3)


@pytest.mark.parametrize("mean", [0.01, 0.5, 1, 3, 30.5, 800, 1e4])
@pytest.mark.parametrize("dispersion", [1, 1.0001, 1.5, 5, 14, 300])
def test_counts_are_scipys(mean: float, dispersion: float) -> None:
    u = np.random.default_rng(int(mean * 10 + dispersion)).random(150)
    u = np.concatenate([u, [1e-12, 1e-6, 1 - 1e-6, 1 - 1e-12]])
    law = stats.poisson(mean) if dispersion == 1 else stats.nbinom(mean / (dispersion - 1), 1 / dispersion)
    found = np.array([negbin_quantile(mean, dispersion, x) for x in u])
    if dispersion == 1:
        assert found.tolist() == [poisson_quantile(mean, x) for x in u]
    # The definition of a quantile; the slack covers the rounding of scipy's own distribution functions.
    assert (law.cdf(found) >= u * (1 - 1e-9)).all()
    assert (law.cdf(found - 1) <= u * (1 + 1e-9)).all()
    assert (law.sf(found) <= (1 - u) * (1 + 1e-9)).all()
    assert (law.sf(found - 1) >= (1 - u) * (1 - 1e-9)).all()
    inner = (u > 1e-9) & (u < 1 - 1e-9)
    assert np.array_equal(found[inner], law.ppf(u[inner]))


@settings(deadline=None)  # the first call may compile or import
@given(st.floats(0, 1e4), st.floats(1, 40), st.floats(1e-9, 1 - 1e-9), st.floats(0, 1e4), st.floats(1e-9, 1 - 1e-9))
def test_counts_rise_with_the_draw_and_with_the_mean(
    mean: float, dispersion: float, u: float, more: float, v: float
) -> None:
    assume(abs(u - v) > 1e-10)
    low, high = sorted((u, v))
    count = negbin_quantile(mean, dispersion, low)
    assert 0 <= count <= negbin_quantile(mean, dispersion, high)
    assert count <= negbin_quantile(min(mean + more, 1e6), dispersion, low)
    assert negbin_quantile(mean, 1.0, low) == poisson_quantile(mean, low)


def test_counts_at_the_edges() -> None:
    assert poisson_quantile(0.0, 1 - 2.0**-53) == 0
    assert poisson_quantile(5e-324, 0.5) == 0
    assert poisson_quantile(1.0, 2.0**-53) == 0
    assert poisson_quantile(2.5, 1 - 2.0**-53) == stats.poisson.isf(2.0**-53, 2.5)
    assert poisson_quantile(1e6, 0.5) == stats.poisson.ppf(0.5, 1e6)


@pytest.mark.parametrize(
    ("mean", "dispersion", "u"),
    [(-1, 1, 0.5), (2e6, 1, 0.5), (math.nan, 1, 0.5), (3, 0.99, 0.5), (3, math.inf, 0.5), (3, 1, 0.0), (3, 1, 1.0)],
)
def test_impossible_counts_are_refused(mean: float, dispersion: float, u: float) -> None:
    with pytest.raises(ValueError, match="must hold"):
        negbin_quantile(mean, dispersion, u)


def test_durations_are_rounded_once_half_to_even() -> None:
    assert [ticks(x / HOUR, HOUR) for x in (0.5, 1.5, 2.5, 2.51)] == [0, 2, 2, 3]
    assert ticks(1.0, HOUR) == HOUR
    assert ticks(-3.0, HOUR) == 0
    assert ticks(math.inf, HOUR) == ticks(1e300, HOUR) == NEVER
    with pytest.raises(ValueError, match="must be a number"):
        ticks(math.nan, HOUR)


@settings(deadline=None)  # the first call may compile or import
@given(st.floats(0, 1e12))
def test_ticks_are_those_of_exact_rounding(value: float) -> None:
    assert ticks(value, HOUR) == min(round(value * HOUR), NEVER)
