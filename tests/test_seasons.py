"""Shares of periods: one's own as far as years tell them, else what one can close; planted leave and hires."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

import quotalab as ql
from optimize.allocate import allocate
from optimize.phasing import Period
from optimize.response.closing import closing_power
from optimize.response.estimate import estimate
from optimize.seasons import FAINT, seasons
from scenarios.files import from_document

MONTHS = [Period(f"{m}", date(2026, m, 1), date(2026 + m // 12, m % 12 + 1, 1)) for m in range(1, 13)]


def drawn(mean, years, seed=1):
    """Sales of a few lumpy deals around these means, [N, R, P]."""
    return 100 * np.random.default_rng(seed).poisson(np.asarray(mean), (years, *np.shape(mean)))


def test_seasons_sum_to_one_and_leave_absent_periods_empty():
    table = np.array([[[10, 20, 30], [0, 0, 5], [0, 0, 0]]] * 2)
    shares = seasons(table)
    assert shares.sum(axis=1) == pytest.approx([1, 1, 1])
    assert shares[1].tolist() == [0, 0, 1]
    assert shares[2] == pytest.approx(table[0].sum(axis=0) / table[0].sum())


def test_years_without_noise_are_taken_at_their_word_and_a_single_year_at_the_companys():
    table = np.array([[10.0, 30.0], [50.0, 10.0]])
    assert seasons(np.stack([table, table])) == pytest.approx(table / table.sum(axis=1, keepdims=True), abs=FAINT)
    assert seasons(table[None]) == pytest.approx(np.array([[0.6, 0.4], [0.6, 0.4]]))


@pytest.mark.parametrize("years", [5, 20, 80, 400])
def test_the_shrunken_season_is_nearer_the_planted_one_than_ones_own_and_the_companys(years):
    rng = np.random.default_rng(7)
    mean = rng.uniform(1, 4, (40, 1)) * rng.uniform(0.5, 1.5, 12) * rng.uniform(0.7, 1.3, (40, 12))
    truth = mean / mean.sum(axis=1, keepdims=True)
    values = drawn(mean, years)
    own = values.mean(axis=0) / values.mean(axis=0).sum(axis=1, keepdims=True)
    company = np.broadcast_to(values.sum(axis=(0, 1)) / values.sum(), own.shape)
    errors = [float(((shares - truth) ** 2).sum()) for shares in (seasons(values), own, company)]
    assert errors[0] < 1.02 * min(errors[1:])
    if years == 20:
        assert errors[0] < 0.9 * min(errors[1:]), "where neither is known to be better, both together are"


def test_the_companys_season_is_that_of_people_who_are_there():
    presence = np.ones((3, 4))
    presence[0, 1:3] = FAINT
    season = np.array([0.1, 0.4, 0.2, 0.3])
    table = np.array([[5.0], [3.0], [2.0]]) * season * (presence > FAINT)
    shares = seasons(table[None], presence)
    assert shares[1:] == pytest.approx(np.array([season, season]))
    assert shares[0] == pytest.approx([0.25, 0, 0, 0.75], abs=1e-5)
    assert (shares[0] > 0).all(), "a quota of next to nothing is one"


def test_who_is_not_employed_has_no_share_and_who_sells_rarely_has_one():
    rare = np.array([[[10, 10, 10, 10], [1, 0, 3, 0]]] * 2)
    here = np.array([[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0]])
    assert (seasons(rare, here) > 0).tolist() == [[True] * 4, [True, True, True, False]], "rare is not away"


def stage(name, hours, delay, **more):
    """A stage whose leads go cold within weeks, so that nobody comes back to a year's backlog."""
    given = {"effort_hours": {"family": "fixed", "value": hours}, "delay_days": {"family": "fixed", "value": delay}}
    return {"id": name, "patience_days": {"family": "fixed", "value": 14}, **given, **more}


