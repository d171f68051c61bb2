"""Reps as arrays: who may work what when, and what their skill makes of it at each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios import physics
from scenarios.errors import InputRefused, Problem
from scenarios.people import Rep, SkillPhysics
from scenarios.plan import Plan, TrainingRow
from scenarios.scenario import Scenario
from scenarios.ticks import NEVER
from sim.streams import identities
from sim.timetable import Session, Timetable, lay_out_training, team_region
from sim.worktime import WorkClock, clock

Floats = NDArray[np.float64]
Ticks = NDArray[np.int64]


@dataclass(frozen=True)
class Reps:
    """All reps, in the order of the scenario; R reps, E epochs in all, S stages.

    An epoch is a stretch of time in which a rep's skill and ramp stand still. ``epoch_first[r]`` to
    ``epoch_first[r + 1]`` are the epochs of rep r.

    Attributes:
        identity: uint64 [R], from the id.
        region, role: positions of region and role, [R].
        hired, leaves: ticks of employment, [R].
        weight: share of new leads against the colleagues', part time counted, [R].
        successor: position of the rep who takes over, -1 if routed anew, [R].
        clocks: own working time (leave and training taken out).
        paid: own working time with training in it.
        sessions: training sessions.
        epoch_start: ticks, [E].
        shift: what is added to logit(conversion), [E, S].
        factor: clock hours per hour of effort, by stage, then for account orders and care, [E, S + 2].
        owner: what the rep as owner makes of an account's orders, [E].
        skill: weighted skill by stage, [E, S].
    """

    ids: tuple[str, ...]
    identity: NDArray[np.uint64]
    region: Ticks
    role: Ticks
    hired: Ticks
    leaves: Ticks
    weight: Floats
    successor: Ticks
    clocks: tuple[WorkClock, ...]
    paid: tuple[WorkClock, ...]
    sessions: tuple[tuple[Session, ...], ...]
    epoch_first: Ticks
    epoch_start: Ticks
    shift: Floats
    factor: Floats
    owner: Floats
    skill: Floats


def build_reps(scenario: Scenario, plan: Plan, timetable: Timetable) -> Reps:
    """Compile the reps of a scenario under a plan.

    Raises:
        InputRefused: training that does not fit, or a skill that no level or rep gives.
    """
    regions = {region.id: position for position, region in enumerate(scenario.regions)}
    roles = {role.id: position for position, role in enumerate(scenario.roles)}
    teams = {team.id: team for team in scenario.teams}
    positions = {rep.id: position for position, rep in enumerate(scenario.reps)}
    clocks, paid, sessions, starts, shifts, factors, owners, skills = [], [], [], [], [], [], [], []
    first = [0]
    problems: list[Problem] = []
    training: dict[str, list[TrainingRow]] = {}
    for row in plan.training:
        training.setdefault(row.rep, []).append(row)
    for rep in scenario.reps:
        region = scenario.regions[regions[team_region(rep, teams)]]
        hours = timetable.rep_hours(rep, region, scenario.absences)
        rows = training.get(rep.id, [])
        try:
            held, left = lay_out_training(timetable, hours, rows, scenario.skills.training.session_hours)
            epochs = _Epochs(scenario, rep, held, timetable)
        except InputRefused as refused:
            problems += refused.problems
            continue
        clocks.append(clock(left))
        paid.append(clock(hours))
        sessions.append(tuple(held))
        starts += epochs.starts
        shifts += epochs.shifts
        factors += epochs.factors
        owners += epochs.owners
        skills += epochs.skills
        first.append(len(starts))
    if problems:
        raise InputRefused(problems)
    zones = [scenario.regions[regions[team_region(rep, teams)]].timezone for rep in scenario.reps]
    employment = [timetable.employment(rep, zone) for rep, zone in zip(scenario.reps, zones, strict=True)]
    week = timetable.full_week_hours()
    return Reps(
        ids=tuple(positions),
        identity=identities(tuple(positions), "reps"),
        region=_ints(regions[team_region(rep, teams)] for rep in scenario.reps),
        role=_ints(roles[rep.role] for rep in scenario.reps),
        hired=_ints(hired for hired, _ in employment),
        leaves=_ints(leaves for _, leaves in employment),
        weight=np.array([rep.lead_weight * part_time(rep, week) for rep in scenario.reps]),
        successor=_ints(positions[rep.successor] if rep.successor else -1 for rep in scenario.reps),
        clocks=tuple(clocks),
        paid=tuple(paid),
        sessions=tuple(sessions),
        epoch_first=_ints(first),
        epoch_start=_ints(starts),
        shift=np.array(shifts).reshape(len(starts), len(scenario.stages)),
        factor=np.array(factors).reshape(len(starts), len(scenario.stages) + 2),
        owner=np.array(owners),
        skill=np.array(skills).reshape(len(starts), len(scenario.stages)),
    )


def skill_profile(scenario: Scenario, rep: Rep) -> dict[str, float]:
    """A rep's skills: own values over the level's over the reference."""
    levels = {level.id: level for level in scenario.skills.levels}
    own = levels[rep.level].skills if rep.level else {}
    return dict.fromkeys(scenario.skills.dimensions, scenario.skills.reference) | dict(own) | dict(rep.skills)


def weighted_skill(skills: SkillPhysics, weights: Mapping[str, float], profile: Mapping[str, float]) -> float:
    """Mean of a profile under a stage's weights; equal weights where none are given."""
    names = [name for name in skills.dimensions if weights.get(name, 0.0) > 0.0] if weights else skills.dimensions
    total = sum(weights[name] for name in names) if weights else float(len(names))
    return sum((weights[name] if weights else 1.0) * profile[name] for name in names) / total


