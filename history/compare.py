"""Plain key figures of a history, and its comparisons in time and between reps, teams, products and regions.

Every table is tidy: one row per unit or period. Amounts are signed value in minor units and book by closing date.
A win rate comes twice: ``closed_rate`` as reports usually give it (won of all closed in the period) and ``rate`` by
cohort, which does not count young deals as lost (:mod:`history.survival`).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from history.crm import History
from history.record import day_count
from history.survival import WON, conversion, delay_quantiles, incidence, observations
from scenarios.errors import InputRefused, Problem
from sim.binomial import wilson_bounds

Period = Literal["month", "quarter", "year"]
DIMENSIONS = ("rep", "team", "region", "account", "segment", "product", "source")
KPI_COLUMNS = (
    "opportunities",
    "open",
    "won",
    "lost",
    "revenue_minor",
    "order_value_minor",
    "closed_rate",
    "closed_low",
    "closed_high",
    "rate",
    "low",
    "high",
    "unresolved",
    "cycle_median_days",
)
_FREQ = {"month": "M", "quarter": "Q", "year": "Y"}


def overall(history: History) -> pd.DataFrame:
    """One row with the key figures of the whole history.

    Columns: ``opportunities`` (created), ``open``, ``won``, ``lost``, ``revenue_minor`` (signed value of the wins),
    ``order_value_minor`` (mean of the wins), ``closed_rate`` with Wilson ``closed_low``, ``closed_high``, cohort
    ``rate`` with ``low``, ``high`` and ``unresolved``, ``cycle_median_days`` (of wins, corrected for open deals).
    """
    return pd.DataFrame([_figures(history.opportunities, _ages(history), True)], columns=list(KPI_COLUMNS))


def by_unit(history: History, by: str) -> pd.DataFrame:
    """The key figures of :func:`overall` for each rep, team, region, account, segment, product or source.

    First column ``unit``. Deals without the attribute are left out. Cohort figures are missing where open deals
    lack the attribute (their cohort would hold decided deals only), and for the reps of an event log (who works a
    case late was chosen by its success so far; compare them by stage with :func:`history.skill.rep_spreads`).

    Raises:
        InputRefused: an unknown dimension, or one that the export does not tell.
    """
    if by not in DIMENSIONS:
        raise InputRefused(Problem("by", by, f"must be one of {', '.join(DIMENSIONS)}"))
    deals = history.opportunities
    known = deals[by].notna()
    if not known.any():
        rule = "the export does not tell this attribute"
        raise InputRefused(Problem("by", by, rule, "map a column or a side table to it"))
    fair = not ((deals["outcome"] == "open") & ~known).any() and not (by == "rep" and history.kind == "events")
    ages = _ages(history)
    rows = [
        {"unit": unit, **_figures(group, ages.loc[group.index], fair)}
        for unit, group in deals[known].groupby(by, sort=True)
    ]
    return pd.DataFrame(rows, columns=["unit", *KPI_COLUMNS])


def by_period(history: History, period: Period = "month") -> pd.DataFrame:
    """What was created and what was closed in each calendar period, against the period and the year before.

    Columns: ``period`` (its first day); ``created_complete``, ``closed_complete`` (True where the data cover all
    creations, or all closings, of the period: closings are covered once the deals of one usual cycle have entered);
    ``opportunities`` (created in it); ``won``, ``lost``, ``revenue_minor``, ``order_value_minor``, ``closed_rate``,
    ``closed_low``, ``closed_high``; ``new_customers`` (accounts with their first win; ``<NA>`` in the first year of
    data, when nobody can tell who is new); and changes as ratios minus 1, ``<figure>_on_period`` and
    ``<figure>_on_year``, for opportunities, won, revenue_minor and order_value_minor (NaN unless both are covered).
    """
    deals, freq = history.opportunities, _frequency(period)
    created = deals["created"].dt.tz_localize(None).dt.to_period(freq)
    closed = deals["closed"].dt.tz_localize(None).dt.to_period(freq)
    span = pd.period_range(created.min(), history.snapshot.tz_localize(None).to_period(freq), freq=freq)
    won, lost = deals["outcome"] == "won", deals["outcome"] == "lost"
    table = pd.DataFrame(index=span)
    table["opportunities"] = created.value_counts().reindex(span, fill_value=0)
    table["won"] = closed[won].value_counts().reindex(span, fill_value=0)
    table["lost"] = closed[lost].value_counts().reindex(span, fill_value=0)
    revenue = deals["value_minor"][won].fillna(0).groupby(closed[won]).sum()
    table["revenue_minor"] = revenue.reindex(span, fill_value=0).astype("int64")
    table["order_value_minor"] = table["revenue_minor"] / table["won"].where(table["won"] > 0)
    _add_rate(table)
    table["new_customers"] = _new_customers(deals[won], span, freq)
    created_in, closed_in = coverage(history)
    table.insert(0, "closed_complete", _covered(span, *closed_in))
    table.insert(0, "created_complete", _covered(span, *created_in))
    steps = {"month": 12, "quarter": 4, "year": 1}[period]
    for figure in ("opportunities", "won", "revenue_minor", "order_value_minor"):
        table[f"{figure}_on_period"] = _change(table, figure, 1)
        table[f"{figure}_on_year"] = _change(table, figure, steps)
    table.insert(0, "period", span.to_timestamp())
    return table.reset_index(drop=True)


def by_cohort(history: History, period: Period = "month") -> pd.DataFrame:
    """Win rate of the deals created in each period.

    Columns: ``period``, ``opportunities``, ``won``, ``lost``, ``open``, ``rate``, ``low``, ``high``, ``unresolved`` and
    ``naive`` (won of decided, which flatters or slanders young cohorts). The rate is NaN for cohorts that the export
    shows only from a later age on.
    """
    ages = _ages(history)
    cohort = history.opportunities["created"].dt.tz_localize(None).dt.to_period(_frequency(period))
    rows = []
    for start, rows_of in ages.groupby(cohort, sort=True):
        found = incidence(*(rows_of[name].to_numpy() for name in ("days", "ended", "entry")))
        result = conversion(found)
        rows.append(
            {
                "period": start.to_timestamp(),
                "opportunities": found.cases,
                "won": found.won_cases,
                "lost": found.lost_cases,
                "open": found.open_cases,
                "rate": result.rate,
                "low": result.low,
                "high": result.high,
                "unresolved": result.unresolved,
                "naive": result.naive,
            }
        )
    return pd.DataFrame(rows)


def _frequency(period: str) -> str:
    if period not in _FREQ:
        raise InputRefused(Problem("period", period, f"must be one of {', '.join(_FREQ)}"))
    return _FREQ[period]


def _ages(history: History) -> pd.DataFrame:
    """Observations with the index of the opportunities."""
    return observations(history).set_axis(history.opportunities.index)


def _figures(deals: pd.DataFrame, ages: pd.DataFrame, fair: bool) -> dict[str, float]:
    won = deals["outcome"] == "won"
    lost = int((deals["outcome"] == "lost").sum())
    wins, revenue = int(won.sum()), int(deals["value_minor"][won].fillna(0).sum())
    decided = wins + lost
    rate, low, high = (float(part) for part in wilson_bounds(wins, decided))
    figures: dict[str, float] = {
        "opportunities": len(deals),
        "open": len(deals) - decided,
        "won": wins,
        "lost": lost,
        "revenue_minor": revenue,
        "order_value_minor": revenue / wins if wins else np.nan,
        "closed_rate": rate,
        "closed_low": low if decided else np.nan,
        "closed_high": high if decided else np.nan,
    }
    if not fair:
        return figures
    found = incidence(*(ages[name].to_numpy() for name in ("days", "ended", "entry")))
    result = conversion(found)
    figures |= {"rate": result.rate, "low": result.low, "high": result.high, "unresolved": result.unresolved}
    figures["cycle_median_days"] = float(delay_quantiles(found, WON, np.array([0.5]))[0])
    return figures


def _add_rate(table: pd.DataFrame) -> None:
    decided = (table["won"] + table["lost"]).to_numpy()
    table["closed_rate"], low, high = wilson_bounds(table["won"].to_numpy(), decided)
    table["closed_low"] = np.where(decided > 0, low, np.nan)
    table["closed_high"] = np.where(decided > 0, high, np.nan)


def coverage(history: History) -> tuple[tuple[pd.Timestamp, pd.Timestamp], tuple[pd.Timestamp, pd.Timestamp]]:
    """Within which local times the export shows all creations, and all closings: two (begin, end) pairs.

    A log that begins with its first case shows few closings at first, because older deals are not in it; and one
    that holds no new cases at the end shows too few there.
    """
    deals = history.opportunities
    edge, first, last = history.observed_from, deals["created"].min(), deals["created"].max()
    cycle = day_count(deals["closed"], deals["created"]).quantile(0.9)
    filled = first + pd.Timedelta(days=0 if np.isnan(cycle) else float(cycle))
    cut = history.snapshot - last > pd.Timedelta(days=7)
    end = last if cut else history.snapshot
    created = (first if edge is None else edge, end)
    closed = (filled if edge is None else max(edge, filled), end)
    local = [moment.tz_localize(None) for moment in (*created, *closed)]
    return (local[0], local[1]), (local[2], local[3])


def _covered(span: pd.PeriodIndex, begin: pd.Timestamp, end: pd.Timestamp) -> np.ndarray:
    one_day = pd.Timedelta(days=1)
    return np.asarray((span.to_timestamp() + one_day > begin) & (span.to_timestamp(how="end") < end + one_day))


def _new_customers(won: pd.DataFrame, span: pd.PeriodIndex, freq: str) -> pd.Series:
    firsts = won[won["account"].notna()].groupby("account")["closed"].min().dt.tz_localize(None)
    counts = firsts.dt.to_period(freq).value_counts().reindex(span, fill_value=0).astype("Int64")
    known_from = won["closed"].min().tz_localize(None) + pd.Timedelta(days=365) if len(won) else pd.Timestamp.max
    known: pd.Series = counts.mask(span.to_timestamp() < known_from)
    return known


def _change(table: pd.DataFrame, figure: str, steps: int) -> pd.Series:
    covered = table["created_complete" if figure == "opportunities" else "closed_complete"]
    now, then = table[figure].astype(float), table[figure].astype(float).shift(steps)
    both = covered & covered.shift(steps, fill_value=False)
    change: pd.Series = (now / then.where(then > 0) - 1).where(both)
    return change
