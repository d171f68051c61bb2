"""What locks may speak of: who carries a quota of what and when, who owns what, and how much time there is.

An allocation knows it from simulated years, a plan from its own rows. So a lock that is put on a plan is checked by the
code that the next allocation checks it with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimize.asked import asked, quota_total, target_total
from optimize.lead_offer import NO_LEADS, LeadOffer
from optimize.phasing import Period
from optimize.problem import AllocationProblem
from optimize.response.estimate import Responses
from optimize.response.metrics import metrics_asked
from optimize.response.people import calendar_hours, least_account_effort, reporting_periods
from optimize.response.presence import TimeThere
from optimize.response.shares import handed_out
from scenarios.goals import RATIO_METRICS, Level, Target
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from scenarios.today import company_target, has_company_target

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Lockable:
    """R reps who carry a quota, P reporting periods.

    Attributes:
        accounts: those with an owner today.
        hours: working hours of each rep over the horizon, [R].
        care_load: hours of the calendar that one hour of care a year asks of each rep at least, [R].
        carried: by metric, revenue first, the periods in which each rep carries a quota, [R, P].
        levels: metrics and levels that targets ask for.
        present: periods in which each rep is employed on some day, [R, P].
        leads: new leads that are handed out, and to whom.
    """

    reps: tuple[str, ...]
    periods: tuple[Period, ...]
    accounts: tuple[str, ...]
    skills: tuple[str, ...]
    hours: Floats
    care_load: Floats
    carried: Mapping[str, Bools]
    levels: frozenset[tuple[str, Level]]
    present: Bools
    leads: LeadOffer = NO_LEADS


def of_request(scenario: Scenario, problem: AllocationProblem, responses: Responses) -> Lockable:
    """What locks of an allocation may speak of."""
    carried = {"revenue": np.asarray(responses.season > 0)}
    carried |= {metric.name: metric.carried for metric in problem.metrics.others}
    return Lockable(
        problem.reps,
        responses.periods,
        problem.accounts.ids,
        problem.training.skills,
        problem.hours,
        problem.accounts.care_load,
        carried,
        _levels(scenario),
        _present(scenario, problem.reps, responses.periods),
        problem.leads,
    )


def of_plan(scenario: Scenario, plan: Plan) -> Lockable:
    """What locks put on a plan may speak of: of whom it has quotas, when, and what the scenario says of the rest.

    An hour of care asks of each rep what it asks with the plan's training or without, whichever is less: the next
    allocation may go on from this plan or from today's.
    """
    quotas, periods = plan.quotas(), reporting_periods(scenario)
    people = [rep for rep in scenario.reps if rep.id in quotas]
    reps = tuple(rep.id for rep in people)
    years = (scenario.calendar.end - scenario.calendar.start).days / 365.0
    time = TimeThere(scenario, plan, tuple(people), periods)
    least = [least_account_effort(scenario, rep, plan, float(time.kept[r])) for r, rep in enumerate(people)]
    return Lockable(
        reps,
        periods,
        tuple(account.id for account in scenario.accounts if account.owner is not None),
        tuple(scenario.skills.dimensions),
        np.array([calendar_hours(scenario, rep) for rep in people]),
        years * time.share * np.array(least),
        {metric: _carried(plan, metric, reps, periods) for metric in ("revenue", *metrics_asked(scenario))},
        _levels(scenario),
        _present(scenario, reps, periods),
        handed_out(scenario, plan, people),
    )


def totals(scenario: Scenario, periods: tuple[Period, ...]) -> Iterator[tuple[str, float]]:
    """What quotas of a metric sum to where the company's target says so by itself, minor units or a count."""
    if has_company_target(scenario):
        yield "revenue", float(quota_total(scenario, int(company_target(scenario))))
    pairs = {part for target in scenario.goals.targets for part in RATIO_METRICS.get(target.metric, ())}
    for (metric, team), entry in asked(scenario, periods).items():
        if team is None and entry.whole is not None and metric not in {"revenue", *RATIO_METRICS, *pairs}:
            yield metric, float(target_total(scenario, entry.whole))


def _carried(plan: Plan, metric: str, reps: tuple[str, ...], periods: tuple[Period, ...]) -> Bools:
    """Periods for which the plan has a quota; all of them where it has none of this metric yet, [R, P]."""
    rows = [row for row in plan.targets if row.metric == metric and row.rep in reps]
    out = np.zeros((len(reps), len(periods)), dtype=np.bool_)
    for row in rows:
        out[reps.index(row.rep)] |= [row.start <= period.first and period.end <= row.end for period in periods]
    return out if rows else ~out


def _present(scenario: Scenario, reps: tuple[str, ...], periods: tuple[Period, ...]) -> Bools:
    """Periods in which somebody is hired before the end and leaves after the beginning, [R, P]."""
    known = {rep.id: rep for rep in scenario.reps}
    rows = [
        [
            (rep.hired is None or rep.hired < one.end) and (rep.leaves is None or rep.leaves > one.first)
            for one in periods
        ]
        for rep in (known[name] for name in reps)
    ]
    return np.array(rows, dtype=np.bool_).reshape(len(reps), len(periods))


def _levels(scenario: Scenario) -> frozenset[tuple[str, Level]]:
    return frozenset((target.metric, level) for target in scenario.goals.targets for level in _levels_of(target))


def _levels_of(target: Target) -> Iterator[Level]:
    """Levels that a target has figures for."""
    yield "target"
    if target.floor is not None:
        yield "floor"
    if target.stretch is not None:
        yield "stretch"
