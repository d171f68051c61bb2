"""The diagnosis of a plan by its simulated years: who carries too much, what is slow, what is neglected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import numpy as np

from history.diagnosis.care import care_by_owner, care_findings
from history.diagnosis.finding import Finding, strongest_first
from history.diagnosis.stages import season_findings, stage_findings, stage_table
from scenarios.errors import InputRefused, Problem
from scenarios.goals import MinimumChance, Workload
from scenarios.people import Rep
from scenarios.scenario import Scenario
from scenarios.today import today_plan
from sim.outcome import Outcome
from sim.statistics import mean_interval

LOADED = 0.85
"""Workload above which waiting grows steeply: with this share busy, a queue is some six tasks long."""
_USUAL_LIMIT = 0.95
_USUAL_CHANCE = 0.35
_TOLERANCE = 0.05
"""A quota this far from what the company asks of everybody, in proportion to expected sales, is out of line."""

Label = Callable[[str], str]


def diagnose_scenario(scenario: Scenario, outcome: Outcome) -> list[Finding]:
    """What the simulated years of a scenario under its plan show, the strongest findings first.

    A finding needs size and certainty: it is made where a figure is materially off, and its strength says how surely.
    Kinds: ``over_quota`` and ``under_quota`` (quota against expected sales, relative to the company's),
    ``overloaded``, ``ramping``, ``under_served`` (care given against care owed, by owner and tier),
    ``slowest_stage``, ``leak``, ``cold_leads`` and ``season``.

    Raises:
        InputRefused: the outcome is of another scenario or plan.
    """
    plan = scenario.plan or today_plan(scenario)
    if (outcome.scenario, outcome.plan) != (scenario.fingerprint(), scenario.simulation_hash(plan)):
        rule = "the outcome must be of this scenario under its plan"
        raise InputRefused(Problem("outcome", outcome.plan_name, rule, "simulate the scenario again"))
    label = _labels(scenario)
    found = [
        *_quotas(scenario, outcome, plan.quotas("revenue"), label),
        *_workloads(scenario, outcome, label),
        *_ramping(scenario, label),
        *care_findings(care_by_owner(scenario, plan, outcome), label),
        *stage_findings(stage_table(outcome), {stage.id: stage.name or stage.id for stage in scenario.stages}),
        *season_findings(outcome),
    ]
    return strongest_first(found)


def _labels(scenario: Scenario) -> Label:
    """Id and name of a rep, once where they are the same."""
    names = {rep.id: rep.name for rep in scenario.reps}

    def label(rep: str) -> str:
        name = names.get(rep, "")
        return rep if name in ("", rep) else f"{rep} {name}"

    return label


def _quotas(scenario: Scenario, outcome: Outcome, quotas: dict[str, int], label: Label) -> Iterator[Finding]:
    """Quota over expected sales against the company's ratio, where the difference is more than simulation noise."""
    reps = outcome["rep"]
    sales = reps.total("revenue").astype(float)
    known = [place for place, rep in enumerate(reps.keys) if quotas.get(rep, 0) > 0]
    expected = float(sales[:, known].mean(axis=0).sum()) if known else 0.0
    if expected <= 0:
        return
    company = sum(quotas[reps.keys[place]] for place in known) / expected
    ramping = {rep.id for rep in scenario.reps if still_ramping(scenario, rep)}
    least = scenario.allocation.enabled(MinimumChance)
    floor = _USUAL_CHANCE if least is None else least.chance
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
            f"The quota of {label(rep)} is {'too high' if over else 'too low'}: {points:.0f} % "
            f"{'above' if over else 'below'} what the company's quotas ask of the same expected sales; "
            f"chance to make it {100 * chance:.0f} %."
        )
        chinese = (
            f"{label(rep)}的指标偏{'高' if over else '低'}：比同等预期销售额应承担的"
            f"{'高' if over else '低'}{points:.0f}%；达标概率{100 * chance:.0f}%。"
        )
        if rep in ramping:
            english += " The rep is still ramping."
            chinese += "该员工仍处于新人爬坡期。"
        if over and chance < floor:
            english += f" That is below the least chance of {100 * floor:.0f} %."
            chinese += f"低于最低达标概率{100 * floor:.0f}%。"
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


def _workloads(scenario: Scenario, outcome: Outcome, label: Label) -> Iterator[Finding]:
    """Reps with little slack; the strength says whether they surely are above the limit of the workload rule."""
    rule = scenario.allocation.enabled(Workload)
    limit = _USUAL_LIMIT if rule is None else rule.maximum
    reps = outcome["rep"]
    busy, there = reps.total("busy_ticks"), reps.total("available_ticks")
    loads = busy / np.maximum(there, 1)
    busy_then, there_then = (reps.by_period(metric).mean(axis=0) for metric in ("busy_ticks", "available_ticks"))
    peaks = (busy_then / np.maximum(there_then, 1)).max(axis=1)
    middle = float(np.median(loads.mean(axis=0)))
    for place in np.argsort(-loads.mean(axis=0), kind="stable"):
        load, peak, rep = mean_interval(loads[:, place]), float(peaks[place]), reps.keys[place]
        if load.estimate < LOADED:
            return
        yield Finding(
            "overloaded",
            rep,
            f"{label(rep)} is {100 * load.estimate:.0f} % loaded ({100 * peak:.0f} % in the busiest period); above "
            f"{100 * LOADED:.0f} % waiting grows steeply.",
            f"{label(rep)}的工作负荷率为{100 * load.estimate:.0f}%（最忙时段{100 * peak:.0f}%）；"
            f"超过{100 * LOADED:.0f}%后等待时间急剧上升。",
            "strong" if load.low >= limit or peak >= limit else "moderate",
            {"workload": load.estimate, "peak_workload": peak, "median_workload": middle, "limit": limit},
        )


def _ramping(scenario: Scenario, label: Label) -> Iterator[Finding]:
    for rep in scenario.reps:
        if rep.hired is not None and still_ramping(scenario, rep):
            joins = "joins" if rep.hired >= scenario.calendar.start else "joined"
            yield Finding(
                "ramping",
                rep.id,
                f"{label(rep.id)} {joins} on {rep.hired} and is not at full pace from the start.",
                f"{label(rep.id)}于{rep.hired}入职，期初尚处于新人爬坡期。",
                "strong",
                {"ramp_months": float(len(scenario.skills.ramp.pace_by_month))},
            )


def still_ramping(scenario: Scenario, rep: Rep) -> bool:
    """Whether the ramp of a rep ends after the start of the horizon."""
    if rep.hired is None:
        return False
    months = rep.hired.month - 1 + len(scenario.skills.ramp.pace_by_month)
    done = date(rep.hired.year + months // 12, months % 12 + 1, min(rep.hired.day, 28))
    return done > scenario.calendar.start
