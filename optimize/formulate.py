"""Scenario and responses become one allocation request; what cannot be done or cannot be meant is refused here."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import numpy as np

from optimize.asked import quota_total, revenue_team_totals
from optimize.eligibility import rules_against
from optimize.even_load import MOST_REPS
from optimize.level_totals import beside_level_totals
from optimize.lockable import of_request
from optimize.locked import read_locks
from optimize.measured import beyond_potential, unmeasured
from optimize.metrics import Metrics
from optimize.pairs import owners_of
from optimize.problem import AllocationProblem, Floats
from optimize.read_targets import read_metrics
from optimize.response.estimate import Responses
from optimize.rule_words import words
from optimize.rules import bounds, box
from optimize.sums_under_locks import revenue_range, teams_under_locks
from scenarios.base import Minor
from scenarios.errors import Problem, Unsupported, refuse_if
from scenarios.goals import (
    TENURE_YEARS,
    EqualOdds,
    GiniBound,
    Spread,
    Target,
    TrainingFloor,
    Workload,
)
from scenarios.scenario import Scenario
from scenarios.today import company_target, formula_target, last_full_sales

_OF_DECISIONS = (Workload, TrainingFloor)
"""Rules on owners, training and care; all others bound quotas, which equal odds alone decide where they are asked."""

SALES_FIRST = ("two_stage", "maximin", "alpha", "even_load")
"""Modes in which owners and training are for sales, and quotas split what comes of them."""

LEAST_SHARE = 1e-6
"""Of expected sales; quotas of a smaller sum are beyond what a solver tells from nothing."""


def formulate(scenario: Scenario, responses: Responses, *, single_pass: bool = True) -> AllocationProblem:
    """The request as plain arrays.

    Args:
        single_pass: whether the plan is taken as the programme gives it; False where every step is simulated again.

    Raises:
        Unsupported: naming every rule, target and mode that the allocator does not do yet.
        InputRefused: naming every contradiction in targets, potentials, locks and accounts.
    """
    refuse_unsupported(scenario, single_pass=single_pass)
    # Among equal plans ids decide, not the rows of a file.
    scenario = scenario.in_id_order()
    allocation = scenario.allocation
    people = {rep.id: rep for rep in scenario.reps}
    teams = tuple(people[rep].team for rep in responses.reps)
    total = quota_total(scenario, int(company_target(scenario)))
    rules = tuple(rule for rule in allocation.rules if rule.enabled)
    aside = tuple(rule for rule in rules if not isinstance(rule, _OF_DECISIONS))
    equal_odds = allocation.mode == "equal_odds"
    samples = responses.samples.astype(np.float64)
    problem = AllocationProblem(
        reps=responses.reps,
        teams=teams,
        samples=samples,
        basis=basis_samples(samples, responses, allocation.quota_basis),
        total=float(total),
        over_assignment=allocation.over_assignment,
        team_totals=_team_totals(scenario, responses),
        potential=responses.territory,
        opportunity=responses.opportunity,
        ramp=responses.ramp,
        last_sales=_last_sales(scenario, responses.reps),
        hours=responses.hours,
        load=responses.load,
        sharpness=responses.sharpness,
        training=responses.training,
        accounts=responses.accounts,
        leads=responses.leads,
        rules=tuple(rule for rule in rules if rule not in aside) if equal_odds else rules,
        set_aside=aside if equal_odds else (),
        metrics=_metrics(scenario, responses, total),
        rounding_step=int(allocation.rounding_step),
        two_stage=allocation.mode in SALES_FIRST,
        alpha=allocation.alpha if allocation.mode == "alpha" else 0.0,
        maximin=allocation.mode == "maximin",
        even_load=allocation.mode == "even_load",
        groups=people_groups(scenario, responses.reps),
    )
    locks = read_locks(scenario, of_request(scenario, problem, responses))
    problem = replace(problem, locks=replace(locks, against=rules_against(scenario, responses.reps, locks.owner)))
    problem = beside_level_totals(scenario, problem, responses.periods)
    problem = replace(problem, load=problem.load + _hours_handed_on(problem))
    refuse_if([*_contradictions(problem), *beyond_potential(scenario, problem), *_lock_room(problem)])
    return teams_under_locks(_rules_under_locks(problem))


def _hours_handed_on(problem: AllocationProblem) -> Floats:
    """Hours of accounts after their owner has left, under today's owners and those locked: others' are settled, [R]."""
    owner = problem.accounts.today.copy()
    owner[list(problem.locks.owner)] = list(problem.locks.owner.values())
    return problem.accounts.hours_handed_on(np.arange(len(owner)), owner)


def sales_alone(scenario: Scenario) -> bool:
    """Whether owners and training are for sales alone, in minor units, and not for the attained share of the quotas.

    So it is in the modes that put sales first, and wherever people respond to their quotas.
    """
    return scenario.motivation is not None or scenario.allocation.mode in SALES_FIRST


def refuse_unsupported(scenario: Scenario, *, single_pass: bool = True) -> None:
    """Refuse what this allocator does not do yet, all of it together.

    Args:
        single_pass: see :func:`formulate`.

    Raises:
        Unsupported: naming each.
    """
    found = list(_unsupported(scenario, single_pass))
    if found:
        raise Unsupported(found)


def _unsupported(scenario: Scenario, single_pass: bool) -> Iterator[Problem]:
    allocation = scenario.allocation
    for position, rule in enumerate(allocation.rules):
        if rule.enabled and allocation.mode in ("maximin", "even_load") and isinstance(rule, EqualOdds):
            order = "max-min" if allocation.mode == "maximin" else "min-max"
            text = f"lexicographic {order} needs rules without levels to choose from"
            yield Problem(f"allocation.rules[{position}]", rule.rule, text, "switch it off, or use mode alpha")
        if rule.enabled and allocation.leads.decide and isinstance(rule, Spread | GiniBound):
            text = "compares ratios of quota to potential, both of which move where shares of leads are decided"
            remedy = "switch it off, use potential_band, or set allocation.leads.decide to false"
            yield Problem(f"allocation.rules[{position}]", rule.rule, text, remedy)
    if allocation.mode == "even_load":
        yield from _without_levels_of_work(scenario, single_pass)
    if scenario.motivation is not None and single_pass:
        rule_text = "with motivation on, quotas change sales, so that one pass cannot answer"
        remedy = "use the closed loop: ql.improve or `quotalab allocate --loop`; or leave motivation out"
        yield Problem("motivation", "given", rule_text, remedy)
    if allocation.mode == "equal_odds" and allocation.quota_basis != "full":
        rule_text = "equal odds are those of the simulated person"
        yield Problem("allocation.quota_basis", allocation.quota_basis, rule_text, "set it to full")


def _without_levels_of_work(scenario: Scenario, single_pass: bool) -> Iterator[Problem]:
    """What the least and most evenly borne care needs, or cannot have."""
    if scenario.allocation.accounts.care_hours_budget is None:
        rule, remedy = "even_load hands out hours of care, and there is no budget of them", "give it, or use two_stage"
        yield Problem("allocation.accounts.care_hours_budget", "empty", rule, remedy)
    if not any(target.floor for target in scenario.goals.targets if target.team is None and _whole(scenario, target)):
        rule = "even_load gives no more care than floors need, and no target of the company over the horizon has one"
        yield Problem("goals.targets", "no floor", rule, "give a target its floor, or use two_stage")
    if not single_pass:
        rule = "the closed loop maximises what is simulated, and even_load does not"
        yield Problem("allocation.mode", "even_load", rule, "allocate in one pass, or use two_stage")


def basis_samples(samples: Floats, responses: Responses, basis: str) -> Floats:
    """The samples that quotas follow: of the simulated person (full), the territory (opportunity), or half of each.

    The distribution keeps its shape; its mean moves to the blend.
    """
    weight = {"full": 0.0, "blend": 0.5, "opportunity": 1.0}[basis]
    if weight == 0.0:
        return samples
    mean = samples.mean(axis=0)
    wanted = weight * responses.opportunity * responses.ramp + (1 - weight) * mean
    factor = np.divide(wanted, mean, out=np.ones_like(mean), where=mean > 0)
    return np.asarray(samples * factor)


def _metrics(scenario: Scenario, responses: Responses, total: int) -> Metrics:
    """Targets beside the company's revenue; its floor among them where care is no more than floors need."""
    found, revenue = read_metrics(scenario, responses, total), scenario.goals.company()
    if scenario.allocation.mode != "even_load" or revenue is None or revenue.floor is None:
        return found
    return replace(found, revenue_floor=float(Minor.of(revenue.floor)))


