"""Tables of customers, segments, sources, stages and activities: each sum counted again from the rows of the log."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.files import from_document
from sim.log import Kind, Log
from sim.model import build
from sim.reduce import reduce
from sim.run import simulate_logs

NEW, AGAIN = (0, 3), (1, 2)


def fixed(value):
    return {"family": "fixed", "value": value}


def scenario(**over):
    document = {
        "name": "customers",
        "calendar": {"start": "2026-01-01", "end": "2026-07-01", "hours": ["00:00-24:00"],
                     "workdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]},
        "regions": [{"id": "r"}],
        "teams": [{"id": "t", "region": "r"}],
        "segments": [{"id": "big"}, {"id": "small"}],
        "products": [{"id": "box", "value": fixed(10)}, {"id": "key", "value": fixed(20), "key": True}],
        "stages": [
            {"id": "a", "effort_hours": {"family": "exponential", "mean": 8}, "conversion": 0.7,
             "activities": {"visits": 1, "talk_hours": 1.25}},
            {"id": "b", "effort_hours": fixed(3), "conversion": 0.6, "activities": {"visits": 2, "proposals": 1},
             "delay_days": {"family": "exponential", "mean": 20}},
            {"id": "after", "effort_hours": fixed(2), "after_win": True, "activities": {"talk_hours": 0.5}},
        ],
        "sources": [{"id": "web", "leads_per_year": 300}, {"id": "fair", "leads_per_year": 200}],
        "tiers": [{"id": "A", "orders_per_year": 6, "order_value": fixed(7), "churn_per_year": 0.7,
                   "care_hours_per_year": 50}],
        "account_physics": {
            "order_effort_hours": fixed(5),
            "new_customer": {"id": "n", "orders_per_year": 4, "order_value": fixed(3), "churn_per_year": 0.7},
        },
        "cash": {"instalments": [{"share": share, "due_days": due} for share, due in ((0.4, 5), (0.6, 40))],
                 "collection_probability": 0.7},
        "reps": [{"id": "ann", "team": "t"}, {"id": "bob", "team": "t"}],
        "accounts": [{"id": f"a{i}", "tier": "A", "region": "r", "segment": "big", "owner": owner}
                     for i, owner in enumerate(["ann", "bob", None] * 5)],
        "pipeline": [
            {"id": f"p{i}", "stage": "b", "region": "r", "created": "2025-12-20", "owner": "bob", "source": source,
             "account": account}
            for i, (source, account) in enumerate([("web", None), (None, None), ("fair", "a0"), ("web", "a1")] * 3)
        ],
    } | over  # fmt: skip
    return from_document(document)


@pytest.fixture(scope="module")
def world():
    made = scenario()
    log = simulate_logs(made, seed=6)[0]
    return build(made), log, reduce(build(made), log)


def period(model, row) -> int:
    return int(np.searchsorted(model.periods.bounds, row["time"], side="right") - 1)


def counted(model, rows, key, size: int, amount=lambda _: 1) -> list[list[int]]:
    """Sums by (key, period), one row of the log after the other."""
    out = [[0] * len(model.periods.labels) for _ in range(size)]
    for row in rows:
        if key(row) >= 0:
            out[key(row)][period(model, row)] += int(amount(row))
    return out


def test_customers_of_each_period(world):
    model, log, cubes = world
    cube = cubes["customer"]
    found = {metric: cube.by_period(metric)[0, 0].tolist() for metric in cube.metrics}
    [new] = counted(model, [row for row in log.of(Kind.BOOK) if row["item"] in NEW], lambda _: 0, 1)
    assert found["new_customers"] == new
    assert found["customers"] == [15 + new[0], *new[1:]], "those of the start come in the first period"
    assert found["churned"] == counted(model, log.of(Kind.CHURN), lambda _: 0, 1)[0]
    once: set[int] = set()
    each: list[set[int]] = [set() for _ in new]
    first = [0] * len(new)
    for row in log.of(Kind.BOOK):
        if row["item"] in AGAIN:
            buyer = log.buyers[int(row["entity"])]
            first[period(model, row)] += buyer not in once
            once.add(buyer)
            each[period(model, row)].add(buyer)
    assert found["repeat_customers"] == first
    assert found["buying_customers"] == [len(buyers) for buyers in each]
    assert sum(first) < sum(found["buying_customers"]), "some buy in several periods"
    assert max(found["buying_customers"]) < len(log.of(Kind.ORDER)), "some buy twice in one"
    assert min(found["churned"][1:]) > 0


def test_who_nobody_owns_can_leave_as_well(world):
    """The reps' tables cannot show it: the company's can."""
    _, log, cubes = world
    gone = log.of(Kind.CHURN)
    assert (gone["rep"] == -1).any()
    assert cubes["customer"].company("churned")[0] == len(gone) > cubes["rep"].company("churned")[0]


def of_leads(log: Log, field: str):
    return lambda row: getattr(log.leads[int(row["entity"])], field)


@pytest.mark.parametrize("kind", ["segment", "source"])
def test_sales_and_cash_of_segments_and_sources(world, kind):
    model, log, cubes = world
    cube, key = cubes[kind], of_leads(log, kind)
    created = {int(row["entity"]): int(row["time"]) for row in log.of(Kind.ARRIVE)}
    created |= {int(row["entity"]): int(row["extra"]) for row in log.of(Kind.OPEN)}
    sales, wins = log.of(Kind.BOOK), log.of(Kind.WON)
    expected = {
        "key_product_revenue": (sales, lambda row: row["extra"]),
        "cash_collected": (log.of(Kind.CASH), lambda row: row["value"]),
        "cash_due": (log.of(Kind.DUE), lambda row: row["value"]),
        "cycle_ticks": (wins, lambda row: int(row["time"]) - created[int(row["entity"])]),
    }
    if kind == "segment":
        expected["new_customers"] = (sales[np.isin(sales["item"], NEW)], lambda _: 1)
        expected["repeat_orders"] = (sales[np.isin(sales["item"], AGAIN)], lambda _: 1)
    for metric, (rows, amount) in expected.items():
        sums = counted(model, rows, key, 2, amount)
        assert cube.by_period(metric)[0].tolist() == sums, metric
        assert np.array(sums).any(axis=1).all(), f"{metric} has effect for every {kind}"
    assert (cube.total("cash_collected") < cube.total("cash_due")).all()


def test_activities_are_services_ended_times_what_the_stage_says(world):
    model, log, cubes = world
    worth = {"visits": [1000, 2000, 0], "talk_hours": [1250, 0, 500], "proposals": [0, 1000, 0]}
    ended = log.of(Kind.END)
    ended = ended[ended["stage"] < 3]
    for name, thousandths in worth.items():
        amount = lambda row, per=thousandths: per[row["stage"]]  # noqa: E731
        by_stage = counted(model, ended, lambda row: int(row["stage"]), 3, amount)
        assert cubes["stage"].by_period(f"activity:{name}")[0].tolist() == by_stage
        by_rep = counted(model, ended, lambda row: int(row["rep"]), 2, amount)
        assert cubes["rep"].by_period(f"activity:{name}")[0].tolist() == by_rep
        assert np.array(by_rep).all()
    assert len(log.of(Kind.END)) > len(ended), "work on orders and care is no activity of a stage"


def test_waits_of_reps_are_those_of_their_stages(world):
    model, log, cubes = world
    begun = log.of(Kind.START)
    begun = begun[begun["stage"] < 3]
    waits = counted(model, begun, lambda row: int(row["rep"]), 2, lambda row: row["value"])
    assert cubes["rep"].by_period("wait_ticks")[0].tolist() == waits
    assert cubes["rep"].company("started")[0] == cubes["stage"].company("started")[0] == len(begun)
    assert cubes["rep"].company("wait_ticks")[0] == cubes["stage"].company("wait_ticks")[0] > 0


def test_a_world_without_sales_has_no_such_figures():
    made = scenario(sources=[], pipeline=[], accounts=[])
    cubes = reduce(build(made), simulate_logs(made, seed=1)[0])
    assert not cubes["customer"].values.any()
    assert not cubes["segment"].values.any()
    assert cubes["source"].values.shape[2] == 0
