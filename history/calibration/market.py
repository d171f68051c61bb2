"""What comes in and what it is worth: lead sources, products and segments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from history.arrivals import Arrivals, daily_counts, describe
from history.calibration.evidence import Basis, Evidence, clean_ids
from history.calibration.funnel import shifts
from history.calibration.people import People
from history.calibration.values import amounts
from history.skill import rep_spreads

_KNOWN = 0.5
"""An attribute enters the scenario where at least this share of the deals tells it."""
_MANY = 40
"""An attribute with more values than this is no grouping."""
_SMALL_SOURCE = 60
"""Sources with fewer leads than this are put together: their arrivals cannot be described."""
_YEAR_DAYS = 365
_FEWEST_DEALS = 30
"""Reps with fewer deals than this say nothing on their product mix."""
_REST = "other"


@dataclass(frozen=True, eq=False)
class Market:
    """What is asked for, and by whom.

    Attributes:
        sources, products, segments: sections of the scenario's document.
        groups: for each of the fields ``product``, ``segment`` and ``source`` the id of every opportunity's own, in
            the order of the history's opportunities; missing where it has none.
        order_value: mean signed value of the won deals that have one, in currency units.
    """

    sources: list[dict[str, Any]]
    products: list[dict[str, Any]]
    segments: list[dict[str, Any]]
    groups: pd.DataFrame
    order_value: float


def market_of(basis: Basis, people: People, evidence: Evidence, language: str) -> Market:
    """Sources, products and segments of a history."""
    deals = basis.history.opportunities
    everything = "全部" if language == "zh" else "all"
    names = {
        "product": _grouping(deals, "product", everything),
        "segment": _grouping(deals, "segment", None),
        "source": _small_together(_grouping(deals, "source", everything)),
    }
    ids = {field: clean_ids(sorted(set(column.dropna()))) for field, column in names.items()}
    products = _products(deals, names["product"], ids["product"], evidence)
    mixes: dict[str, Any] = {
        "regions": people.region_mix,
        "products": _product_mix(basis, names["product"], ids["product"], evidence),
    }
    if ids["segment"]:
        mixes["segments"] = _shares(names["segment"], ids["segment"])
        known = int(names["segment"].notna().sum())
        evidence.measured("sources.*.segments", f"{len(ids['segment'])} segments", known)
    quality = _quality(basis, "segment", evidence) if ids["segment"] else {}
    segments = [
        {"id": segment, "name": name} | ({"quality_logit": quality[name]} if name in quality else {})
        for name, segment in ids["segment"].items()
    ]
    sources = _sources(basis, names["source"], ids["source"], mixes, evidence)
    groups = pd.DataFrame({field: column.map(ids[field]) for field, column in names.items()})
    _remark_mix(deals, names["product"], evidence)
    return Market(sources, products, segments, groups, _order_value(deals))


def _order_value(deals: pd.DataFrame) -> float:
    values = deals["value_minor"][deals["outcome"] == "won"]
    return float(values[values.fillna(0) > 0].astype(float).mean()) / 100


def _remark_mix(deals: pd.DataFrame, product_of: pd.Series, evidence: Evidence) -> None:
    """Say so where reps sell different products: the vocabulary gives a rep no product mix of its own."""
    counts = pd.crosstab(deals["rep"], product_of)
    counts = counts[counts.sum(axis=1) >= _FEWEST_DEALS]
    if min(counts.shape) < 2:
        return
    p_value = float(stats.chi2_contingency(counts.loc[:, counts.sum() > 0].to_numpy()).pvalue)
    if p_value < 0.01:
        note = f"reps' product mixes differ beyond chance (p = {p_value:.2g}), but every rep is dealt the same mix"
        note += ": sales per rep are drawn towards their share of the leads"
        evidence.assumed("reps.*.product_mix", "alike", "a limit of the model", note)


def _grouping(deals: pd.DataFrame, field: str, otherwise: str | None) -> pd.Series:
    """The attribute of each deal; ``otherwise`` for all where the export hardly tells it or tells too many apart."""
    names = deals[field]
    if names.notna().mean() >= _KNOWN and names.nunique() <= _MANY:
        return names.astype("string")
    return pd.Series(pd.NA if otherwise is None else otherwise, index=deals.index, dtype="string")


def _small_together(names: pd.Series) -> pd.Series:
    counts = names.value_counts()
    small = counts.index[counts < _SMALL_SOURCE]
    merged: pd.Series = names.mask(names.isin(small) | names.isna(), _REST) if len(counts) > 1 else names
    return merged


def _shares(names: pd.Series, ids: dict[str, str]) -> dict[str, float]:
    share = names.value_counts(normalize=True)
    return {ids[str(name)]: round(float(share[name]), 6) for name in sorted(share.index)}


def _products(
    deals: pd.DataFrame, product_of: pd.Series, ids: dict[str, str], evidence: Evidence
) -> list[dict[str, Any]]:
    won = (deals["outcome"] == "won") & (deals["value_minor"].fillna(0) > 0)
    values = deals["value_minor"][won].astype(float) / 100
    pooled = values.to_numpy()
    rows = []
    for name, product in ids.items():
        own = values[product_of[won] == name].to_numpy()
        distribution, grade = amounts(own, pooled)
        rows.append({"id": product, "name": name, "value": distribution})
        where = f"products.{product}.value"
        if grade == "prior":
            source = f"the wins of all products ({len(pooled)})"
            evidence.assumed(where, float(pooled.mean()), source, f"only {len(own)} wins of its own", grade="prior")
            continue
        half = 1.96 * float(own.std(ddof=1)) / np.sqrt(len(own))
        mean = float(own.mean())
        note = "mean of the won deals' signed value"
        trust: Any = "high" if grade == "measured" else "medium"
        kind: Any = grade
        evidence.measured(where, mean, len(own), (mean - half, mean + half), grade=kind, trust=trust, note=note)
    return rows


def _product_mix(basis: Basis, product_of: pd.Series, ids: dict[str, str], evidence: Evidence) -> dict[str, float]:
    """Product interest of new leads; of the wins where products convert differently, since no field can say so."""
    rows = product_of
    note = "share of all deals begun"
    if _differ(basis, "product"):
        won = basis.history.opportunities["outcome"] == "won"
        rows, note = product_of[won], "share of the wins, because products' win rates differ beyond chance"
    evidence.measured("sources.*.products", f"{len(ids)} products", len(rows), note=note)
    return _shares(rows, ids)


def _differ(basis: Basis, by: str) -> bool:
    if basis.history.kind != "opportunities":
        return False
    return any(found.reported for found in rep_spreads(basis.history, by))


def _quality(basis: Basis, by: str, evidence: Evidence) -> dict[str, float]:
    """Shrunken shift of logit(conversion) by group, only where the groups differ beyond chance."""
    if basis.history.kind != "opportunities":
        return {}
    result: dict[str, float] = {}
    for found in rep_spreads(basis.history, by):
        field = f"{by}s.*.quality_logit"
        interval = (100 * found.sd_low, 100 * found.sd_high)
        if not found.reported:
            note = f"win rates do not differ beyond chance (p = {found.p_adjusted:.2f})"
            evidence.measured(field, 0.0, found.decided, (0.0, interval[1]), grade="fitted", note=note)
            continue
        note = "true standard deviation of the win rates in points; each effect is shrunken"
        evidence.measured(field, 100 * found.sd, found.decided, interval, grade="fitted", note=note)
        result |= shifts(found)
    return result


def _sources(
    basis: Basis, source_of: pd.Series, ids: dict[str, str], mixes: dict[str, Any], evidence: Evidence
) -> list[dict[str, Any]]:
    history = basis.history
    quality = _quality(basis, "source", evidence)
    evidence.assumed("sources.*.cost_per_lead", 0, "unknown", "the export does not hold what a lead costs")
    rows = []
    for name, source in ids.items():
        if len(ids) == 1:
            arrivals = basis.arrivals
        else:
            own = history.opportunities[source_of == name]
            counts = daily_counts(replace(history, opportunities=own)).reindex(
                basis.arrivals.counts.index, fill_value=0
            )
            arrivals = describe(counts)
        row = {"id": source, "name": name, **_stream(arrivals, source, evidence), **mixes}
        if name in quality:
            row["quality_logit"] = quality[name]
        rows.append(row)
    return rows


def _stream(arrivals: Arrivals, source: str, evidence: Evidence) -> dict[str, Any]:
    where = f"sources.{source}"
    level = arrivals.level * _YEAR_DAYS
    interval = (arrivals.level_low * _YEAR_DAYS, arrivals.level_high * _YEAR_DAYS)
    window = f"{arrivals.first.date()} to {arrivals.last.date()}"
    trend = (
        "" if np.isnan(arrivals.trend_per_year) else f"; trend x {arrivals.trend_per_year:.2f} a year is not carried on"
    )
    evidence.measured(f"{where}.leads_per_year", level, arrivals.cases, interval, note=window + trend)
    dispersion = max(1.0, arrivals.dispersion)
    # Counts that do not scatter at all say nothing of how far they might.
    spread = (arrivals.dispersion_low, arrivals.dispersion_high) if arrivals.dispersion_high > 0 else None
    note = "variance over mean of the daily count, weekday and trend removed"
    evidence.measured(f"{where}.dispersion", dispersion, arrivals.days, spread, grade="fitted", note=note)
    stream: dict[str, Any] = {
        "leads_per_year": round(level, 3),
        "dispersion": round(dispersion, 4),
        "weekday_factors": [round(float(factor), 4) for factor in arrivals.weekday],
    }
    evidence.measured(f"{where}.weekday_factors", "by weekday", arrivals.cases)
    if arrivals.days >= _YEAR_DAYS and not np.isnan(arrivals.month).any():
        stream["season"] = [round(float(factor), 4) for factor in arrivals.month]
        years = arrivals.days / _YEAR_DAYS
        trust: Any = "high" if years >= 2 else "medium"
        note = f"from {years:.1f} years; with less than two, season and trend cannot be told apart"
        evidence.measured(f"{where}.season", "by month", arrivals.cases, trust=trust, note=note)
    else:
        source_text = f"only {arrivals.days} days were seen"
        evidence.assumed(f"{where}.season", "flat", source_text, "a season needs a whole year of arrivals")
    return stream
