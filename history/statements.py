"""What the comparisons say, in words: each statement in English and Chinese, with its evidence and strength.

``strength`` is ``strong``, ``moderate``, ``weak`` or ``none``: ``none`` says that the data show no difference, and how
large a difference they could have missed is part of the sentence.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from history.arrivals import daily_counts, describe
from history.chance import chance_probability, holm, nested_probability
from history.compare import by_period, overall
from history.crm import History
from history.diagnosis.finding import Finding, Strength
from history.skill import Spread, decided_cases, rate_halves, rep_spreads, spread, tally
from history.survival import LOST, WON, delay_quantiles, stage_incidence

_THIN_POINTS = 0.05
"""A comparison that could have missed a true spread of this size is called thin."""
_NAMES = {
    "team": ("Teams", "各团队"),
    "region": ("Regions", "各区域"),
    "product": ("Products", "各产品"),
    "segment": ("Segments", "各客户行业"),
    "source": ("Lead sources", "各线索来源"),
}


def statements(history: History) -> tuple[Finding, ...]:
    """Everything that can be said in words about a history, the reps first."""
    found = [rep_statement(result) for result in rep_spreads(history)]
    found += _group_statements(history)
    found += [*_clocks(history), *_young_deals(history), *_growth(history), *_arrivals(history)]
    return tuple(found)


def rep_statement(found: Spread) -> Finding:
    """What the spread between reps in one stage (or in win rates) does and does not show."""
    stage = found.what.partition(": ")[2]
    evidence = _evidence(found)
    place_en = "win rates" if stage == "won or lost" else f"conversion rates in stage '{stage}'"
    place_zh = "赢单率" if stage == "won or lost" else f"“{stage}”阶段转化率"
    upper = 100 * found.sd_upper
    if not found.reported:
        head = f"Reps' {place_en} do not differ more than chance (p = {found.p_adjusted:.2f}, {found.units} reps)."
        kopf = f"销售人员的{place_zh}差异没有超出偶然范围（p = {found.p_adjusted:.2f}，{found.units}人）。"
        if found.sd_upper > _THIN_POINTS:
            text = f" The data are thin: a true spread of up to {upper:.1f} points cannot be excluded."
            wort = f"数据偏少：真实标准差最高{upper:.1f}个百分点仍不能排除。"
        else:
            text = f" Any true spread is below {upper:.1f} points (95 %)."
            wort = f"真实标准差低于{upper:.1f}个百分点（95%）。"
        advice = " Do not single out and train your 'worst' reps on this evidence."
        rat = "不要据此挑出“最差”的销售人员去培训。"
        return _said("rep_spread", head + text + advice, kopf + wort + rat, "none", evidence)
    strength = _strength(found)
    sd, low, high = (100 * value for value in (found.sd, found.sd_low, found.sd_high))
    english = (
        f"Reps' {place_en} differ beyond chance: true standard deviation {sd:.1f} points "
        f"(95 % interval {low:.1f} to {high:.1f}, {found.units} reps)."
    )
    chinese = (
        f"销售人员的{place_zh}差异超出偶然范围：真实标准差{sd:.1f}个百分点"
        f"（95%区间{low:.1f}至{high:.1f}，{found.units}人）。"
    )
    if found.roles_suspected:
        share = 100 * found.shared
        english += (
            f" {share:.0f} % of these cases passed through several hands and {found.other_roles} of {found.units} reps"
            " mainly do other work: it may be division of labour, not skill."
        )
        chinese += (
            f"其中{share:.0f}%的个案经多人之手，{found.other_roles}人主要从事其他工作：可能是分工所致，而非能力差异。"
        )
    else:
        english += " Different leads may explain a part of it."
        chinese += "分到的线索不同也可能解释一部分差异。"
    return _said("rep_spread", english, chinese, strength, evidence)


def _said(kind: str, english: str, chinese: str, strength: Strength, evidence: dict[str, float]) -> Finding:
    """A finding about the units that are compared, else about the company."""
    subject = kind.removesuffix("_spread") if kind.endswith("_spread") else "company"
    return Finding(kind, subject, english, chinese, strength, evidence)


def _strength(found: Spread) -> Strength:
    if found.roles_suspected:
        return "weak"
    if found.p_adjusted < 0.001 and not found.persistence < found.persistence_expected / 2:
        return "strong"
    return "moderate" if found.p_adjusted < 0.01 else "weak"


def _evidence(found: Spread) -> dict[str, float]:
    return {
        "p_value": found.p_value,
        "p_adjusted": found.p_adjusted,
        "sd": found.sd,
        "sd_low": found.sd_low,
        "sd_high": found.sd_high,
        "sd_upper": found.sd_upper,
        "detectable": found.detectable,
        "persistence": found.persistence,
        "units": float(found.units),
        "decided": float(found.decided),
    }


def _group_statements(history: History) -> list[Finding]:
    cases = decided_cases(history)
    usable = []
    for by in _NAMES:
        counts = tally(cases, by)
        if (counts["decided"] >= 30).sum() >= 2:
            usable.append((by, counts))
    raw = [_probability(counts) for _, counts in usable]
    found = []
    for (by, counts), adjusted in zip(usable, holm(raw), strict=True):
        result = spread(counts, by, halves=rate_halves(cases, by), p_adjusted=adjusted)
        name, wort = _NAMES[by]
        upper = 100 * result.sd_upper
        nested = nested_probability(cases, "rep", by) if by in ("team", "region") and result.reported else 0.0
        points = 100 * result.sd
        if nested > 0.05:
            english = (
                f"{name} differ in win rate ({points:.1f} points), but no more than the reps in them explain "
                f"(p = {nested:.2f}): it is no effect of its own."
            )
            chinese = (
                f"{wort}的赢单率有差异（{points:.1f}个百分点），但未超出其成员差异所能解释的范围"
                f"（p = {nested:.2f}）：并非其自身效应。"
            )
        elif result.reported:
            english = f"{name} differ in win rate beyond chance: true standard deviation {points:.1f} points."
            chinese = f"{wort}的赢单率差异超出偶然范围：真实标准差{points:.1f}个百分点。"
        else:
            english = f"{name} do not differ in win rate more than chance (true spread at most {upper:.1f} points)."
            chinese = f"{wort}的赢单率差异没有超出偶然范围（真实标准差至多{upper:.1f}个百分点）。"
        strength: Strength = _strength(result) if result.reported and nested <= 0.05 else "none"
        found.append(_said(f"{by}_spread", english, chinese, strength, _evidence(result)))
    return found


def _probability(counts: pd.DataFrame) -> float:
    used = counts[counts["decided"] >= 30]
    return chance_probability(used["decided"].to_numpy(), used["converted"].to_numpy())


def _clocks(history: History) -> list[Finding]:
    """Wins and losses that take different times make the win rate of a month's closings misleading."""
    curve = stage_incidence(history)
    middle = np.array([0.5])
    won, lost = (float(delay_quantiles(curve, outcome, middle)[0]) for outcome in (WON, LOST))
    if min(curve.won_cases, curve.lost_cases) < 30 or max(won, lost) < 1.5 * min(won, lost):
        return []
    english = (
        f"Wins and losses run on different clocks (median {won:.3g} and {lost:.3g} days): "
        "judge win rates by the month in which deals began, not by the month in which they closed."
    )
    chinese = f"赢单与输单的周期不同（中位数{won:.3g}天与{lost:.3g}天）：赢单率应按商机创建月份衡量，而不是按结单月份。"
    return [_said("clocks", english, chinese, "moderate", {"won_median_days": won, "lost_median_days": lost})]


