"""Tables out of the log: each sum against the rows that it is made of."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.errors import InputRefused
from scenarios.files import from_document
from sim.frame import joined, work_before
from sim.log import Kind
from sim.model import build
from sim.outcome import joined as joined_outcomes
from sim.reduce import reduce
from sim.run import simulate, simulate_logs
from sim.worktime import clock, from_intervals, work_between

HOUR, DAY = 3_600_000, 86_400_000


def fixed(value):
    return {"family": "fixed", "value": value}


def scenario(**over):
    document = {
        "name": "tables",
        "calendar": {"start": "2026-01-01", "end": "2026-04-01", "hours": ["00:00-24:00"],
                     "workdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]},
        "regions": [{"id": "r"}],
        "teams": [{"id": "t", "region": "r"}],
        "segments": [{"id": "big"}, {"id": "small"}],
        "products": [
            {"id": "box", "value": fixed(10), "gross_margin": 0.3},
            {"id": "key", "value": fixed(20), "key": True},
        ],
        "stages": [
            {"id": "a", "effort_hours": {"family": "exponential", "mean": 8}, "conversion": 0.5,
             "patience_days": {"family": "exponential", "mean": 3}, "activities": {"visits": 1}},
            {"id": "b", "effort_hours": {"family": "exponential", "mean": 9}, "conversion": 0.6,
             "delay_days": {"family": "exponential", "mean": 20}},
            {"id": "after", "effort_hours": fixed(2), "after_win": True},
        ],
        "sources": [{"id": "web", "leads_per_year": 500, "cost_per_lead": 3}, {"id": "fair", "leads_per_year": 300}],
        "tiers": [{"id": "A", "orders_per_year": 8, "order_value": fixed(7), "care_hours_per_year": 50}],
        "account_physics": {
            "order_effort_hours": fixed(5),
            "new_customer": {"id": "n", "orders_per_year": 9, "order_value": fixed(3)},
        },
        "reps": [{"id": "ann", "team": "t"}, {"id": "bob", "team": "t"}, {"id": "cyd", "team": "t"}],
        "accounts": [{"id": f"a{i}", "tier": "A", "region": "r", "owner": "ann"} for i in range(5)],
        "pipeline": [
            {"id": f"p{i}", "stage": "b", "region": "r", "created": "2025-12-20", "owner": "bob", "source": source}
            for i, source in enumerate(["web", None, "fair", "web"])
        ],
    } | over  # fmt: skip
    return from_document(document)


@pytest.fixture(scope="module")
def both():
    world = scenario()
    log = simulate_logs(world, seed=6)[0]
    return world, log, reduce(build(world), log)


def total(cube, metric):
    return cube.total(metric)[0]


def test_money_of_reps_is_money_of_the_log(both):
    _, log, cubes = both
    rep = cubes["rep"]
    for metric, kind in (("revenue", Kind.BOOK), ("recognised", Kind.RECOGNISE), ("cash_collected", Kind.CASH),
                         ("cash_due", Kind.DUE), ("written_off", Kind.WRITE_OFF)):  # fmt: skip
        rows = log.of(kind)
        assert total(rep, metric).tolist() == [rows["value"][rows["rep"] == i].sum() for i in range(3)]
    assert (rep.by_period("new_revenue") + rep.by_period("account_revenue") == rep.by_period("revenue")).all()
    assert rep.company("revenue")[0] > rep.company("new_revenue")[0] > 0
    lines = log.of(Kind.LINE)
    assert lines["value"].sum() == log.of(Kind.BOOK)["value"].sum()
    assert rep.company("gross_margin")[0] == (lines["item"] == 0).sum() * 300
    assert rep.company("key_product_revenue")[0] == (lines["item"] == 1).sum() * 2000


def test_periods_cut_services_in_two(both):
    world, log, cubes = both
    model = build(world)
    rows = log.of(Kind.START)
    bounds = model.periods.bounds.tolist()
    cut = [row for row in rows.tolist() if any(row[0] < bound < row[8] for bound in bounds[1:-1])]
    assert cut, "some service runs over the end of a month"
    expected = np.zeros((3, 3), dtype=np.int64)
    for row in rows.tolist():
        for period in range(3):
            spent = min(row[8], bounds[period + 1]) - max(row[0], bounds[period])
            expected[row[5], period] += max(spent, 0)
    assert (cubes["rep"].by_period("busy_ticks")[0] == expected).all()
    assert (cubes["rep"].by_period("available_ticks")[0] == np.diff(model.periods.bounds)).all()
    parts = cubes["stage"].by_period("busy_ticks")[0].sum(axis=0)
    parts += cubes["rep"].by_period("care_ticks")[0].sum(axis=0) + cubes["rep"].by_period("order_ticks")[0].sum(axis=0)
    assert (parts == expected.sum(axis=0)).all()


def test_leads_count_once_for_the_rep_who_got_them_first(both):
    _, log, cubes = both
    rows = log.of(Kind.ENTER)
    firsts = {}
    arrived = set(log.of(Kind.ARRIVE)["entity"].tolist())
    for row in rows:
        if int(row["entity"]) in arrived:
            firsts.setdefault(int(row["entity"]), int(row["rep"]))
    counts = np.bincount(list(firsts.values()), minlength=3)
    assert total(cubes["rep"], "leads").tolist() == counts.tolist()
    assert counts.sum() == total(cubes["source"], "leads").sum()


def test_an_opportunity_without_source_is_in_no_source_s_table(both):
    _, log, cubes = both
    source = cubes["source"]
    ended = sum(source.company(metric)[0] for metric in ("won", "lost", "cold"))
    # Three of the four opportunities have a source.
    assert source.by_period("open")[0, :, -1].sum() + ended == len(log.of(Kind.ARRIVE)) + 3
    assert (source.by_period("open") >= 0).all()
    assert source.total("cost")[0].tolist() == [source.total("leads")[0, 0] * 300, 0]


def test_stages_count_openings_and_leads_once(both):
    _, log, cubes = both
    stage = cubes["stage"]
    entered = total(stage, "entered")
    assert entered[0] == len(log.of(Kind.ARRIVE))
    assert entered[1] == total(stage, "advanced")[0] + 4
    assert entered[2] == total(stage, "advanced")[1] == len(log.of(Kind.WON))
    assert (stage.by_period("open") >= 0).all()
    left = total(stage, "advanced") + total(stage, "lost") + total(stage, "cold")
    assert (stage.by_period("open")[0, :, -1] == entered - left).all()


def test_products_segments_and_accounts(both):
    _, log, cubes = both
    sales = log.of(Kind.BOOK)
    assert cubes["product"].company("orders")[0] == len(sales[np.isin(sales["item"], (0, 3))])
    in_segments = sales[sales["visit"] >= 0]
    assert cubes["segment"].company("revenue")[0] == in_segments["value"].sum() > 0
    account = cubes["account"]
    assert account.periods == ("horizon",)
    assert (
        account.company("revenue")[0] == sales["value"][sales["item"] == 1].sum() == account.company("orders")[0] * 700
    )
    assert account.company("care_planned_ticks")[0] == log.of(Kind.CARE)["value"].sum()
    assert account.company("care_ticks")[0] <= account.company("care_planned_ticks")[0]


def test_care_of_an_account_counts_effort_and_not_the_rep_s_clock():
    half = [{"id": "ann", "team": "t", "effort_factor": 2.0}]
    world = scenario(reps=half, sources=[], pipeline=[])
    outcome = simulate(world, replications=2, seed=6)
    done = outcome["account"].company("care_ticks")
    assert (outcome["rep"].company("care_ticks") >= 2 * done).all()
    assert (done <= outcome["account"].company("care_planned_ticks")).all()


def test_cycles_run_from_creation_to_the_win(both):
    _, log, cubes = both
    created = {int(row["entity"]): int(row["time"]) for row in log.of(Kind.ARRIVE)}
    created |= {int(row["entity"]): int(row["extra"]) for row in log.of(Kind.OPEN)}
    won = log.of(Kind.WON)
    assert (won["time"] < 90 * DAY).all()
    assert cubes["rep"].company("cycle_ticks")[0] == sum(int(row["time"]) - created[int(row["entity"])] for row in won)


def test_a_large_margin_does_not_overflow():
    product = [{"id": "plane", "value": fixed(30_000_000_000.0), "gross_margin": 0.123456}]
    world = scenario(products=product, accounts=[], pipeline=[])
    rep = simulate(world, replications=1, seed=6)["rep"]
    assert rep.company("gross_margin")[0] == rep.company("new_customers")[0] * 370_368_000_000
    assert rep.company("new_customers")[0] > 5


def test_work_before_agrees_with_the_compiled_clock():
    columns = clock(from_intervals([(3, 9), (12, 20), (30, 31)]))
    ticks = np.arange(-2, 40)
    expected = [work_between(*columns, 0, int(tick)) for tick in ticks]
    assert work_before(columns, ticks).tolist() == expected
    nothing = clock(from_intervals([]))
    assert work_before(nothing, ticks).tolist() == [0] * len(ticks)


def test_joined_looks_up_by_identity():
    known = np.array([2**63 + 1, 5, 9], dtype=np.uint64)
    values = np.array([10, 20, 30], dtype=np.int32)
    assert joined(np.array([9, 2**63 + 1], dtype=np.uint64), known, values).tolist() == [30, 10]


def test_outcomes_join_only_where_they_follow_on():
    world = scenario()
    first, second = simulate(world, replications=2, seed=6), simulate(world, replications=2, first=2, seed=6)
    whole = simulate(world, replications=4, seed=6)
    assert joined_outcomes([second, first]).content_hash() == whole.content_hash()
    with pytest.raises(ValueError, match="does not follow on"):
        joined_outcomes([first, simulate(world, replications=1, first=3, seed=6)])
    with pytest.raises(ValueError, match="of the same world"):
        joined_outcomes([first, simulate(world, replications=1, first=2, seed=7)])


def test_unknown_names_are_refused_with_the_known_ones():
    outcome = simulate(scenario(), replications=1, seed=6)
    with pytest.raises(InputRefused, match=r"known: rep, stage"):
        outcome["planet"]
    with pytest.raises(InputRefused, match=r"known: revenue"):
        outcome["rep"].total("glory")


def test_a_world_without_anything_to_sell_has_empty_tables():
    world = scenario(products=[], segments=[], sources=[], tiers=[], account_physics=None, accounts=[], pipeline=[])
    outcome = simulate(world, replications=2, seed=1)
    assert outcome["rep"].company("revenue").tolist() == [0, 0]
    assert outcome["source"].values.shape[2] == 0
    assert outcome["stage"].company("entered").tolist() == [0, 0]
