"""Totals of teams beside locked quotas: which hold, and which give way."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from optimize.locked_quotas import LockedQuotas
from optimize.locked_range import LockedRange
from optimize.problem import AllocationProblem
from scenarios.goals import LEVELS

Side = Literal["quota", "least", "most"]


def revenue_range(problem: AllocationProblem) -> LockedRange:
    """Between what locks hold revenue quotas."""
    locks = problem.locks
    told: dict[int, tuple[str, ...]] = {}
    for level in LEVELS:
        for r, texts in locks.of("revenue", level).told.items():
            told[r] = (*told.get(r, ()), *texts)
    low, high = np.zeros(len(problem.reps)), np.full(len(problem.reps), np.inf)
    for bound, values in ((low, locks.least), (high, locks.most), (low, locks.quota), (high, locks.quota)):
        bound[list(values)] = list(values.values())
    return LockedRange(low, high, LockedQuotas("revenue", told=told))


def teams_under_locks(problem: AllocationProblem) -> AllocationProblem:
    """A team total gives way where locks leave it no room (rule R17); one that gave way before may hold."""
    everybody = np.ones(len(problem.reps), np.bool_)
    asked = problem.team_totals | problem.teams_overruled
    kept, overruled = revenue_range(problem).team_totals(asked, problem.teams, everybody, problem.total)
    return replace(problem, team_totals=kept, teams_overruled=overruled)


def with_total(problem: AllocationProblem, total: float) -> AllocationProblem:
    """The request with another total of the company, minor units."""
    return teams_under_locks(replace(problem, total=total))


def with_team_total(problem: AllocationProblem, team: str, total: float) -> AllocationProblem:
    """The request with another total of a team, minor units."""
    return teams_under_locks(replace(problem, team_totals={**problem.team_totals, team: total}))


def without_team_total(problem: AllocationProblem, team: str) -> AllocationProblem:
    """The request without any total of a team."""
    asked, overruled = (
        {t: v for t, v in of.items() if t != team} for of in (problem.team_totals, problem.teams_overruled)
    )
    return teams_under_locks(replace(problem, team_totals=asked, teams_overruled=overruled))


def with_lock(problem: AllocationProblem, r: int, value: float | None, side: Side = "quota") -> AllocationProblem:
    """The request with another locked quota of a rep, or what it is at least or at most, minor units.

    Args:
        value: None for without any lock on it.
    """
    locks = problem.locks
    quota, least, most = ({i: v for i, v in of.items() if i != r} for of in (locks.quota, locks.least, locks.most))
    if value is None:
        bare = replace(locks, quota=quota, least=least, most=most, beyond=locks.beyond - {r})
        return teams_under_locks(replace(problem, locks=bare))
    if side == "quota":
        held = replace(locks, quota={**quota, r: value})
    elif side == "least":
        held = replace(locks, least={**least, r: value})
    else:
        held = replace(locks, most={**most, r: value})
    return teams_under_locks(replace(problem, locks=held))
