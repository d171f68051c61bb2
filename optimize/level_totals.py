"""What locked floors and stretches leave to quotas where the floors, or the stretches, of the company have a total."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from optimize.asked import Asked, asked, figure, quota_total
from optimize.locked_range import LockedRange
from optimize.phasing import Period
from optimize.problem import AllocationProblem
from optimize.split import proportional
from scenarios.goals import Level
from scenarios.scenario import Scenario


def beside_level_totals(
    scenario: Scenario, problem: AllocationProblem, periods: tuple[Period, ...]
) -> AllocationProblem:
    """The request in which quotas of who has a locked floor or stretch leave the others room for theirs.

    Floors of the others must fit under their quotas, so that locked floors leave a largest sum to the quotas of these
    people; likewise locked stretches leave a least sum. More than one of them share it in proportion to what is locked.
    """
    found = asked(scenario, periods)
    totals = {metric.name: metric.total for metric in problem.metrics.others}
    totals["revenue"] = round(problem.total)
    ranges = dict(problem.locks.ranges)
    for name, between in ranges.items():
        whole, entry = totals.get(name), found.get((name, None))
        for level in ("floor", "stretch"):
            of_level = _total(scenario, entry, name, level)
            if whole is not None and of_level is not None:
                between = _beside(between, level, problem.locks.of(name, level).whole, whole, of_level)
        ranges[name] = between
    return replace(problem, locks=problem.locks.within(ranges))


def _total(scenario: Scenario, entry: Asked | None, metric: str, level: Level) -> int | None:
    value = None if entry is None else entry.level(level)
    return None if value is None else quota_total(scenario, figure(metric, value))


def _beside(between: LockedRange, level: Level, fixed: Mapping[int, int], total: int, of_level: int) -> LockedRange:
    """The range with quotas of these people at most, or at least, what the level's total leaves them.

    Args:
        fixed: floors or stretches that are locked over the horizon, by position of the rep.
    """
    at = np.array(sorted(fixed), dtype=np.int64)
    limit, low, high = float(total - of_level + sum(fixed.values())), between.low.copy(), between.high.copy()
    weights = np.array([max(float(fixed[r]), 1.0) for r in at.tolist()])
    if level == "floor" and high[at].sum() > limit:
        high[at] = np.maximum(np.floor(proportional(weights, low[at], high[at], max(limit, 0.0))), low[at])
    elif level == "stretch" and low[at].sum() < limit:
        low[at] = np.minimum(np.ceil(proportional(weights, low[at], high[at], limit)), high[at])
    return replace(between, low=low, high=high)
