"""An explanation of quotas as flat tables; money in currency units."""

from __future__ import annotations

import pandas as pd

from optimize.explanation import Explanation
from quotalab.tables import rule_rows_table
from scenarios.base import MINOR_PER_MAJOR


def explanation_tables(found: Explanation, currency: str) -> dict[str, pd.DataFrame]:
    """The sheets of an explanation by name: waterfall, bases, levers, rules."""
    return {
        "waterfall": waterfall_table(found),
        "bases": basis_table(found),
        "levers": lever_table(found, currency),
        "rules": rule_rows_table(found.rules, currency),
    }


def waterfall_table(found: Explanation) -> pd.DataFrame:
    """One row a rep: the quota and every bar; the bars sum to the quota."""
    quotas = found.plan.quotas()
    rows = []
    for rep, bars in found.waterfall.items():
        row: dict[str, object] = {"rep": rep, "quota": quotas.get(rep, 0) / MINOR_PER_MAJOR}
        rows.append(row | {factor: minor / MINOR_PER_MAJOR for factor, minor in bars})
    return pd.DataFrame(rows)


def basis_table(found: Explanation) -> pd.DataFrame:
    """One row a rep: the quota under each basis, and what of the full one is territory and what person."""
    rows = []
    for row in found.bases:
        rows.append(
            {
                "rep": row.rep,
                "quota": row.quota / MINOR_PER_MAJOR,
                "quota_if_opportunity": round(row.opportunity) / MINOR_PER_MAJOR,
                "quota_if_blend": round(row.blend) / MINOR_PER_MAJOR,
                "quota_if_full": round(row.full) / MINOR_PER_MAJOR,
                "skill_part": round(row.skill) / MINOR_PER_MAJOR,
                "skill_share": row.skill / row.full if row.full > 0 else None,
            }
        )
    columns = ("rep", "quota", "quota_if_opportunity", "quota_if_blend", "quota_if_full", "skill_part", "skill_share")
    return pd.DataFrame(rows, columns=columns)


def lever_table(found: Explanation, currency: str) -> pd.DataFrame:
    """One row a rep, direction and factor: the number now and as it would have to be."""
    rows = []
    for lever in found.levers:
        unit = MINOR_PER_MAJOR if lever.unit == "currency" else 1
        rows.append(
            {
                "rep": lever.rep,
                "to_move_by": lever.share,
                "factor": lever.factor,
                "subject": lever.subject,
                "now": None if lever.now is None else lever.now / unit,
                "needed": None if lever.needed is None else lever.needed / unit,
                "unit": currency if lever.unit == "currency" else lever.unit,
                "moves_by": lever.moves,
                "reached": lever.reached,
                "told": lever.told,
            }
        )
    columns = (
        "rep",
        "to_move_by",
        "factor",
        "subject",
        "now",
        "needed",
        "unit",
        "moves_by",
        "reached",
        "told",
    )
    return pd.DataFrame(rows, columns=columns)