def rep_pace(scenario: Scenario, rep: Rep, full_week_hours: float) -> float:
    """Hours of effort a rep does in an hour of open calendar: selling share times part time."""
    return scenario.calendar.selling_share * part_time(rep, full_week_hours)


def part_time(rep: Rep, full_week_hours: float) -> float:
    """A rep's paid hours as a share of the full week."""
    return 1.0 if rep.hours_per_week is None else rep.hours_per_week / full_week_hours


class _Epochs:
    """The epochs of one rep: they begin at the start, when a ramp step ends and when a training session ends."""

    def __init__(self, scenario: Scenario, rep: Rep, sessions: Sequence[Session], timetable: Timetable) -> None:
        self.starts: list[int] = []
        self.shifts: list[list[float]] = []
        self.factors: list[list[float]] = []
        self.owners: list[float] = []
        self.skills: list[list[float]] = []
        ramp = _ramp_steps(scenario, rep, timetable)
        for start in sorted({0, *(tick for tick, _ in ramp), *(session.end for session in sessions)}):
            pace = next((pace for tick, pace in reversed(ramp) if tick <= start), 1.0)
            self._add(scenario, rep, start, _trained(scenario, rep, sessions, start), pace, timetable)

    def _add(
        self,
        scenario: Scenario,
        rep: Rep,
        start: int,
        profile: Mapping[str, float],
        ramp_pace: float,
        timetable: Timetable,
    ) -> None:
        skills = scenario.skills
        levels = {level.id: level for level in skills.levels}
        pace = rep_pace(scenario, rep, timetable.full_week_hours()) * ramp_pace
        own = rep.effort_factor * (levels[rep.level].effort_factor if rep.level else 1.0) / pace
        weighted = [weighted_skill(skills, stage.skill_weights, profile) for stage in scenario.stages]
        account = scenario.account_physics
        relationship = profile[account.relationship_skill] if account else skills.reference

        def factor(skill: float) -> float:
            return own * physics.effort_factor(skill, skills.reference, skills.effort_log_per_point)

        self.starts.append(start)
        self.skills.append(weighted)
        self.shifts.append(
            [
                physics.skill_shift(skill, skills.reference, skills.conversion_logit_per_point)
                + rep.conversion_logit.get(stage.id, 0.0)
                for stage, skill in zip(scenario.stages, weighted, strict=True)
            ]
        )
        self.factors.append([*(factor(skill) for skill in weighted), factor(relationship), factor(relationship)])
        rate = account.rate_per_relationship_point if account else 0.0
        self.owners.append(physics.owner_factor(relationship, skills.reference, rate))


def _ramp_steps(scenario: Scenario, rep: Rep, timetable: Timetable) -> list[tuple[int, float]]:
    """Ticks at which the pace of a new hire changes; a rep hired before the start may still be ramping."""
    if rep.hired is None:
        return []
    steps = []
    for month, pace in enumerate((*scenario.skills.ramp.pace_by_month, 1.0)):
        total = rep.hired.month - 1 + month
        day = min(rep.hired.day, 28)
        begins = rep.hired.replace(year=rep.hired.year + total // 12, month=total % 12 + 1, day=day)
        steps.append((max(0, timetable.midnight(begins)), pace))
    # Of several steps before the start, the last is in force.
    return [step for place, step in enumerate(steps) if place + 1 == len(steps) or steps[place + 1][0] > step[0]]


def _trained(scenario: Scenario, rep: Rep, sessions: Sequence[Session], until: int) -> dict[str, float]:
    """Skill profile after the sessions that ended by ``until``."""
    training = scenario.skills.training
    profile = skill_profile(scenario, rep)
    learning = physics.learning_factor(profile[training.learning_skill], scenario.skills.reference)
    done: dict[str, int] = {}
    for session in sessions:
        if session.end <= until:
            done[session.skill] = done.get(session.skill, 0) + session.ticks
    trained = {
        skill: physics.trained_skill(
            profile[skill], ticks / 3_600_000, training.max_gain_points, training.hours_scale, learning
        )
        for skill, ticks in done.items()
    }
    return profile | trained


def _ints(values: object) -> Ticks:
    return np.array([min(int(value), NEVER) for value in values], dtype=np.int64)  # type: ignore[attr-defined]
