"""Other metrics than revenue: their attained shares in the objective, and floors under what is expected of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from optimize.metrics import Metric, Ratio
from optimize.parts import targets
from optimize.parts.accounts import Ownership
from optimize.problem import AllocationProblem, Floats
from optimize.programme.blocks import PENALTY, Blocks, Linear, Programme

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
