"""The simulated funnel stage by stage and the year month by month, and what they say in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from history.diagnosis.finding import Finding
from scenarios.ticks import DAY, HOUR
from sim.outcome import Outcome

_MANY_COLD = 0.02
_SEASON = 0.75


def stage_table(outcome: Outcome) -> pd.DataFrame:
    """The simulated funnel, means over the replications, in the order of the stages.

    Columns: ``stage``, ``entered``, ``advanced``, ``lost``, ``cold``, ``conversion`` (advanced of decided);
    ``wait_days`` (in the rep's queue), ``work_days`` (clock hours of work as days), ``delay_days`` (the customer's),
    ``days`` (their sum), each per visit; ``effort_hours`` (summed); ``lost_value_minor``; ``forgone_minor`` (lost value
    times the chance that the later stages would have let it through); ``gain_per_point`` (relative gain in new sales
    of one point more conversion, all else equal: .01 / conversion). Stages after the win have no conversion.
    """
    stages = outcome["stage"]

    def mean(metric: str) -> np.ndarray:
        return np.asarray(stages.total(metric).mean(axis=0))

    started = np.maximum(mean("started"), 1e-9)
    advanced, lost, cold = mean("advanced"), mean("lost"), mean("cold")
    decides = (lost + cold) > 0
    decided = np.maximum(advanced + lost + cold, 1e-9)
    conversion = np.where(decides, advanced / decided, np.nan)
    through = np.where(decides, conversion, 1.0)
    onward = np.append(np.cumprod(through[::-1])[::-1][1:], 1.0)
    wait, work = mean("wait_ticks") / started / DAY, mean("busy_ticks") / started / DAY
    delay = np.where(decides, mean("delay_ticks") / np.maximum(advanced + lost, 1e-9) / DAY, 0.0)
    return pd.DataFrame(
        {
            "stage": list(stages.keys),
            "entered": mean("entered"),
            "advanced": advanced,
            "lost": lost,
            "cold": cold,
            "conversion": conversion,
            "wait_days": wait,
            "work_days": work,
            "delay_days": delay,
            "days": wait + work + delay,
            "effort_hours": mean("busy_ticks") / HOUR,
            "lost_value_minor": mean("lost_value"),
            "forgone_minor": mean("lost_value") * onward,
            "gain_per_point": np.divide(0.01, conversion, out=np.full_like(conversion, np.nan), where=conversion > 0),
        }
    )


def stage_findings(table: pd.DataFrame, names: Mapping[str, str]) -> Iterator[Finding]:
    """The slowest stage, the one that forgoes most value, and leads that go cold.

    Args:
        table: of :func:`stage_table`.
        names: of stages, by id, as Chinese sentences call them.
    """
    deciding = table[table["conversion"].notna()]
    if len(deciding) < 2:
        return
    rows = deciding.to_dict("records")
    slow = max(rows, key=lambda row: float(row["days"]))
    name, days, rest = str(slow["stage"]), float(slow["days"]), float(deciding["days"].sum())
    parts = {part: float(slow[part]) for part in ("wait_days", "work_days", "delay_days")}
    yield Finding(
        "slowest_stage",
        name,
        f"{name} is the slowest stage: {days:.1f} days a visit ({parts['wait_days']:.1f} waiting for the rep, "
        f"{parts['delay_days']:.1f} with the customer).",
        f"“{names.get(name, name)}”阶段最慢：每次{days:.1f}天"
        f"（等待销售{parts['wait_days']:.1f}天，客户考虑{parts['delay_days']:.1f}天）。",
        "strong" if days > 1.1 * float(deciding["days"].nlargest(2).iloc[1]) else "moderate",
        {"days": days, "share_of_days": days / max(rest, 1e-9), **parts},
    )
    top = max(rows, key=lambda row: float(row["forgone_minor"]))
    name, share = str(top["stage"]), float(top["forgone_minor"]) / max(float(deciding["forgone_minor"].sum()), 1e-9)
    gain = float(top["gain_per_point"])
    evidence = {"share": share, "forgone_minor": float(top["forgone_minor"]), "gain_per_point": gain}
    if not np.isfinite(gain):
        del evidence["gain_per_point"]
    promise, zh = "; nothing comes through it.", "，没有商机通过。"
    if np.isfinite(gain):
        promise = f"; one point more conversion there would bring {100 * gain:.1f} % more new sales, all else equal."
        zh = f"；其他条件不变时，转化率提高1个百分点，新增销售约增加{100 * gain:.1f}%。"
    yield Finding(
        "leak",
        name,
        f"{name} is the stage that forgoes most value ({100 * share:.0f} %){promise}",
        f"“{names.get(name, name)}”阶段流失价值最多（占{100 * share:.0f}%）{zh}",
        "moderate",
        evidence,
    )
    cold = float(deciding["cold"].sum()) / max(float(deciding["entered"].iloc[0]), 1e-9)
    if cold >= _MANY_COLD:
        yield Finding(
            "cold_leads",
            "company",
            f"{100 * cold:.0f} % of the leads go cold waiting for a rep.",
            f"{100 * cold:.0f}%的线索因等待过久而流失。",
            "strong" if cold >= 0.1 else "moderate",
            {"share": cold},
        )


def early_share(outcome: Outcome) -> float | None:
    """Share of January and February in the sales of twelve whole months of one calendar year; else None.

    The two months count together, because the Chinese New Year moves between them.
    """
    cube = outcome["rep"]
    if [label[-3:] for label in cube.periods] != [f"-{month:02}" for month in range(1, 13)]:
        return None
    by_month = cube.by_period("revenue").sum(axis=(0, 1))
    total = float(by_month.sum())
    return float(by_month[:2].sum()) / total if total > 0 else None


def season_findings(outcome: Outcome) -> Iterator[Finding]:
    """A year that begins slowly."""
    share = early_share(outcome)
    if share is None or share >= _SEASON * 2 / 12:
        return
    yield Finding(
        "season",
        "company",
        f"January and February bring {100 * share:.0f} % of the year's sales; phase quotas accordingly.",
        f"1–2月仅占全年销售额的{100 * share:.0f}%；月度分解应据此安排。",
        "strong",
        {"share": share, "even_share": 2 / 12},
    )
