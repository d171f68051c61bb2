"""The figure of a frontier: what a rule costs, and the two notions of fairness that pull apart."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from experiments.figures.style import BLUE, GREEN, GREY, ORANGE, Drawing, canvas, label, marked_line, per_cent, style
from experiments.frontier import Frontier
from experiments.money import Language

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHARES = frozenset({"training_floor"})
"""Rules whose number is no share."""


def frontier_figure(found: Frontier, language: Language = "en") -> Drawing:
    """Cost with its intervals over the rule's number, with spread of chances and Gini index on the same axis.

    Where no value has a plan, the figure says so.
    """
    points = [(point.value, point.judged) for point in found.points if point.judged is not None]
    values = [float(value or 0.0) for value, _ in points]
    costs = [judged.cost for _, judged in points]
    title = f"{label('frontier', language)}: {found.rule}"
    name = f"frontier-{found.rule}"
    with style(name):
        figure, axes = canvas(name, 8, title)
        if points:
            middles = [cost.estimate for cost in costs]
            # With one year there is an estimate and no interval.
            arms = [[_arm(c.estimate - c.low) for c in costs], [_arm(c.high - c.estimate) for c in costs]]
            axes.errorbar(
                values, middles, yerr=arms, color=BLUE, marker="o", capsize=2, label=label("frontier_cost", language)
            )
            spread = [judged.spread_of_chances.estimate for _, judged in points]
            axes.plot(values, spread, color=ORANGE, marker="s", label=label("spread_of_chances", language))
            equality = [judged.gini for _, judged in points if judged.gini is not None]
            if len(equality) == len(values):
                axes.plot(values, equality, color=GREEN, marker="^", label=label("gini", language))
        else:
            axes.set_xlim(*sorted((float(found.points[0].value or 0.0), float(found.points[-1].value or 0.0))))
            axes.text(0.5, 0.5, label("no_plan_at_any", language), transform=axes.transAxes, ha="center", va="center")
        _left_open(axes, found, language)
        if found.knee is not None:
            marked_line(axes, found.knee, label("knee", language))
        axes.axhline(0, color=GREY, linewidth=0.8)
        per_cent(axes.yaxis)
        if found.rule not in SHARES:
            per_cent(axes.xaxis)
        axes.grid(axis="y")
        axes.set_xlabel(found.rule)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="best", frameon=False)
    told = "; ".join(f"{value:g}: {100 * cost.estimate:.2f}" for value, cost in zip(values, costs, strict=True))
    told = told or label("no_plan_at_any", language)
    told += "".join(f"; {point.value:g}: {label('undecided', language)}" for point in found.points if point.undecided)
    return Drawing(name, f"{title}: {told}", figure)


def _arm(length: float) -> float:
    return length if isfinite(length) else 0.0


def _left_open(axes: Axes, found: Frontier, language: Language) -> None:
    """How much less points may cost that are not proven best, and where it is open whether there is a plan."""
    stopped = [point for point in found.points if point.status == "stopped" and point.judged is not None]
    if stopped:
        at = [float(point.value or 0.0) for point in stopped]
        costs = [point.judged.cost.estimate for point in stopped if point.judged is not None]
        least = [
            cost - ((point.at_most or 1.0) - (point.model_capped or 0.0))
            for point, cost in zip(stopped, costs, strict=True)
        ]
        axes.vlines(at, least, costs, color=GREY, linewidth=3, label=label("cost_not_proven", language))
    for point in found.points:
        if point.undecided:
            marked_line(axes, float(point.value or 0.0), label("undecided", language))
