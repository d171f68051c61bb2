"""What training hours add to a rep's sales: skill through every stage of the funnel, less the hours it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from optimize.phasing import training_effect
from optimize.response.accounts import AccountFigures
from optimize.response.leads import LeadFigures
from optimize.response.people import People
from optimize.training_calendar import training_slots
from optimize.training_offer import TrainingOffer
from scenarios.scenario import Scenario


def skills_on_offer(scenario: Scenario) -> tuple[str, ...]:
    """Skills that can be trained: those named, else all but the learning skill; locked cells are always on offer."""
    named = scenario.allocation.training.skills
    learning = scenario.skills.training.learning_skill
    offered = named or tuple(name for name in scenario.skills.dimensions if name != learning)
    locked = [lock.path.rpartition(".")[2] for lock in scenario.allocation.locks if lock.path.startswith("training.")]
    return tuple(dict.fromkeys([*offered, *locked]))


def trainer_hours(scenario: Scenario) -> float | None:
    """Hours that trainers can give in a period, in whole steps; None where the scenario sets no limit."""
    budget = scenario.allocation.training
    given = budget.trainer_hours_per_period
    return None if given is None else float(given // budget.step_hours * budget.step_hours)


def offer(
    people: People, leads: LeadFigures, accounts: AccountFigures, employed: Sequence[Sequence[int]]
) -> TrainingOffer:
    """Gains by rep, skill and hours in whole steps.

    A gain is the difference of cleared chain sales under the trained skill, in force for the share of the horizon that
    is left on average, with the training's own hours taken from selling; a relationship skill lifts accounts as well.

    Args:
        employed: periods in which each rep is employed throughout, positions.
    """
    scenario, budget = people.scenario, people.scenario.allocation.training
    skills = skills_on_offer(scenario)
    base = np.array([[people.trained.get((rep.id, skill), 0.0) for skill in skills] for rep in people.reps])
    asked = TrainingOffer(
        skills,
        budget.step_hours,
        np.zeros((people.count, len(skills), 1)),
        budget.budget_hours,
        budget.per_rep_hours,
        base.reshape(people.count, len(skills)),
        price=float(scenario.skills.training.cost_per_hour),
        money=None if budget.budget_money is None else float(budget.budget_money),
        periods=tuple(period.label for period in people.periods),
        slots=training_slots(people.periods, employed),
        capacity=trainer_hours(scenario),
    )
    locked = [float(x.value) for x in scenario.allocation.locks if x.path.startswith("training.")]
    planned = list(people.trained.values())
    most = max([min(budget.per_rep_hours, asked.most), *locked, *planned], default=0.0)
    steps = int(np.ceil(most / budget.step_hours - 1e-9)) if skills else 0
    gain = np.zeros((people.count, len(skills), steps + 1))
    effect = training_effect(people.periods)
    for r in range(people.count):
        for k, skill in enumerate(skills):
            for m in range(1, steps + 1):
                gain[r, k, m] = _gain(
                    people, leads, accounts, r, skill, m * budget.step_hours, float(base[r, k]), effect
                )
            if steps:
                gain[r, k] -= _gain(people, leads, accounts, r, skill, 0.0, float(base[r, k]), effect)
                gain[r, k, 0] = 0.0
    return replace(asked, gain=gain)


def _gain(
    people: People,
    leads: LeadFigures,
    accounts: AccountFigures,
    r: int,
    skill: str,
    hours: float,
    base: float,
    effect: float,
) -> float:
    """Sales of rep r above the plan with ``hours`` of training in a skill instead of ``base``."""
    profile = people.profile(r, skill, hours)
    sales, asked = leads.chain[r]
    new_sales, new_asked = leads.chain_of(r, people.person(r, profile), float(people.ramp[r]))
    other, more = float(leads.other[r]), 0.0
    rule = people.scenario.account_physics
    if rule is not None and rule.relationship_skill == skill:
        before, after = float(people.relationship[r]), profile[skill]
        mine = accounts.base == r
        held = float((accounts.reference * accounts.kept[:, r])[mine].sum()) * accounts.fitted
        more = effect * held * (people.owner_factor(after) - people.owner_factor(before))
        lighter = people.account_effort(r, after) / people.account_effort(r, before) - 1
        other *= 1 + effect * lighter
    left = max(float(people.available[r]) - (hours - base), 0.0)
    cleared = leads.cleared(sales + effect * (new_sales - sales), asked + effect * (new_asked - asked), other, left)
    return float(leads.scale[r]) * (cleared - float(leads.modelled[r])) + more
