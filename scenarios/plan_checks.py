"""What of a plan does not fit its scenario: names, periods, amounts, levels, locks, shares."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Any, get_args

from scenarios.base import HOURS_OF_A_YEAR, major_units
from scenarios.check_decisions import lock_problems
from scenarios.errors import Problem
from scenarios.goals import RATIO_METRICS, Metric
from scenarios.lead_shares import share_problems
from scenarios.lock_paths import number
from scenarios.paths import near
from scenarios.plan import QUOTA_TABLES, TABLES, CareRow, LevelQuotaRow, Plan, is_money, row_columns
from scenarios.references import world_of
from scenarios.scenario import Scenario, ids

_AMOUNTS = ("hours", "value")
"""Columns of amounts that must not be negative; shares have a check of their own."""


def plan_problems(
    plan: Plan, scenario: Scenario, spots: Mapping[Any, str] | None = None, partial: Collection[str] = ()
) -> Iterator[Problem]:
    """What of a plan does not fit its scenario.

    Args:
        spots: file and line of each row, where they are known.
        partial: tables that could not be read in full; nothing is said to be missing from them.
    """
    places = spots or {}
    known = {
        "rep": ids(scenario.reps),
        "account": ids(scenario.accounts),
        "skill": scenario.skills.dimensions,
        "source": ids(scenario.sources),
        "metric": get_args(Metric),
    }
    names = {field: frozenset(values) for field, values in known.items()}
    faulty = set(partial)
    for table in TABLES:
        found = []
        for row in getattr(plan, table):
            where = places.get(row, f"plan.{table}")
            for field, values in known.items():
                value = getattr(row, field, None)
                if value is not None and value not in names[field]:
                    found.append(Problem(where, value, f"no {field} of this name in the scenario", near(value, values)))
            found += _row_problems(where, row, scenario)
        found += _overlaps(places, table, plan)
        if table == "locks":
            found += _lock_problems(plan, scenario, places)
        faulty |= {table} if found else set()
        yield from found
    if not faulty & {*QUOTA_TABLES}:
        yield from _level_problems(plan, places)
    yield from share_problems(plan, scenario, places)


def _row_problems(where: str, row: Any, scenario: Scenario) -> Iterator[Problem]:
    first, end = scenario.calendar.start, scenario.calendar.end
    start = getattr(row, "start", None)
    if start is not None:
        until = getattr(row, "end", end)
        if not first <= start < until <= end:
            rule = f"must be a period inside {first} to {end}"
            yield Problem(where, f"{start} to {until}", rule, "correct start or end")
    for field in _AMOUNTS:
        amount = getattr(row, field, None)
        if isinstance(amount, int | float) and not 0 <= amount < float("inf"):
            shown = major_units(int(amount)) if is_money(getattr(row, "metric", "")) else amount
            yield Problem(where, str(shown), f"{field} must be a finite number, not negative", "correct it")
    if isinstance(row, CareRow) and row.hours > HOURS_OF_A_YEAR:
        yield Problem(where, str(row.hours), f"hours must be <= {HOURS_OF_A_YEAR}", "a year has no more hours")
    if isinstance(row, LevelQuotaRow) and row.level not in ("floor", "stretch"):
        yield Problem(where, row.level, "level must be floor or stretch", "quotas themselves stand in targets")
    if getattr(row, "metric", None) in RATIO_METRICS:
        pair = " and ".join(RATIO_METRICS[row.metric])
        yield Problem(where, row.metric, "is a ratio and cannot be summed over periods", f"give {pair}")


def _lock_problems(plan: Plan, scenario: Scenario, places: Mapping[Any, str]) -> Iterator[Problem]:
    """Locks name figures and values that there are; which of them are in force is for the audit trail to say."""
    if not plan.locks:
        return
    world = world_of(scenario, {}, frozenset())
    for row in plan.locks:
        where, path = places.get(row, "plan.locks"), row.path
        value = row.value if path.startswith("owner.") else number(row.value)
        for problem in lock_problems(where, path, value, world):
            shown = problem.value if problem.where.endswith("path") else f"{path} = {row.value}"
            yield Problem(where, shown, problem.rule, problem.remedy)


def _level_problems(plan: Plan, places: Mapping[Any, str]) -> Iterator[Problem]:
    """Over the horizon a floor lies at or below the quota and a stretch at or above it, and there is a quota."""
    for metric in dict.fromkeys(row.metric for row in plan.levels):
        quotas = plan.quotas(metric)
        for level, sign in (("floor", 1), ("stretch", -1)):
            for rep, value in plan.level_quotas(level, metric).items():
                row = next(row for row in plan.levels if (row.rep, row.metric, row.level) == (rep, metric, level))
                where, subject = places.get(row, "plan.levels"), f"{level} of {rep} in {metric}"
                if rep not in quotas:
                    yield Problem(where, subject, "there is no quota beside it", "give one in targets, or remove it")
                elif sign * (value - quotas[rep]) > 0:
                    side = "above" if sign > 0 else "below"
                    rule = (
                        f"{_figure(metric, value)} over the horizon is {side} the quota, {_figure(metric, quotas[rep])}"
                    )
                    yield Problem(where, subject, rule, "floor <= quota <= stretch must hold")


def _figure(metric: str, value: int) -> str:
    return str(major_units(value) if is_money(metric) else value)


def _overlaps(places: Mapping[Any, str], table: str, plan: Plan) -> Iterator[Problem]:
    """Two rows that say something about the same thing at the same time."""
    subjects = [column for column in row_columns(table) if column not in (*_AMOUNTS, "share", "start", "end")]
    groups: dict[tuple[str, ...], list[Any]] = {}
    for row in getattr(plan, table) if table != "locks" else ():
        groups.setdefault(tuple(getattr(row, column) for column in subjects), []).append(row)
    for subject, rows in groups.items():
        for one, other in pairwise(sorted(rows, key=lambda row: getattr(row, "start", date.min))):
            if not hasattr(one, "end"):
                clash = getattr(one, "start", None) == getattr(other, "start", None)
            else:
                clash = other.start < one.end
            if clash:
                where = places.get(other, f"plan.{table}")
                yield Problem(where, " ".join(subject), "two rows for the same thing at the same time", "keep one")
