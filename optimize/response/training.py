"""What training hours add to a rep's sales: skill through every stage of the funnel, less the hours it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from optimize.chain import exactly
from optimize.response.accounts import AccountFigures
from optimize.response.leads import LeadFigures
from optimize.response.people import People
from optimize.training_offer import TrainingOffer
from scenarios.scenario import Scenario

Floats = NDArray[np.float64]


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


def offer(people: People, leads: LeadFigures, accounts: AccountFigures) -> TrainingOffer:
    """Gains by rep, skill and hours in whole steps.

    A gain is the difference of cleared chain sales under the trained skill, in force for the share of the rep's own
    time in the horizon that is left on average, with the training's own hours taken from selling; a relationship skill
    lifts accounts as well.
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
        slots=people.time.slots,
        capacity=trainer_hours(scenario),
        room=people.time.room,
    )
    locked = [float(x.value) for x in scenario.allocation.locks if x.path.startswith("training.")]
    planned = list(people.trained.values())
    # One step beyond what limits allow: the first that looser ones would bring.
    free = min(budget.per_rep_hours, asked.most)
    most = max([free + budget.step_hours if free > 0 else 0.0, *locked, *planned])
    steps = int(np.ceil(most / budget.step_hours - 1e-9)) if skills else 0
    gain = np.zeros((people.count, len(skills), steps + 1))
    if steps:
        given = np.asarray(np.arange(steps + 1) * budget.step_hours, dtype=np.float64)
        for r in range(people.count):
            sales = _sales(people, leads, accounts, r, skills, given, base[r], float(people.time.in_force[r]))
            gain[r] = sales - sales[:, :1]
    return replace(asked, gain=gain)


def _sales(
    people: People,
    leads: LeadFigures,
    accounts: AccountFigures,
    r: int,
    skills: Sequence[str],
    given: Floats,
    base: Floats,
    effect: float,
) -> Floats:
    """Sales of rep r above the plan with each of these hours of training in a skill instead of ``base``, [K, M]."""
    shape, plan = (len(skills), len(given)), people.profile(r)
    levels = np.array([[people.level(r, skill, hours) for hours in given.tolist()] for skill in skills])
    profiles = {name: np.full(shape, value) for name, value in plan.items()}
    for k, skill in enumerate(skills):
        profiles[skill][k] = levels[k]
    found = leads.chains_of(r, {name: values.ravel() for name, values in profiles.items()})
    new_sales, new_asked = (values.reshape(shape) for values in found)
    sales, asked = leads.chain[r]
    left = np.maximum(float(people.available[r]) - (given - base[:, None]), 0.0)
    other, more = np.full(shape, float(leads.other[r])), np.zeros(shape)
    rule = people.scenario.account_physics
    if rule is not None and rule.relationship_skill in skills:
        k, before = skills.index(rule.relationship_skill), float(people.relationship[r])
        mine = accounts.base == r
        held = float((accounts.reference * accounts.kept[:, r])[mine].sum()) * accounts.fitted
        held *= float(people.time.share[r])
        for one in accounts.succession.of(np.arange(len(accounts.base)), accounts.base):
            if one.taker == r:
                kept = one.part * accounts.kept[one.account, r]
                held += float(kept @ accounts.reference[one.account]) * accounts.fitted
        factor, effort = people.owner_factor(before), people.account_effort(r, before)
        for m, after in enumerate(levels[k].tolist()):
            more[k, m] = effect * held * (people.owner_factor(after) - factor)
            other[k, m] *= 1 + effect * (people.account_effort(r, after) / effort - 1)
    cleared = exactly(
        leads.cleared, sales + effect * (new_sales - sales), asked + effect * (new_asked - asked), other, left
    )
    return np.asarray(float(leads.scale[r]) * (cleared - float(leads.modelled[r])) + more)
