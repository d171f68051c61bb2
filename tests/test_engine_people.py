"""Training, skill, ramp, leave and leavers in worlds whose answer is known."""

from __future__ import annotations

import math
from datetime import date

import pytest

from scenarios import physics
from scenarios.errors import InputRefused
from scenarios.plan import Plan, TrainingRow
from sim.log import Kind
from sim.run import simulate
from small_worlds import DAY, HOUR, THREE, deals, fixed, holds, stage, started, the_log, world


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
