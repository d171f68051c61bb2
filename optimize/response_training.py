"""What training hours add to a rep's sales: skill through every stage of the funnel, less the hours it costs."""

from __future__ import annotations

import numpy as np

from optimize.phasing import training_effect, training_periods
from optimize.problem import TrainingOffer
from optimize.response_accounts import AccountFigures
from optimize.response_leads import LeadFigures
from optimize.response_people import People
from scenarios.scenario import Scenario


def skills_on_offer(scenario: Scenario) -> tuple[str, ...]:
    """Skills that can be trained: those named, else all but the learning skill; locked cells are always on offer."""
    named = scenario.allocation.training.skills
    learning = scenario.skills.training.learning_skill
    offered = named or tuple(name for name in scenario.skills.dimensions if name != learning)
    locked = [lock.path.rpartition(".")[2] for lock in scenario.allocation.locks if lock.path.startswith("training.")]
    return tuple(dict.fromkeys([*offered, *locked]))


def budget_hours(scenario: Scenario, people: People) -> float:
    """Training hours in all: the budget in hours, in money, and what trainers can give in the training periods."""
    budget = scenario.allocation.training
    limits = [budget.budget_hours]
    price = scenario.skills.training.cost_per_hour
    if budget.budget_money is not None and price > 0:
        limits.append(float(budget.budget_money) / float(price))
    if budget.trainer_hours_per_period is not None:
        whole = budget.trainer_hours_per_period // budget.step_hours * budget.step_hours
        limits.append(len(training_periods(people.periods)) * whole)
    return min(limits)


def offer(people: People, leads: LeadFigures, accounts: AccountFigures) -> TrainingOffer:
    """Gains by rep, skill and hours in whole steps.

    A gain is the difference of cleared chain sales under the trained skill, in force for the share of the horizon that
    is left on average, with the training's own hours taken from selling; a relationship skill lifts accounts as well.
    """
    scenario, budget = people.scenario, people.scenario.allocation.training
    skills = skills_on_offer(scenario)
    total = budget_hours(scenario, people)
    locked = [float(x.value) for x in scenario.allocation.locks if x.path.startswith("training.")]
    planned = list(people.trained.values())
    most = max([min(budget.per_rep_hours, total), *locked, *planned], default=0.0)
    steps = int(np.ceil(most / budget.step_hours - 1e-9)) if skills else 0
    gain = np.zeros((people.count, len(skills), steps + 1))
    base = np.array([[people.trained.get((rep.id, skill), 0.0) for skill in skills] for rep in people.reps])
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
    return TrainingOffer(
        skills, budget.step_hours, gain, total, budget.per_rep_hours, base.reshape(people.count, len(skills))
    )


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
