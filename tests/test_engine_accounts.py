"""Customers who buy again: orders, care, churn and changes of owner, in closed form."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np
import pytest

from scenarios.errors import InputRefused
from scenarios.plan import CareRow, OwnerRow, Plan
from sim.log import Kind
from sim.run import simulate
from small_worlds import DAY, HOUR, deals, fixed, holds, logs, stage, the_log, world


def accounts(count: int = 40, owner: str = "ann", **tier: Any) -> dict[str, Any]:
    """Many accounts of one tier, without care unless asked for."""
    return {
        "tiers": [{"id": "A", "orders_per_year": 3, "order_value": fixed(100)} | tier],
        "account_physics": {"order_effort_hours": fixed(0.01), "care_visit_hours": 1},
        "accounts": [{"id": f"a{i}", "tier": "A", "region": "r", "owner": owner} for i in range(count)],
    }


def orders(scenario, replications: int = 30) -> np.ndarray:
    """Orders that arose, by replication."""
    return np.array([len(log.of(Kind.ORDER)) for log in logs(scenario, replications)])


def test_orders_are_a_poisson_process():
    found = orders(world(**accounts()), 60)
    holds(found, 120)
    holds((found - 120) ** 2, 120)


def test_orders_follow_the_season():
    season = [2, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    parts = accounts()
    scenario = world(**parts | {"account_physics": parts["account_physics"] | {"season": season}})
    times = [log.of(Kind.ORDER)["time"] // DAY for log in logs(scenario, 40)]
    assert not any(((days >= 31) & (days < 59)).any() for days in times)
    holds([(days < 31).sum() for days in times], 120 * 31 / 365 * 2)


def test_a_better_owner_brings_more_orders():
    reps = [{"id": "ann", "team": "t", "skills": {"relationship_management": 85}}]
    holds(orders(world(reps=reps, **accounts())), 120 * 1.1)


def test_a_change_of_owner_costs_orders_for_a_year():
    reps = [{"id": "ann", "team": "t"}, {"id": "bob", "team": "t"}]
    plan = Plan("moved", owners=tuple(OwnerRow(f"a{i}", "bob", date(2026, 1, 1)) for i in range(40)))
    holds(orders(world(plan, reps=reps, **accounts())), 120 * 0.85)
    # Since last July: half of the loss is over.
    half = Plan("moved", owners=tuple(OwnerRow(f"a{i}", "bob", date(2025, 7, 2)) for i in range(40)))
    months = [(date(2026, month, 1) - date(2025, 7, 2)).days for month in range(1, 13)]
    lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    kept = sum(days * (0.85 if since < 365 else 1.0) for since, days in zip(months, lengths, strict=True)) / 365
    assert 0.91 < kept < 0.93
    holds(orders(world(half, reps=reps, **accounts())), 120 * kept)


def test_a_leaver_s_accounts_and_customers_find_a_new_owner_and_miss_the_old():
    reps = [{"id": "ann", "team": "t", "leaves": "2026-07-01", "successor": "bob"}, {"id": "bob", "team": "t"}]
    parts = accounts()
    log = the_log(world(reps=reps, **parts))
    rows = log.of(Kind.ASSIGN)
    assert len(rows) == 40
    assert set(rows["rep"].tolist()) == {1}
    late = log.of(Kind.BOOK)
    assert set(late["rep"][late["time"] > 182 * DAY].tolist()) == {1}
    assert set(late["rep"][late["time"] < 181 * DAY].tolist()) == {0}
    first = 181 / 365
    holds(orders(world(reps=reps, **parts), 40), 120 * (first + (1 - first) * 0.85))


def test_new_customers_have_an_owner_who_may_leave():
    reps = [
        {"id": "ann", "team": "t", "leaves": "2026-07-01", "successor": "bob"},
        {"id": "bob", "team": "t", "lead_weight": 0},
    ]
    physics_ = {
        "order_effort_hours": fixed(0.1),
        "new_customer": {"id": "new", "orders_per_year": 12, "order_value": fixed(10)},
    }
    scenario = world(reps=reps, account_physics=physics_, pipeline=deals(20, owner="ann", value=5))
    log = the_log(scenario)
    assert len(log.of(Kind.ASSIGN)) == 20
    orders_ = log.of(Kind.ORDER)
    assert len(orders_) > 100
    assert set(orders_["rep"][orders_["time"] >= 181 * DAY].tolist()) == {1}


def test_customers_churn():
    found = logs(world(**accounts(churn_per_year=0.3)), 40)
    holds([len(log.of(Kind.CHURN)) for log in found], 40 * 0.3)
    for log in found[:5]:
        gone = dict(zip(log.of(Kind.CHURN)["item"].tolist(), log.of(Kind.CHURN)["time"].tolist(), strict=True))
        assert all(row["time"] < gone.get(int(row["item"]), 10**18) for row in log.of(Kind.ORDER))


def test_the_repurchase_rate_is_the_chance_of_an_order():
    """Orders are a Poisson process of three a year: the share 1 - exp(-3) of the accounts orders at all."""
    scenario = world(**accounts(), stages=[stage(activities={"visits": 1})])
    outcome = simulate(scenario, replications=40, seed=3)
    customers = outcome["customer"]
    holds(customers.company("repeat_customers") / 40, 1 - math.exp(-3))
    months = customers.by_period("buying_customers")[:, 0, :]
    for month, days in ((0, 31), (1, 28), (5, 30)):
        holds(months[:, month] / 40, 1 - math.exp(-3 * days / 365))
    assert not outcome["stage"].company("activity:visits").any(), "orders are no stage's work"


def test_churn_of_each_month_is_of_the_customers_still_there():
    """A constant hazard: in every month the same share of those who are left leaves, 1 - .7^(days / 365)."""
    outcome = simulate(world(**accounts(count=400, churn_per_year=0.3, orders_per_year=0)), replications=30, seed=3)
    churned = outcome["customer"].by_period("churned")[:, 0, :]
    held = 400 - churned.cumsum(axis=1) + churned
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    surplus = churned - (1 - 0.7 ** (days / 365)) * held
    for months in (slice(0, 4), slice(4, 8), slice(8, 12)):
        holds(surplus[:, months].sum(axis=1), 0)


def test_care_moves_orders_by_its_elasticity():
    plan = Plan("more care", care=tuple(CareRow(f"a{i}", 36.0) for i in range(40)))
    parts = accounts(care_hours_per_year=24)
    holds(orders(world(plan, **parts), 40), 120 * 1.5**0.3)
    outcome = simulate(world(plan, **parts), replications=3, seed=3)
    assert (outcome["account"].company("care_planned_ticks") == 40 * 36 * HOUR).all()
    visits = the_log(world(plan, **parts)).of(Kind.CARE)
    assert len(visits) == 40 * 36
    none = Plan("no care", care=tuple(CareRow(f"a{i}", 0.0) for i in range(40)))
    holds(orders(world(none, **parts), 40), 120 * 0.1**0.3)


def test_care_that_is_not_given_is_missed():
    """The owner does nothing but one endless task, so that no visit is ever made."""
    parts = accounts(count=100, care_hours_per_year=36)
    busy = deals(1, owner="ann")
    scenario = world(stages=[stage(effort_hours=fixed(9000))], pipeline=busy, **parts)
    found = logs(scenario, 8)
    assert not any(len(log.of(Kind.END)) for log in found)
    # Visits of an hour, three a month: the first is missed once it is thirty days late.
    rates = np.array(
        [
            np.bincount(
                np.searchsorted([59, 90, 120, 365], log.of(Kind.ORDER)["time"] // DAY, side="right"), minlength=5
            )
            for log in found
        ]
    )
    full, none = 3 * 100 / 365, 3 * 100 / 365 * 0.1**0.3
    holds(rates[:, 3], 245 * none)
    assert rates[:, 0].mean() > 59 * none
    assert full > none


def test_an_explicit_care_curve_replaces_the_elasticity():
    parts = accounts(count=30, care_hours_per_year=10)
    curve = {"form": "exponential", "ceiling": 1000, "rate_per_hour": 0.1}
    parts["accounts"] = [row | {"care_response": curve} for row in parts["accounts"]]
    holds(orders(world(**parts), 40), 30 * 1000 * (1 - math.exp(-1)) / 100)


def test_won_leads_become_customers_and_buy_again():
    physics_ = {
        "order_effort_hours": fixed(0.01),
        "new_customer": {"id": "new", "orders_per_year": 4, "order_value": fixed(10), "cross_sell": []},
    }
    scenario = world(
        account_physics=physics_, pipeline=deals(30, owner="ann", value=5), stages=[stage(effort_hours=fixed(0.01))]
    )
    found = logs(scenario, 40)
    holds([len(log.of(Kind.ORDER)) for log in found], 120)
    outcome = simulate(scenario, replications=10, seed=3)
    assert (outcome["rep"].company("new_customers") == 30).all()
    assert (outcome["rep"].company("account_revenue") == outcome["rep"].company("repeat_orders") * 10_00).all()
    assert (outcome["customer"].company("customers") == 30).all()


def test_orders_bring_other_products_along():
    parts = accounts(cross_sell=[{"product": "box", "probability": 0.25}])
    scenario = world(products=[{"id": "box", "key": True, "value": fixed(40)}], **parts)
    outcome = simulate(scenario, replications=40, seed=3)
    reps = outcome["rep"]
    brought = outcome["product"].company("orders")
    holds(brought - 0.25 * reps.company("orders"), 0)
    assert (reps.company("key_product_revenue") == brought * 40_00).all()
    assert (reps.company("revenue") == reps.company("orders") * 100_00 + brought * 40_00).all()


def test_an_account_s_segment_shows_in_its_sales():
    parts = accounts(count=5)
    parts["accounts"] = [row | {"segment": "big"} for row in parts["accounts"]]
    outcome = simulate(world(segments=[{"id": "small"}, {"id": "big"}], **parts), replications=2, seed=3)
    assert (outcome["segment"].total("revenue")[:, 1] == outcome["rep"].company("revenue")).all()


@pytest.mark.parametrize(("hired", "leaves"), [("2026-03-01", None), (None, "2026-02-01")])
def test_an_account_cannot_be_given_to_somebody_who_is_not_there(hired, leaves):
    reps = [{"id": "ann", "team": "t"}, {"id": "bob", "team": "t", "hired": hired, "leaves": leaves}]
    start = date(2026, 1, 15) if hired else date(2026, 2, 1)
    plan = Plan("bad", owners=(OwnerRow("a0", "bob", start), OwnerRow("a9", "nobody", start)))
    with pytest.raises(InputRefused) as refused:
        simulate(world(plan, reps=reps, **accounts(count=3)), replications=1)
    assert len(refused.value.problems) == 3
