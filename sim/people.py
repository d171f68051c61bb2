"""Reps as arrays: who may work what when, and what their skill makes of it at each time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios import physics
from scenarios.errors import InputRefused, Problem
from scenarios.people import Rep, SkillPhysics, Training
from scenarios.plan import Plan, TrainingRow
from scenarios.scenario import Scenario
from scenarios.ticks import HOUR, NEVER, days
from sim.ramp import idle_months, month_ticks, ramp_steps, tenure, time_off
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
        epoch_start: ticks, [E]; after the epochs of all reps come those of replacements, counted from their joining.
        shift: what is added to logit(conversion), [E, S].
        factor: clock hours per hour of effort, by stage, then for account orders and care, [E, S + 2].
        owner: what the rep as owner makes of an account's orders, [E].
        skill: weighted skill by stage, [E, S].
        attrition: chance to leave within a year, [R].
        replaced_after: ticks from a leaving until a new hire begins to work, -1 for never, [R].
        seat_clocks: working time of whoever fills the seat later: no dates, leave or training of the first.
        newcomer_first: first epoch of a replacement, one a step of ``tenure``; -1 where nobody is replaced, [R].
        tenure: ticks since joining at which a replacement's pace changes, ascending from 0.
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
    attrition: Floats
    replaced_after: Ticks
    seat_clocks: tuple[WorkClock, ...]
    newcomer_first: Ticks
    tenure: Ticks


def build_reps(scenario: Scenario, plan: Plan, timetable: Timetable) -> Reps:
    """Compile the reps of a scenario under a plan.

    Raises:
        InputRefused: training that does not fit, or a skill that no level or rep gives.
    """
    regions = {region.id: position for position, region in enumerate(scenario.regions)}
    roles = {role.id: position for position, role in enumerate(scenario.roles)}
    teams = {team.id: team for team in scenario.teams}
    positions = {rep.id: position for position, rep in enumerate(scenario.reps)}
    clocks, paid, sessions, seats, first = [], [], [], [], [0]
    epochs = _Epochs(scenario, timetable)
    months, off = timetable.months().bounds[1:].tolist(), time_off(scenario)
    learning = month_ticks(idle_months(scenario))
    problems: list[Problem] = []
    training: dict[str, list[TrainingRow]] = {}
    for row in plan.training:
        training.setdefault(row.rep, []).append(row)
    for rep in scenario.reps:
        region = scenario.regions[regions[team_region(rep, teams)]]
        hours = timetable.rep_hours(rep, region, off)
        rows = training.get(rep.id, [])
        try:
            held, left = lay_out_training(timetable, hours, rows, scenario.skills.training.session_hours)
        except InputRefused as refused:
            problems += refused.problems
            continue
        clocks.append(clock(left))
        paid.append(clock(hours))
        sessions.append(tuple(held))
        seats.append(clock(timetable.opening_hours(region)) if rep.replacement_delay_days is not None else clocks[-1])
        epochs.add_rep(rep, held, months)
        first.append(len(epochs.starts))
    if problems:
        raise InputRefused(problems)
    newcomers = []
    for rep in scenario.reps:
        newcomers.append(-1 if rep.replacement_delay_days is None else len(epochs.starts))
        if rep.replacement_delay_days is not None:
            epochs.add_newcomer(rep)
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
        epoch_start=_ints(epochs.starts),
        shift=np.array(epochs.shifts).reshape(len(epochs.starts), len(scenario.stages)),
        factor=np.array(epochs.factors).reshape(len(epochs.starts), len(scenario.stages) + 2),
        owner=np.array(epochs.owners),
        skill=np.array(epochs.skills).reshape(len(epochs.starts), len(scenario.stages)),
        attrition=np.array([rep.attrition_per_year for rep in scenario.reps]),
        replaced_after=_ints(
            -1 if rep.replacement_delay_days is None else days(rep.replacement_delay_days) + learning
            for rep in scenario.reps
        ),
        seat_clocks=tuple(seats),
        newcomer_first=_ints(newcomers),
        tenure=_ints(tick for tick, _ in tenure(scenario)),
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
    """The epochs of all reps: they begin at the start, with a ramp step, as training ends and as it is forgotten."""

    def __init__(self, scenario: Scenario, timetable: Timetable) -> None:
        self._scenario = scenario
        self._timetable = timetable
        self.starts: list[int] = []
        self.shifts: list[list[float]] = []
        self.factors: list[list[float]] = []
        self.owners: list[float] = []
        self.skills: list[list[float]] = []

    def add_rep(self, rep: Rep, sessions: Sequence[Session], months: Sequence[int]) -> None:
        """The epochs of a rep under their training; ``months`` are the ticks at which some of it is forgotten."""
        scenario = self._scenario
        ramp = ramp_steps(scenario, rep, self._timetable)
        starts = {0, *(tick for tick, _ in ramp), *(session.end for session in sessions)}
        if scenario.skills.training.decay_per_month > 0 and sessions:
            starts |= {month for month in months if month >= sessions[0].end}
        for start in sorted(starts):
            pace = next((pace for tick, pace in reversed(ramp) if tick <= start), 1.0)
            self._add(rep, start, _trained(scenario, rep, sessions, months, start), pace)

    def add_newcomer(self, rep: Rep) -> None:
        """The epochs of whoever fills the rep's seat later: the level's profile, without what was the rep's own."""
        own: dict[str, object] = {"skills": {}, "effort_factor": 1.0, "conversion_logit": {}}
        newcomer = rep.model_copy(update=own)
        for start, pace in tenure(self._scenario):
            self._add(newcomer, start, skill_profile(self._scenario, newcomer), pace)

    def _add(self, rep: Rep, start: int, profile: Mapping[str, float], ramp_pace: float) -> None:
        scenario, skills = self._scenario, self._scenario.skills
        levels = {level.id: level for level in skills.levels}
        pace = rep_pace(scenario, rep, self._timetable.full_week_hours()) * ramp_pace
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


def _trained(
    scenario: Scenario, rep: Rep, sessions: Sequence[Session], months: Sequence[int], until: int
) -> dict[str, float]:
    """Skill profile after the sessions that ended by ``until``."""
    training = scenario.skills.training
    profile = skill_profile(scenario, rep)
    learning = physics.learning_factor(profile[training.learning_skill], scenario.skills.reference)
    if training.decay_per_month > 0:
        gains = _gains(training, learning, sessions, months, until)
        return profile | {skill: min(100.0, profile[skill] + gain) for skill, gain in gains.items()}
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


def _gains(
    training: Training, learning: float, sessions: Sequence[Session], months: Sequence[int], until: int
) -> dict[str, float]:
    """Points gained by skill where some is forgotten as each month begins; a session that ends then comes before."""
    gains: dict[str, float] = {}
    since: dict[str, int] = {}
    decay = training.decay_per_month
    for session in sessions:
        if session.end > until:
            continue
        skill, begun = session.skill, bisect_left(months, session.end)
        gain = physics.gain_kept(gains.get(skill, 0.0), decay, begun - since.get(skill, begun))
        gains[skill] = physics.gain_after(
            gain, session.ticks / HOUR, training.max_gain_points, training.hours_scale, learning
        )
        since[skill] = begun
    begun = bisect_right(months, until)
    return {skill: physics.gain_kept(gain, decay, begun - since[skill]) for skill, gain in gains.items()}


def _ints(values: object) -> Ticks:
    return np.array([min(int(value), NEVER) for value in values], dtype=np.int64)  # type: ignore[attr-defined]
