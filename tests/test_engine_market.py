"""Bundles, account orders, tenders, moving seasons, fiscal periods, VAT and over-dispersion in worlds known by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from scenarios import lunar, physics
from scenarios.errors import InputRefused
from scenarios.files import from_document
from scenarios.plan import OwnerRow, Plan
from sim.arrivals import new_leads
from sim.kpis import kpis
from sim.log import Kind
from sim.model import build
from sim.run import simulate, simulate_logs
from sim.statistics import mean_interval
from sim.streams import replication_key

HOUR, DAY = 3_600_000, 86_400_000
SURE = 0.9999


def fixed(value: float) -> dict[str, Any]:
    return {"family": "fixed", "value": value}


def world(plan: Plan | None = None, **over: Any):
    """One rep who always works, one stage that takes no time and never loses."""
    calendar = {
        "start": "2026-01-01",
        "end": "2027-01-01",
        "hours": ["00:00-24:00"],
        "workdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    } | over.pop("calendar", {})
    document = {
        "name": "market",
        "calendar": calendar,
        "regions": [{"id": "r"}],
        "teams": [{"id": "t", "region": "r"}],
        "stages": [{"id": "sell", "effort_hours": fixed(0), "conversion": 1.0}],
        "reps": [{"id": "ann", "team": "t"}],
    } | over
    return from_document(document).with_plan(plan)


def holds(sample, expected: float) -> None:
    interval = mean_interval(np.asarray(sample, dtype=float), SURE)
    assert not interval.excludes(expected), f"{interval} misses {expected:g}"


def misses(sample, expected: float) -> None:
    assert mean_interval(np.asarray(sample, dtype=float), SURE).excludes(expected)


def figure(table, key: str, kpi: str) -> float:
    return float(table[(table["key"] == key) & (table["kpi"] == kpi)]["estimate"].iloc[0])


# ---- bundles --------------------------------------------------------------------------------------------------------

PRODUCTS = [
    {"id": "box", "value": fixed(100), "gross_margin": 0.5, "attach": [{"product": "care", "probability": 0.25}]},
    {"id": "key", "value": fixed(300), "key": True, "gross_margin": 0.25},
    {"id": "care", "value": fixed(40), "gross_margin": 0.75},
]
BUNDLE = {"id": "all-in", "products": ["box", "key"], "price_factor": 0.9, "share": 0.3}


def bundled(share: float = 0.3):
    return world(
        products=PRODUCTS,
        bundles=[BUNDLE | {"share": share}] if share else [],
        sources=[{"id": "web", "leads_per_year": 500, "products": {"box": 1}}],
    )


def test_a_bundle_has_the_mean_its_parts_imply():
    """A deal is worth .3 x .9 x (100 + 300) or .7 x (100 + .25 x 40): 185 on average, 81 of it the key product."""
    scenario = bundled()
    outcome = simulate(scenario, replications=40, seed=3)
    rep = outcome["rep"]
    revenue, orders = rep.company("revenue"), rep.company("orders")
    holds(revenue - 185_00 * orders, 0.0)
    holds(rep.company("key_product_revenue") - 81_00 * orders, 0.0)
    product = outcome["product"]
    holds(product.total("orders")[:, 1] - 0.3 * orders, 0.0)
    holds(product.total("attached")[:, 2] - 0.7 * 0.25 * orders, 0.0)
    misses(product.total("attached")[:, 2] - 0.25 * orders, 0.0)
    table = kpis(outcome, scenario, "product")
    assert figure(table, "key", "attach_rate") == pytest.approx(0.3, abs=0.02)
    assert figure(table, "key", "gross_margin_rate") == pytest.approx(0.25)
    # .27 x (50 + 75) + .7 x (50 + .25 x 30) = 74 of 185
    assert figure(kpis(outcome, scenario), "company", "gross_margin_rate") == pytest.approx(74 / 185, abs=0.01)


def test_a_bundle_s_lines_are_all_its_products_at_its_factor():
    log = simulate_logs(bundled(1.0), seed=3)[0]
    for lead in log.leads.values():
        assert lead.lines == ((0, 90_00), (1, 270_00))
        assert (lead.value, lead.key_value) == (360_00, 270_00)


def test_a_bundle_changes_nothing_but_the_deals_that_it_takes():
    without, some, more = (simulate_logs(bundled(share), seed=3)[0] for share in (0.0, 0.3, 0.5))
    taken = {entity for entity, lead in some.leads.items() if len(lead.lines) == 2 and lead.lines[1][0] == 1}
    assert 0.2 < len(taken) / len(without.leads) < 0.4
    assert taken < {entity for entity, lead in more.leads.items() if lead.product < 0}
    assert set(without.leads) == set(some.leads)
    assert all(some.leads[entity] == lead for entity, lead in without.leads.items() if entity not in taken)


def test_an_opportunity_of_no_product_may_be_a_bundle_and_one_of_a_product_is_not():
    row = {"stage": "sell", "region": "r", "created": "2026-01-01"}
    pipeline = [row | {"id": "a"}, row | {"id": "b", "product": "box"}, row | {"id": "c", "value": 7}]
    scenario = world(products=PRODUCTS[1:] + PRODUCTS[:1], bundles=[BUNDLE | {"share": 1.0}], pipeline=pipeline)
    values = sorted(lead.value for lead in simulate_logs(scenario, seed=3)[0].leads.values())
    assert values[0] == 7_00
    assert values[1] in (100_00, 140_00)
    assert values[2] == 360_00


@pytest.mark.parametrize(
    ("bundles", "said"),
    [
        ([BUNDLE | {"share": 0.6}, BUNDLE | {"id": "two", "share": 0.5}], "must not exceed 1"),
        ([BUNDLE | {"products": []}], "a bundle needs products"),
        ([BUNDLE | {"products": ["box", "box"]}], "each named once"),
        ([BUNDLE | {"products": ["pen"]}], "names nothing in products"),
        ([BUNDLE | {"price_factor": 0}], "price_factor"),
    ],
)
def test_bad_bundles_are_refused(bundles, said):
    with pytest.raises(InputRefused, match=said):
        world(products=PRODUCTS, bundles=bundles)


# ---- accounts -------------------------------------------------------------------------------------------------------


def owned(plan: Plan | None = None, skill: float = 60, **over: Any):
    tier = {
        "id": "A",
        "orders_per_year": 30,
        "order_value": fixed(10),
        "products": {"box": 3, "key": 1},
        "cross_sell": [{"product": "care", "probability": 0.2}],
    } | over.pop("tier", {})
    physics_ = {"order_effort_hours": fixed(0), "rate_per_relationship_point": 0.01} | over.pop("physics", {})
    skills = {"relationship_management": skill}
    return world(
        plan,
        products=PRODUCTS,
        tiers=[tier],
        account_physics=physics_,
        accounts=[{"id": f"a{i}", "tier": "A", "region": "r", "owner": "ann"} for i in range(20)],
        reps=[{"id": "ann", "team": "t", "skills": skills}, {"id": "bob", "team": "t", "skills": skills}],
        **over,
    )


def test_account_orders_have_products_and_the_key_share_counts_them():
    """An order of 10 is a key product one time in four, and brings care for 40 one time in five: 2.5 of 18."""
    scenario = owned()
    outcome = simulate(scenario, replications=20, seed=3)
    rep = outcome["rep"]
    holds(rep.company("orders"), 600)
    holds(rep.company("key_product_revenue") - 2_50 * rep.company("orders"), 0.0)
    holds(rep.company("revenue") - 18_00 * rep.company("orders"), 0.0)
    assert figure(kpis(outcome, scenario), "company", "key_product_share") == pytest.approx(2.5 / 18, abs=0.01)
    # Half of 7.5, a quarter of 2.5 and three quarters of 8: every line has a product with a margin.
    assert figure(kpis(outcome, scenario), "company", "gross_margin_rate") == pytest.approx(10.375 / 18, abs=0.01)
    unnamed = simulate(owned(tier={"products": {}}), replications=1, seed=3)
    assert unnamed["rep"].company("key_product_revenue")[0] == 0


def test_cross_selling_grows_with_the_owner_s_relationship_skill():
    assert physics.cross_sell_chance(0.2, 1.3, 0.5) == pytest.approx(0.13)
    assert physics.cross_sell_chance(0.9, 1.3, 1.0) == 1.0
    outcome = simulate(owned(skill=90), replications=20, seed=3)
    orders = outcome["rep"].company("orders")
    holds(orders, 600 * 1.3)
    along = outcome["product"].total("attached")[:, 2]
    holds(along - 0.2 * 1.3 * orders, 0.0)
    misses(along - 0.2 * orders, 0.0)


def test_cross_selling_falls_with_the_care_that_is_not_given():
    """Half of the care owed is planned: (1/2) ** .5 of the orders, and of the chance that one brings care along."""
    tier = {"care_hours_per_year": 40}
    scenario = owned(tier=tier, physics={"care_elasticity": 0.5})
    half = from_document(scenario.document() | {"accounts": [
        account | {"care_hours": 20} for account in scenario.document()["accounts"]
    ]})  # fmt: skip
    outcome = simulate(half, replications=20, seed=3)
    orders = outcome["rep"].company("orders")
    holds(orders, 600 * 0.5**0.5)
    holds(outcome["product"].total("attached")[:, 2] - 0.2 * 0.5**0.5 * orders, 0.0)


def test_a_handover_s_loss_is_what_the_new_owner_misses():
    """600 orders of 10 a year; all accounts change hands on 1 July, so half of them are at risk, a fifth is lost."""
    plan = Plan("moved", owners=tuple(OwnerRow(f"a{i}", "bob", date(2026, 7, 1)) for i in range(20)))
    tier = {"cross_sell": []}
    scenario = owned(plan, tier=tier, physics={"handover_loss": 0.2})
    outcome = simulate(scenario, replications=20, seed=3)
    expected = 600 * 10_00 * 184 / 365 * 0.2
    loss = outcome["rep"].company("handover_loss")
    assert loss == pytest.approx(expected, rel=1e-3)  # each month of each account is rounded to the cent
    assert outcome["account"].company("handover_loss").tolist() == loss.tolist()
    assert (outcome["account"].company("handovers") == 20).all()
    kept = simulate(owned(tier=tier), replications=20, seed=3)["rep"].company("revenue")
    holds(kept - outcome["rep"].company("revenue"), expected)
    assert figure(kpis(outcome, scenario), "company", "handover_loss") == pytest.approx(loss.mean())


def test_churn_and_growth_come_out():
    """A third of the accounts leaves; 100 leads are won after 80 in the year before."""
    scenario = owned(
        tier={"churn_per_year": 1 / 3},
        sources=[{"id": "web", "leads_per_year": 100}],
        goals={"last_new_customers": 80},
    )
    outcome = simulate(scenario, replications=40, seed=3)
    holds(outcome["customer"].company("churned"), 20 / 3)
    assert outcome["rep"].company("churned").tolist() == outcome["customer"].company("churned").tolist()
    table = kpis(outcome, scenario)
    new = outcome["rep"].company("new_customers")
    assert figure(table, "company", "new_customer_growth") == pytest.approx(new.mean() / 80 - 1)
    holds(new / 80 - 1, 0.25)
    customers = 20 + new.mean()
    churned = outcome["customer"].company("churned").mean()
    assert figure(table, "company", "churn_rate") == pytest.approx(churned / customers)
    assert "new_customer_growth" not in set(kpis(outcome, owned())["kpi"])


def test_a_new_customer_is_owed_care_and_gets_it():
    """36 hours a year in visits of 3: twelve visits in the 365 days after the win, by the rep who won."""
    tier = {"id": "n", "orders_per_year": 0, "order_value": fixed(1), "care_hours_per_year": 36}
    scenario = world(
        account_physics={"order_effort_hours": fixed(1), "care_visit_hours": 3, "new_customer": tier},
        pipeline=[{"id": "d", "stage": "sell", "region": "r", "created": "2026-01-01", "owner": "ann"}],
    )
    outcome = simulate(scenario, replications=3, seed=3)
    assert (outcome["rep"].company("care_ticks") == 36 * HOUR).all()
    assert outcome["account"].values.shape[2] == 0


@pytest.mark.parametrize(
    ("products", "said"), [({"pen": 1}, "names nothing in products"), ({"box": 0}, "at least one positive weight")]
)
def test_bad_mixes_of_orders_are_refused(products, said):
    with pytest.raises(InputRefused, match=said):
        owned(tier={"products": products})


# ---- tenders --------------------------------------------------------------------------------------------------------

METRO = {"id": "metro", "owner": "ann", "region": "r", "decided": "2026-05-05", "value": 5000, "win_probability": 0.4}
PAIR = [{"id": "ann", "team": "t"}, {"id": "bob", "team": "t"}]


def test_a_tender_is_won_as_often_as_it_says_and_is_its_owner_s():
    scenario = world(tenders=[METRO], reps=PAIR)
    outcome = simulate(scenario, replications=400, seed=3)
    wins = outcome["rep"].total("tenders_won")
    holds(wins[:, 0], 0.4)
    assert not wins[:, 1].any()
    assert outcome["rep"].by_period("revenue")[:, 0, 4].tolist() == (wins[:, 0] * 5000_00).tolist()
    assert outcome["rep"].company("tender_revenue").tolist() == outcome["rep"].company("revenue").tolist()
    assert not outcome["rep"].company("new_customers").any()


def test_preparing_a_tender_is_spread_and_takes_the_owner_s_time():
    scenario = world(tenders=[METRO | {"effort_hours": 40, "prepared_from": "2026-04-25"}], reps=PAIR)
    log = simulate_logs(scenario, seed=3)[0]
    began = log.of(Kind.START)
    assert (began["time"] / DAY).tolist() == list(range(114, 124))
    assert set((began["extra"] - began["time"]).tolist()) == {4 * HOUR}
    assert set(began["rep"].tolist()) == {0}
    decided = log.of(Kind.TENDER)
    assert decided["time"].tolist() == [124 * DAY]
    assert decided["value"].tolist() == [5000_00]
    busy = simulate(scenario, replications=1, seed=3)["rep"].total("order_ticks")[0]
    assert busy.tolist() == [40 * HOUR, 0]


def test_preparing_stops_at_the_decision_and_decides_nothing():
    crowded = METRO | {"effort_hours": 400, "prepared_from": "2026-05-01", "win_probability": 1.0}
    log = simulate_logs(world(tenders=[crowded]), seed=3)[0]
    assert log.of(Kind.START)["time"].max() < 124 * DAY
    assert len(log.of(Kind.START)) == 24  # four days of 24 hours in blocks of 4
    assert log.of(Kind.BOOK)["value"].tolist() == [5000_00]


def test_a_tender_of_an_account_is_its_owner_s_on_the_day():
    plan = Plan("moved", owners=(OwnerRow("a0", "ann", date(2026, 1, 1)), OwnerRow("a0", "bob", date(2026, 5, 5))))
    scenario = owned(plan, tenders=[METRO | {"owner": None, "account": "a0", "win_probability": 1}])
    assert simulate(scenario, replications=1, seed=3)["rep"].total("tenders_won")[0].tolist() == [0, 1]


def test_a_tender_of_one_who_left_or_of_nobody_is_somebody_s():
    gone = [{"id": "ann", "team": "t", "leaves": "2026-04-01"}, {"id": "bob", "team": "t"}]
    sure = METRO | {"win_probability": 1, "effort_hours": 8}
    assert simulate(world(tenders=[sure], reps=gone), replications=1)["rep"].total("tenders_won")[0].tolist() == [0, 1]
    none = world(tenders=[sure | {"owner": None}], reps=PAIR)
    assert simulate(none, replications=3)["rep"].company("tenders_won").tolist() == [1, 1, 1]


def test_one_tender_more_touches_no_other():
    other = METRO | {"id": "port", "value": 70}
    one, two = (simulate_logs(world(tenders=rows), replications=30, seed=3) for rows in ([METRO], [other, METRO]))
    alone = [log.of(Kind.TENDER)["extra"].tolist() for log in one]
    beside = [rows["extra"][rows["value"] == 5000_00].tolist() for rows in (log.of(Kind.TENDER) for log in two)]
    assert alone == beside
    assert {tuple(luck) for luck in alone} == {(0,), (1,)}


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"decided": "2027-01-01"}, "inside the horizon"),
        ({"prepared_from": "2026-05-05"}, "must be before the decision"),
        ({"owner": "eve"}, "names nothing in reps"),
        ({"win_probability": 1.5}, "win_probability"),
        ({"effort_hours": -1}, "effort_hours"),
        ({"account": "nowhere"}, "names nothing in accounts"),
    ],
)
def test_bad_tenders_are_refused(over, said):
    with pytest.raises(InputRefused, match=said):
        world(tenders=[METRO | over])


# ---- the lunar new year ---------------------------------------------------------------------------------------------


def test_the_quiet_weeks_lie_within_january_and_february():
    assert (lunar.FIRST_YEAR, lunar.LAST_YEAR, len(lunar.NEW_YEAR)) == (2015, 2040, 26)
    for year, day in lunar.NEW_YEAR.items():
        assert date(year, 1, 21) <= day <= date(year, 2, 20)
        first, end = lunar.quiet_weeks(year)
        assert date(year, 1, 1) <= first < end <= date(year, 3, 2)
        days = [date.fromordinal(n) for n in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())]
        assert sum(lunar.season_month(day) == 1 for day in days if day.month < 3) == 28
        assert all(lunar.season_month(day) == day.month - 1 for day in days if day.month > 2)


SEASON = [1.0, 0.0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(("year", "january", "february"), [(2023, 3, 28), (2026, 29, 2), (2029, 25, 6)])
def test_a_season_of_leads_and_orders_moves_with_the_new_year(year, january, february):
    """Nothing comes in the quiet four weeks; the days left in January and February are known from the table."""
    new_year = lunar.NEW_YEAR[year]
    assert january + february == 31
    calendar = {"start": f"{year}-01-01", "end": f"{year}-03-01"}
    leads = world(
        calendar=calendar,
        sources=[{"id": "web", "leads_per_year": 36500, "season": SEASON, "season_follows": "lunar_new_year"}],
    )
    quiet = {"season": SEASON, "season_follows": "lunar_new_year"}
    orders = owned(calendar=calendar, tier={"orders_per_year": 365}, physics=quiet)
    model = build(leads)
    arrived = [new_leads(model, replication_key(3, number)).time // DAY for number in range(30)]
    ordered = [log.of(Kind.ORDER)["time"] // DAY for log in simulate_logs(orders, replications=6, seed=3)]
    for days, daily in ((arrived, 100), (ordered, 20)):
        first = (new_year - date(year, 1, 1)).days - lunar.QUIET_BEFORE
        assert not any(((day >= first) & (day < first + 28)).any() for day in days)
        holds([(day < 31).sum() for day in days], january * daily * 12 / 11)
        holds([(day >= 31).sum() for day in days], february * daily * 12 / 11)


def test_pauses_move_with_the_new_year():
    pause = [{"lunar_new_year": {"days_before": 2, "days_after": 3}, "reason": "春节"}]
    stage = {"id": "sell", "effort_hours": fixed(0), "conversion": 1.0, "delay_days": fixed(30)}
    ends = {}
    for year in (2025, 2026):
        scenario = world(
            calendar={"customer_pauses": pause, "start": f"{year}-01-20", "end": f"{year}-06-01"},
            stages=[stage],
            pipeline=[{"id": "d", "stage": "sell", "region": "r", "created": f"{year}-01-20"}],
        )
        ends[year] = int(simulate_logs(scenario, seed=3)[0].of(Kind.WON)["time"][0]) // DAY
    # Six days stand still around 29 January 2025; around 17 February 2026 the customer has 26 of the 30 days behind.
    assert ends == {2025: 36, 2026: 36}
    short = world(
        calendar={"customer_pauses": pause, "start": "2026-01-20", "end": "2026-06-01"},
        stages=[stage | {"delay_days": fixed(25)}],
        pipeline=[{"id": "d", "stage": "sell", "region": "r", "created": "2026-01-20"}],
    )
    assert int(simulate_logs(short, seed=3)[0].of(Kind.WON)["time"][0]) == 25 * DAY


@pytest.mark.parametrize(
    ("pause", "said"),
    [
        ({"first": "2026-02-01"}, "both first and last, or lunar_new_year"),
        ({}, "both first and last, or lunar_new_year"),
        (
            {"first": "2026-02-01", "last": "2026-02-02", "lunar_new_year": {"days_before": 1, "days_after": 1}},
            "both first and last, or lunar_new_year",
        ),
        ({"lunar_new_year": {"days_before": -1, "days_after": 1}}, "days_before"),
        ({"lunar_new_year": {"days_before": 1}}, "days_after"),
    ],
)
def test_bad_pauses_are_refused(pause, said):
    with pytest.raises(InputRefused, match=said):
        world(calendar={"customer_pauses": [pause]})


def test_years_without_a_known_new_year_are_refused():
    late = {"start": "2040-06-01", "end": "2041-06-01"}
    pause = [{"lunar_new_year": {"days_before": 1, "days_after": 1}}]
    with pytest.raises(InputRefused, match="2015 to 2040, but the horizon has 2041"):
        world(calendar=late | {"customer_pauses": pause})
    source = {"id": "web", "leads_per_year": 1, "season_follows": "lunar_new_year"}
    with pytest.raises(InputRefused, match=r"sources\.web\.season_follows(.|\n)*2041"):
        world(calendar=late, sources=[source])
    with pytest.raises(InputRefused, match=r"account_physics\.season_follows(.|\n)*2041"):
        owned(calendar=late, physics={"season_follows": "lunar_new_year"})


# ---- VAT ------------------------------------------------------------------------------------------------------------


def taxed(**over: Any):
    return world(
        products=[{"id": "box", "value": fixed(1000), "gross_margin": 0.5}],
        cash={"vat_rate": 0.13, "instalments": [{"share": 0.3, "due_days": 0}, {"share": 0.7, "due_days": 30}]},
        pipeline=[{"id": "d", "stage": "sell", "region": "r", "created": "2026-01-01", "product": "box"}],
        **over,
    )


def test_cash_holds_the_tax_and_revenue_does_not():
    rep = simulate(taxed(), replications=1)["rep"]
    assert rep.company("revenue")[0] == rep.company("recognised")[0] == 1000_00
    assert rep.company("cash_due")[0] == rep.company("cash_collected")[0] == 1130_00
    assert rep.by_period("cash_due")[0, 0, 0] == 1130_00
    assert rep.company("gross_margin")[0] == 500_00


def test_values_that_hold_the_tax_are_recognised_without_it():
    rep = simulate(taxed(vat_included=True), replications=1)["rep"]
    assert rep.company("revenue")[0] == rep.company("cash_due")[0] == 1000_00
    assert rep.company("recognised")[0] == 884_96  # 1000 / 1.13
    assert rep.company("gross_margin")[0] == 442_48


# ---- fiscal periods -------------------------------------------------------------------------------------------------


def test_tables_follow_the_fiscal_year():
    scenario = world(
        calendar={"reporting": "quarter", "fiscal_year_start_month": 4},
        pipeline=[{"id": "d", "stage": "sell", "region": "r", "created": "2026-01-01", "value": 5}],
    )
    rep = simulate(scenario, replications=1)["rep"]
    assert rep.periods == ("FY2026-Q4", "FY2027-Q1", "FY2027-Q2", "FY2027-Q3")
    assert rep.by_period("revenue")[0, 0].tolist() == [500, 0, 0, 0]


# ---- figures at every level -----------------------------------------------------------------------------------------


def test_segments_have_leads_and_conversions_and_leads_have_a_cost():
    scenario = world(
        segments=[{"id": "big"}, {"id": "small"}],
        products=PRODUCTS[1:2],
        stages=[{"id": "sell", "effort_hours": fixed(0), "conversion": 0.5}],
        sources=[{"id": "web", "leads_per_year": 400, "segments": {"big": 1, "small": 3}, "cost_per_lead": 7}],
    )
    outcome = simulate(scenario, replications=20, seed=3)
    segment = outcome["segment"]
    holds(segment.total("leads")[:, 1], 300)
    holds(segment.total("won")[:, 0] - 0.5 * segment.total("leads")[:, 0], 0.0)
    assert (segment.company("leads") == outcome["rep"].company("leads")).all()
    assert (segment.total("won") + segment.total("lost") == segment.total("leads")).all()
    leads, won = outcome["rep"].company("leads").mean(), segment.company("won").mean()
    assert figure(kpis(outcome, scenario), "company", "cost_per_won") == pytest.approx(700 * leads / won)
    assert figure(kpis(outcome, scenario, "segment"), "small", "lead_to_won") == pytest.approx(0.5, abs=0.03)
    months = kpis(outcome, scenario, "segment", by_period=True)
    assert len(set(months["period"])) == 12


def test_accounts_have_figures_of_their_own():
    scenario = owned(tier={"care_hours_per_year": 8})
    outcome = simulate(scenario, replications=5, seed=3)
    table = kpis(outcome, scenario, "account")
    assert set(table["key"]) == {f"a{i}" for i in range(20)}
    assert set(table["period"]) == {"horizon"}
    assert figure(table, "a3", "care_given") == pytest.approx(1.0, abs=0.3)
    total = sum(figure(table, f"a{i}", "revenue") for i in range(20))
    assert total == pytest.approx(outcome["rep"].company("revenue").mean())


# ---- over-dispersion ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dispersion", [5.0, 14.0])
def test_daily_counts_vary_as_stated(dispersion):
    """E[s2 - D x mean] = 0 exactly for every sample size; a ratio half a unit off is told apart."""
    source = {"id": "web", "leads_per_year": 365 * 6, "dispersion": dispersion}
    gaps, daily = [], []
    for log in simulate_logs(world(sources=[source]), replications=60, seed=3):
        counts = np.bincount(log.of(Kind.ARRIVE)["time"] // DAY, minlength=365)
        gaps.append(counts.var(ddof=1) - dispersion * counts.mean())
        daily.append(counts.mean())
    holds(daily, 6.0)
    holds(gaps, 0.0)
    misses(np.array(gaps) + 0.15 * dispersion * np.array(daily), 0.0)
