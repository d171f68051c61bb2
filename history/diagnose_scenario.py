"""The diagnosis of a plan by its simulated years: who carries too much, what is slow, what is neglected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd

from history.diagnose_finding import Finding, Strength, strongest_first
from scenarios.errors import InputRefused, Problem
from scenarios.people import Rep
from scenarios.scenario import Scenario
from scenarios.ticks import DAY, HOUR
from scenarios.today import care_planned, today_plan
from sim.outcome import Outcome
from sim.statistics import mean_interval

LOADED = 0.85
"""Workload above which waiting grows steeply: with this share busy, a queue is some six tasks long."""
_OVERLOADED = 0.95
_TOLERANCE = 0.05
_CARE = 0.8
_LOW_CHANCE = 0.35
_SEASON = 0.75


def diagnose_scenario(scenario: Scenario, outcome: Outcome) -> list[Finding]:
    """What the simulated years of a scenario under its plan show, the strongest findings first.

    Kinds: ``over_quota`` and ``under_quota`` (quota against expected sales, relative to the company's),
    ``overloaded``, ``ramping``, ``under_served`` (care planned against care owed, by owner and tier),
    ``slowest_stage``, ``leak``, ``cold_leads`` and ``season``.

    Raises:
        InputRefused: the outcome is of another scenario or plan.
    """
    plan = scenario.plan or today_plan(scenario)
    if (outcome.scenario, outcome.plan) != (scenario.fingerprint(), scenario.simulation_hash(plan)):
        rule = "the outcome must be of this scenario under its plan"
        raise InputRefused(Problem("outcome", outcome.plan_name, rule, "simulate the scenario again"))
    table = stage_table(outcome)
    found = [
        *_quotas(scenario, outcome, plan.quotas("revenue")),
        *_workloads(outcome),
        *_ramping(scenario),
        *_care_by_owner(scenario, plan.care_hours(), plan.owner_of()),
        *_stages(table),
        *_season(scenario, outcome),
    ]
    return strongest_first(found)


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
            "gain_per_point": 0.01 / conversion,
        }
    )


def _quotas(scenario: Scenario, outcome: Outcome, quotas: dict[str, int]) -> Iterator[Finding]:
    """Quota over expected sales against the company's ratio, where the difference is more than simulation noise."""
    reps = outcome["rep"]
    sales = reps.total("revenue").astype(float)
    known = [place for place, rep in enumerate(reps.keys) if quotas.get(rep, 0) > 0]
    expected = float(sales[:, known].mean(axis=0).sum()) if known else 0.0
    if expected <= 0:
        return
    company = sum(quotas[reps.keys[place]] for place in known) / expected
    ramping = {rep.id for rep in scenario.reps if _is_ramping(scenario, rep)}
    ratios = []
    for place in known:
        rep, interval = reps.keys[place], mean_interval(sales[:, place])
        if interval.estimate <= 0:
            continue
        fair = quotas[rep] / company
        ratios.append((fair / interval.estimate, rep, place, fair / interval.high, fair / max(interval.low, 1e-9)))
    for ratio, rep, place, low, high in sorted(ratios, key=lambda row: -abs(np.log(row[0]))):
        if abs(ratio - 1) <= _TOLERANCE or low <= 1 <= high:
            continue
        over = ratio > 1
        clear = low > 1 + _TOLERANCE if over else high < 1 - _TOLERANCE
        chance = float((sales[:, place] >= quotas[rep]).mean())
        points = 100 * abs(ratio - 1)
        english = (
            f"{rep}'s quota is {points:.0f} % {'above' if over else 'below'} what the company's quotas ask of the same "
            f"expected sales; chance to make it {100 * chance:.0f} %."
        )
        chinese = (
            f"{rep}的指标比同等预期销售额应承担的{'高' if over else '低'}{points:.0f}%；达标概率{100 * chance:.0f}%。"
        )
        if rep in ramping:
            english += " The rep is still ramping."
            chinese += "该员工仍处于新人爬坡期。"
        if over and chance < _LOW_CHANCE:
            english += f" That is below the usual least chance of {100 * _LOW_CHANCE:.0f} %."
            chinese += f"低于通常的最低达标概率{100 * _LOW_CHANCE:.0f}%。"
        evidence = {
            "quota_minor": float(quotas[rep]),
            "expected_minor": float(sales[:, place].mean()),
            "ratio_to_company": ratio,
            "ratio_low": low,
            "ratio_high": high,
            "chance": chance,
        }
        kind = "over_quota" if over else "under_quota"
        yield Finding(kind, rep, english, chinese, "strong" if clear else "moderate", evidence)


def _workloads(outcome: Outcome) -> Iterator[Finding]:
    reps = outcome["rep"]
    available = reps.total("available_ticks").mean(axis=0)
    load = reps.total("busy_ticks").mean(axis=0) / np.maximum(available, 1)
    busy, open_ = reps.by_period("busy_ticks").mean(axis=0), reps.by_period("available_ticks").mean(axis=0)
    peaks = (busy / np.maximum(open_, 1)).max(axis=1)
    for place in np.argsort(-load, kind="stable"):
        if load[place] < LOADED:
            return
        rep, share, peak = reps.keys[place], float(load[place]), float(peaks[place])
        yield Finding(
            "overloaded",
            rep,
            f"{rep} is {100 * share:.0f} % loaded ({100 * peak:.0f} % in the busiest period); above "
            f"{100 * LOADED:.0f} % waiting grows steeply.",
            f"{rep}的工作负荷率为{100 * share:.0f}%（最忙时段{100 * peak:.0f}%）；"
            f"超过{100 * LOADED:.0f}%后等待时间急剧上升。",
            "strong" if share >= _OVERLOADED or peak >= _OVERLOADED else "moderate",
            {"workload": share, "peak_workload": peak, "median_workload": float(np.median(load))},
        )


def _ramping(scenario: Scenario) -> Iterator[Finding]:
    for rep in scenario.reps:
        if rep.hired is not None and _is_ramping(scenario, rep):
            yield Finding(
                "ramping",
                rep.id,
                f"{rep.id} joins on {rep.hired} and is not at full pace from the start.",
                f"{rep.id}于{rep.hired}入职，期初尚处于新人爬坡期。",
                "strong",
                {"ramp_months": float(len(scenario.skills.ramp.pace_by_month))},
            )


def _is_ramping(scenario: Scenario, rep: Rep) -> bool:
    """Whether the ramp of a rep ends after the start of the horizon."""
    if rep.hired is None:
        return False
    months = rep.hired.month - 1 + len(scenario.skills.ramp.pace_by_month)
    done = date(rep.hired.year + months // 12, months % 12 + 1, min(rep.hired.day, 28))
    return done > scenario.calendar.start


def _care_by_owner(scenario: Scenario, given: dict[str, float], owners: dict[str, str]) -> Iterator[Finding]:
    """Care planned against care owed, for the accounts of each owner in each tier."""
    planned = care_planned(scenario) | given
    owed = {tier.id: tier.care_hours_per_year for tier in scenario.tiers}
    sums: dict[tuple[str, str], list[float]] = {}
    for account in scenario.accounts:
        owner = owners.get(account.id, account.owner)
        if owner is None or owed[account.tier] <= 0:
            continue
        entry = sums.setdefault((owner, account.tier), [0.0, 0.0, 0.0])
        entry[0] += planned[account.id]
        entry[1] += owed[account.tier]
        entry[2] += 1
    for (owner, tier), (hours, due, count) in sorted(sums.items(), key=lambda item: item[1][0] / item[1][1]):
        ratio = hours / due
        if ratio >= _CARE:
            return
        strength: Strength = "strong" if ratio < _CARE - 0.2 else "moderate"
        yield Finding(
            "under_served",
            f"{owner}/{tier}",
            f"{owner}'s {count:.0f} {tier} accounts are to get {hours:.0f} of {due:.0f} care hours a year "
            f"({100 * ratio:.0f} %).",
            f"{owner}的{count:.0f}个{tier}类客户全年计划服务{hours:.0f}小时，"
            f"应服务{due:.0f}小时（{100 * ratio:.0f}%）。",
            strength,
            {"planned_hours": hours, "owed_hours": due, "ratio": ratio, "accounts": count},
        )


def _stages(table: pd.DataFrame) -> Iterator[Finding]:
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
        f"Stage '{name}' is the slowest: {days:.1f} days a visit ({parts['wait_days']:.1f} waiting for the rep, "
        f"{parts['delay_days']:.1f} with the customer).",
        f"“{name}”阶段最慢：每次{days:.1f}天（等待销售{parts['wait_days']:.1f}天，客户考虑{parts['delay_days']:.1f}天）。",
        "strong" if days > 1.1 * float(deciding["days"].nlargest(2).iloc[1]) else "moderate",
        {"days": days, "share_of_days": days / rest, **parts},
    )
    top = max(rows, key=lambda row: float(row["forgone_minor"]))
    name, share = str(top["stage"]), float(top["forgone_minor"]) / max(float(deciding["forgone_minor"].sum()), 1e-9)
    gain = float(top["gain_per_point"])
    yield Finding(
        "leak",
        name,
        f"Stage '{name}' forgoes most value ({100 * share:.0f} %); one point more conversion there would bring "
        f"{100 * gain:.1f} % more new sales, all else equal.",
        f"“{name}”阶段流失价值最多（占{100 * share:.0f}%）；"
        f"其他条件不变时，转化率提高1个百分点，新增销售约增加{100 * gain:.1f}%。",
        "moderate",
        {"share": share, "forgone_minor": float(top["forgone_minor"]), "gain_per_point": gain},
    )
    cold = float(deciding["cold"].sum()) / max(float(deciding["entered"].iloc[0]), 1e-9)
    if cold >= 0.02:
        yield Finding(
            "cold_leads",
            "company",
            f"{100 * cold:.0f} % of the leads go cold waiting for a rep.",
            f"{100 * cold:.0f}%的线索因等待过久而流失。",
            "strong" if cold >= 0.1 else "moderate",
            {"share": cold},
        )


def _season(scenario: Scenario, outcome: Outcome) -> Iterator[Finding]:
    """January and February together, because the Chinese New Year moves between them."""
    reps = outcome["rep"]
    start, end = scenario.calendar.start, scenario.calendar.end
    whole_year = start == date(start.year, 1, 1) and end == date(start.year + 1, 1, 1)
    if not whole_year or scenario.calendar.reporting != "month":
        return
    monthly = reps.by_period("revenue").sum(axis=1).mean(axis=0)
    share = float(monthly[:2].sum() / max(monthly.sum(), 1))
    if share < _SEASON * 2 / 12:
        yield Finding(
            "season",
            "company",
            f"January and February bring {100 * share:.0f} % of the year's sales; phase quotas accordingly.",
            f"1–2月仅占全年销售额的{100 * share:.0f}%；月度分解应据此安排。",
            "strong",
            {"share": share, "even_share": 2 / 12},
        )
