"""Totals of teams beside locked quotas: which hold, and which give way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from optimize.locked_quotas import LockedQuotas
from optimize.problem import AllocationProblem


def revenue_locks(problem: AllocationProblem) -> LockedQuotas:
    """Locks on revenue quotas; whoever has all periods locked is locked over the horizon."""
    whole = {r: round(value) for r, value in problem.locks.quota.items()}
    return replace(problem.locks.of("revenue"), whole=whole)


def teams_under_locks(problem: AllocationProblem) -> AllocationProblem:
    """A team total gives way where locked quotas leave it no room (rule R17); one that gave way before may hold."""
    everybody = np.ones(len(problem.reps), np.bool_)
    asked = problem.team_totals | problem.teams_overruled
    kept, overruled = revenue_locks(problem).team_totals(asked, problem.teams, everybody, problem.total)
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


def with_lock(problem: AllocationProblem, r: int, value: float | None) -> AllocationProblem:
    """The request with another locked quota of a rep, minor units; without any lock on it where there is no value."""
    locks = problem.locks
    quota, least = ({i: v for i, v in of.items() if i != r} for of in (locks.quota, locks.least))
    beyond = locks.beyond
    if value is None:
        beyond = beyond - {r}
    elif r in locks.quota:
        quota = {**locks.quota, r: value}
    else:
        least = {**locks.least, r: value}
    return teams_under_locks(replace(problem, locks=replace(locks, quota=quota, least=least, beyond=beyond)))
