"""Distributions as planners give them: moments, quantiles, refusals."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy import integrate, stats

from scenarios.distributions import (
    Distribution,
    Empirical,
    Exponential,
    Family,
    Fixed,
    Gamma,
    Lognormal,
    Triangular,
    Uniform,
    Weibull,
)
from scenarios.errors import InputRefused
from scenarios.ticks import DAY, HOUR, NEVER, days, hours

ANY: TypeAdapter[Distribution] = TypeAdapter(Distribution)

EXAMPLES: list[Family] = [
    Fixed(value=4),
    Exponential(mean=2.5),
    Lognormal(mean=3, cv=1.2),
    Gamma(mean=8, cv=0.4),
    Gamma(mean=8, cv=2),
    Weibull(mean=5, cv=0.6),
    Weibull(mean=5, cv=1.7),
    Uniform(low=1, high=4),
    Triangular(low=1, mode=2, high=6),
    Triangular(low=2, mode=2, high=6),
    Triangular(low=2, mode=6, high=6),
    Empirical(values=(3, 1, 2, 2), weights=(1, 0.5, 2, 0)),
    Empirical(values=(3, 1, 2, 2), linear=True),
    Empirical(values=(3, 1, 10), weights=(1, 5, 2), linear=True),
    Empirical(values=(7,), linear=True),
]


def moments(distribution: Family) -> tuple[float, float]:
    """Mean and standard deviation as integrals of the quantile function, tail by tail on a log scale."""

    def part(upper: bool, power: int) -> float:
        def integrand(z: float) -> float:
            tail = math.exp(-z)
            value = float(distribution.tail_quantiles(np.array([tail]), upper=upper)[0])
            return float(value**power * tail)

        edges = [math.log(2), 1, 1.5, 2, 3, 5, 10, 20, 60, 300]
        pieces = (
            integrate.quad(integrand, a, b, epsabs=1e-13, epsrel=1e-11, limit=200)[0]
            for a, b in itertools.pairwise(edges)
        )
        return math.fsum(pieces)

    mean = part(False, 1) + part(True, 1)
    return mean, math.sqrt(max(part(False, 2) + part(True, 2) - mean * mean, 0.0))


@pytest.mark.parametrize("distribution", EXAMPLES, ids=repr)
def test_moments_are_those_of_the_quantiles(distribution: Family) -> None:
    mean, sd = moments(distribution)
    steps = isinstance(distribution, Empirical)  # quadrature sees jumps and joints only to this accuracy
    assert distribution.mean_value() == pytest.approx(mean, rel=1e-6 if steps else 1e-9)
    assert distribution.sd() == pytest.approx(sd, rel=1e-5 if steps else 1e-7, abs=1e-6)


@pytest.mark.parametrize(
    ("distribution", "peer"),
    [
        (Exponential(mean=2.5), stats.expon(scale=2.5)),
        (
            Lognormal(mean=3, cv=1.2),
            stats.lognorm(math.sqrt(math.log(2.44)), scale=3 / math.sqrt(2.44)),
        ),
        (Gamma(mean=8, cv=0.4), stats.gamma(6.25, scale=1.28)),
        (Weibull(mean=5, cv=1), stats.weibull_min(1, scale=5)),
        (Weibull(mean=5, cv=math.sqrt(5)), stats.weibull_min(0.5, scale=2.5)),
        (Uniform(low=1, high=4), stats.uniform(1, 3)),
        (Triangular(low=1, mode=2, high=6), stats.triang(0.2, loc=1, scale=5)),
    ],
    ids=lambda value: repr(value) if isinstance(value, Family) else "scipy",
)
def test_quantiles_agree_with_scipy(distribution: Family, peer: Any) -> None:
    for u in (1e-12, 1e-3, 0.2, 0.5, 0.77, 0.999):
        assert distribution.quantile(u) == pytest.approx(peer.ppf(u), rel=1e-11)
    tails = np.array([1e-15, 1e-6, 0.3])
    np.testing.assert_allclose(distribution.tail_quantiles(tails, upper=True), peer.isf(tails), rtol=1e-11)


def test_empirical_quantiles() -> None:
    steps = Empirical(values=(5, 1, 2), weights=(1, 1, 2))
    assert [steps.quantile(u) for u in (0.01, 0.25, 0.26, 0.75, 0.76)] == [1, 1, 2, 2, 5]
    values = (5.0, 1.0, 2.0, 2.0, 9.0)
    joined = Empirical(values=values, linear=True)
    for u in np.linspace(0.01, 0.99, 57):
        assert joined.quantile(u) == pytest.approx(np.quantile(values, u, method="hazen"), rel=1e-12)
    assert joined.mean_value() == pytest.approx(np.mean(values), rel=1e-15)


@pytest.mark.parametrize("distribution", EXAMPLES, ids=repr)
def test_scaling_scales_everything(distribution: Family) -> None:
    twice = distribution.scaled(2.0)
    assert type(twice) is type(distribution)
    assert twice.mean_value() == pytest.approx(2 * distribution.mean_value(), rel=1e-14)
    assert twice.sd() == pytest.approx(2 * distribution.sd(), rel=1e-14)
    assert twice.quantile(0.3) == pytest.approx(2 * distribution.quantile(0.3), rel=1e-13)


@pytest.mark.parametrize("distribution", EXAMPLES, ids=repr)
def test_a_distribution_survives_its_file_form(distribution: Family) -> None:
    assert ANY.validate_python(distribution.model_dump(mode="json")) == distribution
    assert hash(ANY.validate_json(distribution.model_dump_json())) == hash(distribution)


@settings(deadline=None)  # the first call may compile or import
@given(st.sampled_from(EXAMPLES), st.floats(1e-9, 1 - 1e-9), st.floats(1e-9, 1 - 1e-9))
def test_quantiles_rise_and_are_not_negative(distribution: Family, u: float, v: float) -> None:
    low, high = sorted((u, v))
    assert 0 <= distribution.quantile(low) <= distribution.quantile(high) * (1 + 1e-14)


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"family": "uniform", "low": 3, "high": 1}, "low < high must hold, got low=3, high=1"),
        ({"family": "uniform", "low": 3, "high": 3}, "use family fixed"),
        ({"family": "triangular", "low": 1, "mode": 5, "high": 4}, "low <= mode <= high"),
        ({"family": "triangular", "low": 1, "mode": 1, "high": 1}, "low=1, mode=1, high=1"),
        ({"family": "empirical", "values": []}, "at least 1"),
        ({"family": "empirical", "values": [1, 2], "weights": [1]}, "got 2 values and 1 weights"),
        ({"family": "empirical", "values": [1, 2], "weights": [0, 0]}, "positive and finite, got 0"),
        ({"family": "empirical", "values": [1, -2]}, "greater than or equal to 0"),
        ({"family": "fixed", "value": -1}, "greater than or equal to 0"),
        ({"family": "fixed", "value": True}, "valid number"),
        ({"family": "fixed", "value": "3"}, "valid number"),
        ({"family": "exponential", "mean": 0}, "greater than 0"),
        ({"family": "exponential", "mean": float("nan")}, "finite"),
        ({"family": "exponential", "mean": float("inf")}, "finite"),
        ({"family": "lognormal", "mean": 1, "cv": 0}, "greater than or equal to 0.01"),
        ({"family": "gamma", "mean": 1, "cv": 1, "sd": 2}, "not permitted"),
        ({"family": "normal", "mean": 1, "cv": 1}, "'lognormal'"),
        ({"mean": 1, "cv": 1}, "family"),
    ],
)
def test_nonsense_is_refused_in_words(given_: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        ANY.validate_python(given_)
    assert words in str(refusal.value)


@pytest.mark.parametrize("factor", [0.0, -1.0, math.nan, math.inf])
def test_a_scale_factor_is_positive(factor: float) -> None:
    with pytest.raises(InputRefused, match="must be a positive number"):
        Fixed(value=1).scaled(factor)


@pytest.mark.parametrize("u", [0.0, 1.0, -0.1, math.nan])
def test_quantiles_exist_inside_the_unit_interval(u: float) -> None:
    with pytest.raises(ValueError, match="0 < u < 1 must hold"):
        Exponential(mean=1).quantile(u)


def test_ticks_are_whole_milliseconds() -> None:
    assert (HOUR, DAY) == (3_600_000, 86_400_000)
    assert hours(1.5) == 5_400_000
    assert days(1 / 3) == 28_800_000
    assert hours(0.5 / HOUR) == 0
    assert hours(1.5 / HOUR) == 2
    assert 2 * NEVER < 2**63
    with pytest.raises(ValueError):
        hours(math.nan)
