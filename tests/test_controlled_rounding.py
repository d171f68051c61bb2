"""Tables of quotas in whole steps: every total tied at once, no cell off by a step, absent cells left empty."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimize.controlled import controlled, tied
from optimize.metrics import Window
from scenarios.errors import InfeasiblePlan


@st.composite
def tables(draw, odd: bool = False):
    reps, periods = draw(st.integers(1, 7)), draw(st.integers(1, 12))
    step = draw(st.sampled_from([1, 3, 100, 1_000_00]))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    season = rng.random((reps, periods)) * (rng.random((reps, periods)) < 0.8)
    season[season.sum(axis=1) == 0] = 1.0
    season /= season.sum(axis=1, keepdims=True)
    rows = rng.integers(0, 400, reps) * step + (rng.integers(0, step, reps) if odd else 0)
    teams = [f"T{i}" for i in sorted(rng.integers(0, 3, reps))]
    return season * rows[:, None], rows, step, teams


def sums_by_team(table, teams):
    return [table[[name == team for name in teams]].sum(axis=0) for team in dict.fromkeys(teams)]


@settings(max_examples=60, deadline=None)
@given(tables())
def test_every_total_is_within_a_step_and_rows_tie(case):
    exact, rows, step, teams = case
    found = controlled(exact, rows, step, teams)
    assert (found.sum(axis=1) == rows).all()
    assert (found % step == 0).all()
    assert (found[exact == 0] == 0).all()
    assert (found >= 0).all()
    assert np.abs(found - exact).max() < step * (1 + 1e-5)
    assert np.abs((found - exact).sum(axis=0)).max() < step * (1 + 1e-5)
    for mine, wanted in zip(sums_by_team(found, teams), sums_by_team(exact, teams), strict=True):
        assert np.abs(mine - wanted).max() < step * (1 + 1e-5)


@settings(max_examples=40, deadline=None)
@given(tables(odd=True))
def test_odd_rows_stay_as_they_are_with_one_odd_cell(case):
    exact, rows, step, teams = case
    found = controlled(exact, rows, step, teams)
    assert (found.sum(axis=1) == rows).all()
    assert ((found % step != 0).sum(axis=1) <= 1).all()
    assert ((found % step != 0).sum(axis=1) == (rows % step != 0)).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.booleans(), st.booleans(), st.booleans())
def test_parts_of_the_horizon_tie_by_company_and_team(seed, odd, nested, of_team):
    rng = np.random.default_rng(seed)
    reps, step = int(rng.integers(2, 8)), 1_000
    season = rng.uniform(0.2, 1.0, (reps, 12))
    season /= season.sum(axis=1, keepdims=True)
    rows = rng.integers(50, 5_000, reps) * step
    if odd:
        rows[0], rows[1] = rows[0] + 123, rows[1] - 123
    teams = ["T1"] + ["T2"] * (reps - 1)
    exact = season * rows[:, None]

    def asked(cells, factor):
        return int(cells.sum() * factor) // step * step

    windows = [Window(None, (0, 1, 2), asked(exact[:, :3], 1.1)), Window(None, (3, 4, 5), asked(exact[:, 3:6], 0.9))]
    if nested:
        windows.append(Window(None, tuple(range(6)), windows[0].total + windows[1].total))
        windows.append(Window(None, (1,), asked(exact[:, 1], 1.05)))
    if of_team:
        windows.append(Window("T1", (3, 4, 5), asked(exact[:1, 3:6], 0.9)))
    found = controlled(exact, rows, step, teams, windows)
    assert (found.sum(axis=1) == rows).all()
    for window in windows:
        mine = [window.team in (None, team) for team in teams]
        assert found[mine][:, list(window.periods)].sum() == window.total
    assert (found >= 0).all()
    assert (found % step != 0).sum() <= 2 * odd
    smooth = tied(exact, rows, teams, windows)
    assert np.abs(found - smooth).max() < step * (1 + 1e-5) + 246 * odd


@pytest.mark.parametrize("seed", range(12))
def test_the_nearest_of_all_tables_in_steps(seed):
    """Brute force over every choice of neighbouring steps."""
    rng = np.random.default_rng(seed)
    reps, periods, step = 3, 3, 10
    rows = rng.integers(2, 12, reps) * step
    season = rng.dirichlet(np.ones(periods), reps)
    exact, teams = season * rows[:, None], ["A", "A", "B"]
    found = controlled(exact, rows, step, teams)
    low = np.floor(exact / step) * step

    def allowed(table):
        columns = [table.sum(axis=0) - exact.sum(axis=0), *(table - exact)[2:]]
        columns.append((table - exact)[:2].sum(axis=0))
        return (table.sum(axis=1) == rows).all() and all((np.abs(off) < step).all() for off in columns)

    choices = (low + step * np.array(up).reshape(reps, periods) for up in itertools.product((0, 1), repeat=9))
    best = min(np.abs(table - exact).sum() for table in choices if allowed(table))
    assert np.abs(found - exact).sum() == pytest.approx(best, abs=1e-3)


def test_a_window_in_which_nobody_sells_is_refused_in_words():
    rows = np.array([1_000, 2_000])
    exact = np.array([[0.0, 1_000.0], [0.0, 2_000.0]])
    with pytest.raises(InfeasiblePlan, match=r"the company in periods 1 to 1 sum to 5\.00") as caught:
        controlled(exact, rows, 100, ["T1", "T2"], [Window(None, (0,), 500)])
    assert "公司第 1 至 1 期的指标合计为 5.00" in caught.value.text("zh")


def test_windows_that_contradict_each_other_are_refused():
    rows = np.array([1_000, 2_000])
    exact = np.array([[500.0, 500.0], [1_000.0, 1_000.0]])
    both = [Window(None, (0,), 500), Window("T1", (0,), 900)]
    with pytest.raises(InfeasiblePlan, match="T1 in periods 1 to 1"):
        controlled(exact, rows, 100, ["T1", "T2"], both)
