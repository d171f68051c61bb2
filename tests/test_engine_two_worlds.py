"""Two worlds that differ by one thing: whoever has nothing to do with it lives the same life, bit for bit."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from scenarios.files import from_document
from scenarios.plan import OwnerRow
from scenarios.today import today_plan
from sim.log import Kind, Log
from sim.run import simulate_logs

pytestmark = pytest.mark.usefixtures("engine")
"""The contract of both engines."""

REGIONS = ("north", "south")
ONE_MORE = {
    "id": "once",
    "leads_per_year": 730,
    "regions": {"south": 1},
    "first_day": "2026-02-17",
    "last_day": "2026-02-17",
}
"""A source of a lead or two on a single day."""


def world(**over: Any):
    """Two regions of three reps, accounts, products, an opening pipeline: everything that can touch a neighbour."""
    document: dict[str, Any] = {
        "name": "two worlds",
        "calendar": {"start": "2026-01-01", "end": "2026-07-01", "hours": ["09:00-12:00", "13:00-18:00"]},
        "regions": [{"id": region} for region in REGIONS],
        "teams": [{"id": region, "region": region} for region in REGIONS],
        "segments": [{"id": "large", "value_factor": 2.0}, {"id": "small"}],
        "stages": [
            {
                "id": "need",
                "effort_hours": {"family": "lognormal", "mean": 3, "cv": 0.8},
                "conversion": 0.6,
                "delay_days": {"family": "exponential", "mean": 6},
                "patience_days": {"family": "exponential", "mean": 15},
                "recycle": {"probability": 0.4, "rest_days": {"family": "exponential", "mean": 20}},
            },
            {
                "id": "close",
                "effort_hours": {"family": "lognormal", "mean": 5, "cv": 0.8},
                "conversion": 0.5,
                "delay_days": {"family": "exponential", "mean": 9},
            },
            {"id": "after", "effort_hours": {"family": "fixed", "value": 2}, "after_win": True},
        ],
        "products": [
            {
                "id": "box",
                "value": {"family": "lognormal", "mean": 9000, "cv": 0.7},
                "attach": [{"product": "care", "probability": 0.4}],
            },
            {"id": "care", "value": {"family": "gamma", "mean": 2000, "cv": 0.5}},
        ],
        "sources": [
            {"id": "web", "leads_per_year": 700, "dispersion": 4.0},
            {
                "id": "fair",
                "leads_per_year": 200,
                "products": {"box": 3, "care": 1},
                "regions": {"north": 1, "south": 2},
            },
        ],
        "tiers": [
            {
                "id": "A",
                "orders_per_year": 6,
                "order_value": {"family": "gamma", "mean": 5000, "cv": 0.5},
                "care_hours_per_year": 40,
                "churn_per_year": 0.2,
                "cross_sell": [{"product": "care", "probability": 0.5}],
            }
        ],
        "account_physics": {
            "order_effort_hours": {"family": "fixed", "value": 3},
            "new_customer": {
                "id": "new",
                "orders_per_year": 2,
                "order_value": {"family": "gamma", "mean": 3000, "cv": 0.5},
            },
        },
        "cash": {"delay_days": {"family": "exponential", "mean": 30}, "collection_probability": 0.95},
        "reps": [{"id": f"{region}{i}", "team": region} for region in REGIONS for i in range(3)],
        "accounts": [
            {"id": f"{region} {i}", "tier": "A", "region": region, "owner": f"{region}{i % 3}"}
            for region in REGIONS
            for i in range(4)
        ],
        "pipeline": [
            {
                "id": f"deal {region} {i}",
                "stage": "close",
                "owner": f"{region}{i}",
                "region": region,
                "created": "2025-12-01",
            }
            for region in REGIONS
            for i in range(3)
        ],
    }
    return document | over


def inserted(rows: list[dict[str, Any]], row: dict[str, Any]) -> list[dict[str, Any]]:
    """The same table with a row in the middle."""
    middle = len(rows) // 2
    return [*rows[:middle], row, *rows[middle:]]


def run(document: dict[str, Any], replication: int = 0) -> tuple[Any, Log]:
    scenario = from_document(document)
    return scenario, simulate_logs(scenario, replications=1, first=replication, seed=5)[0]


def lives(document: dict[str, Any], scenario, log: Log) -> dict[int, tuple[Any, ...]]:
    """Every row of each lead, order and visit, with names in place of positions."""
    reps = [rep.id for rep in scenario.reps] + [None]
    sources = [source.id for source in scenario.sources] + [None]
    products = [product.id for product in scenario.products] + [None]
    accounts = [account.id for account in scenario.accounts] + [None]
    regions = [region.id for region in scenario.regions]
    found: dict[int, list[Any]] = {}
    for time, kind, entity, visit, stage, rep, item, value, extra in log.rows.tolist():
        table = {
            Kind.LINE: products,
            Kind.ORDER: accounts,
            Kind.CARE: accounts,
            Kind.CHURN: accounts,
            Kind.ASSIGN: accounts,
            Kind.BOOK: range(10),
        }.get(kind, sources)
        if kind == Kind.ARRIVE:
            extra = regions[extra]
        if kind == Kind.BOOK:
            visit = scenario.segments[visit].id if visit >= 0 else None
        found.setdefault(entity, []).append((time, kind, visit, stage, reps[rep], table[item], value, extra))
    return {entity: tuple(rows) for entity, rows in found.items()}


def both(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[int, Any], dict[int, Any], set[str]]:
    """Lives in both worlds, and the reps of those whose life differs."""
    first, second = (lives(document, *run(document)) for document in (before, after))
    touched = {
        row[4]
        for entity in {*first, *second}
        if first.get(entity) != second.get(entity)
        for row in (*first.get(entity, ()), *second.get(entity, ()))
    }
    return first, second, touched - {None}


def test_the_world_is_worth_comparing():
    _, log = run(world())
    kinds = set(log.rows["kind"].tolist())
    wanted = {
        Kind.COLD,
        Kind.REST,
        Kind.WON,
        Kind.ANSWER_NO,
        Kind.ORDER,
        Kind.CARE,
        Kind.CHURN,
        Kind.CASH,
        Kind.WRITE_OFF,
    }
    assert wanted <= kinds
    assert len(log.of(Kind.ARRIVE)) > 300
    assert (log.of(Kind.START)["value"] > 0).mean() > 0.5, "reps are busy enough for a neighbour to be felt"


def test_one_lead_more_touches_only_its_rep():
    before = world()
    after = world(sources=inserted(before["sources"], ONE_MORE))
    first, second, touched = both(before, after)
    new = set(second) - set(first)
    arrivals = [entity for entity in new if any(row[1] == Kind.ARRIVE for row in second[entity])]
    assert len(arrivals) >= 1
    served = {row[4] for entity in arrivals for row in second[entity] if row[4]}
    assert touched <= served
    assert served < {"south0", "south1", "south2"}
    same = [entity for entity in first if first[entity] == second.get(entity)]
    assert len(same) > len(first) / 2


def test_a_higher_rate_only_appends_leads():
    before = world()
    more = [{**before["sources"][0], "leads_per_year": 760}, before["sources"][1]]
    _, first = run(before)
    _, second = run(world(sources=more))
    old, new = (
        dict(zip(log.of(Kind.ARRIVE)["entity"].tolist(), log.of(Kind.ARRIVE).tolist(), strict=True))
        for log in (first, second)
    )
    assert len(new) > len(old)
    assert all(new[entity] == row for entity, row in old.items())
    assert all(second.leads[entity] == first.leads[entity] for entity in old)


def test_one_rep_more_touches_nobody_in_another_region():
    before = world()
    after = world(reps=inserted(before["reps"], {"id": "newcomer", "team": "south"}))
    first, second, touched = both(before, after)
    assert touched == {"south0", "south1", "south2", "newcomer"}
    # Whoever moves, moves to the newcomer.
    for entity, rows in first.items():
        if any(row[1] == Kind.ARRIVE for row in rows):
            old = next(row[4] for row in rows if row[1] == Kind.ENTER)
            assert next(row[4] for row in second[entity] if row[1] == Kind.ENTER) in (old, "newcomer")


@pytest.mark.parametrize("policy", ["even", "territory", "owner", "skill_based"])
def test_a_rep_without_leads_touches_nobody(policy):
    before = world(routing={"policy": policy})
    idle = {"id": "assistant", "team": "south", "lead_weight": 0}
    _, _, touched = both(before, world(routing={"policy": policy}, reps=inserted(before["reps"], idle)))
    assert not touched


def test_one_account_more_touches_only_its_owner():
    before = world()
    account = {"id": "another", "tier": "A", "region": "south", "owner": "south1"}
    first, second, touched = both(before, world(accounts=inserted(before["accounts"], account)))
    assert touched == {"south1"}
    assert len(second) > len(first)


def test_an_account_that_moves_touches_only_its_two_owners():
    document = world()
    scenario = from_document(document)
    plan = today_plan(scenario)
    moved = plan.with_rows(owners=[*plan.owners, OwnerRow("north 1", "north2", date(2026, 3, 2))])
    before = lives(document, scenario, simulate_logs(scenario, seed=5)[0])
    after = lives(document, scenario, simulate_logs(scenario.with_plan(moved), seed=5)[0])
    touched = {
        row[4]
        for entity in {*before, *after}
        if before.get(entity) != after.get(entity)
        for row in (*before.get(entity, ()), *after.get(entity, ()))
    } - {None}
    assert touched == {"north1", "north2"}


def test_a_product_that_nobody_asks_for_touches_nobody():
    before = world()
    sources = [{**source, "products": {"box": 3, "care": 1}} for source in before["sources"]]
    novelty = {"id": "novelty", "value": {"family": "fixed", "value": 1}}
    deals = [{**deal, "source": "web"} for deal in before["pipeline"]]
    old = world(sources=sources, pipeline=deals)
    _, _, touched = both(old, old | {"products": inserted(before["products"], novelty)})
    assert not touched


def test_a_product_that_some_ask_for_touches_only_the_deals_it_wins():
    before = world()
    novelty = {"id": "novelty", "value": {"family": "fixed", "value": 1}}
    _, first = run(before)
    _, second = run(world(products=inserted(before["products"], novelty)))
    names = ["box", "novelty", "care"]
    moved = 0
    for entity, lead in first.leads.items():
        if lead.source < 0 or entity not in second.leads:
            continue
        other = second.leads[entity]
        if names[other.product] == "novelty":
            moved += 1
        else:
            assert other.value == lead.value
    web = sum(lead.source == 0 for lead in first.leads.values())
    assert 0.2 * web < moved < 0.5 * web, "the novelty wins a third of those who ask for nothing in particular"


def test_a_holiday_of_one_region_touches_only_that_region():
    before = world()
    regions = [{"id": "north"}, {"id": "south", "holidays": ["2026-03-03", "2026-03-04"]}]
    first, second, touched = both(before, world(regions=regions))
    assert touched == {"south0", "south1", "south2"}
    # And nobody at all before it.
    day = 86_400_000
    for entity in first:
        early = [row for row in first[entity] if row[0] < 61 * day and row[1] != Kind.START]
        assert early == [row for row in second[entity] if row[0] < 61 * day and row[1] != Kind.START]


def test_an_open_opportunity_more_touches_only_its_rep():
    before = world()
    deal = {"id": "one more", "stage": "need", "owner": "south2", "region": "south", "created": "2026-01-01"}
    _, _, touched = both(before, world(pipeline=inserted(before["pipeline"], deal)))
    assert touched == {"south2"}


def test_an_attached_product_more_leaves_the_others_their_luck():
    before = world()
    gadget = {"id": "gadget", "value": {"family": "fixed", "value": 7}}
    box = {
        **before["products"][0],
        "attach": inserted(before["products"][0]["attach"], {"product": "gadget", "probability": 0.5}),
    }
    _, first = run(world(sources=[{**s, "products": {"box": 1}} for s in before["sources"]]))
    _, second = run(
        world(
            sources=[{**s, "products": {"box": 1}} for s in before["sources"]],
            products=[box, before["products"][1], gadget],
        )
    )
    brought = {
        frozenset(product for product, _ in lead.lines[1:]) for lead in second.leads.values() if lead.source >= 0
    }
    assert len(brought) == 4, "each comes with and without the other"
    for entity, lead in first.leads.items():
        other = second.leads.get(entity)
        if other is not None and lead.source >= 0:
            assert set(lead.lines) <= set(other.lines)
            assert {product for product, _ in set(other.lines) - set(lead.lines)} <= {2}


@pytest.mark.parametrize("policy", ["round_robin", "least_loaded", "pool"])
def test_policies_with_a_memory_touch_their_team_and_no_other(policy):
    """Documented: they carry state, so one lead more moves later leads of the same team."""
    routing = {"policy": policy}
    before = world(routing=routing)
    _, _, touched = both(before, world(routing=routing, sources=inserted(before["sources"], ONE_MORE)))
    assert touched <= {"south0", "south1", "south2"}
    assert len(touched) > 1


def test_replications_are_worlds_of_their_own():
    logs = [run(world(), replication)[1] for replication in (0, 1, 2)]
    assert len({log.rows.tobytes() for log in logs}) == 3
    scenario = from_document(world())
    together = simulate_logs(scenario, replications=3, seed=5)
    assert all(np.array_equal(one.rows, other.rows) for one, other in zip(logs, together, strict=True))
