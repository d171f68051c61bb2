"""What loosening rules and moving totals is worth with owners held, and the rows of an audit that say so.

Rules are priced in :mod:`optimize.prices`. A total is an equation and has no loose side: its value is that of one more
currency unit, or below zero that of one less, whichever brings more; at a total where neither does, it is nothing. It
is the difference that a hair of the total makes, which is the same on every solver: rules that measure quotas against
the company's move with its total.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from optimize.audit import RuleRow
from optimize.loosening import odds_widened
from optimize.model import Model, money_unit
from optimize.prices import Price, build_with_owners_held, prices, with_owners_held
from optimize.problem import AllocationProblem, Decisions, Floats, gains
from optimize.programme.blocks import Programme
from optimize.programme.ordered import within_limits
from optimize.programme.solve import solve
from optimize.quotas import best_quotas
from optimize.rule_words import MONEY, UNITS
from optimize.split import attained
from scenarios.base import MINOR_PER_MAJOR
from scenarios.goals import EqualOdds

HAIR = 1e-4
"""By how much a total is moved, as a share of a mean quota."""
NOTHING = 1e-4
"""Capped sales for a currency unit of a total, below which moving it brings nothing: what a solver leaves open."""
TOTALS = ("company_total", "team_total")
"""Rows that are equations."""
AT_LIMIT = 1e-6
"""Distance within which a figure is at its limit, in the unit of both; money within a minor unit."""


def worth_of_loosening(
    problem: AllocationProblem, decisions: Decisions, model: Model | None = None, values: Floats | None = None
) -> dict[str, Price]:
    """Value of loosening of every rule and of moving the totals; none in modes that do not maximise the sum.

    Args:
        model, values: a programme and values of its columns with the same owners; else one is made and solved, as
            always where :func:`solved_apart`.
    """
    if problem.maximin or problem.alpha or problem.even_load:
        return {}
    if model is None or values is None or solved_apart(problem):
        model, values = with_owners_held(problem, decisions)
    return prices(model, values) | odds_price(problem, decisions) | total_prices(problem, decisions)


def solved_apart(problem: AllocationProblem) -> bool:
    """Whether values of loosening are read off a programme of their own.

    Where care is refined, or quotas came last, the programme at hand holds decisions that loosening would move.
    """
    return problem.two_stage or problem.accounts.care_budget is not None


def odds_price(problem: AllocationProblem, decisions: Decisions) -> dict[str, Price]:
    """What a range of chances wider by one point would bring, by splitting quotas again: its levels have no dual."""
    unit, size = UNITS["equal_odds"]
    if not any(isinstance(rule, EqualOdds) for rule in problem.rules):
        return {}
    gain = gains(problem, decisions)
    now, wider = (best_quotas(request, decisions) for request in (problem, odds_widened(problem, size)))
    if now is None or wider is None:
        return {}
    value = max(attained(problem.basis, gain, wider) - attained(problem.basis, gain, now), 0.0)
    return {"equal_odds": Price("equal_odds", value, unit, {"company": value})}


def total_prices(problem: AllocationProblem, decisions: Decisions) -> dict[str, Price]:
    """What one more currency unit of the company's total, and of each team's, would bring, owners held.

    Teams' totals move within the company's, and other metrics keep their targets. A total that cannot move alone has
    no value, nor has any under equal odds, whose levels are held by no row.
    """
    if any(isinstance(rule, EqualOdds) for rule in problem.rules):
        return {}
    unit = money_unit(problem)
    base = build_with_owners_held(problem, decisions, unit=unit).programme
    hair = HAIR * problem.total / len(problem.reps)
    now = _best(base)
    if now is None:
        return {}

    def moved(total: float) -> float | None:
        return _best(build_with_owners_held(replace(problem, total=total), decisions, unit=unit).programme)

    def shifted(team: str, by: float) -> float | None:
        name = f"team_total {team}"
        rows = [
            replace(row, lower=row.lower + by / unit, upper=row.upper + by / unit) if row.rule == name else row
            for row in base.rows
        ]
        return _best(replace(base, rows=tuple(rows)))

    company = _dearer(lambda by: moved(problem.total + by), now, hair, unit)
    teams = {team: _dearer(partial(shifted, team), now, hair, unit) for team in problem.team_totals}
    known = {team: value for team, value in teams.items() if value is not None}
    out = {} if company is None else {"company_total": Price("company_total", company, MONEY, {"company": company})}
    if known:
        out["team_total"] = Price("team_total", max(known.values(), key=abs), MONEY, known)
    return out


def _best(programme: Programme) -> float | None:
    """The largest objective with decisions in parts; None without a plan."""
    free = replace(programme, integer=np.zeros_like(programme.integer))
    solution = solve(free)
    if solution.status == "infeasible":
        return None
    values = within_limits(free, solution.values) if free.ordered else solution.values
    return float(free.objective @ values) + free.constant


def _dearer(worth: Callable[[float], float | None], now: float, hair: float, unit: float) -> float | None:
    """What a currency unit more brings, minor units; or less, below zero; None where the total cannot move."""
    sides = [None if found is None else (found - now) * unit / hair for found in (worth(hair), worth(-hair))]
    more, less = sides
    if more is None and less is None:
        return None
    best = max((side for side in sides if side is not None), default=0.0)
    if best <= NOTHING:
        return 0.0
    return MINOR_PER_MAJOR * (best if best == more else -best)


def with_values(rows: Sequence[RuleRow], found: Mapping[str, Price]) -> list[RuleRow]:
    """Rows with the values of loosening, which say of a figure near its limit whether the limit binds.

    What is at its limit binds. A quota within one rounding step of it, or a figure that one step on every quota could
    bring there, binds where loosening is worth something; else it is near by chance.
    """
    return [_with_value(row, found.get(row.rule)) for row in rows]


def _with_value(row: RuleRow, price: Price | None) -> RuleRow:
    if price is None:
        return row
    if row.rule in TOTALS:
        return replace(row, value_of_loosening=price.by_subject.get(row.subject) if row.kept else None)
    part = price.value if row.subject == "company" else price.by_subject.get(row.subject, 0.0)
    binding = row.binding and (part > 0.0 or _at_limit(row))
    return replace(row, binding=binding, value_of_loosening=part if binding else 0.0)


def _at_limit(row: RuleRow) -> bool:
    # A figure that is none, as what is attained of no quota, has no distance.
    return not abs(row.actual - row.limit) > AT_LIMIT
