"""Which task a rep takes next, and what becomes of leads that wait too long."""

from __future__ import annotations

import numpy as np

from sim.log import Kind
from small_worlds import DAY, HOUR, deals, exponential, fixed, holds, logs, stage, started, the_log, world

# ---- queues --------------------------------------------------------------------------------------------------------


def test_first_come_first_served():
    log = the_log(world(sources=[{"id": "web", "leads_per_year": 9000}], calendar={"end": "2026-02-01"}))
    rows = started(log)
    assert rows["value"].max() > HOUR
    entered = rows["time"] - rows["value"]
    assert (np.diff(entered) >= 0).all()


def test_late_stages_first():
    scenario = world(
        stages=[stage(), stage(id="close")],
        queue="late_stage_first",
        pipeline=[
            *deals(3, owner="ann"),
            *({**deal, "id": "late " + deal["id"], "stage": "close"} for deal in deals(3, owner="ann")),
        ],
    )
    order = [int(row["stage"]) for row in the_log(scenario).of(Kind.START)]
    assert order == [1, 1, 1, 0, 1, 0, 1, 0, 1]


def test_the_most_valuable_first():
    pipeline = [
        deal | {"value": value} for deal, value in zip(deals(4, owner="ann"), (100, 400, 300, 200), strict=True)
    ]
    log = the_log(world(queue="value_first", pipeline=pipeline))
    assert [log.leads[entity].value for entity in started(log)["entity"].tolist()] == [400_00, 300_00, 200_00, 100_00]


def test_the_best_tier_first():
    tiers = [
        {"id": "C", "rank": 2, "orders_per_year": 300, "order_value": fixed(1)},
        {"id": "A", "rank": 0, "orders_per_year": 300, "order_value": fixed(2)},
    ]
    scenario = world(
        queue="tier_first",
        tiers=tiers,
        account_physics={"order_effort_hours": fixed(12)},
        accounts=[{"id": name, "tier": name, "region": "r", "owner": "ann"} for name in "CA"],
        calendar={"end": "2026-04-01"},
    )
    log = the_log(scenario)
    rows = started(log, 1)
    waited = {
        value: rows["value"][[log.leads[e].value == value for e in rows["entity"].tolist()]].mean()
        for value in (100, 200)
    }
    assert waited[200] < 0.5 * waited[100]
    done = log.of(Kind.BOOK)["value"].tolist()
    assert done.count(200) > 0.9 * sum(lead.value == 200 for lead in log.leads.values())


# ---- patience, recycling, pools ------------------------------------------------------------------------------------


def test_a_lead_goes_cold_at_its_deadline_to_the_tick():
    scenario = world(
        stages=[stage(effort_hours=fixed(30), patience_days=fixed(1))], pipeline=deals(2, owner="ann", value=70)
    )
    log = the_log(scenario)
    cold = log.of(Kind.COLD)
    assert cold[["time", "extra", "value", "rep"]].tolist() == [(DAY, DAY, 70_00, 0)]
    assert len(started(log)) == 1


def test_a_deadline_on_the_tick_of_the_opening_is_too_late():
    scenario = world(stages=[stage(effort_hours=fixed(24), patience_days=fixed(1))], pipeline=deals(2, owner="ann"))
    log = the_log(scenario)
    assert log.of(Kind.END)["time"].tolist() == [DAY]
    assert log.of(Kind.COLD)["time"].tolist() == [DAY]


def test_cold_leads_come_back_after_a_rest():
    busy = deals(1, owner="ann")
    recycle = {"probability": 1.0, "rest_days": fixed(3), "max_times": 2}
    scenario = world(
        stages=[stage(effort_hours=fixed(24 * 300), patience_days=fixed(1), recycle=recycle)],
        pipeline=[*busy, deals(2, owner="ann")[1]],
    )
    log = the_log(scenario)
    assert (log.of(Kind.REST)["time"] // DAY).tolist() == [1, 5]
    assert (log.of(Kind.ENTER)["time"] // DAY).tolist() == [0, 0, 4, 8]
    assert (log.of(Kind.COLD)["time"] // DAY).tolist() == [9]
    assert log.of(Kind.REST)["rep"].tolist() == [0, 0]


def test_half_of_the_cold_leads_come_back():
    recycle = {"probability": 0.5, "rest_days": exponential(3)}
    scenario = world(
        stages=[stage(patience_days=fixed(1), recycle=recycle)],
        reps=[{"id": "ann", "team": "t", "hired": "2026-12-31"}],
        sources=[{"id": "web", "leads_per_year": 300, "last_day": "2026-11-01"}],
    )
    found = logs(scenario, 20)
    holds([len(log.of(Kind.REST)) - len(log.of(Kind.ARRIVE)) / 2 for log in found], 0)


def test_a_cold_lead_may_go_to_the_pool_once():
    scenario = world(
        reps=[{"id": "ann", "team": "t"}, {"id": "bob", "team": "t"}],
        stages=[stage(effort_hours=fixed(60), patience_days=fixed(2), when_cold="pool")],
        pipeline=deals(3, owner="ann"),
    )
    log = the_log(scenario)
    assert log.of(Kind.RETURN)[["time", "rep", "extra"]].tolist() == [(2 * DAY, 0, 2 * DAY)] * 2
    # Bob takes the first, and Ann the second once she is done; nobody is left.
    assert [(row["time"] // HOUR, row["rep"]) for row in started(log)] == [(0, 0), (48, 1), (60, 0)]
    assert len(log.of(Kind.COLD)) == 0


def test_an_unworked_lead_returns_to_the_pool():
    scenario = world(
        reps=[{"id": "ann", "team": "t"}, {"id": "bob", "team": "t"}],
        stages=[stage(effort_hours=fixed(24 * 30))],
        pipeline=deals(3, owner="ann"),
        routing={"policy": "even", "return_to_pool_days": 5},
    )
    log = the_log(scenario)
    assert log.of(Kind.RETURN)[["time", "rep", "extra"]].tolist() == [(5 * DAY, 0, 5 * DAY)] * 2
    assert [(row["time"] // DAY, row["rep"], row["value"] // DAY) for row in started(log)] == [
        (0, 0, 0),
        (5, 1, 5),
        (30, 0, 30),
    ]
