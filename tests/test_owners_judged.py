"""Plans made elsewhere: owners whom a rule bars are told, whether somebody listed the rule or not."""

from __future__ import annotations

from dataclasses import replace

import pytest

import quotalab as ql
from optimize.audit import RuleRow
from quotalab.learning import learning_years
from scenarios.plan import Plan
from scenarios.scenario import Scenario
from scenarios.today import today_plan


@pytest.fixture(scope="module")
def world() -> Scenario:
    return ql.load("starter", ["calendar.end=2026-05-01", "goals.targets.0.target=8000000"])


def hand_made(world: Scenario) -> tuple[Plan, str, str]:
    """Today's plan but for one account, which goes to the first seller of another region."""
    regions = {team.id: team.region for team in world.teams}
    owned = [account for account in world.accounts if account.owner is not None and not account.eligible]
    taking = {rep.id: rep.region or regions[rep.team] for rep in world.reps}
    account = owned[0]
    taker = next(rep for rep, region in taking.items() if region != account.region)
    plan = today_plan(world)
    owners = tuple(replace(row, rep=taker) if row.account == account.id else row for row in plan.owners)
    return plan.with_rows(name="by hand", owners=owners), account.id, taker


def row_of(rows: tuple[RuleRow, ...], rule: str = "same_region") -> RuleRow | None:
    return next((row for row in rows if row.rule == rule), None)


def test_an_audit_tells_an_owner_of_another_region_where_the_rule_is_not_listed(world: Scenario) -> None:
    plan, _, _ = hand_made(world)
    assert not any(rule.rule == "same_region" for rule in world.allocation.accounts.rules)
    row = row_of(ql.fairness_audit(world, plan, replications=6).rules)
    assert row is not None
    assert (row.kept, row.actual, row.exception) == (False, 1.0, "")
    kept = row_of(ql.fairness_audit(world, today_plan(world), replications=6).rules)
    assert kept is None or kept.kept


def test_an_explanation_tells_it_too(world: Scenario) -> None:
    plan, _, _ = hand_made(world)
    years = learning_years(world, replications=6)
    row = row_of(ql.explain(world, plan, years, reps=[world.reps[0].id]).rules)
    assert row is not None
    assert not row.kept


def test_a_switched_off_rule_is_broken_by_nobody(world: Scenario) -> None:
    plan, _, _ = hand_made(world)
    accounts = world.allocation.accounts
    off = type(accounts).model_validate(accounts.model_dump() | {"rules": [{"rule": "same_region", "enabled": False}]})
    free = world.model_copy(update={"allocation": world.allocation.model_copy(update={"accounts": off})})
    assert row_of(ql.fairness_audit(free, plan, replications=6).rules) is None
