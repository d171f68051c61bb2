"""Figures of plans: differences with their intervals, year ranges, what a quota sum buys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

from experiments.compare import Comparison
from experiments.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    Drawing,
    canvas,
    label,
    marked_line,
    per_cent,
    rows_axis,
    style,
)
from experiments.money import Language, headline_scale, table_scale
from experiments.pairs import Difference, Word
from experiments.trade import TradeTable
from scenarios.errors import InputRefused, Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WORD_COLOURS: dict[Word, str] = {"proven": GREEN, "likely": ORANGE, "not proven": GREY, "equal": GREY}


@dataclass(frozen=True)
class RangeRow:
    """One bar of a range figure, minor units.

    Attributes:
        name: what the bar is.
        low, high: its ends.
        middle: a mark inside; ``None`` for none.
    """

    name: str
    low: float
    high: float
    middle: float | None = None


def plan_differences(
    comparison: Comparison, language: Language = "en", *, measure: str = "sales", against: str | None = None
) -> Drawing:
    """Each case against a reference (default the first) in one measure: the difference, its interval, its word.

    Raises:
        InputRefused: nothing was compared with this reference in this measure.
    """
    reference = comparison.references[0] if against is None else against
    rows = [row for row in comparison.differences if (row.measure, row.against) == (measure, reference)]
    if not rows:
        raise InputRefused(Problem("comparison", f"{measure} against {reference}", "was not compared"))
    currency = comparison.cases[0].currency
    ends = [end for row in rows for end in (row.interval.low, row.interval.high) if isfinite(end)]
    largest = max((abs(end) for end in ends), default=0)
    money = measure == "sales"
    scale = headline_scale(int(largest), language, currency)
    unit = 100 * scale.units if money else 0.01
    title = f"{label('plan_differences', language)} {reference}"
    name = f"differences-{measure}"
    with style(name):
        figure, axes = canvas(name, len(rows), title)
        for position, row in enumerate(rows):
            _difference_row(axes, position, row, unit, language)
        rows_axis(axes, [row.case for row in rows])
        axes.axvline(0, color=GREY, linewidth=1)
        axes.margins(x=0.08)
        axes.set_xlabel(label(f"{measure}_difference", language) + (f", {scale.name}" if money else ""))
    told = "; ".join(f"{row.case}: {row.interval.estimate / unit:+.3g} ({label(row.word, language)})" for row in rows)
    return Drawing(name, f"{title}: {told}", figure)


def year_ranges(
    rows: Sequence[RangeRow], currency: str, language: Language = "en", *, target: int | None = None
) -> Drawing:
    """Bars from low to high on one money axis: a year's luck, parameter error, another plan.

    Args:
        target: a line at the company's target, minor units.

    Raises:
        InputRefused: no rows.
    """
    if not rows:
        raise InputRefused(Problem("rows", "", "at least one range is needed"))
    scale = table_scale(int(max(abs(row.high) for row in rows)), language, currency)
    unit = 100 * scale.units
    title = label("year_range", language)
    with style("year-ranges"):
        figure, axes = canvas("year-ranges", len(rows), title)
        for position, row in enumerate(rows):
            axes.barh(position, (row.high - row.low) / unit, left=row.low / unit, height=0.5, color=BLUE, alpha=0.45)
            if row.middle is not None:
                axes.plot([row.middle / unit], [position], "|", color="black", markersize=14)
        rows_axis(axes, [row.name for row in rows])
        if target is not None:
            marked_line(axes, target / unit, label("target", language))
        axes.use_sticky_edges = False
        axes.margins(x=0.06)
        axes.set_xlabel(scale.name)
    told = "; ".join(f"{row.name}: {scale.number(row.low)} - {scale.number(row.high)}" for row in rows)
    return Drawing("year-ranges", f"{title}, {scale.name}: {told}", figure)


def trade_figure(trade: TradeTable, language: Language = "en") -> Drawing:
    """Hit rate and the company's chances over the quota sum."""
    shares = [row.share for row in trade.rows]
    title = label("trade", language)
    lines = {
        "hit_rate": (BLUE, "o", [row.hit_rate.estimate for row in trade.rows]),
        "chance_of_target": (GREEN, "s", [row.chance_of_target.estimate for row in trade.rows]),
        "chance_of_quota_sum": (ORANGE, "^", [row.chance_of_quota_sum.estimate for row in trade.rows]),
    }
    with style("trade"):
        figure, axes = canvas("trade", 6, title)
        for key, (colour, marker, values) in lines.items():
            axes.plot(shares, values, color=colour, marker=marker, label=label(key, language))
        axes.set_ylim(-0.02, 1.02)
        axes.set_xticks(shares, labels=[f"{100 * share:g} %" for share in shares])
        per_cent(axes.yaxis)
        axes.grid(axis="y")
        axes.set_xlabel(label("quota_sum", language))
        axes.legend(loc="best", frameon=False)
    told = "; ".join(f"{100 * row.share:g} %: {100 * row.hit_rate.estimate:.0f} %" for row in trade.rows)
    return Drawing("trade", f"{title}: {told}", figure)


def _difference_row(axes: Axes, position: int, row: Difference, unit: float, language: Language) -> None:
    colour, middle = WORD_COLOURS[row.word], row.interval.estimate / unit
    ends = [end / unit for end in (row.interval.low, row.interval.high) if isfinite(end)]
    if len(ends) == 2:
        axes.plot(ends, [position, position], color=colour, linewidth=2.5, solid_capstyle="butt")
    axes.plot([middle], [position], "o", color=colour, markersize=6)
    axes.annotate(
        label(row.word, language),
        (1.01, position),
        xycoords=("axes fraction", "data"),
        va="center",
        color=colour,
    )
