"""Every feature in a world so small that its effect is known by hand or in closed form."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from scenarios import physics
from scenarios.errors import InputRefused, Unsupported
from scenarios.files import from_document
from scenarios.plan import CareRow, OwnerRow, Plan, ShareRow, TrainingRow
from sim.log import Kind, Log
from sim.run import simulate, simulate_logs
from sim.statistics import mean_interval

HOUR, DAY = 3_600_000, 86_400_000
SURE = 0.9999


def fixed(value: float) -> dict[str, Any]:
    return {"family": "fixed", "value": value}


def exponential(mean: float) -> dict[str, Any]:
    return {"family": "exponential", "mean": mean}


def stage(**over: Any) -> dict[str, Any]:
    return {"id": "sell", "effort_hours": fixed(1), "conversion": 1.0} | over


def world(plan: Plan | None = None, **over: Any):
    """One rep who always works, one stage of an hour, no leads."""
    calendar = {
        "start": "2026-01-01",
        "end": "2027-01-01",
        "hours": ["00:00-24:00"],
        "workdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    } | over.pop("calendar", {})
    document = {
        "name": "small",
        "calendar": calendar,
        "regions": [{"id": "r"}],
        "teams": [{"id": "t", "region": "r"}],
        "stages": [stage()],
        "reps": [{"id": "ann", "team": "t"}],
    } | over
    return from_document(document).with_plan(plan)


def deals(count: int, created: str = "2026-01-01", **over: Any) -> list[dict[str, Any]]:
    """Open opportunities that begin on the first day."""
    return [{"id": f"d{i:02d}", "stage": "sell", "region": "r", "created": created} | over for i in range(count)]


def the_log(scenario, replication: int = 0) -> Log:
    return simulate_logs(scenario, first=replication, seed=3)[0]


def logs(scenario, replications: int) -> list[Log]:
    return simulate_logs(scenario, replications=replications, seed=3)


def started(log: Log, stage: int = 0) -> np.ndarray:
    rows = log.of(Kind.START)
    return rows[rows["stage"] == stage]


def holds(sample, expected: float) -> None:
    interval = mean_interval(np.asarray(sample, dtype=float), SURE)
    assert not interval.excludes(expected), f"{interval} misses {expected:g}"


SMALL_ACCOUNTS = {
    "tiers": [{"id": "A", "orders_per_year": 6, "order_value": fixed(100), "care_hours_per_year": 24}],
    "account_physics": {"order_effort_hours": fixed(0.5), "care_visit_hours": 2},
    "accounts": [{"id": "acme", "tier": "A", "region": "r", "owner": "ann"}],
}


# ---- calendar ---------------------------------------------------------------------------------------------------


def test_work_is_done_in_working_hours_and_ends_exactly_at_closing():
    scenario = world(
        calendar={"hours": ["09:00-12:00", "13:00-18:00"], "workdays": ["mon", "tue", "wed", "thu", "fri"]},
        stages=[stage(effort_hours=fixed(4))],
        pipeline=deals(5, owner="ann"),
    )
    rows = started(the_log(scenario))
    # Thursday, Friday, then Monday: two a day, each with the lunch break or none in it.
    hours = [(int(row["time"]) / HOUR, int(row["extra"]) / HOUR) for row in rows]
    assert hours == [(9, 14), (14, 18), (33, 38), (38, 42), (24 * 4 + 9, 24 * 4 + 14)]


def test_holidays_are_closed_and_working_saturdays_open():
    calendar = {
        "hours": ["09:00-17:00"],
        "workdays": ["mon", "tue", "wed", "thu", "fri"],
        "holidays": ["2026-01-01", "2026-01-02"],
        "working_days": ["2026-01-03"],
    }
    rows = started(
        the_log(world(calendar=calendar, stages=[stage(effort_hours=fixed(8))], pipeline=deals(3, owner="ann")))
    )
    assert [int(row["time"]) // DAY for row in rows] == [2, 4, 5]  # Saturday, then Monday and Tuesday


def test_a_region_has_hours_days_and_zone_of_its_own():
    regions = [
        {"id": "r"},
        {
            "id": "ny",
            "timezone": "America/New_York",
            "hours": ["08:00-10:00"],
            "workdays": ["sun"],
            "holidays": ["2026-03-01"],
        },
    ]
    scenario = world(
        regions=regions,
        teams=[{"id": "t", "region": "r"}, {"id": "n", "region": "ny"}],
        reps=[{"id": "ann", "team": "t"}, {"id": "bob", "team": "n"}],
        stages=[stage(effort_hours=fixed(2))],
        pipeline=deals(12, region="ny", owner="bob"),
    )
    rows = started(the_log(scenario))
    zone = ZoneInfo("America/New_York")
    begun = [datetime.fromtimestamp(1767225600 + int(row["time"]) // 1000, zone) for row in rows]
    sundays = [date(2026, 1, 4) + timedelta(weeks=week) for week in range(14)]
    sundays.remove(date(2026, 3, 1))
    assert [moment.date() for moment in begun] == sundays[:12]
    assert {moment.hour for moment in begun} == {8}
    # On 8 March the clocks are already forward when work begins.
    assert {int(row["time"]) % DAY // HOUR for row in rows} == {12, 13}


def test_nobody_starts_outside_hours_through_a_whole_year_with_summer_time():
    scenario = world(
        calendar={
            "hours": ["09:00-12:30", "13:30-17:00"],
            "workdays": ["mon", "tue", "wed", "thu", "fri"],
            "timezone": "Europe/Berlin",
            "holidays": ["2026-05-01"],
        },
        stages=[stage(effort_hours={"family": "lognormal", "mean": 3, "cv": 1})],
        sources=[{"id": "web", "leads_per_year": 500}],
    )
    zone, zero = ZoneInfo("Europe/Berlin"), datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    rows = started(the_log(scenario))
    assert len(rows) > 400
    for tick in rows["time"].tolist():
        moment = datetime.fromtimestamp(zero + tick / 1000, zone)
        minute = moment.hour * 60 + moment.minute
        assert moment.weekday() < 5
        assert moment.date() != date(2026, 5, 1)
        assert 540 <= minute < 750 or 810 <= minute < 1020


def test_leads_arrive_in_local_hours_of_the_day_also_when_clocks_change():
    source = {"id": "web", "leads_per_year": 365 * 40, "arrival_hours": [1.0, 4.0]}
    calendar = {"start": "2026-03-29", "end": "2026-03-30", "timezone": "Europe/Berlin"}
    hours = np.concatenate(
        [log.of(Kind.ARRIVE)["time"] / HOUR for log in logs(world(calendar=calendar, sources=[source]), 5)]
    )
    # Clocks go from 2 to 3: the window from 1 to 4 lasts two hours.
    assert hours.min() >= 1
    assert hours.max() < 3
    assert hours.max() > 2.5


def test_customers_clocks_stand_still_in_a_pause():
    pause = [{"first": "2026-01-03", "last": "2026-01-10"}]
    scenario = world(
        calendar={"customer_pauses": pause},
        stages=[stage(delay_days=fixed(4), patience_days=fixed(5))],
        reps=[{"id": "ann", "team": "t", "hired": "2026-12-01"}],
        pipeline=deals(1, owner="ann"),
    )
    cold = the_log(scenario).of(Kind.COLD)
    assert cold["time"].tolist() == [13 * DAY], "two days before the pause and three after"
    answered = the_log(
        world(calendar={"customer_pauses": pause}, stages=[stage(delay_days=fixed(4))], pipeline=deals(1))
    )
    assert answered.of(Kind.WON)["time"].tolist() == [12 * DAY + HOUR]


# ---- sources ----------------------------------------------------------------------------------------------------


def test_season_and_weekdays_shape_arrivals():
    season = [0, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    week = [1, 1, 1, 1, 1, 2, 0]
    source = {"id": "web", "leads_per_year": 3650, "season": season, "weekday_factors": week}
    months, days = [], []
    for log in logs(world(sources=[source], stages=[stage(conversion=0.0)]), 12):
        moments = [date(2026, 1, 1) + timedelta(days=int(tick) // DAY) for tick in log.of(Kind.ARRIVE)["time"]]
        months.append(np.bincount([moment.month for moment in moments], minlength=13)[1:])
        days.append(np.bincount([moment.weekday() for moment in moments], minlength=7))
    assert np.sum(months, axis=0)[0] == 0
    assert np.sum(days, axis=0)[6] == 0
    # February has four of each weekday, so its mean is exactly 28 days of ten leads, doubled by the season.
    holds(np.array(months)[:, 1], 28 * 10 * 2)
    holds(np.array(days)[:, 5] - 2 * np.array(days)[:, 1] * 52 / 52, 0)


@pytest.mark.parametrize("dispersion", [1.0, 5.0, 14.0])
def test_daily_counts_scatter_as_asked(dispersion):
    source = {"id": "web", "leads_per_year": 365 * 6, "dispersion": dispersion}
    means, ratios = [], []
    for log in logs(world(sources=[source], stages=[stage(conversion=0.0)]), 14):
        daily = np.bincount(log.of(Kind.ARRIVE)["time"] // DAY, minlength=365)
        means.append(daily.mean())
        ratios.append(daily.var(ddof=1) / 6)
    holds(means, 6)
    holds(ratios, dispersion)


def test_a_source_has_first_and_last_days_a_first_stage_quality_value_and_cost():
    source = {
        "id": "fair",
        "leads_per_year": 3650,
        "first_day": "2026-03-02",
        "last_day": "2026-03-04",
        "first_stage": "close",
        "quality_logit": 1.0,
        "value_factor": 1.5,
        "cost_per_lead": 12.5,
    }
    scenario = world(
        sources=[source],
        stages=[stage(), stage(id="close", conversion=0.5)],
        products=[{"id": "box", "value": fixed(100)}],
        calendar={"end": "2026-04-01"},
    )
    outcome = simulate(scenario, replications=60, seed=3)
    log = the_log(scenario)
    assert set(log.of(Kind.ARRIVE)["time"] // DAY) <= {60, 61, 62}
    assert outcome["stage"].company("entered").sum() == outcome["stage"].total("entered")[:, 1].sum()
    won, leads = outcome["source"].company("won"), outcome["source"].company("leads")
    chance = 1 / (1 + math.exp(-1.0))
    holds(won - chance * leads, 0)
    assert (outcome["source"].company("revenue") == won * 150_00).all()
    assert (outcome["source"].company("cost") == leads * 12_50).all()


# ---- routing ----------------------------------------------------------------------------------------------------

THREE = [{"id": "ann", "team": "t"}, {"id": "bob", "team": "t"}, {"id": "cyd", "team": "t"}]


def first_desks(scenario, replication: int = 0) -> list[str]:
    """Reps whom leads went to, in order of arrival; "" is the pool."""
    log = the_log(scenario, replication)
    names = [*(rep.id for rep in scenario.reps), ""]
    rows = log.of(Kind.ENTER)
    return [names[rep] for rep in rows[(rows["stage"] == 0) & (rows["visit"] == 0)]["rep"]]


def test_even_routing_shares_by_weight_and_hours():
    reps = [
        {"id": "ann", "team": "t"},
        {"id": "bob", "team": "t", "lead_weight": 2.0},
        {"id": "cyd", "team": "t", "lead_weight": 2.0, "hours_per_week": 84},
        {"id": "dan", "team": "t", "lead_weight": 0.0},
    ]
    scenario = world(reps=reps, sources=[{"id": "web", "leads_per_year": 400}])
    desks = [first_desks(scenario, replication) for replication in range(20)]
    for name, share in (("ann", 0.25), ("bob", 0.5), ("cyd", 0.25), ("dan", 0.0)):
        assert name != "dan" or not any("dan" in desk for desk in desks)
        if share:
            holds([desk.count(name) / len(desk) for desk in desks], share)


def test_round_robin_takes_turns():
    scenario = world(reps=THREE, sources=[{"id": "web", "leads_per_year": 300}], routing={"policy": "round_robin"})
    desks = first_desks(scenario)
    assert set(desks[:3]) == {"ann", "bob", "cyd"}
    assert all(desks[i] == desks[i - 3] for i in range(3, len(desks)))


def test_least_loaded_evens_out_what_waits():
    scenario = world(
        reps=THREE,
        stages=[stage(effort_hours=fixed(2000))],
        sources=[{"id": "web", "leads_per_year": 300}],
        routing={"policy": "least_loaded"},
        calendar={"end": "2026-03-01"},
    )
    desks = first_desks(scenario)
    for upto in range(1, len(desks)):
        counts = [desks[:upto].count(name) for name in ("ann", "bob", "cyd")]
        assert max(counts) - min(counts) <= 1


def test_skill_based_routing_prefers_by_a_known_factor():
    skills = dict.fromkeys(
        ["product_knowledge", "negotiation", "relationship_management", "market_insight", "learning_ability"], 80
    )
    reps = [{"id": "ann", "team": "t"}, {"id": "bob", "team": "t", "skills": skills}]
    scenario = world(reps=reps, sources=[{"id": "web", "leads_per_year": 400}], routing={"policy": "skill_based"})
    share = math.e / (1 + math.e)  # exp(0.05 x 20 points)
    desks = [first_desks(scenario, replication) for replication in range(20)]
    holds([desk.count("bob") / len(desk) for desk in desks], share)


def test_a_territory_has_one_rep_in_every_replication():
    scenario = world(
        reps=THREE,
        segments=[{"id": f"s{i}"} for i in range(6)],
        sources=[{"id": "web", "leads_per_year": 300}],
        routing={"policy": "territory"},
    )
    served: dict[int, set[int]] = {}
    for log in logs(scenario, 4):
        rows = log.of(Kind.ENTER)
        for entity, rep in zip(rows["entity"].tolist(), rows["rep"].tolist(), strict=True):
            served.setdefault(log.leads[entity].segment, set()).add(rep)
    assert len(served) == 6
    assert all(len(reps) == 1 for reps in served.values())
    assert len(set.union(*served.values())) > 1


def test_owner_routing_sends_an_account_s_opportunity_to_its_owner():
    physics_ = {
        **SMALL_ACCOUNTS["account_physics"],
        "new_customer": SMALL_ACCOUNTS["tiers"][0] | {"id": "new", "care_hours_per_year": 0},
    }
    for owner in ("ann", "bob", "cyd"):
        scenario = world(
            reps=THREE,
            **SMALL_ACCOUNTS
            | {"accounts": [{"id": "acme", "tier": "A", "region": "r", "owner": owner}], "account_physics": physics_},
            pipeline=deals(3, account="acme", value=1000),
            routing={"policy": "owner"},
        )
        assert first_desks(scenario) == [owner] * 3
        outcome = simulate(scenario, seed=3, replications=1)
        # A customer already: the win is new revenue, but no new customer.
        assert outcome["rep"].company("new_revenue")[0] == 3 * 1000_00
        assert outcome["rep"].company("new_customers")[0] == 0
        assert outcome["customer"].company("customers")[0] == 1


def test_idle_reps_pull_from_the_pool_the_longest_idle_first():
    scenario = world(reps=THREE, stages=[stage(effort_hours=fixed(3))], pipeline=deals(9), routing={"policy": "pool"})
    log = the_log(scenario)
    assert (log.of(Kind.ENTER)["rep"] == -1).all()
    rows = started(log)
    assert rows["time"].tolist() == [0] * 3 + [3 * HOUR] * 3 + [6 * HOUR] * 3
    assert all(sorted(rows["rep"][i : i + 3].tolist()) == [0, 1, 2] for i in (0, 3, 6))
    assert simulate(scenario, replications=1, seed=3)["rep"].company("leads")[0] == 0, "opportunities are no new leads"


def test_the_rep_who_has_been_idle_longest_pulls_first():
    scenario = world(
        reps=THREE,
        stages=[stage(effort_hours=exponential(5))],
        sources=[{"id": "web", "leads_per_year": 365 * 6}],
        routing={"policy": "pool"},
        calendar={"end": "2026-03-01"},
    )
    idle_since = dict.fromkeys(range(3), 0)
    chosen = 0
    for row in started(the_log(scenario)):
        idle = {rep: since for rep, since in idle_since.items() if since <= row["time"]}
        if row["value"] == 0 and len(set(idle.values())) > 1:
            assert idle_since[int(row["rep"])] == min(idle.values())
            chosen += 1
        idle_since[int(row["rep"])] = int(row["extra"])
    assert chosen > 50


def test_sources_may_be_routed_by_policies_of_their_own():
    scenario = world(
        reps=THREE,
        sources=[{"id": "web", "leads_per_year": 300}, {"id": "desk", "leads_per_year": 300}],
        routing={"policy": "even", "by_source": {"desk": "pool"}},
    )
    log = the_log(scenario)
    rows = log.of(Kind.ENTER)
    pooled = np.array([log.leads[entity].source == 1 for entity in rows["entity"].tolist()])
    assert ((rows["rep"] == -1) == pooled).all()
    outcome = simulate(scenario, replications=1, seed=3)
    assert outcome["rep"].company("leads")[0] == outcome["source"].company("leads")[0], "pulled leads count as well"


def test_a_lead_stays_with_its_rep_or_is_routed_anew():
    two = [stage(), stage(id="close")]
    kept = the_log(world(reps=THREE, stages=two, sources=[{"id": "web", "leads_per_year": 300}]))
    by_lead = dict(zip(started(kept)["entity"].tolist(), started(kept)["rep"].tolist(), strict=True))
    assert all(by_lead[row["entity"]] == row["rep"] for row in started(kept, 1))
    anew = world(
        reps=THREE, stages=two, sources=[{"id": "web", "leads_per_year": 300}],
        routing={"policy": "round_robin", "same_rep": False},
    )  # fmt: skip
    log = the_log(anew)
    by_lead = dict(zip(started(log)["entity"].tolist(), started(log)["rep"].tolist(), strict=True))
    assert any(by_lead[row["entity"]] != row["rep"] for row in started(log, 1))


def test_roles_hand_over():
    scenario = world(
        roles=[{"id": "opener"}, {"id": "closer"}],
        stages=[stage(role="opener"), stage(id="close", role="closer")],
        reps=[{"id": "ann", "team": "t", "role": "opener"}, {"id": "bob", "team": "t", "role": "closer"}],
        pipeline=deals(3),
    )
    log = the_log(scenario)
    assert set(started(log, 0)["rep"].tolist()) == {0}
    assert set(started(log, 1)["rep"].tolist()) == {1}
    assert set(log.of(Kind.BOOK)["rep"].tolist()) == {1}


def test_reps_serve_other_regions_only_where_they_may():
    parts = {
        "regions": [{"id": "r"}, {"id": "far"}],
        "teams": [{"id": "t", "region": "r"}],
        "pipeline": deals(2, region="far"),
    }
    assert len(started(the_log(world(**parts)))) == 0
    assert len(started(the_log(world(**parts, routing={"across_regions": True})))) == 2


# ---- queues -----------------------------------------------------------------------------------------------------


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


# ---- patience, recycling, pools ---------------------------------------------------------------------------------


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


# ---- joint support ----------------------------------------------------------------------------------------------


def test_a_rep_turns_to_other_work_while_support_is_taken():
    scenario = world(
        reps=THREE[:2],
        stages=[stage(id="plain"), stage(support={"resource": "expert", "effort_hours": fixed(10)})],
        support=[{"id": "expert", "people": 1}],
        pipeline=[
            *deals(1, owner="ann"),
            *({**deal, "id": "b" + deal["id"]} for deal in deals(1, owner="bob")),
            {"id": "zz", "stage": "plain", "region": "r", "owner": "ann", "created": "2026-01-01"},
            {"id": "yy", "stage": "plain", "region": "r", "owner": "bob", "created": "2026-01-01"},
        ],
    )
    log = the_log(scenario)
    joint = started(log, 1)
    # One expert, ten hours for each: supported tasks begin ten hours apart, plain ones do not wait for them.
    assert np.diff(joint["time"] // HOUR).tolist() == [10, 10, 10]
    assert joint["time"][0] <= HOUR
    assert started(log, 0)["time"].max() <= HOUR


def test_support_is_never_over_capacity_and_never_deadlocks():
    scenario = world(
        calendar={"hours": ["09:00-17:00"]},
        reps=[{"id": f"r{i}", "team": "t"} for i in range(6)],
        stages=[
            stage(id="one", effort_hours=exponential(1), support={"resource": "expert", "effort_hours": fixed(3)}),
            stage(id="two", effort_hours=exponential(1), support={"resource": "lawyer", "effort_hours": fixed(2)}),
        ],
        support=[{"id": "expert", "people": 2}, {"id": "lawyer", "people": 1, "selling_share": 0.5}],
        sources=[{"id": "web", "leads_per_year": 900}],
    )  # fmt: skip
    log = the_log(scenario)
    # A working day has eight hours, so hours of work since the start are known from the clock.
    for position, people, hours in ((0, 2, 3.0), (1, 1, 4.0)):
        rows = started(log, position)
        assert len(rows) > 500
        begun = np.sort(rows["time"] // DAY * 8 * HOUR + np.clip(rows["time"] % DAY - 9 * HOUR, 0, 8 * HOUR))
        assert (begun[people:] - begun[:-people] >= hours * HOUR - 1).all()


def test_support_of_other_hours_loses_no_wake_up():
    """The expert comes at noon while the rep is at lunch: the work begins when the rep is back."""
    scenario = world(
        calendar={"hours": ["09:00-12:00", "13:00-18:00"], "end": "2026-02-01"},
        regions=[{"id": "r"}, {"id": "noon", "hours": ["12:30-15:00"]}],
        stages=[stage(support={"resource": "expert", "effort_hours": fixed(1)})],
        support=[{"id": "expert", "people": 1, "region": "noon"}],
        pipeline=deals(3, owner="ann"),
    )
    assert [tick / HOUR for tick in started(the_log(scenario))["time"].tolist()] == [13, 14, 24 + 13]


# ---- people over time -------------------------------------------------------------------------------------------


def trained(hours: float, skill: str = "negotiation", end: date = date(2026, 2, 1)) -> Plan:
    return Plan("trained", training=(TrainingRow("ann", skill, date(2026, 1, 1), end, hours),))


def test_training_takes_its_hours_out_of_selling_and_raises_skill_after_each_session():
    calendar = {"hours": ["09:00-17:00"], "workdays": ["mon", "tue", "wed", "thu", "fri"]}
    without = simulate(world(calendar=calendar), replications=1, seed=3)["rep"]
    given = simulate(world(trained(20), calendar=calendar), replications=1, seed=3)["rep"]
    lost = without.by_period("available_ticks") - given.by_period("available_ticks")
    assert lost[0, 0].tolist() == [20 * HOUR] + [0] * 11
    assert given.by_period("training_ticks")[0, 0].tolist() == [20 * HOUR] + [0] * 11

    from sim.model import build

    model = build(world(trained(20), calendar=calendar, stages=[stage(skill_weights={"negotiation": 1})]))
    sessions = model.reps.sessions[0]
    assert [session.ticks for session in sessions] == [4 * HOUR] * 5
    assert model.reps.epoch_start.tolist() == [0, *(session.end for session in sessions)]
    gains = [physics.training_gain(4.0 * number, 12, 83, 1.0) for number in range(6)]
    assert model.reps.skill[:, 0] == pytest.approx([60 + gain for gain in gains])
    assert model.reps.shift[:, 0] == pytest.approx([0.010 * gain for gain in gains])
    assert model.reps.factor[:, 0] == pytest.approx([math.exp(-0.012 * gain) for gain in gains])


def test_work_pauses_for_a_session():
    """Two sessions of two hours: on the first and on the second day; the skill trained is not used in the stage."""
    scenario = world(
        trained(4, end=date(2026, 1, 3)),
        skills={"training": {"session_hours": 2}},
        stages=[stage(effort_hours=fixed(30), skill_weights={"market_insight": 1})],
        pipeline=deals(1, owner="ann"),
    )
    log = the_log(scenario)
    assert log.of(Kind.TRAINED)["time"].tolist() == [2 * HOUR, DAY + 2 * HOUR]
    assert log.of(Kind.START)["time"].tolist() == [2 * HOUR]
    assert log.of(Kind.END)["time"].tolist() == [34 * HOUR]
    assert log.of(Kind.END)["extra"].tolist() == [30 * HOUR]


def test_training_that_does_not_fit_is_refused():
    with pytest.raises(InputRefused, match=r"plan\.training ann negotiation = 800 h"):
        simulate(world(trained(800)), replications=1)


def test_more_skill_wins_more_and_works_faster():
    skills = {"negotiation": 90}
    scenario = world(
        reps=[{"id": "ann", "team": "t", "skills": skills}],
        stages=[stage(conversion=0.4, skill_weights={"negotiation": 2})],
        sources=[{"id": "web", "leads_per_year": 300}],
    )
    outcome = simulate(scenario, replications=40, seed=3)
    chance = physics.conversion(physics.logit(0.4), 0.3)
    holds(
        outcome["stage"].company("advanced")
        - chance * (outcome["stage"].company("advanced") + outcome["stage"].company("lost")),
        0,
    )
    log = the_log(scenario)
    assert set((log.of(Kind.END)["extra"]).tolist()) == {round(HOUR * math.exp(-0.36))}


def test_a_new_hire_ramps_up():
    scenario = world(
        reps=[{"id": "ann", "team": "t", "hired": "2026-02-01"}],
        stages=[stage(effort_hours=fixed(6))],
        sources=[{"id": "web", "leads_per_year": 730}],
    )
    log = the_log(scenario)
    rows = started(log)
    assert log.of(Kind.JOIN)["time"].tolist() == [31 * DAY]
    assert rows["time"][0] == 31 * DAY
    begins = [31, 59, 90, 120, 365]
    for pace, first, last in zip((0.25, 0.5, 0.75, 1.0), begins, begins[1:], strict=False):
        here = rows[(rows["time"] >= first * DAY) & (rows["time"] < last * DAY)]
        assert len(here) > 20
        assert set((here["extra"] - here["time"]).tolist()) == {round(6 / pace * HOUR)}


def test_selling_share_and_part_time_stretch_the_work():
    reps = [{"id": "ann", "team": "t", "hours_per_week": 84}]
    scenario = world(reps=reps, calendar={"selling_share": 0.8}, pipeline=deals(1, owner="ann"))
    assert the_log(scenario).of(Kind.END)["time"].tolist() == [round(HOUR / 0.8 / 0.5)]


def test_leave_is_respected():
    scenario = world(
        absences=[{"rep": "ann", "first": "2026-01-01", "last": "2026-01-03"}],
        stages=[stage(effort_hours=fixed(24))],
        pipeline=deals(2, owner="ann"),
    )
    assert (started(the_log(scenario))["time"] // DAY).tolist() == [3, 4]


@pytest.mark.parametrize(("successor", "position"), [("bob", 1), ("cyd", 2), ("zoe", 3)])
def test_open_work_goes_to_the_successor(successor, position):
    reps = [
        {"id": "ann", "team": "t", "leaves": "2026-01-03", "successor": successor},
        *THREE[1:],
        {"id": "zoe", "team": "t"},
    ]
    scenario = world(
        reps=reps,
        stages=[stage(effort_hours=fixed(20), delay_days=fixed(1)), stage(id="close", effort_hours=fixed(1))],
        pipeline=deals(4, owner="ann"),
    )
    log = the_log(scenario)
    first = started(log)
    # Ann does two, the third would not be done before she leaves.
    assert [(row["time"] // HOUR, row["rep"]) for row in first] == [(0, 0), (20, 0), (48, position), (68, position)]
    # The second customer answers when Ann has gone: the successor goes on, whoever the routing would have named.
    late = started(log, 1)
    assert set(late["rep"][late["time"] >= 2 * DAY].tolist()) == {position}


def test_a_win_after_the_rep_has_left_is_booked_for_whoever_took_over():
    reps = [{"id": "ann", "team": "t", "leaves": "2026-01-03"}, {"id": "bob", "team": "t"}]
    scenario = world(reps=reps, stages=[stage(delay_days=fixed(5))], pipeline=deals(3, owner="ann", value=10))
    assert the_log(scenario).of(Kind.BOOK)["rep"].tolist() == [1, 1, 1]
    alone = world(reps=reps[:1], stages=[stage(delay_days=fixed(5))], pipeline=deals(3, owner="ann", value=10))
    assert the_log(alone).of(Kind.BOOK)["rep"].tolist() == [0, 0, 0], "no money is lost where nobody is left"


def test_who_has_not_come_yet_has_no_successor_to_hand_work_to():
    reps = [{"id": "ann", "team": "t", "hired": "2026-02-01", "successor": "bob"}, *THREE[1:]]
    scenario = world(
        reps=reps, stages=[stage(delay_days=fixed(20))], pipeline=deals(9, created="2025-12-25", owner="ann", value=1)
    )
    assert set(the_log(scenario).of(Kind.BOOK)["rep"].tolist()) == {0}


def test_waiting_work_of_a_leaver_is_routed_anew_and_waits_count_from_the_first_desk():
    reps = [{"id": "ann", "team": "t", "leaves": "2026-01-05"}, {"id": "bob", "team": "t"}]
    scenario = world(reps=reps, stages=[stage(effort_hours=fixed(60))], pipeline=deals(3, owner="ann"))
    rows = started(the_log(scenario))
    assert [(row["time"] // HOUR, row["rep"], row["value"] // HOUR) for row in rows] == [
        (0, 0, 0),
        (96, 1, 96),
        (156, 1, 156),
    ]


def test_work_waits_in_the_pool_until_somebody_is_hired():
    reps = [{"id": "ann", "team": "t", "leaves": "2026-02-01"}, {"id": "bob", "team": "t", "hired": "2026-03-01"}]
    scenario = world(
        reps=reps, sources=[{"id": "web", "leads_per_year": 365, "first_day": "2026-02-05", "last_day": "2026-02-08"}]
    )
    log = the_log(scenario)
    assert len(log.of(Kind.ARRIVE)) > 0
    assert log.of(Kind.START)["time"].min() == 59 * DAY
    assert set(log.of(Kind.START)["rep"].tolist()) == {1}


# ---- accounts ---------------------------------------------------------------------------------------------------


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


# ---- products and money -----------------------------------------------------------------------------------------


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


# ---- the opening pipeline ---------------------------------------------------------------------------------------


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


# ---- what is not run --------------------------------------------------------------------------------------------


def test_what_no_engine_runs_is_refused_all_together():
    scenario = world(
        Plan("shares", shares=(ShareRow("web", "ann", date(2026, 1, 1), date(2026, 2, 1), 0.5),)),
        sources=[{"id": "web", "leads_per_year": 10}],
        roles=[{"id": "rep", "overlay": True}],
        reps=[{"id": "ann", "team": "t", "quota_credit": 0.5}],
        transfers=[{"rep": "ann", "team": "t", "first_day": "2026-05-01"}],
    )
    with pytest.raises(Unsupported) as refused:
        simulate(scenario, replications=1)
    named = {problem.where for problem in refused.value.problems}
    assert named == {
        "roles.rep.overlay",
        "reps.ann.quota_credit", "transfers.ann",
        "plan.shares",
    }  # fmt: skip


def test_a_funnel_of_too_many_stages_is_refused():
    with pytest.raises(Unsupported, match="101 stages"):
        simulate(world(stages=[stage(id=f"s{i}") for i in range(101)]), replications=1)


def test_a_plan_that_speaks_of_nobody_is_refused():
    plan = Plan(
        "bad",
        training=(TrainingRow("eve", "juggling", date(2026, 1, 1), date(2026, 1, 1), -1.0),),
        care=(CareRow("nowhere", math.nan),),
    )
    with pytest.raises(InputRefused) as refused:
        simulate(world(plan), replications=1)
    assert len(refused.value.problems) == 6


def test_bad_arguments_of_a_run_are_refused_together():
    with pytest.raises(InputRefused) as refused:
        simulate(world(), replications=0, first=-1, workers=0, seed=-5, engine="abacus")
    assert len(refused.value.problems) == 5


@pytest.mark.parametrize("value", [1e15, 2e14])
def test_sales_beyond_64_bits_are_refused_rather_than_wrapped(value):
    scenario = world(products=[{"id": "p", "value": fixed(value)}], sources=[{"id": "web", "leads_per_year": 5000}])
    with pytest.raises(InputRefused, match="must stay below"):
        the_log(scenario)
