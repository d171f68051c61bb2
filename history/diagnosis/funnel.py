"""Where a real funnel leaks, what activity goes with, and what can be said of each rep's capability."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from history.crm import History
from history.diagnosis.finding import Finding
from history.record import day_count
from history.skill import Spread, decided_cases
from history.survival import funnel

LEAK_COLUMNS = (
    "stage",
    "cases",
    "lost",
    "conversion",
    "low",
    "high",
    "lost_value_minor",
    "forgone_minor",
    "days",
    "hands_on_hours",
    "gain_per_point_minor",
)
_FEWEST_CASES = 30
_FEWEST_REPS = 8


def leaks(history: History) -> pd.DataFrame:
    """What each stage loses, ranked by the value that would have been signed, the largest first.

    Columns: ``stage`` (``all`` where the export tells no way through the stages), ``cases``, ``lost``, ``conversion``
    with its interval ``low``, ``high``; ``lost_value_minor`` (value of the cases lost here; the mean order value
    stands in where they have none); ``forgone_minor`` (that value times the chance that the stages after it would
    have let it through); ``days`` (mean time from entry to leaving, of those that left); ``hands_on_hours`` (summed;
    NaN without a log of work); ``gain_per_point_minor`` (signed value that one point more conversion here would have
    brought, all else equal: sales x .01 / conversion).
    """
    table = {str(row["stage"]): row for row in funnel(history).to_dict("records")}
    stages = [stage for stage in history.stages if stage in table] or ["all"]
    deals = history.opportunities
    won = deals["value_minor"][deals["outcome"] == "won"].fillna(0).astype(float)
    usual = float(won.mean()) if len(won) else 0.0
    worth = deals.set_index("id")["value_minor"].astype("Float64")
    worth = worth.where(worth > 0, usual).fillna(usual)
    onward, rows = 1.0, []
    for stage in reversed(stages):
        visits = _visits(history, stage)
        lost = visits["outcome"] == "lost"
        lost_value = float(worth.reindex(visits["id"][lost]).sum())
        rate = float(table[stage]["rate"])
        hours = visits["hands_on_ms"].astype("Float64").sum(min_count=1)
        rows.append(
            {
                "stage": stage,
                "cases": len(visits),
                "lost": int(lost.sum()),
                "conversion": rate,
                "low": float(table[stage]["low"]),
                "high": float(table[stage]["high"]),
                "lost_value_minor": round(lost_value),
                "forgone_minor": round(lost_value * onward),
                "days": float(day_count(visits["left"], visits["entered"]).mean()),
                "hands_on_hours": np.nan if pd.isna(hours) else float(hours) / 3_600_000,
                "gain_per_point_minor": round(float(won.sum()) * 0.01 / rate) if rate > 0 else 0,
            }
        )
        onward *= rate
    ranked = pd.DataFrame(rows[::-1], columns=list(LEAK_COLUMNS))
    return ranked.sort_values("forgone_minor", ascending=False, kind="stable").reset_index(drop=True)


def _visits(history: History, stage: str) -> pd.DataFrame:
    if stage != "all":
        return history.visits[history.visits["stage"] == stage]
    deals = history.opportunities.rename(columns={"created": "entered", "closed": "left"})
    return deals[["id", "entered", "left", "outcome"]].assign(hands_on_ms=np.nan)


def leak_findings(table: pd.DataFrame, currency: str) -> list[Finding]:
    """The stage that loses most, and the slowest one, where there are several to compare.

    Args:
        table: of :func:`leaks`.
    """
    if len(table) < 2 or table["lost"].sum() == 0:
        return []
    rows = table.to_dict("records")
    top, total = rows[0], float(table["forgone_minor"].sum())
    share = float(top["forgone_minor"]) / total if total else 0.0
    name = str(top["stage"])
    gain = float(top["gain_per_point_minor"]) / 100
    leak = Finding(
        "leak",
        name,
        f"Stage '{name}' loses most: {100 * share:.0f} % of the value that was forgone. "
        f"One point more conversion there would have brought {currency} {gain:,.0f}, all else equal.",
        f"“{name}”阶段流失最多：占流失价值的{100 * share:.0f}%。"
        f"其他条件不变时，该阶段转化率提高1个百分点可增加{currency} {gain:,.0f}。",
        "strong" if share > 0.5 else "moderate",
        {"share": share, "forgone_minor": float(top["forgone_minor"]), "conversion": float(top["conversion"])},
    )
    slow = max(rows, key=lambda row: float(row["days"]))
    name, days = str(slow["stage"]), float(slow["days"])
    part = days / float(table["days"].sum())
    slowest = Finding(
        "slowest_stage",
        name,
        f"Stage '{name}' takes longest: {days:.1f} days on average.",
        f"“{name}”阶段耗时最长：平均{days:.1f}天。",
        "strong" if part > 0.5 else "moderate",
        {"days": days, "share_of_days": part},
    )
    return [leak, slowest]


def activities(history: History) -> pd.DataFrame:
    """What reps do against what comes of it, one row per rep and stage with 30 decided cases or more.

    Columns: ``stage``, ``rep``, ``cases``, ``hands_on_minutes`` (median a visit; NaN without a log of work),
    ``conversion``. In an opportunity list the activity is the number of cases.
    """
    seen = set(history.visits["stage"])
    levels: list[str | None] = [stage for stage in history.stages if stage in seen] or [None]
    parts = []
    for stage in levels:
        cases = decided_cases(history, stage)
        cases = cases[cases["rep"].notna()]
        ms = cases["hands_on_ms"].astype("Float64") if "hands_on_ms" in cases else pd.Series(pd.NA, cases.index)
        groups = cases.assign(minutes=ms.astype("Float64") / 60_000).groupby("rep", sort=True)
        part = pd.DataFrame(
            {
                "cases": groups.size(),
                "hands_on_minutes": groups["minutes"].median().astype(float),
                "conversion": groups["converted"].mean().astype(float),
            }
        ).reset_index()
        parts.append(part[part["cases"] >= _FEWEST_CASES].assign(stage=stage or "all"))
    table = pd.concat(parts, ignore_index=True)
    return table[["stage", "rep", "cases", "hands_on_minutes", "conversion"]]


def activity_findings(table: pd.DataFrame) -> list[Finding]:
    """Rank correlation (Spearman 1904) of activity and conversion between reps; correlation only, and said so."""
    found = []
    for stage, rows in table.groupby("stage", sort=False):
        timed = rows["hands_on_minutes"].notna().all() and rows["hands_on_minutes"].nunique() > 1
        measure = "hands_on_minutes" if timed else "cases"
        if len(rows) < _FEWEST_REPS or rows[measure].nunique() < 2 or rows["conversion"].nunique() < 2:
            continue
        rho, p_value = (float(x) for x in stats.spearmanr(rows[measure], rows["conversion"]))
        what, was = ("hands-on time a case", "每案实际工时") if timed else ("the number of cases", "商机数量")
        certain = p_value < 0.01
        english = f"Stage '{stage}': between reps, {what} and conversion "
        chinese = f"“{stage}”阶段：销售人员的{was}与转化率"
        if certain:
            english += f"go {'together' if rho > 0 else 'against each other'} (rank correlation {rho:+.2f})."
            chinese += f"呈{'正' if rho > 0 else '负'}相关（秩相关{rho:+.2f}）。"
        else:
            english += f"show no clear relation (rank correlation {rho:+.2f}, p = {p_value:.2f})."
            chinese += f"无明显关系（秩相关{rho:+.2f}，p = {p_value:.2f}）。"
        english += " This is correlation: easier cases or other duties may cause both."
        chinese += "这只是相关性：个案难易或分工不同可能同时影响两者。"
        evidence = {"rank_correlation": rho, "p_value": p_value, "reps": float(len(rows))}
        found.append(Finding("activity", str(stage), english, chinese, "weak" if certain else "none", evidence))
    return found


def capability(spreads: tuple[Spread, ...]) -> pd.DataFrame:
    """Each rep's conversion by stage, shrunken: ``stage``, ``rep``, ``decided``, ``rate``, ``effect``, ``effect_low``,
    ``effect_high`` (differences to the mean; 0 where the spread does not exceed chance), ``distinct``, ``reported``,
    ``roles_suspected``.
    """
    columns = ["stage", "rep", "decided", "rate", "effect", "effect_low", "effect_high", "distinct"]
    parts = [
        found.effects.rename(columns={"unit": "rep"})
        .assign(stage=found.what.partition(": ")[2])[columns]
        .assign(reported=found.reported, roles_suspected=found.roles_suspected)
        for found in spreads
    ]
    if not parts:
        return pd.DataFrame(columns=[*columns, "reported", "roles_suspected"])
    return pd.concat(parts, ignore_index=True)
