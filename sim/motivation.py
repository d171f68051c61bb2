"""How hard a rep works, by the distance from quota: the quotas as arrays, and what has been sold of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import Problem
from scenarios.market import Motivation
from scenarios.plan import Plan, QuotaRow
from scenarios.scenario import Scenario
from sim.rules_people import motivated_pace
from sim.timetable import Timetable

Ticks = NDArray[np.int64]


@dataclass(frozen=True)
class Quotas:
    """Revenue quotas that reps react to, Q rows; those of rep r are ``first[r]`` to ``first[r + 1]``.

    Empty where motivation is off. A quota of zero asks for nothing and moves nobody.

    Attributes:
        first: [R + 1].
        start, end: ticks of each quota's period, [Q], ascending within a rep and not overlapping.
        value: minor units, [Q].
    """

    first: Ticks
    start: Ticks
    end: Ticks
    value: Ticks


def quota_rows(plan: Plan, rep: str) -> list[QuotaRow]:
    """A rep's revenue quotas that ask for anything, in order of time."""
    rows = [row for row in plan.targets if row.rep == rep and row.metric == "revenue" and row.value > 0]
    return sorted(rows, key=lambda row: (row.start, row.end))


def build_quotas(scenario: Scenario, plan: Plan, timetable: Timetable) -> Quotas:
    """Compile the quotas of a plan."""
    first, rows = [0], []
    for rep in scenario.reps:
        rows += quota_rows(plan, rep.id) if scenario.motivation is not None else []
        first.append(len(rows))
    columns = [
        [timetable.midnight(row.start) for row in rows],
        [timetable.midnight(row.end) for row in rows],
        [int(row.value) for row in rows],
    ]
    return Quotas(*(np.array(column, dtype=np.int64) for column in (first, *columns)))


def unclear_quotas(scenario: Scenario, plan: Plan) -> Iterator[Problem]:
    """Quotas that leave open what a rep works towards, where motivation is on."""
    if scenario.motivation is None:
        return
    for rep in scenario.reps:
        rows = quota_rows(plan, rep.id)
        for row in rows:
            if row.end <= row.start:
                rule = "the period must end after it starts"
                yield Problem(f"plan.targets {rep.id}", f"{row.start} to {row.end}", rule)
        for before, after in pairwise(rows):
            if after.start < before.end:
                rule = f"overlaps the revenue quota from {before.start} to {before.end}"
                remedy = "with motivation on, give one revenue quota for each time"
                yield Problem(f"plan.targets {rep.id}", f"{after.start} to {after.end}", rule, remedy)


class Drive:
    """What each rep has sold of each quota in one replication, and the pace that follows."""

    def __init__(self, quotas: Quotas, motivation: Motivation | None) -> None:
        self._on = motivation is not None
        rule = motivation or Motivation()
        self._rule = (
            rule.give_up_below,
            rule.stretch_above,
            rule.coast_above,
            rule.pace_change,
            rule.period_end_push,
            rule.push_share,
            rule.judged_after,
        )
        self._first = quotas.first.tolist()
        self._start, self._end = quotas.start.tolist(), quotas.end.tolist()
        self._value = quotas.value.tolist()
        self._sold = [0] * len(self._value)

    def sold(self, rep: int, now: int, amount: int) -> None:
        """A rep is credited with revenue."""
        row = self._in_force(rep, now)
        if row >= 0:
            self._sold[row] += amount

    def pace(self, rep: int, now: int) -> float:
        """A rep's pace at the start of a task, as a multiple of the usual; 1 for whoever has no quota then."""
        row = self._in_force(rep, now)
        if row < 0:
            return 1.0
        start = self._start[row]
        elapsed = (now - start) / (self._end[row] - start)
        return float(motivated_pace(self._sold[row] / self._value[row], elapsed, *self._rule))

    def _in_force(self, rep: int, now: int) -> int:
        if not self._on:
            return -1
        for row in range(self._first[rep], self._first[rep + 1]):
            if self._start[row] <= now < self._end[row]:
                return row
        return -1
