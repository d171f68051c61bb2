"""What the scenario may say but the engines do not run yet: refused by name, never silently ignored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from scenarios.base import HOURS_OF_A_YEAR
from scenarios.errors import Problem, Unsupported, refuse_if
from scenarios.lead_shares import share_problems
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from sim.motivation import unclear_quotas

MOST_STAGES: Final = 100
"""A draw has 8 bits for the stage; half of them serve the support's part of the work."""


def require_supported(scenario: Scenario) -> None:
    """Refuse what no engine runs.

    Raises:
        Unsupported: naming every such field.
    """
    found = [*_market_gaps(scenario), *_people_gaps(scenario)]
    if found:
        raise Unsupported(found)


def require_sound_plan(scenario: Scenario, plan: Plan) -> None:
    """Refuse a plan that speaks of what is not there, or gives an account to somebody who is not there.

    Raises:
        InputRefused: naming every such row.
    """
    refuse_if(
        [
            *_unknown_names(scenario, plan),
            *_bad_rows(scenario, plan),
            *share_problems(plan, scenario, {}),
            *_absent_owners(scenario, plan),
            *unclear_quotas(scenario, plan),
        ]
    )


def _gap(where: str, value: object, remedy: str = "leave it out") -> Problem:
    return Problem(where, str(value), "is in the vocabulary, but no engine runs it yet", remedy)


def _market_gaps(scenario: Scenario) -> Iterator[Problem]:
    if len(scenario.stages) > MOST_STAGES:
        rule = f"at most {MOST_STAGES} stages can be simulated"
        yield Problem("stages", f"{len(scenario.stages)} stages", rule, "join some of them")


def _people_gaps(scenario: Scenario) -> Iterator[Problem]:
    for role in scenario.roles:
        if role.overlay:
            yield _gap(f"roles.{role.id}.overlay", role.overlay, "set it to false; credit.shares divides")
    for transfer in scenario.transfers:
        yield _gap(f"transfers.{transfer.rep}", transfer.team, "end one rep and hire another on that day")
    for rep in scenario.reps:
        if rep.quota_credit != 1:
            yield _gap(f"reps.{rep.id}.quota_credit", rep.quota_credit, "set it to 1")


def _unknown_names(scenario: Scenario, plan: Plan) -> Iterator[Problem]:
    reps = {rep.id for rep in scenario.reps}
    accounts = {account.id for account in scenario.accounts}
    skills = set(scenario.skills.dimensions)
    named = [("training", row.rep, reps) for row in plan.training]
    named += [("training", row.skill, skills) for row in plan.training]
    named += [("owners", row.account, accounts) for row in plan.owners]
    named += [("owners", row.rep, reps) for row in plan.owners]
    named += [("shares", row.rep, reps) for row in plan.shares]
    named += [("shares", row.source, {source.id for source in scenario.sources}) for row in plan.shares]
    named += [("care", row.account, accounts) for row in plan.care]
    for table, name, known in named:
        if name not in known:
            yield Problem(f"plan.{table}", name, "is not in the scenario", "correct the name or remove the row")


def _bad_rows(scenario: Scenario, plan: Plan) -> Iterator[Problem]:
    for row in plan.training:
        if not 0 <= row.hours < float("inf"):
            yield Problem(f"plan.training {row.rep} {row.skill}", f"{row.hours:g} h", "must be 0 or more hours")
        if row.end <= row.start:
            rule = "the period must end after it starts"
            yield Problem(f"plan.training {row.rep} {row.skill}", f"{row.start} to {row.end}", rule)
    for care in plan.care:
        if not 0 <= care.hours <= HOURS_OF_A_YEAR:
            rule = f"must be 0 to {HOURS_OF_A_YEAR} hours a year"
            yield Problem(f"plan.care {care.account}", f"{care.hours:g} h", rule)
    for (account, start), count in Counter((row.account, row.start) for row in plan.owners).items():
        if count > 1:
            yield Problem("plan.owners", account, f"gets {count} owners on {start}", "keep one")
    for owner in plan.owners:
        if owner.start >= scenario.calendar.end:
            rule = f"must start before the horizon ends on {scenario.calendar.end}"
            yield Problem(f"plan.owners {owner.account}", f"{owner.rep} from {owner.start}", rule, "remove the row")


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
