"""How likely each target of the company and of its teams is, counted on simulated years of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal

import numpy as np

from scenarios.goals import RATIO_METRICS, Target
from scenarios.plan import is_money
from scenarios.scenario import Scenario
from scenarios.today import formula_target
from sim.outcome import Counts, Outcome
from sim.statistics import Interval, mean_interval, ratio_of_means_interval, wilson
from sim.timetable import Timetable

NEAR = 1e-12
FloorKept = Literal["kept", "open", "missed"]
"""Whether the interval of what is expected lies above a floor, on both sides of it, or below."""


@dataclass(frozen=True)
class TargetChance:
    """One target; over-assignment is left out: this is what is wanted, not what is handed out.

    Attributes:
        team: None for the company.
        value: minor units, a count or a ratio (average order value in minor units).
        expected: mean over the years; of a ratio, the ratio of means. NaN where there is nothing to divide by.
        chance: to reach it, with its Wilson interval; None where the years do not tell.
        floor: of the same target, as ``value``; None where it has none.
        mean: ``expected`` with its interval; None where the years do not tell.
    """

    metric: str
    team: str | None
    first: date
    end: date
    value: float
    expected: float
    chance: Interval | None
    floor: float | None = None
    mean: Interval | None = None

    @property
    def floor_kept(self) -> FloorKept | None:
        """Whether what is expected reaches the floor; None without a floor, or where the years do not tell."""
        if self.floor is None or self.mean is None:
            return None
        return "kept" if self.mean.low >= self.floor else "missed" if self.mean.high < self.floor else "open"


def target_chances(scenario: Scenario, outcome: Outcome) -> tuple[TargetChance, ...]:
    """Every target of the scenario, in its order; a ratio is that of the sums, year by year."""
    laid = Timetable(scenario.calendar).periods()
    bounds = list(laid.firsts), list(laid.ends(scenario.calendar))
    return tuple(_of_target(scenario, outcome, target, bounds) for target in scenario.goals.targets)


def _of_target(
    scenario: Scenario, outcome: Outcome, target: Target, bounds: tuple[Sequence[date], Sequence[date]]
) -> TargetChance:
    first, end = target.first_day or scenario.calendar.start, target.end or scenario.calendar.end
    value = _value(scenario, target)
    floor = None if target.floor is None else _in_units(target.metric, target.floor)
    parts = RATIO_METRICS.get(target.metric, (target.metric,))
    sums = [_sum(scenario, outcome, part, target.team, first, end, bounds) for part in parts]
    if any(one is None for one in sums):
        return TargetChance(target.metric, target.team, first, end, value, float("nan"), None, floor)
    found = [one for one in sums if one is not None]
    if len(found) == 1:
        chance = wilson(int((found[0] >= value).sum()), len(found[0]))
        mean = mean_interval(found[0])
        return TargetChance(target.metric, target.team, first, end, value, mean.estimate, chance, floor, mean)
    above, below = found
    some = below > 0
    if not some.any():
        return TargetChance(target.metric, target.team, first, end, value, float("nan"), None, floor)
    hit = above[some] / below[some] >= value * (1 - NEAR)
    mean, chance = ratio_of_means_interval(above, below), wilson(int(hit.sum()), int(some.sum()))
    return TargetChance(target.metric, target.team, first, end, value, mean.estimate, chance, floor, mean)


def _value(scenario: Scenario, target: Target) -> float:
    if target.formula is not None:
        members = tuple(rep for rep in scenario.reps if target.team in (None, rep.team))
        return float(formula_target(scenario.model_copy(update={"reps": members}), target.formula))
    return _in_units(target.metric, target.target or 0)


def _in_units(metric: str, given: float) -> float:
    """A figure of a target in minor units, as a count or as a ratio."""
    value = Fraction(str(given))
    return float(value * 100) if is_money(metric) or metric == "average_order_value" else float(value)


def _sum(
    scenario: Scenario,
    outcome: Outcome,
    metric: str,
    team: str | None,
    first: date,
    end: date,
    bounds: tuple[Sequence[date], Sequence[date]],
) -> Counts | None:
    """What the company or a team reaches of a metric in a period, by simulated year."""
    cube = outcome["rep"]
    if metric not in cube.metrics:
        return None
    if (first, end) == (scenario.calendar.start, scenario.calendar.end):
        span = slice(None)
    elif len(cube.periods) == len(bounds[0]) and first in bounds[0] and end in bounds[1]:
        span = slice(bounds[0].index(first), bounds[1].index(end) + 1)
    else:
        return None
    team_of = {rep.id: rep.team for rep in scenario.reps}
    mine = np.array([team is None or team_of[rep] == team for rep in cube.keys])
    found: Counts = cube.by_period(metric)[:, mine][:, :, span].sum(axis=(1, 2))
    return found