def people(delays=(10, 15), **sections):
    """A year of four people in a team: one is away from April to July, one comes in March, one goes in November."""
    data = {
        "name": "leave",
        "seed": 5,
        "calendar": {"start": "2026-01-01", "end": "2027-01-01"},
        "regions": [{"id": "N"}],
        "teams": [{"id": "T1", "region": "N"}],
        "stages": [
            stage("talk", 2, delays[0], conversion=0.5),
            stage("close", 4, delays[1], conversion=0.5),
            {"id": "serve", "effort_hours": {"family": "fixed", "value": 1}, "after_win": True},
        ],
        "sources": [{"id": "web", "leads_per_year": 700, "season": [1, 0.6, 1, 1, 1.3, 1, 0.8, 1, 1, 1, 1.2, 1.1]}],
        "products": [{"id": "p", "value": {"family": "lognormal", "mean": 5000, "cv": 0.5}}],
        "reps": [
            {"id": "E1", "team": "T1"},
            {"id": "E2", "team": "T1"},
            {"id": "E3", "team": "T1", "hired": "2026-03-01"},
            {"id": "E4", "team": "T1", "leaves": "2026-11-01"},
        ],
        "absences": [{"rep": "E2", "first": "2026-04-01", "last": "2026-07-31"}],
    }
    return from_document({**data, **sections})


def test_leave_counts_as_it_was_the_last_answer_before_and_the_ramp_as_it_was_a_cycle_before():
    scenario = people(delays=(31, 30))
    found = closing_power(scenario, scenario.reps, MONTHS)
    assert found[0] == pytest.approx(np.ones(12), abs=2 * FAINT)
    assert found[1, [0, 1, 2, 3, 8, 9, 10, 11]] == pytest.approx(np.ones(8), abs=0.1), "April closes what March worked"
    assert (found[1, 4:8] < 0.1).all()
    steps = scenario.skills.ramp.pace_by_month
    assert found[2, :2].tolist() == [0, 0]
    assert (found[2, 2:4] == FAINT).all(), "employed, but the first deal takes two months"
    assert found[2, 4] == pytest.approx(steps[0], abs=0.05)
    assert found[2, 5] == pytest.approx(steps[1], abs=0.05)
    assert (found[3, :10] > 0.99).all()
    assert found[3, 10:].tolist() == [0, 0]


@pytest.fixture(scope="module")
def planted():
    """People of whom one is four months on leave and one is hired in March, without rules; and their years."""
    scenario = people(
        allocation={"rules": [], "rounding_step": 100},
        goals={"targets": [{"metric": "revenue", "target": 1_000_000, "floor": 900_000, "stretch": 1_100_000}]},
    )
    return scenario, ql.simulate(scenario, replications=40)


def test_nobody_is_asked_in_a_month_for_what_cannot_close_in_it(planted):
    scenario, outcome = planted
    result = allocate(scenario, estimate(scenario, outcome))
    cube = outcome["rep"].by_period("revenue")
    keys = list(outcome["rep"].keys)
    sums, asked_of = {}, {}
    for row in result.quotas:
        if row.metric == "revenue":
            sums[row.level] = sums.get(row.level, 0) + row.value
        if row.metric == "revenue" and row.level == "target":
            asked_of[row.rep, row.start.month - 1] = row.value
    assert sums == {"floor": 90_000_000, "target": 100_000_000, "stretch": 110_000_000}
    mean = cube.mean(axis=0)
    for rep in ("E2", "E3"):
        r = keys.index(rep)
        quota = sum(value for (who, _), value in asked_of.items() if who == rep)
        for month in range(12):
            value = asked_of.get((rep, month), 0)
            # In each month as much of the year's quota as of the year's sales, but for noise of a few points.
            assert value / quota == pytest.approx(mean[r, month] / mean[r].sum(), abs=0.03), (rep, month)
    e2, e3 = keys.index("E2"), keys.index("E3")
    assert sum(asked_of["E2", month] for month in (5, 6)) < 0.02 * sum(asked_of.get(("E2", m), 0) for m in range(12))
    assert asked_of["E3", 2] <= 0.01 * sum(asked_of.get(("E3", m), 0) for m in range(12))
    assert mean[e2, 5:7].sum() < 0.02 * mean[e2].sum()
    assert mean[e3, 2] < 0.01 * mean[e3].sum()
