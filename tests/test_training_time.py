"""Training while people are there: before they leave, after they are hired, within their working time."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

import quotalab as ql
from optimize.allocate import allocate
from optimize.baselines.decisions import chained_training, even_training
from optimize.by_prices.scope import unsupported
from optimize.by_prices.steps import training_of
from optimize.formulate import formulate
from optimize.phasing import Period, laid_out, training_left, training_slots
from optimize.response.design import training_rounds
from optimize.response.estimate import estimate
from optimize.training_calendar import laid_training
from optimize.training_offer import TrainingOffer
from optimize.workload import workloads
from scenarios.errors import InputRefused
from scenarios.files import from_document
from target_worlds import drawn, outcome_of, responses_of, world

STEP = 4.0
FLOOR = ({"rule": "training_floor", "hours": 8},)


def company(*, rules=(), locks=(), reporting="month", absences=(), reps=3, training=(), **people):
    """Reps R1.. with dates of their own, training that everybody gains from, and drawn responses."""
    offer = {"budget_hours": 200, "per_rep_hours": 16, "step_hours": STEP, "skills": ["negotiation"], **dict(training)}
    allocation = {"training": offer, "rules": list(rules), "locks": list(locks)}
    document = world([], reps=reps, allocation=allocation, goals={"targets": [_target(reps)]}).document()
    document["calendar"]["reporting"] = reporting
    document["absences"] = list(absences)
    for rep in document["reps"]:
        rep.update(people.get(rep["id"], {}))
    scenario = from_document(document)
    figures = drawn(1, scenario)
    if reporting == "quarter":
        figures = {name: values.reshape(*values.shape[:2], 4, 3).sum(axis=3) for name, values in figures.items()}
    found = estimate(scenario, outcome_of(scenario, figures))
    shape = len(scenario.reps), 1, found.training.steps + 1
    gain = np.sqrt(np.arange(shape[2]))[None, None, :] * 5_000.0 * np.ones(shape)
    return scenario, replace(found, training=replace(found.training, gain=gain))


def _target(reps):
    return {"metric": "revenue", "target": 5000 * reps}


def rows_of(plan, rep):
    return [row for row in plan.training if row.rep == rep]


def months(first=date(2026, 1, 1)):
    days = [date(first.year + (first.month - 1 + m) // 12, (first.month - 1 + m) % 12 + 1, 1) for m in range(13)]
    return [Period(str(day), day, end) for day, end in itertools.pairwise(days)]


@pytest.mark.parametrize(
    ("begin", "end", "needed", "slots"),
    [
        (date(2026, 1, 1), date(2027, 1, 1), 60, (0, 1, 2, 3, 4, 5)),
        (date(2026, 6, 1), date(2027, 1, 1), 16, (5,)),
        (date(2026, 8, 10), date(2027, 1, 1), 60, (8, 9, 10, 11)),
        (date(2026, 1, 1), date(2026, 7, 1), 60, (0, 1, 2)),
        (date(2026, 1, 1), date(2026, 1, 20), 60, (0,)),
        (date(2026, 12, 20), date(2027, 1, 1), 60, (11,)),
        (date(2026, 1, 1), date(2026, 4, 1), 60, (0, 1, 2)),
    ],
)
def test_training_comes_early_in_the_time_of_each_and_never_outside_it(begin, end, needed, slots):
    room = np.array([max((min(p.end, end) - max(p.first, begin)).days, 0) * 5.5 for p in months()])
    assert training_slots(months(), room, begin, end, needed) == slots


def test_who_has_no_working_time_has_no_periods_and_leave_is_no_working_time():
    start, end = date(2026, 1, 1), date(2027, 1, 1)
    assert training_slots(months(), np.zeros(12), start, end, 8) == ()
    room = np.array([0.0, 0.0, *[160.0] * 10])
    assert training_slots(months(), room, start, end, 60) == (2, 3, 4, 5)


def test_what_is_left_of_the_time_of_who_leaves():
    begin, end = date(2026, 1, 1), date(2026, 3, 12)
    assert training_left(months(), (0, 1, 2), begin, end) == (70 - (15.5 + 45 + 64.5) / 3, 70)
    assert training_left(months(), (5,), date(2026, 6, 11), date(2027, 1, 1)) == (204 - 10, 204)


def test_steps_are_laid_within_the_working_time_of_each_period():
    hours, room = np.array([[15.0], [8.0]]), np.array([[9.0, 6.0, 0.0], [160.0, 160.0, 160.0]])
    laid = laid_out(hours, STEP, room, [(0, 1), (0, 1, 2)])
    assert laid.sum(axis=2) == pytest.approx(hours)
    assert (laid.sum(axis=1) <= room + 1e-9).all()
    beyond = laid_out(np.array([[20.0]]), STEP, room[:1], [()])
    assert beyond.sum() == pytest.approx(20.0)


@pytest.mark.parametrize("seed", range(4))
def test_trainers_hours_are_laid_within_working_time_as_well(seed):
    rng = np.random.default_rng(seed)
    reps, periods = 4, ("a", "b", "c")
    room = rng.choice([3.0, 8.0, 14.0, 160.0], (reps, 3))
    slots = ((0, 1), (1, 2), (0, 1, 2), (0,))
    offer = TrainingOffer(
        ("s",), STEP, np.zeros((reps, 1, 9)), 99, 32, np.zeros((reps, 1)), periods=periods, slots=slots, room=room
    )
    for capacity in (None, 24.0):
        tight = replace(offer, capacity=capacity)
        hours = np.minimum(offer.most_time(), rng.choice([4.0, 6.0, 8.0], reps))[:, None]
        laid = laid_training(tight, hours)
        assert laid.sum(axis=2) == pytest.approx(hours)
        assert (laid.sum(axis=1) <= room + 1e-6).all()


@pytest.mark.parametrize("reporting", ["month", "quarter"])
@pytest.mark.parametrize(
    "dates",
    [
        {"leaves": "2026-03-20"},
        {"leaves": "2026-01-09"},
        {"hired": "2026-12-21"},
        {"hired": "2026-08-10"},
        {"hired": "2026-03-10", "leaves": "2026-04-20"},
        {"attrition_per_year": 0.9},
    ],
)
def test_floors_are_kept_while_people_are_there_and_the_plan_can_be_simulated(dates, reporting):
    scenario, found = company(R1=dates, rules=FLOOR, reporting=reporting)
    result = allocate(scenario, found)
    assert result.plan.training_hours()["R1", "negotiation"] >= 8
    hired, leaves = (
        date.fromisoformat(dates.get(key, day)) for key, day in (("hired", "2026-01-01"), ("leaves", "2027-01-01"))
    )
    for row in rows_of(result.plan, "R1"):
        assert row.start < leaves
        assert row.end > hired
    ql.simulate(scenario.with_plan(result.plan), replications=1)


def test_a_lock_is_laid_into_the_time_before_somebody_leaves():
    locks = ({"path": "training.R1.negotiation", "value": 30, "author": "Li"},)
    scenario, found = company(R1={"leaves": "2026-01-09"}, locks=locks, reporting="quarter")
    result = allocate(scenario, found)
    [row] = rows_of(result.plan, "R1")
    assert (row.start, row.hours) == (date(2026, 1, 1), 30)
    ql.simulate(scenario.with_plan(result.plan), replications=1)


def test_locks_beyond_the_working_time_are_refused_one_by_one_and_together():
    away = {"leaves": "2026-01-09"}
    lock = {"path": "training.R1.negotiation", "value": 30}
    other = {"path": "training.R1.product_knowledge", "value": 30}
    scenario, found = company(R1=away, locks=({**lock, "value": 2000},))
    with pytest.raises(InputRefused, match="R1 has 1,800 working hours"):
        allocate(scenario, found)
    scenario, found = company(R1=away, locks=(lock, other))
    short = replace(found, hours=np.array([48.0, 1800.0, 1800.0]))
    with pytest.raises(
        InputRefused, match=r"negotiation = 30, training.R1.product_knowledge = 30.* 60 hours: R1 has 48"
    ):
        allocate(scenario, short)


def test_a_floor_asks_nothing_of_whose_time_is_too_short_and_says_so():
    strict = ({"rule": "training_floor", "hours": 16},)
    scenario, found = company(R1={"leaves": "2026-01-02"}, rules=strict)
    result = allocate(scenario, found)
    assert result.plan.training_hours().get(("R1", "negotiation"), 0.0) <= 8
    assert all(row.subject != "R1" for row in result.rule_rows if row.rule == "training_floor")
    told = [text for text in result.notes if "training_floor asks nothing" in text]
    assert told == ["training_floor asks nothing of whose working time takes less than 16 h: R1 (8 h)"]


def test_who_is_on_leave_is_trained_afterwards():
    away = [{"rep": "R1", "first": "2026-01-01", "last": "2026-05-20"}]
    scenario, found = company(absences=away, rules=FLOOR)
    result = allocate(scenario, found)
    assert {row.start.month for row in rows_of(result.plan, "R1")} <= {5, 6}
    ql.simulate(scenario.with_plan(result.plan), replications=1)


def test_every_method_keeps_hours_within_working_time():
    scenario, found = company(R1={"leaves": "2026-01-02"}, training={"per_rep_hours": 40})
    problem = formulate(scenario, found)
    most = problem.training.most_time(whole=True)
    assert most[0] < 16
    for decisions in (even_training(problem), chained_training(problem)):
        assert (decisions.training.sum(axis=1) <= most).all()
        assert decisions.training[1:].sum() > 0
    assert (training_of(problem, 100.0).most * STEP <= np.minimum(most, 40)).all()
    hours = allocate(scenario, found, method="exact").plan.training_hours()
    assert hours.get(("R1", "negotiation"), 0.0) <= most[0]
    [changes] = training_rounds(problem, 20.0, 1)
    assert {change.rep: change.hours for change in changes} == {0: most[0], 1: 20, 2: 20}
    tight = replace(problem, training=replace(problem.training, capacity=400.0))
    assert any("trainers" in words for words in unsupported(tight))


def test_training_of_who_leaves_is_valued_by_their_own_time():
    """The skill counts for what is left of the person's own time, the accounts for as long as they are owned."""
    whole, half = (
        responses_of(
            from_document(
                {
                    **world(
                        [],
                        reps=2,
                        owned=[{"id": "A1", "owner": "R1"}],
                        allocation={"training": {"budget_hours": 40, "skills": ["relationship_management"]}},
                    ).document(),
                    "reps": [{"id": "R1", "team": "T1", **dates}, {"id": "R2", "team": "T2"}],
                }
            )
        )
        for dates in ({}, {"leaves": "2026-07-01"})
    )
    assert half.accounts.care_load[0] == pytest.approx(whole.accounts.care_load[0] * 181 / 365)
    assert half.accounts.order_hours[0, 0] == pytest.approx(whole.accounts.order_hours[0, 0] * 181 / 365)
    assert half.accounts.order_hours[0, 1] == whole.accounts.order_hours[0, 1]
    in_force = (1 - (15.5 + 45 + 74.5 + 105 + 135.5 + 166) / 6 / 365, 1 - (15.5 + 45 + 74.5) / 3 / 181)
    accounts = [found.training.gain[0, 0, -1] for found in (whole, half)]
    assert accounts[1] / accounts[0] == pytest.approx(181 / 365 * in_force[1] / in_force[0], rel=1e-6)


