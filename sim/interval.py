"""The interval: a figure with what its sample can say about it, and the words for its strength."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, floor, inf, isfinite, log, log10
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scenarios.errors import InputRefused, Problem

Floats = NDArray[np.float64]
Strength = Literal["proven", "likely", "not proven"]

PROVEN_CONFIDENCE = 0.95
LIKELY_CONFIDENCE = 0.80
# Below this share of the estimate a spread is rounding error, not evidence of precision.
NO_SPREAD = 1e-12


@dataclass(frozen=True)
class Interval:
    """A figure from a sample with what the sample can say about it.

    Attributes:
        estimate: the figure, in the unit of the sample.
        low: lower end; -infinity where the sample is too small to give one.
        high: upper end; +infinity where the sample is too small to give one.
        confidence: nominal level, over all ``comparisons`` together.
        n: size of the sample (replications, or trials of a share).
        method: how the interval was formed, in words for a footnote.
        standard_error: of the estimate, for methods that rest on Student's distribution with n - 1 degrees of
            freedom (infinite when it cannot be estimated); ``None`` for the others.
        comparisons: number of intervals that hold at ``confidence`` simultaneously.
    """

    estimate: float
    low: float
    high: float
    confidence: float
    n: int
    method: str
    standard_error: float | None = None
    comparisons: int = 1

    @property
    def half_width(self) -> float:
        """Half the distance between the ends; infinite when an end is."""
        return (self.high - self.low) / 2

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies strictly outside the interval."""
        return self.excludes(0.0)

    def excludes(self, value: float) -> bool:
        """Whether ``value`` lies strictly outside the interval."""
        return value < self.low or value > self.high

    def at(self, confidence: float) -> Interval:
        """The same Student interval at another level.

        Raises:
            InputRefused: the method does not rest on a standard error (Wilson, order statistics).
        """
        if self.standard_error is None:
            raise InputRefused(
                Problem(
                    "interval",
                    self.method,
                    "only an interval with a standard error can change its level",
                    "form it again from the sample at the level wanted",
                )
            )
        return student_interval(self.estimate, self.standard_error, self.n, confidence, self.method, self.comparisons)

    def __str__(self) -> str:
        """Estimate and ends to two digits of the half-width: ``12.34 [11.80, 12.88] (95 %, n = 40)``.

        Three digits of the estimate where there is no finite half-width.
        """
        decimals = _decimals(self.half_width if isfinite(self.half_width) else self.estimate / 10)
        low, middle, high = (f"{value:,.{decimals}f}" for value in (self.low, self.estimate, self.high))
        if not (isfinite(self.low) or isfinite(self.high)):
            return f"{middle} (no interval: {self.method}, n = {self.n})"
        together = f" for {self.comparisons} together" if self.comparisons > 1 else ""
        return f"{middle} [{low}, {high}] ({100 * self.confidence:g} %{together}, n = {self.n})"


def student_interval(
    estimate: float, standard_error: float, n: int, confidence: float, method: str, comparisons: int = 1
) -> Interval:
    """Interval from an estimate and its standard error with n - 1 degrees of freedom.

    Raises:
        InputRefused: confidence outside (0, 1).
    """
    reach = student_quantile(confidence, n - 1, comparisons) * standard_error if isfinite(standard_error) else inf
    return Interval(estimate, estimate - reach, estimate + reach, confidence, n, method, standard_error, comparisons)


def held_within(interval: Interval, least: float = 0.0, most: float = 1.0) -> Interval:
    """The Student interval of a figure that cannot leave [least, most], formed on the scale of its log-odds.

    So its ends cannot leave them either, and lie closer on the side of the nearer end (delta method; Agresti 2013,
    section 3.1.6). Where the estimate is at an end itself, Wilson's interval for a share of ``n`` trials.

    Raises:
        InputRefused: the method does not rest on a standard error.
    """
    plain = interval.at(interval.confidence)
    size, error = most - least, plain.standard_error or 0.0
    share = min(max((plain.estimate - least) / size, 0.0), 1.0)
    reach = student_quantile(plain.confidence, plain.n - 1, plain.comparisons) if plain.n > 1 else inf
    inside = share * (1.0 - share)
    if not isfinite(error) or not isfinite(reach):
        low, high = 0.0, 1.0
    elif inside <= NO_SPREAD:
        beyond = reach**2 / (plain.n + reach**2)
        low, high = (0.0, beyond) if share < 0.5 else (1.0 - beyond, 1.0)
    else:
        odds, arm = log(share / (1.0 - share)), min(reach * error / size / inside, 500.0)
        low, high = (1.0 / (1.0 + exp(-min(max(odds + way, -500.0), 500.0))) for way in (-arm, arm))
    ends = (least + size * low, least + size * high)
    return replace(
        interval,
        low=min(ends[0], interval.estimate),
        high=max(ends[1], interval.estimate),
        method=f"{plain.method}, log-odds",
        standard_error=None,
    )


