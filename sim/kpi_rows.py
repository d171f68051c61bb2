"""Rows of a table of figures: sums and ratios of sums, customers, and sales against quotas, each with its interval."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scenarios.plan import Plan
from scenarios.scenario import Scenario
from sim.outcome import Cube, Outcome
from sim.statistics import (
    Interval,
    mean_bounds,
    mean_interval,
    ratio_of_means_bounds,
    ratio_of_means_interval,
    wilson,
)
from sim.timetable import Timetable

Unit = Literal["minor", "count", "share", "days", "hours", "minor per order"]
Row = tuple[str, str, str, float, float, float, str, int]
"""Key, period, figure, estimate, low, high, unit, replications."""
Span = tuple[str, slice]
"""Label and periods of what a row is about."""


@dataclass(frozen=True)
class Kpi:
    """A figure: the sum of ``numerator``, or that over the sum of ``denominator``, divided by ``scale``.

    Attributes:
        less: metrics taken off the numerator; what is left piles up from period to period.
    """

    name: str
    unit: Unit
    numerator: str
    denominator: str | None = None
    scale: float = 1.0
    less: tuple[str, ...] = ()


def rows_of(cube: Cube, kpi: Kpi, by_period: bool) -> Iterator[tuple[int, Row]]:
    """One figure of every key, with the key's position.

    A ratio whose denominator is 0 in every replication has no row.
    """
    top = cube.by_period(kpi.numerator)
    for metric in kpi.less:
        top = top - cube.by_period(metric)
    if kpi.less:
        top = top.cumsum(axis=2)
    below = None if kpi.denominator is None else cube.by_period(kpi.denominator)
    # What is open is a stock: the horizon's figure is that of its last period, not a sum.
    stock = kpi.numerator == "open" or bool(kpi.less)
    places = np.arange(len(cube.keys))
    for label, span in spans(cube, by_period) if len(places) else ():
        numerator = (top[:, :, span][:, :, -1] if stock else top[:, :, span].sum(axis=2)) / kpi.scale
        if below is None:
            known, bounds = places, mean_bounds(numerator)
        else:
            denominator = below[:, :, span].sum(axis=2)
            known = np.flatnonzero(denominator.any(axis=0))
            bounds = ratio_of_means_bounds(numerator[:, known], denominator[:, known])
        for place, estimate, low, high in zip(known.tolist(), *(ends.tolist() for ends in bounds), strict=True):
            yield place, (cube.keys[place], label, kpi.name, estimate, low, high, kpi.unit, len(top))


def spans(cube: Cube, by_period: bool) -> list[Span]:
    """Each period, or the whole horizon."""
    if by_period:
        return [(label, slice(place, place + 1)) for place, label in enumerate(cube.periods)]
    return [("horizon", slice(None))]


def customer_rows(outcome: Outcome, scenario: Scenario, by_period: bool) -> Iterator[Row]:
    """Customers at the end, repurchase, churn and growth.

    The rates are over the customers held at the beginning and those won meanwhile. Growth is against the period
    before: of the horizon against ``goals.last_new_customers``, where that is given and not 0.
    """
    cube = outcome["customer"]
    came, churned, new = (cube.by_period(metric)[:, 0, :] for metric in ("customers", "churned", "new_customers"))
    again = cube.by_period("buying_customers" if by_period else "repeat_customers")[:, 0, :]
    now = came.cumsum(axis=1) - churned.cumsum(axis=1)
    last = scenario.goals.last_new_customers or 0
    for number, (label, span) in enumerate(spans(cube, by_period)):
        gone = churned[:, span].sum(axis=1)
        held = now[:, span][:, -1] + gone
        yield _row("company", label, "customers", mean_interval(now[:, span][:, -1]), "count")
        yield _row("company", label, "customers_lost", mean_interval(gone), "count")
        for name, part in (("repurchase_rate", again[:, span].sum(axis=1)), ("churn_rate", gone)):
            if held.any():
                yield _row("company", label, name, ratio_of_means_interval(part, held), "share")
        if by_period:
            before = new[:, number - 1] if number else np.zeros(len(new), dtype=np.int64)
        else:
            before = np.full(len(new), last)
        if before.any():
            growth = ratio_of_means_interval(new[:, span].sum(axis=1), before)
            growth = replace(growth, estimate=growth.estimate - 1, low=growth.low - 1, high=growth.high - 1)
            yield _row("company", label, "new_customer_growth", growth, "share")


def quota_rows(
    outcome: Outcome, scenario: Scenario, plan: Plan, groups: Sequence[str], by_period: bool
) -> Iterator[Row]:
    """Average attainment and hit rate of groups of reps against their revenue quotas.

    Average attainment is the mean over the reps with a quota above zero of sales over quota, uncapped; hit rate is the
    share of the reps with a quota whose sales reach it. A period has them where the quotas are given by period.

    Args:
        groups: the group of each rep; ids of the reps themselves where each is one.
    """
    cube = outcome["rep"]
    sales = cube.by_period("revenue")
    members: dict[str, list[int]] = {}
    for rep, group in enumerate(groups):
        members.setdefault(group, []).append(rep)
    within = _quotas_by_period(plan, scenario) if by_period else [plan.quotas("revenue")]
    for (label, span), quotas in zip(spans(cube, by_period), within, strict=True):
        for group, reps in members.items():
            carry = [rep for rep in reps if cube.keys[rep] in quotas]
            if not carry:
                continue
            sold = sales[:, carry, span].sum(axis=2)
            asked = np.array([quotas[cube.keys[rep]] for rep in carry], dtype=np.int64)
            some = asked > 0
            if some.any():
                attained = (sold[:, some] / asked[some]).mean(axis=1)
                yield _row(group, label, "average_attainment", mean_interval(attained), "share")
            yield _row(group, label, "hit_rate", _share(sold >= asked), "share")


def _quotas_by_period(plan: Plan, scenario: Scenario) -> list[dict[str, int]]:
    """Revenue quotas of each reporting period, of the reps all of whose quotas lie within single periods."""
    periods = Timetable(scenario.calendar).periods()
    ends = periods.ends(scenario.calendar)
    found: list[dict[str, int]] = [{} for _ in ends]
    unclear = set()
    for row in plan.targets:
        if row.metric != "revenue":
            continue
        place = bisect_right(periods.firsts, row.start) - 1
        if place < 0 or row.end > ends[place]:
            unclear.add(row.rep)
        else:
            found[place][row.rep] = found[place].get(row.rep, 0) + row.value
    return [{rep: quota for rep, quota in quotas.items() if rep not in unclear} for quotas in found]


def _share(made: NDArray[np.bool_]) -> Interval:
    """Of one rep: how many of the simulated years; of several: the mean share."""
    if made.shape[1] == 1:
        return wilson(int(made.sum()), len(made))
    return mean_interval(made.mean(axis=1))


def _row(key: str, label: str, name: str, interval: Interval, unit: Unit) -> Row:
    return key, label, name, interval.estimate, interval.low, interval.high, unit, interval.n
