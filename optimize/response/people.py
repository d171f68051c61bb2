"""The reps of a simulated world as the response formulas see them: skill, pace, ramp, hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optimize.chain import Person
from optimize.phasing import Period
from optimize.response.presence import TimeThere
from scenarios import physics
from scenarios.lead_shares import region_of
from scenarios.people import Rep
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from scenarios.ticks import HOUR
from sim.outcome import Outcome
from sim.people import rep_pace, skill_profile
from sim.ramp import time_off
from sim.timetable import Timetable, length_within

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class People:
    """Reps who carry a quota, with what the simulation says about them; R reps.

    Attributes:
        keep: their positions in the outcome's rep table.
    """

    scenario: Scenario
    plan: Plan
    outcome: Outcome
    keep: tuple[int, ...]
    periods: tuple[Period, ...]

    @cached_property
    def reps(self) -> tuple[Rep, ...]:
        """In the order of ``keep``."""
        people = {rep.id: rep for rep in self.scenario.reps}
        return tuple(people[self.outcome["rep"].keys[i]] for i in self.keep)

    @property
    def count(self) -> int:
        """R."""
        return len(self.keep)

    @cached_property
    def places(self) -> dict[str, int]:
        """Position by id."""
        return {rep.id: r for r, rep in enumerate(self.reps)}

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Region of each."""
        teams = {team.id: team.region for team in self.scenario.teams}
        return tuple(rep.region or teams[rep.team] for rep in self.reps)

    def mean(self, metric: str) -> Floats:
        """Mean over the simulated horizons, [R]."""
        return np.asarray(self.outcome["rep"].total(metric)[:, list(self.keep)].mean(axis=0))

    @cached_property
    def hours(self) -> Floats:
        """Working hours before training, [R]."""
        return (self.mean("available_ticks") + self.mean("training_ticks")) / HOUR

    @cached_property
    def available(self) -> Floats:
        """Working hours after the plan's training, [R]."""
        return self.mean("available_ticks") / HOUR

    @cached_property
    def pace(self) -> Floats:
        """Hours of effort done in an hour of the calendar at full pace, [R]."""
        week = Timetable(self.scenario.calendar).full_week_hours()
        return np.array([rep_pace(self.scenario, rep, week) for rep in self.reps])

    @cached_property
    def ramp(self) -> Floats:
        """Mean share of full pace over the time in the horizon, [R]."""
        return np.array([mean_ramp(self.scenario, rep) for rep in self.reps])

    @cached_property
    def time(self) -> TimeThere:
        """When the reps are there, and when they can be trained."""
        return TimeThere(self.scenario, self.plan, self.reps, self.periods)

    @cached_property
    def trained(self) -> dict[tuple[str, str], float]:
        """The plan's training hours by rep and skill."""
        return self.plan.training_hours()

    @cached_property
    def untrained(self) -> tuple[dict[str, float], ...]:
        """Skills of each rep before any training."""
        return tuple(skill_profile(self.scenario, rep) for rep in self.reps)

    def profile(self, r: int) -> dict[str, float]:
        """Skills of a rep with the plan's training."""
        rep = self.reps[r]
        return {name: self.level(r, name, self.trained.get((rep.id, name), 0.0)) for name in self.untrained[r]}

    def level(self, r: int, skill: str, hours: float) -> float:
        """A skill of a rep with so many hours of training."""
        return trained_level(self.scenario, self.untrained[r], skill, hours, float(self.time.kept[r]))

    def person(self, r: int, profile: dict[str, float]) -> Person:
        """A rep under a profile."""
        return Person.of(self.scenario, self.reps[r], profile)

    @cached_property
    def relationship(self) -> Floats:
        """Relationship skill as owner of accounts under the plan, [R]; the reference where there are no accounts."""
        rule, reference = self.scenario.account_physics, self.scenario.skills.reference
        if rule is None:
            return np.full(self.count, reference)
        return np.array([self.profile(r)[rule.relationship_skill] for r in range(self.count)])

    def owner_factor(self, skill: float) -> float:
        """What an owner of this relationship skill makes of an account's orders."""
        rule = self.scenario.account_physics
        rate = rule.rate_per_relationship_point if rule else 0.0
        return physics.owner_factor(skill, self.scenario.skills.reference, rate)

    def account_effort(self, r: int, skill: float) -> float:
        """Hours of the calendar per hour of effort on accounts at this relationship skill."""
        skills = self.scenario.skills
        factor = physics.effort_factor(skill, skills.reference, skills.effort_log_per_point)
        own = self.person(r, {}).effort
        return float(own * factor / (self.pace[r] * self.ramp[r]))


