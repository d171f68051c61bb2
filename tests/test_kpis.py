"""Figures of every level, against a world that can be followed by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from scenarios.errors import InputRefused
from scenarios.files import from_document
from scenarios.plan import Plan, QuotaRow
from sim.kpis import kpis
from sim.outcome import Cube
from sim.run import simulate

MONTHS = [date(2026, month, 1) for month in (1, 2, 3, 4)]
LEVELS = ("company", "team", "region", "rep", "stage", "source", "product", "segment", "account")


def fixed(value):
    return {"family": "fixed", "value": value}


def quotas(rep: str, *values: int) -> list[QuotaRow]:
    return [
        QuotaRow(rep, "revenue", start, end, value)
        for start, end, value in zip(MONTHS, MONTHS[1:], values, strict=False)
    ]


def by_hand(**over):
    """Ann wins a deal of 10 a day on forty days, Bob on twenty; each waits until those before it are done.

    The deal that ends at midnight of 1 February is one of February.
    """
    document = {
        "name": "by hand",
        "calendar": {"start": "2026-01-01", "end": "2026-04-01", "hours": ["00:00-24:00"],
                     "workdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]},
        "regions": [{"id": "north"}, {"id": "south"}],
        "teams": [{"id": "n", "region": "north"}, {"id": "s", "region": "south"}],
        "segments": [{"id": "big"}],
        "products": [{"id": "box", "value": fixed(10), "key": True}],
        "sources": [{"id": "web", "leads_per_year": 0}],
        "stages": [{"id": "sell", "effort_hours": fixed(24), "conversion": 1.0,
                    "activities": {"visits": 2, "talk_hours": 1.5}}],
        "account_physics": {"order_effort_hours": fixed(1),
                            "new_customer": {"id": "n", "orders_per_year": 0, "order_value": fixed(1)}},
        "cash": {"instalments": [{"share": 1, "due_days": 5}], "delay_days": fixed(20)},
        "reps": [{"id": "ann", "team": "n"}, {"id": "bob", "team": "s"}, {"id": "cyd", "team": "s"}],
        "pipeline": [
            {"id": f"{owner}{i}", "stage": "sell", "region": region, "created": "2026-01-01", "owner": owner,
             "value": 10, "product": "box", "segment": "big", "source": "web"}
            for owner, region, count in (("ann", "north", 40), ("bob", "south", 20)) for i in range(count)
        ],
    } | over  # fmt: skip
    plan = Plan("monthly", targets=(*quotas("ann", 300_00, 200_00, 0), *quotas("bob", 400_00, 100_00)))
    return from_document(document).with_plan(plan)


def figures(table: pd.DataFrame, kpi: str, key: str) -> dict[str, float]:
    """Estimates by period; in a world without chance the interval is the estimate."""
    rows = table[(table["kpi"] == kpi) & (table["key"] == key)]
    assert (rows["replications"] == 2).all()
    return dict(zip(rows["period"], rows["estimate"].round(9), strict=True))


@pytest.fixture(scope="module")
def outcome():
    return simulate(by_hand(), replications=2)


JAN, FEB, MAR = "2026-01", "2026-02", "2026-03"


@pytest.mark.parametrize(
    ("level", "key", "kpi", "months", "horizon"),
    [
        ("company", "company", "revenue", (500_00, 100_00, 0), 600_00),
        ("rep", "ann", "revenue", (300_00, 100_00, 0), 400_00),
        ("team", "s", "revenue", (200_00, 0, 0), 200_00),
        ("region", "south", "new_customers", (20, 0, 0), 20),
        ("rep", "ann", "activity:visits", (60, 20, 0), 80),
        ("rep", "ann", "activity:talk_hours", (45, 15, 0), 60),
        ("team", "n", "activity:visits", (60, 20, 0), 80),
        ("region", "north", "activity:talk_hours", (45, 15, 0), 60),
        ("company", "company", "activity:visits", (100, 20, 0), 120),
        ("stage", "sell", "activity:talk_hours", (75, 15, 0), 90),
        # Deal n starts after n - 1 days; the 31st of January begins a service that ends in February.
        ("rep", "ann", "wait", (15.0, 35.0), 19.5),
        ("company", "company", "wait", ((15 * 31 + 9.5 * 20) / 51, 35.0), (19.5 * 40 + 9.5 * 20) / 60),
        # Due 5 days after the win, paid 20 days later: 25 due and 5 paid in January, all due and 33 paid by March.
        ("rep", "ann", "receivables", (200_00, 70_00, 0), 0),
        ("rep", "ann", "cash_collected", (50_00, 280_00, 70_00), 400_00),
        ("source", "web", "cash_collected", (100_00, 430_00, 70_00), 600_00),
        ("segment", "big", "cash_collected", (100_00, 430_00, 70_00), 600_00),
        ("source", "web", "cycle_time", (13.5, 35.5), 1030 / 60),
        ("segment", "big", "new_customers", (50, 10, 0), 60),
        ("source", "web", "average_order_value", (10_00, 10_00), 10_00),
        ("source", "web", "key_product_share", (1, 1), 1),
        ("company", "company", "customers", (50, 60, 60), 60),
        ("company", "company", "churn_rate", (0, 0, 0), 0),
        ("rep", "ann", "average_attainment", (1.0, 0.5), 0.8),
        ("rep", "ann", "hit_rate", (1, 0, 1), 0),
        ("rep", "bob", "average_attainment", (0.5, 0.0), 0.4),
        ("company", "company", "average_attainment", (0.75, 0.25), 0.6),
        ("company", "company", "hit_rate", (0.5, 0.0, 1.0), 0),
        ("region", "south", "hit_rate", (0, 0), 0),
        ("product", "box", "orders", (50, 10, 0), 60),
    ],
)
def test_by_hand(outcome, level, key, kpi, months, horizon):
    found = figures(kpis(outcome, by_hand(), level, by_period=True), kpi, key)
    assert found == pytest.approx(dict(zip((JAN, FEB, MAR), months, strict=False)), abs=1e-6)
    assert figures(kpis(outcome, by_hand(), level), kpi, key) == pytest.approx({"horizon": horizon}, abs=1e-6)


def test_growth_is_against_the_month_before(outcome):
    found = figures(kpis(outcome, by_hand(), by_period=True), "new_customer_growth", "company")
    assert found == pytest.approx({FEB: -0.8, MAR: -1.0})
    before = by_hand(goals={"last_new_customers": 48})
    assert figures(kpis(outcome, before), "new_customer_growth", "company") == pytest.approx({"horizon": 0.25})


def test_quotas_of_longer_spans_say_nothing_of_a_month(outcome):
    year = QuotaRow("ann", "revenue", MONTHS[0], MONTHS[3], 500_00)
    scenario = by_hand()
    whole = scenario.with_plan(replace(scenario.plan, targets=(year, *quotas("bob", 200_00))))
    months = kpis(outcome, whole, "rep", by_period=True)
    assert figures(months, "hit_rate", "ann") == {}
    assert figures(months, "hit_rate", "bob") == {JAN: 1.0}
    assert figures(kpis(outcome, whole), "average_attainment", "company") == pytest.approx({"horizon": 0.9})


def test_a_rep_without_quota_has_no_attainment(outcome):
    table = kpis(outcome, by_hand(), "rep")
    assert figures(table, "hit_rate", "cyd") == {}
    assert figures(table, "revenue", "cyd") == {"horizon": 0}


def test_a_chance_has_wilson_s_interval_and_a_share_of_reps_student_s():
    outcome = simulate(by_hand(), replications=2)
    table = kpis(outcome, by_hand(), "rep").set_index(["key", "kpi"])
    never = table.loc[("ann", "hit_rate")]
    assert never["low"] == 0
    assert 0.5 < never["high"] < 0.7, "Wilson's 95 % of 0 in 2"


def churning():
    tier = {"id": "A", "orders_per_year": 6, "order_value": fixed(7), "churn_per_year": 0.6}
    owners = ["ann", "bob", None] * 8
    return by_hand(
        tiers=[tier],
        account_physics={"order_effort_hours": fixed(1), "new_customer": tier | {"id": "n"}},
        accounts=[{"id": f"a{i}", "tier": "A", "region": "north", "owner": owner} for i, owner in enumerate(owners)],
    )


def test_repurchase_and_churn_of_a_month_are_of_the_customers_held_in_it():
    scenario = churning()
    outcome = simulate(scenario, replications=2, seed=4)
    cube: Cube = outcome["customer"]
    table = kpis(outcome, scenario, by_period=True)
    left, held = 0.0, 24.0
    for place, month in enumerate((JAN, FEB, MAR)):
        new, gone, bought = (
            cube.by_period(metric)[:, 0, place].mean() for metric in ("new_customers", "churned", "buying_customers")
        )
        assert gone > 0
        assert figures(table, "churn_rate", "company")[month] == pytest.approx(gone / (held + new))
        assert figures(table, "repurchase_rate", "company")[month] == pytest.approx(bought / (held + new))
        held, left = held + new - gone, left + gone
        assert figures(table, "customers", "company")[month] == pytest.approx(held)
    whole = kpis(outcome, scenario)
    assert figures(whole, "customers", "company")["horizon"] == pytest.approx(held)
    assert figures(whole, "customers_lost", "company")["horizon"] == pytest.approx(left)
    assert figures(whole, "churn_rate", "company")["horizon"] == pytest.approx(left / (24 + 60))


@pytest.mark.parametrize("level", LEVELS)
def test_sums_of_periods_are_the_horizon_s(level):
    scenario = churning()
    outcome = simulate(scenario, replications=2, seed=4)
    by_period, whole = kpis(outcome, scenario, level, by_period=True), kpis(outcome, scenario, level)
    stocks = {"open", "receivables", "customers"}
    ratios = whole["unit"].isin(["share", "days", "minor per order"]) | (whole["kpi"] == "effort")
    flows = whole[~ratios & ~whole["kpi"].isin(stocks)]
    assert len(flows) > 0
    sums = by_period.groupby(["key", "kpi"])["estimate"].sum()
    for row in flows.to_dict("records"):
        assert sums[row["key"], row["kpi"]] == pytest.approx(row["estimate"]), row
    for row in whole[whole["kpi"].isin(stocks)].to_dict("records"):
        last = by_period[(by_period["key"] == row["key"]) & (by_period["kpi"] == row["kpi"])]["estimate"].iloc[-1]
        assert last == row["estimate"]


def test_an_unknown_level_is_refused(outcome):
    with pytest.raises(InputRefused, match="known: company, team"):
        kpis(outcome, by_hand(), "planet")  # type: ignore[arg-type]


def test_intervals_cover_their_estimates():
    scenario = churning()
    outcome = simulate(scenario, replications=3, seed=4)
    for level in LEVELS:
        table = kpis(outcome, scenario, level)
        assert (table["low"] <= table["estimate"]).all()
        assert (table["estimate"] <= table["high"]).all()
        assert np.isfinite(table["estimate"]).all()