def student_quantile(confidence: float, degrees: int, comparisons: int = 1) -> float:
    """Two-sided Student quantile, its tails shared out over ``comparisons`` (Bonferroni).

    Raises:
        InputRefused: confidence outside (0, 1).
    """
    from scipy.special import stdtrit

    check_confidence(confidence)
    # The lower tail keeps its digits where 1 - tail would lose them.
    return -float(stdtrit(degrees, (1 - confidence) / (2 * comparisons)))


def strength(interval: Interval) -> Strength:
    """How surely a difference is not zero, in the words that pages use.

    *proven*: its 95 % interval excludes 0; *likely*: its 80 % interval does; else *not proven*. The
    interval's own level does not matter, the number of comparisons made together does. Where all replications
    gave the same difference the Student interval collapses to a point, which is no proof; there the exact
    sign test must agree (6 replications for *proven*, 4 for *likely*).

    Raises:
        InputRefused: an interval without a standard error (a share, a quantile): the words are for
            differences.
    """
    if _excludes_zero_at(interval, PROVEN_CONFIDENCE):
        return "proven"
    return "likely" if _excludes_zero_at(interval, LIKELY_CONFIDENCE) else "not proven"


def _excludes_zero_at(interval: Interval, confidence: float) -> bool:
    relevelled = interval.at(confidence)
    if relevelled.half_width > NO_SPREAD * abs(interval.estimate):
        return relevelled.excludes_zero
    chance_of_one_sign = interval.comparisons * 2 * 0.5**interval.n
    return interval.estimate != 0 and chance_of_one_sign <= 1 - confidence


def check_confidence(confidence: float) -> None:
    """Refuse a level outside (0, 1)."""
    if not 0 < confidence < 1:
        raise InputRefused(
            Problem("confidence", str(confidence), "must lie strictly between 0 and 1", "write 0.95 for 95 %")
        )


def replications(values: ArrayLike, where: str, axis: int = 0) -> Floats:
    """Values as floats with the replications on the first axis, shape [n, ...].

    Raises:
        InputRefused: no replications, or values that are not finite.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim == 0 or sample.shape[axis] == 0:
        raise InputRefused(Problem(where, f"shape {sample.shape}", "needs at least one replication"))
    broken = int(np.count_nonzero(~np.isfinite(sample)))
    if broken:
        raise InputRefused(
            Problem(
                where,
                f"{broken} of {sample.size} values not finite",
                "every replication must give a number",
                "leave out figures that are undefined in some replications, or take a ratio of means",
            )
        )
    return np.moveaxis(sample, axis, 0)


def one_sample(values: ArrayLike, where: str) -> Floats:
    """One number a replication, shape [n]; refuses anything else."""
    sample = replications(values, where)
    if sample.ndim != 1:
        raise InputRefused(Problem(where, f"shape {sample.shape}", "must be one number a replication"))
    return sample


def one_pair(first: ArrayLike, second: ArrayLike, where: str) -> tuple[Floats, Floats]:
    """Two samples over the same replications, shape [n] each; refuses different lengths."""
    left, right = one_sample(first, where), one_sample(second, where)
    if len(left) != len(right):
        raise InputRefused(
            Problem(
                where,
                f"{len(left)} and {len(right)} replications",
                "pairs need the same replications on both sides",
                "run both worlds with the same seed and number of replications",
            )
        )
    return left, right


def _decimals(scale: float) -> int:
    """Decimals that show two digits of ``scale``."""
    if scale == 0 or not isfinite(scale):
        return 0
    return min(12, max(0, 1 - floor(log10(abs(scale)))))
