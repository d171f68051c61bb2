"""Sums of quotas in words where they conflict: the company's total, totals of teams, locked quotas; in money."""

from __future__ import annotations

import math

from optimize.asked import to_enter
from optimize.easing import Way
from optimize.loosening import TOTAL, question, suffices
from optimize.model import money_unit
from optimize.nearest_sums import HAIR, nearest_sum
from optimize.parts.targets import LEAST, MOST
from optimize.problem import AllocationProblem
from optimize.programme.blocks import Programme
from optimize.sums_under_locks import Side, revenue_range, with_lock, with_team_total, with_total, without_team_total
from scenarios.errors import Said
from scenarios.goals import LEVELS

LOCK = "locked quota."
TEAM = "team_total "
COMPANY = Said("the company's total of quotas", "公司指标合计")


def sum_named(problem: AllocationProblem, name: str) -> Said:
    """What a sum has to be, in words."""
    if name == TOTAL:
        total, more = f"{problem.total / 100:,.2f}", _over(problem)
        return Said(f"{COMPANY.english} is {total}{more.english}", f"{COMPANY.chinese}为 {total}{more.chinese}")
    if name.startswith(TEAM):
        team = name.removeprefix(TEAM)
        total, more = f"{problem.team_totals[team] / 100:,.2f}", _over(problem)
        english = f"the quotas of team {team} sum to {total}{more.english}"
        return Said(english, f"团队 {team} 的指标合计为 {total}{more.chinese}")
    r = _locked_rep(problem, name)
    rep = problem.reps[r]
    if name.startswith((LEAST, MOST)):
        figure = f"{figure_of(problem, name) / 100:,.2f}"
        what, told = _whose(problem, name), "; ".join(_authors(problem, name, r))
        verb = "sum to" if what.english.startswith("locked periods") else "is"
        chinese = "合计为" if verb == "sum to" else "为"
        return Said(f"{what.english} {verb} {figure}: {told}", f"{what.chinese}{chinese} {figure}：{told}")
    text = f"quota.{rep} = {problem.locks.quota[r] / 100:,.2f}"
    author = _author(problem, r)
    return Said(f"{text}, {author.english}", f"{text}，{author.chinese}")


def _over(problem: AllocationProblem) -> Said:
    """That a sum is more than the target says."""
    share = f"{problem.over_assignment * 100:.6g} %"
    none = Said("", "")
    return Said(f", {share} of over-assignment in it", f"（含超额分配 {share}）") if problem.over_assignment else none


def sum_loosened(problem: AllocationProblem, programme: Programme, name: str) -> Way | None:
    """What a team's total or a locked quota, which can give way alone, has to be; or that it has to be removed."""
    # Rules and totals that give way to a lock hold again where it is removed.
    if name.startswith("locked ") and suffices(question(with_lock(problem, _locked_rep(problem, name), None))):
        return removed(problem, name)
    return nearest_way(problem, name, nearest_sum(programme, name))


def nearest_way(problem: AllocationProblem, name: str, value: float | None, alone: bool = True) -> Way | None:
    """The nearest value of a team's total or a locked quota; removed where there is none.

    Args:
        value: in units of money (:func:`optimize.model.money_unit`); None for what can only be removed.
        alone: whether it is to suffice by itself; None where a lock does not to the cent.
    """
    if value is None or value < 0:
        return None if alone and name.startswith("locked ") else removed(problem, name)
    nearest = value * money_unit(problem)
    below = nearest < figure_of(problem, name)
    told = math.floor(nearest + HAIR) if below else math.ceil(nearest - HAIR)
    way = moved(problem, name, told)
    if alone and way.change is not None and not suffices(question(way.change(problem))):
        return None if name.startswith("locked ") else removed(problem, name)
    return way


def removed(problem: AllocationProblem, name: str) -> Way:
    """The way out that leaves a team's total or a lock out."""
    said = sum_named(problem, name)
    told = Said(f"{said.english}: remove it", f"{said.chinese}：取消")
    if name.startswith(TEAM):
        team = name.removeprefix(TEAM)
        return Way(told, lambda request: without_team_total(request, team))
    r = _locked_rep(problem, name)
    return Way(told, lambda request: with_lock(request, r, None))