def test_trainers_capacity_leaves_no_more_to_a_short_period_than_there_is_time_in_it():
    """January gives R1 what trainers have, one day of February gives the time that is left."""
    offer = {"trainer_hours_per_period": 16, "per_rep_hours": 60}
    scenario, found = company(R1={"leaves": "2026-02-03"}, training=offer)
    room = found.training.working[0]
    assert 0 < room[1] < 16
    gain = found.training.gain.copy()
    gain[0] *= 100
    result = allocate(scenario, replace(found, training=replace(found.training, gain=gain)))
    assert result.plan.training_hours()["R1", "negotiation"] == 16 + room[1] // STEP * STEP
    ql.simulate(scenario.with_plan(result.plan), replications=1)


def test_work_of_who_leaves_is_what_the_simulation_says_they_do():
    """Leads of the last weeks ask for most of their work later: the busy share is fitted to the simulated one."""
    scenario = ql.load("starter", ["reps.E2.leaves=2026-04-01", "allocation.rules=[]"])
    years = ql.simulate(scenario, replications=4)
    found = estimate(scenario, years)
    problem = formulate(scenario, found)
    busy, there = (
        years["rep"].total(name).mean(axis=0)[years["rep"].keys.index("E2")]
        for name in ("busy_ticks", "available_ticks")
    )
    r = problem.reps.index("E2")
    assert workloads(problem, problem.today_decisions())[r] == pytest.approx(busy / there, rel=0.02)
    assert found.load[r] < 472
