"""Floors under what is expected of metrics, in words where they conflict: each in its metric's own unit."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import get_args

from optimize.easing import Way
from optimize.metrics import Ratio
from optimize.parts.metrics import FLOOR
from optimize.problem import AllocationProblem
from scenarios.errors import Said
from scenarios.goals import RATIO_METRICS, CountMetric
from scenarios.plan import is_money

ROUNDING = 1e-6
"""Of a figure's last digit: what floating point may be off."""


def is_floor(name: str) -> bool:
    """Whether a row block is a floor under what is expected of a metric."""
    return name.startswith(FLOOR)


def floor_size(name: str) -> float:
    """How much of a floor's own number one unit of it is: money counts in minor units; a ratio in its numerator."""
    metric = _metric(name)
    return 100.0 if is_money(RATIO_METRICS.get(metric, (metric,))[0]) else 1.0


def floor_step(problem: AllocationProblem, name: str) -> float:
    """By how much of its own number a floor gives way where its last digit falls by one."""
    metric = _metric(name)
    ratio = _ratio(problem, metric)
    return _digit(metric) * (1.0 if ratio is None else _mean(problem, ratio.denominator))


def floor_named(problem: AllocationProblem, name: str) -> Said:
    """A floor as a person says it."""
    metric = _metric(name)
    floor = shown(metric, _figure(problem, metric))
    return Said(f"expected {metric} of the company is at least {floor}", f"公司 {metric} 的期望值不低于 {floor}")


def floor_lowered(problem: AllocationProblem, name: str, amount: float) -> Way:
    """A floor that is lower by an amount, rounded down to a figure that can be entered; removed where none is left.

    Args:
        amount: in the metric's unit, money in minor units; of a ratio, in that of its numerator.
    """
    metric = _metric(name)
    ratio, now = _ratio(problem, metric), _figure(problem, metric)
    less = amount if ratio is None else amount / max(_mean(problem, ratio.denominator), 1e-9)
    digit = _digit(metric)
    figure = math.floor((now - less) / digit + ROUNDING) * digit
    if figure <= 0:
        return floor_removed(problem, name)
    new, old = shown(metric, figure), shown(metric, now)
    said = Said(f"floor of {metric}: at most {new} instead of {old}", f"{metric} 的下限：由 {old} 改为不高于 {new}")
    return Way(said, lambda request: _with_floor(request, metric, figure))


def floor_removed(problem: AllocationProblem, name: str) -> Way:
    """The way out that leaves a floor out."""
    metric = _metric(name)
    now = shown(metric, _figure(problem, metric))
    said = Said(f"floor of {metric}, {now}: remove it", f"{metric} 的下限 {now}：取消")
    return Way(said, lambda request: _with_floor(request, metric, None))


def shown(metric: str, figure: float) -> str:
    """A figure of a metric as it is entered."""
    if is_money(metric) or metric == "average_order_value":
        return f"{figure / 100:,.2f}"
    return f"{figure:,.0f}" if metric in get_args(CountMetric) else f"{figure:,.4f}"


def _digit(metric: str) -> float:
    """The last digit of a figure: minor units, counts, or ten-thousandths of a ratio."""
    whole = is_money(metric) or metric == "average_order_value" or metric in get_args(CountMetric)
    return 1.0 if whole else 1e-4


def _metric(name: str) -> str:
    return name.removeprefix(f"{FLOOR} ")


def _ratio(problem: AllocationProblem, metric: str) -> Ratio | None:
    return next((ratio for ratio in problem.metrics.ratios if ratio.name == metric), None)


def _figure(problem: AllocationProblem, metric: str) -> float:
    """The floor as it is asked for."""
    ratio = _ratio(problem, metric)
    if ratio is not None:
        return ratio.floor or 0.0
    if metric == "revenue":
        return problem.metrics.revenue_floor or 0.0
    return next(one.floor or 0.0 for one in problem.metrics.others if one.name == metric)


def _mean(problem: AllocationProblem, metric: str) -> float:
    """What the company is expected to reach under the simulated plan."""
    if metric == "revenue":
        return float(problem.samples.mean(axis=0).sum())
    return next(one.expected for one in problem.metrics.others if one.name == metric)


def _with_floor(problem: AllocationProblem, metric: str, figure: float | None) -> AllocationProblem:
    """The request with another floor of a metric, or none."""
    metrics = problem.metrics
    if metric == "revenue":
        return replace(problem, metrics=replace(metrics, revenue_floor=figure))
    others = tuple(replace(one, floor=figure) if one.name == metric else one for one in metrics.others)
    ratios = tuple(replace(one, floor=figure) if one.name == metric else one for one in metrics.ratios)
    return replace(problem, metrics=replace(metrics, others=others, ratios=ratios))
