"""Sums of quotas in words where they conflict: the company's total, totals of teams, locked quotas; in money."""

from __future__ import annotations

import math

from optimize.loosening import TOTAL, question, suffices
from optimize.model import money_unit
from optimize.nearest_sums import HAIR, nearest_sum, nearest_total
from optimize.parts.targets import PERIODS
from optimize.problem import AllocationProblem
from optimize.programme.blocks import Programme
from optimize.sums_under_locks import with_lock, with_team_total

LOCK = "locked quota."
TEAM = "team_total "
COMPANY = "the company's total of quotas"


def sum_named(problem: AllocationProblem, name: str) -> str:
    """What a sum has to be, in words."""
    if name == TOTAL:
        return f"{COMPANY} is {problem.total / 100:,.2f}"
    if name.startswith(TEAM):
        team = name.removeprefix(TEAM)
        return f"the quotas of team {team} sum to {problem.team_totals[team] / 100:,.2f}"
    r = _locked_rep(problem, name)
    if name.startswith(PERIODS):
        told = "; ".join(problem.locks.of("revenue").told.get(r, ()))
        return f"locked periods of {problem.reps[r]} sum to {problem.locks.least[r] / 100:,.2f}: {told}"
    return f"quota.{problem.reps[r]} = {problem.locks.quota[r] / 100:,.2f}, {_author(problem, r)}"


def sum_loosened(problem: AllocationProblem, programme: Programme, name: str) -> str:
    """What a team's total or a locked quota, which can give way alone, has to be; or that it has to be removed."""
    # Rules and totals that give way to a lock hold again where it is removed.
    if name.startswith("locked ") and suffices(question(with_lock(problem, _locked_rep(problem, name), None))):
        return f"{sum_named(problem, name)}: remove it"
    return sum_words(problem, name, nearest_sum(programme, name))


def sum_words(problem: AllocationProblem, name: str, value: float | None, alone: bool = True) -> str:
    """The nearest value of a team's total or a locked quota; removed where there is none.

    Args:
        value: in units of money (:func:`optimize.model.money_unit`); None for what can only be removed.
        alone: whether it is to suffice by itself; empty where it does not to the cent.
    """
    if value is None or value < 0:
        return "" if alone and name.startswith("locked ") else f"{sum_named(problem, name)}: remove it"
    total, what = _asked(problem, name)
    nearest = value * money_unit(problem)
    word, shown = ("at most", math.floor) if nearest < total else ("at least", math.ceil)
    told = shown(nearest + (HAIR if word == "at most" else -HAIR))
    if alone and not suffices(question(_with(problem, name, float(told)))):
        return "" if name.startswith("locked ") else f"{sum_named(problem, name)}: remove it"
    return f"{what}: {word} {told / 100:,.2f} instead of {total / 100:,.2f}"


def total_words(problem: AllocationProblem) -> str:
    """The nearest total for which there is a plan; empty where there is none."""
    nearest = nearest_total(problem)
    if nearest is None:
        return ""
    word = "at most" if nearest < problem.total else "at least"
    return f"{COMPANY}: {word} {nearest / 100:,.2f} instead of {problem.total / 100:,.2f}"


def _asked(problem: AllocationProblem, name: str) -> tuple[float, str]:
    """What a sum has to be, minor units, and whose it is."""
    if name == TOTAL:
        return problem.total, COMPANY
    if name.startswith(TEAM):
        team = name.removeprefix(TEAM)
        return problem.team_totals[team], f"the quotas of team {team}"
    r = _locked_rep(problem, name)
    if name.startswith(PERIODS):
        return problem.locks.least[r], f"locked periods of {problem.reps[r]}"
    return problem.locks.quota[r], f"quota.{problem.reps[r]}, {_author(problem, r)}"


def _with(problem: AllocationProblem, name: str, value: float) -> AllocationProblem:
    if name.startswith(TEAM):
        return with_team_total(problem, name.removeprefix(TEAM), value)
    return with_lock(problem, _locked_rep(problem, name), value)


def _locked_rep(problem: AllocationProblem, name: str) -> int:
    return problem.reps.index(name.removeprefix(PERIODS).removeprefix(LOCK))


def _author(problem: AllocationProblem, r: int) -> str:
    return problem.locks.author.get(f"quota.{problem.reps[r]}", "all of its periods are locked")
