"""What the scenario may say but the engines do not run yet: refused by name, never silently ignored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from scenarios.errors import Problem, Unsupported, refuse_if
from scenarios.plan import Plan
from scenarios.scenario import Scenario

MOST_STAGES: Final = 100
"""A draw has 8 bits for the stage; half of them serve the support's part of the work."""


def require_supported(scenario: Scenario, plan: Plan) -> None:
    """Refuse what no engine runs.

    Raises:
        Unsupported: naming every such field.
    """
    found = [*_time_gaps(scenario), *_market_gaps(scenario), *_people_gaps(scenario), *_plan_gaps(plan)]
    if found:
        raise Unsupported(found)


def require_sound_plan(scenario: Scenario, plan: Plan) -> None:
    """Refuse a plan that speaks of what is not there, or gives an account to somebody who is not there.

    Raises:
        InputRefused: naming every such row.
    """
    refuse_if([*_unknown_names(scenario, plan), *_bad_amounts(plan), *_absent_owners(scenario, plan)])


def _gap(where: str, value: object, remedy: str = "leave it out") -> Problem:
    return Problem(where, str(value), "is in the vocabulary, but no engine runs it yet", remedy)


def _time_gaps(scenario: Scenario) -> Iterator[Problem]:
    calendar = scenario.calendar
    if calendar.fiscal != "calendar":
        yield _gap("calendar.fiscal", calendar.fiscal, "report by calendar months or quarters")
    if calendar.fiscal_year_start_month != 1:
        yield _gap("calendar.fiscal_year_start_month", calendar.fiscal_year_start_month, "set it to 1")
    for source in scenario.sources:
        if source.season_follows != "calendar":
            yield _gap(f"sources.{source.id}.season_follows", source.season_follows, "give the season by month")


def _market_gaps(scenario: Scenario) -> Iterator[Problem]:
    if scenario.motivation is not None:
        yield _gap("motivation", "given")
    if scenario.credit is not None:
        yield _gap("credit", "given")
    if len(scenario.stages) > MOST_STAGES:
        rule = f"at most {MOST_STAGES} stages can be simulated"
        yield Problem("stages", f"{len(scenario.stages)} stages", rule, "join some of them")
    for bundle in scenario.bundles:
        yield _gap(f"bundles.{bundle.id}", bundle.id, "express it as a product with attachments")
    for tender in scenario.tenders:
        yield _gap(f"tenders.{tender.id}", tender.id, "enter it as an opportunity of the opening pipeline")
    newcomer = scenario.account_physics.new_customer if scenario.account_physics else None
    if newcomer is not None and newcomer.care_hours_per_year > 0:
        hours = newcomer.care_hours_per_year
        yield _gap("account_physics.new_customer.care_hours_per_year", f"{hours:g}", "set it to 0")


def _people_gaps(scenario: Scenario) -> Iterator[Problem]:
    if scenario.skills.training.decay_per_month > 0:
        yield _gap("skills.training.decay_per_month", scenario.skills.training.decay_per_month, "set it to 0")
    for role in scenario.roles:
        if role.overlay:
            yield _gap(f"roles.{role.id}.overlay", role.overlay, "set it to false")
    for transfer in scenario.transfers:
        yield _gap(f"transfers.{transfer.rep}", transfer.team, "end one rep and hire another on that day")
    for rep in scenario.reps:
        if rep.attrition_per_year > 0:
            yield _gap(f"reps.{rep.id}.attrition_per_year", rep.attrition_per_year, "give a leaving date")
        if rep.replacement_delay_days is not None:
            yield _gap(
                f"reps.{rep.id}.replacement_delay_days", rep.replacement_delay_days, "add the new rep with a date"
            )
        if rep.quota_credit != 1:
            yield _gap(f"reps.{rep.id}.quota_credit", rep.quota_credit, "set it to 1")


def _plan_gaps(plan: Plan) -> Iterator[Problem]:
    if plan.shares:
        yield _gap("plan.shares", f"{len(plan.shares)} rows", "set reps.*.lead_weight instead")


def _unknown_names(scenario: Scenario, plan: Plan) -> Iterator[Problem]:
    reps = {rep.id for rep in scenario.reps}
    accounts = {account.id for account in scenario.accounts}
    skills = set(scenario.skills.dimensions)
    named = [("training", row.rep, reps) for row in plan.training]
    named += [("training", row.skill, skills) for row in plan.training]
    named += [("owners", row.account, accounts) for row in plan.owners]
    named += [("owners", row.rep, reps) for row in plan.owners]
    named += [("care", row.account, accounts) for row in plan.care]
    for table, name, known in named:
        if name not in known:
            yield Problem(f"plan.{table}", name, "is not in the scenario", "correct the name or remove the row")


def _bad_amounts(plan: Plan) -> Iterator[Problem]:
    for row in plan.training:
        if not 0 <= row.hours < float("inf"):
            yield Problem(f"plan.training {row.rep} {row.skill}", f"{row.hours:g} h", "must be 0 or more hours")
        if row.end <= row.start:
            rule = "the period must end after it starts"
            yield Problem(f"plan.training {row.rep} {row.skill}", f"{row.start} to {row.end}", rule)
    for care in plan.care:
        if not 0 <= care.hours < float("inf"):
            yield Problem(f"plan.care {care.account}", f"{care.hours:g} h", "must be 0 or more hours")
    for (account, start), count in Counter((row.account, row.start) for row in plan.owners).items():
        if count > 1:
            yield Problem("plan.owners", account, f"gets {count} owners on {start}", "keep one")


def _absent_owners(scenario: Scenario, plan: Plan) -> Iterator[Problem]:
    reps = {rep.id: rep for rep in scenario.reps}
    for row in plan.owners:
        rep = reps.get(row.rep)
        # Today's owners are in the plan from the first day on, and the horizon begins on that day.
        start = max(row.start, scenario.calendar.start)
        if rep is not None and rep.hired is not None and start < rep.hired:
            rule = f"is hired only on {rep.hired}"
            yield Problem(f"plan.owners {row.account} from {row.start}", row.rep, rule, "start on that day or later")
        if rep is not None and rep.leaves is not None and start >= rep.leaves:
            rule = f"leaves on {rep.leaves}"
            yield Problem(f"plan.owners {row.account} from {row.start}", row.rep, rule, "name somebody who is there")
