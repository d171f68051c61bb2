"""Accounts of who leaves within the horizon: theirs until then, the successor's after, in every figure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from optimize.allocate import allocate
from optimize.audit import audit
from optimize.by_prices.request import request_of
from optimize.eligibility import allowed_owners, immovable
from optimize.formulate import formulate
from optimize.model import build
from optimize.parts import accounts
from optimize.problem import company_ratio, gains, histories, potentials
from optimize.programme.blocks import Blocks
from optimize.programme.solve import solve
from optimize.response.estimate import estimate
from optimize.response.succession import heirs, succession_told
from optimize.workload import workloads
from quotalab.told_words import noted
from scenarios.files import from_document
from sim.run import simulate
from tests.test_optimize_responses import small

LEAVES, DAYS, THERE = "2026-02-10", 90, 40
REPS = ("E1", "E2", "E3")


def company(locks=(), **leaver):
    """Three reps of the same skill, ten accounts each, of whom E1 leaves and E2 takes over."""
    people = [{"id": rep, "team": "T1", "level": "mid", "last_sales": 70000} for rep in REPS]
    people[0] |= {"leaves": LEAVES, "successor": "E2"} | leaver
    rows = [{"id": f"A{i}", "tier": "A", "region": "华东", "owner": REPS[i % 3]} for i in range(30)]
    settings = {
        "rounding_step": 100,
        "rules": [{"rule": "potential_band", "tolerance": 0.3}],
        "training": {"budget_hours": 0},
        "accounts": {"max_moves_share": 0.2},
        "locks": list(locks),
    }
    sources = [{"id": "web", "leads_per_year": 600}]
    return small(reps=people, accounts=rows, sources=sources, allocation=settings)


def locked(scenario, locks):
    """The same company with locks, which no simulation sees."""
    document = scenario.document()
    document["allocation"]["locks"] = locks
    return from_document(document)


@pytest.fixture(scope="module")
def scenario():
    return company()


@pytest.fixture(scope="module")
def outcome(scenario):
    return simulate(scenario, replications=150)


@pytest.fixture(scope="module")
def found(scenario, outcome):
    return estimate(scenario, outcome)


def test_potential_goes_on_with_the_accounts(scenario, found):
    problem = formulate(scenario, found)
    offer = problem.accounts
    every = np.bincount(offer.today, offer.potential, 3)
    assert every == pytest.approx(np.full(3, every[0]))
    mine, later = every[0] * THERE / DAYS, every[0] * (1 - THERE / DAYS)
    own = potentials(problem, offer.today) - problem.potential
    assert own == pytest.approx(np.array([mine, every[1] + later, every[2]]))
    assert problem.total / potentials(problem, offer.today).sum() == pytest.approx(company_ratio(problem))
    # Who takes an account over at the start has all of it, and so do leaver and heir without one.
    moved = offer.today.copy()
    moved[0] = 2
    after, whole = potentials(problem, moved) - problem.potential, offer.potential[0]
    away = np.array([-whole * THERE / DAYS, -whole * (1 - THERE / DAYS), whole])
    assert after - own == pytest.approx(away)


def test_sales_fit_potential_where_skills_do_not_differ(scenario, found, outcome):
    problem = formulate(scenario, found)
    potential, sales = potentials(problem, problem.accounts.today), problem.samples.mean(axis=0)
    company_wide = sales.sum() / potential.sum()
    assert sales / potential == pytest.approx(np.full(3, company_wide), rel=0.04)
    assert found.skill == pytest.approx(np.full(3, company_wide), rel=0.04)
    cube = outcome["rep"]
    busy = cube.total("busy_ticks").mean(axis=0) / cube.total("available_ticks").mean(axis=0)
    assert workloads(problem, problem.today_decisions()) == pytest.approx(busy, abs=0.02)


def test_potentials_that_are_given_stay_as_given(outcome, scenario):
    document = scenario.document()
    for rep, value in zip(document["reps"], (40_000, 120_000, 90_000), strict=True):
        rep["potential"] = value
    for row in document["accounts"]:
        row["potential"] = 1_000
    given = from_document(document)
    problem = formulate(given, estimate(given, replace(outcome, scenario=given.fingerprint())))
    today = potentials(problem, problem.accounts.today)
    assert today == pytest.approx(np.array([40_000, 120_000, 90_000]) * 100.0)


def test_leavers_keep_their_accounts_until_they_go_and_take_none(scenario):
    allowed = allowed_owners(scenario, REPS)
    assert allowed[0::3].tolist() == [[True, False, False]] * 10
    assert not allowed[1::3, 0].any()
    assert immovable(scenario)["A0"] == f"E1 leaves on {LEAVES}, when it is handed on"


def test_all_ways_to_solve_see_the_same_potentials_and_sales(scenario, found):
    locks = [
        {"path": "owner.A0", "value": "E3", "author": "王"},
        {"path": "owner.A1", "value": "E1", "author": "李"},
    ]
    asked = locked(scenario, locks)
    problem = formulate(asked, found)
    decisions = problem.today_decisions()
    # With nothing left to choose a request by prices has all of it settled.
    held = replace(problem, locks=replace(problem.locks, owner=dict(enumerate(decisions.owner.tolist()))))
    request = request_of(held)
    assert request.potential * request.unit == pytest.approx(potentials(problem, decisions.owner))
    assert request.sales * request.unit == pytest.approx(gains(problem, decisions))
    last = histories(problem, decisions.owner)
    assert request.history[1:] * request.unit == pytest.approx(last[1:])
    owned = accounts.add(Blocks(), held, 100.0, ())
    assert owned.potential.constant * 100.0 == pytest.approx(potentials(problem, decisions.owner))
    assert owned.gain.constant * 100.0 == pytest.approx(gains(problem, decisions))
    assert owned.history.constant[1:] * 100.0 == pytest.approx(last[1:])
    programme = build(problem).programme
    values = [solve(programme, 1e-9, solver=solver).objective for solver in ("highs", "pulp:PULP_CBC_CMD")]
    assert values[0] == pytest.approx(values[1], rel=1e-7)
    plans = [allocate(asked, found, method=method, gap=1e-6) for method in ("exact", "prices")]
    for plan in plans:
        assert all(row.kept for row in plan.rule_rows if row.rule == "potential_band")
        assert plan.plan.owner_of()["A0"] == "E3"
        assert plan.plan.owner_of()["A1"] == "E1"
        assert plan.plan.owner_of()["A3"] == "E1"
    assert plans[1].model_value == pytest.approx(plans[0].model_value, rel=2e-3)
    exact = plans[0].model_value
    assert exact <= plans[1].bound * (1 + 1e-6)


def test_a_locked_move_takes_from_leaver_and_heir_what_each_would_have_sold(scenario, found):
    problem = formulate(locked(scenario, [{"path": "owner.A0", "value": "E3", "author": "王"}]), found)
    offer = problem.accounts
    moved = problem.today_decisions()
    gain, year = gains(problem, moved), float(offer.base_sales[0])
    own = offer.unit[0, 0] * year * THERE / DAYS - offer.displaced[0, 0]
    later = (offer.unit[0, 1] * year - offer.displaced[0, 1]) * (1 - THERE / DAYS)
    assert gain == pytest.approx(np.array([-own, -later, offer.value(0, 2, offer.care_base[0])]), rel=1e-6)
    # E2 has no hours for it either.
    without = formulate(scenario, found)
    assert problem.load[1] < without.load[1]
    assert problem.load[[0, 2]] == pytest.approx(without.load[[0, 2]])
    (row,) = (row for row in audit(problem, moved, np.full(3, problem.total / 3)) if row.rule == "accounts_that_stay")
    assert (row.actual, row.exception) == (1, "owner.A0 locked by 王")


def test_growth_of_an_heir_is_measured_against_what_comes_to_them_as_well(scenario, found):
    document = scenario.document()
    document["allocation"]["rules"] = [{"rule": "growth", "floor": 0.0, "cap": None}]
    problem = formulate(from_document(document), found)
    offer, today = problem.accounts, problem.today_decisions()
    theirs = np.flatnonzero(today.owner == 0)
    last = histories(problem, today.owner)
    assert np.isnan(last[0])
    # Orders come evenly: the heir has these accounts for what is left of the days.
    taken = offer.history[theirs].sum() * (1 - THERE / DAYS)
    assert last[1:] == pytest.approx(np.array([70000_00 + taken, 70000_00]), rel=1e-6)
    for method in ("exact", "prices"):
        result = allocate(from_document(document), found, method=method)
        (row,) = (r for r in result.rule_rows if (r.rule, r.subject) == ("growth_floor", "E2"))
        assert row.actual == pytest.approx(result.plan.quotas()["E2"] / last[1] - 1, abs=1e-9)
        assert result.plan.quotas()["E2"] >= last[1] - 1


def test_an_account_locked_to_a_leaver_is_told(scenario, outcome):
    asked = locked(scenario, [{"path": "owner.A1", "value": "E1", "author": "王"}])
    found = estimate(asked, replace(outcome, scenario=asked.fingerprint()))
    problem = formulate(asked, found)
    decisions = problem.today_decisions()
    (row,) = (row for row in audit(problem, decisions, np.full(3, problem.total / 3)) if row.rule == "whole_horizon")
    assert (row.actual, row.exception) == (1, "owner.A1 locked by 王")
    notes = allocate(asked, found).notes
    told = "owner.A1 is locked to E1, who leaves on 2026-02-10: from then on it counts for E2"
    assert told in notes
    assert "accounts of E1, who leaves on 2026-02-10, stay until then and go on to E2" in " ".join(notes)
    assert noted(told, "zh") == "客户 A1 锁定归 E1，其于 2026-02-10 离职：此后计入 E2。"
    assert any(noted(note, "zh").startswith("E1于 2026-02-10 离职，名下客户届时转交 E2") for note in notes)


def test_heirs_are_those_to_whom_the_simulation_hands_on():
    def after(*people):
        rows = [{"id": f"E{i}", "team": "T1", "level": "mid"} | row for i, row in enumerate(people)]
        world = small(reps=rows, accounts=[])
        return [(name, str(first), str(last), part) for name, first, last, part in heirs(world, world.reps[0])]

    leaver, end = {"leaves": LEAVES, "successor": "E1"}, "2026-04-01"
    assert after(leaver, {}, {}) == [("E1", LEAVES, end, 1.0)]
    # The successor has gone before: the next in line; or leaves later: the next in line has what is left.
    gone = {"leaves": "2026-01-20", "successor": "E2"}
    assert after(leaver, gone, {}, {}) == [("E2", LEAVES, end, 1.0)]
    later = {"leaves": "2026-03-01", "successor": "E2"}
    assert after(leaver, later, {}, {}) == [("E1", LEAVES, "2026-03-01", 1.0), ("E2", "2026-03-01", end, 1.0)]
    # Nobody is named, or has not come yet: colleagues of the role, each a part.
    both = [("E1", LEAVES, end, 0.5), ("E2", LEAVES, end, 0.5)]
    assert after({"leaves": LEAVES}, {}, {}) == both
    assert after({"leaves": LEAVES, "successor": "E3"}, {}, {}, {"hired": "2026-03-01"}) == both
    assert after({"leaves": LEAVES}, {"leaves": "2026-01-05"}) == [(None, LEAVES, end, 1.0)]
    assert after({"leaves": end}, {}) == []


def test_a_named_successor_who_is_passed_over_is_told_with_who_takes_over():
    def told(*people):
        rows = [{"id": f"E{i}", "team": "T1", "level": "mid"} | row for i, row in enumerate(people)]
        return [note for note in succession_told(small(reps=rows, accounts=[])) if "successor" in note]

    begin = f"the successor of E0, who leaves on {LEAVES}, is not there that day"
    (late,) = told({"leaves": LEAVES, "successor": "E3"}, {}, {}, {"hired": "2026-03-01"})
    assert late == f"E3, {begin} (is hired on 2026-03-01): work and accounts go on to E1, E2 instead"
    (gone,) = told({"leaves": LEAVES, "successor": "E1"}, {"leaves": "2026-01-20", "successor": "E2"}, {})
    assert gone == f"E1, {begin} (has left on 2026-01-20): work and accounts go on to E2 instead"
    assert (
        noted(late, "zh")
        == f"E0于 {LEAVES} 离职，其接手人 E3 届时尚未入职（2026-03-01 入职）：工作与客户改由 E1, E2 接手。"
    )
    assert noted(gone, "zh").endswith("届时已离职（2026-01-20 离职）：工作与客户改由 E2 接手。")
    assert told({"leaves": LEAVES, "successor": "E1"}, {}, {}) == []
    assert told({"leaves": LEAVES}, {}, {}) == []


def test_leavings_by_chance_are_told_with_what_they_take_of_the_horizon():
    world = company(leaves=None, successor=None, attrition_per_year=0.9)
    (note,) = (note for note in succession_told(world) if "by chance" in note)
    days = simulate(world, replications=400)["rep"].total("available_ticks").mean(axis=0)
    share = float(note.split("on average ")[1].split(" %")[0]) / 100
    assert note.startswith("people who may leave by chance (1): ")
    assert 1 - days[0] / days[1] == pytest.approx(share, abs=0.04)
    assert noted(note, "zh").startswith("可能中途离职者 1 人")
    assert succession_told(company(leaves=None, successor=None)) == ()


def test_the_first_day_of_an_heir_is_the_last_day_of_the_owner(scenario):
    ((heir, first, last, part),) = heirs(scenario, scenario.reps[0])
    assert (heir, first, last, part) == ("E2", date(2026, 2, 10), date(2026, 4, 1), 1.0)


def test_leads_that_are_open_when_somebody_leaves_are_potential_of_the_heir():
    people = [{"id": rep, "team": "T1", "level": "mid"} for rep in REPS]
    people[0] |= {"leaves": "2026-02-20", "successor": "E2"}
    delay = {"family": "gamma", "mean": 20, "cv": 0.3}
    effort = {"family": "gamma", "mean": 1, "cv": 0.5}
    stages = [
        {"id": "talk", "effort_hours": effort, "conversion": 0.5},
        {"id": "close", "effort_hours": effort, "conversion": 0.6, "delay_days": delay},
    ]
    # So few leads that nobody is short of hours.
    sources = [{"id": "web", "leads_per_year": 500, "last_day": "2026-02-20"}]
    world = small(reps=people, accounts=[], stages=stages, sources=sources)
    years = simulate(world, replications=150)
    found = estimate(world, years)
    sales = found.samples.mean(axis=0)
    assert sales[0] < 0.75 * sales[2]
    assert found.skill[0] == pytest.approx(sales.sum() / found.opportunity.sum(), rel=0.02)
    assert found.skill == pytest.approx(np.full(3, sales.sum() / found.opportunity.sum()), rel=0.06)
    # What the leaver does not close goes to the heir, and nothing is lost: E3 shows what the same leads are worth.
    leads = years["rep"].total("leads").mean(axis=0)
    each = found.opportunity[2] / leads[2]
    assert found.opportunity[:2].sum() == pytest.approx(each * leads[:2].sum(), rel=0.01)
