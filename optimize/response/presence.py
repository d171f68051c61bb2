"""When people are there: their days in the horizon, their working hours by period, and when they can be trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from optimize.phasing import Period, training_kept, training_left, training_slots
from scenarios.lead_shares import region_of
from scenarios.people import Absence, Rep
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from scenarios.ticks import HOUR
from sim.ramp import time_off
from sim.timetable import Timetable, length_within

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class TimeThere:
    """Time of R reps over P reporting periods, and of their training.

    Attributes:
        plan: whose training hours have to have room, as those have that the scenario locks.
    """

    scenario: Scenario
    plan: Plan
    reps: tuple[Rep, ...]
    periods: tuple[Period, ...]

    @cached_property
    def leaving(self) -> Bools:
        """Who leaves within the horizon, [R]."""
        end = self.scenario.calendar.end
        return np.array([rep.leaves is not None and rep.leaves < end for rep in self.reps], dtype=np.bool_)

    @cached_property
    def share(self) -> Floats:
        """Share of the horizon's days in which each is employed, [R]."""
        calendar = self.scenario.calendar
        days = (calendar.end - calendar.start).days
        spans = [time_in(self.scenario, rep) for rep in self.reps]
        return np.array([(last - first).days / days for first, last in spans])

    @cached_property
    def room(self) -> Floats:
        """Working hours in each period by the calendar, before any training, [R, P]."""
        return working_hours(self.scenario, self.reps, self.periods)

    @cached_property
    def slots(self) -> tuple[tuple[int, ...], ...]:
        """Positions of the periods in which each can be trained."""
        allocation = self.scenario.allocation
        locked = dict.fromkeys((rep.id for rep in self.reps), 0.0)
        planned: dict[str, float] = {}
        for lock in allocation.locks:
            kind, _, subject = lock.path.partition(".")
            if kind == "training" and (rep_id := subject.rpartition(".")[0]) in locked:
                locked[rep_id] += float(lock.value)
        for (rep_id, _), hours in self.plan.training_hours().items():
            planned[rep_id] = planned.get(rep_id, 0.0) + hours
        most = allocation.training.per_rep_hours
        return tuple(
            training_slots(
                self.periods,
                self.room[r],
                *time_in(self.scenario, rep),
                max(most, locked[rep.id], planned.get(rep.id, 0.0)),
            )
            for r, rep in enumerate(self.reps)
        )

    @cached_property
    def _days(self) -> Floats:
        """Days that are left after training, on average, and days of each in the horizon, [R, 2]."""
        pairs = zip(self.reps, self.slots, strict=True)
        return np.array([training_left(self.periods, mine, *time_in(self.scenario, rep)) for rep, mine in pairs])

    @cached_property
    def in_force(self) -> Floats:
        """Share of each one's time in the horizon in which training is in force, on average, [R]."""
        return np.asarray(self._days[:, 0] / self._days[:, 1])

    @cached_property
    def kept(self) -> Floats:
        """What is left on average of a gain from training, where some is forgotten, [R]."""
        decay = self.scenario.skills.training.decay_per_month
        if decay <= 0:
            return np.ones(len(self.reps))
        return np.array([training_kept(float(left), decay) for left in self._days[:, 0]])


def time_in(scenario: Scenario, rep: Rep) -> tuple[date, date]:
    """First day of a rep within the horizon, and the day after the last."""
    start, end = scenario.calendar.start, scenario.calendar.end
    return max(start, rep.hired or start), min(end, rep.leaves or end)


def working_hours(
    scenario: Scenario, reps: Sequence[Rep], periods: Sequence[Period], *, absences: Sequence[Absence] | None = None
) -> Floats:
    """Working hours that the calendar gives each rep in each period, less leave and months without work, [R, P].

    Args:
        absences: time off to take out; default the scenario's leave and the months without work of new hires.
    """
    timetable = Timetable(scenario.calendar)
    regions = {region.id: region for region in scenario.regions}
    edges = [timetable.midnight(day) for day in (*(period.first for period in periods), periods[-1].end)]
    off = time_off(scenario) if absences is None else absences
    away = {absence.rep for absence in off}
    known: dict[object, list[float]] = {}
    out = []
    for rep in reps:
        home = region_of(scenario, rep.id)
        like = rep.id if rep.id in away else (home, *timetable.employment(rep, regions[home].timezone))
        if like not in known:
            hours = timetable.rep_hours(rep, regions[home], off)
            known[like] = [length_within(hours, *pair) / HOUR for pair in pairwise(edges)]
        out.append(known[like])
    return np.array(out, dtype=np.float64).reshape(len(reps), len(periods))