def _whole(scenario: Scenario, target: Target) -> bool:
    start, end = scenario.calendar.start, scenario.calendar.end
    return (target.first_day or start, target.end or end) == (start, end)


def _team_totals(scenario: Scenario, responses: Responses) -> dict[str, float]:
    out = {team: float(total) for team, total in revenue_team_totals(scenario, responses.periods).items()}
    for target in scenario.goals.targets:
        if target.metric == "revenue" and target.team is not None and _whole(scenario, target):
            out[target.team] = float(quota_total(scenario, _team_target(scenario, target)))
    return dict(sorted(out.items()))


def _team_target(scenario: Scenario, target: Target) -> int:
    if target.formula is None:
        return int(target.minor)
    members = tuple(rep for rep in scenario.reps if rep.team == target.team)
    return int(formula_target(scenario.model_copy(update={"reps": members}), target.formula))


def people_groups(scenario: Scenario, reps: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Group of each rep by team, region, tenure at the start and level; empty where a rep has no level."""
    people = {rep.id: rep for rep in scenario.reps}
    regions = {team.id: team.region for team in scenario.teams}
    carriers = [people[rep] for rep in reps]
    return {
        "team": tuple(rep.team for rep in carriers),
        "region": tuple(rep.region or regions[rep.team] for rep in carriers),
        "tenure": tuple(_tenure(scenario, rep.hired) for rep in carriers),
        "level": tuple(rep.level or "" for rep in carriers),
    }


def _tenure(scenario: Scenario, hired: date | None) -> str:
    short, long = TENURE_YEARS
    years = math.inf if hired is None else (scenario.calendar.start - hired).days / 365.25
    if years < short:
        return f"under {short} year"
    return f"{short} to {long} years" if years < long else f"over {long} years"


def _last_sales(scenario: Scenario, reps: tuple[str, ...]) -> Floats:
    """Last sales of whoever was there for the whole last period and stays for the whole horizon, else NaN, [R]."""
    known = {rep.id: last_full_sales(scenario, rep) for rep in scenario.reps}
    return np.array([known[rep] for rep in reps], dtype=np.float64)


def _contradictions(problem: AllocationProblem) -> Iterator[Problem]:
    for team in problem.team_totals:
        if not len(problem.members(team)):
            yield Problem(f"goals.targets {team}", team, "no rep of this team carries a quota", "remove the target")
    if problem.total <= 0:
        yield Problem("goals.targets", "0", "the company target must be positive for quotas to be split")
    if problem.rounding_step * len(problem.reps) > problem.total > 0:
        told = f"is more than an even share of {problem.total / 100:,.2f} among {len(problem.reps)} reps"
        remedy = f"a thousandth of that share is {problem.total / len(problem.reps) / 100_000:,.2f}"
        yield Problem("allocation.rounding_step", f"{problem.rounding_step / 100:,.2f}", told, remedy)
    if problem.even_load and len(problem.reps) > MOST_REPS:
        text = f"it finds one level of workload after the other, for at most {MOST_REPS} reps"
        given = f"even_load for {len(problem.reps)} reps"
        yield Problem("allocation.mode", given, text, "use two_stage with a workload rule")
    expected = float(problem.samples.mean(axis=0).sum())
    if 0 < problem.total < LEAST_SHARE * expected:
        told = f"is less than a millionth of the expected sales of {expected / 100:,.2f}: too little to be split"
        yield Problem("goals.targets", f"{problem.total / 100:,.2f}", told, "give targets in currency units")
    yield from unmeasured(problem)
    for rule in (*problem.rules, *problem.set_aside):
        if isinstance(rule, Workload) and rule.minimum >= 1.0:
            told = "asks for more than all hours: a busy share stays below 1"
            yield Problem("allocation.rules workload minimum", f"{rule.minimum:g}", told, "a share below 1")
    for a, account in enumerate(problem.accounts.ids):
        if a not in problem.locks.owner and not len(owners_of(problem.accounts.allowed, a)):
            barred = [words(rule) for rule, pairs in problem.accounts.barred.items() if len(owners_of(pairs, a))]
            remedy = "name eligible reps who carry a quota, or clear the owner"
            remedy = f"{remedy}; or switch one off: {', '.join(barred)}" if barred else remedy
            yield Problem(f"accounts.{account}", "", "nobody who carries a quota may own it", remedy)


def _lock_room(problem: AllocationProblem) -> Iterator[Problem]:
    """Locked quotas never break the company's total (rule R17)."""
    yield from revenue_range(problem).company_room(problem.total, np.ones(len(problem.reps), np.bool_), "all quotas")


def _rules_under_locks(problem: AllocationProblem) -> AllocationProblem:
    """Marks whose locks ask for more, or leave less, than rules on single quotas do under the plan that was simulated.

    Only there do such rules give way: a few locked months are no reason to break one for the year.
    """
    locks = problem.locks
    if not locks.least and not locks.most:
        return problem
    low, high = box(problem, bounds(problem, problem.base_decisions()), locked=False)
    beyond = {r for r, value in locks.least.items() if value > high[r]}
    beyond |= {r for r, value in locks.most.items() if value < low[r]}
    return replace(problem, locks=replace(locks, beyond=frozenset(beyond)))