def _young_deals(history: History) -> list[Finding]:
    row = overall(history).iloc[0]
    closed, rate, low, high = (float(row[name]) for name in ("closed_rate", "rate", "low", "high"))
    share = float(row["open"]) / float(row["opportunities"])
    if np.isnan(rate) or share < 0.1:
        return []
    english = (
        f"{100 * share:.0f} % of all deals are still open. {100 * closed:.1f} % of the closed ones were won; "
        f"of all deals begun it will be {100 * rate:.1f} % (95 % interval {100 * low:.1f} to {100 * high:.1f})."
    )
    chinese = (
        f"{100 * share:.0f}%的商机尚未结单。已结单中赢单占{100 * closed:.1f}%；"
        f"全部商机的最终赢单率估计为{100 * rate:.1f}%（95%区间{100 * low:.1f}%至{100 * high:.1f}%）。"
    )
    strength: Strength = "strong" if high - low < 0.05 else "moderate" if high - low < 0.15 else "weak"
    evidence = {"closed_rate": closed, "rate": rate, "low": low, "high": high, "open_share": share}
    return [_said("young_deals", english, chinese, strength, evidence)]


def _growth(history: History) -> list[Finding]:
    """Revenue of the latest covered quarter against the quarter and the year before, with the noise of its deals."""
    table = by_period(history, "quarter")
    covered = table.index[table["closed_complete"]]
    if not len(covered):
        return []
    last = int(covered[-1])
    found = []
    for steps, kind, en, zh in (
        (1, "on_period", "the quarter before", "环比"),
        (4, "on_year", "a year before", "同比"),
    ):
        change = float(table[f"revenue_minor_{kind}"].iloc[last])
        if np.isnan(change):
            continue
        now, then = (pd.Timestamp(table["period"].iloc[place]) for place in (last, last - steps))
        z = _noise_ratio(history, now, then)
        strength: Strength = "strong" if abs(z) > 3.3 else "moderate" if abs(z) > 1.96 else "weak"
        doubt, zweifel = ("", "") if strength != "weak" else (" This is within chance.", "属偶然波动范围。")
        quarter = f"{now.year}Q{now.quarter}"
        english = f"Signed value in {quarter} is {100 * change:+.0f} % against {en}.{doubt}"
        chinese = f"{quarter}签约额{zh}{100 * change:+.0f}%。{zweifel}"
        found.append(_said(f"revenue_{kind}", english, chinese, strength, {"change": change, "z": z}))
    return found


