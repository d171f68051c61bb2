"""Quotas that a planner must not overlook, in words: none at all, or far below the share carried today."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optimize.problem import AllocationProblem, Bools, Decisions, Floats, Ints
from optimize.rules import bounds
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
    for found, said in ((nothing, "no quota for"), (low, "less than half of today's share of all quotas for")):
        for who, way in (
            (found & ~kept_up & measured, ": no rule keeps it up; potential_band or growth with a floor would"),
            (found & ~kept_up & ~measured, ": no rule keeps it up; potential_band would"),
            (found & kept_up, ", within the rules that keep it up"),
        ):
            if who.any():
                yield f"{said} {_named(problem, was, now, who)}{way}"


def _named(problem: AllocationProblem, was: Floats, now: Floats, who: Bools) -> str:
    places = np.flatnonzero(who).tolist()
    told = [f"{problem.reps[r]} ({100 * was[r]:.1f} % → {100 * now[r]:.1f} %)" for r in places[:MOST_NAMED]]
    more = len(places) - len(told)
    return ", ".join(told) + (f", +{more}" if more else "")