def trained_level(scenario: Scenario, start: Mapping[str, float], skill: str, hours: float, kept: float) -> float:
    """A skill after so many hours of training, of which a share is kept."""
    if hours <= 0:
        return start[skill]
    training = scenario.skills.training
    learning = physics.learning_factor(start[training.learning_skill], scenario.skills.reference)
    gain = physics.training_gain(hours, training.max_gain_points, training.hours_scale, learning)
    return min(100.0, start[skill] + gain * kept)


def presence(scenario: Scenario, rep: Rep, periods: Sequence[Period], lag: int = 0) -> Floats:
    """Mean share of full pace in each period, 0 on days before the rep is hired or after leaving, [P].

    Args:
        lag: days by which what is made of the pace comes later; what comes after leaving is others'.
    """
    steps = np.array([*scenario.skills.ramp.pace_by_month, 1.0])
    out = np.zeros(len(periods))
    for p, period in enumerate(periods):
        days = np.arange(period.first.toordinal(), period.end.toordinal())
        pace = np.ones(len(days))
        if rep.hired is not None:
            months = (days - lag - rep.hired.toordinal()) * 12 // 365
            pace = np.where(months < 0, 0.0, steps[np.clip(months, 0, len(steps) - 1)])
        if rep.leaves is not None:
            pace[days >= rep.leaves.toordinal()] = 0.0
        out[p] = float(pace.mean())
    return out


def reporting_periods(scenario: Scenario) -> tuple[Period, ...]:
    """Reporting periods of the horizon."""
    laid = Timetable(scenario.calendar).periods()
    return tuple(Period(*entry) for entry in zip(laid.labels, laid.firsts, laid.ends(scenario.calendar), strict=True))


def calendar_hours(scenario: Scenario, rep: Rep) -> float:
    """Working hours over the horizon that the calendar gives a rep, leave taken out."""
    timetable = Timetable(scenario.calendar)
    home = region_of(scenario, rep.id)
    region = next(region for region in scenario.regions if region.id == home)
    return length_within(timetable.rep_hours(rep, region, time_off(scenario)), 0, timetable.end) / HOUR


def least_account_effort(scenario: Scenario, rep: Rep, plan: Plan, kept: float) -> float:
    """Hours of the calendar per hour of effort on accounts, with the plan's training or without, whichever is less.

    Args:
        kept: what is left on average of a gain from training.
    """
    skills, rule = scenario.skills, scenario.account_physics
    factor = 1.0
    if rule is not None:
        profile, name = skill_profile(scenario, rep), rule.relationship_skill
        hours = plan.training_hours().get((rep.id, name), 0.0)
        levels = (profile[name], trained_level(scenario, profile, name, hours, kept))
        factor = min(physics.effort_factor(one, skills.reference, skills.effort_log_per_point) for one in levels)
    pace = rep_pace(scenario, rep, Timetable(scenario.calendar).full_week_hours()) * mean_ramp(scenario, rep)
    return float(Person.of(scenario, rep, {}).effort * factor / pace)


def mean_ramp(scenario: Scenario, rep: Rep) -> float:
    """Mean share of full pace over the days of the horizon in which the rep is employed and does some work.

    Months without work have no working hours: counted here, they would be counted twice.
    """
    if rep.hired is None:
        return 1.0
    calendar, pace = scenario.calendar, scenario.skills.ramp.pace_by_month
    begin = max(calendar.start, rep.hired).toordinal()
    end = (min(calendar.end, rep.leaves) if rep.leaves else calendar.end).toordinal()
    # A month of tenure is a twelfth of 365 days here: the mean over a horizon does not see the difference.
    months = (np.arange(begin, end) - rep.hired.toordinal()) * 12 // 365
    steps = np.array([*pace, 1.0])
    there = steps[np.minimum(months, len(pace))]
    return float(there[there > 0].mean()) if (there > 0).any() else float(steps[steps > 0][0])
