"""The people of random worlds, the accounts they own, and plans for both."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from scenarios.lead_shares import BY_SHARE, entry_role, region_mix, region_of
from scenarios.plan import CareRow, OwnerRow, Plan, QuotaRow, ShareRow, TrainingRow
from scenarios.scenario import Scenario
from scenarios.today import today_plan

LEVELS = [
    {"id": "junior", "skills": {"negotiation": 40, "learning_ability": 80}, "effort_factor": 1.3},
    {"id": "senior", "skills": {"negotiation": 85, "relationship_management": 90}},
]


def hire_everyone(dice: Any, document: dict[str, Any]) -> None:
    """At least one rep of each role in each region, whose dates may be any, and one who stays all along."""
    regions = [region["id"] for region in document["regions"]]
    seats = [(role["id"], region) for role in document["roles"] for region in regions]
    alone = dice.of([True, True, False])
    others = [seats[0], *(dice.of(seats[:-1] if alone and len(seats) > 1 else seats) for _ in range(dice.number(0, 3)))]
    rows: list[dict[str, Any]] = []
    for number, (role, region) in enumerate(seats + others):
        row: dict[str, Any] = {"id": f"rep{number}", "team": region, "role": role}
        if number != len(seats):
            row |= dates_of(dice, alone and number + 1 == len(seats) > 1)
        row |= abilities(dice, document)
        if dice.often():
            row["quota"] = dice.of([2000, 90000, 0])
        if number and dice.on():
            row["successor"] = f"rep{number - 1}"
        rows.append(row)
    document["reps"] = rows
    document["skills"] = {
        "levels": LEVELS,
        "training": {"decay_per_month": dice.of([0.0, 0.3, 0.1]), "session_hours": 3},
        "ramp": {"pace_by_month": dice.of([[0.25, 0.5, 0.75], [0.6]])},
    }
    if dice.often():
        away = rows[dice.of([len(seats), 0])]
        first = dice.number(2, dice.length - 8)
        dates = [(dice.start + timedelta(days=day)).isoformat() for day in (first, first + dice.number(0, 5))]
        document["absences"] = [{"rep": away["id"], "first": dates[0], "last": dates[1]}]


def dates_of(dice: Any, alone: bool) -> dict[str, Any]:
    """When somebody comes or goes; the only one of a place is not there for a while."""
    what = dice.of(["hired", "leaves"] if alone else ["stays", "stays", "hired", "leaves", "gives notice", "both"])
    row: dict[str, Any] = {}
    if what == "hired":
        row["hired"] = dice.day(3, dice.length // 2)
    if what in ("leaves", "both"):
        row["leaves"] = dice.day(4, dice.length - 4)
    if what in ("gives notice", "both"):
        # Half of them leave within a month, so that some seats are filled several times.
        row["attrition_per_year"] = 0.9998
    if what not in ("stays", "hired") and dice.often():
        row["replacement_delay_days"] = dice.of([0, 2.5, 7])
    return row


def abilities(dice: Any, document: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if dice.one_in(4):
        row |= {"hours_per_week": 15, "lead_weight": dice.of([0.5, 3.0, 0.0])}
    if dice.one_in(3):
        row["skills"] = {"negotiation": dice.number(20, 95), "relationship_management": 80}
    if dice.one_in(3):
        row["level"] = dice.of(["junior", "senior"])
    if dice.one_in(4):
        row["conversion_logit"] = {document["stages"][0]["id"]: 0.5}
    if dice.one_in(4):
        row["effort_factor"] = 0.8
    return row


def care_plan(dice: Any, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Accounts, their owners and what care they get."""
    owners = [rep["id"] for rep in document["reps"] if "hired" not in rep]
    curves = [
        None,
        {"form": "exponential", "ceiling": 9000, "rate_per_hour": 0.02},
        {"form": "adbudg", "low": 1000, "high": 9000, "shape": 1.2, "half": 0.9, "hours_now": 40},
    ]
    rows = []
    for number in range(dice.number(2, 6)):
        row: dict[str, Any] = {
            "id": f"a{number}",
            "tier": dice.of(["A", "B"]),
            "region": dice.of(document["regions"])["id"],
            "owner": dice.of([*owners, None]),
        }
        if document["segments"] and dice.on():
            row["segment"] = dice.of(document["segments"])["id"]
        curve = dice.of(curves)
        if curve:
            row["care_response"] = curve
        if dice.on():
            row["care_hours"] = dice.of([30, 90])
        rows.append(row)
    return rows


def plan_of(dice: Any, scenario: Scenario) -> Plan:
    """Today's plan with accounts that move, quotas in two halves, sessions for who stays, and other care."""
    plan, end = today_plan(scenario), scenario.calendar.end
    steady = next(rep.id for rep in scenario.reps if rep.hired is None and rep.leaves is None)
    moved = list(plan.owners)
    if dice.often():
        for account in scenario.accounts:
            for day in (dice.number(0, 12), dice.number(15, 24)):
                first = dice.start + timedelta(days=day)
                there = [rep.id for rep in scenario.reps if _employed(rep, first)]
                row = OwnerRow(account.id, dice.of(there), first)
                if day:
                    moved.append(row)
    training = []
    if dice.often():
        training.append(TrainingRow(steady, "negotiation", dice.start, end, 6.0))
        if dice.on():
            middle = dice.start + timedelta(days=dice.length // 2)
            training.append(TrainingRow(steady, "relationship_management", middle, end, 3.0))
    care = list(plan.care)
    if dice.on():
        care = [CareRow(row.account, row.hours + 45.0) for row in care]
    targets = list(plan.targets)
    if dice.on():
        middle = dice.start + timedelta(days=dice.length // 2)
        targets = [half for row in targets for half in _halves(row, middle)]
    shares = shares_of(dice, scenario)
    return plan.with_rows(name="moved", owners=moved, training=training, care=care, targets=targets, shares=shares)


def shares_of(dice: Any, scenario: Scenario) -> list[ShareRow]:
    """Uneven shares of leads, the same all the time or other ones from some day on; some reps get none."""
    rows: list[ShareRow] = []
    start, end = scenario.calendar.start, scenario.calendar.end
    for source in scenario.sources:
        policy = scenario.routing.by_source.get(source.id, scenario.routing.policy)
        role = entry_role(scenario, source)
        people = [rep.id for rep in scenario.reps if rep.role == role]
        if policy not in BY_SHARE or not people or dice.one_in(6):
            continue
        anywhere = scenario.routing.across_regions
        mix = {"": 1.0} if anywhere else region_mix(scenario, source)
        middle = start + timedelta(days=dice.number(3, dice.length - 3))
        for first, last in dice.of([[(start, end)], [(start, middle), (middle, end)], [(middle, end)]]):
            for region, part in mix.items():
                there = [rep for rep in people if anywhere or region_of(scenario, rep) == region]
                weights = [dice.of([0, 1, 3]) for _ in there]
                weights[dice.number(0, len(there) - 1)] += 1
                for rep, weight in zip(there, weights, strict=True):
                    rows.append(ShareRow(source.id, rep, first, last, part * weight / sum(weights)))
    return rows


def _employed(rep: Any, day: date) -> bool:
    return (rep.hired is None or rep.hired <= day) and (rep.leaves is None or day < rep.leaves)


def _halves(row: QuotaRow, middle: date) -> tuple[QuotaRow, QuotaRow]:
    first = QuotaRow(row.rep, row.metric, row.start, middle, row.value // 3)
    return first, QuotaRow(row.rep, row.metric, middle, row.end, row.value - row.value // 3)
