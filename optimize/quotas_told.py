"""What a planner must not overlook, in words: quotas of nothing, or far below today's share; floors out of reach."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optimize.problem import AllocationProblem, Bools, Decisions, Floats, Ints, gains, potentials
from optimize.rules import bounds
from scenarios.base import Minor
from scenarios.scenario import Scenario
from scenarios.today import today_plan

FAR_BELOW = 0.5
"""Of today's share of all quotas, below which somebody is told."""
MOST_NAMED = 8


def low_quotas(scenario: Scenario, problem: AllocationProblem, decisions: Decisions, quotas: Ints) -> Iterator[str]:
    """Whose quota is nothing or a far smaller share of all than today, and what would keep it up where nothing does.

    The largest sum of capped sales may well hand somebody nothing, where a rule only limits quotas from above.
    """
    before = today_plan(scenario).quotas()
    today = np.array([float(before.get(rep, 0)) for rep in problem.reps])
    was, now = today / max(float(today.sum()), 1.0), quotas / max(float(quotas.sum()), 1.0)
    kept_up = np.zeros(len(problem.reps), dtype=np.bool_)
    kept_up[[bound.rep for bound in bounds(problem, decisions) if bound.side == "lower"]] = True
    locked = np.array([r in problem.locks.quota for r in range(len(problem.reps))], dtype=np.bool_)
    nothing = (quotas <= 0) & ~locked
    low = (quotas > 0) & (now < FAR_BELOW * was) & ~locked
    measured = ~np.isnan(problem.last_sales)
    emptied = nothing & (potentials(problem, decisions.owner, decisions.shares) <= 0)
    if emptied.any():
        yield f"no quota for {_named(problem, was, now, emptied)}: the plan's owners leave no potential for one"
    nothing &= ~emptied
    for found, said in ((nothing, "no quota for"), (low, "less than half of today's share of all quotas for")):
        for who, way in (
            (found & ~kept_up & measured, ": no rule keeps it up; potential_band or growth with a floor would"),
            (found & ~kept_up & ~measured, ": no rule keeps it up; potential_band would"),
            (found & kept_up, ", within the rules that keep it up"),
        ):
            if who.any():
                yield f"{said} {_named(problem, was, now, who)}{way}"


def floors_out_of_reach(scenario: Scenario, problem: AllocationProblem, decisions: Decisions) -> Iterator[str]:
    """Floors of revenue above what the model expects: levels of quotas, which no plan is held to.

    The company's is a limit on plans where care is no more than floors need.
    """
    expected = problem.samples.mean(axis=0) + gains(problem, decisions)
    start, end = scenario.calendar.start, scenario.calendar.end
    for target in scenario.goals.targets:
        whole = (target.first_day or start, target.end or end) == (start, end)
        if target.metric != "revenue" or target.floor is None or not whole:
            continue
        if target.team is None and problem.metrics.revenue_floor is not None:
            continue
        members = slice(None) if target.team is None else problem.members(target.team)
        floor, sold = Minor.of(target.floor), float(expected[members].sum())
        if sold < floor - 0.5:
            of = "" if target.team is None else f" of team {target.team}"
            yield (
                f"expected revenue{of} is {sold / 100:,.2f}, below the floor of {floor / 100:,.2f}: a floor of revenue "
                "is a level of quotas, and no plan is held to it"
            )


def _named(problem: AllocationProblem, was: Floats, now: Floats, who: Bools) -> str:
    places = np.flatnonzero(who).tolist()
    told = [f"{problem.reps[r]} ({100 * was[r]:.1f} % → {100 * now[r]:.1f} %)" for r in places[:MOST_NAMED]]
    more = len(places) - len(told)
    return ", ".join(told) + (f", +{more}" if more else "")
