"""What a report says about each rep and each account, taken from simulated years and the plan."""

from __future__ import annotations

from collections.abc import Mapping

from experiments.measures import PlanMeasures, RepMeasures, moved_accounts
from experiments.report.details import Handed, Move
from experiments.report.evidence import PLAN, TODAY, Evidence
from experiments.report.input import RepRow
from history.diagnosis.scenario import still_ramping
from scenarios.lead_shares import share_changes
from scenarios.market import Account
from scenarios.people import Rep
from scenarios.ticks import HOUR
from sim.outcome import Outcome


def rep_rows(found: Evidence) -> tuple[RepRow, ...]:
    """A row a rep, in the order of the scenario."""
    today = {row.rep: row for row in found.comparison[TODAY].reps}
    people = {rep.id: rep for rep in found.scenario.reps}
    hours = _hours(found.outcomes[PLAN])
    moved = moved_accounts(found.scenario, found.allocation.plan)
    return tuple(
        _row(found, row, today[row.rep], people[row.rep], hours[row.rep], moved) for row in found.comparison[PLAN].reps
    )


def _row(
    found: Evidence,
    row: RepMeasures,
    today: RepMeasures,
    who: Rep,
    hours: tuple[float, float],
    moved: Mapping[str, tuple[str, str]],
) -> RepRow:
    bars = tuple(found.allocation.waterfall.get(row.rep, ()))
    labels = {account.id: account_label(account) for account in found.scenario.accounts}
    training = found.allocation.plan.training_hours()
    team = next((team.name or team.id for team in found.scenario.teams if team.id == row.team), row.team)
    return RepRow(
        id=row.rep,
        name=row.name,
        team=team,
        last_sales=row.last_sales,
        quota_today=today.quota,
        quota=row.quota,
        potential=found.potentials[PLAN].get(row.rep),
        chance=row.chance,
        chance_today=today.chance,
        expected=row.expected_sales,
        low=row.low,
        high=row.high,
        busy=hours[0],
        available=hours[1],
        gains=tuple(labels[account] for account, (_, to) in moved.items() if to == row.rep),
        losses=tuple(labels[account] for account, (giver, _) in moved.items() if giver == row.rep),
        training=tuple(sorted((skill, amount) for (rep, skill), amount in training.items() if rep == row.rep)),
        waterfall=bars,
        basis=found.bases.get(row.rep),
        ramping=still_ramping(found.scenario, who),
        hired=who.hired,
    )


def _hours(outcome: Outcome) -> dict[str, tuple[float, float]]:
    """Mean hours used and there, by rep."""
    cube = outcome["rep"]
    busy, available = (cube.total(metric).mean(axis=0) / HOUR for metric in ("busy_ticks", "available_ticks"))
    return {rep: (float(busy[at]), float(available[at])) for at, rep in enumerate(cube.keys)}


def account_label(account: Account) -> str:
    """Id and name, once where they are the same."""
    return account.id if account.name in ("", account.id) else f"{account.id} {account.name}"


def moves(found: Evidence) -> tuple[Move, ...]:
    """Accounts that change hands, the dearest first.

    Sales at risk are the handover loss times the account's simulated sales under today's owner.
    """
    scenario = found.scenario
    reasons = {move.account: move.reason for move in found.allocation.moves}
    accounts = {account.id: account for account in scenario.accounts}
    loss = scenario.account_physics.handover_loss if scenario.account_physics is not None else 0.0
    cube = found.outcomes[TODAY]["account"]
    sales = dict(zip(cube.keys, cube.total("revenue").mean(axis=0).tolist(), strict=True))
    rows = []
    for account_id, (giver, taker) in moved_accounts(scenario, found.allocation.plan).items():
        account = accounts[account_id]
        rows.append(
            Move(
                account=account_id,
                name=account.name,
                tier=account.tier,
                giver=giver,
                taker=taker,
                open_deals=sum(deal.account == account_id for deal in scenario.pipeline),
                sales_at_risk=round(loss * sales[account_id]),
                protected_until=account.protected_until,
                reason=reasons.get(account_id, ""),
            )
        )
    return tuple(sorted(rows, key=lambda move: (-move.sales_at_risk, move.account)))


def handed(found: Evidence) -> tuple[Handed, ...]:
    """Shares of new leads that the plan gives otherwise than today's."""
    changes = share_changes(found.scenario, found.plans[TODAY], found.plans[PLAN])
    return tuple(Handed(row.source, row.rep, row.before, row.after) for row in changes)


def company_range(case: PlanMeasures) -> tuple[float, float]:
    """P10 and P90 of a year's sales."""
    low, high = case.year_range
    return low.estimate, high.estimate
