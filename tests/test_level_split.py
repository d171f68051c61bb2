"""Floors and stretches over the horizon: as far off each quota in odds, never at it where rules hold quotas."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimize.allocate import allocate
from optimize.formulate import formulate
from optimize.level_split import LEAST, levels_in_groups
from optimize.split import split
from target_worlds import responses_of, world

OPEN = np.zeros(8), np.full(8, np.inf)


@pytest.fixture(scope="module")
def problem():
    scenario = world([], reps=8)
    return formulate(scenario, responses_of(scenario))


def lumpy(seed, years=400):
    """Sales of people of very different size and spread, [N, 8]."""
    rng = np.random.default_rng(seed)
    return rng.uniform(1e4, 1e5, 8) * rng.lognormal(0, rng.uniform(0.1, 0.8, 8), (years, 8))


def levels(problem, samples, quotas, level, total, low=OPEN[0], high=OPEN[1], teams=None):
    asked = replace(problem, total=float(total), team_totals=teams or {})
    ends = (low, np.minimum(high, quotas)) if level == "floor" else (np.maximum(low, quotas), high)
    found = levels_in_groups(asked, samples, np.zeros(8), level, quotas, *ends)
    assert found.sum() == pytest.approx(total)
    assert (found >= ends[0] - 1e-6).all()
    assert (found <= ends[1] + 1e-6).all()
    return found


def log_odds(samples, figures):
    """Of staying below a figure, by linear interpolation between samples."""
    ranks = (np.arange(len(samples)) + 0.5) / len(samples)
    below = np.array([np.interp(x, np.sort(s), ranks) for x, s in zip(figures, samples.T, strict=True)])
    return np.log(below / (1 - below))


@pytest.mark.parametrize(("level", "factor"), [("floor", 0.85), ("stretch", 1.15)])
@pytest.mark.parametrize("seed", range(4))
def test_where_all_have_the_same_chance_levels_are_those_of_the_exact_split(problem, level, factor, seed):
    samples = lumpy(seed)
    total = 0.95 * samples.mean(axis=0).sum()
    quotas = split(samples, np.zeros(8), *OPEN, total)
    found = levels(problem, samples, quotas, level, factor * total)
    exact = split(samples, np.zeros(8), *OPEN, factor * total)
    least = LEAST * abs(1 - factor) * quotas
    free = (np.abs(exact - quotas) > 1.3 * least) & (np.abs(found - quotas) > 1.01 * least)
    assert free.any()
    assert log_odds(samples, found)[free] == pytest.approx(log_odds(samples, found)[free].mean(), abs=0.05)
    if free.all():
        assert found == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize(("level", "factor"), [("floor", 0.9), ("stretch", 1.1), ("stretch", 4.0), ("floor", 0.0)])
@pytest.mark.parametrize("seed", range(4))
def test_levels_keep_off_quotas_that_rules_hold_and_shift_everybodys_odds_alike(problem, level, factor, seed):
    samples, rng = lumpy(seed), np.random.default_rng(seed)
    quotas = np.round(samples.mean(axis=0) * rng.uniform(0.5, 1.6, 8))
    quotas[0] = 3 * samples[:, 0].max()
    quotas[1] = 0.5 * samples[:, 1].min()
    found = levels(problem, samples, quotas, level, factor * quotas.sum())
    least = LEAST * abs(1 - factor) * quotas
    assert (np.abs(found - quotas) >= least * (1 - 1e-9)).all()
    inside = (found > samples.min(axis=0)) & (found < samples.max(axis=0)) & (np.abs(found - quotas) > 1.001 * least)
    inside[:2] = False
    shift = (log_odds(samples, found) - log_odds(samples, quotas))[inside]
    assert shift == pytest.approx(np.full(len(shift), shift.mean() if len(shift) else 0), abs=0.02)


def test_teams_have_levels_of_their_own_and_locked_ones_stay(problem):
    samples = lumpy(9)
    quotas = np.round(samples.mean(axis=0))
    teams = {"T1": 0.95 * quotas[:4].sum()}
    high = np.full(8, np.inf)
    high[5] = low_5 = 0.99 * quotas[5]
    low = np.where(np.arange(8) == 5, low_5, 0.0)
    found = levels(problem, samples, quotas, "floor", 0.9 * quotas.sum(), low, high, teams)
    assert found[:4].sum() == pytest.approx(teams["T1"])
    assert found[5] == pytest.approx(low_5)
    assert (found < quotas).all()


def test_locks_that_leave_little_room_come_before_distances(problem):
    samples = lumpy(3)
    quotas = np.round(samples.mean(axis=0))
    low = quotas.copy()
    low[0] = 0.0
    found = levels(problem, samples, quotas, "floor", quotas.sum() - 0.2 * quotas[0], low)
    assert found[1:] == pytest.approx(quotas[1:])
    assert found[0] == pytest.approx(0.8 * quotas[0])


@pytest.mark.parametrize("level", ["floor", "stretch"])
def test_counts_and_sales_without_spread_have_levels_too(problem, level):
    counts = np.random.default_rng(1).poisson([0.2, 1, 2, 3, 5, 8, 13, 21], (200, 8)).astype(float)
    counts[:, 3] = 4
    counts[:, 2] = 0
    quotas = np.array([1.0, 1, 0, 4, 5, 9, 13, 22])
    factor = {"floor": 0.8, "stretch": 1.3}[level]
    found = levels(problem, counts, quotas, level, factor * quotas.sum())
    some = quotas > 0
    assert (np.abs(found - quotas)[some] > LEAST * abs(1 - factor) * quotas[some] * 0.999).all()


def test_no_floor_or_stretch_is_the_quota_where_it_is_held_far_from_what_is_sold():
    goals = {"targets": [{"metric": "revenue", "target": 4000, "floor": 3600, "stretch": 4400}]}
    held = [("R1", 500), ("R3", 1700)]
    locks = [{"path": f"quota.{rep}", "value": value, "author": "a", "reason": "b"} for rep, value in held]
    scenario = world([], goals=goals, allocation={"rounding_step": 1, "locks": locks})
    result = allocate(scenario, responses_of(scenario))
    rows = {(row.subject, row.level): row.quota for row in result.levels if row.scope == "rep"}
    assert [rows[rep, "target"] for rep, _ in held] == [500_00, 1700_00]
    for level, value in (("floor", 3600_00), ("stretch", 4400_00)):
        assert sum(rows[f"R{i}", level] for i in range(1, 5)) == value
    for rep in ("R1", "R2", "R3", "R4"):
        quota = rows[rep, "target"]
        assert rows[rep, "floor"] <= 0.95 * quota + 100
        assert rows[rep, "stretch"] >= 1.05 * quota - 100


@pytest.mark.parametrize(("level", "floor", "stretch"), [("floor", 3996, 4400), ("stretch", 3600, 4004)])
def test_a_locked_period_far_off_its_quota_leaves_the_other_periods_and_people_room(level, floor, stretch):
    goals = {"targets": [{"metric": "revenue", "target": 4000, "floor": floor, "stretch": stretch}]}
    figures = {"quota.R1": 500, f"{level}.R1.2026-03-01": {"floor": 55, "stretch": 61}[level]}
    locks = [{"path": path, "value": value, "author": "a", "reason": "b"} for path, value in figures.items()]
    scenario = world([], goals=goals, allocation={"rounding_step": 1, "locks": locks})
    result = allocate(scenario, responses_of(scenario))
    cells = {(row.rep, row.level, row.start): row.value for row in result.quotas if row.metric == "revenue"}
    mine = {month.month: value for (rep, of, month), value in cells.items() if (rep, of) == ("R1", level)}
    assert mine[3] == figures[f"{level}.R1.2026-03-01"] * 100
    for name, total in (("floor", floor), ("target", 4000), ("stretch", stretch)):
        assert sum(value for (_, of, _), value in cells.items() if of == name) == total * 100
    for (rep, of, month), value in cells.items():
        quota = cells[rep, "target", month]
        assert value <= quota if of == "floor" else value >= quota
