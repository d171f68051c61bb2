"""Other metrics than revenue: their attained shares in the objective, and floors under what is expected of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import get_args

import numpy as np

from optimize.metrics import Metric, Ratio
from optimize.parts import targets
from optimize.parts.accounts import Ownership
from optimize.problem import AllocationProblem, Floats
from optimize.programme.blocks import PENALTY, Blocks, Linear, Programme
from scenarios.errors import Said
from scenarios.goals import CountMetric
from scenarios.plan import is_money

FLOOR = "metric_floor"
EXACT_COLUMNS = 20_000
SEGMENTS = 32


def gains_of(problem: AllocationProblem, leads: Linear, owned: Ownership, unit: float) -> dict[str, Linear]:
    """Gain of every other metric in its own unit.

    Args:
        leads: revenue that training and shares of new leads add, in units of money.
    """
    others = zip(problem.metrics.others, owned.others, strict=True)
    return {metric.name: leads.times(metric.rates.lead * unit) + own for metric, own in others}


def objective_factor(problem: AllocationProblem, metric: Metric) -> float:
    """Minor units of the objective that one unit of a metric is worth: shares of totals are weighed, not amounts."""
    return metric.weight * problem.total / float(metric.total or 1)


def add(
    blocks: Blocks, problem: AllocationProblem, unit: float, gains: dict[str, Linear], revenue: Linear, quotas: bool
) -> float:
    """Add weighted metrics to the objective, with quotas of their own, and all floors; returns what segments may hide.

    Args:
        revenue: gain of revenue by rep, in units of money.
        quotas: False maximises what is expected of a weighted metric instead of its capped value.
    """
    error = 0.0
    for metric in problem.metrics.weighted:
        factor = objective_factor(problem, metric) / unit
        if quotas:
            error += _capped(blocks, problem, metric, gains[metric.name], factor)
        else:
            blocks.reward(gains[metric.name], factor)
    for metric in problem.metrics.others:
        if metric.floor is not None:
            missing = metric.floor - metric.expected
            _floor(blocks, metric.name, gains[metric.name], missing, metric.floor, metric.firm)
    least = problem.metrics.revenue_floor
    if least is not None:
        simulated = float(problem.samples.mean(axis=0).sum())
        _floor(blocks, "revenue", revenue.times(unit), least - simulated, least, firm=True)
    for ratio in problem.metrics.ratios:
        if ratio.floor is not None:
            _ratio_floor(blocks, problem, ratio, gains | {"revenue": revenue.times(unit)})
    return error


def alone(problem: AllocationProblem, gains: Mapping[str, Floats]) -> tuple[Programme, float]:
    """The quotas of weighted metrics where nothing else is to be decided, in the objective's minor units.

    Args:
        gains: of each weighted metric by rep, in its own unit, [R].

    Returns:
        The programme, and what segments may hide.
    """
    blocks, error = Blocks(), 0.0
    for metric in problem.metrics.weighted:
        gain = Linear.constants(gains[metric.name])
        error += _capped(blocks, problem, metric, gain, objective_factor(problem, metric))
    return blocks.programme(), error


def _capped(blocks: Blocks, problem: AllocationProblem, metric: Metric, gain: Linear, factor: float) -> float:
    """Quotas of one metric and its expected capped value, rewarded."""
    total = float(metric.total or 0)
    size = max(total / len(problem.reps) / 100.0, 1e-6)
    locked = problem.locks.between(metric.name, len(problem.reps))
    quota = blocks.columns(f"quota of {metric.name}", problem.reps, locked.low / size, locked.high / size)
    segments = None if metric.samples.size <= EXACT_COLUMNS else SEGMENTS
    expected, error = targets.expected_capped(
        blocks, metric.samples / size, problem.reps, quota, gain.times(1 / size), segments, of=metric.name
    )
    blocks.reward(expected, factor * size)
    blocks.rows(f"total of {metric.name}", ["company"], Linear.total(quota), total / size, total / size, kept=True)
    kept, _ = locked.team_totals(metric.team_totals, problem.teams, metric.carriers, metric.total)
    for team, of_team in kept.items():
        mine = quota[problem.members(team)]
        if len(mine):
            side = of_team / size
            blocks.rows(f"total of {metric.name}", [team], Linear.total(mine), side, side, kept=True)
    return error * factor * size


def _floor(blocks: Blocks, name: str, gain: Linear, least: float, floor: float, firm: bool) -> None:
    """What is expected of the company reaches a floor.

    A floor that is not firm gives way at a price, since other rules may leave no choice: a hundredth of it costs as
    much as all revenue, so that it is not traded against revenue.

    Args:
        gain: above what the simulated plan brings, by rep or of all; ``least``: what of it the floor needs.
    """
    if not len(gain.col) and not (firm and least > 0):
        return  # nothing that is decided moves it
    size = max(floor / 100, 1e-9)
    if not firm:
        size *= min(PENALTY / (100.0 * gain.count), 1.0)
    total = gain.summed().times(1 / size)
    blocks.rows(
        f"{FLOOR} {name}",
        ["company"],
        total,
        lower=least / size,
        loosen=Linear.constants(np.array([1 / size])),
        giving_way=np.array([not firm]),
    )


def _ratio_floor(blocks: Blocks, problem: AllocationProblem, ratio: Ratio, gains: dict[str, Linear]) -> None:
    """Ratio of expected sums: numerator - floor x denominator >= 0."""
    means = {metric.name: metric.expected for metric in problem.metrics.others}
    means["revenue"] = float(problem.samples.mean(axis=0).sum())
    above, below = gains[ratio.numerator], gains[ratio.denominator]
    floor = float(ratio.floor or 0.0)
    left = floor * means[ratio.denominator] - means[ratio.numerator]
    _floor(blocks, ratio.name, above - below.times(floor), left, floor * means[ratio.denominator], ratio.firm)


def floor_words(problem: AllocationProblem, rule: str) -> Said:
    """A floor as a person says it."""
    name = rule.removeprefix(f"{FLOOR} ")
    ratio = next((ratio for ratio in problem.metrics.ratios if ratio.name == name), None)
    floor = shown_value(name, _least(problem, name) if ratio is None else ratio.floor or 0.0)
    return Said(f"expected {name} of the company is at least {floor}", f"公司 {name} 的期望值不低于 {floor}")


def _least(problem: AllocationProblem, name: str) -> float:
    """Floor of an additive metric."""
    if name == "revenue":
        return problem.metrics.revenue_floor or 0.0
    return next(metric.floor or 0.0 for metric in problem.metrics.others if metric.name == name)


def floor_loosening(problem: AllocationProblem, rule: str, amount: float) -> Said:
    """The least lowering of a floor that helps, in words.

    Args:
        amount: in the metric's unit; of a ratio, in that of its numerator.
    """
    name = rule.removeprefix(f"{FLOOR} ")
    ratio = next((ratio for ratio in problem.metrics.ratios if ratio.name == name), None)
    if ratio is not None:
        below = float(problem.samples.mean(axis=0).sum())
        for metric in problem.metrics.others:
            below = metric.expected if metric.name == ratio.denominator else below
        least = (ratio.floor or 0.0) - amount / max(below, 1e-9)
    else:
        least = _least(problem, name) - amount
    told = shown_value(name, least, down=True)
    return Said(f"floor of {name}: at most {told}", f"{name} 的下限：不高于 {told}")


def shown_value(metric: str, value: float, down: bool = False) -> str:
    """A figure of a metric with its decimals; rounded down where it must suffice as an upper limit."""
    money = is_money(metric) or metric == "average_order_value"
    figure, digits = (value / 100, 2) if money else (value, 2 if metric in get_args(CountMetric) else 4)
    if down:
        figure = math.floor(figure * 10**digits) / 10**digits
    return f"{figure:,.{digits}f}"
