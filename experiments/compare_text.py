"""A comparison as a table and as a few lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

import pandas as pd

from experiments.measures import PlanMeasures
from experiments.money import Language, headline_scale, plain
from experiments.pairs import Difference
from sim.statistics import Interval

LABELS: dict[str, tuple[str, str]] = {
    "simulated_years": ("simulated years, common random numbers", "个模拟年度, 公共随机数"),
    "intervals_together": (
        "each interval at 95 %, those of differences together at",
        "各区间置信度 95 %, 差值区间同时置信度",
    ),
    "sales": ("expected sales", "预期签约额"),
    "year_range": ("year range P10-P90", "年度波动范围 P10-P90"),
    "attainment": ("average attainment", "平均达成率"),
    "capped": ("capped attainment", "封顶达成率"),
    "hit_rate": ("hit rate", "达标率"),
    "chance_of_target": ("chance to make the company target", "公司目标达成概率"),
    "against": ("against", "对比"),
    "proven": ("proven", "已证实"),
    "likely": ("likely", "较可能"),
    "not proven": ("not proven", "未证实"),
    "equal": ("equal by construction", "构造上相等"),
    "pairing": ("times as many years without the shared luck", "不共用随机数所需年度倍数"),
}
"""Words of this page: key -> (English, 中文)."""

_INFINITE = ("\N{MINUS SIGN}∞", "+∞")


def table_of(cases: Sequence[PlanMeasures], differences: Sequence[Difference], reference: str) -> pd.DataFrame:
    """One row a case; money in currency units, shares as shares, differences against ``reference``."""
    rows = []
    for case in cases:
        low, high = case.year_range
        row: dict[str, Any] = {
            "case": case.name,
            "currency": case.currency,
            **_columns("expected_sales", case.expected_sales, 100),
            "sales_p10": low.estimate / 100,
            "sales_p90": high.estimate / 100,
            "quota_sum": None if case.quota_sum is None else case.quota_sum / 100,
            "target": None if case.target is None else case.target / 100,
            **_columns("attainment", case.attainment),
            **_columns("capped_attainment", case.capped_attainment),
            **_columns("hit_rate", case.hit_rate),
            **_columns("chance_of_target", case.chance_of_target),
            "workload": case.workload,
            "widest_gap": case.widest_gap,
            "moves": case.moves,
            "sales_at_risk": None if case.sales_at_risk is None else case.sales_at_risk / 100,
        }
        for found in differences:
            if found.case == case.name and found.against == reference:
                unit = 100 if found.measure == "sales" else 1
                row[f"{found.measure}_gain"] = found.interval.estimate / unit
                row[f"{found.measure}_low"] = found.interval.low / unit
                row[f"{found.measure}_high"] = found.interval.high / unit
                row[f"{found.measure}_word"] = found.word
                row[f"{found.measure}_variance_ratio"] = found.variance_ratio
        rows.append(row)
    return pd.DataFrame(rows).set_index("case")


def summary_of(
    cases: Sequence[PlanMeasures],
    references: Sequence[str],
    differences: Sequence[Difference],
    confidence: float,
    language: Language,
) -> str:
    """A block of lines a case, then the differences against each reference."""
    lines = [
        f"{cases[0].replications} {_label('simulated_years', language)}; "
        f"{_label('intervals_together', language)} {100 * confidence:g} %"
    ]
    for case in cases:
        lines += ["", case.name, *_case_lines(case, language)]
    currency = cases[0].currency
    for reference in references:
        for case in cases:
            rows = [row for row in differences if (row.case, row.against) == (case.name, reference)]
            if rows:
                lines += ["", f"{case.name} {_label('against', language)} {reference}"]
                lines += [f"  {difference_line(row, language, currency)}" for row in rows]
                lines += [f"  {line}" for line in _pairing(rows, language)]
    return "\n".join(lines)


def difference_line(row: Difference, language: Language, currency: str) -> str:
    """``expected sales: +620k CNY [+400k, +840k], proven``."""
    name, word = _label(row.measure, language), _label(row.word, language)
    interval = row.interval
    if row.word == "equal":
        return f"{name}: 0, {word}"
    if row.measure == "sales":
        middle, low, high = _money_ends(interval, language, currency)
    else:
        middle, low, high = (_points(value) for value in (interval.estimate, interval.low, interval.high))
        middle = f"{middle} pt"
    return f"{name}: {middle} [{low}, {high}], {word}"


def _pairing(rows: Sequence[Difference], language: Language) -> list[str]:
    """``times as many years without the shared luck: expected sales 12.3, hit rate 2.1``; none where none is known."""
    known = [
        f"{_label(row.measure, language)} {plain(ratio, 1) if isfinite(ratio) else _INFINITE[1]}"
        for row in rows
        if (ratio := row.variance_ratio) is not None
    ]
    return [f"{_label('pairing', language)}: {', '.join(known)}"] if known else []


def _case_lines(case: PlanMeasures, language: Language) -> list[str]:
    expected = case.expected_sales.estimate
    scale = headline_scale(int(expected), language, case.currency)
    ends = " - ".join(scale.text(end.estimate) for end in case.year_range)
    shown, low, high = _money_ends(case.expected_sales, language, case.currency, signed=False)
    lines = [f"  {_label('sales', language)}: {shown} [{low}, {high}]; {_label('year_range', language)}: {ends}"]
    shares = {
        "attainment": case.attainment,
        "hit_rate": case.hit_rate,
        "chance_of_target": case.chance_of_target,
    }
    known = [
        f"{_label(key, language)} {_percent(interval.estimate)} % [{_percent(interval.low)}, {_percent(interval.high)}]"
        for key, interval in shares.items()
        if interval is not None
    ]
    return [*lines, "  " + "; ".join(known)] if known else lines


def _money_ends(interval: Interval, language: Language, currency: str, *, signed: bool = True) -> tuple[str, str, str]:
    largest = max(abs(value) for value in (interval.estimate, interval.low, interval.high) if isfinite(value))
    scale = headline_scale(int(largest), language, currency)
    low, high = (
        scale.text(value, signed=signed) if isfinite(value) else _INFINITE[value > 0]
        for value in (interval.low, interval.high)
    )
    unit = "" if language == "zh" else f" {currency}"
    return scale.text(interval.estimate, signed=signed) + unit, low, high


def _points(share: float) -> str:
    return plain(100 * share, 1, signed=True) if isfinite(share) else _INFINITE[share > 0]


def _percent(share: float) -> str:
    return plain(100 * share, 1) if isfinite(share) else _INFINITE[share > 0]


def _columns(name: str, interval: Interval | None, unit: int = 1) -> dict[str, float | None]:
    """A figure and the ends of its interval as columns."""
    if interval is None:
        return dict.fromkeys((name, f"{name}_from", f"{name}_to"))
    return {name: interval.estimate / unit, f"{name}_from": interval.low / unit, f"{name}_to": interval.high / unit}


def _label(key: str, language: Language) -> str:
    return LABELS[key][language == "zh"]
