"""Leaving by hazard, replacement, forgetting, motivation, credit and ownership, in worlds whose answer is known."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from optimize.phasing import Period, training_kept, training_left
from scenarios import physics
from scenarios.errors import InputRefused
from scenarios.files import from_document, load
from scenarios.plan import Plan, QuotaRow, TrainingRow
from scenarios.today import today_plan
from sim.credit import divided
from sim.log import Kind, Log
from sim.model import build
from sim.reduce import reduce
from sim.rules_people import attrition_time, part_of
from sim.run import simulate, simulate_logs
from sim.statistics import mean_interval, wilson
from sim.streams import identity, replication_key

HOUR, DAY = 3_600_000, 86_400_000
YEAR = 365 * DAY
SURE = 0.9999
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def fixed(value: float) -> dict[str, Any]:
    return {"family": "fixed", "value": value}


def world(plan: Plan | None = None, **over: Any):
    """One rep who always works, one stage of an hour, no leads, a year."""
    calendar = {"start": "2026-01-01", "end": "2027-01-01", "hours": ["00:00-24:00"], "workdays": WEEK}
    document = {
        "name": "small",
        "calendar": calendar | over.pop("calendar", {}),
        "regions": [{"id": "r"}],
        "teams": [{"id": "t", "region": "r"}],
        "stages": [{"id": "sell", "effort_hours": fixed(1), "conversion": 1.0}],
        "reps": [{"id": "ann", "team": "t"}],
    } | over
    return from_document(document).with_plan(plan)


def deals(count: int, **over: Any) -> list[dict[str, Any]]:
    return [{"id": f"d{i:03d}", "stage": "sell", "region": "r", "created": "2026-01-01"} | over for i in range(count)]


def logs(scenario, replications: int) -> list[Log]:
    return simulate_logs(scenario, replications=replications, seed=3)


def holds(sample, expected: float) -> None:
    interval = mean_interval(np.asarray(sample, dtype=float), SURE)
    assert not interval.excludes(expected), f"{interval} misses {expected:g}"


def hours(count: int, made: int = 24) -> list[int]:
    return [made * HOUR * i for i in range(count)]


# ---- leaving ----------------------------------------------------------------------------------------------------


def test_the_chance_to_leave_within_a_year_is_the_one_given():
    gone = sum(len(log.of(Kind.LEAVE)) for log in logs(world(reps=[{"id": "ann", "team": "t",
                                                                    "attrition_per_year": 0.3}]), 400))  # fmt: skip
    interval = wilson(gone, 400, SURE)
    assert not interval.excludes(0.3)


def test_time_to_leaving_is_exponential_and_keyed_by_person():
    key, rep = replication_key(3, 0), identity("ann")
    times = [attrition_time(key, rep, 0, number, 0.3) / YEAR for number in range(3000)]
    holds(times, -1 / math.log(0.7))
    assert attrition_time(key, rep, 7 * DAY, 5, 0.3) == attrition_time(key, rep, 0, 5, 0.3) + 7 * DAY
    assert physics.years_until(0.7, 0.3) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("chance", [0.5, 0.9])
def test_the_earlier_of_a_known_and_a_drawn_leaving_counts(chance):
    rep = {"id": "ann", "team": "t", "attrition_per_year": chance, "leaves": "2026-07-01"}
    drawn = [int(attrition_time(replication_key(3, i), identity("ann"), 0, 0, chance)) for i in range(40)]
    left = [log.of(Kind.LEAVE)["time"].tolist() for log in logs(world(reps=[rep]), 40)]
    assert left == [[min(tick, 181 * DAY)] for tick in drawn]
    assert len({tick < 181 * DAY for tick in drawn}) == 2, "both kinds are met"


def test_a_running_task_is_finished_before_somebody_leaves_and_waiting_ones_move():
    long = [{"id": "sell", "effort_hours": fixed(24 * 30), "conversion": 1.0}]
    reps = [
        {"id": "ann", "team": "t", "attrition_per_year": 0.9, "successor": "bob"},
        {"id": "bob", "team": "t", "lead_weight": 0.0},
    ]
    met = 0
    for number, log in enumerate(logs(world(stages=long, reps=reps, pipeline=deals(9, owner="ann")), 30)):
        notice = int(attrition_time(replication_key(3, number), identity("ann"), 0, 0, 0.9))
        if notice >= 8 * 30 * DAY:
            continue
        met += 1
        ends = math.ceil(notice / (30 * DAY)) * 30 * DAY
        assert log.of(Kind.LEAVE)["time"].tolist() == [ends]
        begun = log.of(Kind.START)
        done = ends // (30 * DAY)
        assert begun[begun["rep"] == 0]["time"].tolist() == hours(done, 30 * 24)
        assert begun[begun["rep"] == 1]["time"].tolist()[0] == ends
    assert met > 10


def test_accounts_of_a_leaver_go_to_a_colleague_with_the_handover_loss():
    small = {
        "tiers": [{"id": "A", "orders_per_year": 200, "order_value": fixed(100)}],
        "account_physics": {"order_effort_hours": fixed(0), "handover_loss": 0.5},
        "accounts": [{"id": "acme", "tier": "A", "region": "r", "owner": "ann"}],
    }
    reps = [{"id": "ann", "team": "t", "attrition_per_year": 0.999999}, {"id": "bob", "team": "t"}]
    rates = []
    for log in logs(world(reps=reps, **small), 40):
        left = int(log.of(Kind.LEAVE)["time"][0])
        moved = log.of(Kind.ASSIGN)
        assert moved["rep"].tolist() == [1]
        assert moved["time"].tolist() == [left]
        # Expected orders are reckoned from the next month on.
        later = log.of(Kind.ORDER)["time"] > left + 31 * DAY
        rates.append(later.sum() / ((YEAR - left - 31 * DAY) / YEAR))
    holds(rates, 100)


def test_a_new_hire_fills_the_seat_after_exactly_the_delay_and_ramps_up():
    rep = {"id": "ann", "team": "t", "level": "mid", "effort_factor": 0.5, "attrition_per_year": 0.9999999,
           "replacement_delay_days": 20, "skills": {"negotiation": 90}}  # fmt: skip
    skills = {
        "levels": [{"id": "mid", "skills": {}, "effort_factor": 2.0}],
        "ramp": {"pace_by_month": [0.25, 0.5]},
        "effort_log_per_point": 0.0,
    }
    scenario = world(reps=[rep], skills=skills, pipeline=deals(1500, owner="ann"))
    seen = set()
    for log in logs(scenario, 8):
        leaves, joins = log.of(Kind.LEAVE)["time"].tolist(), log.of(Kind.JOIN)["time"].tolist()
        assert joins == [tick + 20 * DAY for tick in leaves][: len(joins)]
        assert len(leaves) - len(joins) in (0, 1)
        begun = log.of(Kind.START)
        length = (begun["extra"] - begun["time"]) / HOUR
        person = np.searchsorted(np.array(leaves), begun["time"], side="right")
        assert (length[person == 0] == 1.0).all(), "level 2 x own 0.5"
        for number, joined in enumerate(joins, start=1):
            mine = person == number
            month = np.minimum((begun["time"][mine] - joined) // (YEAR // 12), 2)
            assert (length[mine] == np.array([8.0, 4.0, 2.0])[month]).all()
            seen |= set(month.tolist())
    assert seen == {0, 1, 2}


def test_hours_available_are_those_of_whoever_is_there():
    rep = {"id": "ann", "team": "t", "attrition_per_year": 0.9999, "replacement_delay_days": 25}
    long = [{"id": "sell", "effort_hours": fixed(6), "conversion": 1.0}]
    pipeline = deals(1500, owner="ann")
    scenario = world(stages=long, reps=[rep], pipeline=pipeline, calendar={"holidays": ["2026-03-03"]})
    model = build(scenario)
    for log in logs(scenario, 10):
        cube = reduce(model, log)["rep"]
        leaves, joins = log.of(Kind.LEAVE)["time"].tolist(), log.of(Kind.JOIN)["time"].tolist()
        away = sum(min(b, YEAR) - a for a, b in zip(leaves, [*joins, YEAR], strict=False))
        closed = any(a <= 61 * DAY and b >= 62 * DAY for a, b in zip(leaves, [*joins, YEAR], strict=False))
        part = not closed and any(61 * DAY < tick < 62 * DAY for tick in [*leaves, *joins])
        if not part:
            assert cube.total("available_ticks")[0, 0] == YEAR - away - (0 if closed else DAY)
        assert (cube.by_period("busy_ticks") <= cube.by_period("available_ticks")).all()
        # There is always work, so only an end cut off by leaving or the ramp's own task leaves hours idle.
        assert cube.total("busy_ticks")[0, 0] == cube.total("available_ticks")[0, 0]


def test_a_known_leaver_is_replaced_too():
    rep = {"id": "ann", "team": "t", "leaves": "2026-02-01", "replacement_delay_days": 10}
    log = logs(world(reps=[rep], pipeline=deals(2000, owner="ann")), 1)[0]
    assert log.of(Kind.LEAVE)["time"].tolist() == [31 * DAY]
    assert log.of(Kind.JOIN)["time"].tolist() == [41 * DAY]
    begun = log.of(Kind.START)["time"]
    assert not ((begun >= 31 * DAY) & (begun < 41 * DAY)).any()
    assert (begun >= 41 * DAY).any()


def test_training_after_leaving_is_not_given():
    rows = (TrainingRow("ann", "negotiation", date(2026, 1, 1), date(2027, 1, 1), 48.0),)
    rep = {"id": "ann", "team": "t", "attrition_per_year": 0.9, "replacement_delay_days": 1}
    for log in logs(world(Plan("t", training=rows), reps=[rep]), 8):
        left = [*log.of(Kind.LEAVE)["time"].tolist(), YEAR][0]
        assert (log.of(Kind.TRAINED)["time"] <= left).all()
    everybody = logs(world(Plan("t", training=rows)), 1)[0]
    assert everybody.of(Kind.TRAINED)["value"].sum() == 48 * HOUR


def test_certain_attrition_is_refused():
    with pytest.raises(InputRefused, match="attrition_per_year"):
        world(reps=[{"id": "ann", "team": "t", "attrition_per_year": 1.0}])
    with pytest.raises(InputRefused, match="replacement_delay_days"):
        world(reps=[{"id": "ann", "team": "t", "replacement_delay_days": -1}])


# ---- forgetting -------------------------------------------------------------------------------------------------


def test_a_share_of_the_gain_is_forgotten_each_month():
    """Skill points after n month boundaries: gain x 0.8 ** n, read from the pace of the work."""
    rows = (TrainingRow("ann", "negotiation", date(2026, 1, 1), date(2026, 1, 2), 8.0),)
    skills = {"dimensions": ["negotiation", "learning_ability"], "effort_log_per_point": 0.01,
              "training": {"decay_per_month": 0.2, "max_gain_points": 20, "hours_scale": 10}}  # fmt: skip
    stages = [{"id": "sell", "effort_hours": fixed(1), "conversion": 1.0, "skill_weights": {"negotiation": 1}}]
    model = build(world(Plan("t", training=rows), skills=skills, stages=stages))
    gain = 20 * (1 - math.exp(-0.8))
    months = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365]
    trained = [start for start in model.reps.epoch_start.tolist() if 0 < start < 2 * DAY]
    assert model.reps.epoch_start.tolist() == [0, *trained, *[day * DAY for day in months[1:]]]
    points = model.reps.skill[1 + len(trained) - 1 :, 0] - 60
    assert points == pytest.approx([gain * 0.8**n for n in range(13)], rel=1e-12)


def test_forgetting_starts_anew_on_what_is_learnt_later():
    rows = tuple(TrainingRow("ann", "negotiation", date(2026, month, 1), date(2026, month, 2), 4.0) for month in (1, 3))
    skills = {"dimensions": ["negotiation", "learning_ability"],
              "training": {"decay_per_month": 0.5, "max_gain_points": 20, "hours_scale": 4}}  # fmt: skip
    model = build(world(Plan("t", training=rows), skills=skills))
    first = 20 * (1 - math.exp(-1)) * 0.25
    second = 20 - (20 - first) * math.exp(-1)
    at = np.searchsorted(model.reps.epoch_start, 60 * DAY, side="right") - 1
    assert model.reps.skill[at, 0] == pytest.approx(60 + second / 2, rel=1e-12), "two skills of equal weight"
    assert model.reps.skill[-1, 0] == pytest.approx(60 + second * 0.5**10 / 2, rel=1e-12)


def test_two_trainings_are_one_of_both_hours():
    once = physics.training_gain(30, 12, 83, 1.2)
    assert physics.gain_after(physics.training_gain(10, 12, 83, 1.2), 20, 12, 83, 1.2) == pytest.approx(once)
    assert physics.gain_kept(5.0, 0.0, 40) == 5.0
    assert physics.gain_kept(5.0, 1.0, 1) == 0.0


def test_the_allocator_counts_with_what_is_left_on_average():
    """Training in the first half of four quarters: nine months are left, in the first of which nothing is forgotten."""
    days = [date(2026, 1, 1), date(2026, 4, 1), date(2026, 7, 1), date(2026, 10, 1), date(2027, 1, 1)]
    quarters = [Period(str(first), first, end) for first, end in pairwise(days)]
    left, _ = training_left(quarters, (0, 1), days[0], days[-1])
    assert training_kept(left, 0.2) == pytest.approx((1 - 0.8**9) / 0.2 / 9, rel=1e-12)
    assert training_kept(left, 0.0) == 1.0


# ---- motivation -------------------------------------------------------------------------------------------------

REACTION = (0.4, 0.7, 1.0, 0.15, 0.2, 0.1, 0.1)


@pytest.mark.parametrize(
    ("attainment", "elapsed", "pace"),
    [
        (0.0, 0.0, 1.0),
        (0.0, 0.09, 1.0),
        (0.0, 0.1, 0.85),
        (0.19, 0.5, 0.85),
        (0.2, 0.5, 1.0),
        (0.34, 0.5, 1.0),
        (0.35, 0.5, 1.15),
        (0.99, 0.5, 1.15),
        (1.0, 0.5, 0.85),
        (1.0, 0.05, 0.85),
        (0.95, 0.95, 1.35),
        (0.5, 0.95, 1.2),
        (0.1, 0.95, 0.85),
        (1.2, 0.95, 0.85),
    ],
)
def test_the_pace_by_the_distance_from_quota(attainment, elapsed, pace):
    assert physics.motivated_pace(attainment, elapsed, *REACTION) == pytest.approx(pace, rel=1e-12)


def quota(value: int, end: date = date(2026, 4, 11), rep: str = "ann") -> QuotaRow:
    return QuotaRow(rep, "revenue", date(2026, 1, 1), end, value)


def motivated(*rows: QuotaRow, **over: Any):
    """Deals of 1 each, one a day, over a quota of a hundred days; reps twice as fast or slow as they react."""
    return world(
        Plan("quota", targets=rows),
        motivation={"pace_change": 0.5, "judged_after": 0.0},
        stages=[{"id": "sell", "effort_hours": fixed(24), "conversion": 1.0}],
        pipeline=deals(300, owner="ann", value=1),
        **over,
    )


def lengths(log: Log) -> list[float]:
    rows = log.of(Kind.START)
    return ((rows["extra"] - rows["time"]) / DAY).tolist()


def test_a_rep_coasts_once_the_quota_is_met():
    done = lengths(logs(motivated(quota(400)), 1)[0])
    # The first deal at the usual pace; then ahead of the quota, one and a half times as fast; four are the quota.
    assert done[:4] == pytest.approx([1.0, 2 / 3, 2 / 3, 2 / 3])
    assert done[4] == 2.0
    assert done[-1] == 1.0, "after the quota's period nothing is asked"


def test_a_rep_gives_up_far_below_the_quota():
    done = lengths(logs(motivated(quota(100_000)), 1)[0])
    assert done[0] == 1.0
    assert done[1] == 2.0
    assert done[10] == 2.0


def test_the_end_of_the_period_is_pushed():
    scenario = motivated(quota(13_000))
    pushing = from_document(
        scenario.document() | {"motivation": {"pace_change": 0, "period_end_push": 1.0, "push_share": 0.3}}
    ).with_plan(scenario.plan)
    rows = logs(pushing, 1)[0].of(Kind.START)
    length = (rows["extra"] - rows["time"]) / DAY
    pushed = (rows["time"] >= 70 * DAY) & (rows["time"] < 100 * DAY)
    assert set(length[pushed].tolist()) == {0.5}
    assert set(length[~pushed].tolist()) == {1.0}


@pytest.mark.parametrize("rows", [(), (quota(0),), (replace(quota(100), metric="orders"),)])
def test_who_has_no_revenue_quota_works_as_ever(rows):
    assert set(lengths(logs(motivated(*rows), 1)[0])) == {1.0}


def test_unclear_quotas_are_refused_only_where_they_matter():
    rows = (quota(100), quota(100, date(2027, 1, 1)))
    with pytest.raises(InputRefused, match="overlaps"):
        build(motivated(*rows))
    build(world(Plan("labels", targets=rows)))
    with pytest.raises(InputRefused, match="stretch_above"):
        world(motivation={"give_up_below": 0.9})
    with pytest.raises(InputRefused, match="pace_change"):
        world(motivation={"pace_change": 1.0})


def test_quotas_are_part_of_the_simulated_decisions_only_with_motivation():
    low, high = Plan("low", targets=(quota(100),)), Plan("high", targets=(quota(900),))
    plain, moved = world(), world(motivation={})
    assert plain.simulation_hash(low) == plain.simulation_hash(high)
    assert moved.simulation_hash(low) != moved.simulation_hash(high)
    assert simulate(moved.with_plan(low), replications=1).plan == moved.simulation_hash(low)


def sales_by_level(levels, replications):
    scenario = load("motivation")
    plan = today_plan(scenario)
    out = []
    for level in levels:
        rows = [replace(row, value=round(row.value * level)) for row in plan.targets]
        found = simulate(scenario.with_plan(plan.with_rows(targets=rows)), replications=replications, seed=5)
        out.append(found["rep"].company("revenue") / 1e8)
    return out


def higher(better, worse, confidence: float) -> bool:
    return mean_interval(better - worse, confidence).low > 0


def test_raising_quotas_past_a_peak_lowers_sales():
    low, middle, high = sales_by_level((0.1, 1.0, 4.0), 16)
    assert higher(middle, low, 0.99)
    assert higher(middle, high, 0.99)


@pytest.mark.slow
def test_the_peak_lies_inside():
    levels = (0.1, 0.25, 0.5, 0.75, 0.9, 1.1, 1.5, 2.0, 4.0)
    found = sales_by_level(levels, 60)
    best = max(range(len(levels)), key=lambda i: found[i].mean())
    assert 0 < best < len(levels) - 1
    assert all(higher(found[best], found[end], SURE) for end in (0, 1, -2, -1))


# ---- credit -----------------------------------------------------------------------------------------------------

FUNNEL = [
    {"id": "sell", "role": "dev", "effort_hours": fixed(1), "conversion": 1.0},
    {"id": "close", "role": "closer", "effort_hours": fixed(1), "conversion": 1.0},
]
TEAM = [{"id": "dora", "team": "t", "role": "dev"}, {"id": "carl", "team": "t", "role": "closer"}]


def shared(shares: dict[str, float], **over: Any):
    roles = [{"id": "dev"}, {"id": "closer"}, {"id": "manager"}]
    return world(roles=roles, stages=FUNNEL, reps=TEAM, credit={"shares": shares},
                 pipeline=deals(5, owner="dora", value="100.01"), **over)  # fmt: skip


def test_credit_is_divided_by_role_and_adds_up():
    found = simulate(shared({"dev": 0.3, "closer": 0.7}), replications=1)["rep"]
    first, second = found.total("revenue")[0].tolist()
    assert first + second == 5 * 10_001
    assert sorted((first, second)) == sorted((first, 5 * 10_001 - first))
    assert abs(first - 0.3 * 50_005) <= 5
    for metric in ("recognised", "cash_collected", "cash_due", "new_revenue"):
        assert found.total(metric)[0].tolist() == [first, second], metric
    assert found.total("orders")[0].tolist() == [0, 5], "a sale is counted once, with who signed it"


def test_the_share_of_a_role_that_did_not_work_goes_to_the_others():
    without = simulate(shared({"dev": 0.2, "closer": 0.2, "manager": 0.6}), replications=1)["rep"]
    assert abs(np.diff(without.total("revenue")[0])[0]) <= 5
    alone = simulate(shared({"manager": 1.0}), replications=1)["rep"]
    assert alone.total("revenue")[0].tolist() == [0, 50_005]
    given = simulate(shared({"dev": 1.0}), replications=1)["rep"]
    assert given.total("revenue")[0].tolist() == [50_005, 0]


def test_company_totals_do_not_know_of_credit():
    split, whole = (simulate(shared(shares), replications=1) for shares in ({"dev": 0.37, "closer": 0.63},
                                                                           {"closer": 1.0}))  # fmt: skip
    for kind, metric in (("rep", "revenue"), ("rep", "orders"), ("rep", "cash_collected"), ("stage", "advanced")):
        assert split[kind].company(metric).tolist() == whole[kind].company(metric).tolist()


def test_parts_are_exact_for_any_amount():
    assert divided(((0, 0.1), (1, 0.2), (2, 0.7)), {0: 5, 2: 6}) == [(5, 125_000), (6, 1_000_000)]
    assert divided(((0, 1.0),), {1: 5}) == []
    for amount in (0, 1, 3, 10**17 + 7, 2**62):
        assert part_of(amount, 1_000_000) == amount
        assert part_of(amount, 333_333) == amount * 333_333 // 1_000_000


def test_credited_sales_count_towards_the_quota():
    scenario = from_document(
        shared({"dev": 1.0}).document() | {"motivation": {"pace_change": 0.5, "judged_after": 0.0}}
    ).with_plan(Plan("q", targets=(quota(100, rep="dora"),)))
    rows = logs(scenario, 1)[0].of(Kind.START)
    mine = rows[rows["rep"] == 0]
    assert ((mine["extra"] - mine["time"]) / HOUR).tolist() == [1.0, 2.0, 2.0, 2.0, 2.0]
    # She gives up in the second hour, since nothing is closed yet, then coasts on what the closer signs.


def test_bad_shares_are_refused():
    with pytest.raises(InputRefused, match="sum to 1"):
        shared({"dev": 0.3, "closer": 0.3})
    with pytest.raises(InputRefused, match="ghost"):
        shared({"ghost": 1.0})


# ---- hand-offs and owners ---------------------------------------------------------------------------------------


def three_roles(owner_role: str | None = "manager", **over: Any):
    """Development rep -> closer -> account manager, two closers and three managers."""
    people = [("dora", "dev"), ("carl", "closer"), ("cleo", "closer"), *((f"max{i}", "manager") for i in range(3))]
    physics = {"order_effort_hours": fixed(0.5), "new_customer": {"id": "n", "orders_per_year": 6,
               "order_value": fixed(10)}}  # fmt: skip
    return world(
        roles=[{"id": "dev"}, {"id": "closer"}, {"id": "manager"}],
        stages=FUNNEL,
        reps=[{"id": name, "team": "t", "role": role} for name, role in people],
        account_physics=physics | ({"owner_role": owner_role} if owner_role else {}),
        pipeline=deals(60, owner="dora", value=100),
        **over,
    )


def test_won_customers_go_to_the_account_managers():
    log = logs(three_roles(), 1)[0]
    begun = log.of(Kind.START)
    work = {stage: set(begun[begun["stage"] == stage]["rep"].tolist()) for stage in (0, 1, 2)}
    assert work == {0: {0}, 1: {1, 2}, 2: {3, 4, 5}}, "handed on, routed anew, then owned"
    owners = {int(row["entity"]): int(row["rep"]) for row in log.of(Kind.ASSIGN)}
    assert set(owners) == set(log.of(Kind.WON)["entity"].tolist())
    orders = log.of(Kind.ORDER)
    assert len(orders) > 100
    assert all(owners[log.buyers[int(row["entity"])]] == row["rep"] for row in orders)
    cube = reduce(build(three_roles()), log)["rep"]
    assert cube.total("account_revenue")[0, :3].sum() == 0
    assert cube.total("new_revenue")[0, 3:].sum() == 0


def test_without_a_rule_the_winner_keeps_the_customer():
    log = logs(three_roles(None), 1)[0]
    assert not len(log.of(Kind.ASSIGN))
    assert set(log.of(Kind.ORDER)["rep"].tolist()) == {1, 2}


def test_a_role_that_worked_the_deal_keeps_it_and_an_unstaffed_one_is_refused():
    assert set(logs(three_roles("closer"), 1)[0].of(Kind.ORDER)["rep"].tolist()) == {1, 2}
    dora = logs(three_roles("dev"), 1)[0]
    assert set(dora.of(Kind.ORDER)["rep"].tolist()) == {0}
    with pytest.raises(InputRefused, match="owner_role"):
        three_roles("pilot")
    physics = {"order_effort_hours": fixed(1), "owner_role": "idle"}
    with pytest.raises(InputRefused, match="no rep has this role"):
        world(roles=[{"id": "rep"}, {"id": "idle"}], account_physics=physics)