def _noise_ratio(history: History, now: pd.Timestamp, then: pd.Timestamp) -> float:
    """Difference of two quarters' signed value over its standard error (compound over-dispersed Poisson)."""
    deals = history.opportunities
    wins = deals[deals["outcome"] == "won"]
    quarter = wins["closed"].dt.tz_localize(None).dt.to_period("Q").dt.to_timestamp()
    values = [wins["value_minor"][quarter == start].fillna(0).astype(float) for start in (now, then)]
    daily = wins["closed"].dt.tz_localize(None).dt.normalize().value_counts()
    daily = daily.reindex(pd.date_range(daily.index.min(), daily.index.max(), freq="D"), fill_value=0)
    dispersion = max(1.0, describe(daily).dispersion) if len(daily) >= 28 else 1.0
    error = np.sqrt(dispersion * sum((value**2).sum() for value in values))
    return float((values[0].sum() - values[1].sum()) / error) if error > 0 else 0.0


def _arrivals(history: History) -> list[Finding]:
    counts = daily_counts(history)
    if len(counts) < 28:
        return []
    found = describe(counts)
    p_value = float(stats.chi2.sf(found.dispersion * (found.days - 8), found.days - 8))
    if p_value > 0.01:
        return []
    english = (
        f"New opportunities come in bursts: daily counts scatter {found.dispersion:.1f} times as much as pure chance "
        "(weekday and trend removed)."
    )
    chinese = f"新商机成批到来：扣除星期与趋势后，日到达量的离散度是纯随机的{found.dispersion:.1f}倍。"
    evidence = {"dispersion": found.dispersion, "low": found.dispersion_low, "high": found.dispersion_high}
    return [_said("arrivals", english, chinese, "strong" if p_value < 1e-4 else "moderate", evidence)]
