"""What the simulated years of today's plan show: the slow stage, the leak, the overloaded, quotas out of line, neglect.

A finding needs size and certainty: it is made where the figure is materially off, and its strength says how surely.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from experiments.measures import PlanMeasures, RepMeasures, plan_measures
from experiments.report_details import Finding
from experiments.runs import plan_of
from scenarios.goals import Workload
from scenarios.scenario import Scenario
from scenarios.ticks import DAY
from scenarios.today import care_planned
from sim.interval import Interval
from sim.outcome import Outcome
from sim.statistics import mean_interval

QUOTA_OFF = 0.05
"""A quota this far from what the company asks of everybody, in proportion to expected sales, is out of line."""
HEAVY_WORKLOAD = 0.90
LITTLE_CARE = 0.80
USUAL_LIMIT = 0.95


def findings(world: Scenario, outcome: Outcome) -> tuple[Finding, ...]:
    """Findings on today's plan, people first.

    Args:
        outcome: simulated years of this world under its plan.
    """
    measures = plan_measures(world, plan_of(world), outcome)
    return (
        *_overloaded(world, outcome, measures),
        *_quotas_out_of_line(world, outcome, measures),
        *_neglected(world, outcome),
        *_slowest_stage(world, outcome),
        *_leak(world, outcome),
    )


def _overloaded(world: Scenario, outcome: Outcome, measures: PlanMeasures) -> Iterator[Finding]:
    limits = [rule.maximum for rule in world.allocation.rules if isinstance(rule, Workload) and rule.enabled]
    limit = limits[0] if limits else USUAL_LIMIT
    cube = outcome["rep"]
    busy, there = cube.total("busy_ticks"), cube.total("available_ticks")
    for column, rep in enumerate(measures.reps):
        if not there[:, column].all():
            continue
        load = mean_interval(busy[:, column] / there[:, column])
        if load.estimate < HEAVY_WORKLOAD:
            continue
        yield Finding(
            f"{_label(rep)} is {100 * load.estimate:.0f} % loaded: no room for more leads or accounts.",
            f"{_label(rep)}工作负荷率{100 * load.estimate:.0f}%：没有余力承接更多线索或客户。",
            "strong" if load.low > limit else "moderate",
            (("workload", load.estimate), ("limit", limit)),
        )


def _quotas_out_of_line(world: Scenario, outcome: Outcome, measures: PlanMeasures) -> Iterator[Finding]:
    """Quota over expected sales against the company's, for reps who are there at full pace."""
    sales = outcome["rep"].total("revenue")
    carried = [
        (column, rep)
        for column, rep in enumerate(measures.reps)
        if rep.quota and rep.expected_sales > 0 and not _ramping(world, rep.rep)
    ]
    if len(carried) < 2:
        return
    company = sum(rep.quota or 0 for _, rep in carried) / sum(rep.expected_sales for _, rep in carried)
    for column, rep in carried:
        fair = mean_interval(sales[:, column] * company)
        off = (rep.quota or 0) / fair.estimate - 1
        if abs(off) < QUOTA_OFF:
            continue
        high = off > 0
        side_en, side_zh = ("too high", "偏高") if high else ("too low", "偏低")
        chance = "" if rep.chance is None else f"{100 * rep.chance.estimate:.0f} %"
        yield Finding(
            f"The quota of {_label(rep)} is {side_en} by {100 * abs(off):.0f} % for what this territory sells:"
            f" chance to make it {chance}.",
            f"{_label(rep)}的指标{side_zh}{100 * abs(off):.0f}%（与该区域销售能力相比）：达标概率{chance}。",
            _strength(fair, float(rep.quota or 0)),
            (("quota over fair quota", 1 + off), ("chance", 0.0 if rep.chance is None else rep.chance.estimate)),
        )


def _neglected(world: Scenario, outcome: Outcome) -> Iterator[Finding]:
    """Accounts of one owner and tier that get much less care than their tier is owed."""
    cube = outcome["account"]
    done, asked = (cube.total(metric).sum(axis=0) for metric in ("care_ticks", "care_planned_ticks"))
    kept = dict(zip(cube.keys, np.divide(done, asked, out=np.zeros(len(done)), where=asked > 0).tolist(), strict=True))
    planned = care_planned(world) | plan_of(world).care_hours()
    owners, owed = plan_of(world).owner_of(), {tier.id: tier.care_hours_per_year for tier in world.tiers}
    groups: dict[tuple[str, str], list[str]] = {}
    for account in world.accounts:
        if account.id in owners and owed[account.tier] > 0:
            groups.setdefault((owners[account.id], account.tier), []).append(account.id)
    for (owner, tier), accounts in groups.items():
        given = sum(planned[account] * kept[account] for account in accounts)
        share = given / (owed[tier] * len(accounts))
        if share < LITTLE_CARE:
            yield Finding(
                f"{len(accounts)} {tier} accounts of {owner} get {100 * share:.0f} % of the care they are owed.",
                f"{owner}名下{len(accounts)}家{tier}类客户只得到应有服务的{100 * share:.0f}%。",
                "strong",
                (("care given over owed", share), ("hours a year owed", owed[tier] * len(accounts))),
            )


def _slowest_stage(world: Scenario, outcome: Outcome) -> Iterator[Finding]:
    cube = outcome["stage"]
    started = cube.total("started").sum(axis=0)
    days = {
        metric: np.divide(cube.total(metric).sum(axis=0), started * DAY, out=np.zeros(len(started)), where=started > 0)
        for metric in ("wait_ticks", "delay_ticks")
    }
    whole = days["wait_ticks"] + days["delay_ticks"]
    deciding = [position for position, stage in enumerate(world.stages) if not stage.after_win]
    if not any(whole[position] > 0 for position in deciding):
        return
    worst = max(deciding, key=lambda position: float(whole[position]))
    others = float(np.delete(whole[deciding], deciding.index(worst)).max(initial=0.0))
    stage = world.stages[worst]
    name, wait, delay = stage.name or stage.id, float(days["wait_ticks"][worst]), float(days["delay_ticks"][worst])
    yield Finding(
        f"{stage.id} is the slowest stage: {wait:.1f} days of waiting and {delay:.1f} with the customer.",
        f"“{name}”是最慢的阶段：排队{wait:.1f}天，客户端{delay:.1f}天。",
        "strong" if float(whole[worst]) > 1.1 * others else "moderate",
        (("days waiting", wait), ("days with the customer", delay), ("next slowest, days", others)),
    )


def _leak(world: Scenario, outcome: Outcome) -> Iterator[Finding]:
    cube = outcome["stage"]
    lost = cube.total("lost_value").mean(axis=0)
    if lost.sum() <= 0:
        return
    worst = int(np.argmax(lost))
    stage, share = world.stages[worst], float(lost[worst] / lost.sum())
    yield Finding(
        f"{100 * share:.0f} % of the value that is lost on the way is lost at {stage.id}.",
        f"流失价值的{100 * share:.0f}%发生在“{stage.name or stage.id}”阶段。",
        "moderate",
        (("share of lost value", share), ("lost value a year", float(lost[worst]) / 100)),
    )


def _ramping(world: Scenario, rep: str) -> bool:
    return any(one.id == rep and one.hired is not None and one.hired > world.calendar.start for one in world.reps)


def _strength(fair: Interval, quota: float) -> str:
    return "strong" if quota < fair.low or quota > fair.high else "weak"


def _label(rep: RepMeasures) -> str:
    return rep.rep if rep.name in ("", rep.rep) else f"{rep.name} ({rep.rep})"
