"""Distributions of quantities that cannot be negative: effort, delays, values, gaps.

A distribution holds numbers without a unit; the field that holds it names the unit (``effort_hours``,
``delay_days``). Each is described by what planners know, its mean and its coefficient of variation
(standard deviation divided by mean), and offers its mean, standard deviation and quantiles.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from scenarios.errors import InputRefused, Problem

# Strict, so that neither True nor a text passes for a number.
Amount = Annotated[float, Field(strict=True, ge=0, le=1e15)]
Mean = Annotated[float, Field(strict=True, gt=0, le=1e15)]
Spread = Annotated[float, Field(strict=True, ge=0.01, le=10)]

Floats = NDArray[np.float64]


class Family(BaseModel):
    """What all families have in common; values are >= 0 and equal by content."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @abstractmethod
    def mean_value(self) -> float:
        """The expected value."""

    @abstractmethod
    def sd(self) -> float:
        """The standard deviation."""

    @abstractmethod
    def tail_quantiles(self, tail: Floats, *, upper: bool) -> Floats:
        """Values that a share ``tail`` of the mass lies below (``upper``: above); exact in both far tails.

        Args:
            tail: probabilities in (0, 1), any shape.
            upper: measure the probability from the upper end.
        """

    def quantile(self, u: float) -> float:
        """The smallest value that is not exceeded with probability ``u``.

        Raises:
            ValueError: ``u`` is not inside (0, 1).
        """
        if not 0 < u < 1:
            raise ValueError(f"0 < u < 1 must hold, got u={u}")
        upper = u > 0.5
        tail = np.array([1 - u if upper else u])
        return float(self.tail_quantiles(tail, upper=upper)[0])

    def scaled(self, factor: float) -> Self:
        """The distribution of the quantity times ``factor``; the coefficient of variation stays.

        Raises:
            InputRefused: ``factor`` is not a positive number.
        """
        if not (math.isfinite(factor) and factor > 0):
            raise InputRefused(Problem("factor", repr(factor), "a scale factor must be a positive number"))
        return self._times(factor)

    @abstractmethod
    def _times(self, factor: float) -> Self: ...


class Fixed(Family):
    """Always the same value."""

    family: Literal["fixed"] = "fixed"
    value: Amount

    def mean_value(self) -> float:
        return self.value

    def sd(self) -> float:
        return 0.0

    def tail_quantiles(self, tail: Floats, *, upper: bool) -> Floats:  # noqa: ARG002 - no tail to measure
        return np.full_like(tail, self.value)

    def _times(self, factor: float) -> Self:
        return type(self)(value=self.value * factor)


class Exponential(Family):
    """Memoryless; the standard deviation equals the mean."""

    family: Literal["exponential"] = "exponential"
    mean: Mean

    def mean_value(self) -> float:
        return self.mean

    def sd(self) -> float:
        return self.mean

    def tail_quantiles(self, tail: Floats, *, upper: bool) -> Floats:
        return -self.mean * _log_survival(tail, upper)

    def _times(self, factor: float) -> Self:
        return type(self)(mean=self.mean * factor)


class _MeanAndSpread(Family):
    """Families given by mean and coefficient of variation ``cv``, from 0.01 to 10."""

    mean: Mean
    cv: Spread

    def mean_value(self) -> float:
        return self.mean

    def sd(self) -> float:
        return self.mean * self.cv

    def _times(self, factor: float) -> Self:
        return self.model_validate({**self.model_dump(), "mean": self.mean * factor})


class Lognormal(_MeanAndSpread):
    """The logarithm is normal: many small values and a heavy upper tail."""

    family: Literal["lognormal"] = "lognormal"

    def tail_quantiles(self, tail: Floats, *, upper: bool) -> Floats:
        from scipy.special import ndtri

        variance = math.log1p(self.cv**2)
        centre = math.log(self.mean) - variance / 2
        sign = -1.0 if upper else 1.0
        return _each(math.exp, centre + sign * math.sqrt(variance) * ndtri(tail))


class Gamma(_MeanAndSpread):
    """A sum of exponential steps; shape ``cv**-2``."""

    family: Literal["gamma"] = "gamma"

    def tail_quantiles(self, tail: Floats, *, upper: bool) -> Floats:
        from scipy.special import gammainccinv, gammaincinv

        shape = self.cv**-2
        inverse = gammainccinv if upper else gammaincinv
        quantiles: Floats = self.mean / shape * inverse(shape, tail)
        return quantiles


class Weibull(_MeanAndSpread):
    """Times to an event whose hazard rises (cv below 1) or falls (cv above 1) with age."""

    family: Literal["weibull"] = "weibull"

    def shape(self) -> float:
        """The exponent k that gives this coefficient of variation."""
        from scipy.optimize import brentq
        from scipy.special import gammaln

        wanted = math.log1p(self.cv**2)

        def excess(log_k: float) -> float:
            step = math.exp(-log_k)
            return float(gammaln(1 + 2 * step) - 2 * gammaln(1 + step)) - wanted

        return math.exp(brentq(excess, math.log(0.05), math.log(500), xtol=1e-15, rtol=1e-14))

    def tail_quantiles(self, tail: Floats, *, upper: bool) -> Floats:
        power = 1 / self.shape()
        scale = self.mean / math.gamma(1 + power)
        return scale * _each(lambda x: math.pow(x, power), -_log_survival(tail, upper))


