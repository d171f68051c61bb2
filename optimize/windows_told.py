"""Sums of quotas within parts of the horizon, in words where no table keeps them, with the nearest that one keeps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from optimize.asked import to_enter
from optimize.metrics import Floats, Ints, Window
from optimize.programme.blocks import Blocks, Linear
from optimize.programme.solve import solve
from scenarios.errors import InfeasiblePlan, Said
from scenarios.plan import is_money

OF_LEVEL = {"target": ("quotas", "指标"), "floor": ("floors", "保底指标"), "stretch": ("stretches", "挑战指标")}
HAIR = 1e-3
"""Minor units or counts that count as the solver's tolerance."""
ROWS = Said(
    "quotas of each rep over the horizon, and the periods in which each can sell",
    "每人在整个期间的指标，以及每人可销售的期间",
)
CHANGE = Said("change or remove a target of a part of the horizon", "修改或取消部分期间的目标")


def no_table(
    windows: Sequence[Window],
    teams: Sequence[str] = (),
    rows: Ints | None = None,
    low: Floats | None = None,
    high: Floats | None = None,
) -> InfeasiblePlan:
    """The refusal of parts of the horizon whose sums no table keeps.

    Args:
        teams: of each row; ``rows``: what each sums to, [R]; ``low``, ``high``: between what its cells lie, [R, P].
            Where they are given, each part that can give way alone is told with the nearest sum that a table keeps.
    """
    ways = []
    if rows is not None and low is not None and high is not None:
        for i, window in enumerate(windows):
            nearest = _nearest(windows, i, teams, rows, low, high)
            if nearest is not None and nearest != window.total:
                ways.append(_moved(window, nearest))
    return InfeasiblePlan([*(_named(window) for window in windows), ROWS], ways or [CHANGE])


def _nearest(
    windows: Sequence[Window], moved: int, teams: Sequence[str], rows: Ints, low: Floats, high: Floats
) -> int | None:
    """The sum of one part nearest to what it is to be, all others kept; None where it cannot give way alone."""
    scale = max(float(rows.max(initial=0)) / 100.0, 1e-9)
    blocks, (count, periods) = Blocks(), low.shape
    labels = [(str(r), str(p)) for r in range(count) for p in range(periods)]
    q = blocks.columns("cell", labels, low.ravel() / scale, high.ravel() / scale)
    reps = np.repeat(np.arange(count), periods)
    blocks.rows("row", [str(r) for r in range(count)], Linear.of(count, reps, q, 1.0), rows / scale, rows / scale)
    for i, window in enumerate(windows):
        cells = np.flatnonzero(window.mask(teams, periods))
        total = window.total / scale
        blocks.rows(f"window {i}", [str(i)], Linear.total(q[cells]), total, total)
    programme = blocks.programme()
    solution = solve(programme.elastic(f"window {moved}"))
    if solution.status == "infeasible":
        return None
    cells = np.flatnonzero(windows[moved].mask(teams, periods))
    value = float(solution.values[q[cells]].sum()) * scale
    return math.floor(value + HAIR) if value < windows[moved].total else math.ceil(value - HAIR)


def _said(window: Window) -> Said:
    """Whose quotas of what and when."""
    english, chinese = OF_LEVEL[window.level]
    if window.metric != "revenue":
        english, chinese = f"{english} of {window.metric}", f" {window.metric} {chinese}"
    who, whose = (f"team {window.team}", f"团队 {window.team}") if window.team else ("the company", "公司")
    if window.first is not None and window.end is not None:
        when, dates = f"from {window.first} to before {window.end}", f" {window.first} 起至 {window.end} 前"
    else:
        first, last = window.periods[0] + 1, window.periods[-1] + 1
        when, dates = f"in periods {first} to {last}", f"第 {first} 至 {last} 期"
    return Said(f"{english} of {who} {when}", f"{whose}{dates}的{chinese.strip()}合计")


def _named(window: Window) -> Said:
    what, figure = _said(window), _figure(window, window.total)
    return Said(f"{what.english} sum to {figure}", f"{what.chinese}为 {figure}")


def _moved(window: Window, nearest: int) -> Said:
    what, new, old = _said(window), _figure(window, nearest), _figure(window, window.total)
    below = nearest < window.total
    side, chinese = ("at most", "不超过") if below else ("at least", "不低于")
    enter = to_enter(nearest, window.over_assignment, window.metric, below=below)
    return Said(
        f"{what.english}: {side} {new} instead of {old}{enter.english}",
        f"{what.chinese}：由 {old} 改为{chinese} {new}{enter.chinese}",
    )


def _figure(window: Window, total: int) -> str:
    return f"{total / 100:,.2f}" if is_money(window.metric) else f"{total:,}"
