"""Decisions as a plan: long tables of quotas by period, training by period, owners, care and locks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from optimize.audit import audit, broken
from optimize.eligibility import rules_against
from optimize.levels import LevelQuota
from optimize.problem import AllocationProblem, Decisions, Floats, Ints
from optimize.quota_tables import QuotaTable, Tables, quota_tables
from optimize.response.estimate import Responses
from optimize.rounding import whole_shares
from optimize.training_calendar import laid_training
from scenarios.locks import lock_rows
from scenarios.plan import CareRow, LevelQuotaRow, OwnerRow, Plan, QuotaRow, ShareRow, TrainingRow
from scenarios.scenario import Scenario
from scenarios.today import care_planned, today_plan


def as_plan(
    scenario: Scenario,
    responses: Responses,
    problem: AllocationProblem,
    decisions: Decisions,
    quotas: Ints,
    *,
    name: str,
    origin: str,
    notes: tuple[str, ...] = (),
    tables: Tables | None = None,
) -> Plan:
    """A plan of these decisions; quotas are whole minor units, [R].

    Args:
        tables: quotas by metric, rep and period where they are at hand.
    """
    tables = tables or quota_tables(problem, responses, decisions, quotas)
    rows = [row for table in tables.values() for row in quota_rows(responses, table)]
    return Plan(
        name=name,
        origin=origin,
        targets=tuple(rows),
        training=tuple(_training_rows(responses, problem, decisions.training)),
        owners=_owner_rows(scenario, problem, decisions),
        care=_care_rows(scenario, problem, decisions),
        shares=_share_rows(scenario, problem, decisions.shares),
        locks=lock_rows(scenario),
        notes=notes,
    )


def quota_rows(responses: Responses, table: QuotaTable) -> Iterator[QuotaRow]:
    """A table's cells by rep and period; where a rep sells nothing there is none: null is not zero."""
    for r, p in zip(*np.nonzero(table.kept), strict=True):
        period = responses.periods[p]
        yield QuotaRow(responses.reps[r], table.metric, period.first, period.end, int(table.cells[r, p]))


def level_plan_rows(quotas: Iterable[LevelQuota]) -> Iterator[LevelQuotaRow]:
    """Floors and stretches among quotas of all levels, as rows of a plan."""
    for one in quotas:
        if one.level != "target":
            yield LevelQuotaRow(one.rep, one.metric, one.level, one.start, one.end, one.value)


def _training_rows(responses: Responses, problem: AllocationProblem, hours: Floats) -> list[TrainingRow]:
    laid = laid_training(problem.training, hours)
    rows = []
    for r, k, p in zip(*np.nonzero(laid > 0), strict=True):
        period = responses.periods[p]
        skill = problem.training.skills[k]
        rows.append(TrainingRow(problem.reps[r], skill, period.first, period.end, float(laid[r, k, p])))
    return rows


def _owner_rows(scenario: Scenario, problem: AllocationProblem, decisions: Decisions) -> tuple[OwnerRow, ...]:
    chosen = {
        account: problem.reps[rep]
        for account, rep in zip(problem.accounts.ids, decisions.owner.tolist(), strict=True)
        if rep >= 0
    }
    start = scenario.calendar.start
    return tuple(
        OwnerRow(account.id, chosen.get(account.id, account.owner), start)
        for account in scenario.accounts
        if account.owner is not None
    )


def _care_rows(scenario: Scenario, problem: AllocationProblem, decisions: Decisions) -> tuple[CareRow, ...]:
    planned = (scenario.plan or today_plan(scenario)).care_hours()
    base = care_planned(scenario) | planned
    decided = problem.accounts.care_budget is not None or problem.locks.care
    if decided:
        base |= dict(zip(problem.accounts.ids, _whole_care(problem, decisions.care), strict=True))
    return tuple(CareRow(account, hours) for account, hours in base.items())


def _whole_care(problem: AllocationProblem, care: Floats) -> list[float]:
    """Hours of care to six decimals, [A]; what rounding adds beyond the budget is taken off where there is most."""
    millionths, budget = np.round(care * 1e6).astype(np.int64), problem.accounts.care_budget
    excess = 0 if budget is None else int(millionths.sum()) - round(budget * 1e6)
    if 0 < excess <= len(care):
        free = [a for a in np.argsort(-millionths, kind="stable").tolist() if a not in problem.locks.care]
        millionths[free[:excess]] -= 1
    return [float(value) for value in millionths / 1e6]


def _share_rows(scenario: Scenario, problem: AllocationProblem, shares: Floats | None) -> tuple[ShareRow, ...]:
    """Shares for the whole horizon of the sources that are handed out; of all others those that the plan had."""
    offer = problem.leads
    kept = tuple(row for row in (scenario.plan or today_plan(scenario)).shares if row.source not in offer.sources)
    if shares is None:
        return kept + offer.rows
    start, end = scenario.calendar.start, scenario.calendar.end
    found = []
    for s, source in enumerate(offer.sources):
        given = {problem.reps[r]: float(shares[s, r]) for r in np.flatnonzero(offer.entry[s]).tolist()}
        given |= offer.beside[s]
        locked = {problem.reps[r] for place, r in problem.locks.shares if place == s}
        found += [
            ShareRow(source, rep, start, end, share) for rep, share in whole_shares(given, locked).items() if share > 0
        ]
    return kept + tuple(found)


def decisions_of(problem: AllocationProblem, plan: Plan) -> Decisions:
    """A plan's decisions as arrays; what it does not speak of is as today."""
    today = problem.today_decisions()
    reps = {rep: r for r, rep in enumerate(problem.reps)}
    owners, care, hours = plan.owner_of(), plan.care_hours(), plan.training_hours()
    owner = [
        reps.get(owners[account], -1) if account in owners else int(now)
        for account, now in zip(problem.accounts.ids, problem.accounts.today, strict=True)
    ]
    given = [care.get(a, float(now)) for a, now in zip(problem.accounts.ids, problem.accounts.care_base, strict=True)]
    training = np.array([[hours.get((rep, skill), 0.0) for skill in problem.training.skills] for rep in problem.reps])
    shape = today.training.shape
    shares = problem.leads.read(plan, problem.reps)
    return Decisions(
        np.array(owner, dtype=np.int64), training.reshape(shape), np.array(given, dtype=np.float64), shares
    )


def with_owners_judged(scenario: Scenario, problem: AllocationProblem, decisions: Decisions) -> AllocationProblem:
    """The request that also knows which rules on who may take accounts over somebody else's owners go against.

    Plans made here go against none but by locks; a plan made elsewhere may go against rules that nobody listed, too.
    """
    owner = {a: int(r) for a, r in enumerate(decisions.owner) if r >= 0}
    against = rules_against(scenario, problem.reps, owner)
    return replace(problem, locks=replace(problem.locks, against=against))


def quotas_of(problem: AllocationProblem, plan: Plan) -> Floats:
    """A plan's revenue quotas in the order of the request, minor units; 0 where the plan has none."""
    given = plan.quotas()
    return np.array([float(given.get(rep, 0)) for rep in problem.reps])


def breaks_a_rule(problem: AllocationProblem, plan: Plan) -> bool:
    """Whether a plan breaks a fairness rule, a total or a limit of the request; what gives way to a lock does not."""
    return rules_broken(problem, plan) > 0


def rules_broken(problem: AllocationProblem, plan: Plan) -> int:
    """How many of them a plan breaks, a rule on several people once for each."""
    rows = broken(audit(problem, decisions_of(problem, plan), quotas_of(problem, plan)))
    return sum(not row.exception for row in rows)