class Uniform(Family):
    """Every value between ``low`` and ``high`` equally likely."""

    family: Literal["uniform"] = "uniform"
    low: Amount
    high: Amount

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(
                f"low < high must hold, got low={self.low:g}, high={self.high:g}; for one value use family fixed"
            )
        return self

    def mean_value(self) -> float:
        return (self.low + self.high) / 2

    def sd(self) -> float:
        return (self.high - self.low) / math.sqrt(12)

    def tail_quantiles(self, tail: Floats, *, upper: bool) -> Floats:
        span = self.high - self.low
        return self.high - span * tail if upper else self.low + span * tail

    def _times(self, factor: float) -> Self:
        return type(self)(low=self.low * factor, high=self.high * factor)


class Triangular(Family):
    """At least ``low``, most often ``mode``, at most ``high``: three guesses of an expert."""

    family: Literal["triangular"] = "triangular"
    low: Amount
    mode: Amount
    high: Amount

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not (self.low <= self.mode <= self.high and self.low < self.high):
            raise ValueError(
                "low <= mode <= high and low < high must hold, "
                f"got low={self.low:g}, mode={self.mode:g}, high={self.high:g}"
            )
        return self

    def mean_value(self) -> float:
        return (self.low + self.mode + self.high) / 3

    def sd(self) -> float:
        left, right = self.mode - self.low, self.high - self.mode
        return math.sqrt((left * left + left * right + right * right) / 18)

    def tail_quantiles(self, tail: Floats, *, upper: bool) -> Floats:
        span, left, right = self.high - self.low, self.mode - self.low, self.high - self.mode
        below = 1 - tail if upper else tail
        above = tail if upper else 1 - tail
        rising = self.low + np.sqrt(below * span * left)
        falling = self.high - np.sqrt(above * span * right)
        return np.where(below * span <= left, rising, falling)

    def _times(self, factor: float) -> Self:
        return type(self)(low=self.low * factor, mode=self.mode * factor, high=self.high * factor)


class Empirical(Family):
    """Observed values, each with its weight (default: equal).

    ``linear=False`` draws exactly these values. ``linear=True`` joins them: the quantile function is linear
    between the middles of the values' shares and level beyond the outer ones (Hyndman and Fan 1996,
    definition 5); with equal weights its mean is the mean of the values.
    """

    family: Literal["empirical"] = "empirical"
    values: tuple[Amount, ...] = Field(min_length=1)
    weights: tuple[Amount, ...] | None = None
    linear: bool = False

    @model_validator(mode="after")
    def _weighted(self) -> Self:
        if self.weights is None:
            return self
        if len(self.weights) != len(self.values):
            raise ValueError(
                f"each value needs one weight, got {len(self.values)} values and {len(self.weights)} weights"
            )
        if not 0 < sum(self.weights) < math.inf:
            raise ValueError(f"the sum of the weights must be positive and finite, got {sum(self.weights):g}")
        return self

    def steps(self) -> tuple[Floats, Floats]:
        """The values that have weight, ascending, and the probability of each or one before it; ends in 1."""
        weights = np.ones(len(self.values)) if self.weights is None else np.array(self.weights)
        values = np.array(self.values)
        order = np.argsort(values, kind="stable")
        order = order[weights[order] > 0]
        upto = np.cumsum(weights[order])
        return values[order], upto / upto[-1]

    def knots(self) -> tuple[Floats, Floats]:
        """The joints of the linear quantile function: values, and probabilities that rise from 0 to 1."""
        values, upto = self.steps()
        middles = (np.append(0.0, upto[:-1]) + upto) / 2
        return values[[0, *range(len(values)), -1]], np.concatenate([[0.0], middles, [1.0]])

    def mean_value(self) -> float:
        return self._moments()[0]

    def sd(self) -> float:
        return self._moments()[1]

    def _moments(self) -> tuple[float, float]:
        if self.linear:
            values, upto = self.knots()
            left, right, share = values[:-1], values[1:], np.diff(upto)
            mean = math.fsum(share * (left + right) / 2)
            left, right = left - mean, right - mean
            return mean, math.sqrt(math.fsum(share * (left * left + left * right + right * right) / 3))
        values, upto = self.steps()
        share = np.diff(upto, prepend=0.0)
        mean = math.fsum(share * values)
        return mean, math.sqrt(math.fsum(share * (values - mean) ** 2))

    def tail_quantiles(self, tail: Floats, *, upper: bool) -> Floats:
        u = 1 - tail if upper else tail
        if self.linear:
            values, upto = self.knots()
            return np.interp(u, upto, values)
        values, upto = self.steps()
        return values[np.searchsorted(upto, u, side="left")]

    def _times(self, factor: float) -> Self:
        values = tuple(value * factor for value in self.values)
        return type(self)(values=values, weights=self.weights, linear=self.linear)


Distribution = Annotated[
    Fixed | Exponential | Lognormal | Gamma | Weibull | Uniform | Triangular | Empirical,
    Field(discriminator="family"),
]
"""Any of the families, told apart by ``family``."""


def _each(function: Callable[[float], float], x: Floats) -> Floats:
    """Element by element through libm: numpy's own exp and log differ between processors in the last bit."""
    return np.array([function(value) for value in x.ravel().tolist()], dtype=np.float64).reshape(x.shape)


def _log_survival(tail: Floats, upper: bool) -> Floats:
    """log P(X > x) at the value with this tail probability."""
    return _each(math.log, tail) if upper else _each(math.log1p, -tail)
