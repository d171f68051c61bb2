"""Floors and stretches lie on their side of the quota in every cell, whatever the totals, parts and locks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimize.controlled import controlled
from optimize.level_cells import floored, stretched
from optimize.locked_quotas import LockedQuotas
from optimize.metrics import Window
from optimize.quota_tables import phased
from scenarios.errors import InfeasiblePlan, InputRefused


@st.composite
def tables(draw):
    """Quotas in whole steps with few odd rests, a floor and a stretch of each row, and the seasons of both."""
    rng = np.random.default_rng(draw(st.integers(0, 10**9)))
    reps, periods = int(rng.integers(1, 7)), int(rng.integers(1, 9))
    step = draw(st.sampled_from([1, 1, 10, 1_000_00]))
    season = rng.random((reps, periods)) * (rng.random((reps, periods)) < 0.8)
    season[season.sum(axis=1) == 0] = 1.0
    season /= season.sum(axis=1, keepdims=True)
    odd = rng.integers(0, step, reps) * (rng.random(reps) < 0.3)
    rows = rng.integers(0, draw(st.sampled_from([3, 40])), reps) * step + odd
    teams = [f"T{i}" for i in sorted(rng.integers(0, 3, reps))]
    finer = draw(st.sampled_from([1, step]))
    quotas = controlled(season * rows[:, None], rows, finer, teams)
    below = (rows * rng.choice([0.0, 0.5, 0.9, 1.0], reps)).astype(np.int64)
    above = rows + rng.integers(0, 4, reps) * step + rng.integers(0, step, reps)
    if draw(st.booleans()):
        below, above = below // step * step, -(-above // step) * step
    other = season * rng.uniform(0.5, 1.5, season.shape) if draw(st.booleans()) else season
    return other / other.sum(axis=1, keepdims=True), quotas, below, above, step, teams


@settings(max_examples=150, deadline=None)
@given(tables())
def test_every_cell_is_in_order_and_every_row_ties(case):
    season, quotas, below, above, step, teams = case
    floors = floored(season * below[:, None], below, quotas, step, teams)
    stretches = stretched(season * above[:, None], above, quotas, step, teams)
    assert (floors >= 0).all()
    assert (floors <= quotas).all()
    assert (quotas <= stretches).all()
    assert (floors.sum(axis=1) == below).all()
    assert (stretches.sum(axis=1) == above).all()
    if not (quotas % step).any() and not (below % step).any():
        assert not (floors % step).any()
    if not (quotas % step).any() and not (above % step).any():
        assert not (stretches % step).any()


@settings(max_examples=100, deadline=None)
@given(tables(), st.integers(0, 10**6))
def test_parts_of_the_horizon_tie_as_well(case, seed):
    season, *counts, step, teams = case
    quotas, below, above = (1_000 * table for table in counts)
    rng = np.random.default_rng(seed)
    upto = int(rng.integers(1, quotas.shape[1] + 1))
    window = Window(None if rng.random() < 0.5 else teams[0], tuple(range(upto)), 0)
    mask = window.mask(teams, quotas.shape[1])
    for level, rows, cut in (("floor", below, floored), ("stretch", above, stretched)):
        # Between what two ordered tables come to there, so that there are others.
        some = rng.random(quotas.shape) * (season > 0) * rows[:, None]
        one, other = (cut(table, rows, quotas, 1, teams)[mask].sum() for table in (season * rows[:, None], some))
        outer = int((quotas if level == "stretch" else 0 * quotas)[mask].sum())
        if one == other != outer:
            continue
        asked = replace(window, total=round(0.8 * one + 0.2 * other))
        found = cut(season * rows[:, None], rows, quotas, step, teams, [asked])
        assert found[mask].sum() == asked.total, level
        assert (found.sum(axis=1) == rows).all()
        assert (((found - quotas) * (1 if level == "stretch" else -1)) >= 0).all()
        assert (found >= 0).all()


@settings(max_examples=100, deadline=None)
@given(tables(), st.integers(0, 10**6))
def test_locked_cells_stay_or_are_refused_in_words(case, seed):
    season, quotas, below, above, step, teams = case
    rng = np.random.default_rng(seed)
    for level, rows in (("floor", below), ("stretch", above)):
        r, p = int(rng.integers(0, len(rows))), int(rng.integers(0, quotas.shape[1]))
        value = int(rng.integers(0, int(rows[r]) + 1))
        locked = LockedQuotas("new_customers", cells={(r, p): value}, told={r: ("the lock",)})
        told = ""
        try:
            found, _ = phased(rows, season, step, tuple(teams), (), locked, level, quotas)
        except InputRefused as refused:
            told = str(refused)
        if told:
            assert "the lock" in told
            continue
        assert found[r, p] == value
        assert (found.sum(axis=1) == rows).all()
        assert (((found - quotas) * (1 if level == "stretch" else -1)) >= 0).all()


def test_a_quota_of_one_has_its_floor_where_it_is_itself():
    season = np.array([[0.4, 0.3, 0.3]])
    quotas = np.array([[0, 1, 0]])
    assert floored(season, np.array([1]), quotas, 1, ["T1"]).tolist() == [[0, 1, 0]]
    assert stretched(2 * season, np.array([2]), quotas, 1, ["T1"])[0, 1] >= 1


def test_a_part_that_asks_more_of_floors_than_of_quotas_is_told():
    quotas, season = np.array([[5, 5]]), np.array([[0.5, 0.5]])
    with pytest.raises(InfeasiblePlan, match=r"the company in periods 1 to 1 sum to 0\.06"):
        floored(8 * season, np.array([8]), quotas, 1, ["T1"], [Window(None, (0,), 6)])
    with pytest.raises(InfeasiblePlan, match=r"the company in periods 1 to 1 sum to 0\.04"):
        stretched(12 * season, np.array([12]), quotas, 1, ["T1"], [Window(None, (0,), 4)])


def test_a_locked_floor_above_the_quota_of_its_period_is_refused():
    locked = LockedQuotas("orders", cells={(0, 0): 6}, told={0: ("floor.R1.orders.2026-01-01 = 6, 王",)})
    quotas, season = np.array([[5, 5]]), np.array([[0.5, 0.5]])
    with pytest.raises(InputRefused, match="the floor is locked at 6 in period 1, the quota there is 5"):
        phased(np.array([8]), season, 1, ("T1",), (), locked, "floor", quotas)
    locked = LockedQuotas("orders", cells={(0, 0): 9}, told={0: ("stretch.R1.orders.2026-01-01 = 9, 王",)})
    with pytest.raises(
        InputRefused, match="leave 3 of the stretch to this person's other periods, whose quotas sum to 5"
    ):
        phased(np.array([12]), season, 1, ("T1",), (), locked, "stretch", quotas)
