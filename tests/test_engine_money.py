"""Products, cash, activities and after-sales work, and the opportunities open at the start."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.log import Kind
from sim.run import simulate
from small_worlds import DAY, HOUR, THREE, deals, exponential, fixed, holds, logs, stage, the_log, world

# ---- products and money --------------------------------------------------------------------------------------------


def test_products_attach_at_their_rate():
    products = [
        {"id": "box", "value": fixed(100), "attach": [{"product": "care", "probability": 0.35}], "gross_margin": 0.5},
        {"id": "care", "value": fixed(20), "key": True},
    ]
    scenario = world(
        products=products, sources=[{"id": "web", "leads_per_year": 300, "products": {"box": 1}}],
        stages=[stage(effort_hours=fixed(0.1))],
    )  # fmt: skip
    outcome = simulate(scenario, replications=40, seed=3)
    sold = outcome["product"].total("orders")
    holds(sold[:, 1] - 0.35 * sold[:, 0], 0)
    assert (outcome["rep"].company("key_product_revenue") == sold[:, 1] * 20_00).all()
    assert (outcome["rep"].company("gross_margin") == sold[:, 0] * 50_00).all(), "of the product with a known margin"


def test_instalments_fall_due_and_are_paid_late_or_never():
    cash = {
        "instalments": [{"share": 0.3, "due_days": 0}, {"share": 0.6, "due_days": 60}, {"share": 0.1, "due_days": 300}],
        "delay_days": fixed(20),
        "collection_probability": 0.9,
        "recognition": "straight_line",
        "recognition_months": 4,
    }
    scenario = world(cash=cash, pipeline=deals(40, owner="ann", value=99.99))
    found = logs(scenario, 30)
    log = found[0]
    booked = int(log.of(Kind.BOOK)["value"].sum())
    assert booked == 40 * 99_99
    assert sorted({int(value) for value in log.of(Kind.DUE)["value"]}) == [1000, 3000, 5999]
    assert log.of(Kind.RECOGNISE)["value"].sum() == booked
    for row in log.of(Kind.CASH, Kind.WRITE_OFF):
        due = log.of(Kind.DUE)
        same = due[(due["entity"] == row["entity"]) & (due["visit"] == row["visit"])]
        assert row["time"] - same["time"][0] == 20 * DAY
    paid = log.of(Kind.CASH)["value"].sum() + log.of(Kind.WRITE_OFF)["value"].sum()
    assert paid == booked, "all fell due within the horizon"
    holds([log.of(Kind.CASH)["value"].sum() / booked for log in found], 0.9)


def test_activities_are_logged_for_each_service():
    scenario = world(
        stages=[stage(activities={"visits": 1, "calls": 2.5}), stage(id="close", activities={"visits": 0.3})],
        pipeline=deals(10, owner="ann"),
    )
    reps = simulate(scenario, replications=1, seed=3)["rep"]
    assert reps.company("activity:visits")[0] == 10 * 1300
    assert reps.company("activity:calls")[0] == 10 * 2500


def test_after_sales_work_takes_hours_and_decides_nothing():
    scenario = world(
        stages=[stage(), stage(id="care", effort_hours=fixed(7), conversion=None, after_win=True)],
        pipeline=deals(2, owner="ann", value=1),
    )
    outcome = simulate(scenario, replications=1, seed=3)
    assert outcome["rep"].company("orders")[0] == 2
    assert outcome["rep"].company("busy_ticks")[0] == 16 * HOUR
    assert outcome["stage"].total("advanced")[0].tolist() == [2, 2]


# ---- the opening pipeline ------------------------------------------------------------------------------------------


def test_a_silent_customer_s_answer_is_conditioned_on_the_silence():
    """Delays are exponential: a yes after 10 days on average, a no after 40. Silent for 30 days."""
    chance, yes, no, silent = 0.5, 10.0, 40.0, 30.0
    scenario = world(
        stages=[stage(conversion=chance, delay_days=exponential(yes), loss_delay_days=exponential(no))],
        pipeline=deals(200, created="2025-12-02", owner="ann", value=1),
    )
    still_yes, still_no = chance * math.exp(-silent / yes), (1 - chance) * math.exp(-silent / no)
    expected = still_yes / (still_yes + still_no)
    found = logs(scenario, 25)
    holds([len(log.of(Kind.WON)) / 200 for log in found], expected)
    # Exponential delays forget: the rest of a yes lasts as long as a whole one.
    won = [log.of(Kind.WON)["time"] / DAY for log in found]
    holds([days.mean() for days in won if len(days)], yes)
    assert all(len(log.of(Kind.START)) == 0 for log in found)


def test_the_rest_of_a_delay_that_remembers():
    """Uniform between 20 and 40 days, silent for 30: evenly within the next ten."""
    delay = {"family": "uniform", "low": 20, "high": 40}
    scenario = world(stages=[stage(delay_days=delay)], pipeline=deals(100, created="2025-12-02", owner="ann"))
    days = [log.of(Kind.WON)["time"] / DAY for log in logs(scenario, 20)]
    assert all(found.min() >= 0 and found.max() <= 10 for found in days)
    holds([found.mean() for found in days], 5)
    holds([np.mean(found < 2.5) for found in days], 0.25)


def test_where_customers_answer_at_once_an_old_opportunity_awaits_work():
    log = the_log(world(pipeline=deals(3, created="2025-11-01", owner="ann")))
    assert log.of(Kind.START)["time"].tolist() == [0, HOUR, 2 * HOUR]


@pytest.mark.parametrize(
    "reps",
    [THREE, [{"id": "ann", "team": "t", "hired": "2026-08-01"}, {"id": "bob", "team": "t", "hired": "2026-07-01"}]],
)
def test_money_of_an_opportunity_without_owner_is_somebody_s(reps):
    scenario = world(reps=reps, stages=[stage(delay_days=fixed(50))], pipeline=deals(9, created="2025-12-02", value=10))
    log = the_log(scenario)
    booked = set(log.of(Kind.BOOK)["rep"].tolist())
    assert booked == {1} if len(reps) == 2 else booked <= {0, 1, 2}
    assert simulate(scenario, replications=1, seed=3)["rep"].company("revenue")[0] == 9 * 10_00
