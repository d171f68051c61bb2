"""Today's plan and the company's target, as the scenario states or implies them."""

from __future__ import annotations

from fractions import Fraction

from scenarios.base import Minor
from scenarios.errors import InputRefused, Problem
from scenarios.goals import MONEY_METRICS, TargetFormula
from scenarios.people import Rep
from scenarios.plan import CareRow, OwnerRow, Plan, QuotaRow
from scenarios.scenario import Scenario, require_world


def today_plan(scenario: Scenario) -> Plan:
    """Current owners, planned care, no training, and today's quotas.

    Where a rep has no quota, last sales x (1 + ``goals.history_growth``) stands in and the plan's origin says so; a
    rep with neither has no row: null is not zero.

    Raises:
        InputRefused: it is no scenario.
    """
    require_world(scenario)
    calendar = scenario.calendar
    growth = 1 + Fraction(str(scenario.goals.history_growth))
    targets, constructed = [], []
    for rep in scenario.reps:
        value = rep.quota
        if value is None and rep.last_sales is not None:
            value = Minor(round(rep.last_sales * growth))
            constructed.append(rep.id)
        if value is not None:
            targets.append(QuotaRow(rep.id, "revenue", calendar.start, calendar.end, int(value)))
    origin = "given"
    if constructed:
        origin = f"constructed for {', '.join(sorted(constructed))}: last sales x {float(growth):g}"
    return Plan(
        name="today",
        origin=origin,
        targets=tuple(targets),
        owners=tuple(
            OwnerRow(account.id, account.owner, calendar.start)
            for account in scenario.accounts
            if account.owner is not None
        ),
        care=tuple(CareRow(account, hours) for account, hours in care_planned(scenario).items()),
    )


def care_planned(scenario: Scenario) -> dict[str, float]:
    """Care hours a year of each account today: its own figure, else what its tier is owed."""
    owed = {tier.id: tier.care_hours_per_year for tier in scenario.tiers}
    return {
        account.id: owed[account.tier] if account.care_hours is None else account.care_hours
        for account in scenario.accounts
    }


def company_target(scenario: Scenario, metric: str = "revenue") -> Minor:
    """The company's target over the horizon in minor units (money metrics).

    Where only parts of the horizon have targets and together they cover it, their sum.

    Raises:
        InputRefused: no target is set, the metric is not money, or a formula lacks its base.
    """
    target = scenario.goals.company(metric)
    calendar = scenario.calendar
    parts = scenario.goals.covering(metric, calendar.start, calendar.end)
    if target is None and parts and metric in MONEY_METRICS:
        return Minor(sum(int(part.minor) for part in parts))
    if target is None or metric not in MONEY_METRICS:
        rule = "no company target is set for this money metric over the horizon"
        raise InputRefused(Problem("goals.targets", metric, rule, "add {metric: revenue, target: ...}"))
    if target.formula is None:
        return target.minor
    return formula_target(scenario, target.formula)


def has_company_target(scenario: Scenario, metric: str = "revenue") -> bool:
    """Whether the company has a target for a metric over the whole horizon."""
    calendar = scenario.calendar
    goals = scenario.goals
    return goals.company(metric) is not None or bool(goals.covering(metric, calendar.start, calendar.end))


def formula_target(scenario: Scenario, formula: TargetFormula) -> Minor:
    """The sum of the reps' base figures times the formula's factor, rounded half to even.

    Raises:
        InputRefused: no rep has the base figure.
    """
    values = [getattr(rep, formula.base) for rep in scenario.reps]
    known = [value for value in values if value is not None]
    if not known:
        raise InputRefused(
            Problem("goals.targets", formula.base, "no rep has this figure", f"give reps {formula.base}")
        )
    return Minor(round(sum(known) * Fraction(str(round(formula.factor(), 12)))))


def last_full_sales(scenario: Scenario, rep: Rep) -> int | None:
    """Last sales of a rep who was there for the whole last period and stays for the whole horizon, which is as long.

    Minor units; ``None`` for everybody else: a year is not compared with a part of one.
    """
    calendar = scenario.calendar
    before = calendar.start - (calendar.end - calendar.start)
    there = rep.hired is None or rep.hired <= before
    stays = rep.leaves is None or rep.leaves >= calendar.end
    return int(rep.last_sales) if there and stays and rep.last_sales is not None else None


def last_sales_under(scenario: Scenario, plan: Plan) -> dict[str, int | None]:
    """Last sales of each rep's territory under a plan, minor units: an account's history follows it to its new owner.

    ``None`` for whoever has no full last period or leaves on the way, and for whoever gains or loses an account of
    unknown history.
    """
    planned = plan.owner_of()
    found = {rep.id: last_full_sales(scenario, rep) for rep in scenario.reps}
    for account in scenario.accounts:
        to = planned.get(account.id, account.owner)
        if to == account.owner:
            continue
        for rep, sign in ((account.owner, -1), (to, 1)):
            known = None if rep is None else found.get(rep)
            if rep is not None and known is not None:
                moved = account.sales_last
                found[rep] = None if moved is None else known + sign * int(moved)
    return {rep: None if sales is None else max(sales, 0) for rep, sales in found.items()}
