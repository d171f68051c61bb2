"""Daily arrivals: level, trend, week, season, and how much more they scatter than a Poisson process.

A log-linear model with trend and weekday is fitted by iterated weighted least squares (McCullagh and Nelder 1989);
dispersion is Pearson's statistic over its degrees of freedom, so 1 is Poisson.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from history.crm import History
from scenarios.errors import InputRefused, Problem

_DAYS = 28
"""Fewer whole days than this cannot tell a week from a trend."""

_ROUNDING = 1e-12
"""A dispersion below this is nothing but the rounding of the fit."""


@dataclass(frozen=True, eq=False)
class Arrivals:
    """What daily arrivals look like.

    Attributes:
        first, last: first and last day counted (whole days in the history's time zone).
        days, cases: how many of each.
        level: mean arrivals a day; ``level_low``, ``level_high`` its 95 % interval, widened by the dispersion.
        weekday: index Monday to Sunday, mean 1, shape (7,).
        month: index January to December after removing weekday (trend kept), mean 1 over the months seen; NaN
            where fewer than 15 days of a month were seen, shape (12,).
        trend_per_year: factor per 365 days; NaN where less than 90 days were seen.
        raw_dispersion: variance / mean of daily counts.
        dispersion: the same after removing weekday and trend; ``dispersion_low``, ``dispersion_high`` 95 % interval.
        counts: daily counts, index the local date (naive midnight).
    """

    first: pd.Timestamp
    last: pd.Timestamp
    days: int
    cases: int
    level: float
    level_low: float
    level_high: float
    weekday: np.ndarray
    month: np.ndarray
    trend_per_year: float
    raw_dispersion: float
    dispersion: float
    dispersion_low: float
    dispersion_high: float
    counts: pd.Series


def daily_counts(history: History) -> pd.Series:
    """New opportunities per local day, zero days included.

    The window begins with the first creation, or where the export's beginning is cut (``observed_from``) there, and
    ends with the last creation, because exports are often cut by creation date before the data date. Where
    creations carry a time of day, both edge days may be partial and are left out.
    """
    moments = history.opportunities["created"].dt.tz_localize(None)
    created = moments.dt.normalize()
    if (moments != created).any():
        created = created[(created > created.min()) & (created < created.max())]
    if history.observed_from is not None:
        created = created[created >= history.observed_from.tz_localize(None).normalize()]
    if created.empty:
        return pd.Series(dtype="int64", name="arrivals")
    days = pd.date_range(created.min(), created.max(), freq="D")
    counts: pd.Series = created.value_counts().reindex(days, fill_value=0).astype("int64").rename("arrivals")
    return counts


def daily_arrivals(history: History) -> Arrivals:
    """Level, week, season, trend and dispersion of a history's new opportunities.

    Raises:
        InputRefused: fewer than 28 days between the first and the last creation.
    """
    return describe(daily_counts(history))


def describe(counts: pd.Series) -> Arrivals:
    """The same for a series of daily counts indexed by consecutive dates."""
    days = len(counts)
    if days < _DAYS:
        rule = f"at least {_DAYS} consecutive days are needed"
        raise InputRefused(Problem("arrivals", f"{days} days", rule, "use a longer export"))
    dates = pd.DatetimeIndex(counts.index)
    y = counts.to_numpy(dtype=float)
    weekday = dates.day_of_week.to_numpy()
    expected, slope = _fit(y, weekday)
    parameters = 1 + len(np.unique(weekday[y > 0]))
    used = expected > 0
    pearson = float(((y[used] - expected[used]) ** 2 / expected[used]).sum())
    freedom = int(used.sum()) - parameters
    dispersion = pearson / freedom
    level = float(y.mean())
    half = float(stats.norm.ppf(0.975)) * np.sqrt(max(dispersion, 1.0) * level / days)
    by_day = np.array([y[weekday == day].mean() for day in range(7)])
    low, high = _dispersion_interval(y[used], expected[used], freedom)
    return Arrivals(
        first=dates[0],
        last=dates[-1],
        days=days,
        cases=int(y.sum()),
        level=level,
        level_low=max(0.0, level - half),
        level_high=level + half,
        weekday=by_day / by_day.mean(),
        month=_months(y, by_day[weekday] / by_day.mean(), dates),
        trend_per_year=float(np.exp(slope * 365)) if days >= 90 else float("nan"),
        raw_dispersion=float(y.var(ddof=1) / level),
        dispersion=dispersion,
        dispersion_low=low,
        dispersion_high=high,
        counts=counts,
    )


def _fit(y: np.ndarray, weekday: np.ndarray) -> tuple[np.ndarray, float]:
    """Expected counts and slope per day of log(mean) = weekday + slope * day; weekdays without any case stay 0."""
    alive = np.unique(weekday[y > 0])
    rows = np.isin(weekday, alive)
    time = np.arange(len(y), dtype=float) - (len(y) - 1) / 2
    design = np.column_stack([time, *[(weekday == day).astype(float) for day in alive]])[rows]
    target = y[rows]
    eta = np.log(np.maximum(target, 0.5))
    for _ in range(60):
        mean = np.exp(eta)
        working = eta + (target - mean) / mean
        root = np.sqrt(mean)
        beta = np.linalg.lstsq(design * root[:, None], working * root, rcond=None)[0]
        new = design @ beta
        step = float(np.abs(new - eta).max())
        eta = new
        if step < 1e-10:
            break
    expected = np.zeros_like(y)
    expected[rows] = np.exp(eta)
    return expected, float(beta[0])


def _dispersion_interval(y: np.ndarray, expected: np.ndarray, freedom: int) -> tuple[float, float]:
    """Interval of the dispersion on the log scale; its variance comes from the scatter of the daily terms.

    Counts that are exactly as expected on every day have neither dispersion nor scatter: 0 and 0.
    """
    terms = (y - expected) ** 2 / expected
    mean = terms.sum() / freedom
    if mean < _ROUNDING:
        return 0.0, 0.0
    se = terms.std(ddof=1) / np.sqrt(len(terms)) / mean
    z = float(stats.norm.ppf(0.975))
    return float(mean * np.exp(-z * se)), float(mean * np.exp(z * se))


def _months(y: np.ndarray, week: np.ndarray, dates: pd.DatetimeIndex) -> np.ndarray:
    index = np.full(12, np.nan)
    month = dates.month.to_numpy()
    for number in range(12):
        rows = month == number + 1
        if rows.sum() >= 15:
            index[number] = y[rows].sum() / week[rows].sum()
    seen = ~np.isnan(index)
    if seen.any():
        index[seen] /= index[seen].mean()
    return index