def moved(problem: AllocationProblem, name: str, told: int) -> Way:
    """The way out that gives a sum another value, minor units."""
    total, what = figure_of(problem, name), _whose(problem, name)
    side, chinese_side = ("at most", "不超过") if told < total else ("at least", "不低于")
    new, old = f"{told / 100:,.2f}", f"{total / 100:,.2f}"
    of_target = name == TOTAL or name.startswith(TEAM)
    enter = to_enter(told, problem.over_assignment if of_target else 0.0, below=told < total)
    said = Said(
        f"{what.english}: {side} {new} instead of {old}{enter.english}",
        f"{what.chinese}：由 {old} 改为{chinese_side} {new}{enter.chinese}",
    )
    if name == TOTAL:
        return Way(said, lambda request: with_total(request, float(told)))
    if name.startswith(TEAM):
        return Way(said, lambda request: with_team_total(request, name.removeprefix(TEAM), float(told)))
    return Way(said, lambda request: with_lock(request, _locked_rep(request, name), float(told), _side(name)))


def figure_of(problem: AllocationProblem, name: str) -> float:
    """What a sum has to be, minor units."""
    if name == TOTAL:
        return problem.total
    if name.startswith(TEAM):
        return problem.team_totals[name.removeprefix(TEAM)]
    r = _locked_rep(problem, name)
    locks = problem.locks
    return {"quota": locks.quota, "least": locks.least, "most": locks.most}[_side(name)][r]


def _whose(problem: AllocationProblem, name: str) -> Said:
    if name == TOTAL:
        return COMPANY
    if name.startswith(TEAM):
        team = name.removeprefix(TEAM)
        return Said(f"the quotas of team {team}", f"团队 {team} 的指标合计")
    r = _locked_rep(problem, name)
    rep = problem.reps[r]
    floor, stretch = (bool(problem.locks.of("revenue", level).told.get(r)) for level in ("floor", "stretch"))
    if name.startswith(MOST):
        if stretch:
            return Said(f"the locked stretch of {rep}", f"{rep} 的锁定挑战指标")
        return Said(f"the most that the locked floor leaves {rep}", f"{rep} 的锁定保底指标所允许的最高指标")
    if name.startswith(LEAST):
        if floor and _by_floor(problem, r):
            return Said(f"the locked floor of {rep}", f"{rep} 的锁定保底指标")
        if _by_floor(problem, r):
            return Said(f"the least that the locked stretch asks of {rep}", f"{rep} 的锁定挑战指标所要求的最低指标")
        return Said(f"locked periods of {rep}", f"{rep} 的锁定期间")
    author = _author(problem, r)
    return Said(f"quota.{rep}, {author.english}", f"quota.{rep}，{author.chinese}")


def _locked_rep(problem: AllocationProblem, name: str) -> int:
    return problem.reps.index(name.removeprefix(LEAST).removeprefix(MOST).removeprefix(LOCK))


def _side(name: str) -> Side:
    return "least" if name.startswith(LEAST) else "most" if name.startswith(MOST) else "quota"


def _authors(problem: AllocationProblem, name: str, r: int) -> tuple[str, ...]:
    """Who locked what bounds a quota, in words."""
    floors, periods, stretches = (problem.locks.of("revenue", level).told.get(r, ()) for level in LEVELS)
    if name.startswith(MOST):
        return stretches or floors
    return (*floors, *periods) or stretches if _by_floor(problem, r) else periods


def _by_floor(problem: AllocationProblem, r: int) -> bool:
    """Whether it is a locked floor, rather than locked periods, that asks for a least quota."""
    return float(problem.locks.of("revenue").least(len(problem.reps))[r]) < problem.locks.least[r]


def _author(problem: AllocationProblem, r: int) -> Said:
    told = problem.locks.author.get(f"quota.{problem.reps[r]}")
    if told is None and r not in problem.locks.of("revenue").reps:
        between = "; ".join(revenue_range(problem).locked.told.get(r, ()))
        return Said(f"between locked levels: {between}", f"锁定的各级之间：{between}")
    if told is None:
        return Said("all of its periods are locked", "其全部期间均已锁定")
    return Said(told, told.replace("locked by ", "锁定人：", 1) if told.startswith("locked by ") else told)
