"""Sums of quotas within parts of the horizon, in words where no table keeps them, with the nearest that one keeps."""

from __future__ import annotations

from collections.abc import Sequence

from optimize.asked import to_enter
from optimize.metrics import Floats, Ints, Window
from optimize.tables import nearest_sum
from scenarios.errors import InfeasiblePlan, Said
from scenarios.plan import is_money

OF_LEVEL = {"target": ("quotas", "指标"), "floor": ("floors", "保底指标"), "stretch": ("stretches", "挑战指标")}
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
            nearest = nearest_sum(windows, i, teams, rows, low, high)
            if nearest is not None and nearest != window.total:
                ways.append(_moved(window, nearest))
    return InfeasiblePlan([*(_named(window) for window in windows), ROWS], ways or [CHANGE])


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
