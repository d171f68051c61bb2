"""Targets of a plan as flat tables: quotas by period and level, levels, gaps, checks of every quota, the trade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from experiments.smart import Smart
from experiments.target_chances import TargetChance
from experiments.words import LANGUAGES
from optimize.allocate import AllocationResult
from scenarios.base import MINOR_PER_MAJOR
from scenarios.goals import RATIO_METRICS
from scenarios.plan import Plan, QuotaRow, is_money
from sim.statistics import Interval


def in_units(metric: str, value: float | None) -> float | None:
    """A figure of a metric as people write it: currency units, a count, or a ratio."""
    if value is None:
        return None
    money = is_money(metric) or metric == "average_order_value"
    return float(value) / MINOR_PER_MAJOR if money else float(value)


def unit_of(metric: str, currency: str) -> str:
    """The unit of :func:`in_units`."""
    if metric in RATIO_METRICS:
        return f"{currency}/order" if metric == "average_order_value" else "share"
    return currency if is_money(metric) else "count"


def period_table(result: AllocationResult, currency: str, chances: Mapping[QuotaRow, Interval]) -> pd.DataFrame:
    """One row a rep, metric, level and period; the chance to reach a target within its own period beside it."""
    rows = []
    for one in result.quotas:
        row = QuotaRow(one.rep, one.metric, one.start, one.end, one.value)
        chance = chances.get(row) if one.level == "target" else None
        rows.append(
            {
                "rep": one.rep,
                "metric": one.metric,
                "level": one.level,
                "start": one.start.isoformat(),
                "end": one.end.isoformat(),
                "quota": in_units(one.metric, one.value),
                "unit": unit_of(one.metric, currency),
                **_chance(chance),
            }
        )
    return pd.DataFrame(rows)


def level_table(result: AllocationResult, currency: str) -> pd.DataFrame:
    """One row a metric, level and subject: what its target says, and what quotas come to."""
    columns = ["metric", "level", "scope", "subject", "asked", "quota", "unit"]
    rows = [
        (
            row.metric,
            row.level,
            row.scope,
            row.subject,
            in_units(row.metric, row.asked),
            in_units(row.metric, row.quota),
            unit_of(row.metric, currency),
        )
        for row in result.levels
    ]
    return pd.DataFrame(rows, columns=columns)


def gap_table(result: AllocationResult, currency: str) -> pd.DataFrame:
    """One row a metric, level, round and subject: top-down, bottom-up, and the gap between the two."""
    columns = [
        "metric",
        "level",
        "round",
        "scope",
        "subject",
        "top_down",
        "bottom_up",
        "gap",
        "missing",
        "said",
        "unit",
    ]
    rows = [
        (
            row.metric,
            row.level,
            row.round,
            row.scope,
            row.subject,
            in_units(row.metric, row.top_down),
            in_units(row.metric, row.bottom_up),
            in_units(row.metric, row.gap),
            row.missing,
            row.said,
            unit_of(row.metric, currency),
        )
        for row in result.gaps
    ]
    return pd.DataFrame(rows, columns=columns)


def metric_table(result: AllocationResult, currency: str) -> pd.DataFrame:
    """One row a metric: weight, quotas, and what the model expects (not simulated)."""
    rows = [
        {
            "metric": one.metric,
            "weight": one.weight,
            "quota": in_units(one.metric, one.quota),
            "expected_model": in_units(one.metric, one.expected),
            "attained_share_model": one.attained_share,
            "floor": in_units(one.metric, one.floor),
            "floor_kept": one.floor_kept,
            "unit": unit_of(one.metric, currency),
        }
        for one in result.metrics
    ]
    return pd.DataFrame(rows)


def target_table(targets: Sequence[TargetChance], currency: str) -> pd.DataFrame:
    """One row a target of the company or a team: what is expected, and how likely it is."""
    rows = [
        {
            "metric": one.metric,
            "team": one.team,
            "start": one.first.isoformat(),
            "end": one.end.isoformat(),
            "target": in_units(one.metric, one.value),
            "expected": in_units(one.metric, one.expected),
            "expected_low": in_units(one.metric, None if one.mean is None else one.mean.low),
            "expected_high": in_units(one.metric, None if one.mean is None else one.mean.high),
            "floor": in_units(one.metric, one.floor),
            "floor_kept": one.floor_kept,
            "unit": unit_of(one.metric, currency),
            **_chance(one.chance),
        }
        for one in targets
    ]
    return pd.DataFrame(rows)


def smart_table(quotas: Sequence[Smart]) -> pd.DataFrame:
    """One row a quota: measurable, dated, attainable with what chance, stretch against the rep's own history."""
    rows: list[dict[str, Any]] = []
    for one in quotas:
        told = {f"{check}_{language}": text for language in LANGUAGES for check, text in one.told(language).items()}
        rows.append(
            {
                "rep": one.rep,
                "name": one.name,
                "team": one.team,
                "metric": one.metric,
                "quota": in_units(one.metric, one.value),
                "unit": one.unit,
                "start": one.first.isoformat(),
                "end": one.end.isoformat(),
                **_chance(one.chance),
                "basis": "simulated",
                "reach": one.reach,
                "last": in_units(one.metric, one.last),
                "growth": one.growth,
                "stretch": one.stretch,
                **told,
            }
        )
    return pd.DataFrame(rows)


def training_period_table(plan: Plan, price: float) -> pd.DataFrame:
    """One row a rep, skill and period: hours and what they cost.

    Args:
        price: of an hour, minor units.
    """
    columns = ["rep", "skill", "start", "end", "hours", "cost"]
    rows = [
        (row.rep, row.skill, row.start.isoformat(), row.end.isoformat(), row.hours, row.hours * price / MINOR_PER_MAJOR)
        for row in plan.training
    ]
    return pd.DataFrame(rows, columns=columns)


def training_value_table(result: AllocationResult) -> pd.DataFrame:
    """One row a rep who is trained: hours, cost, selling time that it takes, sales that it adds by the model."""
    columns = ["rep", "hours", "cost", "share_of_hours", "gain_model"]
    rows = [
        (one.rep, one.hours, one.cost / MINOR_PER_MAJOR, one.share_of_hours, one.gain / MINOR_PER_MAJOR)
        for one in result.training
    ]
    return pd.DataFrame(rows, columns=columns)


def _chance(chance: Interval | None) -> dict[str, float | None]:
    return {
        "chance": None if chance is None else chance.estimate,
        "chance_low": None if chance is None else chance.low,
        "chance_high": None if chance is None else chance.high,
    }
